//! Out of files, in a process of its own since the limit is the process's: an error of the call that needed one, after
//! which all goes on.

use std::fs::File;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::AsRawFd;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use callboard_runtime::{Endpoint, Handle, ListenOptions, Listener};
use callboard_smol::Smol;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

fn block(runtime: &Handle, future: impl Future<Output = ()> + Send) {
    runtime.block_on(Box::pin(future)).expect("it can block here");
}

fn listen(runtime: &Handle) -> io::Result<Box<dyn Listener>> {
    runtime.listen(Endpoint::Tcp((Ipv4Addr::LOCALHOST, 0).into()), ListenOptions::default())
}

/// Runs `work` where a file with the number `files` or a higher one cannot be opened.
async fn without_files<T>(files: u64, work: impl Future<Output = T>) -> T {
    let before = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(files), maximum: before.maximum }).expect("a lower limit");
    let output = work.await;
    setrlimit(Resource::Nofile, before).expect("the limit that was");
    output
}

fn assert_no_files(error: &io::Error) {
    assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::MFILE.raw_os_error()), "{error}");
}

// One test, since what it takes away it takes from the whole process.
#[test]
fn what_needs_a_file_fails_and_all_goes_on() {
    for runtime in [Smol::new(), Smol::workers(1), Smol::workers(2)] {
        block(&runtime.into(), async {});
    }
    for runtime in [Smol::new(), Smol::workers(1), Smol::workers(2)] {
        accept_fails_and_goes_on(&runtime.into());
    }
    if cfg!(any(target_os = "linux", target_os = "android")) {
        tasks_and_timers_need_no_files();
    }
}

fn accept_fails_and_goes_on(runtime: &Handle) {
    block(runtime, async {
        let mut listener = listen(runtime).expect("a free port");
        let address = listener.local().tcp().expect("TCP");
        let clients: Vec<_> = (0..3).map(|_| TcpStream::connect(address).expect("room in the queue")).collect();
        // A file that is opened gets the lowest free number.
        let lowest = File::open(".").expect("a folder").as_raw_fd();
        without_files(u64::try_from(lowest).expect("a file"), async {
            for _ in 0..3 {
                let accepted = poll_fn(|context| listener.poll_accept(context)).await;
                assert_no_files(&accepted.map(drop).expect_err("no file for it"));
            }
        })
        .await;
        for _ in &clients {
            poll_fn(|context| listener.poll_accept(context)).await.expect("the clients still wait");
        }
        poll_fn(|context| {
            assert!(listener.poll_accept(context).is_pending());
            Poll::Ready(())
        })
        .await;
    });
}

fn tasks_and_timers_need_no_files() {
    let runtime = futures_lite::future::block_on(without_files(3, async { Handle::from(Smol::workers(1)) }));
    let there = runtime.clone();
    block(&runtime, async {
        let (give, take) = async_channel::bounded(1);
        runtime.spawn(Box::pin(async move {
            there.sleep(Duration::from_millis(1)).await;
            // A wake from another thread.
            let (send, receive) = async_channel::bounded(1);
            thread::spawn(move || send.send_blocking(7));
            give.send(receive.recv().await).await.expect("somebody waits");
        }));
        assert_eq!(take.recv().await, Ok(Ok(7)));
        assert_no_files(&listen(&runtime).map(drop).expect_err("it has no reactor"));
    });
}
