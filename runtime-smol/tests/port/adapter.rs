//! What only this adapter promises: it works under any executor, tasks go on without `block_on`, everything ends with
//! the last handle, reactors hold nothing that is gone.

use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use callboard_runtime::{ConnectOptions, Endpoint, Handle, ListenOptions, Runtime, Stream};
use callboard_smol::Smol;
use futures_lite::future::block_on as foreign_block_on;
use futures_lite::{AsyncRead as _, AsyncWriteExt as _};

use crate::port_suite::{Gift, accept, block, listen, loopback, pair, read_exact, read_to_end, socket_path, spawn};

const KINDS: [fn() -> Smol; 3] = [Smol::new, || Smol::workers(1), || Smol::workers(2)];
/// The kinds with reactors of their own, where there are such.
const WORKERS: &[fn() -> Smol] = if cfg!(any(target_os = "linux", target_os = "android")) {
    &[|| Smol::workers(1), || Smol::workers(2)]
} else {
    &[]
};

/// Waits until nothing holds `weak`, and fails if that does not come.
fn wait_until_freed<T: ?Sized>(weak: &Weak<T>) {
    for _ in 0..20_000 {
        if weak.upgrade().is_none() {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("still held");
}

/// Gives a sign of life from a task, then a weak reference that dies with the thread that ran it.
fn thread_of_tasks(runtime: &Handle) -> Weak<()> {
    thread_local! {
        static HELD: std::cell::RefCell<Option<Arc<()>>> = const { std::cell::RefCell::new(None) };
    }
    let held = spawn(runtime, async {
        let held = HELD.with(|cell| Arc::clone(cell.borrow_mut().get_or_insert_default()));
        Arc::downgrade(&held)
    });
    foreign_block_on(held)
}

#[test]
fn all_works_under_another_executor() {
    for make in KINDS {
        let runtime = Handle::from(make());
        foreign_block_on(async {
            for endpoint in [loopback(), Endpoint::Unix(socket_path())] {
                let (mut client, mut server) = pair(&runtime, endpoint).await;
                client.write_all(b"ping").await.expect("writing");
                assert_eq!(read_exact(&mut server, 4).await.expect("reading"), b"ping");
                drop(server);
                assert_eq!(read_to_end(&mut client).await.expect("the end"), b"");
            }
            let deadline = runtime.now() + Duration::from_millis(5);
            runtime.sleep_until(deadline).await;
            assert!(runtime.now() >= deadline);
            assert_eq!(spawn(&runtime, async { 3 }).await, 3);
        });
    }
}

#[test]
fn tasks_go_on_after_block_on() {
    for make in KINDS {
        let runtime = Handle::from(make());
        let (start, end) = (Gift::new(), Gift::new());
        let there = (start.clone(), end.clone());
        block(&runtime, async {
            runtime.spawn(Box::pin(async move { there.1.give(there.0.take().await) }));
        });
        start.give(4);
        assert_eq!(foreign_block_on(end.take()), 4);
        // And a server that was set up in it.
        let address = block(&runtime, async {
            let mut listener = listen(&runtime, loopback());
            let address = listener.local();
            runtime.spawn(Box::pin(async move {
                let mut stream = accept(&mut listener).await.expect("a client");
                stream.write_all(b"hello").await.expect("writing");
            }));
            address
        });
        let stream = std::net::TcpStream::connect(address.tcp().expect("TCP")).expect("a server");
        assert_eq!(std::io::read_to_string(stream).expect("reading"), "hello");
    }
}

#[test]
fn tasks_and_threads_end_with_the_last_handle() {
    for make in KINDS {
        let runtime = Handle::from(make());
        let thread = thread_of_tasks(&runtime);
        let held = Arc::new(());
        let weak = Arc::downgrade(&held);
        for worker in 0..runtime.workers() {
            let held = Arc::clone(&held);
            let task = async move { assert_eq!(Arc::strong_count(&held), std::future::pending::<usize>().await) };
            runtime.spawn_on(worker, Box::new(|| Box::pin(task)));
        }
        drop(held);
        assert!(thread.upgrade().is_some() && weak.upgrade().is_some());
        drop(runtime);
        wait_until_freed(&weak);
        wait_until_freed(&thread);
    }
}

#[test]
fn tasks_of_block_on_end_with_the_last_handle() {
    for make in KINDS {
        let runtime = Handle::from(make());
        let held = Arc::new(());
        let weak = Arc::downgrade(&held);
        let task = async move { assert_eq!(Arc::strong_count(&held), std::future::pending::<usize>().await) };
        block(&runtime, async { runtime.spawn(Box::pin(task)) });
        drop(runtime);
        wait_until_freed(&weak);
    }
}

#[test]
fn streams_and_timers_outlive_the_runtime() {
    for make in WORKERS {
        let runtime = Handle::from(make());
        let thread = thread_of_tasks(&runtime);
        foreign_block_on(async {
            let (mut client, mut server) = pair(&runtime, loopback()).await;
            let mut timer = runtime.timer();
            let deadline = runtime.now() + Duration::from_millis(20);
            drop(runtime);
            let reading = thread::spawn(move || foreign_block_on(read_exact(&mut server, 3)));
            std::future::poll_fn(|context| timer.poll_at(context, deadline)).await;
            client.write_all(b"abc").await.expect("writing");
            assert_eq!(reading.join().expect("no panic").expect("reading"), b"abc");
            assert!(thread.upgrade().is_some());
        });
        wait_until_freed(&thread);
    }
}

#[test]
fn block_on_in_its_own_task_is_an_error() {
    for make in WORKERS {
        let runtime = Handle::from(make());
        let inside = runtime.clone();
        let result = block(&runtime, spawn(&runtime, async move { inside.block_on(Box::pin(async {})) }));
        assert!(result.is_err());
    }
}

#[test]
fn runtimes_nest() {
    for outer in KINDS {
        for inner in KINDS {
            let (outer, inner) = (Handle::from(outer()), Handle::from(inner()));
            let there = outer.clone();
            let task = spawn(&outer, async move {
                let waiting = spawn(&there, async { 1 });
                let value = block(&inner, async {
                    inner.sleep(Duration::from_millis(1)).await;
                    spawn(&inner, async { 2 }).await
                });
                value + waiting.await
            });
            assert_eq!(block(&outer, task), 3);
        }
    }
}

#[test]
fn several_threads_block_at_once() {
    for make in KINDS {
        let runtime = Handle::from(make());
        let threads: Vec<_> = (0..4)
            .map(|index| {
                let runtime = runtime.clone();
                thread::spawn(move || {
                    block(&runtime, async {
                        runtime.sleep(Duration::from_millis(3 * (4 - index))).await;
                        let (mut client, mut server) = pair(&runtime, loopback()).await;
                        client.write_all(b"x").await.expect("writing");
                        read_exact(&mut server, 1).await.expect("reading");
                        spawn(&runtime, async move { index }).await
                    })
                })
            })
            .collect();
        let sum: u64 = threads.into_iter().map(|thread| thread.join().expect("no panic")).sum();
        assert_eq!(sum, 6);
    }
}

#[test]
fn a_panic_in_block_on_reaches_the_caller_and_the_runtime_goes_on() {
    for make in KINDS {
        let runtime = Handle::from(make());
        let panicking = runtime.clone();
        let thread = thread::spawn(move || block(&panicking, async { panic!("expected: the future panics") }));
        assert!(thread.join().is_err());
        assert_eq!(block(&runtime, spawn(&runtime, async { 8 })), 8);
    }
}

#[test]
fn a_stream_is_used_on_another_worker_than_its_own() {
    const ROUNDS: usize = 3000;
    let runtime = Handle::from(Smol::workers(2));
    block(&runtime, async {
        let (client, server) = pair(&runtime, loopback()).await;
        let done = Gift::new();
        for (worker, mut stream, speaks_first) in [(1, client, true), (0, server, false)] {
            let done = done.clone();
            let speak = async move {
                if speaks_first {
                    stream.write_all(b"x").await.expect("writing");
                }
                for _ in 0..ROUNDS {
                    read_exact(&mut stream, 1).await.expect("reading");
                    stream.write_all(b"x").await.expect("writing");
                }
                if speaks_first {
                    done.give(());
                } else {
                    // The first speaker's last byte.
                    read_exact(&mut stream, 1).await.expect("reading");
                }
            };
            runtime.spawn_on(worker, Box::new(|| Box::pin(speak)));
        }
        done.take().await;
    });
}

/// Reads a byte, and says when it waits for it.
async fn read_byte(mut stream: Box<dyn Stream>, waits: Gift<()>) -> Box<dyn Stream> {
    let (mut byte, mut is_told) = ([0], false);
    let count = poll_fn(|context| {
        let polled = Pin::new(&mut stream).poll_read(context, &mut byte);
        if polled.is_pending() && !std::mem::replace(&mut is_told, true) {
            waits.give(());
        }
        polled
    })
    .await;
    assert_eq!((count.expect("reading"), byte), (1, *b"x"));
    stream
}

/// A task of the stream's worker, one of another worker, a thread that is none: each waits after any other.
#[test]
fn a_stream_that_changes_hands_wakes_whoever_has_it() {
    const HANDS: [usize; 10] = [0, 0, 1, 1, 2, 2, 0, 2, 1, 0];
    for make in WORKERS {
        let runtime = Handle::from(make());
        block(&runtime, async {
            let (mut client, mut server) = pair(&runtime, loopback()).await;
            for round in 0..200 {
                let (waits, back) = (Gift::new(), Gift::new());
                let (told, giver) = (waits.clone(), back.clone());
                let read = async move { giver.give(read_byte(server, told).await) };
                match HANDS[round % HANDS.len()] {
                    2 => drop(thread::spawn(|| foreign_block_on(read))),
                    worker => runtime.spawn_on(worker, Box::new(|| Box::pin(read))),
                }
                waits.take().await;
                client.write_all(b"x").await.expect("writing");
                server = back.take().await;
            }
        });
    }
}

#[test]
fn a_thousand_connections_leave_nothing() {
    for make in WORKERS {
        let smol = make();
        let runtime = Handle::from(smol.clone());
        block(&runtime, async {
            let mut listener = listen(&runtime, loopback());
            let address = listener.local();
            let server = spawn(&runtime, async move {
                let mut kept: Vec<Box<dyn Stream>> = Vec::new();
                for index in 0..1000 {
                    let stream = accept(&mut listener).await.expect("a client");
                    // Some go at once, some after those that came later.
                    if index % 3 == 0 {
                        kept.push(stream);
                    }
                    if kept.len() > 10 {
                        kept.swap_remove(index % 10);
                    }
                }
            });
            for _ in 0..1000 {
                let mut stream = runtime.connect(address.clone(), ConnectOptions::default()).await.expect("a server");
                // The peer may be gone already.
                let _ = stream.write_all(b"x").await;
            }
            server.await;
        });
        assert_eq!(smol.registered_sources(), Some(0));
    }
}

#[test]
fn a_full_queue_of_a_unix_listener_is_waited_for() {
    for make in KINDS {
        let runtime = Handle::from(make());
        let options = ListenOptions { backlog: 1, ..ListenOptions::default() };
        let path = socket_path();
        let mut listener = runtime.listen(Endpoint::Unix(path.clone()), options).expect("a free path");
        block(&runtime, async {
            let clients: Vec<_> = (0..6)
                .map(|_| spawn(&runtime, runtime.connect(Endpoint::Unix(path.clone()), ConnectOptions::default())))
                .collect();
            runtime.sleep(Duration::from_millis(5)).await;
            let mut servers = Vec::new();
            for _ in 0..6 {
                servers.push(accept(&mut listener).await.expect("a client"));
            }
            for client in clients {
                client.await.expect("a server").write_all(b"x").await.expect("writing");
            }
            for mut server in servers {
                assert_eq!(read_to_end(&mut server).await.expect("reading"), b"x");
            }
        });
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_abstract_name_needs_no_file() {
    for make in KINDS {
        let runtime = Handle::from(make());
        let name = PathBuf::from(format!("\0{}", socket_path().display()));
        block(&runtime, async {
            let (client, server) = pair(&runtime, Endpoint::Unix(name.clone())).await;
            assert_eq!(client.info().peer, Endpoint::Unix(name.clone()));
            assert_eq!(server.info().local, Endpoint::Unix(name.clone()));
        });
    }
}

/// It stands while a task computes, goes on with the turn, and is nobody else's.
#[test]
fn the_coarse_time_is_that_of_the_turn() {
    for make in WORKERS {
        let runtime = Handle::from(make());
        block(&runtime, async {
            runtime.sleep(Duration::from_millis(1)).await;
            let (turn, work) = (runtime.coarse_now(), Duration::from_millis(5));
            thread::sleep(work);
            assert_eq!(runtime.coarse_now(), turn);
            assert!(runtime.now() >= turn + work);
            runtime.sleep(Duration::from_millis(1)).await;
            assert!(runtime.coarse_now() >= turn + work);
            let other = Handle::from(make());
            let now = other.now();
            assert!(other.coarse_now() >= now);
        });
        let now = runtime.now();
        assert!(runtime.coarse_now() >= now);
    }
    let stock = Handle::from(Smol::new());
    let now = stock.now();
    assert!(stock.coarse_now() >= now);
}

#[test]
fn a_clone_is_the_same_runtime() {
    for make in KINDS {
        let smol = make();
        let clone = smol.clone();
        assert_eq!(clone.workers(), smol.workers());
        let first = smol.now();
        assert!(clone.now() >= first);
        drop(smol);
        assert_eq!(block(&clone.into(), async { 1 }), 1);
    }
}
