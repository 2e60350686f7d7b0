//! Who waits, in the order in which they came, and who is next.
//!
//! The first waiter of each host that is below its own limit is *listed*: a free place goes to the oldest listed one.
//! A connection that comes back goes to the first waiter of its own host, since that costs no dial; but each time it
//! overtakes the oldest listed one this is counted, and the oldest is overtaken no more than [`OVERTAKES`] times.

use alloc::collections::BTreeMap;

/// Names one waiter; never used twice by one pool. Older waiters compare less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WaiterId(u64);

/// How often the oldest listed waiter can be overtaken by younger ones of another host. One with others before it waits
/// for their turns too.
const OVERTAKES: u32 = 8;

#[derive(Debug)]
struct Waiter {
    host: usize,
    overtaken: u32,
}

#[derive(Debug)]
pub(super) struct Waiters {
    all: BTreeMap<WaiterId, Waiter>,
    listed: BTreeMap<WaiterId, usize>,
    next: u64,
}

impl Waiters {
    pub(super) fn new() -> Self {
        Self { all: BTreeMap::new(), listed: BTreeMap::new(), next: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn push(&mut self, host: usize) -> WaiterId {
        let id = WaiterId(self.next);
        self.next += 1;
        self.all.insert(id, Waiter { host, overtaken: 0 });
        id
    }

    /// Removes a waiter; gives its host.
    pub(super) fn remove(&mut self, id: WaiterId) -> Option<usize> {
        self.all.remove(&id).map(|waiter| waiter.host)
    }

    /// Removes the oldest of all; gives it and its host.
    pub(super) fn pop_first(&mut self) -> Option<(WaiterId, usize)> {
        self.all.pop_first().map(|(id, waiter)| (id, waiter.host))
    }

    pub(super) fn list(&mut self, before: Option<WaiterId>, now: Option<WaiterId>, host: usize) {
        if let Some(before) = before {
            self.listed.remove(&before);
        }
        if let Some(now) = now {
            self.listed.insert(now, host);
        }
    }

    /// Who gets the next free place, and its host.
    pub(super) fn oldest_listed(&self) -> Option<(WaiterId, usize)> {
        self.listed.first_key_value().map(|(id, host)| (*id, *host))
    }

    /// Who gets a connection that comes back, where `own` is the first waiter of its host. If the answer is another
    /// one, it gets the place.
    pub(super) fn next_for(&mut self, own: Option<WaiterId>) -> Option<WaiterId> {
        let oldest = self.oldest_listed().map(|(id, _)| id);
        let (Some(own), Some(oldest)) = (own, oldest) else { return own.or(oldest) };
        if oldest >= own {
            return Some(own);
        }
        match self.all.get_mut(&oldest) {
            Some(waiter) if waiter.overtaken < OVERTAKES => {
                waiter.overtaken += 1;
                Some(own)
            }
            _ => Some(oldest),
        }
    }
}
