//! The network, from outside: faults, now and later.

use std::fmt;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use std::time::Duration;

use callboard_core::Instant;

use crate::fault::Fault;
use crate::queue::Due;
use crate::world::Shared;

/// The controls of the simulated network. Cheap to clone.
///
/// Hosts are named. A name that no host has is a mistake in the test, for a fault that hits nothing makes a test pass
/// for nothing: every function here panics then.
#[derive(Clone)]
pub struct Network {
    shared: Arc<Shared>,
}

impl Network {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Lets a fault happen now.
    #[track_caller]
    pub fn apply(&self, fault: &Fault) {
        self.check(fault);
        self.shared.with(|world| world.fabric.apply(&mut world.clock, fault));
    }

    /// Lets a fault happen at a virtual time since the start; at once if that has passed.
    #[track_caller]
    pub fn schedule(&self, at: Duration, fault: Fault) {
        self.check(&fault);
        self.shared.with(|world| {
            let at = (Instant::EPOCH + at).max(world.clock.now);
            world.clock.schedule(at, Due::Fault(fault));
        });
    }

    /// Lets a fault last from one virtual time since the start to another. What has no end by nature (a reset, a
    /// latency) only begins.
    #[track_caller]
    pub fn during(&self, period: Range<Duration>, fault: Fault) {
        let end = fault.end();
        self.schedule(period.start, fault);
        if let Some(end) = end {
            self.schedule(period.end, end);
        }
    }

    /// [`Fault::Partition`].
    #[track_caller]
    pub fn partition(&self, a: &str, b: &str) {
        self.apply(&Fault::Partition { a: a.to_owned(), b: b.to_owned() });
    }

    /// [`Fault::Heal`].
    #[track_caller]
    pub fn heal(&self, a: &str, b: &str) {
        self.apply(&Fault::Heal { a: a.to_owned(), b: b.to_owned() });
    }

    /// [`Fault::BlackHole`].
    #[track_caller]
    pub fn black_hole(&self, from: &str, to: &str) {
        self.apply(&Fault::BlackHole { from: from.to_owned(), to: to.to_owned() });
    }

    /// [`Fault::Refuse`].
    #[track_caller]
    pub fn refuse(&self, host: &str, port: u16) {
        self.apply(&Fault::Refuse { host: host.to_owned(), port });
    }

    /// [`Fault::Allow`].
    #[track_caller]
    pub fn allow(&self, host: &str, port: u16) {
        self.apply(&Fault::Allow { host: host.to_owned(), port });
    }

    /// [`Fault::ResetAll`].
    #[track_caller]
    pub fn reset_all(&self, host: &str) {
        self.apply(&Fault::ResetAll { host: host.to_owned() });
    }

    /// [`Fault::Latency`].
    #[track_caller]
    pub fn set_latency(&self, a: &str, b: &str, range: RangeInclusive<Duration>) {
        let (least, most) = range.into_inner();
        self.apply(&Fault::Latency { a: a.to_owned(), b: b.to_owned(), least, most });
    }

    #[track_caller]
    fn check(&self, fault: &Fault) {
        if let Err(unknown) = self.shared.with(|world| world.fabric.check(fault)) {
            panic!("{fault}: {unknown}");
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}
