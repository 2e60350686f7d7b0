//! The settings of a simulation. All have defaults; a fault that a setting can cause can be switched off by it.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::chooser::Choice;

/// How to simulate. What the seed then chooses lies within these.
///
/// ```
/// use callboard_sim::{Options, Simulation};
/// use std::time::Duration;
///
/// let calm = Options::new().latency(Duration::ZERO..=Duration::ZERO).split(0).coalesce(0);
/// let simulation = Simulation::with_options(7, calm);
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) latency: RangeInclusive<Duration>,
    pub(crate) local_latency: RangeInclusive<Duration>,
    pub(crate) blocking: RangeInclusive<Duration>,
    pub(crate) split: u8,
    pub(crate) coalesce: u8,
    pub(crate) reset_discards: u8,
    pub(crate) buffer: usize,
    pub(crate) read_limit: usize,
    pub(crate) dual_stack: bool,
    pub(crate) workers: usize,
    pub(crate) isolate_panics: bool,
    pub(crate) time_limit: Duration,
    pub(crate) step_limit: u64,
    pub(crate) trace_length: usize,
    pub(crate) epoch: Duration,
    pub(crate) replay: Option<Vec<Choice>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            latency: Duration::from_micros(200)..=Duration::from_millis(5),
            local_latency: Duration::from_micros(5)..=Duration::from_micros(50),
            blocking: Duration::from_micros(1)..=Duration::from_millis(2),
            split: 25,
            coalesce: 25,
            reset_discards: 50,
            buffer: 64 * 1024,
            read_limit: 16 * 1024,
            dual_stack: false,
            workers: 1,
            isolate_panics: false,
            time_limit: Duration::from_secs(3600),
            step_limit: 10_000_000,
            trace_length: 4096,
            // 2026-01-01T00:00:00Z
            epoch: Duration::from_secs(1_767_225_600),
            replay: None,
        }
    }
}

impl Options {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long a message travels between two hosts, one way. Default 0.2 to 5 ms. Order is kept per direction of a
    /// connection, so a message may also wait for the one before it.
    pub fn latency(mut self, range: RangeInclusive<Duration>) -> Self {
        self.latency = range;
        self
    }

    /// The same within one host: loopback and Unix sockets. Default 5 to 50 microseconds.
    pub fn local_latency(mut self, range: RangeInclusive<Duration>) -> Self {
        self.local_latency = range;
        self
    }

    /// How long blocking work takes. Default 1 microsecond to 2 ms.
    pub fn blocking(mut self, range: RangeInclusive<Duration>) -> Self {
        self.blocking = range;
        self
    }

    /// How many reads and writes of a hundred are cut short. Default 25.
    pub fn split(mut self, percent: u8) -> Self {
        self.split = percent;
        self
    }

    /// How many writes of a hundred travel together with the one before, if that is still on its way. Default 25.
    pub fn coalesce(mut self, percent: u8) -> Self {
        self.coalesce = percent;
        self
    }

    /// How many resets of a hundred destroy what has arrived but was not read yet. Real systems differ in this.
    /// Default 50.
    pub fn reset_discards(mut self, percent: u8) -> Self {
        self.reset_discards = percent;
        self
    }

    /// Bytes that a direction of a connection holds before writes wait: on their way, or arrived and unread. Default
    /// 64 KiB; at least 1.
    pub fn buffer(mut self, bytes: usize) -> Self {
        self.buffer = bytes.max(1);
        self
    }

    /// The most bytes that one read gives. Default 16 KiB; at least 1.
    pub fn read_limit(mut self, bytes: usize) -> Self {
        self.read_limit = bytes.max(1);
        self
    }

    /// Whether names resolve to an IPv6 address as well. Default false.
    pub fn dual_stack(mut self, enabled: bool) -> Self {
        self.dual_stack = enabled;
        self
    }

    /// What [`Runtime::workers`](callboard_runtime::Runtime::workers) answers. Default 1; at least 1. All of them run
    /// on the simulation's one thread.
    pub fn workers(mut self, count: usize) -> Self {
        self.workers = count.max(1);
        self
    }

    /// Whether the panic of a task ends only that task, as other runtimes have it. Default false: it fails the run.
    /// The trace tells of it in either case.
    pub fn isolate_panics(mut self, enabled: bool) -> Self {
        self.isolate_panics = enabled;
        self
    }

    /// The virtual time that one run may take. Default 1 hour.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// The steps (polls and jumps of time) that one run may take. Default 10 million.
    pub fn step_limit(mut self, steps: u64) -> Self {
        self.step_limit = steps;
        self
    }

    /// How many events the trace keeps, the latest. Default 4096. The hash is always of all.
    pub fn trace_length(mut self, events: usize) -> Self {
        self.trace_length = events;
        self
    }

    /// What the wall clock shows at the start, since the Unix epoch. Default 2026-01-01T00:00:00Z.
    pub fn epoch(mut self, since_unix: Duration) -> Self {
        self.epoch = since_unix;
        self
    }

    /// Takes the choices from a record in place of the seed: see
    /// [`Simulation::choices`](crate::Simulation::choices).
    pub fn replay(mut self, choices: Vec<Choice>) -> Self {
        self.replay = Some(choices);
        self
    }
}
