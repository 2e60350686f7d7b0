//! The `Date` field (RFC 9110 §6.6.1), rendered once a second per thread.

use std::cell::Cell;
use std::time::Duration;

use callboard_core::Instant;
use callboard_core::date::http_date;
use callboard_runtime::Handle;

/// A rendered date and how long it holds.
#[derive(Clone, Copy)]
struct Cached {
    /// Of which server: simulated ones on one thread have clocks of their own.
    server: u64,
    from: Instant,
    until: Instant,
    text: [u8; 29],
}

thread_local! {
    static CACHED: Cell<Cached> = const {
        Cell::new(Cached { server: u64::MAX, from: Instant::EPOCH, until: Instant::EPOCH, text: [0; 29] })
    };
}

/// The date at `now`.
pub(super) fn current(server: u64, now: Instant, runtime: &Handle) -> [u8; 29] {
    let cached = CACHED.get();
    if cached.server == server && cached.from <= now && now < cached.until {
        return cached.text;
    }
    let clock = runtime.wall_clock();
    let rest = Duration::from_nanos(1_000_000_000 - u64::from(clock.subsec_nanos()));
    let text = http_date(clock.as_secs());
    CACHED.set(Cached { server, from: now, until: now + rest, text });
    text
}
