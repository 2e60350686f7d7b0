//! The whole simulated world behind one lock.
//!
//! Everything runs on one thread; the lock is there because the port asks for `Send + Sync`. It is never held while
//! foreign code runs: not while a task is polled or dropped, not while a waker is woken.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Wake, Waker};

use callboard_core::Instant;
use callboard_runtime::{SignalKind, Task};

use crate::census::Census;
use crate::clockwork::Clockwork;
use crate::error::SimError;
use crate::event::TraceEvent;
use crate::fabric::Fabric;
use crate::options::Options;
use crate::queue::Due;
use crate::tasks::Tasks;
use crate::trace::HostId;

/// The world.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) clock: Clockwork,
    pub(crate) fabric: Fabric,
    pub(crate) tasks: Tasks,
    pub(crate) subscribers: Subscribers,
    /// A task panicked: the run ends.
    pub(crate) failure: Option<SimError>,
    /// A run is on.
    pub(crate) running: bool,
    /// The simulation was dropped: nothing is spawned any more.
    pub(crate) closed: bool,
    /// Polls and jumps of time so far.
    pub(crate) steps: u64,
}

impl World {
    fn new(seed: u64, options: Options) -> Self {
        Self {
            seed,
            clock: Clockwork::new(seed, options),
            fabric: Fabric::default(),
            tasks: Tasks::default(),
            subscribers: Subscribers::default(),
            failure: None,
            running: false,
            closed: false,
            steps: 0,
        }
    }

    /// The host of this name, made if it is new.
    pub(crate) fn host(&mut self, name: &str) -> HostId {
        if let Some(host) = self.fabric.hosts.find(name) {
            return host;
        }
        let host = self.clock.trace.name_host(Arc::from(name));
        self.fabric.hosts.insert(name, host);
        host
    }

    /// Makes a task ready.
    fn wake(&mut self, task: u64) {
        if let Some(host) = self.tasks.wake(task) {
            self.clock.record(host, TraceEvent::Woken { task });
        }
    }

    /// Lets everything happen whose time has come.
    pub(crate) fn handle_due(&mut self) {
        let now = self.clock.now;
        while let Some(due) = self.clock.queue.pop(now) {
            match due {
                Due::Timer { host, waker } => {
                    self.clock.record(host, TraceEvent::TimerFired);
                    self.clock.effects.wake(&mut Some(waker));
                }
                Due::Request(connection) => self.fabric.handle_request(&mut self.clock, connection),
                Due::Answer(connection) => self.fabric.handle_answer(&mut self.clock, connection),
                Due::Arrival(end) => self.fabric.handle_arrival(&mut self.clock, end),
                Due::Fault(fault) => self.fabric.apply(&mut self.clock, &fault),
            }
        }
    }

    pub(crate) fn census(&self) -> Census {
        let mut census = Census {
            tasks: self.tasks.count(),
            timers: self.clock.queue.timers(),
            signals: self.subscribers.list.len(),
            ..Census::default()
        };
        self.fabric.count(&mut census);
        census
    }
}

/// The world, shared.
pub(crate) struct Shared(Mutex<World>);

impl Shared {
    pub(crate) fn new(seed: u64, options: Options) -> Arc<Self> {
        Arc::new(Self(Mutex::new(World::new(seed, options))))
    }

    /// Does something to the world, and then, with the lock free, what that asks for.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let (value, effects) = {
            // A panic in here would be a bug of ours; the data is as good as before it.
            let mut world = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let value = act(&mut world);
            (value, world.clock.effects.take())
        };
        if let Some(effects) = effects {
            effects.run();
        }
        value
    }

    pub(crate) fn now(&self) -> Instant {
        self.with(|world| world.clock.now)
    }

    pub(crate) fn record(&self, host: HostId, event: TraceEvent) {
        self.with(|world| world.clock.record(host, event));
    }

    /// Spawns a task on a host. One that comes after the end of the simulation is dropped.
    pub(crate) fn spawn(self: &Arc<Self>, host: HostId, future: Task) {
        let late = self.with(|world| {
            if world.closed {
                return Some(future);
            }
            let task = world.tasks.reserve();
            world.tasks.insert(task, host, self.waker(task), Some(future));
            world.clock.record(host, TraceEvent::Spawned { task });
            None
        });
        drop(late);
    }

    /// What makes `task` ready.
    pub(crate) fn waker(self: &Arc<Self>, task: u64) -> Waker {
        Waker::from(Arc::new(TaskWaker { shared: Arc::downgrade(self), task }))
    }
}

/// Weak, for the world keeps wakers.
struct TaskWaker {
    shared: Weak<Shared>,
    task: u64,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(shared) = self.shared.upgrade() {
            shared.with(|world| world.wake(self.task));
        }
    }
}

/// Who wants to know of signals.
#[derive(Debug, Default)]
pub(crate) struct Subscribers {
    pub(crate) list: BTreeMap<u64, Subscriber>,
    last: u64,
}

/// One source of signals.
#[derive(Debug)]
pub(crate) struct Subscriber {
    pub(crate) host: HostId,
    pub(crate) signals: VecDeque<SignalKind>,
    pub(crate) waker: Option<Waker>,
}

impl Subscribers {
    pub(crate) fn add(&mut self, host: HostId) -> u64 {
        self.last += 1;
        self.list.insert(self.last, Subscriber { host, signals: VecDeque::new(), waker: None });
        self.last
    }
}
