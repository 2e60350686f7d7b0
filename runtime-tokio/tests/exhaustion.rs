//! Out of files, in a process of its own since the limit is the process's: an error of the call that needed one, after
//! which all goes on.
#![cfg(unix)]

use std::fs::File;
use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::AsRawFd;
use std::task::Poll;
use std::time::Duration;

use callboard_core::Instant;
use callboard_runtime::{ConnectOptions, Endpoint, Handle, ListenOptions, Listener};
use callboard_tokio::Tokio;
use futures_lite::future::block_on;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

fn listen(runtime: &Handle) -> io::Result<Box<dyn Listener>> {
    runtime.listen(Endpoint::Tcp((Ipv4Addr::LOCALHOST, 0).into()), ListenOptions::default())
}

/// Runs `work` where no file can be opened.
fn without_files<T>(work: impl FnOnce() -> T) -> T {
    // A file that is opened gets the lowest free number.
    let lowest = File::open(".").expect("a folder").as_raw_fd();
    let before = getrlimit(Resource::Nofile);
    let current = Some(u64::try_from(lowest).expect("a file"));
    setrlimit(Resource::Nofile, Rlimit { current, maximum: before.maximum }).expect("a lower limit");
    let output = work();
    setrlimit(Resource::Nofile, before).expect("the limit that was");
    output
}

fn assert_no_files(error: &io::Error) {
    assert!(error.to_string().contains("Too many open files"), "{error}");
}

// One test, since what it takes away it takes from the whole process.
#[test]
fn what_needs_a_file_fails_and_all_goes_on() {
    accept_fails_pauses_and_goes_on(&Tokio::workers(1).into());
    without_a_runtime();
}

fn accept_fails_pauses_and_goes_on(runtime: &Handle) {
    let mut listener = listen(runtime).expect("a free port");
    let address = listener.local().tcp().expect("TCP");
    let clients: Vec<_> = (0..3).map(|_| TcpStream::connect(address).expect("room in the queue")).collect();
    without_files(|| {
        block_on(async {
            for _ in 0..2 {
                let before = runtime.now();
                let accepted = poll_fn(|context| listener.poll_accept(context)).await;
                assert_no_files(&accepted.map(drop).expect_err("no file for it"));
                // A caller that tries again at once does not spin.
                let waits = poll_fn(|context| Poll::Ready(listener.poll_accept(context).is_pending())).await;
                assert!(waits || runtime.now() >= before + Duration::from_millis(50));
            }
        });
    });
    block_on(async {
        for _ in &clients {
            poll_fn(|context| listener.poll_accept(context)).await.expect("the clients still wait");
        }
        assert!(poll_fn(|context| Poll::Ready(listener.poll_accept(context).is_pending())).await);
    });
}

fn without_a_runtime() {
    let runtime = without_files(|| Handle::from(Tokio::workers(1)));
    assert_no_files(&listen(&runtime).map(drop).expect_err("it has no reactor"));
    assert_no_files(&runtime.signals().map(drop).expect_err("it has no reactor"));
    assert_no_files(&runtime.block_on(Box::pin(async {})).expect_err("it has no reactor"));
    block_on(async {
        let endpoint = Endpoint::Tcp((Ipv4Addr::LOCALHOST, 9).into());
        assert_no_files(
            &runtime.connect(endpoint, ConnectOptions::default()).await.map(drop).expect_err("it has no reactor"),
        );
        assert_no_files(&runtime.run_blocking(Box::new(|| ())).await.expect_err("it has no threads"));
        assert_no_files(&runtime.resolve("localhost", 80).await.expect_err("it has no threads"));
        runtime.spawn(Box::pin(async { unreachable!("there is nobody to run it") }));

        // Timers need no files.
        let deadline = runtime.now() + Duration::from_millis(2);
        let mut timer = runtime.timer();
        poll_fn(|context| {
            assert!(timer.poll_at(context, Instant::EPOCH + Duration::MAX).is_pending());
            timer.poll_at(context, deadline)
        })
        .await;
        assert!(runtime.now() >= deadline);
    });
}
