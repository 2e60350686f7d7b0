//! How long a peer that has half-closed is served: it may be reading the answer, or it may be gone for good, and only a
//! write would tell.

use std::task::{Context, Poll};
use std::time::Duration;

use callboard_core::Instant;
use callboard_core::http1::ServerConnection;
use callboard_runtime::{Driver, Handle, Timer};

/// Runs out when the peer has taken nothing for a while.
pub(super) struct Patience {
    timer: Box<dyn Timer>,
    limit: Duration,
    until: Instant,
    sent: u64,
}

impl Patience {
    pub(super) fn new(runtime: &Handle, limit: Duration, driver: &Driver<ServerConnection>) -> Self {
        Self { timer: runtime.timer(), limit, until: driver.now() + limit, sent: driver.bytes_out() }
    }

    /// Ready when it has run out.
    pub(super) fn poll(&mut self, context: &mut Context<'_>, driver: &Driver<ServerConnection>) -> Poll<()> {
        if self.sent != driver.bytes_out() {
            self.sent = driver.bytes_out();
            self.until = driver.now() + self.limit;
        }
        self.timer.poll_at(context, self.until)
    }
}
