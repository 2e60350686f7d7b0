//! The table of slots, by host and by how long they have been idle.
//!
//! A slot belongs to one host for its whole life. The idle ones form a list, the longest idle first (for eviction),
//! and a stack per host (for reuse). A host is known while it has slots or waiters, or a checkout is in hand.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::borrow::Borrow;

use slab::Slab;

use super::{HostSnapshot, WaiterId};
use crate::Instant;

/// Names one slot; never used twice by one pool (up to 2³² slots of one index).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId {
    index: u32,
    stamp: u32,
}

impl SlotId {
    /// A small number, unique among the slots of a moment: for a table of connections beside the pool.
    pub fn index(self) -> usize {
        self.index as usize
    }
}

/// No neighbour in the list of the idle.
const NONE: usize = usize::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Dialling,
    Busy,
    Idle { until: Instant, older: usize, newer: usize },
}

#[derive(Debug)]
struct Slot {
    stamp: u32,
    host: usize,
    state: State,
}

#[derive(Debug)]
pub(super) struct Host<K> {
    key: K,
    open: usize,
    /// The newest last.
    idle: VecDeque<usize>,
    pub(super) waiting: BTreeSet<WaiterId>,
    /// Which of the waiting is listed for the next free place.
    pub(super) listed: Option<WaiterId>,
}

#[derive(Debug)]
pub(super) struct Slots<K> {
    table: Slab<Slot>,
    hosts: Slab<Host<K>>,
    by_key: BTreeMap<K, usize>,
    oldest: usize,
    newest: usize,
    stamps: u32,
}

impl<K: Ord + Clone> Slots<K> {
    pub(super) fn new() -> Self {
        Self { table: Slab::new(), hosts: Slab::new(), by_key: BTreeMap::new(), oldest: NONE, newest: NONE, stamps: 0 }
    }

    pub(super) fn open(&self) -> usize {
        self.table.len()
    }

    pub(super) fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Option<usize>
    where
        K: Borrow<Q>,
    {
        self.by_key.get(key).copied()
    }

    /// The host of a key, made known if it is not.
    pub(super) fn host<Q>(&mut self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Ord + ToOwned<Owned = K> + ?Sized,
    {
        if let Some(host) = self.find(key) {
            return host;
        }
        let key = key.to_owned();
        let host = self.hosts.insert(Host {
            key: key.clone(),
            open: 0,
            idle: VecDeque::new(),
            waiting: BTreeSet::new(),
            listed: None,
        });
        self.by_key.insert(key, host);
        host
    }

    /// The index must be of a known host: all indices that leave this table are.
    pub(super) fn host_mut(&mut self, host: usize) -> &mut Host<K> {
        &mut self.hosts[host]
    }

    pub(super) fn open_of(&self, host: usize) -> usize {
        self.hosts[host].open
    }

    pub(super) fn forget_if_unused(&mut self, host: usize) {
        if self.hosts[host].open == 0 && self.hosts[host].waiting.is_empty() {
            let host = self.hosts.remove(host);
            self.by_key.remove(&host.key);
        }
    }

    pub(super) fn insert(&mut self, host: usize) -> SlotId {
        self.stamps = self.stamps.wrapping_add(1);
        let index = self.table.insert(Slot { stamp: self.stamps, host, state: State::Dialling });
        self.hosts[host].open += 1;
        // A pool's limit keeps the index far below.
        SlotId { index: u32::try_from(index).unwrap_or(u32::MAX), stamp: self.stamps }
    }

    /// Removes a slot in any state; gives its host, which stays known.
    pub(super) fn remove(&mut self, slot: SlotId) -> Option<usize> {
        let host = self.host_of(slot)?;
        self.unlink(slot.index());
        self.table.remove(slot.index());
        self.hosts[host].open -= 1;
        Some(host)
    }

    pub(super) fn host_of(&self, slot: SlotId) -> Option<usize> {
        self.get(slot).map(|slot| slot.host)
    }

    pub(super) fn is_idle(&self, slot: SlotId) -> bool {
        self.get(slot).is_some_and(|slot| matches!(slot.state, State::Idle { .. }))
    }

    pub(super) fn set_busy(&mut self, slot: SlotId) -> bool {
        self.set(slot, State::Busy)
    }

    pub(super) fn set_dialling(&mut self, slot: SlotId) -> bool {
        self.set(slot, State::Dialling)
    }

    pub(super) fn set_idle(&mut self, slot: SlotId, until: Instant) {
        let index = slot.index();
        // The list ends with `newest`, but not if that is this very slot: `set` takes it out first.
        if !self.set(slot, State::Busy) {
            return;
        }
        self.table[index].state = State::Idle { until, older: self.newest, newer: NONE };
        match self.neighbours(self.newest) {
            Some((_, newer)) => *newer = index,
            None => self.oldest = index,
        }
        self.newest = index;
        let host = self.table[index].host;
        self.hosts[host].idle.push_back(index);
    }

    /// The slot of a host that turned idle last, and when it expires.
    pub(super) fn newest_idle(&self, host: usize) -> Option<(SlotId, Instant)> {
        let index = *self.hosts[host].idle.back()?;
        match self.table[index].state {
            State::Idle { until, .. } => Some((self.id(index), until)),
            State::Dialling | State::Busy => None,
        }
    }

    /// The slot that has been idle for longest, of any host.
    pub(super) fn oldest_idle(&self) -> Option<SlotId> {
        (self.oldest != NONE).then(|| self.id(self.oldest))
    }

    /// The idle slots that `choose` takes by expiry and host, the longest idle first.
    pub(super) fn idle_slots(&self, choose: impl Fn(Instant, usize) -> bool) -> Vec<SlotId> {
        self.idle().filter(|(_, until, host)| choose(*until, *host)).map(|(slot, ..)| slot).collect()
    }

    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.idle().map(|(_, until, _)| until).min()
    }

    pub(super) fn snapshot(&self) -> Vec<HostSnapshot<K>> {
        let hosts = self.by_key.iter().map(|(key, &host)| {
            let mut count = HostSnapshot {
                key: key.clone(),
                dialling: 0,
                busy: 0,
                idle: 0,
                waiting: self.hosts[host].waiting.len(),
            };
            for (_, slot) in self.table.iter().filter(|(_, slot)| slot.host == host) {
                match slot.state {
                    State::Dialling => count.dialling += 1,
                    State::Busy => count.busy += 1,
                    State::Idle { .. } => count.idle += 1,
                }
            }
            count
        });
        hosts.collect()
    }

    fn idle(&self) -> impl Iterator<Item = (SlotId, Instant, usize)> + '_ {
        let mut next = self.oldest;
        core::iter::from_fn(move || {
            let slot = self.table.get(next)?;
            let State::Idle { until, newer, .. } = slot.state else { return None };
            let item = (self.id(next), until, slot.host);
            next = newer;
            Some(item)
        })
    }

    fn id(&self, index: usize) -> SlotId {
        SlotId { index: u32::try_from(index).unwrap_or(u32::MAX), stamp: self.table[index].stamp }
    }

    fn get(&self, slot: SlotId) -> Option<&Slot> {
        self.table.get(slot.index()).filter(|entry| entry.stamp == slot.stamp)
    }

    /// Puts a known slot into a state; it leaves the idle if it was among them.
    fn set(&mut self, slot: SlotId, state: State) -> bool {
        let known = self.get(slot).is_some();
        if known {
            self.unlink(slot.index());
            self.table[slot.index()].state = state;
        }
        known
    }

    /// The links of an idle slot.
    fn neighbours(&mut self, index: usize) -> Option<(&mut usize, &mut usize)> {
        match &mut self.table.get_mut(index)?.state {
            State::Idle { older, newer, .. } => Some((older, newer)),
            State::Dialling | State::Busy => None,
        }
    }

    fn unlink(&mut self, index: usize) {
        let State::Idle { older, newer, .. } = self.table[index].state else { return };
        match self.neighbours(older) {
            Some((_, link)) => *link = newer,
            None => self.oldest = newer,
        }
        match self.neighbours(newer) {
            Some((link, _)) => *link = older,
            None => self.newest = older,
        }
        let idle = &mut self.hosts[self.table[index].host].idle;
        // Nearly always the newest (reuse) or the oldest (eviction) of its host.
        if idle.back() == Some(&index) {
            idle.pop_back();
        } else {
            idle.retain(|other| *other != index);
        }
    }
}
