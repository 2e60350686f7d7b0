//! What the tests of the simulator share: short ways to listen, accept, connect and wait.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use callboard_runtime::{ConnectOptions, Endpoint, Handle, ListenOptions, Listener, Stream};
use callboard_sim::{Host, Options, Simulation};
use futures_lite::{AsyncReadExt, AsyncWriteExt};

pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) type BoxStream = Box<dyn Stream>;

pub(crate) fn handle(host: &Host) -> Handle {
    host.runtime().into()
}

pub(crate) fn tcp(address: &str) -> Endpoint {
    Endpoint::Tcp(address.parse().expect("an address"))
}

/// No latency, no cuts: for tests of one rule.
pub(crate) fn calm() -> Options {
    let none = Duration::ZERO..=Duration::ZERO;
    Options::new().latency(none.clone()).local_latency(none.clone()).blocking(none).split(0).coalesce(0)
}

/// Exactly 10 ms each way, no cuts.
pub(crate) fn steady() -> Options {
    calm().latency(10 * MILLISECOND..=10 * MILLISECOND)
}

pub(crate) fn listen(host: &Host, port: u16) -> Box<dyn Listener> {
    let endpoint = Endpoint::Tcp(([0, 0, 0, 0], port).into());
    handle(host).listen(endpoint, ListenOptions::default()).expect("a free port")
}

pub(crate) async fn accept(listener: &mut Box<dyn Listener>) -> io::Result<BoxStream> {
    poll_fn(|context| listener.poll_accept(context)).await
}

pub(crate) async fn connect(host: &Host, name: &str, port: u16) -> io::Result<BoxStream> {
    let runtime = handle(host);
    let address = runtime.resolve(name, port).await?[0];
    runtime.connect(Endpoint::Tcp(address), ConnectOptions::default()).await
}

/// Two hosts with a connection between them: the client's end and the server's.
pub(crate) async fn pair(simulation: &Simulation) -> (BoxStream, BoxStream) {
    let (client, server) = (simulation.host("client"), simulation.host("server"));
    let mut listener = listen(&server, 80);
    let (one, other) = futures_lite::future::zip(connect(&client, "server", 80), accept(&mut listener)).await;
    (one.expect("connected"), other.expect("accepted"))
}

/// A server that gives back whatever comes, each connection in a task of its own.
pub(crate) fn echo(host: &Host, port: u16) {
    let mut listener = listen(host, port);
    let inner = host.clone();
    host.spawn(async move {
        while let Ok(stream) = accept(&mut listener).await {
            inner.spawn(async move {
                // A reset or a broken pipe is the peer's way to say that it has enough.
                let _ = give_back(stream).await;
            });
        }
    });
}

async fn give_back(mut stream: BoxStream) -> io::Result<()> {
    let mut buffer = [0; 1000];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return stream.close().await;
        }
        stream.write_all(&buffer[..count]).await?;
    }
}

/// The kind of the error that something must end with.
pub(crate) fn kind<T>(result: io::Result<T>) -> io::ErrorKind {
    match result {
        Ok(_) => panic!("an error was expected"),
        Err(error) => error.kind(),
    }
}

/// Lets the other tasks go first.
pub(crate) async fn pause() {
    futures_lite::future::yield_now().await;
}

/// Polls a future so many times and then drops it, wherever it is.
pub(crate) struct CancelAfter<F> {
    future: Option<Pin<Box<F>>>,
    polls: u64,
}

impl<F: Future<Output = ()>> CancelAfter<F> {
    pub(crate) fn new(polls: u64, future: F) -> Self {
        Self { future: Some(Box::pin(future)), polls }
    }
}

impl<F: Future<Output = ()>> Future for CancelAfter<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.polls == 0 {
            self.future = None;
            return Poll::Ready(());
        }
        self.polls -= 1;
        let Some(future) = &mut self.future else { return Poll::Ready(()) };
        let ended = future.as_mut().poll(context).is_ready();
        if ended {
            self.future = None;
            return Poll::Ready(());
        }
        if self.polls == 0 {
            // The last poll was pending: be back to be dropped, whatever the future waits for.
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

/// A list that tasks write into.
pub(crate) type Log<T> = Arc<Mutex<Vec<T>>>;

pub(crate) fn log<T>() -> Log<T> {
    Arc::new(Mutex::new(Vec::new()))
}
