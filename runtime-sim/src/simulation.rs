//! The front door: a simulation, its hosts, its runs, and what can be read off it.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use callboard_core::Instant;

use crate::census::Census;
use crate::chooser::Choices;
use crate::error::SimError;
use crate::event::TraceEvent;
use crate::executor;
use crate::host::Host;
use crate::network::Network;
use crate::options::Options;
use crate::runtime::SimRuntime;
use crate::trace::{HostId, Trace};
use crate::world::Shared;

/// A simulated world of hosts on a network, made from a seed. The same seed and the same program give the same run.
///
/// A clone is the same world. When the last clone is dropped the tasks are, too; so do not move a clone into a task
/// (a [`Host`] or a [`Network`] may go there).
///
/// ```
/// use callboard_runtime::{ConnectOptions, Endpoint, Handle, ListenOptions};
/// use callboard_sim::Simulation;
/// use futures_lite::{AsyncReadExt, AsyncWriteExt};
/// use std::future::poll_fn;
///
/// let simulation = Simulation::new(17);
/// let server: Handle = simulation.host("server").runtime().into();
/// let mut listener = server.listen(Endpoint::Tcp("0.0.0.0:80".parse()?), ListenOptions::default())?;
/// simulation.host("server").spawn(async move {
///     let mut stream = poll_fn(|context| listener.poll_accept(context)).await.unwrap();
///     stream.write_all(b"hello").await.unwrap();
/// });
///
/// let client: Handle = simulation.host("client").runtime().into();
/// let text = simulation.block_on(async {
///     let address = client.resolve("server", 80).await?[0];
///     let mut stream = client.connect(Endpoint::Tcp(address), ConnectOptions::default()).await?;
///     let mut text = String::new();
///     stream.read_to_string(&mut text).await?;
///     std::io::Result::Ok(text)
/// })??;
/// assert_eq!(text, "hello");
/// assert!(simulation.census().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Simulation {
    owner: Arc<Owner>,
}

impl Simulation {
    /// A world with the default options.
    pub fn new(seed: u64) -> Self {
        Self::with_options(seed, Options::default())
    }

    /// A world with other options.
    pub fn with_options(seed: u64, options: Options) -> Self {
        Self { owner: Arc::new(Owner(Shared::new(seed, options))) }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.shared().with(|world| world.seed)
    }

    /// The host of this name, made at the first call. Names are compared without ASCII case.
    pub fn host(&self, name: &str) -> Host {
        Host::new(self.shared().clone(), name)
    }

    /// The runtime of a host named `local`, for programs that need only one.
    pub fn runtime(&self) -> SimRuntime {
        self.host("local").runtime()
    }

    /// The network's controls.
    pub fn network(&self) -> Network {
        Network::new(self.shared().clone())
    }

    /// Runs until `future` ends; other tasks run meanwhile, and stay when it has ended.
    ///
    /// A panic of `future` is passed on. Whatever else ends the run early is a [`SimError`].
    pub fn block_on<F: Future>(&self, future: F) -> Result<F::Output, SimError> {
        executor::block_on(self.shared(), pin!(future))
    }

    /// Runs for a stretch of virtual time, also if there is nothing to do.
    pub fn run_for(&self, duration: Duration) -> Result<(), SimError> {
        executor::run_for(self.shared(), duration)
    }

    /// The virtual time since the start.
    pub fn now(&self) -> Instant {
        self.shared().now()
    }

    /// The steps so far: polls and jumps of time. A measure of work that is the same on every machine.
    pub fn steps(&self) -> u64 {
        self.shared().with(|world| world.steps)
    }

    /// The latest events, as data and, with `to_string`, as text.
    pub fn trace(&self) -> Trace {
        self.shared().with(|world| world.clock.trace.copy())
    }

    /// The hash of all events so far. Two runs of the same seed and program have the same.
    pub fn trace_hash(&self) -> u64 {
        self.shared().with(|world| world.clock.trace.hash())
    }

    /// Every choice that the simulator made. [`Options::replay`] plays them again.
    pub fn choices(&self) -> Choices {
        self.shared().with(|world| world.clock.chooser.made().clone())
    }

    /// What is alive.
    pub fn census(&self) -> Census {
        self.shared().with(|world| world.census())
    }

    /// Writes a remark into the trace.
    pub fn note(&self, text: impl Into<String>) {
        self.shared().record(HostId::TEST, TraceEvent::Note(text.into()));
    }

    /// Ends the world, whoever still has a clone of it.
    pub(crate) fn shut_down(&self) {
        self.owner.shut_down();
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.owner.0
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation").field("seed", &self.seed()).field("now", &self.now()).finish_non_exhaustive()
    }
}

/// Tasks own handles of the world, and the world owns the tasks: this breaks the circle.
struct Owner(Arc<Shared>);

impl Owner {
    fn shut_down(&self) {
        self.0.with(|world| world.closed = true);
        executor::cancel(&self.0, None);
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shut_down();
    }
}
