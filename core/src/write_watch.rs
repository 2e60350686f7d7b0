//! Whether the peer takes what is queued.

use core::time::Duration;

use crate::{Instant, SendQueue};

/// Watches that the peer takes what is queued.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriteWatch {
    sent: u64,
    since: Instant,
}

impl WriteWatch {
    pub(crate) fn new(now: Instant) -> Self {
        Self { sent: 0, since: now }
    }

    /// Something is about to be queued.
    pub(crate) fn note(&mut self, queue: &SendQueue, now: Instant) {
        if queue.is_empty() {
            *self = Self { sent: queue.total_sent(), since: now };
        }
    }

    /// When the peer must have taken something.
    pub(crate) fn deadline(&self, queue: &SendQueue, timeout: Duration) -> Option<Instant> {
        (!queue.is_empty()).then(|| self.since + timeout)
    }

    /// Whether it has taken nothing for too long.
    pub(crate) fn has_expired(&mut self, queue: &SendQueue, now: Instant, timeout: Duration) -> bool {
        if queue.is_empty() {
            return false;
        }
        if queue.total_sent() != self.sent {
            *self = Self { sent: queue.total_sent(), since: now };
            return false;
        }
        now >= self.since + timeout
    }
}
