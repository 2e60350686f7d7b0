//! The deadlines of an exchange: which run in which step, which comes first, and what restarts which clock.

use std::time::Duration;

use callboard_core::Instant;
use callboard_core::deadlines::{Deadline, Deadlines, Expired, InvalidTimeouts, Step, Timeouts};

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Instant {
    Instant::from_nanos(seconds * 1_000_000_000)
}

/// All differ, the total last.
const TIMEOUTS: Timeouts = Timeouts {
    total: Duration::from_secs(100),
    acquire: Duration::from_secs(50),
    queue: Duration::from_secs(20),
    connect: Duration::from_secs(10),
    expect: Duration::from_secs(1),
    read: Duration::from_secs(30),
};

#[test]
fn the_defaults_are_finite() {
    let timeouts = Timeouts::default();
    assert_eq!(timeouts.check(), Ok(()));
    assert_eq!((timeouts.total, timeouts.queue), (300 * SECOND, 300 * SECOND));
    assert_eq!((timeouts.connect, timeouts.expect), (10 * SECOND, SECOND));
    for step in Step::ALL {
        let mut deadlines = Deadlines::new(at(7));
        deadlines.enter(step, at(8));
        assert!(deadlines.next(&timeouts).1 <= at(307), "{step:?} can last longer than the total");
    }
}

#[test]
fn which_deadlines_run_in_which_step() {
    use Deadline::{Acquire, Connect, Expect, Queue, Read};
    let rows: [(Step, &[Deadline]); 10] = [
        (Step::Backoff, &[]),
        (Step::Queue, &[Acquire, Queue]),
        (Step::Resolve, &[Acquire, Connect]),
        (Step::Connect, &[Acquire, Connect]),
        (Step::Secure, &[Acquire, Connect]),
        (Step::Continue, &[Expect]),
        (Step::Send, &[]),
        (Step::Head, &[Read]),
        (Step::Body, &[Read]),
        (Step::Caller, &[]),
    ];
    assert_eq!(rows.map(|(step, _)| step), Step::ALL);
    for (step, running) in rows {
        let mut deadlines = Deadlines::new(at(0));
        deadlines.enter(step, at(5));
        for deadline in [Deadline::Total, Acquire, Queue, Connect, Expect, Read] {
            // Only this one is short.
            let never = Duration::MAX;
            let mut timeouts =
                Timeouts { total: never, acquire: never, queue: never, connect: never, expect: never, read: never };
            let (field, began) = match deadline {
                Deadline::Total => (&mut timeouts.total, at(0)),
                Acquire => (&mut timeouts.acquire, at(5)),
                Queue => (&mut timeouts.queue, at(5)),
                Connect => (&mut timeouts.connect, at(5)),
                Expect => (&mut timeouts.expect, at(5)),
                _ => (&mut timeouts.read, at(5)),
            };
            *field = 3 * SECOND;
            let runs = deadline == Deadline::Total || running.contains(&deadline);
            let expected =
                if runs { (deadline, began + 3 * SECOND) } else { (Deadline::Total, Instant::EPOCH + never) };
            assert_eq!(deadlines.next(&timeouts), expected, "{deadline} in {step:?}");
            let now = at(1_000_000);
            let limit = 3 * SECOND;
            let passed = runs.then(|| Expired { deadline, elapsed: now - began, limit });
            assert_eq!(deadlines.expired(&timeouts, now), passed, "{deadline} in {step:?}");
        }
    }
}

#[test]
fn one_clock_runs_from_the_first_queue_to_the_last_body() {
    let mut deadlines = Deadlines::new(at(3));
    let way = [Step::Queue, Step::Resolve, Step::Connect, Step::Send, Step::Head, Step::Body, Step::Backoff];
    // Twice: a redirection or another attempt goes the same way again.
    for (turn, step) in way.iter().chain(&way).enumerate() {
        let now = at(3 + 7 * turn as u64);
        deadlines.enter(*step, now);
        assert_eq!(deadlines.total(&TIMEOUTS), at(103), "{step:?} moved the total");
        assert_eq!(deadlines.expired(&TIMEOUTS, now), None, "{step:?}");
    }
    assert_eq!(deadlines.began(), at(3));
    let late = deadlines.expired(&TIMEOUTS, at(103)).unwrap();
    assert_eq!((late.deadline, late.elapsed, late.limit), (Deadline::Total, 100 * SECOND, 100 * SECOND));
}

#[test]
fn the_way_to_a_connection_has_a_clock_of_its_own() {
    let mut deadlines = Deadlines::new(at(0));
    deadlines.enter(Step::Queue, at(10));
    deadlines.enter(Step::Resolve, at(25));
    for address in 0..3 {
        deadlines.enter(Step::Connect, at(33 + 9 * address));
    }
    deadlines.enter(Step::Secure, at(58));
    assert_eq!(deadlines.next(&TIMEOUTS), (Deadline::Acquire, at(60)));
    assert_eq!(deadlines.expired(&TIMEOUTS, at(59)), None);
    assert_eq!(deadlines.expired(&TIMEOUTS, at(61)).unwrap().elapsed, 51 * SECOND);
    // It does not run while the exchange has a connection, and begins anew with the next.
    deadlines.enter(Step::Send, at(59));
    assert_eq!(deadlines.next(&TIMEOUTS).0, Deadline::Total);
    deadlines.enter(Step::Connect, at(45));
    assert_eq!(deadlines.next(&Timeouts { connect: 55 * SECOND, ..TIMEOUTS }), (Deadline::Acquire, at(95)));
}

#[test]
fn each_address_has_its_time() {
    let mut deadlines = Deadlines::new(at(0));
    deadlines.enter(Step::Connect, at(0));
    assert_eq!(deadlines.next(&TIMEOUTS), (Deadline::Connect, at(10)));
    deadlines.note_progress(at(4));
    assert_eq!(deadlines.next(&TIMEOUTS), (Deadline::Connect, at(10)), "only silence is broken by progress");
    deadlines.enter(Step::Connect, at(10));
    assert_eq!(deadlines.next(&TIMEOUTS), (Deadline::Connect, at(20)));
}

#[test]
fn silence_is_counted_from_the_last_arrival_and_not_while_the_caller_waits() {
    let mut deadlines = Deadlines::new(at(0));
    deadlines.enter(Step::Send, at(0));
    assert_eq!(deadlines.next(&TIMEOUTS), (Deadline::Total, at(100)), "it begins when the request is sent");
    deadlines.enter(Step::Head, at(2));
    assert_eq!(deadlines.next(&TIMEOUTS), (Deadline::Read, at(32)));
    deadlines.note_progress(at(20));
    assert_eq!(deadlines.next(&TIMEOUTS), (Deadline::Read, at(50)));
    deadlines.enter(Step::Caller, at(21));
    assert_eq!(deadlines.next(&TIMEOUTS), (Deadline::Total, at(100)));
    assert_eq!(deadlines.expired(&TIMEOUTS, at(99)), None);
    deadlines.enter(Step::Body, at(60));
    assert_eq!(deadlines.next(&TIMEOUTS), (Deadline::Read, at(90)));
    // Data that never stops does not move the total.
    for second in 60..100 {
        deadlines.note_progress(at(second));
        assert_eq!(deadlines.expired(&TIMEOUTS, at(second)), None);
    }
    assert_eq!(deadlines.expired(&TIMEOUTS, at(100)).unwrap().deadline, Deadline::Total);
}

#[test]
fn of_two_at_once_the_wider_is_named_and_of_two_passed_the_first() {
    let mut deadlines = Deadlines::new(at(0));
    deadlines.enter(Step::Queue, at(0));
    let same = Timeouts { total: 5 * SECOND, acquire: 5 * SECOND, queue: 5 * SECOND, ..TIMEOUTS };
    assert_eq!(deadlines.next(&same), (Deadline::Total, at(5)));
    let same = Timeouts { total: 6 * SECOND, ..same };
    assert_eq!(deadlines.next(&same), (Deadline::Acquire, at(5)));
    let late = Timeouts { queue: 4 * SECOND, ..same };
    assert_eq!(deadlines.expired(&late, at(90)).unwrap().deadline, Deadline::Queue);
}

#[test]
fn zero_is_refused_where_nothing_could_succeed() {
    let zero = Duration::ZERO;
    let rows = [
        (Timeouts { total: zero, ..TIMEOUTS }, Err(InvalidTimeouts::TotalIsZero)),
        (Timeouts { acquire: zero, ..TIMEOUTS }, Err(InvalidTimeouts::AcquireIsZero)),
        (Timeouts { connect: zero, ..TIMEOUTS }, Err(InvalidTimeouts::ConnectIsZero)),
        (Timeouts { read: zero, ..TIMEOUTS }, Err(InvalidTimeouts::ReadIsZero)),
        (Timeouts { queue: zero, ..TIMEOUTS }, Ok(())),
        (Timeouts { expect: zero, ..TIMEOUTS }, Ok(())),
        (Timeouts { total: Duration::from_nanos(1), ..TIMEOUTS }, Ok(())),
    ];
    for (timeouts, expected) in rows {
        assert_eq!(timeouts.check(), expected);
    }
    let mut deadlines = Deadlines::new(at(4));
    deadlines.enter(Step::Queue, at(4));
    let at_once = Timeouts { queue: zero, ..TIMEOUTS };
    assert_eq!(deadlines.expired(&at_once, at(4)).unwrap().deadline, Deadline::Queue, "zero: no waiting");
}
