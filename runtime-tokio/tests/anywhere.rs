//! The port used where Tokio itself would panic: outside of a runtime, inside one, after its end, without its drivers.

use std::future::pending;
use std::io;
use std::sync::mpsc;
use std::thread::{self, ThreadId};
use std::time::Duration;

use bytes::BytesMut;
use callboard_runtime::{ConnectOptions, Endpoint, Handle, ListenOptions, Listener, Runtime, Stream};
use callboard_tokio::Tokio;
use futures_lite::future::{block_on, poll_fn};
use futures_lite::{AsyncReadExt, AsyncWriteExt};

fn any_port() -> Endpoint {
    Endpoint::Tcp(([127, 0, 0, 1], 0).into())
}

async fn accept(listener: &mut Box<dyn Listener>) -> io::Result<Box<dyn Stream>> {
    poll_fn(|context| listener.poll_accept(context)).await
}

/// Uses everything that needs a reactor, on an executor that knows nothing of Tokio.
fn exercise(handle: &Handle) {
    block_on(async {
        let mut listener = handle.listen(any_port(), ListenOptions::default()).unwrap();
        let mut client = handle.connect(listener.local(), ConnectOptions::default()).await.unwrap();
        let mut server = accept(&mut listener).await.unwrap();
        assert_eq!(server.info().peer, client.info().local);
        assert_eq!(server.info().local, client.info().peer);

        client.write_all(b"over").await.unwrap();
        client.close().await.unwrap();
        poll_fn(|context| server.poll_readable(context)).await.unwrap();
        let mut buffer = BytesMut::new();
        while poll_fn(|context| server.poll_fill(context, &mut buffer)).await.unwrap() > 0 {}
        assert_eq!(&buffer[..], b"over");
        server.write_all(b"back").await.unwrap();
        drop(server);
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "back");

        let before = handle.now();
        handle.sleep(Duration::from_millis(3)).await;
        assert!(handle.now() >= before + Duration::from_millis(3));

        let (sender, receiver) = mpsc::channel();
        handle.run_blocking(Box::new(move || sender.send("ran").unwrap())).await.unwrap();
        assert_eq!(receiver.try_recv(), Ok("ran"));
        assert!(!handle.resolve("localhost", 80).await.unwrap().is_empty());
        handle.signals().unwrap();

        let (sender, receiver) = mpsc::channel();
        handle.spawn(Box::pin(async move { sender.send("spawned").unwrap() }));
        assert_eq!(receiver.recv(), Ok("spawned"));
    });
}

#[test]
fn current_outside_of_a_runtime_works_in_the_background() {
    exercise(&Tokio::current().into());
}

#[test]
fn current_outside_of_a_runtime_can_block() {
    let handle = Handle::from(Tokio::current());
    let mut done = false;
    handle
        .block_on(Box::pin(async {
            handle.sleep(Duration::from_millis(1)).await;
            done = true;
        }))
        .unwrap();
    assert!(done);
}

#[test]
fn workers_work_in_the_background() {
    exercise(&Tokio::workers(2).into());
}

#[test]
fn a_captured_runtime_serves_other_executors() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let handle = Handle::from(runtime.block_on(async { Tokio::current() }));
    let (stop, stopped) = mpsc::channel::<()>();
    let other = thread::spawn(move || {
        exercise(&handle);
        drop(stop);
    });
    runtime.block_on(async {
        while stopped.try_recv() != Err(mpsc::TryRecvError::Disconnected) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    other.join().unwrap();
}

#[test]
fn a_runtime_without_drivers_is_replaced_by_an_own_one() {
    let bare = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let handle = Handle::from(bare.block_on(async { Tokio::current() }));
    exercise(&handle);
    let timers_only = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let handle = Handle::from(timers_only.block_on(async { Tokio::current() }));
    exercise(&handle);
}

#[test]
fn blocking_inside_a_runtime_is_an_error() {
    for tokio in [Tokio::current(), Tokio::workers(1)] {
        let handle = Handle::from(tokio);
        let inner = handle.clone();
        let mut refused = None;
        handle.block_on(Box::pin(async { refused = Some(inner.block_on(Box::pin(async {}))) })).unwrap();
        let error = refused.unwrap().unwrap_err();
        assert!(error.to_string().contains("block_on was called inside a Tokio runtime"), "{error}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { Tokio::current().block_on(Box::pin(async {})) }).unwrap_err();
}

#[test]
fn after_the_end_of_the_runtime_nothing_panics() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tokio = runtime.block_on(async { Tokio::current() });
    let handle = Handle::from(tokio);
    let mut early = handle.timer();
    let late = handle.now() + Duration::from_millis(5);
    runtime.block_on(async {
        poll_fn(|context| {
            assert!(early.poll_at(context, late).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
    });
    drop(runtime);
    block_on(async {
        poll_fn(|context| early.poll_at(context, late)).await;
        assert!(handle.now() >= late);
        let before = handle.now();
        handle.sleep(Duration::from_millis(2)).await;
        assert!(handle.now() >= before + Duration::from_millis(2));
        assert!(handle.listen(any_port(), ListenOptions::default()).is_err());
        assert!(handle.connect(Endpoint::Tcp(([127, 0, 0, 1], 9).into()), ConnectOptions::default()).await.is_err());
        assert!(handle.run_blocking(Box::new(|| ())).await.is_err());
        assert!(handle.resolve("localhost", 80).await.is_err());
        assert_eq!(handle.resolve("[::1]", 80).await.unwrap(), [(std::net::Ipv6Addr::LOCALHOST, 80).into()]);
        handle.spawn(Box::pin(async { unreachable!("there is nobody to run it") }));
    });
}

/// Sends the thread it runs on.
fn report(sender: &mpsc::Sender<ThreadId>) -> callboard_runtime::Task {
    let sender = sender.clone();
    Box::pin(async move { sender.send(thread::current().id()).unwrap() })
}

#[test]
fn a_task_stays_on_its_worker() {
    let handle = Handle::from(Tokio::workers(2));
    let (sender, receiver) = mpsc::channel();
    let (from_one, on_one) = mpsc::channel();
    let inner = handle.clone();
    let make = sender.clone();
    handle.spawn_on(
        1,
        Box::new(move || {
            make.send(thread::current().id()).unwrap();
            inner.spawn(report(&from_one));
            report(&make)
        }),
    );
    let worker_one = receiver.recv().unwrap();
    assert_eq!(receiver.recv().unwrap(), worker_one);
    assert_eq!(on_one.recv().unwrap(), worker_one);
    assert_ne!(worker_one, thread::current().id());

    handle.spawn(report(&sender));
    let worker_zero = receiver.recv().unwrap();
    assert_ne!(worker_zero, worker_one);
    assert_ne!(worker_zero, thread::current().id());
}

#[test]
fn the_blocking_thread_is_worker_zero_and_what_it_leaves_goes_on() {
    let handle = Handle::from(Tokio::workers(1));
    let (sender, receiver) = mpsc::channel();
    let (spawner, reporter) = (handle.clone(), sender.clone());
    let (left, leaver) = (sender.clone(), handle.clone());
    handle
        .block_on(Box::pin(async move {
            spawner.spawn(report(&reporter));
            spawner.sleep(Duration::from_millis(1)).await;
            spawner.spawn(Box::pin(async move {
                leaver.sleep(Duration::from_millis(1)).await;
                left.send(thread::current().id()).unwrap();
            }));
        }))
        .unwrap();
    assert_eq!(receiver.recv(), Ok(thread::current().id()));
    let background = receiver.recv().unwrap();
    assert_ne!(background, thread::current().id());

    // The background thread stays worker 0.
    let spawner = handle.clone();
    handle
        .block_on(Box::pin(async move {
            spawner.spawn(report(&sender));
            spawner.sleep(Duration::from_millis(1)).await;
        }))
        .unwrap();
    assert_eq!(receiver.recv(), Ok(background));
}

#[test]
fn the_last_handle_ends_the_threads_and_their_tasks() {
    let (alive, ended) = mpsc::channel::<()>();
    let handle = Handle::from(Tokio::workers(2));
    for worker in 0..2 {
        let alive = alive.clone();
        handle.spawn_on(
            worker,
            Box::new(move || {
                Box::pin(async move {
                    pending::<()>().await;
                    drop(alive);
                })
            }),
        );
    }
    drop(alive);
    assert_eq!(ended.try_recv(), Err(mpsc::TryRecvError::Empty));
    drop(handle);
    assert_eq!(ended.recv(), Err(mpsc::RecvError));
}

#[test]
fn the_last_handle_may_be_dropped_by_a_task_or_in_a_foreign_runtime() {
    let (alive, ended) = mpsc::channel::<()>();
    let handle = Handle::from(Tokio::workers(2));
    let own = handle.clone();
    handle.spawn_on(
        1,
        Box::new(move || {
            Box::pin(async move {
                drop(own);
                pending::<()>().await;
                drop(alive);
            })
        }),
    );
    drop(handle);
    assert_eq!(ended.recv(), Err(mpsc::RecvError));

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { drop(Tokio::workers(2)) });
}

#[test]
fn a_panic_in_blocking_work_is_an_error_that_quotes_it() {
    let handle = Handle::from(Tokio::workers(1));
    let error = block_on(handle.run_blocking(Box::new(|| panic!("no more ink")))).unwrap_err();
    assert!(error.to_string().contains("no more ink"), "{error}");
}

#[test]
fn a_failed_lookup_names_the_host() {
    let handle = Handle::from(Tokio::workers(1));
    let error = block_on(handle.resolve("no-such-host.invalid", 80)).unwrap_err();
    assert!(error.to_string().contains("no-such-host.invalid"), "{error}");
}
