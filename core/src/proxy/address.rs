//! One proxy: where it is, what it speaks, and the credentials that it wants.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::net::Ipv6Addr;

use crate::authentication::Basic;
use crate::percent;
use crate::reasons::reasons;

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProxyScheme {
    /// HTTP on a plain connection.
    Http,
    /// HTTP over TLS.
    Https,
    /// SOCKS 4; the client looks up the name.
    Socks4,
    /// SOCKS 4a; the proxy looks up the name.
    Socks4a,
    /// SOCKS 5 (RFC 1928); the client looks up the name.
    Socks5,
    /// SOCKS 5; the proxy looks up the name.
    Socks5h,
}

const SCHEMES: [(&str, ProxyScheme, u16); 7] = [
    ("http", ProxyScheme::Http, 80),
    ("https", ProxyScheme::Https, 443),
    ("socks4", ProxyScheme::Socks4, 1080),
    ("socks4a", ProxyScheme::Socks4a, 1080),
    ("socks5", ProxyScheme::Socks5, 1080),
    ("socks5h", ProxyScheme::Socks5h, 1080),
    ("socks", ProxyScheme::Socks5, 1080),
];

impl ProxyScheme {
    /// As URLs spell it.
    pub fn name(self) -> &'static str {
        SCHEMES.iter().find(|(_, scheme, _)| *scheme == self).map_or("", |(name, ..)| name)
    }

    /// Whether it is one of the SOCKS family, which carries any bytes; the others speak HTTP.
    pub const fn is_socks(self) -> bool {
        !matches!(self, Self::Http | Self::Https)
    }

    /// Whether the proxy looks up the name of the server, and not the client.
    pub const fn resolves(self) -> bool {
        !matches!(self, Self::Socks4 | Self::Socks5)
    }
}

reasons! {
    /// Why a text is not a proxy.
    InvalidProxy {
        /// The scheme is none of those that proxies speak.
        SchemeUnknown => "the scheme of the proxy is unknown",
        /// There is no host, or it holds a character that no host has.
        BadHost => "the proxy has no valid host",
        /// The port is no number from 1 to 65535.
        BadPort => "the port of the proxy is invalid",
        /// User name or password hold what cannot be sent (RFC 7617 §2).
        BadCredentials => "the user name or password of the proxy cannot be sent",
    }
}

/// A proxy.
///
/// ```
/// use callboard_core::proxy::{Proxy, ProxyScheme};
///
/// let proxy = Proxy::parse("http://me:p%40ss@proxy.example:3128/")?;
/// assert_eq!((proxy.scheme(), proxy.host(), proxy.port()), (ProxyScheme::Http, "proxy.example", 3128));
/// assert_eq!(proxy.credentials().unwrap().password(), b"p@ss");
/// assert_eq!(Proxy::parse("[::1]:8080")?.authority(), "[::1]:8080");
/// # Ok::<(), callboard_core::proxy::InvalidProxy>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    scheme: ProxyScheme,
    host: Box<str>,
    port: u16,
    credentials: Option<Basic>,
}

impl Proxy {
    /// Reads `scheme://user:password@host:port`. Without a scheme it is `http`; without a port, that of the scheme (80,
    /// 443, 1080). What follows the port is not looked at.
    pub fn parse(text: &str) -> Result<Self, InvalidProxy> {
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme, rest),
            None => ("http", text),
        };
        let scheme = SCHEMES.iter().find(|(name, ..)| scheme.eq_ignore_ascii_case(name));
        let &(_, scheme, default) = scheme.ok_or(InvalidProxy::SchemeUnknown)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // A password may hold an `@` that was not encoded.
        let (user_info, place) = match authority.rsplit_once('@') {
            Some((user_info, place)) => (Some(user_info), place),
            None => (None, authority),
        };
        let (host, port) = split_port(place)?;
        let port = match port {
            Some(digits) => read_port(digits).ok_or(InvalidProxy::BadPort)?,
            None => default,
        };
        let credentials = user_info.filter(|info| !info.is_empty()).map(credentials).transpose()?;
        Ok(Self { scheme, host: host.to_ascii_lowercase().into(), port, credentials })
    }

    /// With credentials in place of those of its URL.
    pub fn with_credentials(mut self, credentials: Basic) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// What it speaks.
    pub const fn scheme(&self) -> ProxyScheme {
        self.scheme
    }

    /// Its host, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// User name and password that it wants.
    pub const fn credentials(&self) -> Option<&Basic> {
        self.credentials.as_ref()
    }

    /// The value of `Proxy-Authorization`, for a proxy that speaks HTTP. It goes to the proxy only: with each request
    /// that the proxy reads, or with CONNECT.
    pub fn authorization(&self) -> Option<String> {
        self.credentials.as_ref().filter(|_| !self.scheme.is_socks()).map(Basic::to_field)
    }

    /// `host:port`, an IPv6 address in brackets.
    pub fn authority(&self) -> String {
        connect_target(&self.host, self.port)
    }
}

/// What CONNECT names: `host:port`, an IPv6 address in brackets (RFC 9110 §9.3.6).
pub fn connect_target(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Host, without brackets, and port.
pub(super) fn split_port(place: &str) -> Result<(&str, Option<&str>), InvalidProxy> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or(InvalidProxy::BadHost)?;
        // A zone (RFC 6874) names an interface of this machine.
        let address = host.split('%').next().unwrap_or_default();
        let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or(InvalidProxy::BadPort)?) };
        return address.parse::<Ipv6Addr>().map(|_| (host, port)).map_err(|_| InvalidProxy::BadHost);
    }
    let (host, port) = match place.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (place, None),
    };
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte) || byte >= 0x80;
    if host.is_empty() || !host.bytes().all(is_host) {
        return Err(InvalidProxy::BadHost);
    }
    Ok((host, port))
}

pub(super) fn read_port(digits: &str) -> Option<u16> {
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|&port| is_number && port > 0)
}

fn credentials(user_info: &str) -> Result<Basic, InvalidProxy> {
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    let (user, password) = (percent::decode(user.as_bytes()), percent::decode(password.as_bytes()));
    Basic::new(user, password).map_err(|_| InvalidProxy::BadCredentials)
}

/// Without the password.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("scheme", &self.scheme)
            .field("authority", &self.authority())
            .finish_non_exhaustive()
    }
}
