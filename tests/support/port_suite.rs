//! What every runtime adapter must do, through the port alone. Each adapter's tests include this file by its path and
//! hand `run_all` a maker of runtimes.
//!
//! Needs the crates bytes, callboard-core, callboard-runtime and futures-lite. Nothing here measures time against a
//! bound: what must come is waited for.

mod port_runtime;
mod port_sockets;
mod port_streams;

use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;

use bytes::BytesMut;
use callboard_runtime::{ConnectOptions, Endpoint, Handle, ListenOptions, Listener, Stream};
use futures_lite::FutureExt as _;

/// A case: a name to print when it fails, and what to do with a fresh runtime.
type Case = (&'static str, fn(&Handle));

/// Runs every case, each on a runtime of its own, and fails with the names of those that failed.
pub(crate) fn run_all(make: impl Fn() -> Handle) {
    let cases = [port_runtime::CASES, port_streams::CASES, port_sockets::CASES].concat();
    let mut failed = Vec::new();
    for (name, case) in cases {
        println!("port: {name}");
        if catch_unwind(AssertUnwindSafe(|| case(&make()))).is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "failed: {failed:?}");
}

/// Runs a future on the runtime and gives its output.
pub(crate) fn block<T: Send>(runtime: &Handle, future: impl Future<Output = T> + Send) -> T {
    let mut output = None;
    runtime.block_on(Box::pin(async { output = Some(future.await) })).expect("this runtime can block here");
    output.expect("block_on ran the future to its end")
}

/// A value that one thread or task gives and another waits for.
pub(crate) struct Gift<T>(Arc<Mutex<(Option<T>, Option<Waker>)>>);

impl<T> Clone for Gift<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Gift<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new((None, None))))
    }

    pub(crate) fn give(&self, value: T) {
        let mut state = self.0.lock().unwrap();
        state.0 = Some(value);
        let waker = state.1.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    pub(crate) async fn take(&self) -> T {
        poll_fn(|context| {
            let mut state = self.0.lock().unwrap();
            if let Some(value) = state.0.take() {
                return Poll::Ready(value);
            }
            state.1 = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}

/// Spawns a future; the future given back has its output, or panics as it did.
pub(crate) fn spawn<T: Send + 'static>(
    runtime: &Handle,
    future: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = T> + Send + 'static {
    let gift = Gift::new();
    let giver = gift.clone();
    runtime.spawn(Box::pin(async move { giver.give(AssertUnwindSafe(future).catch_unwind().await) }));
    async move { gift.take().await.unwrap_or_else(|panic| resume_unwind(panic)) }
}

/// Any free port of the loopback.
pub(crate) fn loopback() -> Endpoint {
    Endpoint::Tcp(([127, 0, 0, 1], 0).into())
}

/// A path for a Unix socket that nobody else uses.
pub(crate) fn socket_path() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("callboard-port-{}-{count}", std::process::id()))
}

pub(crate) fn listen(runtime: &Handle, endpoint: Endpoint) -> Box<dyn Listener> {
    runtime.listen(endpoint, ListenOptions::default()).expect("a free endpoint")
}

pub(crate) async fn accept(listener: &mut Box<dyn Listener>) -> io::Result<Box<dyn Stream>> {
    poll_fn(|context| listener.poll_accept(context)).await
}

/// Two ends of a connection: the client's and the server's.
pub(crate) async fn pair(runtime: &Handle, endpoint: Endpoint) -> (Box<dyn Stream>, Box<dyn Stream>) {
    let mut listener = listen(runtime, endpoint);
    let client = runtime.connect(listener.local(), ConnectOptions::default());
    let (client, server) = futures_lite::future::zip(client, accept(&mut listener)).await;
    (client.expect("somebody listens"), server.expect("somebody connects"))
}

/// One read into `buffer`.
pub(crate) async fn fill(stream: &mut Box<dyn Stream>, buffer: &mut BytesMut) -> io::Result<usize> {
    poll_fn(|context| stream.poll_fill(context, buffer)).await
}

/// Reads to the end of the input.
pub(crate) async fn read_to_end(stream: &mut Box<dyn Stream>) -> io::Result<Vec<u8>> {
    let mut buffer = BytesMut::new();
    while fill(stream, &mut buffer).await? != 0 {}
    Ok(buffer.to_vec())
}

/// Reads exactly `count` bytes.
pub(crate) async fn read_exact(stream: &mut Box<dyn Stream>, count: usize) -> io::Result<Vec<u8>> {
    let mut buffer = BytesMut::with_capacity(count);
    while buffer.len() < count {
        if fill(stream, &mut buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    assert_eq!(buffer.len(), count, "more bytes than the room that there was, or than were sent");
    Ok(buffer.to_vec())
}

/// The kind of the error that must have come.
pub(crate) fn error_kind<T>(result: io::Result<T>) -> io::ErrorKind {
    match result {
        Ok(_) => panic!("this must fail"),
        Err(error) => error.kind(),
    }
}

/// Asserts that every value is the same.
pub(crate) fn assert_all_equal<T: PartialEq + Debug>(values: &[T]) {
    assert!(values.windows(2).all(|pair| pair[0] == pair[1]), "{values:?}");
}

/// Gives `value` from a thread that is no worker.
pub(crate) fn give_from_thread<T: Send + 'static>(gift: &Gift<T>, value: T) {
    let gift = gift.clone();
    thread::spawn(move || gift.give(value));
}
