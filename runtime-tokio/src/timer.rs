//! Time: the epoch of a `Tokio`, and timers that are re-armed in place.
//!
//! A timer goes to Tokio's wheel only when its deadline changes. Where there is no wheel (the runtime was shut down, or
//! never came to be) a thread per deadline stands in, so that a timer can be late but never hangs or panics.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use callboard_core::Instant;
use callboard_runtime::Timer;
use tokio::runtime::Handle;
use tokio::time::Sleep;

/// When time began. Tokio's clock, so that a test's `tokio::time::pause` pauses callboard too.
#[derive(Clone, Copy)]
pub(crate) struct Epoch(tokio::time::Instant);

impl Epoch {
    pub(crate) fn now() -> Self {
        Self(tokio::time::Instant::now())
    }

    /// The time since then.
    pub(crate) fn elapsed(self) -> Instant {
        Instant::EPOCH + tokio::time::Instant::now().saturating_duration_since(self.0)
    }

    /// `None` for what no clock will ever show.
    fn at(self, deadline: Instant) -> Option<tokio::time::Instant> {
        self.0.checked_add(Duration::from_nanos(deadline.as_nanos()))
    }
}

/// A timer on Tokio's wheel. It ticks in milliseconds and rounds up.
pub(crate) struct TokioTimer {
    epoch: Epoch,
    source: Source,
}

enum Source {
    Unset(Handle),
    Set(Instant, Pin<Box<Sleep>>),
    /// Boxed: it is rare, and every connection keeps a timer.
    Alone(Box<Alarm>),
}

impl TokioTimer {
    /// A timer on the wheel of that runtime, or, without one, on threads.
    pub(crate) fn new(epoch: Epoch, handle: Option<Handle>) -> Self {
        let source = handle.map_or_else(|| Source::Alone(Box::default()), Source::Unset);
        Self { epoch, source }
    }
}

impl Timer for TokioTimer {
    fn poll_at(&mut self, context: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let Some(at) = self.epoch.at(deadline) else { return Poll::Pending };
        if let Source::Alone(alarm) = &mut self.source {
            return alarm.poll_at(context, self.epoch, deadline);
        }
        // Tokio panics in the poll of a timer whose runtime was shut down; there is no way to ask before.
        let polled = catch_unwind(AssertUnwindSafe(|| self.source.poll_at(context, at, deadline)));
        polled.unwrap_or_else(|_| {
            let mut alarm = Box::<Alarm>::default();
            let polled = alarm.poll_at(context, self.epoch, deadline);
            self.source = Source::Alone(alarm);
            polled
        })
    }
}

impl Source {
    fn poll_at(&mut self, context: &mut Context<'_>, at: tokio::time::Instant, deadline: Instant) -> Poll<()> {
        match self {
            Self::Set(armed, sleep) => {
                if *armed != deadline {
                    sleep.as_mut().reset(at);
                    *armed = deadline;
                }
                sleep.as_mut().poll(context)
            }
            Self::Unset(handle) => {
                let mut sleep = {
                    let _entered = handle.enter();
                    Box::pin(tokio::time::sleep_until(at))
                };
                let polled = sleep.as_mut().poll(context);
                *self = Self::Set(deadline, sleep);
                polled
            }
            Self::Alone(_) => Poll::Pending,
        }
    }
}

/// A timer without a runtime: a thread sleeps until the deadline and wakes whoever polled last.
#[derive(Default)]
struct Alarm {
    armed: Option<(Instant, Waker)>,
}

impl Alarm {
    fn poll_at(&mut self, context: &mut Context<'_>, epoch: Epoch, deadline: Instant) -> Poll<()> {
        let now = epoch.elapsed();
        if now >= deadline {
            return Poll::Ready(());
        }
        if self.armed.as_ref().is_some_and(|(armed, waker)| *armed == deadline && waker.will_wake(context.waker())) {
            return Poll::Pending;
        }
        self.armed = Some((deadline, context.waker().clone()));
        let waker = context.waker().clone();
        let wait = deadline - now;
        let alarm = thread::Builder::new().name("callboard-alarm".into()).spawn(move || {
            thread::sleep(wait);
            waker.wake();
        });
        if alarm.is_err() {
            self.armed = None;
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }
}
