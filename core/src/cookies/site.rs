//! Sites, and who asks: what `SameSite`, `HttpOnly` and public suffixes are judged by (RFC 6265bis §5.2).

use url::{Host, Url};

use crate::Method;

/// How a request relates to the site that caused it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Site {
    /// The same site, or a program that asks of its own accord.
    #[default]
    Same,
    /// Another site, whose user follows a link, with a safe method, and sees the answer as a page of its own.
    Navigation,
    /// Another site, whose user sees the answer as a page of its own, with a method that is not safe.
    UnsafeNavigation,
    /// Another site, in any other way.
    Cross,
}

impl Site {
    /// The relation of a request for `url` to the page that causes it: `site_for_cookies` is the URL of that page
    /// (`None`: it has no site), `navigation` the method if the answer becomes a page of its own (RFC 6265bis §5.2).
    ///
    /// ```
    /// use callboard_core::Method;
    /// use callboard_core::cookies::Site;
    ///
    /// let [shop, pay, other] = ["https://shop.example.org/", "https://pay.example.org/", "https://other.example/"]
    ///     .map(|text| url::Url::parse(text).unwrap());
    /// assert_eq!(Site::of(&pay, Some(&shop), None), Site::Same);
    /// assert_eq!(Site::of(&pay, Some(&other), None), Site::Cross);
    /// assert_eq!(Site::of(&pay, Some(&other), Some(&Method::Get)), Site::Navigation);
    /// ```
    pub fn of(url: &Url, site_for_cookies: Option<&Url>, navigation: Option<&Method>) -> Self {
        if site_for_cookies.is_some_and(|page| is_same_site(url, page)) {
            return Self::Same;
        }
        match navigation {
            Some(method) if method.is_safe() => Self::Navigation,
            Some(_) => Self::UnsafeNavigation,
            None => Self::Cross,
        }
    }
}

/// Who sets or gets cookies. The default is a program that sends a request of its own accord.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Access {
    /// The relation of the request to its site.
    pub site: Site,
    /// Not a request but a script ("non-HTTP API"), from which `HttpOnly` cookies are hidden.
    pub is_script: bool,
}

impl Access {
    /// A script of the same site.
    pub const SCRIPT: Self = Self { site: Site::Same, is_script: true };

    /// A request with this relation to its site.
    pub const fn from_site(site: Site) -> Self {
        Self { site, is_script: false }
    }
}

/// Whether two URLs are of one site: the same scheme (`ws` counts as `http`) and the same registrable domain, or the
/// same host where there is none (RFC 6265bis §5.2).
pub fn is_same_site(one: &Url, other: &Url) -> bool {
    if scheme(one) != scheme(other) {
        return false;
    }
    match (one.host(), other.host()) {
        (Some(Host::Domain(one)), Some(Host::Domain(other))) => {
            let site = |host| registrable_domain(host).unwrap_or(host);
            site(one) == site(other)
        }
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// The public suffix of a host with one label more: `example.co.uk` of `www.example.co.uk`. `None` if the host is a
/// public suffix itself. The host is ASCII in lower case, as in a [`Url`].
pub fn registrable_domain(host: &str) -> Option<&str> {
    psl::domain_str(host)
}

/// Whether anybody may own a domain below `domain`.
pub(super) fn is_public_suffix(domain: &str) -> bool {
    psl::suffix_str(domain) == Some(domain)
}

/// Whether `host`, a name and no address, is `domain` or below it (RFC 6265bis §5.1.3).
pub(super) fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether the name or address is the machine's own.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_within(name.strip_suffix('.').unwrap_or(name), "localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn scheme(url: &Url) -> &str {
    match url.scheme() {
        "ws" => "http",
        "wss" => "https",
        scheme => scheme,
    }
}
