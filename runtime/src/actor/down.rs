//! The end of an actor, as a value.

use std::fmt;

use super::id::ActorId;

/// An actor has ended: its value, its futures and what was left in its inbox are dropped by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Down {
    /// Which one.
    pub who: ActorId,
    /// Why.
    pub why: Why,
}

/// Why an actor ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It was asked to stop, or stopped itself.
    Stopped,
    /// Its last address was dropped and its inbox was empty.
    NoAddresses,
    /// It was killed, or its runtime dropped it.
    Killed,
    /// It panicked. The text is the panic's message.
    Panicked(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("stopped"),
            Self::NoAddresses => f.write_str("no address was left"),
            Self::Killed => f.write_str("killed"),
            Self::Panicked(text) => write!(f, "panicked: {text}"),
        }
    }
}
