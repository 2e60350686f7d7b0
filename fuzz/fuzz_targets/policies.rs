//! Any answer to the redirect decision, any failures to the retry decision, any course to the deadlines, any path to
//! serve a file by: declared errors only, nothing outside the bounds that the settings state, no secret to another
//! origin, and no name outside the folder that is served.
#![no_main]

use std::fmt::Write as _;
use std::path::{Component, Path};
use std::time::Duration;

use callboard_core::deadlines::{Deadline, Deadlines, Step, Timeouts};
use callboard_core::redirect::{self, Decision, Redirection};
use callboard_core::retry::{self, BudgetLimits, Delivery, Failure, Jitter, Retry, RetryBudget, RetryPolicy};
use callboard_core::safe_path::{Hidden, SafePath};
use callboard_core::{Instant, Method, Status};
use libfuzzer_sys::fuzz_target;
use url::Url;

const FROM: [&str; 4] =
    ["http://example.org/dir/start?q#old", "https://example.org:8443/", "http://[::1]/a/b/../c", "https://a.example/#"];
const STATUSES: [u16; 8] = [301, 302, 303, 307, 308, 300, 200, 503];
const METHODS: [Method; 5] = [Method::Get, Method::Head, Method::Post, Method::Put, Method::Connect];

fuzz_target!(|bytes: &[u8]| {
    let Some((&control, rest)) = bytes.split_first() else { return };
    match control % 4 {
        0 => follow(usize::from(control / 4), rest),
        1 => repeat(u64::from(control), rest),
        2 => serve(control / 4, rest),
        _ => pass(rest),
    }
});

fn serve(control: u8, path: &[u8]) {
    let Ok(path) = std::str::from_utf8(path) else { return };
    let hidden = [Hidden::Refused, Hidden::WellKnown, Hidden::Served][usize::from(control % 3)];
    let safe = match SafePath::parse(path, hidden) {
        Ok(safe) => safe,
        Err(error) => return assert!(error.at <= path.len() && path.is_char_boundary(error.at), "{path:?}: {error}"),
    };
    let root = Path::new("/srv/root");
    let joined = root.join(safe.to_string());
    let below = joined.strip_prefix(root).expect("it is below the root");
    assert!(below.components().all(|component| matches!(component, Component::Normal(_))), "{path:?}: {joined:?}");
    assert_eq!(below.components().count(), safe.names().len(), "{path:?}: {joined:?}");
    // What Windows makes of a name.
    for (place, name) in safe.names().iter().enumerate() {
        assert!(!name.is_empty() && !name.contains(['/', '\\', ':']) && !name.contains(char::is_control), "{name:?}");
        assert!(!name.ends_with(['.', ' ']), "{name:?}");
        let is_known = hidden == Hidden::Served || hidden == Hidden::WellKnown && place == 0 && name == ".well-known";
        assert!(!name.starts_with('.') || is_known, "{name:?}");
    }
    // Encoded anew, byte for byte, it is the same path.
    let mut encoded = String::new();
    for name in safe.names() {
        encoded.push('/');
        name.bytes().for_each(|byte| write!(encoded, "%{byte:02X}").expect("a string takes all"));
    }
    encoded.push_str(if safe.is_folder() { "/" } else { "" });
    assert_eq!(SafePath::parse(&encoded, hidden).as_ref(), Ok(&safe), "{path:?}");
}

fn follow(control: usize, location: &[u8]) {
    let from = Url::parse(FROM[control % 4]).unwrap();
    let status = Status::new(STATUSES[control / 4 % 8]).unwrap();
    let replayable = location.len() % 2 == 0;
    for method in &METHODS {
        let (followed, limit, location) = (3, 10, Some(location));
        let decision =
            redirect::decide(&Redirection { status, location, method, from: &from, followed, limit, replayable });
        let Ok(Decision::Follow { url, method: next, drop_body, drop_origin_fields }) = decision else { continue };
        assert!(matches!(url.scheme(), "http" | "https") && url.has_host(), "{url}");
        assert!(url.as_str().bytes().all(|byte| (b'!'..=b'~').contains(&byte)), "{url:?}");
        assert_eq!(Url::parse(url.as_str()).as_ref(), Ok(&url), "it is another URL when it is read again");
        let is_same = from.origin() == url.origin();
        assert_eq!(drop_origin_fields, !is_same, "{from} to {url}");
        assert!(drop_body || (replayable && next == *method), "{method} to {next}");
        assert!(url.fragment().is_some() || from.fragment().is_none(), "the fragment is lost: {url}");
    }
}

fn repeat(seed: u64, bytes: &[u8]) {
    let policy = RetryPolicy {
        jitter: [Jitter::None, Jitter::Full, Jitter::Decorrelated][seed as usize / 3 % 3],
        maximum_delay: Duration::from_secs(3),
        ..RetryPolicy::attempts(1 + seed as u32 % 7)
    };
    let (mut now, deadline) = (Instant::EPOCH, Instant::EPOCH + Duration::from_secs(200));
    let mut budget = RetryBudget::new(BudgetLimits { reserve: 4, percent: 10, per_second: 1 }, now);
    let mut retry = Retry::new(policy, seed, deadline);
    let (mut repeated, mut replaced) = (0, 0);
    for pair in bytes.chunks_exact(2) {
        let (facts, other) = (pair[0], pair[1]);
        let failure = Failure {
            delivery: [Delivery::NeverSent, Delivery::MaybeSent, Delivery::Answered][usize::from(facts % 3)],
            status: (facts & 4 != 0).then(|| Status::new(400 + u16::from(other) % 130).unwrap()),
            retry_after: (facts & 8 != 0).then(|| Duration::from_secs(u64::from(other) << (facts >> 5))),
            is_idempotent: facts & 16 != 0,
            is_replayable: other & 1 == 0,
            is_transient: other & 2 == 0,
            is_stale_reuse: other & 12 == 12,
        };
        let retry::Decision::RetryAt(at) = retry.decide(&failure, &mut budget, now) else { continue };
        assert!(failure.is_replayable && at < deadline && at >= now, "{failure:?}");
        assert!(failure.is_idempotent || failure.delivery != Delivery::MaybeSent || failure.status.is_some());
        if at == now && failure.is_stale_reuse && replaced == 0 {
            replaced += 1;
        } else {
            repeated += 1;
            let asked = failure.retry_after.unwrap_or_default();
            assert!(at >= now + asked && at <= now + asked + policy.maximum_delay, "{failure:?}");
        }
        now = at;
    }
    assert!(repeated < 1 + policy.attempts && retry.attempts() <= policy.attempts);
    assert!(budget.available(now) <= 4);
}

fn pass(bytes: &[u8]) {
    let seconds = |index: usize| Duration::from_secs(bytes.get(index).map_or(1, |byte| u64::from(*byte)));
    let timeouts = Timeouts {
        total: seconds(0),
        acquire: seconds(1),
        queue: seconds(2),
        connect: seconds(3),
        expect: seconds(4),
        read: seconds(5),
    };
    let is_valid = [0, 1, 3, 5].iter().all(|index| seconds(*index) > Duration::ZERO);
    assert_eq!(timeouts.check().is_ok(), is_valid);
    let mut now = Instant::EPOCH;
    let mut deadlines = Deadlines::new(now);
    for byte in bytes.iter().skip(6) {
        now = now + Duration::from_secs(u64::from(byte >> 4));
        match usize::from(byte % 11) {
            step @ 0..10 => deadlines.enter(Step::ALL[step], now),
            _ => deadlines.note_progress(now),
        }
        let (deadline, due) = deadlines.next(&timeouts);
        let total = Instant::EPOCH + timeouts.total;
        assert!(due <= total && (deadline != Deadline::Total || due == total), "{deadline} at {due:?}");
        for at in [now, due, due + Duration::from_nanos(1)] {
            let expired = deadlines.expired(&timeouts, at);
            assert_eq!(expired.is_some(), at >= due, "{deadline}");
            assert!(expired.is_none_or(|expired| expired.deadline == deadline && expired.elapsed >= expired.limit));
        }
    }
}
