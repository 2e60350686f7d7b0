//! `Retry-After` (RFC 9110 §10.2.3): a date, or seconds from now.

use alloc::string::ToString;
use core::fmt;
use core::time::Duration;

use super::range::position;
use super::single;
use crate::date::{http_date, parse_http_date};
use crate::{Headers, InvalidHeader, header};

/// When to come back.
///
/// ```
/// use callboard_core::fields::RetryAfter;
/// use core::time::Duration;
///
/// let now = 784_111_777;
/// assert_eq!(RetryAfter::parse(b"120", now), Some(RetryAfter::Seconds(120)));
/// let at = RetryAfter::parse(b"Sun, 06 Nov 1994 08:49:40 GMT", now).unwrap();
/// assert_eq!(at.delay(now), Duration::from_secs(3));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RetryAfter {
    /// So many seconds after the answer was received.
    Seconds(u64),
    /// At that time, in seconds since 1970.
    At(u64),
}

impl RetryAfter {
    /// Reads the value of the field. `now`, in seconds since 1970, is for years of two digits. A number that is too
    /// large is the largest.
    pub fn parse(value: &[u8], now: u64) -> Option<Self> {
        position(value).map(Self::Seconds).or_else(|| parse_http_date(value, now).map(Self::At))
    }

    /// Reads the field; `None` if it is absent, malformed or there twice.
    pub fn read(headers: &Headers, now: u64) -> Option<Self> {
        Self::parse(single(headers.get_all(header::RETRY_AFTER))?, now)
    }

    /// Puts the field in the place of all of its name.
    pub fn write(&self, headers: &mut Headers) -> Result<(), InvalidHeader> {
        headers.set(header::RETRY_AFTER, self.to_string())
    }

    /// How long to wait from `now`, in seconds since 1970: nothing if the time has passed. The caller sets the limit:
    /// a server may say a thousand years.
    pub fn delay(self, now: u64) -> Duration {
        Duration::from_secs(match self {
            Self::Seconds(seconds) => seconds,
            Self::At(time) => time.saturating_sub(now),
        })
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seconds(seconds) => write!(f, "{seconds}"),
            Self::At(time) => f.write_str(core::str::from_utf8(&http_date(*time)).unwrap_or_default()),
        }
    }
}
