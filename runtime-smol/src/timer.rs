//! Timers, re-armed in place: async-io's, or an entry in a worker's queue.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant as SystemInstant};

use callboard_core::Instant;
use callboard_runtime::Timer;

use crate::reactor::{TimerKey, Worker};

/// A timer of async-io.
pub(crate) struct StockTimer {
    epoch: SystemInstant,
    /// What it is set to.
    armed: Option<(Instant, async_io::Timer)>,
}

/// A timer of a worker.
pub(crate) struct WorkerTimer {
    worker: Arc<Worker>,
    key: Option<TimerKey>,
}

impl StockTimer {
    pub(crate) fn new(epoch: SystemInstant) -> Self {
        Self { epoch, armed: None }
    }
}

impl Timer for StockTimer {
    fn poll_at(&mut self, context: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let Some(at) = self.epoch.checked_add(Duration::from_nanos(deadline.as_nanos())) else {
            self.armed = None;
            return Poll::Pending;
        };
        if SystemInstant::now() >= at {
            self.armed = None;
            return Poll::Ready(());
        }
        let (known, timer) = self.armed.get_or_insert_with(|| (deadline, async_io::Timer::at(at)));
        if *known != deadline {
            timer.set_at(at);
            *known = deadline;
        }
        Pin::new(timer).poll(context).map(|_| ())
    }
}

impl WorkerTimer {
    pub(crate) fn new(worker: Arc<Worker>) -> Self {
        Self { worker, key: None }
    }
}

impl Timer for WorkerTimer {
    fn poll_at(&mut self, context: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        self.worker.poll_timer(&mut self.key, deadline.as_nanos(), context.waker())
    }
}

impl Drop for WorkerTimer {
    fn drop(&mut self) {
        self.worker.disarm(&mut self.key);
    }
}
