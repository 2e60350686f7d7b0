//! callboard on smol: one type, [`Smol`], in two kinds.
//!
//! | | [`Smol::new`] | [`Smol::workers`] |
//! |---|---|---|
//! | sockets and timers | async-io, one reactor for the process | an edge-triggered epoll per thread |
//! | tasks | one async-executor | a run queue per thread; a task never changes thread |
//! | a keep-alive request, 64 connections | 3 system calls | 2 |
//! | the same, 1 connection | about 10 | 3 |
//! | choose it | beside other smol code, in libraries, in clients | for servers |
//!
//! Both work under any executor: sockets, timers and spawned tasks go on if nobody is in
//! [`block_on`](callboard_runtime::Runtime::block_on), by a thread that starts when it is first needed. Unix systems;
//! where there is no epoll, `Smol::workers` is `Smol::new`.
//!
//! ```
//! use callboard_runtime::{ConnectOptions, Handle, ListenOptions};
//! use callboard_smol::Smol;
//!
//! # fn main() -> std::io::Result<()> {
//! let runtime = Handle::from(Smol::new());
//! let any_port = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
//! let listener = runtime.listen(any_port.into(), ListenOptions::default())?;
//! let address = listener.local();
//! let connect = runtime.connect(address.clone(), ConnectOptions::default());
//! runtime.block_on(Box::pin(async move {
//!     let stream = connect.await.expect("somebody listens there");
//!     assert_eq!(stream.info().peer, address);
//! }))?;
//! # Ok(())
//! # }
//! ```

mod executor;
mod listener;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod reactor;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "reactor/absent.rs"]
mod reactor;
mod receive;
mod resolve;
mod runtime;
mod signals;
mod socket;
mod stream;
mod system;
mod threads;
mod timer;

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use executor::Background;
use reactor::Workers;

/// The smol runtime. A clone is the same runtime; tasks and threads end when the last clone is dropped.
#[derive(Clone)]
pub struct Smol(Arc<Inner>);

struct Inner {
    /// Where the runtime's clock begins.
    epoch: Instant,
    kind: Kind,
}

enum Kind {
    Stock(Background),
    Workers(Workers),
}

impl Smol {
    /// Stock smol: async-io's reactor and one executor. No thread until one is needed.
    ///
    /// ```
    /// use callboard_runtime::Runtime;
    ///
    /// let runtime = callboard_smol::Smol::new();
    /// let mut answer = 0;
    /// runtime.block_on(Box::pin(async { answer = 42 }))?;
    /// assert_eq!(answer, 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[expect(clippy::new_without_default, reason = "which of the two kinds would be the default is not obvious")]
    pub fn new() -> Self {
        Self::of(Instant::now(), Kind::Stock(Background::new()))
    }

    /// `count` workers, each with a thread, a reactor, timers and a run queue of its own; 0 means one per core.
    ///
    /// The thread that calls `block_on` is worker 0 while it does so; the others start when something is first given to
    /// them. If the system has no file descriptors left for the reactors, tasks and timers work nevertheless, and
    /// `listen` and `connect` give the error.
    ///
    /// ```
    /// use callboard_runtime::Runtime;
    ///
    /// assert_eq!(callboard_smol::Smol::workers(2).workers(), 2);
    /// ```
    pub fn workers(count: usize) -> Self {
        let count = if count == 0 { thread::available_parallelism().map_or(1, usize::from) } else { count };
        let epoch = Instant::now();
        Workers::new(count, epoch).map_or_else(Self::new, |workers| Self::of(epoch, Kind::Workers(workers)))
    }

    fn of(epoch: Instant, kind: Kind) -> Self {
        Self(Arc::new(Inner { epoch, kind }))
    }

    /// How many sockets the workers' reactors hold; `None` with async-io, which does not tell. For tests of leaks.
    #[doc(hidden)]
    pub fn registered_sources(&self) -> Option<usize> {
        match &self.0.kind {
            Kind::Stock(_) => None,
            Kind::Workers(workers) => Some(workers.sources()),
        }
    }
}

impl fmt::Debug for Smol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            Kind::Stock(_) => f.write_str("Smol::new()"),
            Kind::Workers(workers) => write!(f, "Smol::workers({})", workers.count()),
        }
    }
}
