//! callboard on Tokio: the runtime that is already there, or one current-thread runtime per worker.
//!
//! ```
//! use callboard_runtime::Handle;
//! use callboard_tokio::Tokio;
//!
//! let handle = Handle::from(Tokio::workers(1));
//! handle.block_on(Box::pin(async { assert_eq!(handle.workers(), 1) }))?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! * `runtime.rs` implements the port, `workers.rs` owns threads, `context.rs` enters Tokio where Tokio would panic.
//! * `stream.rs`, `listener.rs`, `timer.rs` and `signals.rs` implement what the port hands out.
//!
//! Everything here may be called and polled on any thread, inside a Tokio context or not: "no reactor running" cannot
//! happen.

mod context;
mod listener;
mod runtime;
mod signals;
mod stream;
mod timer;
mod workers;

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::context::is_usable;
use crate::timer::Epoch;
use crate::workers::Workers;

/// Tokio as callboard's runtime. Cheap to clone; clones are the same runtime.
#[derive(Clone)]
pub struct Tokio {
    host: Host,
    epoch: Epoch,
}

/// Whose runtime it is.
#[derive(Clone)]
enum Host {
    /// The caller's.
    Current(tokio::runtime::Handle),
    /// Our own.
    Workers(Arc<Workers>),
    /// Our own could not be built: every operation says why.
    Failed(Arc<io::Error>),
}

impl Tokio {
    /// The Tokio runtime in whose context this is called.
    ///
    /// Tasks go to that runtime, whatever its flavor, and it counts as one worker. A `block_on` through it is an error
    /// on any thread that is inside a Tokio context (await there instead). From other threads it works, and a
    /// current-thread runtime must then be run by somebody else meanwhile, as Tokio demands. After that runtime was
    /// shut down, spawned tasks are dropped, timers still fire, and everything else is an error.
    ///
    /// Outside of any runtime, or in one that was built without `enable_io` or `enable_time`, this is
    /// [`Tokio::workers(1)`](Self::workers): everything works, in the background if nobody blocks on it.
    ///
    /// ```
    /// use callboard_runtime::Runtime;
    ///
    /// let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// runtime.block_on(async {
    ///     let current = callboard_tokio::Tokio::current();
    ///     let (sender, receiver) = std::sync::mpsc::channel();
    ///     current.spawn(Box::pin(async move { sender.send("spawned").unwrap() }));
    ///     tokio::task::yield_now().await;
    ///     assert_eq!(receiver.try_recv(), Ok("spawned"));
    /// });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn current() -> Self {
        match tokio::runtime::Handle::try_current() {
            Ok(handle) if is_usable(&handle) => Self { host: Host::Current(handle), epoch: Epoch::now() },
            _ => Self::workers(1),
        }
    }

    /// `count` workers, each a thread with a current-thread runtime of its own; 0 stands for one per available core.
    ///
    /// A task stays on its worker, and so does what it creates. The thread inside `block_on` is worker 0. If something
    /// is wanted of worker 0 and nobody blocks for 5 milliseconds, a background thread becomes worker 0 and stays it;
    /// whoever blocks later polls only the future given. Threads start when first needed, and they end when the last
    /// clone is dropped. A task that holds a clone and never ends therefore keeps its worker.
    pub fn workers(count: usize) -> Self {
        let count = match count {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            count => count,
        };
        let host = match Workers::new(count) {
            Ok(workers) => Host::Workers(Arc::new(workers)),
            Err(error) => Host::Failed(Arc::new(error)),
        };
        Self { host, epoch: Epoch::now() }
    }
}

impl fmt::Debug for Tokio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Current(_) => f.write_str("Tokio::current()"),
            Host::Workers(workers) => write!(f, "Tokio::workers({})", workers.count()),
            Host::Failed(error) => write!(f, "Tokio (failed: {error})"),
        }
    }
}
