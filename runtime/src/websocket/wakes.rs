//! Who is woken when the transport or the timer of a WebSocket has something: whoever reads, else the pump.
//!
//! Whoever drives shows the driver one and the same waker, which leads here; only a task that has both reader and pump
//! shows its own. A wake-up that reaches nobody is kept in `woken`, and one that reached a reader who then leaves is
//! passed on, so none is lost. This lock is never held while one is woken.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// The way to whoever drives next.
#[derive(Default)]
pub(super) struct Wakes {
    /// The transport or the timer has had something since the last turn began.
    woken: AtomicBool,
    sleepers: Mutex<Sleepers>,
}

#[derive(Default)]
struct Sleepers {
    reader: Option<Reader>,
    /// Stays: the pump is there until the end.
    pump: Option<Waker>,
}

struct Reader {
    waker: Waker,
    /// It is a future that says when it is dropped. A reader that polls by hand may never come back.
    is_sure: bool,
}

impl Wakes {
    /// Something happened outside: wakes the reader, else the pump; once until the next turn.
    pub(super) fn wake(&self) {
        if self.woken.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut sleepers = self.lock();
        let reader = sleepers.reader.take();
        let pump = if reader.as_ref().is_some_and(|reader| reader.is_sure) { None } else { sleepers.pump.clone() };
        drop(sleepers);
        if let Some(reader) = reader {
            reader.waker.wake();
        }
        if let Some(pump) = pump {
            pump.wake();
        }
    }

    /// A turn begins: it will see whatever the wake-ups so far were for.
    pub(super) fn begin_turn(&self) {
        if self.woken.load(Ordering::Acquire) {
            self.woken.swap(false, Ordering::AcqRel);
        }
    }

    pub(super) fn is_woken(&self) -> bool {
        self.woken.load(Ordering::Acquire)
    }

    /// The reader waits. False: something happened meanwhile, and it must take another turn.
    pub(super) fn rest(&self, waker: &Waker, is_sure: bool) -> bool {
        let reader = Reader { waker: waker.clone(), is_sure };
        let previous = self.lock().reader.replace(reader);
        drop(previous);
        !self.is_woken()
    }

    /// The reader waits no more. Some: the pump, if a wake-up was on its way to the reader.
    pub(super) fn leave(&self) -> Option<Waker> {
        let mut sleepers = self.lock();
        let reader = sleepers.reader.take();
        let pump = if self.is_woken() { sleepers.pump.clone() } else { None };
        drop(sleepers);
        drop(reader);
        pump
    }

    /// The reader, to be woken by another who took a turn.
    pub(super) fn reader(&self) -> Option<Waker> {
        self.lock().reader.take().map(|reader| reader.waker)
    }

    /// The pump, to be woken.
    pub(super) fn pump(&self) -> Option<Waker> {
        self.lock().pump.clone()
    }

    /// Whose waker stands for the pump from now on.
    pub(super) fn set_pump(&self, waker: Option<Waker>) {
        let previous = std::mem::replace(&mut self.lock().pump, waker);
        drop(previous);
    }

    fn lock(&self) -> MutexGuard<'_, Sleepers> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    /// Counts how often it was woken.
    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    impl Count {
        /// How often since this was asked.
        fn take(&self) -> usize {
            self.0.swap(0, Ordering::SeqCst)
        }
    }

    /// Wakes with a pump, and counters of two readers and of the pump.
    fn ready() -> (Wakes, [Arc<Count>; 3], [Waker; 3]) {
        let counts: [Arc<Count>; 3] = std::array::from_fn(|_| Arc::default());
        let handles = counts.clone().map(Waker::from);
        let wakes = Wakes::default();
        wakes.set_pump(Some(handles[2].clone()));
        (wakes, counts, handles)
    }

    fn taken(counts: &[Arc<Count>; 3]) -> [usize; 3] {
        [0, 1, 2].map(|place| counts[place].take())
    }

    #[test]
    fn a_reader_is_woken_in_the_pumps_place_and_once() {
        let (wakes, counts, handles) = ready();
        assert!(wakes.rest(&handles[0], true));
        wakes.wake();
        wakes.wake();
        assert_eq!(taken(&counts), [1, 0, 0]);
        wakes.begin_turn();
        assert!(!wakes.is_woken());
        // It has not come back to rest.
        wakes.wake();
        assert_eq!(taken(&counts), [0, 0, 1]);
    }

    #[test]
    fn a_reader_who_may_not_come_back_is_woken_with_the_pump() {
        let (wakes, counts, handles) = ready();
        assert!(wakes.rest(&handles[0], false));
        wakes.wake();
        assert_eq!(taken(&counts), [1, 0, 1]);
    }

    #[test]
    fn whoever_comes_to_rest_after_a_wake_up_must_look_again() {
        let (wakes, counts, handles) = ready();
        wakes.wake();
        assert_eq!(taken(&counts), [0, 0, 1]);
        assert!(!wakes.rest(&handles[0], true));
        wakes.begin_turn();
        assert!(wakes.rest(&handles[0], true));
    }

    #[test]
    fn the_last_waker_of_a_reader_counts() {
        let (wakes, counts, handles) = ready();
        assert!(wakes.rest(&handles[0], true) && wakes.rest(&handles[1], true));
        wakes.wake();
        assert_eq!(taken(&counts), [0, 1, 0]);
    }

    #[test]
    fn a_reader_who_leaves_passes_on_what_reached_it_and_is_forgotten() {
        let (wakes, counts, handles) = ready();
        assert!(wakes.rest(&handles[0], true));
        assert!(wakes.leave().is_none());
        wakes.wake();
        assert_eq!(taken(&counts), [0, 0, 1]);
        wakes.begin_turn();
        assert!(wakes.rest(&handles[0], true));
        wakes.wake();
        wakes.leave().unwrap().wake();
        assert_eq!(taken(&counts), [1, 0, 1]);
        // Nor is it woken by those who take turns.
        assert!(wakes.reader().is_none());
    }

    #[test]
    fn a_pump_that_is_gone_is_not_kept() {
        let (wakes, counts, handles) = ready();
        drop(handles);
        wakes.set_pump(None);
        assert_eq!(Arc::strong_count(&counts[2]), 1);
        assert!(wakes.pump().is_none());
        wakes.wake();
        assert_eq!(taken(&counts), [0, 0, 0]);
    }
}
