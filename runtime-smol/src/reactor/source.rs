//! A socket's readiness, kept beside the socket, so that an edge which nobody waited for is not lost.
//!
//! The worker's thread sets readiness, the stream's clears it; usually these are one thread, but any two are right.
//! Each event changes the word, so that clearing what was seen before an event fails. A waker is stored before the last
//! look at the word, and an event looks for wakers after setting it: one of the two sees the other.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

use super::lock;
use super::poller::Event;

/// The bit that says: a call would not wait.
const READY: u32 = 1;
/// The bit that says: no more edges will come, so that readiness outlives a short read.
const ENDED: u32 = 2;
/// What each event adds.
const EVENT: u32 = 4;

/// A direction of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Read = 0,
    Write = 1,
}

/// The readiness of one socket.
#[derive(Debug)]
pub(crate) struct Source {
    words: [AtomicU32; 2],
    pub(crate) index: u32,
    pub(crate) generation: u32,
    wakers: Mutex<[Option<Waker>; 2]>,
}

impl Source {
    /// `writable`: a connected socket is so from its start, until a call says otherwise.
    pub(crate) fn new(index: u32, generation: u32, writable: bool) -> Self {
        let words = [AtomicU32::new(0), AtomicU32::new(u32::from(writable) * READY)];
        Self { words, index, generation, wakers: Mutex::default() }
    }

    /// The token of its events: an event of a socket that is gone does not reach the next one at its index.
    pub(crate) fn token(&self) -> u64 {
        (u64::from(self.generation) << 32) | u64::from(self.index)
    }

    /// Notes an event and moves the wakers that waited for it to `woken`.
    pub(crate) fn note(&self, event: Event, woken: &mut Vec<Waker>) {
        if event.readable {
            self.set(Direction::Read, event.ended, woken);
        }
        if event.writable {
            self.set(Direction::Write, event.ended, woken);
        }
    }

    fn set(&self, direction: Direction, ended: bool, woken: &mut Vec<Waker>) {
        let word = &self.words[direction as usize];
        let bits = READY | (u32::from(ended) * ENDED);
        let mut before = word.load(Ordering::Relaxed);
        while let Err(changed) =
            word.compare_exchange_weak(before, before.wrapping_add(EVENT) | bits, Ordering::SeqCst, Ordering::Relaxed)
        {
            before = changed;
        }
        // Who waits has seen the word without the bit, so with the bit there already nobody waits.
        if before & READY == 0 {
            woken.extend(lock(&self.wakers)[direction as usize].take());
        }
    }

    /// What is seen, for [`clear`](Self::clear), if a call would not wait.
    pub(crate) fn ready(&self, direction: Direction) -> Option<u32> {
        let seen = self.words[direction as usize].load(Ordering::SeqCst);
        (seen & READY != 0).then_some(seen)
    }

    /// Ready with what was seen. What is ready already is known from [`ready`](Self::ready), without a lock.
    pub(crate) fn poll_event(&self, direction: Direction, context: &mut Context<'_>) -> Poll<u32> {
        let waker = context.waker().clone();
        let replaced = lock(&self.wakers)[direction as usize].replace(waker);
        drop(replaced);
        self.ready(direction).map_or(Poll::Pending, Poll::Ready)
    }

    /// A call would wait: readiness ends, unless an event came since it was seen.
    pub(crate) fn clear(&self, direction: Direction, seen: u32) {
        let word = &self.words[direction as usize];
        let _ = word.compare_exchange(seen, seen & !READY, Ordering::SeqCst, Ordering::Relaxed);
    }

    /// A read was short: nothing is left, unless the end came with the last bytes, of which no edge will tell.
    pub(crate) fn clear_after_short_read(&self, seen: u32) {
        if seen & ENDED == 0 {
            self.clear(Direction::Read, seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READABLE: Event = Event { token: 0, readable: true, writable: false, ended: false };

    fn source() -> Source {
        Source::new(0, 0, false)
    }

    fn poll(source: &Source) -> Option<u32> {
        match source.poll_event(Direction::Read, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(seen) => Some(seen),
            Poll::Pending => None,
        }
    }

    #[test]
    fn an_event_after_the_read_survives_the_clear() {
        let source = source();
        source.note(READABLE, &mut Vec::new());
        let seen = poll(&source).unwrap();
        source.note(READABLE, &mut Vec::new());
        source.clear(Direction::Read, seen);
        let seen = poll(&source).expect("the second event stays");
        source.clear(Direction::Read, seen);
        assert_eq!(poll(&source), None);
    }

    #[test]
    fn an_end_outlives_short_reads() {
        let source = source();
        source.note(Event { ended: true, ..READABLE }, &mut Vec::new());
        let seen = poll(&source).unwrap();
        source.clear_after_short_read(seen);
        assert!(poll(&source).is_some());
    }

    #[test]
    fn only_who_waits_is_woken_and_once() {
        let source = source();
        let mut woken = Vec::new();
        source.note(READABLE, &mut woken);
        assert!(woken.is_empty());
        source.clear(Direction::Read, poll(&source).unwrap());
        assert_eq!(poll(&source), None);
        source.note(READABLE, &mut woken);
        source.note(READABLE, &mut woken);
        assert_eq!(woken.len(), 1);
    }
}
