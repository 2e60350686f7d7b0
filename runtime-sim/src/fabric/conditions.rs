//! The state of the wires: what faults have left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::chooser::ChoiceKind;
use crate::clockwork::Clockwork;
use crate::trace::HostId;

/// Two hosts in either order.
type Pair = (HostId, HostId);

#[derive(Debug, Default)]
pub(crate) struct Conditions {
    partitions: BTreeSet<Pair>,
    black_holes: BTreeSet<(HostId, HostId)>,
    refusals: BTreeSet<(HostId, u16)>,
    latencies: BTreeMap<Pair, RangeInclusive<Duration>>,
}

fn pair(a: HostId, b: HostId) -> Pair {
    (a.min(b), a.max(b))
}

impl Conditions {
    pub(crate) fn partition(&mut self, a: HostId, b: HostId) {
        self.partitions.insert(pair(a, b));
    }

    pub(crate) fn heal(&mut self, a: HostId, b: HostId) {
        self.partitions.remove(&pair(a, b));
        self.black_holes.remove(&(a, b));
        self.black_holes.remove(&(b, a));
    }

    pub(crate) fn is_partitioned(&self, a: HostId, b: HostId) -> bool {
        self.partitions.contains(&pair(a, b))
    }

    pub(crate) fn black_hole(&mut self, from: HostId, to: HostId) {
        self.black_holes.insert((from, to));
    }

    pub(crate) fn is_black_hole(&self, from: HostId, to: HostId) -> bool {
        self.black_holes.contains(&(from, to))
    }

    pub(crate) fn refuse(&mut self, host: HostId, port: u16) {
        self.refusals.insert((host, port));
    }

    pub(crate) fn allow(&mut self, host: HostId, port: u16) {
        self.refusals.remove(&(host, port));
    }

    pub(crate) fn is_refused(&self, host: HostId, port: u16) -> bool {
        self.refusals.contains(&(host, port))
    }

    pub(crate) fn set_latency(&mut self, a: HostId, b: HostId, range: RangeInclusive<Duration>) {
        self.latencies.insert(pair(a, b), range);
    }

    /// How long the next message between two hosts travels.
    pub(crate) fn latency(&self, clock: &mut Clockwork, a: HostId, b: HostId) -> Duration {
        let general = if a == b { &clock.options.local_latency } else { &clock.options.latency };
        let range = self.latencies.get(&pair(a, b)).unwrap_or(general).clone();
        clock.draw(ChoiceKind::Latency, &range)
    }
}
