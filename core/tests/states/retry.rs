//! The retry decision: where a request stands, and how its attempt ended.

use std::time::Duration;

use callboard_core::retry::{BudgetLimits, Decision, Delivery, Failure, Jitter, Retry, RetryBudget, RetryPolicy};
use callboard_core::{Instant, Status};

use crate::table::{Row, Situation, Table};

const NOW: Instant = Instant::from_nanos(1_000_000_000);

const REFUSED: Failure = Failure {
    delivery: Delivery::NeverSent,
    status: None,
    retry_after: None,
    is_idempotent: true,
    is_replayable: true,
    is_transient: true,
    is_stale_reuse: false,
};

const CUT: Failure = Failure { delivery: Delivery::MaybeSent, ..REFUSED };
const ANSWERED: Failure = Failure { delivery: Delivery::Answered, ..REFUSED };

struct Request {
    retry: Retry,
    budget: RetryBudget,
}

fn request(attempts: u32, seconds: u64, reserve: u32) -> Request {
    let policy = RetryPolicy { jitter: Jitter::None, ..RetryPolicy::attempts(attempts) };
    let limits = BudgetLimits { reserve, ..BudgetLimits::default() };
    let deadline = NOW + Duration::from_secs(seconds);
    Request { retry: Retry::new(policy, 1, deadline), budget: RetryBudget::new(limits, NOW) }
}

type Prepare = fn() -> Request;

/// Where a request stands.
const SITUATIONS: [(&str, &str, Prepare); 6] = [
    ("first attempt", "of three, with a minute left and a budget", || request(3, 60, 10)),
    ("second attempt", "of three", || {
        let mut request = request(3, 60, 10);
        request.retry.decide(&REFUSED, &mut request.budget, NOW);
        request
    }),
    ("last attempt", "of three", || {
        let mut request = request(3, 60, 10);
        request.retry.decide(&REFUSED, &mut request.budget, NOW);
        request.retry.decide(&REFUSED, &mut request.budget, NOW);
        request
    }),
    ("only attempt", "of a session without a policy", || request(1, 60, 10)),
    ("no budget", "for retries is left in the session", || request(3, 60, 0)),
    ("deadline near", "with less than the first wait left", || request(3, 0, 10)),
];

fn answered(code: u16) -> Failure {
    Failure { status: Status::new(code).ok(), ..ANSWERED }
}

/// How an attempt ends.
fn ends() -> [(&'static str, Failure); 17] {
    let other = |failure| Failure { is_idempotent: false, ..failure };
    let after = |seconds| Failure { retry_after: Some(Duration::from_secs(seconds)), ..answered(503) };
    [
        ("GET never sent", REFUSED),
        ("POST never sent", other(REFUSED)),
        ("GET maybe sent", CUT),
        ("POST maybe sent", other(CUT)),
        ("GET cut on a kept connection", Failure { is_stale_reuse: true, ..CUT }),
        ("POST cut on a kept connection", Failure { is_stale_reuse: true, ..other(CUT) }),
        ("answer cut", ANSWERED),
        ("200", answered(200)),
        ("429 to POST", other(answered(429))),
        ("500 to GET", answered(500)),
        ("503 to GET", answered(503)),
        ("503 to POST", other(answered(503))),
        ("503 with Retry-After 5 s", after(5)),
        ("503 with Retry-After 1 h", after(3_600)),
        ("certificate refused", Failure { is_transient: false, ..REFUSED }),
        ("stream gone before anything was sent", Failure { is_replayable: false, ..REFUSED }),
        ("503 to a stream that is gone", Failure { is_replayable: false, ..answered(503) }),
    ]
}

fn next_state(request: &Request, before: u32) -> &'static str {
    match request.retry.attempts() {
        same if same == before => "replaced connection",
        2 => "second attempt",
        _ => "last attempt",
    }
}

pub(crate) fn table() -> Table {
    let situations = SITUATIONS.map(|(state, how, prepare)| Situation {
        state: state.to_owned(),
        how: how.to_owned(),
        rows: ends()
            .into_iter()
            .map(|(event, failure)| {
                let mut request = prepare();
                let before = request.retry.attempts();
                let (next, what) = match request.retry.decide(&failure, &mut request.budget, NOW) {
                    Decision::RetryAt(at) if at == NOW => (next_state(&request, before), "at once".to_owned()),
                    Decision::RetryAt(at) => (next_state(&request, before), format!("after {:?}", at - NOW)),
                    Decision::GiveUp(reason) => ("given up", format!("{reason:?}")),
                };
                Row { event: event.to_owned(), next: next.to_owned(), what }
            })
            .collect(),
    });
    Table {
        name: "retry",
        title: "Whether a request is sent again",
        about: "A policy of three attempts without jitter. A request that may have arrived is repeated only if it is \
            idempotent; a kept connection that dies is replaced at once, once, with or without a policy.",
        parts: &["The request"],
        situations: situations.into(),
    }
}
