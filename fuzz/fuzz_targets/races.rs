//! Any course of a race between addresses, and of look-ups in a cache: each address starts once and in its time, who
//! still runs is cancelled, whoever waits gets one answer, and what is kept stays within its limits.
//!
//! Each byte of the input is a choice; an input that is used up ends the run.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use callboard_core::Instant;
use callboard_core::happy_eyeballs::{
    AttemptId, Family, LEAST_ATTEMPT_DELAY, Race, RaceEvent, RaceSettings, RaceState,
};
use callboard_core::resolver_cache::{CacheSettings, Lookup, LookupId, LookupWaiter, ResolverCache};
use libfuzzer_sys::fuzz_target;

const MILLISECOND: Duration = Duration::from_millis(1);

fuzz_target!(|bytes: &[u8]| {
    let Some((&control, rest)) = bytes.split_first() else { return };
    if control % 2 == 0 { Course::run(control, rest) } else { Asked::run(control, rest) }
});

fn address(number: u8) -> SocketAddr {
    let ip =
        if number & 1 == 0 { [192, 0, 2, number].into() } else { format!("2001:db8::{number:x}").parse().unwrap() };
    SocketAddr::new(ip, 80)
}

/// A race, and what was seen of it.
struct Course {
    race: Race<u8>,
    settings: RaceSettings,
    now: Instant,
    started: Vec<(AttemptId, SocketAddr)>,
    running: BTreeSet<AttemptId>,
    offered: BTreeSet<SocketAddr>,
    last_start: Option<Instant>,
    /// An attempt has failed, so that the next may start.
    has_failed: bool,
}

impl Course {
    fn run(control: u8, bytes: &[u8]) {
        let delay = [None, Some(Duration::ZERO), Some(20 * MILLISECOND), Some(250 * MILLISECOND)];
        let settings = RaceSettings {
            attempt_delay: delay[usize::from(control >> 1 & 3)],
            first_family: usize::from(control >> 3 & 3),
            prefers: [None, None, Some(Family::V4), Some(Family::V6)][usize::from(control >> 5 & 3)],
            addresses: 12,
            ..RaceSettings::default()
        };
        let mut course = Self {
            race: Race::resolving(settings),
            settings,
            now: Instant::EPOCH,
            started: Vec::new(),
            running: BTreeSet::new(),
            offered: BTreeSet::new(),
            last_start: None,
            has_failed: false,
        };
        for pair in bytes.chunks_exact(2) {
            course.step(pair[0], pair[1]);
            course.listen();
            course.check();
        }
        course.finish();
    }

    fn step(&mut self, what: u8, which: u8) {
        let attempt = self.started.get(usize::from(which) % self.started.len().max(1)).map(|(attempt, _)| *attempt);
        match (what % 8, attempt) {
            (0 | 1, _) => {
                let addresses = (0..which % 4).map(|turn| address(which.wrapping_add(turn.wrapping_mul(7))));
                self.offered.extend(addresses.clone());
                self.race.add(addresses, self.now);
            }
            (2, _) if which > 200 => self.race.resolved(self.now),
            (3, Some(attempt)) => {
                let failures = self.race.failures().len();
                self.race.failed(attempt, which, self.now);
                let counts = self.running.remove(&attempt) && self.race.failures().len() == failures + 1;
                assert!(counts || self.race.failures().len() == failures, "a failure of one that does not run counts");
                self.has_failed |= counts;
            }
            (4, Some(attempt)) if which > 220 => {
                let state = self.race.state();
                let won = self.race.connected(attempt);
                assert_eq!(won, state == RaceState::Running && self.running.contains(&attempt));
                if won {
                    self.running.remove(&attempt);
                    assert_eq!(self.race.state(), RaceState::Won(attempt));
                }
            }
            (5, _) if which > 250 => self.race.cancel(),
            _ => {
                self.now = self.now + u32::from(which) * MILLISECOND;
                self.race.handle_timeout(self.now);
            }
        }
    }

    fn listen(&mut self) {
        let delay = self.settings.attempt_delay.map(|delay| delay.max(LEAST_ATTEMPT_DELAY));
        while let Some(event) = self.race.poll_event() {
            match event {
                RaceEvent::Start { attempt, address } => {
                    assert_eq!(attempt.number(), self.started.len());
                    assert!(self.offered.contains(&address), "{address} was never offered");
                    assert!(self.started.iter().all(|(_, other)| *other != address), "{address} starts twice");
                    let in_time = match (self.last_start, delay) {
                        _ if self.has_failed || self.running.is_empty() => true,
                        (Some(last), Some(delay)) => self.now >= last + delay,
                        _ => false,
                    };
                    assert!(in_time, "{address} starts too early");
                    self.has_failed = false;
                    self.last_start = Some(self.now);
                    self.started.push((attempt, address));
                    self.running.insert(attempt);
                }
                RaceEvent::Cancel(attempt) => {
                    assert!(self.running.remove(&attempt), "one that does not run is cancelled");
                    assert_ne!(self.race.state(), RaceState::Running);
                }
            }
        }
    }

    fn check(&self) {
        assert_eq!(self.race.running(), self.running.len());
        assert!(self.started.len() + self.race.waiting() <= self.settings.addresses);
        match self.race.state() {
            RaceState::Running if self.running.is_empty() => {
                assert!(self.race.poll_timeout().is_some() || self.race.waiting() == 0, "nothing will ever happen");
            }
            RaceState::Running => {}
            RaceState::Lost => assert_eq!(self.race.failures().len(), self.started.len(), "lost, but not all failed"),
            RaceState::Won(_) | RaceState::Cancelled => {
                assert!(self.running.is_empty() && self.race.waiting() == 0);
                assert_eq!(self.race.poll_timeout(), None);
            }
        }
    }

    /// Whatever has happened, the race ends if the look-up ends and everything fails.
    fn finish(mut self) {
        self.race.resolved(self.now);
        self.listen();
        while self.race.state() == RaceState::Running {
            if let Some(attempt) = self.running.first().copied() {
                self.running.remove(&attempt);
                self.race.failed(attempt, 0, self.now);
                self.has_failed = true;
            } else {
                self.now = self.race.poll_timeout().expect("a race without an end");
                self.race.handle_timeout(self.now);
            }
            self.listen();
            self.check();
        }
    }
}

/// A cache, and who asked it for what.
struct Asked {
    cache: ResolverCache<u8, u8>,
    settings: CacheSettings,
    now: Instant,
    lookups: Vec<LookupId>,
    /// The name that is looked up, and who waits.
    under_way: BTreeMap<LookupId, (u8, BTreeSet<LookupWaiter>)>,
    /// Who is to get what; the answer of a success is given in any turn.
    owed: BTreeMap<LookupWaiter, Result<u8, u8>>,
    /// The look-up whose answer is kept.
    current: BTreeMap<u8, LookupId>,
    /// What may be given at once: when it was answered.
    kept: BTreeMap<u8, (Result<u8, u8>, Instant)>,
}

impl Asked {
    fn run(control: u8, bytes: &[u8]) {
        let settings = CacheSettings {
            ttl: [None, Some(Duration::ZERO), Some(100 * MILLISECOND)][usize::from(control >> 1) % 3],
            failure_ttl: [Duration::ZERO, 20 * MILLISECOND][usize::from(control >> 3 & 1)],
            names: usize::from(control >> 4 & 3),
        };
        let mut asked = Self {
            cache: ResolverCache::new(settings),
            settings,
            now: Instant::EPOCH,
            lookups: Vec::new(),
            under_way: BTreeMap::new(),
            owed: BTreeMap::new(),
            current: BTreeMap::new(),
            kept: BTreeMap::new(),
        };
        for pair in bytes.chunks_exact(2) {
            asked.step(pair[0], pair[1]);
            if pair[0] & 0x80 == 0 {
                asked.listen();
            }
            assert!(asked.cache.len() <= settings.names && asked.cache.lookups() == asked.under_way.len());
        }
        asked.listen();
        assert!(asked.owed.is_empty(), "somebody gets no answer");
    }

    fn step(&mut self, what: u8, which: u8) {
        let id = self.lookups.get(usize::from(which >> 3) % self.lookups.len().max(1)).copied();
        match (what % 8, id) {
            (0..=2, _) => self.look_up(which % 5),
            (3, Some(id)) => self.answer(id, which),
            (4, Some(id)) => {
                let waiter = self.under_way.get_mut(&id).and_then(|(_, waiters)| waiters.pop_first());
                if let Some(waiter) = waiter.or_else(|| self.owed.pop_first().map(|(waiter, _)| waiter)) {
                    self.cache.cancel(waiter);
                }
            }
            (5, Some(id)) if which > 200 => {
                self.cache.abandon(id);
                self.under_way.remove(&id);
                self.current.retain(|_, other| *other != id);
            }
            (6, _) if which > 200 => {
                self.cache.clear();
                (self.kept, self.current) = (BTreeMap::new(), BTreeMap::new());
            }
            (6, _) => {
                self.cache.clear_key(&(which % 5));
                self.kept.remove(&(which % 5));
                self.current.remove(&(which % 5));
            }
            _ => self.now = self.now + u32::from(which) * MILLISECOND,
        }
    }

    fn look_up(&mut self, name: u8) {
        match self.cache.look_up(&name, self.now) {
            Lookup::Known(answer) => {
                let (kept, since) = self.kept.get(&name).expect("nobody has answered that");
                assert_same(&answer, kept);
                let ttl = if answer.is_ok() { self.settings.ttl } else { Some(self.settings.failure_ttl) };
                assert!(ttl.is_none_or(|ttl| self.now < *since + ttl), "it is too old");
            }
            Lookup::Start(id, waiter) => {
                self.lookups.push(id);
                assert_eq!(self.current.insert(name, id), None, "it is looked up twice at a time");
                assert!(self.under_way.insert(id, (name, BTreeSet::from([waiter]))).is_none());
            }
            Lookup::Wait(id, waiter) => {
                let (of, waiters) = self.under_way.get_mut(&id).expect("that look-up is over");
                assert!(*of == name && waiters.insert(waiter), "the answer of another");
            }
        }
    }

    fn answer(&mut self, id: LookupId, which: u8) {
        let answer = if which & 7 == 7 { Err(which) } else { Ok(which & 7) };
        let full = answer.map(|count| (0..count).map(address).collect());
        self.cache.answer(id, full, self.now);
        let Some((name, waiters)) = self.under_way.remove(&id) else { return };
        self.owed.extend(waiters.into_iter().map(|waiter| (waiter, answer)));
        if self.current.get(&name) == Some(&id) {
            self.current.remove(&name);
            self.kept.insert(name, (answer, self.now));
        }
    }

    fn listen(&mut self) {
        while let Some(event) = self.cache.poll_event() {
            let owed = self.owed.remove(&event.waiter).expect("somebody is answered who does not wait");
            assert_same(&event.answer, &owed);
        }
    }
}

/// The same addresses, whatever their turn.
fn assert_same(given: &Result<Vec<SocketAddr>, u8>, kept: &Result<u8, u8>) {
    match (given, kept) {
        (Ok(given), Ok(count)) => {
            let given: BTreeSet<_> = given.iter().copied().collect();
            assert_eq!(given, (0..*count).map(address).collect());
        }
        (Err(given), Err(kept)) => assert_eq!(given, kept),
        other => panic!("{other:?}"),
    }
}
