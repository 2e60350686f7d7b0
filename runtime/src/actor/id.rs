//! The name of an actor.

use std::fmt;

use crate::Handle;

/// Names one actor or mailbox, for as long as the process lives.
///
/// It is drawn from the runtime's entropy: unique in practice across runtimes, and the same in two simulations of one
/// seed. It shows no order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActorId(u64);

impl ActorId {
    pub(super) fn draw(runtime: &Handle) -> Self {
        Self(runtime.entropy())
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActorId({self})")
    }
}
