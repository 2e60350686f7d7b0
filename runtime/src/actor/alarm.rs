//! A timer that is set only when it has to be: a deadline later than the one it is set to waits for it to fire first.

use std::task::{Context, Poll, Waker};

use callboard_core::Instant;

use crate::{Handle, Timer};

/// The end of time: a deadline there is never set.
const NEVER: Instant = Instant::from_nanos(u64::MAX);

pub(super) struct Alarm {
    timer: Box<dyn Timer>,
    /// What it is set to, and for whom.
    armed: Option<(Instant, Waker)>,
}

impl Alarm {
    pub(super) fn new(runtime: &Handle) -> Self {
        Self { timer: runtime.timer(), armed: None }
    }

    /// Ready once `deadline` has come. `now` is the time of this poll.
    pub(super) fn poll(&mut self, task: &mut Context<'_>, deadline: Instant, now: Instant) -> Poll<()> {
        if deadline <= now {
            return Poll::Ready(());
        }
        if deadline == NEVER {
            return Poll::Pending;
        }
        if let Some((at, waker)) = &self.armed
            && *at > now
            && *at <= deadline
            && waker.will_wake(task.waker())
        {
            return Poll::Pending;
        }
        let polled = self.timer.poll_at(task, deadline);
        self.armed = polled.is_pending().then(|| (deadline, task.waker().clone()));
        polled
    }
}
