//! Whether a failed request is sent again, and when: a decision as data.
//!
//! What a failure allows comes first, by how far the request came: one that never left may always be repeated, one
//! that may have arrived only if it is idempotent (RFC 9110 §9.2.2), one that was answered only if its status asks for
//! it. Then come the bounds: attempts, a budget that all requests of a session share, and the deadline of the request.
//! The wait grows exponentially, with jitter from a seed, and never ends before what `Retry-After` asks for.
//! A kept connection that dies under a request is the one case that is repeated at once, and without any policy.

use core::fmt;
use core::time::Duration;

use crate::reasons::reasons;
use crate::{Instant, Random, Status};

/// Whether a request can have reached the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Delivery {
    /// No byte of it was handed to the transport: sending it again is safe.
    NeverSent,
    /// Bytes were handed to the transport and none came back: the server may have acted on it.
    MaybeSent,
    /// The server has begun to answer.
    Answered,
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NeverSent => "never sent",
            Self::MaybeSent => "maybe sent",
            Self::Answered => "answered",
        })
    }
}

/// How waits are spread, so that clients which failed together do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Jitter {
    /// Not at all: the wait doubles each time. For tests, and for a client that is alone.
    None,
    /// Anything from nothing to the doubled wait, each as likely.
    Full,
    /// Anything from the first wait to three times the wait before, each as likely.
    Decorrelated,
}

/// How requests that failed are repeated. The default policy repeats none, but for a kept connection that died.
///
/// ```
/// use callboard_core::retry::RetryPolicy;
/// use core::time::Duration;
///
/// let policy = RetryPolicy { maximum_delay: Duration::from_secs(2), ..RetryPolicy::attempts(4) };
/// assert!(policy.is_on() && !RetryPolicy::default().is_on());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first one included. Default 1: none is repeated.
    pub attempts: u32,
    /// The wait before the second attempt, before jitter. Default 100 ms.
    pub first_delay: Duration,
    /// The longest wait, but for `Retry-After`. Default 10 s.
    pub maximum_delay: Duration,
    /// The longest `Retry-After` that is waited for; one that is longer ends the attempts. Default 60 s.
    pub maximum_retry_after: Duration,
    /// How waits are spread. Default [`Jitter::Full`].
    pub jitter: Jitter,
    /// Whether answers are repeated too, where [`is_worth_repeating`] says so. Default true.
    pub statuses: bool,
}

/// How many retries all requests of a session may make together: see [`RetryBudget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetLimits {
    /// Retries that each request adds, in hundredths. Default 10: one retry for ten requests.
    pub percent: u32,
    /// Retries that each second adds, so that a session with few requests can repeat them. Default 10.
    pub per_second: u32,
    /// Retries that are saved up at most, and there at the start. Default 100.
    pub reserve: u32,
}

impl Default for BudgetLimits {
    fn default() -> Self {
        Self { percent: 10, per_second: 10, reserve: 100 }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::attempts(1)
    }
}

impl RetryPolicy {
    /// A policy of so many attempts, the rest as by default.
    pub const fn attempts(attempts: u32) -> Self {
        Self {
            attempts,
            first_delay: Duration::from_millis(100),
            maximum_delay: Duration::from_secs(10),
            maximum_retry_after: Duration::from_secs(60),
            jitter: Jitter::Full,
            statuses: true,
        }
    }

    /// Whether anything is repeated but a request whose kept connection died.
    pub const fn is_on(&self) -> bool {
        self.attempts > 1
    }
}

/// What is known of a request that failed, or was answered with a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How far it came.
    pub delivery: Delivery,
    /// The final status, if there is one.
    pub status: Option<Status>,
    /// The wait that `Retry-After` asks for (RFC 9110 §10.2.3).
    pub retry_after: Option<Duration>,
    /// Whether sending it twice has the effect of sending it once (RFC 9110 §9.2.2).
    pub is_idempotent: bool,
    /// Whether the body, if there is one, can be sent once more.
    pub is_replayable: bool,
    /// Whether another attempt may end otherwise: not for a malformed URL or an untrusted certificate.
    pub is_transient: bool,
    /// The connection had been kept from before, and ended without a byte of an answer (RFC 9112 §9.3.1).
    pub is_stale_reuse: bool,
}

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Send it again, not before this instant.
    RetryAt(Instant),
    /// The failure, or the answer, is final.
    GiveUp(GiveUp),
}

reasons! {
    /// Why a request is not sent again.
    GiveUp {
        /// Nothing that passes: another attempt would end in the same way.
        Permanent => "another attempt would end in the same way",
        /// The answer has a status that asks for no other attempt, or began and broke off.
        Answered => "the server has answered",
        /// RFC 9110 §9.2.2: it may have arrived, and doing it twice may differ from doing it once.
        NotIdempotent => "the request may have arrived and is not idempotent",
        /// The body was a stream, and parts of it are gone.
        BodyGone => "the body cannot be sent once more",
        /// [`RetryPolicy::attempts`].
        AttemptsUsedUp => "the attempts are used up",
        /// `Retry-After` asks for more than [`RetryPolicy::maximum_retry_after`].
        RetryAfterTooLong => "the server asks to wait for longer than the policy does",
        /// The wait would end after the deadline of the request.
        DeadlineTooClose => "the deadline passes before the next attempt",
        /// [`RetryBudget`]: too many requests of the session are being repeated already.
        BudgetSpent => "the retry budget is spent",
    }
}

/// Whether a status says that the same request may fare better later, and whether it was surely not acted on.
///
/// 408, 425 and 429 refuse a request before it is acted on (RFC 9110 §15.5.9, RFC 8470 §5.2, RFC 6585 §4): it may be
/// repeated whatever its method is. 502, 503 and 504 say nothing about that: only idempotent requests are repeated.
/// Others, 500 among them, are final.
pub const fn is_worth_repeating(status: Status, is_idempotent: bool) -> bool {
    match status.code() {
        408 | 425 | 429 => true,
        502..=504 => is_idempotent,
        _ => false,
    }
}

/// The attempts of one request.
///
/// ```
/// use callboard_core::retry::{BudgetLimits, Decision, Delivery, Failure};
/// use callboard_core::retry::{GiveUp, Jitter, Retry, RetryBudget, RetryPolicy};
/// use callboard_core::Instant;
/// use core::time::Duration;
///
/// let policy = RetryPolicy { jitter: Jitter::None, ..RetryPolicy::attempts(2) };
/// let (now, deadline) = (Instant::EPOCH, Instant::EPOCH + Duration::from_secs(5));
/// let mut budget = RetryBudget::new(BudgetLimits::default(), now);
/// let mut retry = Retry::new(policy, 7, deadline);
/// let refused = Failure {
///     delivery: Delivery::NeverSent,
///     status: None,
///     retry_after: None,
///     is_idempotent: false,
///     is_replayable: true,
///     is_transient: true,
///     is_stale_reuse: false,
/// };
/// let later = now + Duration::from_millis(100);
/// assert_eq!(retry.decide(&refused, &mut budget, now), Decision::RetryAt(later));
/// assert_eq!(retry.decide(&refused, &mut budget, later), Decision::GiveUp(GiveUp::AttemptsUsedUp));
/// ```
#[derive(Clone, Debug)]
pub struct Retry {
    policy: RetryPolicy,
    random: Random,
    deadline: Instant,
    /// Attempts that counted so far.
    attempts: u32,
    /// The wait before the last attempt.
    delay: Duration,
    /// A connection that died was replaced: that is done once.
    has_replaced: bool,
}

impl Retry {
    /// For a request that is due at `deadline` and whose first attempt is under way.
    pub fn new(policy: RetryPolicy, seed: u64, deadline: Instant) -> Self {
        let delay = policy.first_delay;
        Self { policy, random: Random::from_seed(seed), deadline, attempts: 1, delay, has_replaced: false }
    }

    /// Attempts so far that the policy counts: one that died with a kept connection is not among them.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Decides about the last attempt. [`Decision::RetryAt`] counts as the next one, and is paid for.
    pub fn decide(&mut self, failure: &Failure, budget: &mut RetryBudget, now: Instant) -> Decision {
        if let Err(reason) = may_repeat(failure, self.policy.statuses) {
            return Decision::GiveUp(reason);
        }
        if failure.is_stale_reuse && !self.has_replaced && now < self.deadline {
            self.has_replaced = true;
            return Decision::RetryAt(now);
        }
        if self.attempts >= self.policy.attempts {
            return Decision::GiveUp(GiveUp::AttemptsUsedUp);
        }
        let asked = failure.retry_after.unwrap_or_default();
        if asked > self.policy.maximum_retry_after {
            return Decision::GiveUp(GiveUp::RetryAfterTooLong);
        }
        let delay = self.next_delay();
        // Many clients may have been told the same time to come back.
        let at = now + asked.saturating_add(delay);
        if at >= self.deadline {
            return Decision::GiveUp(GiveUp::DeadlineTooClose);
        }
        if !budget.withdraw(now) {
            return Decision::GiveUp(GiveUp::BudgetSpent);
        }
        self.attempts += 1;
        self.delay = delay;
        Decision::RetryAt(at)
    }

    fn next_delay(&mut self) -> Duration {
        let RetryPolicy { first_delay, maximum_delay, jitter, .. } = self.policy;
        // Before the second attempt it is the first delay: doubled 0 times.
        let doubled = first_delay.saturating_mul(1 << (self.attempts - 1).min(31)).min(maximum_delay);
        match jitter {
            Jitter::None => doubled,
            Jitter::Full => self.between(Duration::ZERO, doubled),
            Jitter::Decorrelated => self.between(first_delay, self.delay.saturating_mul(3)).min(maximum_delay),
        }
    }

    /// A duration from `low` to `high`, both included.
    fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let nanos = u64::try_from(high.saturating_sub(low).as_nanos()).unwrap_or(u64::MAX);
        low.saturating_add(Duration::from_nanos(self.random.below(nanos.saturating_add(1))))
    }
}

/// What the failure itself allows, whatever the policy's bounds are.
fn may_repeat(failure: &Failure, statuses: bool) -> Result<(), GiveUp> {
    match (failure.delivery, failure.status) {
        (_, Some(status)) if statuses && is_worth_repeating(status, failure.is_idempotent) => {}
        (_, Some(status)) if statuses && is_worth_repeating(status, true) => return Err(GiveUp::NotIdempotent),
        (_, Some(_)) | (Delivery::Answered, None) => return Err(GiveUp::Answered),
        _ if !failure.is_transient => return Err(GiveUp::Permanent),
        (Delivery::MaybeSent, None) if !failure.is_idempotent => return Err(GiveUp::NotIdempotent),
        (Delivery::NeverSent | Delivery::MaybeSent, None) => {}
    }
    if failure.is_replayable { Ok(()) } else { Err(GiveUp::BodyGone) }
}

/// The retries that a session may still make: a bucket that each request and each second fill, and each retry empties.
///
/// Where everything fails, a session thus sends a tenth more, instead of a multiple of what it sent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryBudget {
    limits: BudgetLimits,
    /// In hundredths of a retry.
    balance: u64,
    /// Until when the seconds were counted.
    filled: Instant,
}

/// Hundredths in a retry.
const WHOLE: u64 = 100;

impl RetryBudget {
    /// A full budget.
    pub const fn new(limits: BudgetLimits, now: Instant) -> Self {
        Self { limits, balance: limits.reserve as u64 * WHOLE, filled: now }
    }

    /// A request begins. Its retries do not count.
    pub fn note_request(&mut self) {
        self.deposit(u64::from(self.limits.percent));
    }

    /// Retries that could be made now.
    pub fn available(&mut self, now: Instant) -> u64 {
        self.fill(now);
        self.balance / WHOLE
    }

    fn withdraw(&mut self, now: Instant) -> bool {
        self.fill(now);
        match self.balance.checked_sub(WHOLE) {
            Some(left) => {
                self.balance = left;
                true
            }
            None => false,
        }
    }

    /// What the time since the last call adds. Time that adds less than a hundredth stays to be counted.
    fn fill(&mut self, now: Instant) {
        let rate = u128::from(self.limits.per_second) * u128::from(WHOLE);
        let Some(nanos_each) = 1_000_000_000_u128.checked_div(rate) else { return };
        let nanos_each = nanos_each.max(1);
        let count = (now - self.filled).as_nanos() / nanos_each;
        let counted = u64::try_from(count.saturating_mul(nanos_each)).unwrap_or(u64::MAX);
        self.filled = self.filled + Duration::from_nanos(counted);
        self.deposit(u64::try_from(count).unwrap_or(u64::MAX));
    }

    fn deposit(&mut self, hundredths: u64) {
        self.balance = self.balance.saturating_add(hundredths).min(u64::from(self.limits.reserve) * WHOLE);
    }
}
