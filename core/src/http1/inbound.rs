//! The receiving half's sense of time: how long a body may be silent, and how slow.
//!
//! Time during which we did not want input (the host was slow, not the peer) does not count.

use core::time::Duration;

use crate::{Instant, Limits};

use super::ReceiveError;

/// The pace of one body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    started: Instant,
    last: Instant,
    bytes: u64,
    /// Since when an event has been waiting for the host.
    paused: Option<Instant>,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { started: now, last: now, bytes: 0, paused: None }
    }

    pub(super) fn received(&mut self, count: usize, now: Instant) {
        self.bytes = self.bytes.saturating_add(count as u64);
        self.last = now;
    }

    /// An event waits for the host from now on.
    pub(super) fn pause(&mut self, now: Instant) {
        self.paused.get_or_insert(now);
    }

    /// The host has taken it.
    pub(super) fn resume(&mut self, now: Instant) {
        if let Some(since) = self.paused.take() {
            let pause = now - since;
            self.started = self.started + pause;
            self.last = self.last + pause;
        }
    }

    /// When to look again, if the host is not what we wait for.
    pub(super) fn deadline(&self, limits: &Limits) -> Instant {
        let silent = self.last + limits.body_timeout;
        match self.slow_at(limits) {
            Some(slow) => silent.min(slow),
            None => silent,
        }
    }

    /// Whether the peer has missed a deadline.
    pub(super) fn check(&self, now: Instant, limits: &Limits) -> Result<(), ReceiveError> {
        if now >= self.last + limits.body_timeout {
            return Err(ReceiveError::BodyTimedOut);
        }
        match self.slow_at(limits) {
            Some(slow) if now >= slow => Err(ReceiveError::BodyTooSlow),
            _ => Ok(()),
        }
    }

    /// When what has come so far will be less than the minimum rate asks.
    fn slow_at(&self, limits: &Limits) -> Option<Instant> {
        if limits.minimum_rate == 0 {
            return None;
        }
        let paid = Duration::from_nanos(self.bytes.saturating_mul(1_000_000_000) / limits.minimum_rate);
        Some(self.started + paid.max(limits.minimum_rate_grace))
    }
}
