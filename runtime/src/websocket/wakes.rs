//! Who is woken when the transport or the timer of a WebSocket has something: whoever reads, else the pump.
//!
//! The driver sees one waker for the WebSocket's whole life. A wake-up that reaches nobody is kept in `woken`, and one
//! that reached a reader who then leaves is passed on, so none is lost. This lock is never held while one is woken.

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
