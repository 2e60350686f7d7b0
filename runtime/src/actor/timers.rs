//! The timers of one actor: messages in the order of their deadlines, those of one deadline in the order they were set.

use std::collections::BTreeMap;

use callboard_core::Instant;

/// Names a timer of one actor, to cancel it: see [`Context::cancel`](super::Context::cancel).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerKey {
    deadline: Instant,
    number: u64,
}

pub(super) struct Timers<M> {
    waiting: BTreeMap<TimerKey, M>,
    set: u64,
}

impl<M> Timers<M> {
    pub(super) fn new() -> Self {
        Self { waiting: BTreeMap::new(), set: 0 }
    }

    pub(super) fn set(&mut self, deadline: Instant, message: M) -> TimerKey {
        let key = TimerKey { deadline, number: self.set };
        self.set += 1;
        self.waiting.insert(key, message);
        key
    }

    pub(super) fn cancel(&mut self, key: TimerKey) -> Option<M> {
        self.waiting.remove(&key)
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|(key, _)| key.deadline)
    }

    /// The first message whose deadline has come.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<M> {
        let first = self.waiting.first_entry()?;
        (first.key().deadline <= now).then(|| first.remove())
    }
}
