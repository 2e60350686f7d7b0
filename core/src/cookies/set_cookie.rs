//! A `Set-Cookie` field: what it holds, and reading it as user agents do (RFC 6265bis §5.6).
//!
//! Reading is lenient where the draft is: unknown and unreadable attributes are passed over, the last of a kind counts,
//! a value keeps its quotes. Writing, in `build`, is strict.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::date::cookie_date;
use super::error::CookieError;
use super::pairs::{name_and_value, split_once};
use crate::date::http_date;
use crate::syntax::trim_ows;

/// Bytes of name and value together (RFC 6265bis §5.6).
pub(super) const PAIR_LIMIT: usize = 4096;
/// Bytes of the value of one attribute.
pub(super) const ATTRIBUTE_LIMIT: usize = 1024;

/// With which requests a cookie travels (RFC 6265bis §4.1.2.7).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SameSite {
    /// Of its own site only.
    Strict,
    /// Of its own site, and when the user follows a link to it.
    Lax,
    /// Of every site. Needs `Secure`.
    None,
}

impl SameSite {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }

    fn read(value: &[u8]) -> Option<Self> {
        [Self::Strict, Self::Lax, Self::None]
            .into_iter()
            .find(|kind| value.eq_ignore_ascii_case(kind.as_str().as_bytes()))
    }
}

/// A cookie as a server sets it: read from a field by [`parse`](Self::parse), or made by [`new`](Self::new) and what
/// follows it, and written by [`write`](Self::write).
///
/// ```
/// use callboard_core::cookies::{SameSite, SetCookie};
///
/// let cookie = SetCookie::parse(b"id=\"7\"; Path=/; Max-Age=60; SameSite=lax; Secure; Unknown").unwrap();
/// assert_eq!((cookie.name(), cookie.value()), (&b"id"[..], &b"\"7\""[..]));
/// assert_eq!((cookie.path(), cookie.max_age()), (Some(&b"/"[..]), Some(60)));
/// assert_eq!((cookie.same_site(), cookie.is_secure()), (Some(SameSite::Lax), true));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SetCookie {
    pub(super) name: Box<[u8]>,
    pub(super) value: Box<[u8]>,
    /// Without its leading dot, in lower case, never empty.
    pub(super) domain: Option<Box<[u8]>>,
    /// Begins with a slash if it was read.
    pub(super) path: Option<Box<[u8]>>,
    pub(super) max_age: Option<i64>,
    pub(super) expires: Option<u64>,
    pub(super) is_secure: bool,
    pub(super) is_http_only: bool,
    pub(super) is_partitioned: bool,
    pub(super) same_site: Option<SameSite>,
}

impl SetCookie {
    /// Reads the value of one `Set-Cookie` field. Linear in its length, which the caller has bounded.
    pub fn parse(field: &[u8]) -> Result<Self, CookieError> {
        if field.iter().any(|&byte| byte.is_ascii_control() && byte != b'\t') {
            return Err(CookieError::ControlCharacter);
        }
        let (pair, mut rest) = split_once(field, b';');
        let (name, value) = name_and_value(pair);
        if name.is_empty() && value.is_empty() {
            return Err(CookieError::Empty);
        }
        if name.len() + value.len() > PAIR_LIMIT {
            return Err(CookieError::TooLong);
        }
        let mut cookie = Self::new(name, value);
        while let Some(attributes) = rest {
            let (attribute, others) = split_once(attributes, b';');
            rest = others;
            // Without `=` all of it is the name here.
            let (name, value) = match split_once(attribute, b'=') {
                (name, None) => (trim_ows(name), &b""[..]),
                _ => name_and_value(attribute),
            };
            if value.len() <= ATTRIBUTE_LIMIT {
                cookie.set_attribute(name, value);
            }
        }
        Ok(cookie)
    }

    /// A cookie of this name and value, without attributes: for the host that sets it, as long as the client runs.
    pub fn new(name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        Self {
            name: name.as_ref().into(),
            value: value.as_ref().into(),
            domain: None,
            path: None,
            max_age: None,
            expires: None,
            is_secure: false,
            is_http_only: false,
            is_partitioned: false,
            same_site: None,
        }
    }

    fn set_attribute(&mut self, name: &[u8], value: &[u8]) {
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
        if is("expires") {
            if let Some(date) = cookie_date(value) {
                self.expires = Some(u64::try_from(date).unwrap_or(0));
            }
        } else if is("max-age") {
            if let Some(seconds) = read_seconds(value) {
                self.max_age = Some(seconds);
            }
        } else if is("domain") {
            let domain = value.strip_prefix(b".").unwrap_or(value);
            self.domain = (!domain.is_empty()).then(|| domain.to_ascii_lowercase().into());
        } else if is("path") {
            self.path = value.starts_with(b"/").then(|| value.into());
        } else if is("secure") {
            self.is_secure = true;
        } else if is("httponly") {
            self.is_http_only = true;
        } else if is("samesite") {
            self.same_site = SameSite::read(value);
        } else if is("partitioned") {
            self.is_partitioned = true;
        }
    }

    /// The name; it may be empty.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The value as sent, with its quotes if it has any: see [`unquote`](super::unquote).
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// `Domain`, without a leading dot, in lower case.
    pub fn domain(&self) -> Option<&[u8]> {
        self.domain.as_deref()
    }

    /// `Path`.
    pub fn path(&self) -> Option<&[u8]> {
        self.path.as_deref()
    }

    /// `Max-Age` in seconds, not above or below what 64 bits hold. Zero or less: remove the cookie.
    pub fn max_age(&self) -> Option<i64> {
        self.max_age
    }

    /// `Expires`, in seconds since 1970-01-01 00:00:00 UTC; 0 for dates before. [`max_age`](Self::max_age) comes first.
    pub fn expires(&self) -> Option<u64> {
        self.expires
    }

    /// `Secure`: over secure connections only.
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// `HttpOnly`: not for scripts.
    pub fn is_http_only(&self) -> bool {
        self.is_http_only
    }

    /// `Partitioned`: kept apart by the site that is shown, where a user agent knows how.
    pub fn is_partitioned(&self) -> bool {
        self.is_partitioned
    }

    /// `SameSite`, if it was one of the three.
    pub fn same_site(&self) -> Option<SameSite> {
        self.same_site
    }

    /// When it expires if it was received at `unix_seconds`; 0: at once. `None`: with the session of the user agent.
    pub fn deadline(&self, unix_seconds: u64) -> Option<u64> {
        match self.max_age {
            Some(seconds) if seconds <= 0 => Some(0),
            Some(seconds) => Some(unix_seconds.saturating_add(seconds.unsigned_abs())),
            None => self.expires,
        }
    }

    /// Whether a field could bring it.
    #[cfg(feature = "cookies")]
    pub(super) fn check_readable(&self) -> Result<(), CookieError> {
        if Self::parse(&self.render()).as_ref() == Ok(self) { Ok(()) } else { Err(CookieError::Unwritable) }
    }

    /// The field as it is, unchecked. Reading it gives the same cookie again, if this one was read.
    pub(super) fn render(&self) -> Vec<u8> {
        let mut field = Vec::with_capacity(self.name.len() + self.value.len() + 80);
        field.extend_from_slice(&self.name);
        field.push(b'=');
        field.extend_from_slice(&self.value);
        let mut add = |name: &str, value: &[u8]| {
            field.extend_from_slice(b"; ");
            field.extend_from_slice(name.as_bytes());
            field.extend_from_slice(value);
        };
        if let Some(domain) = &self.domain {
            add("Domain=", domain);
        }
        if let Some(path) = &self.path {
            add("Path=", path);
        }
        if let Some(seconds) = self.max_age {
            add("Max-Age=", alloc::format!("{seconds}").as_bytes());
        }
        if let Some(date) = self.expires {
            add("Expires=", &http_date(date));
        }
        if self.is_secure {
            add("Secure", b"");
        }
        if self.is_http_only {
            add("HttpOnly", b"");
        }
        if let Some(kind) = self.same_site {
            add("SameSite=", kind.as_str().as_bytes());
        }
        if self.is_partitioned {
            add("Partitioned", b"");
        }
        field
    }
}

/// Without the value, which may be a secret.
impl fmt::Debug for SetCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hidden = self.clone();
        hidden.value = b"..."[..].into();
        write!(f, "\"{}\"", hidden.render().escape_ascii())
    }
}

/// Digits with perhaps a minus before them (RFC 6265bis §5.6.2); what does not fit is the nearest number that does.
fn read_seconds(value: &[u8]) -> Option<i64> {
    let (is_negative, digits) = match value {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number =
        digits.iter().fold(0_i64, |number, digit| number.saturating_mul(10).saturating_add((digit - b'0').into()));
    Some(if is_negative { -number } else { number })
}
