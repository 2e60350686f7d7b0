//! What must hold for any input, cut in any way: the same events, whatever the order of calls; no panic; bounded
//! memory. The corpus is the input, and the corpus with random damage.

use std::sync::Arc;

use callboard_core::{Limits, Random};

use super::corpus::{Case, Role, cases};
use super::feed::Feed;
use super::listing::events;

/// A case cut in some way must read as it does whole.
fn assert_same(case: &Case, role: Role, feed: Feed, whole: &str) {
    let text = format!("{feed:?}");
    let (listing, _) = case.run(role, feed);
    assert!(
        listing == whole,
        "{role:?} {} with {text}:\n--- in pieces\n{listing}\n--- whole\n{whole}\n--- input\n{}",
        case.name,
        super::text::escape(&case.input)
    );
}

fn assert_any_cut_is_the_same(case: &Case, role: Role, rounds: u64) {
    let (whole, _) = case.run(role, Feed::Whole);
    assert_same(case, role, Feed::Bytes, &whole);
    for seed in 0..rounds {
        assert_same(case, role, Feed::Random(Random::from_seed(seed)), &whole);
        assert_same(case, role, Feed::Shuffled(Random::from_seed(seed)), &whole);
    }
}

#[test]
fn any_cut_and_any_order_of_calls_gives_the_same_events() {
    for role in [Role::Server, Role::Client] {
        for case in cases(role) {
            assert_any_cut_is_the_same(&case, role, 12);
        }
    }
}

#[test]
fn an_end_that_comes_before_the_events_are_taken_loses_none() {
    for role in [Role::Server, Role::Client] {
        for case in cases(role) {
            let case = Case { ends: true, ..case };
            let (whole, _) = case.run(role, Feed::Whole);
            let (early, _) = case.run(role, Feed::EndFirst);
            assert_eq!(events(&early), events(&whole), "{role:?} {}", case.name);
        }
    }
}

/// Damages the input of a case: bytes changed, cut out, doubled, or another case's put in.
fn damage(case: &Case, all: &[Case], random: &mut Random) -> Case {
    // How much is read while lingering depends on what a failure had already thrown away: no event tells.
    let limits = Limits { linger_bytes: u64::MAX, ..Limits::clone(&case.limits) };
    let mut case = Case { limits: Arc::new(limits), ..case.clone() };
    for _ in 0..=random.below(4) {
        let input = &mut case.input;
        if input.is_empty() {
            break;
        }
        let mut place = |length: usize| usize::try_from(random.below(length as u64 + 1)).unwrap();
        let (at, length) = (place(input.len() - 1), place(10));
        let end = input.len().min(at + length);
        match place(6) {
            0 => input[at] ^= 1 << place(7),
            1 => input[at] = b"\r\n \t:,;0\x00\xff"[place(9)],
            2 => drop(input.drain(at..end)),
            3 => drop(input.splice(at..at, input[at..end].to_vec())),
            4 => {
                let other = &all[place(all.len() - 1)].input;
                let from = place(other.len());
                let to = other.len().min(from + 4 * length);
                drop(input.splice(at..at, other[from..to].iter().copied()));
            }
            5 => input.truncate(at),
            _ => case.ends ^= true,
        }
    }
    case
}

#[test]
fn damaged_input_never_panics_and_reads_the_same_however_it_is_cut() {
    for role in [Role::Server, Role::Client] {
        let all = cases(role);
        for (index, case) in all.iter().enumerate().filter(|(_, case)| case.input.len() < 5_000) {
            let mut random = Random::from_seed(index as u64);
            for _ in 0..60 {
                assert_any_cut_is_the_same(&damage(case, &all, &mut random), role, 1);
            }
        }
    }
}

/// A machine holds a head that is not whole; all else it takes at once or leaves to back pressure.
#[test]
fn what_waits_in_the_input_is_bounded() {
    let limits = Limits { head: 3_000, start_line: 1_000, trailers: 900, receive_buffer: 2_000, ..Limits::default() };
    let limits = Arc::new(limits);
    for role in [Role::Server, Role::Client] {
        for case in cases(role) {
            let mut case = Case { limits: Arc::clone(&limits), ..case };
            for start in [b"".as_slice(), b"X", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"5\r\nhello\r\n", b"X: 1\r\n"] {
                let repeated = start.repeat(20_000 / start.len().max(1));
                case.input.extend_from_slice(&repeated);
                let (_, waiting) = case.run(role, Feed::Random(Random::from_seed(7)));
                // One piece of at most 2000 bytes may come before back pressure is felt.
                assert!(waiting <= 5_000, "{role:?} {}: {waiting} bytes wait", case.name);
            }
        }
    }
}
