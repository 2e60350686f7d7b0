//! The cache of look-ups: its rules as tables, and random calls beside a plain statement of them.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use callboard_core::resolver_cache::{
    Answer, CacheEvent, CacheSettings, Lookup, LookupId, LookupWaiter, ResolverCache, address_literal, is_ambiguous,
};
use callboard_core::{Instant, Random};

type Cache = ResolverCache<u8, u8>;

fn at(seconds: u64) -> Instant {
    Instant::EPOCH + Duration::from_secs(seconds)
}

fn v4(number: u8) -> SocketAddr {
    ([192, 0, 2, number], 80).into()
}

fn v6(number: u16) -> SocketAddr {
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, number], 80).into()
}

fn start(cache: &mut Cache, key: u8, now: Instant) -> (LookupId, LookupWaiter) {
    match cache.look_up(&key, now) {
        Lookup::Start(id, waiter) => (id, waiter),
        other => panic!("{other:?}"),
    }
}

fn wait(cache: &mut Cache, key: u8, now: Instant) -> LookupWaiter {
    match cache.look_up(&key, now) {
        Lookup::Wait(_, waiter) => waiter,
        other => panic!("{other:?}"),
    }
}

/// Looks a name up and answers.
fn fill(cache: &mut Cache, key: u8, answer: Answer<u8>, now: Instant) {
    let (id, _) = start(cache, key, now);
    cache.answer(id, answer, now);
    while cache.poll_event().is_some() {}
}

fn is_known(cache: &mut Cache, key: u8, now: Instant) -> bool {
    matches!(cache.look_up(&key, now), Lookup::Known(_))
}

#[test]
fn an_answer_is_kept_for_its_time() {
    let keeping = |ttl, failure_ttl| CacheSettings { ttl, failure_ttl, ..CacheSettings::default() };
    let (zero, seconds) = (Duration::ZERO, Duration::from_secs);
    // Settings, whether it succeeded, the last second at which it is known.
    let table = [
        (CacheSettings::default(), true, Some(9)),
        (CacheSettings::default(), false, None),
        (keeping(Some(zero), zero), true, None),
        (keeping(Some(seconds(3)), seconds(2)), true, Some(2)),
        (keeping(Some(seconds(3)), seconds(2)), false, Some(1)),
        (keeping(None, zero), true, Some(1 << 33)),
        (keeping(None, zero), false, None),
    ];
    for (settings, succeeds, last) in table {
        let answer = if succeeds { Ok(vec![v4(1)]) } else { Err(7) };
        let mut cache = Cache::new(settings);
        fill(&mut cache, 1, answer.clone(), at(0));
        assert_eq!(cache.len(), usize::from(last.is_some()), "{settings:?}");
        if let Some(last) = last {
            assert_eq!(cache.look_up(&1, at(last)), Lookup::Known(answer), "{settings:?}");
            assert!(settings.ttl.is_none() || !is_known(&mut cache, 1, at(last + 1)), "{settings:?}");
        } else {
            assert!(!is_known(&mut cache, 1, at(0)), "{settings:?}");
        }
    }
}

#[test]
fn one_look_up_serves_all_who_ask() {
    for answer in [Ok(vec![v4(1)]), Err(9)] {
        let mut cache = Cache::new(CacheSettings::default());
        let (id, first) = start(&mut cache, 1, at(0));
        let (second, third) = (wait(&mut cache, 1, at(0)), wait(&mut cache, 1, at(5)));
        start(&mut cache, 2, at(5));
        assert_eq!((cache.lookups(), cache.poll_event()), (2, None));
        // Who asked first may leave: the others get the answer.
        cache.cancel(first);
        cache.answer(id, answer.clone(), at(6));
        for waiter in [second, third] {
            assert_eq!(cache.poll_event(), Some(CacheEvent { waiter, answer: answer.clone() }));
        }
        assert_eq!((cache.lookups(), cache.poll_event()), (1, None));
        // An answer that comes twice is not heard.
        cache.answer(id, Ok(vec![v4(9)]), at(6));
        assert_eq!(is_known(&mut cache, 1, at(6)), answer.is_ok());
    }
}

#[test]
fn a_look_up_that_nobody_waits_for_is_kept_all_the_same() {
    let mut cache = Cache::new(CacheSettings::default());
    let (id, waiter) = start(&mut cache, 1, at(0));
    cache.cancel(waiter);
    let late = wait(&mut cache, 1, at(1));
    cache.answer(id, Ok(vec![v4(1)]), at(2));
    // Leaving after the answer came takes it back.
    cache.cancel(late);
    assert_eq!(cache.poll_event(), None);
    assert_eq!(cache.look_up(&1, at(2)), Lookup::Known(Ok(vec![v4(1)])));
}

#[test]
fn a_look_up_that_its_host_stopped_is_started_anew() {
    let mut cache = Cache::new(CacheSettings { failure_ttl: Duration::from_secs(9), ..CacheSettings::default() });
    let (id, waiter) = start(&mut cache, 1, at(0));
    wait(&mut cache, 1, at(0));
    assert_eq!(cache.waiters(id), 2);
    cache.cancel(waiter);
    assert_eq!(cache.waiters(id), 1);
    cache.abandon(id);
    assert_eq!((cache.waiters(id), cache.lookups()), (0, 0));
    let (again, _) = start(&mut cache, 1, at(0));
    // What was stopped cannot answer any more, nor stop what came after it.
    cache.answer(id, Err(1), at(0));
    cache.abandon(id);
    assert_eq!((cache.poll_event(), cache.lookups()), (None, 1));
    cache.answer(again, Ok(vec![v4(1)]), at(0));
    assert!(is_known(&mut cache, 1, at(0)));
}

#[test]
fn each_gets_the_addresses_turned_by_one_and_the_families_in_their_places() {
    let mut cache = Cache::new(CacheSettings::default());
    fill(&mut cache, 1, Ok(vec![v6(1), v6(2), v4(1), v4(2), v4(3)]), at(0));
    let expected = [
        [v6(2), v6(1), v4(2), v4(3), v4(1)],
        [v6(1), v6(2), v4(3), v4(1), v4(2)],
        [v6(2), v6(1), v4(1), v4(2), v4(3)],
        [v6(1), v6(2), v4(2), v4(3), v4(1)],
    ];
    for expected in expected {
        assert_eq!(cache.look_up(&1, at(1)), Lookup::Known(Ok(expected.to_vec())));
    }
    fill(&mut cache, 2, Ok(vec![]), at(0));
    assert_eq!(cache.look_up(&2, at(1)), Lookup::Known(Ok(vec![])));
}

#[test]
fn the_name_unused_for_longest_goes() {
    let mut cache = Cache::new(CacheSettings { names: 3, ..CacheSettings::default() });
    for key in 1..=3 {
        fill(&mut cache, key, Ok(vec![v4(key)]), at(0));
    }
    assert!(is_known(&mut cache, 1, at(1)));
    fill(&mut cache, 4, Ok(vec![v4(4)]), at(1));
    assert_eq!(cache.len(), 3);
    let known: Vec<_> = (1..=4).filter(|key| is_known(&mut cache.clone(), *key, at(1))).collect();
    assert_eq!(known, [1, 3, 4]);
    let mut none = Cache::new(CacheSettings { names: 0, ..CacheSettings::default() });
    fill(&mut none, 1, Ok(vec![v4(1)]), at(0));
    assert!(none.is_empty());
    assert_eq!(CacheSettings::default().names, 1000);
}

#[test]
fn clearing_reaches_look_ups_under_way() {
    let clear: [fn(&mut Cache); 3] =
        [Cache::clear, |cache| cache.clear_key(&1), |cache| cache.clear_where(|key| *key == 1)];
    for (all, clear) in [true, false, false].into_iter().zip(clear) {
        let mut cache = Cache::new(CacheSettings::default());
        fill(&mut cache, 2, Ok(vec![v4(2)]), at(0));
        fill(&mut cache, 3, Ok(vec![v4(3)]), at(0));
        let (old, waiter) = start(&mut cache, 1, at(0));
        clear(&mut cache);
        assert_eq!(cache.len(), if all { 0 } else { 2 });
        // Who asks now gets a look-up of its own; the old one still answers who waited, and is not kept.
        let (new, _) = start(&mut cache, 1, at(1));
        cache.answer(old, Ok(vec![v4(1)]), at(2));
        assert_eq!(cache.poll_event(), Some(CacheEvent { waiter, answer: Ok(vec![v4(1)]) }));
        assert!(matches!(cache.look_up(&1, at(2)), Lookup::Wait(id, _) if id == new));
        cache.answer(new, Ok(vec![v4(9)]), at(3));
        assert!(is_known(&mut cache, 1, at(3)));
    }
}

#[test]
fn only_canonical_literals_are_addresses() {
    for (host, address) in [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "0.0.0.0"),
        ("255.255.255.255", "255.255.255.255"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("[::ffff:1.2.3.4]", "::ffff:1.2.3.4"),
    ] {
        assert_eq!(address_literal(host), Some(address.parse().unwrap()), "{host}");
        assert!(!is_ambiguous(host), "{host}");
    }
    for host in [
        "2130706433",
        "127.1",
        "127.0.1",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "010.0.0.1",
        "256.0.0.1",
        "1.2.3.4.5",
        "1.2.3.4.",
        "127.0.0.0x",
        "a.0X1F",
        "1.2.3.08",
    ] {
        assert_eq!(address_literal(host), None, "{host}");
        assert!(is_ambiguous(host), "{host}");
    }
    for host in
        ["example.org", "1.example", "localhost", "", ".", "[127.0.0.1]", "[::1", "fe80::1%eth0", "0x7g", "a.1b"]
    {
        assert_eq!(address_literal(host), None, "{host}");
        assert!(!is_ambiguous(host), "{host}");
    }
}

/// A name as the rules have it.
#[derive(Default)]
struct Name {
    /// Until when, which answer, how many were given it.
    known: Option<(u64, u8, usize)>,
    lookup: Option<(LookupId, Vec<LookupWaiter>)>,
}

#[test]
fn random_calls_keep_the_rules() {
    const TTL: u64 = 5;
    for seed in 0..1_000 {
        let random = &mut Random::from_seed(seed);
        let mut cache = Cache::new(CacheSettings { ttl: Some(Duration::from_secs(TTL)), ..CacheSettings::default() });
        let mut names: BTreeMap<u8, Name> = (0..4).map(|key| (key, Name::default())).collect();
        let (mut now, mut expected) = (0, Vec::new());
        // An answer is three addresses that tell it from others.
        let addresses = |answer: u8, turn: usize| -> Vec<SocketAddr> {
            (0..3_u8)
                .cycle()
                .skip(turn % 3)
                .take(3)
                .map(|number| v4(answer.wrapping_mul(3).wrapping_add(number)))
                .collect()
        };
        for step in 0..80_u8 {
            let key = u8::try_from(random.below(4)).unwrap();
            let name = names.get_mut(&key).unwrap();
            match random.below(8) {
                0 => now += random.below(4),
                1 | 2 => {
                    let Some((id, waiters)) = name.lookup.take() else { continue };
                    let succeeds = random.below(3) > 0;
                    cache.answer(id, if succeeds { Ok(addresses(step, 0)) } else { Err(step) }, at(now));
                    for (turn, waiter) in waiters.iter().enumerate() {
                        let answer = if succeeds { Ok(addresses(step, turn)) } else { Err(step) };
                        expected.push(CacheEvent { waiter: *waiter, answer });
                    }
                    name.known = succeeds.then_some((now + TTL, step, waiters.len()));
                }
                3 => {
                    let Some((_, waiters)) = &mut name.lookup else { continue };
                    if let Some(waiter) = waiters.pop() {
                        cache.cancel(waiter);
                    }
                }
                4 => {
                    let events: Vec<_> = core::iter::from_fn(|| cache.poll_event()).collect();
                    assert_eq!(events, core::mem::take(&mut expected), "seed {seed}, step {step}");
                }
                _ => {
                    name.known = name.known.filter(|(until, ..)| now < *until);
                    match (cache.look_up(&key, at(now)), &mut name.known, &mut name.lookup) {
                        (Lookup::Known(Ok(seen)), Some((_, answer, given)), _) => {
                            assert_eq!(seen, addresses(*answer, *given), "seed {seed}, step {step}");
                            *given += 1;
                        }
                        (Lookup::Wait(id, waiter), None, Some((lookup, waiters))) if id == *lookup => {
                            waiters.push(waiter);
                        }
                        (Lookup::Start(id, waiter), None, lookup @ None) => *lookup = Some((id, vec![waiter])),
                        (other, ..) => panic!("seed {seed}, step {step}: {other:?}"),
                    }
                }
            }
            assert_eq!(cache.lookups(), names.values().filter(|name| name.lookup.is_some()).count());
        }
    }
}
