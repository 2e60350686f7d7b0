//! The race of addresses: scripts as tables, and random races beside a plain statement of the rules.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use callboard_core::happy_eyeballs::{AttemptId, Family, Race, RaceEvent, RaceSettings, RaceState};
use callboard_core::{Instant, Random};

fn at(milliseconds: u64) -> Instant {
    Instant::EPOCH + Duration::from_millis(milliseconds)
}

/// `6a` and `4b` stand for addresses.
fn address(name: &str) -> SocketAddr {
    let (family, letter) = name.split_at(1);
    let number = u16::from(letter.as_bytes()[0] - b'a');
    match family {
        "6" => ([0x2001, 0xdb8, 0, 0, 0, 0, 0, number], 80).into(),
        _ => ([192, 0, 2, number.to_be_bytes()[1]], 80).into(),
    }
}

fn name(address: &SocketAddr) -> String {
    let letter = |byte: u8| char::from(b'a' + byte);
    match address {
        SocketAddr::V6(address) => format!("6{}", letter(address.ip().octets()[15])),
        SocketAddr::V4(address) => format!("4{}", letter(address.ip().octets()[3])),
    }
}

fn addresses(names: &str) -> Vec<SocketAddr> {
    names.split_whitespace().map(address).collect()
}

fn drain(race: &mut Race<u64>, ids: &mut Vec<AttemptId>) -> String {
    let mut said = String::new();
    while let Some(event) = race.poll_event() {
        match event {
            RaceEvent::Start { attempt, address } => {
                assert_eq!(attempt.number(), ids.len());
                ids.push(attempt);
                write!(said, " {}", name(&address)).unwrap();
            }
            RaceEvent::Cancel(attempt) => write!(said, " x{}", attempt.number()).unwrap(),
        }
    }
    said.trim_start().to_owned()
}

/// Plays a script and says, step by step, what the race asked for. `=N`: time N. `fN`: attempt N failed. `cN`: it
/// connected. `+..`: addresses came. `.`: no more come. `!`: cancelled.
fn play(mut race: Race<u64>, script: &str) -> String {
    let (mut now, mut ids) = (0, Vec::new());
    let mut said = vec![drain(&mut race, &mut ids)];
    for step in script.split(", ").filter(|step| !step.is_empty()) {
        let (verb, rest) = step.split_at(1);
        match verb {
            "=" => {
                now = rest.parse().unwrap();
                race.handle_timeout(at(now));
            }
            "f" => race.failed(ids[rest.parse::<usize>().unwrap()], now, at(now)),
            "c" => drop(race.connected(ids[rest.parse::<usize>().unwrap()])),
            "+" => race.add(addresses(rest), at(now)),
            "." => race.resolved(at(now)),
            "!" => race.cancel(),
            _ => panic!("{step}"),
        }
        said.push(drain(&mut race, &mut ids));
    }
    let state = match race.state() {
        RaceState::Running => race
            .poll_timeout()
            .map_or_else(|| "runs".to_owned(), |due| format!("due {}", (due - Instant::EPOCH).as_millis())),
        RaceState::Won(attempt) => format!("won {}", attempt.number()),
        RaceState::Lost => "lost".to_owned(),
        RaceState::Cancelled => "cancelled".to_owned(),
    };
    format!("{} | {state}", said.join(" | "))
}

fn settings() -> RaceSettings {
    RaceSettings::default()
}

#[test]
fn races_of_known_addresses() {
    let alone = RaceSettings { attempt_delay: None, ..settings() };
    let two_first = RaceSettings { first_family: 2, ..settings() };
    let four_first = RaceSettings { prefers: Some(Family::V4), ..settings() };
    let hasty = RaceSettings { attempt_delay: Some(Duration::ZERO), ..settings() };
    let few = RaceSettings { addresses: 2, ..settings() };
    let four_only = RaceSettings { only: Some(Family::V4), prefers: Some(Family::V6), addresses: 2, ..settings() };
    let six_only = RaceSettings { only: Some(Family::V6), ..settings() };
    let table = [
        (settings(), "6a 4a", "c0", "6a |  | won 0"),
        (settings(), "6a 4a", "=249", "6a |  | due 250"),
        (settings(), "6a 4a", "=250", "6a | 4a | runs"),
        (settings(), "6a 4a", "=250, c1", "6a | 4a | x0 | won 1"),
        (settings(), "6a 4a", "=250, c0, c1", "6a | 4a | x1 |  | won 0"),
        (settings(), "6a 4a", "=250, f0, c1", "6a | 4a |  |  | won 1"),
        (settings(), "6a 4a", "=250, f0, f1", "6a | 4a |  |  | lost"),
        // A failure starts the next at once, whatever still runs, and its time begins then.
        (settings(), "6a 4a 6b", "=10, f0", "6a |  | 4a | due 260"),
        (settings(), "6a 4a 6b 4b", "=250, =300, f0, =549, =550", "6a | 4a |  | 6b |  | 4b | runs"),
        (settings(), "6a", "f0", "6a |  | lost"),
        (settings(), "", "", " | lost"),
        // What comes too late is not heard.
        (settings(), "6a 4a", "=250, c1, f0, c0, =900", "6a | 4a | x0 |  |  |  | won 1"),
        (settings(), "6a 4a", "f0, f0, f0", "6a | 4a |  |  | runs"),
        (settings(), "6a 4a", "=250, !, c0", "6a | 4a | x0 x1 |  | cancelled"),
        // The families take turns; the first is the resolver's.
        (settings(), "6a 6b 6c 4a 4b 4c", "f0, f1, f2, f3, f4", "6a | 4a | 6b | 4b | 6c | 4c | runs"),
        (settings(), "4a 4b 6a 6b", "f0, f1, f2", "4a | 6a | 4b | 6b | runs"),
        (settings(), "4a 4b 4c", "f0, f1", "4a | 4b | 4c | runs"),
        (settings(), "6a 4a 4b 4c", "f0, f1, f2", "6a | 4a | 4b | 4c | runs"),
        (two_first, "6a 6b 6c 4a 4b", "f0, f1, f2, f3", "6a | 6b | 4a | 6c | 4b | runs"),
        (two_first, "6a 4a 4b", "f0, f1", "6a | 4a | 4b | runs"),
        (four_first, "6a 6b 4a 4b", "f0, f1, f2", "4a | 6a | 4b | 6b | runs"),
        (four_first, "6a", "", "6a | runs"),
        // One after the other.
        (alone, "6a 4a", "=9999", "6a |  | runs"),
        (alone, "6a 4a", "=5, f0, f1", "6a |  | 4a |  | lost"),
        // The least delay of the RFC; each address once; not more than allowed.
        (hasty, "6a 4a", "=9, =10", "6a |  | 4a | runs"),
        (settings(), "6a 6a 4a 6a 4a", "f0, f1", "6a | 4a |  | lost"),
        (few, "6a 6b 4a", "f0, f1", "6a | 6b |  | lost"),
        // One family alone: the other is as if it were not there.
        (four_only, "6a 6b 6c 4a 6d 4b 4c", "=250, f0, f1", "4a | 4b |  |  | lost"),
        (four_only, "6a 6b", "=250", " |  | lost"),
        (six_only, "4a 6a 4b 6b", "f0, =1, f1", "6a | 6b |  |  | lost"),
        (six_only, "4a", "", " | lost"),
    ];
    for (settings, names, script, expected) in table {
        assert_eq!(play(Race::new(addresses(names), settings, at(0)), script), expected, "{names}: {script}");
    }
}

#[test]
fn races_while_the_look_up_goes_on() {
    let four_first = RaceSettings { prefers: Some(Family::V4), ..settings() };
    let four_only = RaceSettings { only: Some(Family::V4), ..settings() };
    let table = [
        (settings(), "+6a", " | 6a | runs"),
        (settings(), "+6a, +4a", " | 6a |  | due 250"),
        // The other family waits a little for the preferred one.
        (settings(), "+4a", " |  | due 50"),
        (settings(), "+4a, =49, +6a", " |  |  | 6a | due 299"),
        (settings(), "+4a, =50, +6a", " |  | 4a |  | due 300"),
        (settings(), "+4a, =20, .", " |  |  | 4a | runs"),
        (settings(), "+4a 6a", " | 6a | due 250"),
        (four_first, "+4a", " | 4a | runs"),
        (four_first, "+6a", " |  | due 50"),
        // All that was known has failed: what comes later starts at once.
        (settings(), "+6a, f0, =900, +4a, f1", " | 6a |  |  | 4a |  | runs"),
        (settings(), "+6a, f0, ., +4a", " | 6a |  |  |  | lost"),
        (settings(), ".", " |  | lost"),
        (settings(), "+6a, +6a, f0, .", " | 6a |  |  |  | lost"),
        (settings(), "!, +6a, .", " |  |  |  | cancelled"),
        // There is no other family to wait for.
        (four_only, "+4a", " | 4a | runs"),
        (four_only, "+6a, =50, +4a, f0, .", " |  |  | 4a |  |  | lost"),
        (four_only, "+6a, .", " |  |  | lost"),
    ];
    for (settings, script, expected) in table {
        assert_eq!(play(Race::resolving(settings), script), expected, "{script}");
    }
}

#[test]
fn every_error_is_kept_in_the_order_of_failing() {
    let mut race = Race::new(addresses("6a 4a 6b"), settings(), at(0));
    let mut ids = Vec::new();
    drain(&mut race, &mut ids);
    race.handle_timeout(at(250));
    race.handle_timeout(at(500));
    drain(&mut race, &mut ids);
    for (attempt, error) in [(2, 20), (0, 0), (1, 10)] {
        race.failed(ids[attempt], error, at(600));
    }
    assert_eq!((race.state(), race.running()), (RaceState::Lost, 0));
    let expected = [(address("6b"), 20), (address("6a"), 0), (address("4a"), 10)];
    assert_eq!(race.failures(), expected);
    assert_eq!(race.into_failures().last(), Some(&(address("4a"), 10)));
}

#[test]
fn an_attempt_that_was_never_begun_is_not_cancelled() {
    let mut race = Race::<()>::new(addresses("6a 4a"), settings(), at(0));
    race.cancel();
    assert_eq!((race.poll_event(), race.poll_timeout()), (None, None));
}

fn below(random: &mut Random, bound: usize) -> usize {
    usize::try_from(random.below(bound as u64)).unwrap()
}

/// What happened in a race: the time of each start, and whether the one before had failed or nothing ran.
#[derive(Default)]
struct Diary {
    started: Vec<(SocketAddr, u64)>,
    running: BTreeSet<usize>,
    /// When an attempt failed last.
    failed: Option<u64>,
    failures: usize,
}

#[test]
fn random_races_keep_the_rules() {
    for seed in 0..3_000 {
        let random = &mut Random::from_seed(seed);
        let mut names: Vec<SocketAddr> = (0..random.below(9))
            .map(|_| address(["6a", "6b", "6c", "6d", "4a", "4b", "4c", "4d"][below(random, 8)]))
            .collect();
        let delay = [None, Some(250), Some(100)][below(random, 3)];
        let settings = RaceSettings { attempt_delay: delay.map(Duration::from_millis), ..settings() };
        let mut race = Race::<u64>::new(names.clone(), settings, at(0));
        let (mut now, mut diary, mut ids) = (0, Diary::default(), Vec::new());
        for _ in 0..60 {
            while let Some(event) = race.poll_event() {
                let RaceEvent::Start { attempt, address } = event else { panic!("seed {seed}: nothing has won") };
                let reason = diary.running.is_empty()
                    || diary.failed == Some(now)
                    || delay.is_some_and(|delay| diary.started.last().is_some_and(|(_, last)| last + delay <= now));
                assert!(reason, "seed {seed}: {address} was started too early at {now}");
                ids.push(attempt);
                diary.running.insert(attempt.number());
                diary.started.push((address, now));
                diary.failed = None;
            }
            assert!(race.poll_timeout().is_none_or(|due| due > at(now)), "seed {seed}: something is due and not done");
            let has_more = diary.started.len() < names.iter().collect::<BTreeSet<_>>().len();
            assert!(!diary.running.is_empty() || race.state() == RaceState::Lost, "seed {seed}: it stands still");
            assert!(delay.is_none() || !has_more || race.poll_timeout().is_some(), "seed {seed}: nothing comes next");
            if race.state() == RaceState::Lost {
                break;
            }
            if random.below(3) == 0
                && let Some(&attempt) = diary.running.iter().nth(below(random, diary.running.len()))
            {
                race.failed(ids[attempt], now, at(now));
                diary.running.remove(&attempt);
                diary.failed = Some(now);
                diary.failures += 1;
            } else {
                now += random.below(200);
                race.handle_timeout(at(now));
            }
        }
        assert_eq!((race.running(), race.failures().len()), (diary.running.len(), diary.failures));
        // Each address once; of a family in the resolver's order; when all have failed, all were tried.
        let tried: Vec<_> = diary.started.iter().map(|(address, _)| *address).collect();
        names.sort_by_key(SocketAddr::is_ipv4);
        let mut seen = BTreeSet::new();
        names.retain(|address| seen.insert(*address));
        for is_v6 in [true, false] {
            let of_family = |list: &[SocketAddr]| -> Vec<_> {
                list.iter().copied().filter(|address| address.is_ipv6() == is_v6).collect()
            };
            assert!(of_family(&names).starts_with(&of_family(&tried)), "seed {seed}");
        }
        assert!(race.state() != RaceState::Lost || tried.len() == names.len(), "seed {seed}");
        let winner = diary.running.first().map(|&attempt| ids[attempt]);
        if let Some(winner) = winner {
            assert!(race.connected(winner));
            let mut cancelled = BTreeSet::new();
            while let Some(RaceEvent::Cancel(attempt)) = race.poll_event() {
                assert!(cancelled.insert(attempt.number()));
            }
            diary.running.remove(&winner.number());
            assert_eq!(cancelled, diary.running, "seed {seed}: what runs is cancelled and nothing else");
            assert_eq!(race.poll_timeout(), None);
        }
    }
}

#[test]
fn what_comes_after_the_end_is_not_kept() {
    let mut race = Race::<&str>::resolving(RaceSettings::default());
    race.cancel();
    race.add(["192.0.2.1:80".parse().unwrap()], Instant::EPOCH);
    assert_eq!((race.waiting(), race.poll_event(), race.state()), (0, None, RaceState::Cancelled));
}
