//! Making a `Set-Cookie` field, as strictly as servers are asked to (RFC 6265bis §4.1.1).

use alloc::vec::Vec;
use core::time::Duration;

use super::pairs::is_cookie_value;
use super::set_cookie::{ATTRIBUTE_LIMIT, PAIR_LIMIT, SameSite, SetCookie};
use crate::reasons::reasons;
use crate::syntax::is_token;

reasons! {
    /// Why a cookie cannot be set: user agents would refuse or misread it.
    InvalidCookie {
        /// The name is no token (RFC 6265bis §4.1.1).
        Name => "the name of a cookie is no token",
        /// The value holds what a cookie cannot: encode it, with base64 or percent signs, say (§4.1.1).
        Value => "a cookie's value holds a space, quote, comma, semicolon, backslash, control or non-ASCII character",
        /// Name and value together are longer than 4096 bytes, or an attribute is longer than 1024 (§5.6).
        TooLong => "a cookie that is too long for user agents",
        /// `Domain` is no domain name (§4.1.2.3).
        Domain => "the domain of a cookie is no domain name",
        /// `Path` does not begin with a slash, or holds a semicolon, a control or a non-ASCII character (§4.1.2.4).
        Path => "the path of a cookie does not begin with a slash, or holds a semicolon",
        /// `SameSite=None` needs `Secure` (§4.1.2.7).
        SameSiteNone => "SameSite=None needs Secure",
        /// `Partitioned` needs `Secure`.
        Partitioned => "Partitioned needs Secure",
        /// A name with `__Secure-` needs `Secure` (§4.1.3.1).
        SecurePrefix => "a __Secure- cookie needs Secure",
        /// A name with `__Host-` needs `Secure` and `Path=/`, and no `Domain` (§4.1.3.2).
        HostPrefix => "a __Host- cookie needs Secure and Path=/ and no Domain",
    }
}

/// Whether `name` begins with `prefix`, in whichever case (RFC 6265bis §5.4).
pub(super) fn has_prefix(name: &[u8], prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

impl SetCookie {
    /// A cookie that removes the one of this name, if `Domain` and `Path` are those that it was set with.
    ///
    /// ```
    /// use callboard_core::cookies::SetCookie;
    ///
    /// let field = SetCookie::removal("id").with_path("/").write().unwrap();
    /// assert_eq!(field, b"id=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
    /// ```
    pub fn removal(name: impl AsRef<[u8]>) -> Self {
        let mut cookie = Self::new(name, "");
        (cookie.max_age, cookie.expires) = (Some(0), Some(0));
        cookie
    }

    /// `Domain`: for this domain and those below it, not for the host alone. A leading dot is dropped.
    pub fn with_domain(mut self, domain: &str) -> Self {
        self.domain = Some(domain.strip_prefix('.').unwrap_or(domain).to_ascii_lowercase().into_bytes().into());
        self
    }

    /// `Path`: for this path and those below it. Without it: the directory of the request.
    pub fn with_path(mut self, path: impl AsRef<[u8]>) -> Self {
        self.path = Some(path.as_ref().into());
        self
    }

    /// `Max-Age`: for this long, in whole seconds. Zero removes the cookie. User agents stop at 400 days.
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
        self
    }

    /// `Expires`: until this time, in seconds since 1970-01-01 00:00:00 UTC.
    pub fn with_expires(mut self, unix_seconds: u64) -> Self {
        self.expires = Some(unix_seconds);
        self
    }

    /// `Secure`: over secure connections only.
    pub fn with_secure(mut self) -> Self {
        self.is_secure = true;
        self
    }

    /// `HttpOnly`: not for scripts.
    pub fn with_http_only(mut self) -> Self {
        self.is_http_only = true;
        self
    }

    /// `SameSite`.
    pub fn with_same_site(mut self, kind: SameSite) -> Self {
        self.same_site = Some(kind);
        self
    }

    /// `Partitioned`: kept apart by the site that is shown.
    pub fn with_partitioned(mut self) -> Self {
        self.is_partitioned = true;
        self
    }

    /// The value of a `Set-Cookie` field, if every user agent will take it for what it is.
    ///
    /// ```
    /// use callboard_core::cookies::{InvalidCookie, SameSite, SetCookie};
    ///
    /// let cookie = SetCookie::new("__Host-id", "7").with_path("/").with_secure().with_http_only();
    /// assert_eq!(cookie.write().unwrap(), b"__Host-id=7; Path=/; Secure; HttpOnly");
    /// assert_eq!(cookie.with_domain("example.org").write(), Err(InvalidCookie::HostPrefix));
    /// assert_eq!(SetCookie::new("a", "b; Path=/").write(), Err(InvalidCookie::Value));
    /// ```
    pub fn write(&self) -> Result<Vec<u8>, InvalidCookie> {
        self.check()?;
        Ok(self.render())
    }

    fn check(&self) -> Result<(), InvalidCookie> {
        let attributes = [&self.domain, &self.path];
        if !is_token(&self.name) {
            return Err(InvalidCookie::Name);
        }
        if !is_cookie_value(&self.value) {
            return Err(InvalidCookie::Value);
        }
        let is_long = |attribute: &Option<_>| {
            attribute.as_ref().is_some_and(|value: &alloc::boxed::Box<[u8]>| value.len() > ATTRIBUTE_LIMIT)
        };
        if self.name.len() + self.value.len() > PAIR_LIMIT || attributes.into_iter().any(is_long) {
            return Err(InvalidCookie::TooLong);
        }
        if self.domain.as_deref().is_some_and(|domain| !is_domain(domain)) {
            return Err(InvalidCookie::Domain);
        }
        if self.path.as_deref().is_some_and(|path| !is_path(path)) {
            return Err(InvalidCookie::Path);
        }
        self.check_security()
    }

    fn check_security(&self) -> Result<(), InvalidCookie> {
        if has_prefix(&self.name, "__Host-")
            && (!self.is_secure || self.domain.is_some() || self.path.as_deref() != Some(b"/"))
        {
            return Err(InvalidCookie::HostPrefix);
        }
        if self.is_secure {
            return Ok(());
        }
        if has_prefix(&self.name, "__Secure-") {
            return Err(InvalidCookie::SecurePrefix);
        }
        if self.same_site == Some(SameSite::None) {
            return Err(InvalidCookie::SameSiteNone);
        }
        if self.is_partitioned { Err(InvalidCookie::Partitioned) } else { Ok(()) }
    }
}

fn is_domain(domain: &[u8]) -> bool {
    let is_label_byte = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    domain.split(|&byte| byte == b'.').all(|label| !label.is_empty() && label.iter().all(is_label_byte))
}

fn is_path(path: &[u8]) -> bool {
    path.starts_with(b"/") && path.iter().all(|&byte| (byte.is_ascii_graphic() || byte == b' ') && byte != b';')
}
