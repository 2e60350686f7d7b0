//! The total deadline of a request, as its exchanges carry it: the steps before have the core's `Deadlines`.

use std::time::Duration;

use callboard_core::Instant;
use callboard_core::deadlines::{Deadline, Expired};

use crate::error::ErrorKind;

/// When the request began, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(crate) began: Instant,
    pub(crate) limit: Duration,
}

impl Clock {
    pub(crate) fn due(&self) -> Instant {
        self.began + self.limit
    }

    pub(crate) fn passed(&self, now: Instant) -> ErrorKind {
        Expired { deadline: Deadline::Total, elapsed: now - self.began, limit: self.limit }.into()
    }
}
