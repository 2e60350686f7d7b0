//! One test, many seeds: runs a body for each seed and names the first that fails.

use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use callboard_core::Instant;

use crate::digest::Digest;
use crate::executor::panic_message;
use crate::options::Options;
use crate::simulation::Simulation;

/// Events of the trace that a failure shows.
const TAIL: usize = 40;

impl Simulation {
    /// A test of many worlds, one per seed.
    ///
    /// ```
    /// use callboard_sim::Simulation;
    ///
    /// Simulation::seeds(0..20).check(async |simulation| {
    ///     let runtime = callboard_runtime::Handle::from(simulation.host("one").runtime());
    ///     runtime.sleep(std::time::Duration::from_secs(1)).await;
    ///     assert_eq!(runtime.now().as_nanos(), 1_000_000_000);
    /// });
    /// ```
    pub fn seeds(seeds: Range<u64>) -> Seeds {
        Seeds { seeds, options: Options::default() }
    }
}

/// The seeds of a test, and how to simulate.
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `check`"]
pub struct Seeds {
    seeds: Range<u64>,
    options: Options,
}

impl Seeds {
    /// Simulates with other options.
    pub fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Runs `body` for every seed.
    ///
    /// # Panics
    ///
    /// At the first seed for which the body panics, gives an error, or does not come to an end. The message names the
    /// seed and ends with the last events of the trace.
    #[track_caller]
    pub fn check<F, R>(self, body: F)
    where
        F: AsyncFn(Simulation) -> R,
        R: Outcome,
    {
        if let Err(failure) = self.check_quietly(body) {
            panic!("{failure}");
        }
    }

    /// The same, with the failure as a value.
    pub fn check_quietly<F, R>(self, body: F) -> Result<Report, Failure>
    where
        F: AsyncFn(Simulation) -> R,
        R: Outcome,
    {
        let mut report = Report::default();
        let mut digest = Digest::new();
        for seed in self.seeds {
            let simulation = Simulation::with_options(seed, self.options.clone());
            let outcome = catch_unwind(AssertUnwindSafe(|| simulation.block_on(body(simulation.clone()))));
            let message = match outcome {
                Ok(Ok(outcome)) => outcome.complaint(),
                Ok(Err(error)) => Some(error.to_string()),
                Err(panic) => Some(panic_message(&*panic)),
            };
            let trace = simulation.trace();
            if let Some(message) = message {
                simulation.shut_down();
                return Err(Failure { seed, message, trace_tail: trace.tail(TAIL) });
            }
            report.seeds += 1;
            report.steps += simulation.steps();
            report.virtual_time = report.virtual_time.saturating_add(simulation.now() - Instant::EPOCH);
            digest.word(trace.hash);
            simulation.shut_down();
        }
        report.hash = digest.value();
        Ok(report)
    }
}

/// What the body of a test may give: nothing, or a `Result` whose error fails the test.
pub trait Outcome {
    /// Why the test failed, if it did.
    fn complaint(self) -> Option<String>;
}

impl Outcome for () {
    fn complaint(self) -> Option<String> {
        None
    }
}

impl<T, E: fmt::Display> Outcome for Result<T, E> {
    fn complaint(self) -> Option<String> {
        self.err().map(|error| error.to_string())
    }
}

/// What a test that passed did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Worlds run.
    pub seeds: u64,
    /// Steps of all.
    pub steps: u64,
    /// Virtual time of all.
    pub virtual_time: Duration,
    /// A hash of all their traces.
    pub hash: u64,
}

/// Which seed failed, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What the panic or the error said.
    pub message: String,
    /// The last events, one per line.
    pub trace_tail: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, message, trace_tail } = self;
        writeln!(f, "failing seed: {seed}; replay with Simulation::new({seed})")?;
        writeln!(f, "{message}")?;
        write!(f, "the last events:\n{trace_tail}")
    }
}

impl std::error::Error for Failure {}
