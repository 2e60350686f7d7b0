//! What can be done to the network, as data: a fault can be written down, scheduled, compared and left out again.

use std::fmt;
use std::time::Duration;

/// A change of the network. Hosts are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing passes between two hosts any more, bytes or connects. What is on its way waits; nothing is lost.
    Partition {
        /// One host.
        a: String,
        /// The other.
        b: String,
    },
    /// Ends a partition and black holes between two hosts. What waited travels on.
    Heal {
        /// One host.
        a: String,
        /// The other.
        b: String,
    },
    /// Connects begun from now on get no answer, ever. Connections that exist go on.
    BlackHole {
        /// Where connects come from.
        from: String,
        /// Where they lead.
        to: String,
    },
    /// Connects to a port are refused, though somebody listens.
    Refuse {
        /// The host that refuses.
        host: String,
        /// The port.
        port: u16,
    },
    /// Ends `Refuse`.
    Allow {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
    /// Resets every connection of a host, at both ends and at once.
    ResetAll {
        /// The host.
        host: String,
    },
    /// Sets the latency between two hosts, one way, in place of that of the options.
    Latency {
        /// One host.
        a: String,
        /// The other.
        b: String,
        /// The least.
        least: Duration,
        /// The most.
        most: Duration,
    },
}

impl Fault {
    /// The hosts it concerns.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        let (first, second) = match self {
            Self::Partition { a, b } | Self::Heal { a, b } | Self::Latency { a, b, .. } => (a, Some(b)),
            Self::BlackHole { from, to } => (from, Some(to)),
            Self::Refuse { host, .. } | Self::Allow { host, .. } | Self::ResetAll { host } => (host, None),
        };
        std::iter::once(first.as_str()).chain(second.map(String::as_str))
    }

    /// What ends it, if it lasts and anything can.
    pub fn end(&self) -> Option<Self> {
        match self.clone() {
            Self::Partition { a, b } => Some(Self::Heal { a, b }),
            Self::BlackHole { from, to } => Some(Self::Heal { a: from, b: to }),
            Self::Refuse { host, port } => Some(Self::Allow { host, port }),
            Self::Heal { .. } | Self::Allow { .. } | Self::ResetAll { .. } | Self::Latency { .. } => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partition { a, b } => write!(f, "partition {a} | {b}"),
            Self::Heal { a, b } => write!(f, "heal {a} | {b}"),
            Self::BlackHole { from, to } => write!(f, "black hole {from} -> {to}"),
            Self::Refuse { host, port } => write!(f, "refuse {host}:{port}"),
            Self::Allow { host, port } => write!(f, "allow {host}:{port}"),
            Self::ResetAll { host } => write!(f, "reset all of {host}"),
            Self::Latency { a, b, least, most } => write!(f, "latency {a} | {b} {least:?} to {most:?}"),
        }
    }
}
