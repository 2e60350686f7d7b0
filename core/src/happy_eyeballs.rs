//! Which address to try next, and when (RFC 8305): a race of attempts to connect, of which the first to succeed wins.
//!
//! The families take turns, the next attempt starts when the last has had its time or any has failed, and what still
//! runs when one has won is cancelled. The machine owns no socket: its host starts what [`RaceEvent`] says and reports.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;
use core::mem;
use core::net::SocketAddr;
use core::time::Duration;

use crate::Instant;

/// The least that an attempt may be given before the next (RFC 8305 §5).
pub const LEAST_ATTEMPT_DELAY: Duration = Duration::from_millis(10);

/// A family of addresses.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Family {
    /// IPv6.
    V6,
    /// IPv4.
    V4,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V6 => "IPv6",
            Self::V4 => "IPv4",
        })
    }
}

impl Family {
    /// The family of an address.
    pub const fn of(address: &SocketAddr) -> Self {
        if address.is_ipv6() { Self::V6 } else { Self::V4 }
    }

    const fn other(self) -> Self {
        match self {
            Self::V6 => Self::V4,
            Self::V4 => Self::V6,
        }
    }
}

/// How a race is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RaceSettings {
    /// How long an attempt runs alone before the next joins it (RFC 8305 §5). Default 250 ms; what is below
    /// [`LEAST_ATTEMPT_DELAY`] counts as that. `None`: the next starts only when the last has failed.
    pub attempt_delay: Option<Duration>,
    /// How long to wait for addresses of the preferred family when those of the other came first (§3). Default 50 ms.
    pub resolution_delay: Duration,
    /// How many addresses of the preferred family come first, before the families take turns (§4). Default 1; 0 counts
    /// as 1.
    pub first_family: usize,
    /// The preferred family. Default `None`: that of the first address of a whole answer, for its order is the
    /// resolver's (RFC 6724); IPv6 while a look-up goes on.
    pub prefers: Option<Family>,
    /// The one family whose addresses are tried; others are ignored. Default `None`: both are.
    pub only: Option<Family>,
    /// Addresses that are tried at most; more are ignored. Default 64.
    pub addresses: usize,
}

impl Default for RaceSettings {
    fn default() -> Self {
        Self {
            attempt_delay: Some(Duration::from_millis(250)),
            resolution_delay: Duration::from_millis(50),
            first_family: 1,
            prefers: None,
            only: None,
            addresses: 64,
        }
    }
}

/// Tells the attempts of one race apart: counted from 0 in the order in which they start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AttemptId(usize);

impl AttemptId {
    /// Its number.
    pub const fn number(self) -> usize {
        self.0
    }
}

/// What the race asks its host to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RaceEvent {
    /// Begin to connect; then [`Race::connected`] or [`Race::failed`].
    Start {
        /// Which attempt this is.
        attempt: AttemptId,
        /// Where to.
        address: SocketAddr,
    },
    /// Give this attempt up: another has won, or the race was cancelled.
    Cancel(AttemptId),
}

/// How far a race has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RaceState {
    /// It goes on.
    Running,
    /// This attempt has connected.
    Won(AttemptId),
    /// Every address failed, or there was none.
    Lost,
    /// [`Race::cancel`].
    Cancelled,
}

/// A race. `E` is the host's error of an attempt; the race keeps all of them.
///
/// ```
/// use callboard_core::Instant;
/// use callboard_core::happy_eyeballs::{Race, RaceEvent, RaceSettings, RaceState};
/// use core::time::Duration;
///
/// let addresses = ["[2001:db8::1]:80", "192.0.2.1:80"].map(|text| text.parse().unwrap());
/// let start = Instant::EPOCH;
/// let mut race = Race::<&str>::new(addresses, RaceSettings::default(), start);
/// let Some(RaceEvent::Start { attempt: first, address }) = race.poll_event() else { unreachable!() };
/// assert_eq!((address, race.poll_event()), (addresses[0], None));
///
/// // Nothing came of it in time: the other family joins in, and wins.
/// let later = start + Duration::from_millis(250);
/// assert_eq!(race.poll_timeout(), Some(later));
/// race.handle_timeout(later);
/// let Some(RaceEvent::Start { attempt: second, .. }) = race.poll_event() else { unreachable!() };
/// assert!(race.connected(second));
/// assert_eq!(race.poll_event(), Some(RaceEvent::Cancel(first)));
/// assert_eq!(race.state(), RaceState::Won(second));
/// ```
#[derive(Clone, Debug)]
pub struct Race<E> {
    settings: RaceSettings,
    /// Not started yet, in the order of the resolver.
    waiting: [VecDeque<SocketAddr>; 2],
    /// Started, in order, with whether they still run.
    attempts: Vec<(SocketAddr, bool)>,
    failures: Vec<(SocketAddr, E)>,
    events: VecDeque<RaceEvent>,
    state: RaceState,
    /// No more addresses come.
    is_resolved: bool,
    /// The next attempt is due, at the latest.
    due: Option<Instant>,
    preferred: Option<Family>,
    /// Attempts of the preferred family before the first of the other.
    lead: usize,
    last: Option<Family>,
}

impl<E> Race<E> {
    /// A race to these addresses, in the order of the resolver.
    pub fn new(addresses: impl IntoIterator<Item = SocketAddr>, settings: RaceSettings, now: Instant) -> Self {
        let mut race = Self::resolving(settings);
        race.is_resolved = true;
        race.take(addresses);
        race.advance(now);
        race
    }

    /// A race to addresses that are still being looked up: [`add`](Self::add) them as they come.
    pub fn resolving(settings: RaceSettings) -> Self {
        Self {
            settings,
            waiting: [VecDeque::new(), VecDeque::new()],
            attempts: Vec::new(),
            failures: Vec::new(),
            events: VecDeque::new(),
            state: RaceState::Running,
            is_resolved: false,
            due: None,
            preferred: None,
            lead: 0,
            last: None,
        }
    }

    /// More addresses have come. After the end of the race they are of no use.
    pub fn add(&mut self, addresses: impl IntoIterator<Item = SocketAddr>, now: Instant) {
        if self.is_resolved || self.state != RaceState::Running {
            return;
        }
        self.take(addresses);
        self.advance(now);
    }

    /// The look-up has ended: no more addresses come.
    pub fn resolved(&mut self, now: Instant) {
        self.is_resolved = true;
        self.advance(now);
    }

    /// An attempt has connected. False: it is too late, and the connection is to be closed.
    pub fn connected(&mut self, attempt: AttemptId) -> bool {
        if self.state != RaceState::Running || !self.stop(attempt) {
            return false;
        }
        self.end(RaceState::Won(attempt));
        true
    }

    /// An attempt has failed: the next starts at once (RFC 8305 §5).
    pub fn failed(&mut self, attempt: AttemptId, error: E, now: Instant) {
        if self.state != RaceState::Running || !self.stop(attempt) {
            return;
        }
        self.failures.push((self.attempts[attempt.0].0, error));
        self.due = self.due.map(|due| due.min(now));
        if self.settings.attempt_delay.is_none() {
            self.due = Some(now);
        }
        self.advance(now);
    }

    /// Gives the race up.
    pub fn cancel(&mut self) {
        if self.state == RaceState::Running {
            self.end(RaceState::Cancelled);
        }
    }

    /// Time has passed. An early call is harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.state == RaceState::Running && self.waiting() > 0 { self.due } else { None }
    }

    /// What to do next.
    pub fn poll_event(&mut self) -> Option<RaceEvent> {
        self.events.pop_front()
    }

    /// How far it has come.
    pub fn state(&self) -> RaceState {
        self.state
    }

    /// Every address that failed, with its error, in the order of failing.
    pub fn failures(&self) -> &[(SocketAddr, E)] {
        &self.failures
    }

    /// As [`failures`](Self::failures), to keep.
    pub fn into_failures(self) -> Vec<(SocketAddr, E)> {
        self.failures
    }

    /// Attempts that run.
    pub fn running(&self) -> usize {
        self.attempts.iter().filter(|(_, runs)| *runs).count()
    }

    /// Addresses that were not tried yet.
    pub fn waiting(&self) -> usize {
        self.waiting.iter().map(VecDeque::len).sum()
    }

    fn take(&mut self, addresses: impl IntoIterator<Item = SocketAddr>) {
        for address in addresses {
            if self.settings.only.is_some_and(|only| only != Family::of(&address)) {
                continue;
            }
            let known = self.attempts.len() + self.waiting();
            if known >= self.settings.addresses {
                return;
            }
            if self.is_resolved && self.preferred.is_none() {
                self.preferred = Some(self.settings.prefers.unwrap_or(Family::of(&address)));
            }
            let is_known = self.attempts.iter().any(|(other, _)| *other == address);
            let family = &mut self.waiting[Family::of(&address) as usize];
            if !is_known && !family.contains(&address) {
                family.push_back(address);
            }
        }
    }

    /// Starts what is due.
    fn advance(&mut self, now: Instant) {
        while self.state == RaceState::Running && self.waiting() > 0 && self.is_due(now) {
            self.start(now);
        }
        if self.state == RaceState::Running && self.is_resolved && self.waiting() == 0 && self.running() == 0 {
            self.state = RaceState::Lost;
        }
    }

    /// Whether the next attempt may start. Sets the time to wait for before the first one.
    fn is_due(&mut self, now: Instant) -> bool {
        if self.attempts.is_empty() && !self.is_resolved && self.waiting[self.preferred() as usize].is_empty() {
            let due = *self.due.get_or_insert(now + self.settings.resolution_delay);
            return due <= now;
        }
        // Nothing runs: there is nothing to wait for.
        self.running() == 0 || self.due.is_some_and(|due| due <= now)
    }

    fn start(&mut self, now: Instant) {
        let family = self.next_family();
        let Some(address) = self.waiting[family as usize].pop_front() else { return };
        if family != self.preferred() {
            self.lead = usize::MAX;
        }
        self.lead = self.lead.saturating_add(1);
        self.last = Some(family);
        let attempt = AttemptId(self.attempts.len());
        self.attempts.push((address, true));
        self.events.push_back(RaceEvent::Start { attempt, address });
        self.due = self.settings.attempt_delay.map(|delay| now + delay.max(LEAST_ATTEMPT_DELAY));
    }

    /// One that has an address waiting.
    fn next_family(&self) -> Family {
        let wanted = match self.last {
            Some(last) if self.lead >= self.settings.first_family.max(1) => last.other(),
            _ => self.preferred(),
        };
        if self.waiting[wanted as usize].is_empty() { wanted.other() } else { wanted }
    }

    fn preferred(&self) -> Family {
        self.settings.only.or(self.preferred).or(self.settings.prefers).unwrap_or(Family::V6)
    }

    /// Gives whether it ran until now.
    fn stop(&mut self, attempt: AttemptId) -> bool {
        self.attempts.get_mut(attempt.0).is_some_and(|(_, runs)| mem::replace(runs, false))
    }

    fn end(&mut self, state: RaceState) {
        self.state = state;
        self.waiting.iter_mut().for_each(VecDeque::clear);
        // What was not begun need not be cancelled.
        let unheard = |attempt: usize, events: &VecDeque<RaceEvent>| {
            events.iter().any(|event| matches!(event, RaceEvent::Start { attempt: id, .. } if id.0 == attempt))
        };
        let pending = mem::take(&mut self.events);
        for (number, (_, runs)) in self.attempts.iter_mut().enumerate() {
            if mem::replace(runs, false) && !unheard(number, &pending) {
                self.events.push_back(RaceEvent::Cancel(AttemptId(number)));
            }
        }
    }
}
