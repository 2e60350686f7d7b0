//! What every part of the simulated world shares: time, choice, the queue of what is due, and the trace.
//!
//! A waker is code of somebody else. Under the world's lock none is woken, and none is dropped that may be the last of
//! its kind: both are put into [`Effects`], which are run when the lock is free.

use std::ops::RangeInclusive;
use std::task::Waker;
use std::time::Duration;

use callboard_core::Instant;

use crate::chooser::{ChoiceKind, Chooser};
use crate::event::TraceEvent;
use crate::options::Options;
use crate::queue::{Due, DueKey, Queue};
use crate::trace::{HostId, TraceLog};

/// The shared parts.
#[derive(Debug)]
pub(crate) struct Clockwork {
    pub(crate) now: Instant,
    pub(crate) options: Options,
    pub(crate) chooser: Chooser,
    pub(crate) trace: TraceLog,
    pub(crate) queue: Queue,
    pub(crate) effects: Effects,
}

impl Clockwork {
    pub(crate) fn new(seed: u64, mut options: Options) -> Self {
        let chooser = match options.replay.take() {
            Some(choices) => Chooser::replay(choices),
            None => Chooser::from_seed(seed),
        };
        let trace = TraceLog::new(options.trace_length);
        let (queue, effects) = (Queue::default(), Effects::default());
        Self { now: Instant::EPOCH, options, chooser, trace, queue, effects }
    }

    pub(crate) fn record(&mut self, host: HostId, event: TraceEvent) {
        self.trace.record(self.now, host, event);
    }

    /// A duration of the range.
    pub(crate) fn draw(&mut self, kind: ChoiceKind, range: &RangeInclusive<Duration>) -> Duration {
        let width = range.end().saturating_sub(*range.start());
        let nanos = u64::try_from(width.as_nanos()).unwrap_or(u64::MAX);
        *range.start() + Duration::from_nanos(self.chooser.choose(kind, nanos.saturating_add(1)))
    }

    /// `length`, or less if the seed cuts it short; at least 1 if `length` is.
    pub(crate) fn cut(&mut self, length: usize) -> usize {
        let percent = self.options.split;
        if length > 1 && self.chooser.chance(ChoiceKind::Split, percent) {
            length - 1 - self.chooser.index(ChoiceKind::SplitLength, length - 1)
        } else {
            length
        }
    }

    pub(crate) fn schedule(&mut self, at: Instant, due: Due) -> DueKey {
        self.queue.insert(at, due)
    }

    /// Takes back what was scheduled.
    pub(crate) fn cancel(&mut self, key: &mut Option<DueKey>) {
        if let Some(Due::Timer { waker, .. }) = key.take().and_then(|key| self.queue.remove(key)) {
            self.effects.discard(Some(waker));
        }
    }
}

/// Wakers to deal with once the lock is free.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    wake: Vec<Waker>,
    discard: Vec<Waker>,
}

impl Effects {
    /// Wakes whoever waits in `slot`.
    pub(crate) fn wake(&mut self, slot: &mut Option<Waker>) {
        self.wake.extend(slot.take());
    }

    /// Drops a waker later.
    pub(crate) fn discard(&mut self, waker: Option<Waker>) {
        self.discard.extend(waker);
    }

    /// Puts `waker` into `slot`.
    pub(crate) fn register(&mut self, slot: &mut Option<Waker>, waker: &Waker) {
        if !slot.as_ref().is_some_and(|waiting| waiting.will_wake(waker)) {
            self.discard(slot.replace(waker.clone()));
        }
    }

    /// What is to be done, or nothing.
    pub(crate) fn take(&mut self) -> Option<Self> {
        if self.wake.is_empty() && self.discard.is_empty() { None } else { Some(std::mem::take(self)) }
    }

    /// Does it. The world's lock must be free.
    pub(crate) fn run(self) {
        drop(self.discard);
        self.wake.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use super::Clockwork;
    use crate::options::Options;

    #[test]
    fn a_cut_leaves_at_least_one_byte_and_takes_at_least_one() {
        let mut clock = Clockwork::new(1, Options::new().split(100));
        let mut lengths: Vec<usize> = (0..200).map(|_| clock.cut(5)).collect();
        lengths.sort_unstable();
        lengths.dedup();
        assert_eq!(lengths, [1, 2, 3, 4]);
        assert_eq!((clock.cut(0), clock.cut(1)), (0, 1));
        assert_eq!(Clockwork::new(1, Options::new().split(0)).cut(5), 5);
    }
}
