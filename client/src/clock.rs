//! When a deadline began to run, and when it is due.

use std::time::Duration;

use callboard_core::Instant;

use crate::error::{Deadline, ErrorKind};

/// The clock of a request, or of a step of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(crate) began: Instant,
    pub(crate) limit: Duration,
}

impl Clock {
    pub(crate) fn due(&self) -> Instant {
        self.began + self.limit
    }

    pub(crate) fn passed(&self, deadline: Deadline, now: Instant) -> ErrorKind {
        ErrorKind::TimedOut { deadline, elapsed: now - self.began, limit: self.limit }
    }
}
