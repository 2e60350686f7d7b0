//! The simulated network: hosts, listeners, attempts to connect, connections, and the state of the wires.
//!
//! Data and rules only: nothing here waits, locks or wakes. Every message travels for a time drawn from the seed and
//! keeps its order within its direction; a partition is looked at when the message would arrive, and stops it there.

mod conditions;
mod connecting;
mod connection;
mod faults;
mod hosts;
mod listening;
mod transfer;

use std::collections::BTreeMap;

use callboard_runtime::StreamInfo;

use crate::census::Census;
use crate::event::End;

use conditions::Conditions;
use connecting::Attempt;
use connection::Connection;
pub(crate) use hosts::Hosts;
use listening::Listening;

/// The network.
#[derive(Debug, Default)]
pub(crate) struct Fabric {
    pub(crate) hosts: Hosts,
    conditions: Conditions,
    listeners: BTreeMap<u64, Listening>,
    attempts: BTreeMap<u64, Attempt>,
    connections: BTreeMap<u64, Connection>,
    last_listener: u64,
    last_connection: u64,
}

impl Fabric {
    /// Who is at the ends of a connection. Nothing if it is no more.
    pub(crate) fn info(&self, end: End) -> Option<StreamInfo> {
        self.connections.get(&end.connection).map(|connection| connection.info(end.side))
    }

    /// Counts what is the network's.
    pub(crate) fn count(&self, census: &mut Census) {
        census.connecting = self.attempts.len();
        census.listeners = self.listeners.len();
        for half in self.connections.values().flat_map(|connection| &connection.halves) {
            census.streams += usize::from(!half.gone);
            census.bytes_in_flight += half.sent_bytes + half.arrived_bytes;
        }
    }
}
