//! A timer in virtual time.

use std::sync::Arc;
use std::task::{Context, Poll};

use callboard_core::Instant;
use callboard_runtime::Timer;

use crate::queue::{Due, DueKey};
use crate::trace::HostId;
use crate::world::Shared;

/// The end of time: a timer set to it never fires, and does not keep a deadlock from being one.
const NEVER: Instant = Instant::from_nanos(u64::MAX);

/// An entry of the queue of what is due.
pub(crate) struct SimTimer {
    shared: Arc<Shared>,
    host: HostId,
    key: Option<DueKey>,
}

impl SimTimer {
    pub(crate) fn new(shared: Arc<Shared>, host: HostId) -> Self {
        Self { shared, host, key: None }
    }
}

impl Timer for SimTimer {
    fn poll_at(&mut self, context: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        self.shared.with(|world| {
            let clock = &mut world.clock;
            if deadline <= clock.now {
                clock.cancel(&mut self.key);
                return Poll::Ready(());
            }
            if let Some(key) = self.key.filter(|key| key.0 == deadline)
                && let Some(waker) = clock.queue.timer_waker(key)
            {
                if !waker.will_wake(context.waker()) {
                    let replaced = std::mem::replace(waker, context.waker().clone());
                    clock.effects.discard(Some(replaced));
                }
                return Poll::Pending;
            }
            clock.cancel(&mut self.key);
            if deadline < NEVER {
                let due = Due::Timer { host: self.host, waker: context.waker().clone() };
                self.key = Some(clock.schedule(deadline, due));
            }
            Poll::Pending
        })
    }
}

impl Drop for SimTimer {
    fn drop(&mut self) {
        self.shared.with(|world| world.clock.cancel(&mut self.key));
    }
}
