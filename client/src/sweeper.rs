//! One task per session that closes idle connections when they expire. It lives only while there are such.
//!
//! The alarm is set when the first connection turns idle, or when one will expire sooner than all before; so the hot
//! path touches no timer. A stale alarm is a harmless early call.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use callboard_core::Instant;
use callboard_runtime::{Handle, Timer};

/// When the sweeper is due. Its own lock: it is taken only when the alarm changes.
#[derive(Default)]
pub(crate) struct Alarm(Mutex<Bell>);

#[derive(Default)]
struct Bell {
    due: Instant,
    waker: Option<Waker>,
    has_ended: bool,
}

impl Alarm {
    /// Changes when the sweeper is due. Called under the lock of the pool, so that the last word stands; wake the
    /// sweeper afterwards.
    pub(crate) fn set(&self, due: Instant) -> Option<Waker> {
        let mut bell = self.lock();
        bell.due = due;
        bell.waker.take()
    }

    /// The session is gone: there is nothing to sweep.
    pub(crate) fn end(&self) {
        let mut bell = self.lock();
        bell.has_ended = true;
        let waker = bell.waker.take();
        drop(bell);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Bell> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task. `sweep` closes what has expired by then, and says whether anything is left to wait for.
pub(crate) struct Sweeper<Sweep> {
    sweep: Sweep,
    alarm: Arc<Alarm>,
    runtime: Handle,
    timer: Box<dyn Timer>,
}

impl<Sweep: FnMut(Instant) -> bool + Unpin> Sweeper<Sweep> {
    pub(crate) fn new(alarm: Arc<Alarm>, runtime: Handle, sweep: Sweep) -> Self {
        let timer = runtime.timer();
        Self { sweep, alarm, runtime, timer }
    }
}

impl<Sweep: FnMut(Instant) -> bool + Unpin> Future for Sweeper<Sweep> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        loop {
            let mut bell = this.alarm.lock();
            if bell.has_ended {
                return Poll::Ready(());
            }
            bell.waker = Some(context.waker().clone());
            let due = bell.due;
            drop(bell);
            if this.timer.poll_at(context, due).is_pending() {
                return Poll::Pending;
            }
            if !(this.sweep)(this.runtime.now()) {
                return Poll::Ready(());
            }
        }
    }
}
