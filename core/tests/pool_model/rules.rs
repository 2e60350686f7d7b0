//! The rules of the pool, stated plainly, and a run of the machine beside them: the same answers and events.
//!
//! Where an operation needs a choice it asks for a number below a bound: a test draws it, a fuzz target reads it.

use std::collections::BTreeMap;
use std::time::Duration;

use callboard_core::Instant;
use callboard_core::pool::{Checkout, Grant, Pool, PoolEvent, PoolLimits, SlotId, WaiterId};

/// What both sides say, with slots and waiters numbered in the order in which they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Reuse(usize),
    Dial(usize),
    Queued(usize),
    Refused,
    Closed,
    Dismissed(usize),
    Close(usize),
    GrantedReuse { waiter: usize, slot: usize },
    GrantedDial { waiter: usize, slot: usize },
}

struct Connection {
    slot: usize,
    host: usize,
    /// Expiry, if idle.
    idle: Option<Instant>,
}

/// The rules, without an index or a link: lists that are searched.
struct Plain {
    limits: PoolLimits,
    /// The idle ones in the order in which they became so.
    open: Vec<Connection>,
    /// Number, host, how often overtaken.
    waiting: Vec<(usize, usize, u32)>,
    slots: usize,
    waiters: usize,
    words: Vec<Word>,
    is_closed: bool,
}

impl Plain {
    fn new_slot(&mut self, host: usize) -> usize {
        self.slots += 1;
        self.open.push(Connection { slot: self.slots, host, idle: None });
        self.slots
    }

    fn is_below(&self, host: usize) -> bool {
        self.open.iter().filter(|open| open.host == host).count() < self.limits.per_host
    }

    fn close(&mut self, slot: usize) {
        self.open.retain(|open| open.slot != slot);
        self.words.push(Word::Close(slot));
    }

    fn has_room(&mut self) -> bool {
        if self.open.len() < self.limits.total {
            return true;
        }
        let oldest = self.open.iter().find(|open| open.idle.is_some()).map(|open| open.slot);
        oldest.inspect(|slot| self.close(*slot)).is_some()
    }

    fn checkout(&mut self, host: usize, now: Instant) {
        if self.is_closed {
            return self.words.push(Word::Closed);
        }
        while let Some(newest) = self.open.iter_mut().rev().find(|open| open.host == host && open.idle.is_some()) {
            let slot = newest.slot;
            if newest.idle.take() > Some(now) {
                self.words.push(Word::Reuse(slot));
                return;
            }
            self.close(slot);
        }
        if self.is_below(host) && self.has_room() {
            let slot = self.new_slot(host);
            self.words.push(Word::Dial(slot));
        } else if self.waiting.len() < self.limits.waiting {
            self.waiters += 1;
            self.waiting.push((self.waiters, host, 0));
            self.words.push(Word::Queued(self.waiters));
        } else {
            self.words.push(Word::Refused);
        }
    }

    fn release(&mut self, slot: usize, now: Instant, hint: Option<Instant>) {
        let position = self.open.iter().position(|open| open.slot == slot).unwrap();
        let mut connection = self.open.remove(position);
        let host = connection.host;
        self.open.push(Connection { slot, host, idle: None });
        let own = self.waiting.iter().position(|(_, of, _)| *of == host);
        let oldest = self.waiting.iter().position(|(_, of, _)| self.is_below(*of));
        match (own, oldest) {
            (Some(own), oldest) if oldest.is_none_or(|oldest| oldest >= own || self.waiting[oldest].2 < 8) => {
                if let Some(oldest) = oldest.filter(|oldest| *oldest < own) {
                    self.waiting[oldest].2 += 1;
                }
                let (waiter, ..) = self.waiting.remove(own);
                self.words.push(Word::GrantedReuse { waiter, slot });
            }
            (_, Some(_)) => self.close(slot),
            _ => {
                let until = hint.unwrap_or(now + self.limits.idle_timeout).min(now + self.limits.idle_timeout);
                if until > now && !self.is_closed {
                    connection.idle = Some(until);
                    self.open.pop();
                    self.open.push(connection);
                } else {
                    self.close(slot);
                }
            }
        }
        self.settle();
    }

    fn settle(&mut self) {
        while let Some(next) = self.waiting.iter().position(|(_, host, _)| self.is_below(*host)) {
            if !self.has_room() {
                return;
            }
            let (waiter, host, _) = self.waiting.remove(next);
            let slot = self.new_slot(host);
            self.words.push(Word::GrantedDial { waiter, slot });
        }
    }

    fn discard(&mut self, slot: usize) {
        self.open.retain(|open| open.slot != slot);
        self.settle();
    }

    /// What a slot granted had died.
    fn replace(&mut self, slot: usize, now: Instant) {
        let host = self.open.iter().find(|open| open.slot == slot).unwrap().host;
        while let Some(newest) = self.open.iter_mut().rev().find(|open| open.host == host && open.idle.is_some()) {
            let other = newest.slot;
            if newest.idle.take() > Some(now) {
                self.discard(slot);
                self.words.push(Word::Reuse(other));
                return;
            }
            self.close(other);
        }
        self.words.push(Word::Dial(slot));
    }

    fn evict(&mut self, host: Option<usize>) {
        let idle = self.open.iter().filter(|open| open.idle.is_some() && host.is_none_or(|host| host == open.host));
        for slot in idle.map(|open| open.slot).collect::<Vec<_>>() {
            self.close(slot);
        }
        self.settle();
    }

    fn end(&mut self) {
        self.is_closed = true;
        let dismissed = self.waiting.drain(..).map(|(waiter, ..)| Word::Dismissed(waiter));
        self.words.extend(dismissed);
        self.evict(None);
    }

    fn timeout(&mut self, now: Instant) {
        let expired = self.open.iter().filter(|open| open.idle.is_some_and(|until| until <= now));
        for slot in expired.map(|open| open.slot).collect::<Vec<_>>() {
            self.close(slot);
        }
        self.settle();
    }
}

/// The machine, its answers put into the same words.
struct Spoken {
    pool: Pool<usize>,
    slots: Vec<SlotId>,
    waiters: Vec<WaiterId>,
    numbers: BTreeMap<SlotId, usize>,
    words: Vec<Word>,
}

impl Spoken {
    fn slot(&mut self, slot: SlotId) -> usize {
        *self.numbers.entry(slot).or_insert_with(|| {
            self.slots.push(slot);
            self.slots.len()
        })
    }

    fn checkout(&mut self, host: usize, now: Instant) {
        let answer = self.pool.checkout(&host, now);
        let closed = self.listen();
        let word = match answer {
            Checkout::Granted(Grant::Reuse(slot)) => Word::Reuse(self.slot(slot)),
            Checkout::Granted(Grant::Dial(slot)) => Word::Dial(self.slot(slot)),
            Checkout::Queued(waiter) => {
                self.waiters.push(waiter);
                Word::Queued(self.waiters.len())
            }
            Checkout::Refused => Word::Refused,
            Checkout::Closed => Word::Closed,
        };
        self.words.extend(closed);
        self.words.push(word);
    }

    fn replace(&mut self, slot: usize, now: Instant) {
        let answer = self.pool.replace(self.slots[slot - 1], now).expect("a slot that is held");
        let heard = self.listen();
        self.words.extend(heard);
        let word = match answer {
            Grant::Reuse(slot) => Word::Reuse(self.slot(slot)),
            Grant::Dial(slot) => Word::Dial(self.slot(slot)),
        };
        self.words.push(word);
    }

    fn waiter(&self, waiter: WaiterId) -> usize {
        self.waiters.iter().position(|id| *id == waiter).unwrap() + 1
    }

    fn listen(&mut self) -> Vec<Word> {
        let mut words = Vec::new();
        while let Some(event) = self.pool.poll_event() {
            words.push(match event {
                PoolEvent::Close(slot) => Word::Close(self.slot(slot)),
                PoolEvent::Dismissed(waiter) => Word::Dismissed(self.waiter(waiter)),
                PoolEvent::Granted { waiter, grant } => {
                    let waiter = self.waiter(waiter);
                    match grant {
                        Grant::Reuse(slot) => Word::GrantedReuse { waiter, slot: self.slot(slot) },
                        Grant::Dial(slot) => Word::GrantedDial { waiter, slot: self.slot(slot) },
                    }
                }
            });
        }
        words
    }
}

/// The machine and the rules, side by side.
pub(crate) struct Both {
    plain: Plain,
    spoken: Spoken,
    now: Instant,
}

/// Gives a number below its argument.
pub(crate) type Choose<'a> = &'a mut dyn FnMut(usize) -> usize;

impl Both {
    pub(crate) fn new(choose: Choose<'_>) -> Self {
        let limits = PoolLimits {
            total: 1 + choose(6),
            per_host: 1 + choose(4),
            waiting: 30,
            idle_timeout: Duration::from_secs(3),
        };
        let plain =
            Plain { limits, open: vec![], waiting: vec![], slots: 0, waiters: 0, words: vec![], is_closed: false };
        let pool = Pool::new(limits);
        let spoken = Spoken { pool, slots: vec![], waiters: vec![], numbers: BTreeMap::new(), words: vec![] };
        Self { plain, spoken, now: Instant::EPOCH }
    }

    /// One operation on both, and all that follows from it.
    pub(crate) fn step(&mut self, choose: Choose<'_>) {
        let host = choose(4);
        let (idle, busy): (Vec<_>, Vec<_>) = self.plain.open.iter().partition(|open| open.idle.is_some());
        let numbers = |slots: Vec<&Connection>| slots.iter().map(|open| open.slot).collect::<Vec<usize>>();
        let (idle, busy) = (numbers(idle), numbers(busy));
        let now = self.now;
        match choose(14) {
            0..=3 => {
                self.plain.checkout(host, now);
                self.spoken.checkout(host, now);
            }
            4..=6 if !busy.is_empty() => {
                let slot = busy[choose(busy.len())];
                let hint = (choose(4) == 0).then(|| now + Duration::from_secs(choose(3) as u64));
                self.plain.release(slot, now, hint);
                self.spoken.pool.release(self.spoken.slots[slot - 1], now, hint);
            }
            7 if !busy.is_empty() => {
                let slot = busy[choose(busy.len())];
                self.plain.discard(slot);
                self.spoken.pool.discard(self.spoken.slots[slot - 1]);
            }
            8 if !busy.is_empty() => {
                let slot = busy[choose(busy.len())];
                self.plain.replace(slot, now);
                self.spoken.replace(slot, now);
            }
            9 if !busy.is_empty() => {
                let slot = self.spoken.slots[busy[choose(busy.len())] - 1];
                assert!(self.spoken.pool.redial(slot), "its holder may dial anew");
                self.spoken.pool.dialled(slot);
            }
            10 if !self.plain.waiting.is_empty() => {
                let position = choose(self.plain.waiting.len());
                let (waiter, ..) = self.plain.waiting.remove(position);
                self.spoken.pool.cancel(self.spoken.waiters[waiter - 1]);
            }
            11 => {
                let host = (choose(2) == 0).then_some(host);
                self.plain.evict(host);
                self.spoken.pool.evict(host.as_ref());
            }
            13 if choose(60) == 0 => {
                self.plain.end();
                self.spoken.pool.close();
            }
            12 if !idle.is_empty() => self.misuse(idle[choose(idle.len())]),
            _ => {
                self.now = now + Duration::from_secs(1);
                self.plain.timeout(self.now);
                self.spoken.pool.handle_timeout(self.now);
            }
        }
        let heard = self.spoken.listen();
        self.spoken.words.extend(heard);
    }

    /// Commands about a slot that nobody holds change nothing.
    fn misuse(&mut self, slot: usize) {
        let slot = self.spoken.slots[slot - 1];
        self.spoken.pool.dialled(slot);
        self.spoken.pool.release(slot, self.now, None);
        assert!(!self.spoken.pool.redial(slot));
        assert_eq!(self.spoken.pool.replace(slot, self.now), None);
    }

    /// Both said the same and hold the same. `what`: where in the run, for people.
    pub(crate) fn compare(&mut self, what: &str) {
        let (plain, spoken) = (&mut self.plain, &mut self.spoken);
        assert_eq!(spoken.words, plain.words, "{what}");
        plain.words.clear();
        spoken.words.clear();
        let snapshot = spoken.pool.snapshot();
        let idle = plain.open.iter().filter(|open| open.idle.is_some()).count();
        let counts = (snapshot.open(), snapshot.idle(), snapshot.waiting());
        assert_eq!(counts, (plain.open.len(), idle, plain.waiting.len()), "{what}");
        assert_eq!(spoken.pool.is_closed(), plain.is_closed, "{what}");
        assert_eq!(spoken.pool.is_empty(), plain.open.is_empty() && plain.waiting.is_empty(), "{what}");
        let known =
            |host: &callboard_core::pool::HostSnapshot<usize>| host.dialling + host.busy + host.idle + host.waiting > 0;
        assert!(snapshot.hosts.iter().all(known), "a host without slots and waiters is known: {what}");
        let expiry = plain.open.iter().filter_map(|open| open.idle).min();
        assert!(spoken.pool.poll_timeout() <= expiry || expiry.is_none(), "a late timeout: {what}");
        assert!(spoken.pool.poll_timeout().is_some() || expiry.is_none(), "no timeout: {what}");
    }
}
