//! The pool machine against a plain statement of its rules: random operations, the same answers and events.

use std::collections::BTreeMap;
use std::time::Duration;

use callboard_core::pool::{Checkout, Grant, Pool, PoolEvent, PoolLimits, SlotId, WaiterId};
use callboard_core::{Instant, Random};

/// What both sides say, with slots and waiters numbered in the order in which they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Reuse(usize),
    Dial(usize),
    Queued(usize),
    Refused,
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
                if until > now {
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
        };
        self.words.extend(closed);
        self.words.push(word);
    }

    fn listen(&mut self) -> Vec<Word> {
        let mut words = Vec::new();
        while let Some(event) = self.pool.poll_event() {
            words.push(match event {
                PoolEvent::Close(slot) => Word::Close(self.slot(slot)),
                PoolEvent::Granted { waiter, grant } => {
                    let waiter = self.waiters.iter().position(|id| *id == waiter).unwrap() + 1;
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

/// One random operation on both.
fn step(random: &mut Random, now: &mut Instant, plain: &mut Plain, spoken: &mut Spoken) {
    let host = usize::try_from(random.below(4)).unwrap();
    let busy: Vec<usize> = plain.open.iter().filter(|open| open.idle.is_none()).map(|open| open.slot).collect();
    let pick = |count: usize, random: &mut Random| usize::try_from(random.below(count as u64)).unwrap();
    match random.below(8) {
        0..=2 => {
            plain.checkout(host, *now);
            spoken.checkout(host, *now);
        }
        3 | 4 if !busy.is_empty() => {
            let slot = busy[pick(busy.len(), random)];
            let hint = (random.below(4) == 0).then(|| *now + Duration::from_secs(random.below(3)));
            plain.release(slot, *now, hint);
            spoken.pool.release(spoken.slots[slot - 1], *now, hint);
        }
        5 if !busy.is_empty() => {
            let slot = busy[pick(busy.len(), random)];
            plain.open.retain(|open| open.slot != slot);
            plain.settle();
            spoken.pool.discard(spoken.slots[slot - 1]);
        }
        6 if !plain.waiting.is_empty() => {
            let position = pick(plain.waiting.len(), random);
            let (waiter, ..) = plain.waiting.remove(position);
            spoken.pool.cancel(spoken.waiters[waiter - 1]);
        }
        _ => {
            *now = *now + Duration::from_secs(1);
            plain.timeout(*now);
            spoken.pool.handle_timeout(*now);
        }
    }
    let heard = spoken.listen();
    spoken.words.extend(heard);
}

#[test]
fn random_operations_give_the_answers_of_the_plain_rules() {
    for seed in 0..400 {
        let mut random = Random::from_seed(seed);
        let limits = PoolLimits {
            total: 1 + usize::try_from(random.below(6)).unwrap(),
            per_host: 1 + usize::try_from(random.below(4)).unwrap(),
            waiting: 30,
            idle_timeout: Duration::from_secs(3),
        };
        let mut plain = Plain { limits, open: vec![], waiting: vec![], slots: 0, waiters: 0, words: vec![] };
        let mut spoken =
            Spoken { pool: Pool::new(limits), slots: vec![], waiters: vec![], numbers: BTreeMap::new(), words: vec![] };
        let mut now = Instant::EPOCH;
        for turn in 0..400 {
            step(&mut random, &mut now, &mut plain, &mut spoken);
            assert_eq!(spoken.words, plain.words, "seed {seed}, turn {turn}");
            plain.words.clear();
            spoken.words.clear();
            let snapshot = spoken.pool.snapshot();
            let idle = plain.open.iter().filter(|open| open.idle.is_some()).count();
            let counts = (snapshot.open(), snapshot.idle(), snapshot.waiting());
            assert_eq!(counts, (plain.open.len(), idle, plain.waiting.len()), "seed {seed}, turn {turn}");
            let expiry = plain.open.iter().filter_map(|open| open.idle).min();
            assert!(spoken.pool.poll_timeout() <= expiry || expiry.is_none(), "a late timeout: seed {seed}");
            assert!(spoken.pool.poll_timeout().is_some() || expiry.is_none(), "no timeout: seed {seed}");
        }
    }
}
