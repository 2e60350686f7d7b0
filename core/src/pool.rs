//! The pool machine: which request may use or dial which connection, and who waits.
//!
//! It owns no connection: it hands out slot ids, and its host keeps what they stand for. Limits hold in total and per
//! host; a slot is held from before the dial, so a cancelled dial leaks nothing. Waiters are served in the order in
//! which they came; idle connections are reused newest first and close when they have been idle for long.
//! The parts are in `pool/`: `slots` (the table and the order of the idle) and `waiters` (who is next).

mod slots;
mod waiters;

use alloc::borrow::ToOwned;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::time::Duration;

use crate::Instant;

use slots::Slots;
use waiters::Waiters;

pub use slots::SlotId;
pub use waiters::WaiterId;

/// The limits of a pool, each finite by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLimits {
    /// Connections in total: idle, in use and being dialled. Default 100; at least 1.
    pub total: usize,
    /// Connections to one host. Default 100; at least 1.
    pub per_host: usize,
    /// Requests that may wait for a connection. Default 65,536.
    pub waiting: usize,
    /// How long a connection may be idle. Default 15 s, below the limits of common servers (nginx 75 s, Apache and
    /// Node 5 s with a hint in `Keep-Alive`), so that we close first.
    pub idle_timeout: Duration,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self { total: 100, per_host: 100, waiting: 65_536, idle_timeout: Duration::from_secs(15) }
    }
}

/// Leave to use a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Use the idle connection of this slot; first look whether it still lives.
    Reuse(SlotId),
    /// Dial; the slot holds the place meanwhile. Then [`Pool::dialled`] or [`Pool::discard`].
    Dial(SlotId),
}

impl Grant {
    /// The slot that is held from now on.
    pub fn slot(self) -> SlotId {
        match self {
            Self::Reuse(slot) | Self::Dial(slot) => slot,
        }
    }
}

/// The answer to [`Pool::checkout`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkout {
    /// Go ahead.
    Granted(Grant),
    /// A limit is reached: a [`PoolEvent::Granted`] will follow. [`Pool::cancel`] withdraws.
    Queued(WaiterId),
    /// Too many wait already: [`PoolLimits::waiting`].
    Refused,
    /// [`Pool::close`] was called.
    Closed,
}

/// What the pool asks its host to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolEvent {
    /// This waiter may go ahead; it waits no longer.
    Granted {
        /// Who waited.
        waiter: WaiterId,
        /// What it got.
        grant: Grant,
    },
    /// This waiter gets nothing: the pool was closed. It waits no longer.
    Dismissed(WaiterId),
    /// Close the connection that was idle in this slot: expired, evicted for another host, or the pool was closed. The
    /// slot is gone.
    Close(SlotId),
}

/// What a pool holds at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolSnapshot<K> {
    /// By host, in the order of the keys.
    pub hosts: Vec<HostSnapshot<K>>,
}

/// The connections of one host at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSnapshot<K> {
    /// The host.
    pub key: K,
    /// Connections being dialled.
    pub dialling: usize,
    /// Connections in use.
    pub busy: usize,
    /// Connections kept for reuse.
    pub idle: usize,
    /// Requests that wait.
    pub waiting: usize,
}

impl<K> PoolSnapshot<K> {
    /// Connections of all hosts: dialling, busy and idle.
    pub fn open(&self) -> usize {
        self.hosts.iter().map(|host| host.dialling + host.busy + host.idle).sum()
    }

    /// Idle connections of all hosts.
    pub fn idle(&self) -> usize {
        self.hosts.iter().map(|host| host.idle).sum()
    }

    /// Requests that wait, for all hosts.
    pub fn waiting(&self) -> usize {
        self.hosts.iter().map(|host| host.waiting).sum()
    }
}

/// Connections by host key, as slots.
///
/// ```
/// use callboard_core::Instant;
/// use callboard_core::pool::{Checkout, Grant, Pool, PoolEvent, PoolLimits};
///
/// let mut pool: Pool<String> = Pool::new(PoolLimits { total: 1, ..PoolLimits::default() });
/// let now = Instant::EPOCH;
/// let Checkout::Granted(Grant::Dial(first)) = pool.checkout("a", now) else { unreachable!() };
/// pool.dialled(first);
/// let Checkout::Queued(waiter) = pool.checkout("a", now) else { unreachable!() };
/// pool.release(first, now, None);
/// assert_eq!(pool.poll_event(), Some(PoolEvent::Granted { waiter, grant: Grant::Reuse(first) }));
/// ```
#[derive(Debug)]
pub struct Pool<K> {
    limits: PoolLimits,
    slots: Slots<K>,
    waiters: Waiters,
    events: VecDeque<PoolEvent>,
    /// Not later than the first expiry of an idle slot.
    sweep: Option<Instant>,
    is_closed: bool,
}

impl<K: Ord + Clone> Pool<K> {
    /// An empty pool.
    pub fn new(limits: PoolLimits) -> Self {
        let limits = PoolLimits { total: limits.total.max(1), per_host: limits.per_host.max(1), ..limits };
        let (slots, waiters, events) = (Slots::new(), Waiters::new(), VecDeque::new());
        Self { limits, slots, waiters, events, sweep: None, is_closed: false }
    }

    /// The limits in force.
    pub fn limits(&self) -> &PoolLimits {
        &self.limits
    }

    /// Asks for a connection to `key`.
    pub fn checkout<Q>(&mut self, key: &Q, now: Instant) -> Checkout
    where
        K: Borrow<Q>,
        Q: Ord + ToOwned<Owned = K> + ?Sized,
    {
        if self.is_closed {
            return Checkout::Closed;
        }
        let host = self.slots.host(key);
        if let Some(slot) = self.reuse(host, now) {
            return Checkout::Granted(Grant::Reuse(slot));
        }
        if self.slots.open_of(host) < self.limits.per_host && self.has_room() {
            return Checkout::Granted(Grant::Dial(self.slots.insert(host)));
        }
        if self.waiters.len() >= self.limits.waiting {
            self.slots.forget_if_unused(host);
            return Checkout::Refused;
        }
        let waiter = self.waiters.push(host);
        self.slots.host_mut(host).waiting.insert(waiter);
        self.list(host);
        Checkout::Queued(waiter)
    }

    /// A dial succeeded: the slot is in use.
    pub fn dialled(&mut self, slot: SlotId) {
        if !self.slots.is_idle(slot) {
            self.slots.set_busy(slot);
        }
    }

    /// A connection can be used again. It goes to whoever waits for its host, else it turns idle until `now` +
    /// [`PoolLimits::idle_timeout`], or `until` if that is earlier (what the server said in `Keep-Alive`).
    pub fn release(&mut self, slot: SlotId, now: Instant, until: Option<Instant>) {
        let Some(host) = self.slots.host_of(slot) else { return };
        if self.slots.is_idle(slot) {
            return;
        }
        let front = self.slots.host_mut(host).waiting.first().copied();
        match self.waiters.next_for(front) {
            // Nobody waits who could use it.
            None => {
                let longest = now + self.limits.idle_timeout;
                let until = until.map_or(longest, |until| until.min(longest));
                if until <= now || self.is_closed {
                    self.shut(slot);
                } else {
                    self.slots.set_idle(slot, until);
                    self.sweep = Some(self.sweep.map_or(until, |sweep| sweep.min(until)));
                }
            }
            Some(waiter) if Some(waiter) == front => {
                self.slots.set_busy(slot);
                self.grant(waiter, Grant::Reuse(slot));
            }
            // The oldest waiter is for another host, and its turn has come: the place is what it needs.
            Some(_) => self.shut(slot),
        }
        self.settle();
    }

    /// The connection, or the dial, of this slot is gone: the place is free.
    pub fn discard(&mut self, slot: SlotId) {
        self.free(slot);
        self.settle();
    }

    /// The idle connection that this slot granted had died: another one of its host, or leave to dial in its place.
    /// `None` if nobody holds the slot.
    pub fn replace(&mut self, slot: SlotId, now: Instant) -> Option<Grant> {
        let host = self.slots.host_of(slot).filter(|_| !self.slots.is_idle(slot))?;
        if let Some(other) = self.reuse(host, now) {
            self.discard(slot);
            return Some(Grant::Reuse(other));
        }
        self.redial(slot).then_some(Grant::Dial(slot))
    }

    /// The connection of this slot is gone, and its holder dials anew in its place. False if nobody holds the slot.
    pub fn redial(&mut self, slot: SlotId) -> bool {
        !self.slots.is_idle(slot) && self.slots.set_dialling(slot)
    }

    /// A waiter gives up before it was granted anything. (Afterwards it has a slot to release or discard.)
    pub fn cancel(&mut self, waiter: WaiterId) {
        if let Some(host) = self.waiters.remove(waiter) {
            self.slots.host_mut(host).waiting.remove(&waiter);
            self.list(host);
            self.slots.forget_if_unused(host);
        }
    }

    /// Closes what is idle: of one host, or of all.
    pub fn evict<Q>(&mut self, key: Option<&Q>)
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let host = match key.map(|key| self.slots.find(key)) {
            Some(None) => return,
            Some(host) => host,
            None => None,
        };
        for slot in self.slots.idle_slots(|_, of| host.is_none_or(|host| host == of)) {
            self.shut(slot);
        }
        self.settle();
    }

    /// Ends the pool, for ever: who waits is dismissed, what is idle closes, and nobody gets a slot any more. A slot
    /// that is held stays its holder's; released, its connection closes.
    pub fn close(&mut self) {
        self.is_closed = true;
        while let Some((waiter, host)) = self.waiters.pop_first() {
            self.slots.host_mut(host).waiting.remove(&waiter);
            self.list(host);
            self.slots.forget_if_unused(host);
            self.events.push_back(PoolEvent::Dismissed(waiter));
        }
        for slot in self.slots.idle_slots(|_, _| true) {
            self.shut(slot);
        }
        self.sweep = None;
    }

    /// Whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Closes what has been idle for too long. An early call is harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.sweep.is_none_or(|sweep| sweep > now) {
            return;
        }
        for slot in self.slots.idle_slots(|until, _| until <= now) {
            self.shut(slot);
        }
        self.sweep = self.slots.next_expiry();
        self.settle();
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due. It may be earlier than needed, never later.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.sweep
    }

    /// What to do next, if anything.
    pub fn poll_event(&mut self) -> Option<PoolEvent> {
        self.events.pop_front()
    }

    /// Whether nothing is open and nobody waits.
    pub fn is_empty(&self) -> bool {
        self.slots.open() == 0 && self.waiters.len() == 0
    }

    /// What it holds now.
    pub fn snapshot(&self) -> PoolSnapshot<K> {
        PoolSnapshot { hosts: self.slots.snapshot() }
    }

    /// The newest idle slot of a host that has not expired; expired ones close.
    fn reuse(&mut self, host: usize, now: Instant) -> Option<SlotId> {
        loop {
            let (slot, until) = self.slots.newest_idle(host)?;
            if until > now {
                self.slots.set_busy(slot);
                return Some(slot);
            }
            // The host stays known: a checkout or another slot of it is in hand.
            self.slots.remove(slot);
            self.list(host);
            self.events.push_back(PoolEvent::Close(slot));
        }
    }

    /// Room for one more connection, made by closing the longest idle one if need be.
    fn has_room(&mut self) -> bool {
        if self.slots.open() < self.limits.total {
            return true;
        }
        match self.slots.oldest_idle() {
            Some(slot) => {
                self.shut(slot);
                true
            }
            None => false,
        }
    }

    /// Gives free places to waiters, the oldest first.
    fn settle(&mut self) {
        while let Some((waiter, host)) = self.waiters.oldest_listed() {
            if !self.has_room() {
                return;
            }
            let slot = self.slots.insert(host);
            self.grant(waiter, Grant::Dial(slot));
        }
    }

    fn grant(&mut self, waiter: WaiterId, grant: Grant) {
        if let Some(host) = self.waiters.remove(waiter) {
            self.slots.host_mut(host).waiting.remove(&waiter);
            self.list(host);
            self.events.push_back(PoolEvent::Granted { waiter, grant });
        }
    }

    fn shut(&mut self, slot: SlotId) {
        self.free(slot);
        self.events.push_back(PoolEvent::Close(slot));
    }

    fn free(&mut self, slot: SlotId) {
        if let Some(host) = self.slots.remove(slot) {
            self.list(host);
            self.slots.forget_if_unused(host);
        }
    }

    /// Lists the first waiter of a host for the next free place, unless the host is at its own limit.
    fn list(&mut self, host: usize) {
        let below = self.slots.open_of(host) < self.limits.per_host;
        let entry = self.slots.host_mut(host);
        let front = entry.waiting.first().copied().filter(|_| below);
        if entry.listed != front {
            let before = core::mem::replace(&mut entry.listed, front);
            self.waiters.list(before, front, host);
        }
    }
}
