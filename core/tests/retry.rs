//! The retry decision, as tables: what a failure allows, which bound stops it, and how long is waited.

use std::time::Duration;

use callboard_core::retry::{
    BudgetLimits, Decision, Delivery, Failure, GiveUp, Jitter, Retry, RetryBudget, RetryPolicy, is_worth_repeating,
};
use callboard_core::{Instant, Status};

const SECOND: Duration = Duration::from_secs(1);
const START: Instant = Instant::from_nanos(5_000_000_000);
/// After many years of deposits.
const LATER: Instant = Instant::from_nanos(u64::MAX / 2);
const NEVER: Instant = Instant::from_nanos(u64::MAX);

/// A transient failure before anything was sent, of a request that may be repeated.
const REFUSED: Failure = Failure {
    delivery: Delivery::NeverSent,
    status: None,
    retry_after: None,
    is_idempotent: true,
    is_replayable: true,
    is_transient: true,
    is_stale_reuse: false,
};

fn plain(attempts: u32) -> RetryPolicy {
    RetryPolicy { jitter: Jitter::None, ..RetryPolicy::attempts(attempts) }
}

fn full(now: Instant) -> RetryBudget {
    RetryBudget::new(BudgetLimits::default(), now)
}

fn decide(policy: RetryPolicy, failure: &Failure) -> Decision {
    Retry::new(policy, 1, NEVER).decide(failure, &mut full(START), START)
}

fn status(code: u16) -> Failure {
    Failure { delivery: Delivery::Answered, status: Some(Status::new(code).unwrap()), ..REFUSED }
}

#[test]
fn what_a_failure_allows() {
    use Delivery::{Answered, MaybeSent, NeverSent};
    use GiveUp::{BodyGone, NotIdempotent, Permanent};
    // Delivery, idempotent, replayable, transient; None: it is repeated.
    let rows = [
        (NeverSent, true, true, true, None),
        (NeverSent, false, true, true, None),
        (NeverSent, true, false, true, Some(BodyGone)),
        (NeverSent, false, false, true, Some(BodyGone)),
        (NeverSent, true, true, false, Some(Permanent)),
        (NeverSent, false, true, false, Some(Permanent)),
        (MaybeSent, true, true, true, None),
        (MaybeSent, false, true, true, Some(NotIdempotent)),
        (MaybeSent, true, false, true, Some(BodyGone)),
        (MaybeSent, false, false, true, Some(NotIdempotent)),
        (MaybeSent, true, true, false, Some(Permanent)),
        (Answered, true, true, true, Some(GiveUp::Answered)),
        (Answered, false, true, true, Some(GiveUp::Answered)),
        (Answered, true, true, false, Some(GiveUp::Answered)),
    ];
    for (delivery, is_idempotent, is_replayable, is_transient, expected) in rows {
        let failure = Failure { delivery, is_idempotent, is_replayable, is_transient, ..REFUSED };
        let wanted = expected.map_or(Decision::RetryAt(START + SECOND / 10), Decision::GiveUp);
        assert_eq!(decide(plain(2), &failure), wanted, "{failure:?}");
    }
}

#[test]
fn which_answers_are_repeated() {
    // Status; whether it is if idempotent, and if not.
    let rows = [
        (200, false, false),
        (304, false, false),
        (400, false, false),
        (404, false, false),
        (408, true, true),
        (409, false, false),
        (421, false, false),
        (425, true, true),
        (429, true, true),
        (500, false, false),
        (501, false, false),
        (502, true, false),
        (503, true, false),
        (504, true, false),
        (505, false, false),
    ];
    for (code, idempotent, other) in rows {
        for (is_idempotent, is_repeated) in [(true, idempotent), (false, other)] {
            assert_eq!(is_worth_repeating(Status::new(code).unwrap(), is_idempotent), is_repeated, "{code}");
            let failure = Failure { is_idempotent, ..status(code) };
            let wanted = match (is_repeated, idempotent) {
                (true, _) => Decision::RetryAt(START + SECOND / 10),
                (false, true) => Decision::GiveUp(GiveUp::NotIdempotent),
                (false, false) => Decision::GiveUp(GiveUp::Answered),
            };
            assert_eq!(decide(plain(2), &failure), wanted, "{code}");
            let silent = RetryPolicy { statuses: false, ..plain(2) };
            assert_eq!(
                decide(silent, &failure),
                Decision::GiveUp(GiveUp::Answered),
                "{code}: answers are not repeated"
            );
        }
    }
    let gone = Failure { is_replayable: false, ..status(503) };
    assert_eq!(decide(plain(2), &gone), Decision::GiveUp(GiveUp::BodyGone));
}

#[test]
fn a_dead_kept_connection_is_replaced_once_at_once_and_for_nothing() {
    let stale = Failure { delivery: Delivery::MaybeSent, is_stale_reuse: true, ..REFUSED };
    let off = RetryPolicy::default();
    let mut budget = RetryBudget::new(BudgetLimits { reserve: 0, ..BudgetLimits::default() }, START);
    let mut retry = Retry::new(off, 1, START + SECOND);
    assert_eq!(retry.decide(&stale, &mut budget, START), Decision::RetryAt(START));
    assert_eq!(retry.decide(&stale, &mut budget, START), Decision::GiveUp(GiveUp::AttemptsUsedUp));
    assert_eq!(retry.attempts(), 1);

    // What may not happen twice is not repeated for that reason either.
    for (failure, reason) in [
        (Failure { is_idempotent: false, ..stale }, GiveUp::NotIdempotent),
        (Failure { is_replayable: false, ..stale }, GiveUp::BodyGone),
        (Failure { delivery: Delivery::Answered, ..stale }, GiveUp::Answered),
    ] {
        assert_eq!(decide(RetryPolicy::default(), &failure), Decision::GiveUp(reason));
    }
    let mut late = Retry::new(off, 1, START);
    assert_eq!(late.decide(&stale, &mut budget, START), Decision::GiveUp(GiveUp::AttemptsUsedUp));

    // With a policy it comes before the attempts that are counted.
    let mut retry = Retry::new(plain(2), 1, NEVER);
    let mut budget = full(START);
    assert_eq!(retry.decide(&stale, &mut budget, START), Decision::RetryAt(START));
    assert_eq!(retry.decide(&REFUSED, &mut budget, START), Decision::RetryAt(START + SECOND / 10));
    assert_eq!(retry.decide(&REFUSED, &mut budget, START), Decision::GiveUp(GiveUp::AttemptsUsedUp));
    assert_eq!(retry.attempts(), 2);
}

#[test]
fn waits_double_up_to_the_longest() {
    let policy = RetryPolicy { maximum_delay: 3 * SECOND, ..plain(100) };
    let mut retry = Retry::new(policy, 1, NEVER);
    let mut budget = full(START);
    let waits: Vec<u128> = (0..40)
        .map(|_| match retry.decide(&REFUSED, &mut budget, START) {
            Decision::RetryAt(at) => (at - START).as_millis(),
            Decision::GiveUp(reason) => panic!("{reason}"),
        })
        .collect();
    assert_eq!(waits[..7], [100, 200, 400, 800, 1_600, 3_000, 3_000]);
    assert!(waits[7..].iter().all(|wait| *wait == 3_000));
}

#[test]
fn jitter_fills_its_range_and_follows_from_the_seed() {
    let waits = |jitter, seed| {
        let policy = RetryPolicy { jitter, maximum_delay: 2 * SECOND, ..plain(8) };
        let mut retry = Retry::new(policy, seed, NEVER);
        let mut budget = full(START);
        let wait = |_| match retry.decide(&REFUSED, &mut budget, START) {
            Decision::RetryAt(at) => at - START,
            Decision::GiveUp(reason) => panic!("{reason}"),
        };
        (0..7).map(wait).collect::<Vec<Duration>>()
    };
    let (mut lowest, mut highest) = (Duration::MAX, Duration::ZERO);
    for seed in 0..2_000 {
        let full = waits(Jitter::Full, seed);
        assert_eq!(full, waits(Jitter::Full, seed), "the same seed, other waits");
        for (turn, wait) in full.iter().enumerate() {
            assert!(*wait <= (SECOND / 10 * 2_u32.pow(u32::try_from(turn).unwrap())).min(2 * SECOND), "{full:?}");
        }
        (lowest, highest) = (lowest.min(full[6]), highest.max(full[6]));
        let decorrelated = waits(Jitter::Decorrelated, seed);
        let mut before = SECOND / 10;
        for wait in &decorrelated {
            assert!((SECOND / 10..=(before * 3).min(2 * SECOND)).contains(wait), "{decorrelated:?}");
            before = *wait;
        }
    }
    assert!(lowest < SECOND / 50 && highest > 98 * SECOND / 50, "{lowest:?} to {highest:?} is no full range");
    assert_ne!(waits(Jitter::Full, 1), waits(Jitter::Full, 2));
    assert_ne!(waits(Jitter::Decorrelated, 1), waits(Jitter::Decorrelated, 2));
}

#[test]
fn retry_after_is_waited_for_or_ends_it() {
    let policy = RetryPolicy { maximum_retry_after: 30 * SECOND, ..plain(2) };
    let after = |seconds: u64| Failure { retry_after: Some(Duration::from_secs(seconds)), ..status(503) };
    let tenth = SECOND / 10;
    assert_eq!(decide(policy, &after(0)), Decision::RetryAt(START + tenth));
    assert_eq!(decide(policy, &after(30)), Decision::RetryAt(START + 30 * SECOND + tenth));
    assert_eq!(decide(policy, &after(31)), Decision::GiveUp(GiveUp::RetryAfterTooLong));
    let longest = Failure { retry_after: Some(Duration::MAX), ..status(503) };
    assert_eq!(decide(policy, &longest), Decision::GiveUp(GiveUp::RetryAfterTooLong));
    let spread = RetryPolicy { jitter: Jitter::Full, ..policy };
    for seed in 0..100 {
        let mut retry = Retry::new(spread, seed, NEVER);
        let Decision::RetryAt(at) = retry.decide(&after(5), &mut full(START), START) else { panic!("not repeated") };
        assert!(at >= START + 5 * SECOND && at <= START + 5 * SECOND + tenth, "{at:?}");
    }
}

#[test]
fn nothing_is_waited_for_that_comes_after_the_deadline() {
    let policy = plain(3);
    let mut budget = full(START);
    let before = budget;
    let tenth = SECOND / 10;
    for (deadline, expected) in [
        (START + tenth, Decision::GiveUp(GiveUp::DeadlineTooClose)),
        (START + tenth + Duration::from_nanos(1), Decision::RetryAt(START + tenth)),
    ] {
        budget = before;
        assert_eq!(Retry::new(policy, 1, deadline).decide(&REFUSED, &mut budget, START), expected);
        assert_eq!(budget == before, matches!(expected, Decision::GiveUp(_)), "giving up costs nothing");
    }
}

#[test]
fn attempts_are_counted() {
    for attempts in [0, 1, 2, 5] {
        let policy = plain(attempts);
        let mut budget = full(START);
        let mut retry = Retry::new(policy, 1, NEVER);
        let repeated =
            (0..10).filter(|_| matches!(retry.decide(&REFUSED, &mut budget, START), Decision::RetryAt(_))).count();
        assert_eq!(repeated, usize::try_from(attempts.saturating_sub(1)).unwrap());
        assert_eq!(policy.is_on(), attempts > 1);
    }
}

#[test]
fn the_budget_is_filled_by_requests_and_by_time() {
    let policy = plain(2);
    let mut budget = RetryBudget::new(BudgetLimits { reserve: 3, percent: 10, per_second: 2 }, START);
    let spend = |budget: &mut RetryBudget, now| {
        let mut count = 0;
        while let Decision::RetryAt(_) = Retry::new(policy, 1, NEVER).decide(&REFUSED, budget, now) {
            count += 1;
        }
        count
    };
    assert_eq!(spend(&mut budget, START), 3, "the reserve");
    let broke = Retry::new(policy, 1, NEVER).decide(&REFUSED, &mut budget, START);
    assert_eq!(broke, Decision::GiveUp(GiveUp::BudgetSpent));
    (0..9).for_each(|_| budget.note_request());
    assert_eq!(budget.available(START), 0, "nine tenths of a retry");
    budget.note_request();
    assert_eq!(spend(&mut budget, START), 1, "ten requests pay for one");
    (0..1_000).for_each(|_| budget.note_request());
    assert_eq!(spend(&mut budget, START), 3, "no more than the reserve is saved up");
    assert_eq!(budget.available(START + SECOND), 2);
    assert_eq!(budget.available(START + 2 * SECOND), 3);
    assert_eq!(spend(&mut budget, START + 2 * SECOND), 3);
    // Many looks in between add up to the same.
    let now = START + 2 * SECOND;
    for step in 1..=1_000 {
        budget.available(now + Duration::from_micros(1_000 * step));
    }
    assert_eq!(budget.available(now + SECOND), 2);
    assert_eq!(budget.available(START), 2, "time that goes back adds nothing");
    assert_eq!(budget.available(NEVER), 3);
}

#[test]
fn a_budget_can_be_of_requests_only_or_of_time_only() {
    let requests = BudgetLimits { reserve: 2, percent: 10, per_second: 0 };
    let mut budget = RetryBudget::new(requests, START);
    let spend = |budget: &mut RetryBudget| Retry::new(plain(2), 1, NEVER).decide(&REFUSED, budget, LATER);
    assert!(matches!(spend(&mut budget), Decision::RetryAt(_)) && matches!(spend(&mut budget), Decision::RetryAt(_)));
    assert_eq!(budget.available(LATER), 0);
    (0..15).for_each(|_| budget.note_request());
    assert_eq!(budget.available(LATER), 1);

    let none = BudgetLimits { reserve: 0, ..BudgetLimits::default() };
    assert_eq!(RetryBudget::new(none, START).available(NEVER), 0, "nothing is saved up");
    let fast = BudgetLimits { reserve: u32::MAX, percent: 0, per_second: u32::MAX };
    let mut budget = RetryBudget::new(fast, START);
    budget.note_request();
    assert_eq!(budget.available(NEVER), u64::from(u32::MAX));
}

#[test]
fn a_storm_is_a_tenth_more() {
    let mut budget = RetryBudget::new(BudgetLimits { reserve: 10, percent: 10, per_second: 0 }, START);
    let mut repeated = 0;
    for _ in 0..10_000 {
        budget.note_request();
        let mut retry = Retry::new(plain(5), 1, NEVER);
        while let Decision::RetryAt(_) = retry.decide(&REFUSED, &mut budget, START) {
            repeated += 1;
        }
    }
    assert!((1_000..=1_010).contains(&repeated), "{repeated} retries for 10,000 requests that all fail");
}
