//! A socket's readiness, kept beside the socket, so that an edge which nobody waited for is not lost.
//!
//! The worker's thread sets readiness, the stream's clears it; usually these are one thread, but any two are right.
//! Each event changes the word of its direction, so that clearing what was seen before an event fails. Who waits says
//! so before the last look at the word, and an event looks for who waits after setting it: one of the two sees the
//! other. That stays for the next time, so that a task which waits again and again says so once; a task of the same
//! worker by its number, which costs an event neither lock nor waker.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

use super::local::TASK_LIMIT;
use super::lock;
use super::poller::Event;

/// The bit that says: a call would not wait.
const READY: u32 = 1;
/// The bit that says: no more edges will come, so that readiness outlives a short read.
const ENDED: u32 = 2;
/// What each event adds.
const EVENT: u32 = 4;

/// In place of a task's number: nobody has waited yet.
const NOBODY: u32 = TASK_LIMIT;
/// In place of a task's number: who waits has left a waker.
const WAKER: u32 = TASK_LIMIT + 1;

/// A direction of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Read = 0,
    Write = 1,
}

/// Whom the events of a wait concern.
#[derive(Default)]
pub(crate) struct Woken {
    /// Tasks of this worker, by their numbers.
    pub(crate) tasks: Vec<u32>,
    /// Everybody else.
    pub(crate) wakers: Vec<Waker>,
}

/// The readiness of one socket.
#[derive(Debug)]
pub(crate) struct Source {
    /// One for each direction: see [`Words`].
    words: AtomicU64,
    /// For each direction who waits: the number of a task, or [`NOBODY`], or [`WAKER`].
    waiting: AtomicU64,
    pub(crate) index: u32,
    pub(crate) generation: u32,
    wakers: Mutex<Option<Box<[Option<Waker>; 2]>>>,
}

/// The words of both directions, which lie in one atomic, because an event mostly concerns both.
#[derive(Clone, Copy)]
struct Words([u32; 2]);

impl Words {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    fn of(value: u64) -> Self {
        Self([value as u32, (value >> 32) as u32])
    }

    fn value(self) -> u64 {
        u64::from(self.0[0]) | (u64::from(self.0[1]) << 32)
    }

    fn is_ready(self, direction: Direction) -> bool {
        self.0[direction as usize] & READY != 0
    }

    fn after(mut self, event: Event) -> Self {
        let bits = READY | (u32::from(event.ended) * ENDED);
        for (word, is_concerned) in self.0.iter_mut().zip([event.readable, event.writable]) {
            if is_concerned {
                *word = word.wrapping_add(EVENT) | bits;
            }
        }
        self
    }
}

impl Source {
    /// `writable`: a connected socket is so from its start, until a call says otherwise.
    pub(crate) fn new(index: u32, generation: u32, writable: bool) -> Self {
        let words = AtomicU64::new(Words([0, u32::from(writable) * READY]).value());
        let waiting = AtomicU64::new(Words([NOBODY; 2]).value());
        Self { words, waiting, index, generation, wakers: Mutex::default() }
    }

    /// The token of its events: an event of a socket that is gone does not reach the next one at its index.
    pub(crate) fn token(&self) -> u64 {
        (u64::from(self.generation) << 32) | u64::from(self.index)
    }

    /// Notes an event and adds whom it makes ready to `woken`.
    pub(crate) fn note(&self, event: Event, woken: &mut Woken) {
        let mut before = self.words.load(Ordering::Relaxed);
        while let Err(changed) = self.words.compare_exchange_weak(
            before,
            Words::of(before).after(event).value(),
            Ordering::SeqCst,
            Ordering::Relaxed,
        ) {
            before = changed;
        }
        let before = Words::of(before);
        // Who waits has seen the word without the bit, so with the bit there already nobody waits.
        let is_new = |direction, is_concerned| is_concerned && !before.is_ready(direction);
        let are_new = [is_new(Direction::Read, event.readable), is_new(Direction::Write, event.writable)];
        let waiting = Words::of(self.waiting.load(Ordering::SeqCst)).0;
        for ((place, is_new), number) in are_new.into_iter().enumerate().zip(waiting) {
            match number {
                _ if !is_new => {}
                NOBODY => {}
                WAKER => woken.wakers.extend(lock(&self.wakers).as_deref().and_then(|wakers| wakers[place].clone())),
                number => woken.tasks.push(number),
            }
        }
    }

    /// What is seen, for [`clear`](Self::clear), if a call would not wait.
    #[inline]
    pub(crate) fn ready(&self, direction: Direction) -> Option<u32> {
        let seen = Words::of(self.words.load(Ordering::SeqCst));
        seen.is_ready(direction).then_some(seen.0[direction as usize])
    }

    /// Who waits from now on. Whether there is still reason to must be looked at after this.
    pub(crate) fn set_waker(&self, direction: Direction, waker: Waker) {
        self.set(direction, WAKER, Some(waker));
    }

    /// The same for a task of the worker that notes the events.
    pub(crate) fn set_task(&self, direction: Direction, number: u32) {
        self.set(direction, number, None);
    }

    fn set(&self, direction: Direction, number: u32, waker: Option<Waker>) {
        let mut wakers = lock(&self.wakers);
        let replaced = match &mut *wakers {
            None if waker.is_none() => None,
            wakers => std::mem::replace(&mut wakers.get_or_insert_default()[direction as usize], waker),
        };
        let mut waiting = Words::of(self.waiting.load(Ordering::SeqCst));
        waiting.0[direction as usize] = number;
        self.waiting.store(waiting.value(), Ordering::SeqCst);
        drop(wakers);
        drop(replaced);
    }

    /// A call would wait: readiness ends, unless an event came since it was seen.
    pub(crate) fn clear(&self, direction: Direction, seen: u32) {
        let mut before = self.words.load(Ordering::Relaxed);
        loop {
            let mut words = Words::of(before);
            if words.0[direction as usize] != seen {
                return;
            }
            words.0[direction as usize] &= !READY;
            let exchanged =
                self.words.compare_exchange_weak(before, words.value(), Ordering::SeqCst, Ordering::Relaxed);
            match exchanged {
                Ok(_) => return,
                Err(changed) => before = changed,
            }
        }
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
        source.set_waker(Direction::Read, Waker::noop().clone());
        source.ready(Direction::Read)
    }

    #[test]
    fn an_event_after_the_read_survives_the_clear() {
        let source = source();
        source.note(READABLE, &mut Woken::default());
        let seen = poll(&source).unwrap();
        source.note(READABLE, &mut Woken::default());
        source.clear(Direction::Read, seen);
        let seen = poll(&source).expect("the second event stays");
        source.clear(Direction::Read, seen);
        assert_eq!(poll(&source), None);
    }

    #[test]
    fn an_end_outlives_short_reads() {
        let source = source();
        source.note(Event { ended: true, ..READABLE }, &mut Woken::default());
        let seen = poll(&source).unwrap();
        source.clear_after_short_read(seen);
        assert!(poll(&source).is_some());
    }

    #[test]
    fn only_who_waits_is_woken_and_once() {
        let source = source();
        let mut woken = Woken::default();
        source.note(READABLE, &mut woken);
        assert!(woken.wakers.is_empty());
        source.clear(Direction::Read, poll(&source).unwrap());
        assert_eq!(poll(&source), None);
        source.note(READABLE, &mut woken);
        source.note(READABLE, &mut woken);
        assert_eq!(woken.wakers.len(), 1);
        // It waits again without saying so.
        source.clear(Direction::Read, source.ready(Direction::Read).unwrap());
        source.note(READABLE, &mut woken);
        assert_eq!(woken.wakers.len(), 2);
    }

    #[test]
    fn the_last_who_waits_is_woken_task_or_waker() {
        let source = source();
        let mut woken = Woken::default();
        let mut note = |event| {
            source.note(event, &mut woken);
            source.clear(Direction::Read, source.ready(Direction::Read).unwrap());
            (std::mem::take(&mut woken.tasks), woken.wakers.drain(..).count())
        };
        assert_eq!(note(READABLE), (vec![], 0));
        source.set_task(Direction::Read, 7);
        source.set_waker(Direction::Write, Waker::noop().clone());
        assert_eq!(note(READABLE), (vec![7], 0));
        source.set_waker(Direction::Read, Waker::noop().clone());
        assert_eq!(note(Event { writable: true, ..READABLE }), (vec![], 2));
        source.set_task(Direction::Read, TASK_LIMIT - 1);
        assert_eq!(note(READABLE), (vec![TASK_LIMIT - 1], 0));
        assert!(lock(&source.wakers).as_ref().is_some_and(|wakers| wakers[0].is_none()), "the waker is dropped");
    }

    #[test]
    fn the_directions_of_one_word_do_not_touch_each_other() {
        let source = Source::new(0, 0, true);
        let seen = source.ready(Direction::Write).unwrap();
        // As many events as the word of one direction can count.
        source.words.store(u64::from(u32::MAX - EVENT), Ordering::SeqCst);
        source.note(READABLE, &mut Woken::default());
        source.note(READABLE, &mut Woken::default());
        assert_eq!(source.ready(Direction::Write), None);
        source.note(Event { writable: true, ..READABLE }, &mut Woken::default());
        assert!(source.ready(Direction::Write).is_some_and(|now| now != seen));
        let (read, write) = (source.ready(Direction::Read).unwrap(), source.ready(Direction::Write).unwrap());
        source.note(READABLE, &mut Woken::default());
        source.clear(Direction::Write, write);
        source.clear(Direction::Read, read);
        assert!(source.ready(Direction::Read).is_some() && source.ready(Direction::Write).is_none());
    }
}
