//! The port: all that callboard asks of a runtime, as object-safe traits.
//!
//! An adapter implements [`Runtime`] and the traits it hands out. It never panics for want of a reactor: what it cannot
//! do is an `io::Error` that says so, given at the call. Its counterparts are the crates `callboard-smol`,
//! `callboard-tokio` and `callboard-sim`.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use callboard_core::Instant;
use futures_io::{AsyncRead, AsyncWrite};

use crate::Endpoint;

/// A future of unknown type, owned.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A task to spawn.
pub type Task = BoxFuture<'static, ()>;

/// What callboard asks of a runtime.
///
/// Used as [`Handle`]. A `spawn` from a worker's own task stays on that worker, so a connection never changes thread.
pub trait Runtime: Send + Sync + 'static {
    /// Monotonic time since an epoch of the runtime's own.
    fn now(&self) -> Instant;

    /// The same, perhaps as it was when the calling thread's event loop last looked for events: older by what the tasks
    /// since then have computed, and cheap. For silences of seconds; a timer keeps to [`now`](Self::now). It may lie
    /// before an earlier `now`. Default: `now`.
    fn coarse_now(&self) -> Instant {
        self.now()
    }

    /// Wall-clock time since the Unix epoch.
    fn wall_clock(&self) -> Duration;

    /// Sixty-four unpredictable bits (in simulation: seeded).
    fn entropy(&self) -> u64;

    /// Starts `task` on the current worker, or on worker 0 when called from elsewhere. The task lives until it ends
    /// or the runtime is dropped.
    fn spawn(&self, task: Task);

    /// How many workers there are; at least 1.
    fn workers(&self) -> usize {
        1
    }

    /// Starts a task on worker `worker` (0 to `workers() - 1`). `make` runs there, so that what it creates (a
    /// listener, say) belongs to that worker's reactor.
    fn spawn_on(&self, worker: usize, make: Box<dyn FnOnce() -> Task + Send>) {
        let _ = worker;
        self.spawn(make());
    }

    /// A timer, unset.
    fn timer(&self) -> Box<dyn Timer>;

    /// Connects a stream to an address (already resolved) or a Unix socket. What cannot be (see
    /// [`ConnectOptions::check`]) is the error of the future.
    fn connect(&self, endpoint: Endpoint, options: ConnectOptions) -> BoxFuture<'static, io::Result<Box<dyn Stream>>>;

    /// Listens. Port 0 asks for any free port: see [`Listener::local`].
    fn listen(&self, endpoint: Endpoint, options: ListenOptions) -> io::Result<Box<dyn Listener>>;

    /// Looks a host name up. An address literal needs no look-up. The order is the resolver's.
    fn resolve(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;

    /// Runs blocking work away from the reactor. Dropping the future does not stop the work.
    fn run_blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, io::Result<()>>;

    /// Signals that ask the process to end, from now on.
    fn signals(&self) -> io::Result<Box<dyn Signals>>;

    /// Runs a future to its end on the calling thread, and the runtime's tasks meanwhile. An error if this runtime
    /// cannot block here (Tokio's `current` inside a runtime, say).
    fn block_on(&self, future: BoxFuture<'_, ()>) -> io::Result<()>;
}

/// A runtime, shared. Anything that implements [`Runtime`] turns into one.
#[derive(Clone)]
pub struct Handle(Arc<dyn Runtime>);

impl<R: Runtime> From<R> for Handle {
    fn from(runtime: R) -> Self {
        Self(Arc::new(runtime))
    }
}

impl Deref for Handle {
    type Target = dyn Runtime;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle")
    }
}

impl Handle {
    /// Waits until `deadline`.
    pub async fn sleep_until(&self, deadline: Instant) {
        let mut timer = self.timer();
        std::future::poll_fn(|context| timer.poll_at(context, deadline)).await;
    }

    /// Waits for a signal that asks the process to end.
    pub async fn signal(&self) -> io::Result<SignalKind> {
        let mut signals = self.signals()?;
        std::future::poll_fn(|context| signals.poll_signal(context)).await
    }

    /// Waits for `duration`.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.now() + duration).await;
    }
}

/// A timer that is re-armed in place.
pub trait Timer: Send + 'static {
    /// Ready once `now() >= deadline`. A call with another deadline moves the timer; one with the same deadline only
    /// renews the waker.
    fn poll_at(&mut self, context: &mut Context<'_>, deadline: Instant) -> Poll<()>;
}

/// A byte stream: TCP, Unix, TLS over either, or simulated.
///
/// `AsyncRead` and `AsyncWrite` serve whoever speaks futures-io (TLS does); `poll_close` half-closes: it sends the end
/// of our side and reading goes on. Dropping the stream closes it.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// Reads once, appending to `buffer` without zeroing or copying first, at most the room that `buffer` has (the
    /// caller reserves; with no room the stream reserves 16 KiB). Ready with the count; 0 is the peer's half-close.
    /// One system call per readiness: a short read means "empty now" and the next call waits without trying.
    fn poll_fill(&mut self, context: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>>;

    /// Ready when a read would not wait (or the runtime cannot tell). Holds no buffer.
    fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Makes the next `poll_readable` or `poll_fill` ask the system, where the adapter would first wait to hear from
    /// its reactor: for a stream that was idle and whose end would be bad news. Default: nothing, for adapters whose
    /// reactor listens all the time.
    fn recheck(&mut self) {}

    /// Whether bytes that were written may stay in the stream until `poll_flush`, as in TLS. Asked once. Default: they
    /// may; a stream that says no saves a call for each write.
    fn holds_back(&self) -> bool {
        true
    }

    /// Who is at the ends.
    fn info(&self) -> StreamInfo;

    /// Makes the drop of this stream an abort (TCP reset) where the transport has one. Default: nothing.
    fn abort_on_drop(&mut self) {}
}

/// The ends of a stream and what secures it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    /// Our end.
    pub local: Endpoint,
    /// The peer's end.
    pub peer: Endpoint,
    /// What TLS agreed on, if it is spoken. Boxed, because most connections keep this for long and have none.
    pub tls: Option<Box<TlsInfo>>,
}

/// What TLS agreed on.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TlsInfo {
    /// The protocol chosen by ALPN, if any.
    pub alpn: Option<Vec<u8>>,
    /// The server name that the client asked for, if any.
    pub server_name: Option<String>,
    /// Whether the session was resumed.
    pub resumed: bool,
}

/// A listening socket.
pub trait Listener: Send + 'static {
    /// The next connection. Errors that concern one connection (`ConnectionAborted`) or the process for a while (out
    /// of files) are given; the listener stays usable.
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Box<dyn Stream>>>;

    /// Where it listens, with the port chosen.
    fn local(&self) -> Endpoint;
}

/// How to connect.
///
/// ```
/// use callboard_runtime::ConnectOptions;
///
/// let options = ConnectOptions { local: Some(([192, 0, 2, 7], 0).into()), ..ConnectOptions::default() };
/// assert!(options.check(&"198.51.100.1:80".parse::<std::net::SocketAddr>()?.into()).is_ok());
/// assert!(options.check(&"[2001:db8::1]:80".parse::<std::net::SocketAddr>()?.into()).is_err());
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectOptions {
    /// The address to connect from, for TCP; its port 0 asks for any free one. Default `None`: the system's choice. One
    /// that is not this host's is `AddrNotAvailable`, one whose port is taken `AddrInUse`.
    pub local: Option<SocketAddr>,
    /// `TCP_NODELAY`. Default true.
    pub no_delay: bool,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self { local: None, no_delay: true }
    }
}

impl ConnectOptions {
    /// What cannot be on any system: a local address of another family than the peer's, or one for a Unix socket.
    /// `InvalidInput`, and the text says which. Adapters ask before they connect.
    pub fn check(&self, endpoint: &Endpoint) -> io::Result<()> {
        let Some(local) = self.local else { return Ok(()) };
        let why = match endpoint.tcp() {
            Some(address) if address.is_ipv4() == local.is_ipv4() => return Ok(()),
            Some(address) => format!("the local address {local} is of another family than {address}"),
            None => format!("a Unix socket cannot be connected from the address {local}"),
        };
        Err(io::Error::new(io::ErrorKind::InvalidInput, why))
    }
}

/// How to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenOptions {
    /// Connections that the system keeps before `accept`. Default 1024.
    pub backlog: u32,
    /// `SO_REUSEPORT`: several listeners, one per worker, share the port. Default false.
    pub reuse_port: bool,
    /// `TCP_NODELAY` on accepted streams. Default true.
    pub no_delay: bool,
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self { backlog: 1024, reuse_port: false, no_delay: true }
    }
}

/// Which signal came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalKind {
    /// SIGINT, or Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// A source of signals.
pub trait Signals: Send + 'static {
    /// The next signal.
    fn poll_signal(&mut self, context: &mut Context<'_>) -> Poll<io::Result<SignalKind>>;
}
