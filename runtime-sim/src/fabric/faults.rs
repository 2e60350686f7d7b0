//! What each fault does.

use std::fmt;

use crate::clockwork::Clockwork;
use crate::event::{End, Side, TraceEvent};
use crate::fault::Fault;
use crate::trace::HostId;

use super::Fabric;

/// No host has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownHost(String);

impl fmt::Display for UnknownHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no host is named \"{}\"", self.0)
    }
}

impl Fabric {
    /// Whether all hosts of a fault exist.
    pub(crate) fn check(&self, fault: &Fault) -> Result<(), UnknownHost> {
        match fault.hosts().find(|name| self.hosts.find(name).is_none()) {
            Some(name) => Err(UnknownHost(name.to_owned())),
            None => Ok(()),
        }
    }

    /// Lets a fault happen. One that names a host that is not there does nothing.
    pub(crate) fn apply(&mut self, clock: &mut Clockwork, fault: &Fault) {
        clock.record(HostId::TEST, TraceEvent::Fault(fault.clone()));
        let two = |a: &str, b: &str| Some((self.hosts.find(a)?, self.hosts.find(b)?));
        match fault {
            Fault::Partition { a, b } => {
                if let Some((a, b)) = two(a, b) {
                    self.conditions.partition(a, b);
                }
            }
            Fault::Heal { a, b } => {
                if let Some((a, b)) = two(a, b) {
                    self.heal(clock, a, b);
                }
            }
            Fault::BlackHole { from, to } => {
                if let Some((from, to)) = two(from, to) {
                    self.conditions.black_hole(from, to);
                }
            }
            Fault::Latency { a, b, least, most } => {
                if let Some((a, b)) = two(a, b) {
                    self.conditions.set_latency(a, b, *least..=*most);
                }
            }
            Fault::Refuse { host, port } => {
                if let Some(host) = self.hosts.find(host) {
                    self.conditions.refuse(host, *port);
                }
            }
            Fault::Allow { host, port } => {
                if let Some(host) = self.hosts.find(host) {
                    self.conditions.allow(host, *port);
                }
            }
            Fault::ResetAll { host } => {
                if let Some(host) = self.hosts.find(host) {
                    self.reset_all(clock, host);
                }
            }
        }
    }

    /// What a partition held back sets out again, with a new latency.
    fn heal(&mut self, clock: &mut Clockwork, a: HostId, b: HostId) {
        self.conditions.heal(a, b);
        self.resume_attempts(clock, a, b);
        let between = |one: HostId, other: HostId| (one, other) == (a, b) || (one, other) == (b, a);
        let stalled: Vec<u64> = self
            .connections
            .iter()
            .filter(|(_, connection)| between(connection.halves[0].host, connection.halves[1].host))
            .map(|(&id, _)| id)
            .collect();
        for connection in stalled {
            self.resume(clock, End { connection, side: Side::Client });
            self.resume(clock, End { connection, side: Side::Server });
        }
    }

    fn reset_all(&mut self, clock: &mut Clockwork, host: HostId) {
        let hit: Vec<u64> = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.halves.iter().any(|half| half.host == host))
            .map(|(&id, _)| id)
            .collect();
        for connection in hit {
            self.reset(clock, End { connection, side: Side::Client });
            self.reset(clock, End { connection, side: Side::Server });
        }
    }
}
