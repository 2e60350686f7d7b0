//! Why a run of the simulation ended before its future did. Every variant carries the seed, for that is what a reader
//! needs first.

use std::fmt;
use std::io;

use callboard_core::Instant;

/// Why a run ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SimError {
    /// Nothing is ready and no timer, byte or fault is on its way: nothing can ever happen again.
    Deadlock {
        /// The simulation's seed.
        seed: u64,
        /// When.
        at: Instant,
        /// Tasks that wait, the future of `block_on` apart.
        tasks: usize,
    },
    /// The run took more virtual time than [`Options::time_limit`](crate::Options::time_limit) allows.
    TimeLimit {
        /// The simulation's seed.
        seed: u64,
        /// When.
        at: Instant,
        /// Tasks that had not ended.
        tasks: usize,
    },
    /// The run took more polls than [`Options::step_limit`](crate::Options::step_limit) allows. Time stands still while
    /// anything is ready, so a task that wakes itself again and again ends here.
    StepLimit {
        /// The simulation's seed.
        seed: u64,
        /// When.
        at: Instant,
        /// Tasks that had not ended.
        tasks: usize,
    },
    /// A spawned task panicked.
    Panicked {
        /// The simulation's seed.
        seed: u64,
        /// When.
        at: Instant,
        /// The task's host.
        host: String,
        /// The task, as the trace names it.
        task: u64,
        /// What the panic said.
        message: String,
    },
    /// A run was asked for from inside a run.
    Nested {
        /// The simulation's seed.
        seed: u64,
    },
}

impl SimError {
    /// The seed that makes it happen again.
    pub fn seed(&self) -> u64 {
        match self {
            Self::Deadlock { seed, .. }
            | Self::TimeLimit { seed, .. }
            | Self::StepLimit { seed, .. }
            | Self::Panicked { seed, .. }
            | Self::Nested { seed } => *seed,
        }
    }
}

impl fmt::Display for SimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadlock { seed, at, tasks } => {
                write!(f, "deadlock at {at:?}: nothing is ready or due, {tasks} tasks wait (seed {seed})")
            }
            Self::TimeLimit { seed, at, tasks } => {
                write!(f, "the limit of virtual time was reached at {at:?} with {tasks} tasks left (seed {seed})")
            }
            Self::StepLimit { seed, at, tasks } => {
                write!(f, "the limit of steps was reached at {at:?} with {tasks} tasks left (seed {seed})")
            }
            Self::Panicked { seed, at, host, task, message } => {
                write!(f, "task {task} of host \"{host}\" panicked at {at:?}: {message} (seed {seed})")
            }
            Self::Nested { seed } => write!(f, "the simulation is running already (seed {seed})"),
        }
    }
}

impl std::error::Error for SimError {}

impl From<SimError> for io::Error {
    fn from(error: SimError) -> Self {
        Self::other(error)
    }
}
