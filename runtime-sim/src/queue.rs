//! What is due, ordered by time and then by the order of asking.

use std::collections::BTreeMap;
use std::task::Waker;

use callboard_core::Instant;

use crate::event::End;
use crate::fault::Fault;
use crate::trace::HostId;

/// Names something that is due, to take it back.
pub(crate) type DueKey = (Instant, u64);

/// What happens when its time comes.
#[derive(Debug)]
pub(crate) enum Due {
    /// A timer of a program.
    Timer { host: HostId, waker: Waker },
    /// A request to connect arrives.
    Request(u64),
    /// The answer to it arrives.
    Answer(u64),
    /// What this end sent arrives at the other.
    Arrival(End),
    /// A scheduled change of the network.
    Fault(Fault),
}

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    due: BTreeMap<DueKey, Due>,
    sequence: u64,
    timers: usize,
}

impl Queue {
    pub(crate) fn insert(&mut self, at: Instant, due: Due) -> DueKey {
        let key = (at, self.sequence);
        self.sequence += 1;
        self.timers += usize::from(matches!(due, Due::Timer { .. }));
        self.due.insert(key, due);
        key
    }

    pub(crate) fn remove(&mut self, key: DueKey) -> Option<Due> {
        let due = self.due.remove(&key)?;
        self.timers -= usize::from(matches!(due, Due::Timer { .. }));
        Some(due)
    }

    /// The waker of a timer that is still set.
    pub(crate) fn timer_waker(&mut self, key: DueKey) -> Option<&mut Waker> {
        match self.due.get_mut(&key) {
            Some(Due::Timer { waker, .. }) => Some(waker),
            _ => None,
        }
    }

    pub(crate) fn next_time(&self) -> Option<Instant> {
        self.due.first_key_value().map(|(key, _)| key.0)
    }

    /// The first of those whose time has come.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Due> {
        let key = *self.due.first_key_value()?.0;
        if key.0 <= now { self.remove(key) } else { None }
    }

    /// Timers that are set.
    pub(crate) fn timers(&self) -> usize {
        self.timers
    }
}
