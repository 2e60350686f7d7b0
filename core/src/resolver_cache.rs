//! What was looked up, for how long, and who waits for it.
//!
//! One look-up at a time serves all who ask for the same name; who stops waiting does not stop it. An answer is kept
//! for a time, and each who gets it gets it turned by one, so that load spreads. The machine looks nothing up: its
//! host does when [`Lookup::Start`] says so, and reports.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;

use crate::Instant;

/// What a cache keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CacheSettings {
    /// How long an answer is kept. Default 10 s. Zero: not at all. `None`: for ever.
    pub ttl: Option<Duration>,
    /// How long a failure is kept. Default zero: not at all.
    pub failure_ttl: Duration,
    /// Names that are kept; above that the one unused for longest goes. Default 1000.
    pub names: usize,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { ttl: Some(Duration::from_secs(10)), failure_ttl: Duration::ZERO, names: 1000 }
    }
}

/// A look-up under way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LookupId(u64);

/// Somebody who waits for a look-up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LookupWaiter(u64);

/// An answer: the addresses, or the host's error.
pub type Answer<E> = Result<Vec<SocketAddr>, E>;

/// The reply to [`ResolverCache::look_up`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Lookup<E> {
    /// It is known.
    Known(Answer<E>),
    /// Look it up and call [`ResolverCache::answer`]; the caller waits for that as others will.
    Start(LookupId, LookupWaiter),
    /// It is being looked up: [`CacheEvent`] says when it is known.
    Wait(LookupId, LookupWaiter),
}

/// An answer has come for somebody who waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CacheEvent<E> {
    /// Who waited.
    pub waiter: LookupWaiter,
    /// What came.
    pub answer: Answer<E>,
}

/// A cache of look-ups by `K`, a host name, or that and a port. `E` is the host's error.
///
/// ```
/// use callboard_core::Instant;
/// use callboard_core::resolver_cache::{CacheSettings, Lookup, ResolverCache};
///
/// let mut cache = ResolverCache::<&str, &str>::new(CacheSettings::default());
/// let now = Instant::EPOCH;
/// let Lookup::Start(id, first) = cache.look_up(&"example.org", now) else { unreachable!() };
/// let Lookup::Wait(_, second) = cache.look_up(&"example.org", now) else { unreachable!() };
///
/// let addresses = ["192.0.2.1:80", "192.0.2.2:80"].map(|text| text.parse().unwrap());
/// cache.answer(id, Ok(addresses.to_vec()), now);
/// let told = [cache.poll_event().unwrap(), cache.poll_event().unwrap()];
/// assert_eq!(told.each_ref().map(|event| event.waiter), [first, second]);
/// assert_eq!(told[1].answer, Ok(vec![addresses[1], addresses[0]]));
/// assert_eq!(cache.look_up(&"example.org", now), Lookup::Known(Ok(addresses.to_vec())));
/// ```
#[derive(Clone, Debug)]
pub struct ResolverCache<K, E> {
    settings: CacheSettings,
    known: BTreeMap<K, Known<E>>,
    lookups: BTreeMap<LookupId, Pending<K>>,
    /// The look-ups whose answer is to be kept and shared.
    by_key: BTreeMap<K, LookupId>,
    events: VecDeque<CacheEvent<E>>,
    /// Numbers look-ups, waiters and uses.
    count: u64,
}

#[derive(Clone, Debug)]
struct Known<E> {
    answer: Answer<E>,
    /// `None`: never.
    expires: Option<Instant>,
    /// Who was given it before.
    given: usize,
    used: u64,
}

#[derive(Clone, Debug)]
struct Pending<K> {
    key: K,
    waiters: Vec<LookupWaiter>,
}

impl<K: Ord + Clone, E: Clone> ResolverCache<K, E> {
    /// An empty cache.
    pub fn new(settings: CacheSettings) -> Self {
        Self {
            settings,
            known: BTreeMap::new(),
            lookups: BTreeMap::new(),
            by_key: BTreeMap::new(),
            events: VecDeque::new(),
            count: 0,
        }
    }

    /// Asks for `key`.
    pub fn look_up(&mut self, key: &K, now: Instant) -> Lookup<E> {
        let turn = self.next();
        if let Some(known) = self.known.get_mut(key) {
            if known.expires.is_none_or(|expires| now < expires) {
                known.used = turn;
                return Lookup::Known(known.give());
            }
            self.known.remove(key);
        }
        let waiter = LookupWaiter(turn);
        if let Some(id) = self.by_key.get(key)
            && let Some(pending) = self.lookups.get_mut(id)
        {
            pending.waiters.push(waiter);
            return Lookup::Wait(*id, waiter);
        }
        let id = LookupId(self.next());
        self.lookups.insert(id, Pending { key: key.clone(), waiters: Vec::from([waiter]) });
        self.by_key.insert(key.clone(), id);
        Lookup::Start(id, waiter)
    }

    /// A look-up has ended. All who wait for it get the answer, and it is kept unless it was cleared meanwhile.
    pub fn answer(&mut self, id: LookupId, answer: Answer<E>, now: Instant) {
        let Some(Pending { key, waiters }) = self.lookups.remove(&id) else { return };
        let is_current = self.by_key.get(&key) == Some(&id);
        let ttl = if answer.is_ok() { self.settings.ttl } else { Some(self.settings.failure_ttl) };
        let expires = ttl.map(|ttl| now + ttl);
        let mut known = Known { answer, expires, given: 0, used: self.next() };
        for waiter in waiters {
            self.events.push_back(CacheEvent { waiter, answer: known.give() });
        }
        if is_current {
            self.by_key.remove(&key);
            if ttl != Some(Duration::ZERO) {
                self.known.insert(key, known);
                self.make_room();
            }
        }
    }

    /// Somebody waits no longer. The look-up goes on.
    pub fn cancel(&mut self, waiter: LookupWaiter) {
        for pending in self.lookups.values_mut() {
            pending.waiters.retain(|other| *other != waiter);
        }
        self.events.retain(|event| event.waiter != waiter);
    }

    /// The host has stopped a look-up: who asks next starts another. Who still waits for it hears nothing.
    pub fn abandon(&mut self, id: LookupId) {
        if let Some(pending) = self.lookups.remove(&id)
            && self.by_key.get(&pending.key) == Some(&id)
        {
            self.by_key.remove(&pending.key);
        }
    }

    /// How many wait for a look-up.
    pub fn waiters(&self, id: LookupId) -> usize {
        self.lookups.get(&id).map_or(0, |pending| pending.waiters.len())
    }

    /// The next answer for somebody who waits.
    pub fn poll_event(&mut self) -> Option<CacheEvent<E>> {
        self.events.pop_front()
    }

    /// Forgets all. A look-up under way still answers those who wait, but is not kept or shared further.
    pub fn clear(&mut self) {
        self.known.clear();
        self.by_key.clear();
    }

    /// Forgets `key`, as [`clear`](Self::clear) does.
    pub fn clear_key(&mut self, key: &K) {
        self.known.remove(key);
        self.by_key.remove(key);
    }

    /// Forgets every key that `picks` takes, as [`clear`](Self::clear) does.
    pub fn clear_where(&mut self, picks: impl Fn(&K) -> bool) {
        self.known.retain(|key, _| !picks(key));
        self.by_key.retain(|key, _| !picks(key));
    }

    /// Answers that are kept, the expired ones that nobody asked for included.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Look-ups under way.
    pub fn lookups(&self) -> usize {
        self.lookups.len()
    }

    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn make_room(&mut self) {
        while self.known.len() > self.settings.names {
            let oldest = self.known.iter().min_by_key(|(_, known)| known.used).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { return };
            self.known.remove(&oldest);
        }
    }
}

impl<E: Clone> Known<E> {
    /// Each who is given the answer gets it turned by one more, each family by itself: the resolver's order between the
    /// families stays (RFC 6724).
    fn give(&mut self) -> Answer<E> {
        let addresses = self.answer.as_ref().map_err(E::clone)?;
        let turned = |is_v6: bool| {
            let family: Vec<_> = addresses.iter().copied().filter(|address| address.is_ipv6() == is_v6).collect();
            let start = self.given.checked_rem(family.len()).unwrap_or(0);
            family.into_iter().cycle().skip(start)
        };
        let (mut v6, mut v4) = (turned(true), turned(false));
        let given =
            addresses.iter().filter_map(|address| if address.is_ipv6() { v6.next() } else { v4.next() }).collect();
        self.given = self.given.wrapping_add(1);
        Ok(given)
    }
}

/// The address that a host is, if it is one and needs no look-up: an IPv6 address, in brackets or not, or four decimal
/// numbers with dots. Other spellings of IPv4 (`127.1`, `0x7f.0.0.1`, `2130706433`, `010.0.0.1`) are no addresses here:
/// who checks a host by its text must not be fooled by one that a resolver would accept.
///
/// ```
/// use callboard_core::resolver_cache::address_literal;
///
/// assert_eq!(address_literal("127.0.0.1"), Some([127, 0, 0, 1].into()));
/// assert_eq!(address_literal("[::1]"), Some("::1".parse().unwrap()));
/// assert_eq!(address_literal("127.1"), None);
/// ```
pub fn address_literal(host: &str) -> Option<IpAddr> {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    match host.parse::<Ipv4Addr>() {
        Ok(address) => Some(IpAddr::V4(address)),
        Err(_) => host.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
    }
}

/// Whether a host that is no [`address_literal`] would be taken for an IPv4 address by a lenient reader: its last label
/// is a number (decimal, octal or hexadecimal). No name of the public tree is like that.
pub fn is_ambiguous(host: &str) -> bool {
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    is_number && address_literal(host).is_none()
}
