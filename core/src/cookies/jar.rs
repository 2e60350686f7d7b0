//! The jar: which cookies it takes, keeps, and gives for a URL (RFC 6265bis §5.7, §5.8.3).
//!
//! It is a machine: the wall clock comes in as seconds since 1970, and nothing else changes it. What it holds is data
//! to look at, filter, save and restore.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::iter;
use core::time::Duration;

use url::{Host, Url};

use super::build::has_prefix;
use super::error::CookieError;
use super::pairs::write_cookies;
use super::set_cookie::{SameSite, SetCookie};
use super::site::{Access, Site, is_loopback, is_public_suffix, is_within};
use super::store::{Room, Store};
use super::stored::StoredCookie;
use crate::redirect::is_same_origin;

/// What a jar takes and keeps.
#[derive(Clone, Debug)]
pub struct JarSettings {
    /// Cookies of one domain. Default 180; the draft asks for 50 at least (RFC 6265bis §6.1).
    pub per_domain: usize,
    /// Cookies in total. Default 3000, which is what the draft asks for; at 4 KiB each that is 12 MiB.
    pub total: usize,
    /// The longest life of a cookie, whatever it asks for (§5.5). Default 400 days. `None`: no limit.
    pub lifetime: Option<Duration>,
    /// Whether hosts that are IP addresses may set cookies; each gets its own alone. Default true.
    pub accepts_addresses: bool,
    /// Whether `Domain` may not be a public suffix, as `com` or `github.io` are. Default true.
    pub rejects_public_suffixes: bool,
    /// Whether `localhost`, `127.0.0.0/8` and `::1` count as secure without TLS. Default false.
    pub trusts_loopback: bool,
    /// Origins that count as secure without TLS. Default none.
    pub secure_origins: Vec<Url>,
}

impl Default for JarSettings {
    fn default() -> Self {
        Self {
            per_domain: 180,
            total: 3000,
            lifetime: Some(Duration::from_secs(400 * 24 * 60 * 60)),
            accepts_addresses: true,
            rejects_public_suffixes: true,
            trusts_loopback: false,
            secure_origins: Vec::new(),
        }
    }
}

/// Cookies, and the rules by which they come and go.
///
/// ```
/// use callboard_core::cookies::{Access, CookieJar};
///
/// let url = url::Url::parse("https://www.example.org/account/login").unwrap();
/// let mut jar = CookieJar::default();
/// jar.set_field(b"id=7; Domain=example.org; Path=/; Secure", &url, Access::default(), 0).unwrap();
/// jar.set_field(b"visits=1; Max-Age=60", &url, Access::default(), 0).unwrap();
/// assert_eq!(jar.cookie_field(&url, Access::default(), 59).unwrap(), b"visits=1; id=7");
/// assert_eq!(jar.cookie_field(&url, Access::default(), 60).unwrap(), b"id=7");
/// ```
#[derive(Clone, Debug, Default)]
pub struct CookieJar {
    settings: JarSettings,
    pub(super) store: Store,
}

impl CookieJar {
    /// An empty jar with other settings than the default ones.
    pub fn new(settings: JarSettings) -> Self {
        Self { settings, store: Store::default() }
    }

    /// The settings.
    pub fn settings(&self) -> &JarSettings {
        &self.settings
    }

    /// Reads the value of a `Set-Cookie` field that came with the answer of `url` and takes the cookie, or says why
    /// not. An expired one removes what it replaces.
    pub fn set_field(&mut self, field: &[u8], url: &Url, access: Access, unix_seconds: u64) -> Result<(), CookieError> {
        let cookie = self.judge(SetCookie::parse(field)?, url, access, unix_seconds)?;
        self.put(cookie, access, unix_seconds)
    }

    /// Takes a cookie as [`set_field`](Self::set_field) does. What no field could have brought, and would smuggle
    /// another cookie or another line into what is sent or saved, is [`CookieError::Unwritable`].
    pub fn set(&mut self, cookie: SetCookie, url: &Url, access: Access, unix_seconds: u64) -> Result<(), CookieError> {
        cookie.check_readable()?;
        let cookie = self.judge(cookie, url, access, unix_seconds)?;
        self.put(cookie, access, unix_seconds)
    }

    /// Takes a cookie that goes to every host. `Domain` is not looked at; without `Path` it goes to every path.
    pub fn set_everywhere(&mut self, cookie: SetCookie, unix_seconds: u64) -> Result<(), CookieError> {
        cookie.check_readable()?;
        let cookie = self.judge_everywhere(cookie, unix_seconds)?;
        self.put(cookie, Access::default(), unix_seconds)
    }

    /// The cookies for a request of `url`, in the order in which they are sent: longer paths first, then older ones.
    /// Looking changes nothing.
    pub fn get(&self, url: &Url, access: Access, unix_seconds: u64) -> Vec<&StoredCookie> {
        let Some(asked) = Asked::of(url, &self.settings) else { return Vec::new() };
        let fits = |cookie: &&StoredCookie| asked.fits(cookie, access) && !cookie.is_expired(unix_seconds);
        let mut cookies: Vec<_> =
            asked.domains().flat_map(|domain| self.store.of_domain(domain)).filter(fits).collect();
        cookies.sort_by_key(|cookie| (usize::MAX - cookie.path.len(), cookie.order));
        cookies
    }

    /// The value of the `Cookie` field for a request of `url`; `None` if there is none to send. The cookies count as
    /// used: when there are too many, those unused for longest go.
    pub fn cookie_field(&mut self, url: &Url, access: Access, unix_seconds: u64) -> Option<Vec<u8>> {
        let cookies = self.get(url, access, unix_seconds);
        if cookies.is_empty() {
            return None;
        }
        let field = write_cookies(cookies.iter().map(|cookie| (cookie.name(), cookie.value())));
        let mut orders: Vec<u64> = cookies.iter().map(|cookie| cookie.order).collect();
        orders.sort_unstable();
        let asked = Asked::of(url, &self.settings)?;
        for domain in asked.domains() {
            for index in 0..self.store.of_domain(domain).len() {
                let turn = self.store.next_turn();
                if let Some(cookie) = self.store.of_domain_mut(domain).get_mut(index)
                    && orders.binary_search(&cookie.order).is_ok()
                {
                    cookie.used = turn;
                }
            }
        }
        Some(field)
    }

    /// All cookies, the expired ones that are still held included: by domain, then by age.
    pub fn iter(&self) -> impl Iterator<Item = &StoredCookie> {
        self.store.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.store.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.retain(|_| false);
    }

    /// Removes the cookies of `domain` and of all below it.
    pub fn clear_domain(&mut self, domain: &str) {
        let domain = domain.to_ascii_lowercase();
        self.retain(|cookie| cookie.domain.is_empty() || !is_within(&cookie.domain, &domain));
    }

    /// Removes the cookies that have expired. Nothing depends on it but memory.
    pub fn purge(&mut self, unix_seconds: u64) {
        self.retain(|cookie| !cookie.is_expired(unix_seconds));
    }

    /// Keeps the cookies for which `keeps` is true.
    pub fn retain(&mut self, keeps: impl FnMut(&StoredCookie) -> bool) {
        self.store.retain(keeps);
    }

    pub(super) fn judge_everywhere(&self, cookie: SetCookie, unix_seconds: u64) -> Result<StoredCookie, CookieError> {
        check_prefix(&cookie, false)?;
        let path = cookie.path.clone().unwrap_or_else(|| b"/"[..].into());
        Ok(self.stored(cookie, Box::default(), false, path, unix_seconds))
    }

    /// Whether the cookie may be set by `url` (RFC 6265bis §5.7), and what it is if it may.
    pub(super) fn judge(
        &self,
        cookie: SetCookie,
        url: &Url,
        access: Access,
        now: u64,
    ) -> Result<StoredCookie, CookieError> {
        let asked = Asked::of(url, &self.settings).ok_or(CookieError::NoHost)?;
        let (domain, is_host_only) = self.domain(&cookie, &asked)?;
        if cookie.is_secure && !asked.is_secure {
            return Err(CookieError::NotSecureOrigin);
        }
        if cookie.is_http_only && access.is_script {
            return Err(CookieError::HttpOnly);
        }
        check_prefix(&cookie, is_host_only)?;
        match cookie.same_site {
            Some(SameSite::None) if !cookie.is_secure => return Err(CookieError::SameSiteNone),
            Some(SameSite::None) => {}
            _ if access.site == Site::Same || access.site != Site::Cross && !access.is_script => {}
            _ => return Err(CookieError::CrossSite),
        }
        let path = cookie.path.clone().unwrap_or_else(|| default_path(url.path()).as_bytes().into());
        let cookie = self.stored(cookie, domain, is_host_only, path, now);
        if !cookie.is_secure && !asked.is_secure && self.hides_secure(&cookie, now) {
            return Err(CookieError::HidesSecure);
        }
        Ok(cookie)
    }

    /// The domain of the cookie, and whether it is for that host alone.
    fn domain(&self, cookie: &SetCookie, asked: &Asked<'_>) -> Result<(Box<str>, bool), CookieError> {
        if !asked.is_name && !self.settings.accepts_addresses {
            return Err(CookieError::AddressHost);
        }
        let Some(domain) = cookie.domain() else { return Ok((asked.host.into(), true)) };
        let domain = core::str::from_utf8(domain).ok().filter(|domain| domain.is_ascii() && !domain.ends_with('.'));
        let domain = domain.ok_or(CookieError::DomainInvalid)?;
        let is_public = || self.settings.rejects_public_suffixes && is_public_suffix(domain);
        if domain == asked.host {
            return Ok((domain.into(), !asked.is_name || is_public()));
        }
        if is_public() {
            return Err(CookieError::PublicSuffix);
        }
        if asked.is_name && is_within(asked.host, domain) {
            return Ok((domain.into(), false));
        }
        Err(CookieError::DomainMismatch)
    }

    fn stored(
        &self,
        cookie: SetCookie,
        domain: Box<str>,
        is_host_only: bool,
        path: Box<[u8]>,
        now: u64,
    ) -> StoredCookie {
        let latest = self.settings.lifetime.map_or(u64::MAX, |lifetime| now.saturating_add(lifetime.as_secs()));
        StoredCookie {
            expires: cookie.deadline(now).map(|deadline| deadline.min(latest)),
            name: cookie.name,
            value: cookie.value,
            domain,
            path,
            is_host_only,
            created: now,
            is_secure: cookie.is_secure,
            is_http_only: cookie.is_http_only,
            is_partitioned: cookie.is_partitioned,
            same_site: cookie.same_site,
            order: 0,
            used: 0,
        }
    }

    /// Whether a Secure cookie of this name would be sent beside or instead of `cookie` (RFC 6265bis §5.7).
    fn hides_secure(&self, cookie: &StoredCookie, now: u64) -> bool {
        let is_hidden = |other: &StoredCookie| {
            other.is_secure
                && other.name == cookie.name
                && (is_within(&other.domain, &cookie.domain) || is_within(&cookie.domain, &other.domain))
                && path_matches(&cookie.path, &other.path)
                && !other.is_expired(now)
        };
        self.iter().any(is_hidden)
    }

    /// Puts a cookie in the place of the one that it replaces, whose age it takes over.
    pub(super) fn put(&mut self, mut cookie: StoredCookie, access: Access, now: u64) -> Result<(), CookieError> {
        (cookie.order, cookie.used) = (self.store.next_turn(), self.store.next_turn());
        if let Some(old) = self.store.take_same(&cookie).filter(|old| !old.is_expired(now)) {
            if old.is_http_only && access.is_script {
                self.store.insert(old, self.room(), now);
                return Err(CookieError::HttpOnly);
            }
            (cookie.created, cookie.order) = (old.created, old.order);
        }
        if !cookie.is_expired(now) {
            self.store.insert(cookie, self.room(), now);
        }
        Ok(())
    }

    fn room(&self) -> Room {
        Room { per_domain: self.settings.per_domain, total: self.settings.total }
    }
}

/// What a URL is to a jar.
struct Asked<'a> {
    host: &'a str,
    /// Not an address.
    is_name: bool,
    path: &'a str,
    is_secure: bool,
}

impl<'a> Asked<'a> {
    fn of(url: &'a Url, settings: &JarSettings) -> Option<Self> {
        let host = url.host_str().filter(|host| !host.is_empty())?;
        let is_secure = matches!(url.scheme(), "https" | "wss")
            || settings.trusts_loopback && is_loopback(url)
            || settings.secure_origins.iter().any(|origin| is_same_origin(origin, url));
        Some(Self { host, is_name: matches!(url.host(), Some(Host::Domain(_))), path: url.path(), is_secure })
    }

    /// The domains whose cookies may fit: the host, those above it, and that of the cookies for every host.
    fn domains(&self) -> impl Iterator<Item = &'a str> {
        let is_name = self.is_name;
        let above = move |domain: &&'a str| domain.split_once('.').map(|(_, above)| above).filter(|_| is_name);
        iter::successors(Some(self.host), above).filter(|domain| !domain.is_empty()).chain([""])
    }

    /// Of a cookie of one of the domains (RFC 6265bis §5.8.3).
    fn fits(&self, cookie: &StoredCookie, access: Access) -> bool {
        let is_of_site = match cookie.same_site {
            Some(SameSite::None) => true,
            Some(SameSite::Strict) => access.site == Site::Same,
            Some(SameSite::Lax) | None => {
                access.site == Site::Same || access.site == Site::Navigation && !access.is_script
            }
        };
        is_of_site
            && (!cookie.is_host_only || *cookie.domain == *self.host)
            && (self.is_secure || !cookie.is_secure)
            && !(cookie.is_http_only && access.is_script)
            && path_matches(self.path.as_bytes(), &cookie.path)
    }
}

/// RFC 6265bis §4.1.3: what a name promises, whichever its case.
fn check_prefix(cookie: &SetCookie, is_host_only: bool) -> Result<(), CookieError> {
    let (name, value) = (&*cookie.name, &*cookie.value);
    if name.is_empty() && (has_prefix(value, "__Secure-") || has_prefix(value, "__Host-")) {
        return Err(CookieError::HiddenPrefix);
    }
    if has_prefix(name, "__Secure-") && !cookie.is_secure {
        return Err(CookieError::SecurePrefix);
    }
    let is_bound = cookie.is_secure && is_host_only && cookie.path.as_deref() == Some(b"/");
    if has_prefix(name, "__Host-") && !is_bound { Err(CookieError::HostPrefix) } else { Ok(()) }
}

/// The directory of a path (RFC 6265bis §5.1.4).
fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        Some(place) if place > 0 && path.starts_with('/') => &path[..place],
        _ => "/",
    }
}

/// Whether a request's path is a cookie's path or below it (RFC 6265bis §5.1.4).
fn path_matches(path: &[u8], cookie_path: &[u8]) -> bool {
    let Some(rest) = path.strip_prefix(cookie_path) else { return false };
    rest.is_empty() || rest.starts_with(b"/") || cookie_path.ends_with(b"/")
}
