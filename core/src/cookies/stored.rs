//! A cookie that a jar holds.

use alloc::boxed::Box;
use core::fmt;

use super::set_cookie::{SameSite, SetCookie};

/// A cookie that a jar holds, with all that follows from where it came from.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredCookie {
    pub(super) name: Box<[u8]>,
    pub(super) value: Box<[u8]>,
    /// Empty: of every host.
    pub(super) domain: Box<str>,
    pub(super) path: Box<[u8]>,
    pub(super) is_host_only: bool,
    pub(super) expires: Option<u64>,
    pub(super) created: u64,
    pub(super) is_secure: bool,
    pub(super) is_http_only: bool,
    pub(super) is_partitioned: bool,
    pub(super) same_site: Option<SameSite>,
    /// Among those of its jar: the smaller came earlier.
    pub(super) order: u64,
    /// The turn of the jar in which it was last used.
    pub(super) used: u64,
}

impl StoredCookie {
    /// The name; it may be empty.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The value as received, with its quotes if it has any.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// The host that set it, or the `Domain` that it named; an IPv6 address in brackets. Empty: every host.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The path that it is for, with those below.
    pub fn path(&self) -> &[u8] {
        &self.path
    }

    /// Whether it goes to [`domain`](Self::domain) alone, not to those below it.
    pub fn is_host_only(&self) -> bool {
        self.is_host_only
    }

    /// When it expires, in seconds since 1970-01-01 00:00:00 UTC. `None`: with the session of the user agent.
    pub fn expires(&self) -> Option<u64> {
        self.expires
    }

    /// Whether it has expired at `unix_seconds`.
    pub fn is_expired(&self, unix_seconds: u64) -> bool {
        self.expires.is_some_and(|expires| expires <= unix_seconds)
    }

    /// When a cookie of its name, domain and path was first set, in seconds since 1970-01-01 00:00:00 UTC.
    pub fn created(&self) -> u64 {
        self.created
    }

    /// Over secure connections only.
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// Not for scripts.
    pub fn is_http_only(&self) -> bool {
        self.is_http_only
    }

    /// Set as `Partitioned`. It is data: this jar has one partition.
    pub fn is_partitioned(&self) -> bool {
        self.is_partitioned
    }

    /// `SameSite`; `None` is treated as Lax.
    pub fn same_site(&self) -> Option<SameSite> {
        self.same_site
    }

    /// Whether both are the same cookie, so that the newer replaces the older (RFC 6265bis §5.7).
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.name == other.name && self.path == other.path && self.is_host_only == other.is_host_only
    }

    /// As the field that would set it, but for its path.
    pub(super) fn to_set_cookie(&self) -> SetCookie {
        let mut cookie = SetCookie::new(&self.name, &self.value);
        cookie.domain = (!self.is_host_only && !self.domain.is_empty()).then(|| self.domain.as_bytes().into());
        cookie.expires = self.expires;
        cookie.is_secure = self.is_secure;
        cookie.is_http_only = self.is_http_only;
        cookie.is_partitioned = self.is_partitioned;
        cookie.same_site = self.same_site;
        cookie
    }
}

/// Without the value, which may be a secret.
impl fmt::Debug for StoredCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {:?} at {}", self.to_set_cookie(), self.domain, self.path.escape_ascii())
    }
}
