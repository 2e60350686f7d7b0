//! A worker's timers: an ordered map, and the earliest deadline as an atomic, so that a turn without a due timer takes
//! no lock.
//!
//! Deadlines are nanoseconds of the runtime's clock. Wakers are dropped and woken outside the lock, since either may
//! run foreign code.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

use super::lock;

/// No deadline.
pub(crate) const NEVER: u64 = u64::MAX;

/// When, and which of those with that deadline.
pub(crate) type TimerKey = (u64, u64);

/// The timers of one worker.
#[derive(Debug)]
pub(crate) struct Timers {
    earliest: AtomicU64,
    serial: AtomicU64,
    queue: Mutex<BTreeMap<TimerKey, Waker>>,
}

impl Timers {
    pub(crate) fn new() -> Self {
        Self { earliest: AtomicU64::new(NEVER), serial: AtomicU64::new(0), queue: Mutex::default() }
    }

    /// The earliest deadline, or [`NEVER`].
    pub(crate) fn earliest(&self) -> u64 {
        self.earliest.load(Ordering::SeqCst)
    }

    /// Moves the timer at `key` to `deadline`, or makes one. True if it is now the earliest.
    pub(crate) fn arm(&self, key: &mut Option<TimerKey>, deadline: u64, waker: &Waker) -> bool {
        let mut queue = lock(&self.queue);
        if let Some(known) = key
            && known.0 == deadline
            && queue.get(known).is_some_and(|known| known.will_wake(waker))
        {
            return false;
        }
        let moved = key.and_then(|key| queue.remove(&key));
        let serial = key.map_or_else(|| self.serial.fetch_add(1, Ordering::Relaxed), |key| key.1);
        queue.insert((deadline, serial), waker.clone());
        *key = Some((deadline, serial));
        let is_earliest = self.note_earliest(&queue) == deadline;
        drop(queue);
        drop(moved);
        is_earliest
    }

    /// Takes the timer at `key` away.
    pub(crate) fn disarm(&self, key: TimerKey) {
        let mut queue = lock(&self.queue);
        let removed = queue.remove(&key);
        self.note_earliest(&queue);
        drop(queue);
        drop(removed);
    }

    /// Moves the wakers of all that is due at `now` to `due`.
    pub(crate) fn take_due(&self, now: u64, due: &mut Vec<Waker>) {
        let mut queue = lock(&self.queue);
        while let Some(entry) = queue.first_entry()
            && entry.key().0 <= now
        {
            due.push(entry.remove());
        }
        self.note_earliest(&queue);
    }

    fn note_earliest(&self, queue: &BTreeMap<TimerKey, Waker>) -> u64 {
        let earliest = queue.first_key_value().map_or(NEVER, |(key, _)| key.0);
        self.earliest.store(earliest, Ordering::SeqCst);
        earliest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_is_known_through_every_change() {
        let timers = Timers::new();
        let (mut first, mut second) = (None, None);
        assert!(timers.arm(&mut first, 20, Waker::noop()));
        assert!(timers.arm(&mut second, 10, Waker::noop()));
        assert!(!timers.arm(&mut second, 30, Waker::noop()), "moved behind the other");
        assert_eq!(timers.earliest(), 20);
        timers.disarm(first.unwrap());
        assert_eq!(timers.earliest(), 30);
        let mut due = Vec::new();
        timers.take_due(29, &mut due);
        assert!(due.is_empty());
        timers.take_due(30, &mut due);
        assert_eq!((due.len(), timers.earliest()), (1, NEVER));
    }

    #[test]
    fn equal_deadlines_are_distinct_timers() {
        let timers = Timers::new();
        let mut keys = [None; 3];
        for key in &mut keys {
            timers.arm(key, 5, Waker::noop());
        }
        let mut due = Vec::new();
        timers.take_due(5, &mut due);
        assert_eq!(due.len(), 3);
    }
}
