//! A future that several tasks wait for and drive together; none is spawned for it.
//!
//! Whoever waits polls it. When it can go on all who wait are woken, so that none depends on another. It is not polled
//! under a lock: its code may be the user's, and may come back to what the lock protects. If it comes back to wait for
//! itself, that is an error.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};

use callboard_runtime::BoxFuture;

/// The future, and those who wait for it, by `W`.
pub(crate) struct Flight<W, T> {
    seat: Mutex<Seat<T>>,
    crowd: Arc<Crowd<W>>,
}

enum Seat<T> {
    Free(BoxFuture<'static, T>),
    /// It is polled by this thread; others may have come meanwhile.
    Taken {
        by: ThreadId,
        is_missed: bool,
    },
    /// It has ended.
    Landed,
    /// It panicked.
    Crashed,
}

/// Why there is no output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The future panicked.
    Panicked,
    /// The future itself waits here.
    Circle,
}

impl Lost {
    /// For whoever waited, where `what` was to be brought.
    pub(crate) fn tell(self, what: &str) -> String {
        match self {
            Self::Panicked => format!("{what} panicked"),
            Self::Circle => format!("{what} waits for itself"),
        }
    }
}

/// Wakes all who wait.
struct Crowd<W>(Mutex<BTreeMap<W, Waker>>);

impl<W> Crowd<W> {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<W, Waker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Ord + Send + 'static> Wake for Crowd<W> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let wakers = std::mem::take(&mut *self.lock());
        wakers.into_values().for_each(Waker::wake);
    }
}

impl<W: Ord + Send + 'static, T> Flight<W, T> {
    pub(crate) fn new(future: BoxFuture<'static, T>) -> Self {
        Self { seat: Mutex::new(Seat::Free(future)), crowd: Arc::new(Crowd(Mutex::default())) }
    }

    /// Somebody waits, and is to be woken. Before [`poll`](Self::poll), under the lock under which the outcome is told.
    pub(crate) fn attach(&self, waiter: W, context: &Context<'_>) {
        self.crowd.lock().insert(waiter, context.waker().clone());
    }

    /// Somebody waits no longer.
    pub(crate) fn detach(&self, waiter: &W) {
        self.crowd.lock().remove(waiter);
    }

    /// Ready for the one of all who wait that brings it to its end, and who tells the others before it
    /// [wakes](Self::wake) them.
    pub(crate) fn poll(&self) -> Poll<Result<T, Lost>> {
        let here = thread::current().id();
        let mut seat = self.seat();
        let mut future = match std::mem::replace(&mut *seat, Seat::Taken { by: here, is_missed: false }) {
            Seat::Free(future) => future,
            Seat::Taken { by, .. } => {
                *seat = Seat::Taken { by, is_missed: by != here };
                return if by == here { Poll::Ready(Err(Lost::Circle)) } else { Poll::Pending };
            }
            Seat::Landed => {
                *seat = Seat::Landed;
                return Poll::Pending;
            }
            Seat::Crashed => {
                *seat = Seat::Crashed;
                return Poll::Ready(Err(Lost::Panicked));
            }
        };
        drop(seat);
        let ride = Ride { flight: self };
        let waker = Waker::from(Arc::clone(&self.crowd));
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        std::mem::forget(ride);
        match polled {
            Poll::Ready(output) => {
                *self.seat() = Seat::Landed;
                Poll::Ready(Ok(output))
            }
            Poll::Pending => {
                let before = std::mem::replace(&mut *self.seat(), Seat::Free(future));
                // Whoever came while it was being polled could do nothing, and may be the only one left by now.
                if matches!(before, Seat::Taken { is_missed: true, .. }) {
                    self.wake();
                }
                Poll::Pending
            }
        }
    }

    /// Wakes all who wait.
    pub(crate) fn wake(&self) {
        self.crowd.wake_by_ref();
    }

    fn seat(&self) -> MutexGuard<'_, Seat<T>> {
        self.seat.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Dropped only by a panic of the future.
struct Ride<'a, W: Ord + Send + 'static, T> {
    flight: &'a Flight<W, T>,
}

impl<W: Ord + Send + 'static, T> Drop for Ride<'_, W, T> {
    fn drop(&mut self) {
        *self.flight.seat() = Seat::Crashed;
        self.flight.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn waiter(flight: &Flight<u8, u8>, number: u8) -> Arc<Count> {
        let count = Arc::new(Count::default());
        flight.attach(number, &Context::from_waker(&Waker::from(Arc::clone(&count))));
        count
    }

    #[test]
    fn one_ends_it_and_wakes_the_others() {
        let flight = Flight::new(Box::pin(async { 7 }));
        let (first, second) = (waiter(&flight, 1), waiter(&flight, 2));
        flight.detach(&2);
        assert_eq!(flight.poll(), Poll::Ready(Ok(7)));
        assert_eq!(flight.poll(), Poll::Pending);
        flight.wake();
        assert_eq!([first, second].map(|count| count.0.load(Ordering::Relaxed)), [1, 0]);
    }

    /// A flight whose future does this with it once, and never ends.
    fn meddling(meddle: impl Fn(&Flight<u8, u8>) + Send + 'static) -> Arc<Flight<u8, u8>> {
        type Shared = Option<Arc<Flight<u8, u8>>>;
        let slot: Arc<Mutex<Shared>> = Arc::default();
        let inner = Arc::clone(&slot);
        let flight = Arc::new(Flight::new(Box::pin(poll_fn(move |_| {
            let flight = inner.lock().unwrap().take();
            if let Some(flight) = flight {
                meddle(&flight);
            }
            Poll::Pending
        }))));
        *slot.lock().unwrap() = Some(Arc::clone(&flight));
        flight
    }

    #[test]
    fn who_came_while_it_was_polled_is_woken() {
        let counts = Arc::new(Mutex::new(Vec::new()));
        let counted = Arc::clone(&counts);
        let flight = meddling(move |flight| {
            let count = waiter(flight, 1);
            let polled = thread::scope(|scope| scope.spawn(|| flight.poll()).join().unwrap());
            assert_eq!(polled, Poll::Pending);
            counted.lock().unwrap().push(count);
        });
        assert_eq!(flight.poll(), Poll::Pending);
        assert_eq!(counts.lock().unwrap()[0].0.load(Ordering::Relaxed), 1);
        // Nobody came: nobody is woken.
        let count = waiter(&flight, 2);
        assert_eq!((flight.poll(), count.0.load(Ordering::Relaxed)), (Poll::Pending, 0));
    }

    #[test]
    fn what_waits_for_itself_is_told() {
        let flight = meddling(|flight| {
            waiter(flight, 1);
            assert_eq!(flight.poll(), Poll::Ready(Err(Lost::Circle)));
        });
        let count = waiter(&flight, 2);
        assert_eq!((flight.poll(), count.0.load(Ordering::Relaxed)), (Poll::Pending, 0));
    }

    #[test]
    fn a_panic_is_told_to_all() {
        let flight: Flight<u8, u8> = Flight::new(Box::pin(async {
            assert!(std::hint::black_box(false), "on purpose");
            pending().await
        }));
        let count = waiter(&flight, 1);
        catch_unwind(AssertUnwindSafe(|| flight.poll())).unwrap_err();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert_eq!(flight.poll(), Poll::Ready(Err(Lost::Panicked)));
    }
}
