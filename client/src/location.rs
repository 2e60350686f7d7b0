//! URLs as users give them: parsed, checked, and freed of their password.
//!
//! A password in a URL turns into an `Authorization` field and leaves the URL, so that no log, error or redirection
//! can show it.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::{Host, Position, Url};

use callboard_core::authentication::Basic;
use callboard_core::redirect::has_authority;

use crate::error::{Error, ErrorKind, Phase};

/// What can be taken for a URL: text, or a [`Url`] parsed before (which saves parsing it for each request).
pub trait IntoUrl: sealed::Sealed {}

impl IntoUrl for &str {}
impl IntoUrl for String {}
impl IntoUrl for &String {}
impl IntoUrl for Url {}
impl IntoUrl for &Url {}

pub(crate) mod sealed {
    use super::{Error, Url};

    pub trait Sealed {
        fn into_url(self) -> Result<Url, Error>;
    }

    impl Sealed for &str {
        fn into_url(self) -> Result<Url, Error> {
            super::parse(self)
        }
    }

    impl Sealed for String {
        fn into_url(self) -> Result<Url, Error> {
            super::parse(&self)
        }
    }

    impl Sealed for &String {
        fn into_url(self) -> Result<Url, Error> {
            super::parse(self)
        }
    }

    impl Sealed for Url {
        fn into_url(self) -> Result<Url, Error> {
            Ok(self)
        }
    }

    impl Sealed for &Url {
        fn into_url(self) -> Result<Url, Error> {
            Ok(self.clone())
        }
    }
}

fn invalid(why: &'static str) -> Error {
    Error::new(Phase::Url, ErrorKind::InvalidUrl(why))
}

fn parse(text: &str) -> Result<Url, Error> {
    if !has_authority(text.trim()) {
        return Err(invalid("the URL has no host"));
    }
    let url = Url::parse(text).map_err(|error| {
        invalid(match error {
            url::ParseError::EmptyHost => "the URL has no host",
            url::ParseError::RelativeUrlWithoutBase => "the URL has no scheme and host",
            url::ParseError::InvalidPort => "the port of the URL is invalid",
            url::ParseError::IdnaError => "the host of the URL is no valid international name",
            url::ParseError::InvalidIpv4Address => "the host of the URL is no valid IPv4 address",
            url::ParseError::InvalidIpv6Address => "the host of the URL is no valid IPv6 address",
            url::ParseError::InvalidDomainCharacter => "the host of the URL holds an invalid character",
            _ => "the URL is malformed",
        })
    })?;
    match url.host() {
        Some(Host::Ipv4(address)) if host_as_written(text) != address.to_string() => {
            Err(invalid("the host of the URL is no canonical IPv4 address"))
        }
        _ => Ok(url),
    }
}

/// Browsers take `127.1`, `0x7f.1` and `2130706433` for 127.0.0.1; whoever checks a URL by its text would be fooled.
fn host_as_written(text: &str) -> &str {
    let rest = text.split_once("//").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default()
}

/// The same URL reference with `http` in place of `ws`, and `https` in place of `wss`, where a WebSocket is opened
/// (RFC 6455 §3).
pub(crate) fn http_name(reference: &[u8], is_websocket: bool) -> Cow<'_, [u8]> {
    let is_renamed = is_websocket && reference.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(b"ws"));
    match reference.get(2..) {
        Some(rest @ ([b':', ..] | [b's' | b'S', b':', ..])) if is_renamed => Cow::Owned([b"http", rest].concat()),
        _ => Cow::Borrowed(reference),
    }
}

/// A URL of a WebSocket by the name that HTTP has for it.
#[cfg(feature = "websocket")]
pub(crate) fn of_websocket(url: Url) -> Result<Url, Error> {
    let scheme = match url.scheme() {
        "ws" => "http",
        "wss" => "https",
        _ => return Ok(url),
    };
    let mut url = url;
    // All four are special schemes, between which a URL can change.
    url.set_scheme(scheme).map_err(|()| invalid("the URL is malformed"))?;
    Ok(url)
}

/// Checks that a URL can be asked for.
pub(crate) fn check(url: &Url) -> Result<(), Error> {
    match url.scheme() {
        "http" => {}
        "https" if cfg!(feature = "tls") => {}
        "https" => return Err(Error::new(Phase::Url, ErrorKind::TlsFeatureMissing).at_host(origin(url))),
        other => return Err(Error::new(Phase::Url, ErrorKind::SchemeNotSupported(other.into()))),
    }
    if url.has_host() { Ok(()) } else { Err(invalid("the URL has no host")) }
}

/// `http://example.org:8080`: of a URL without a password.
pub(crate) fn origin(url: &Url) -> &str {
    &url[..Position::BeforePath]
}

/// `example.org:8080`, the default port left out, an IPv6 address in brackets (RFC 9112 §3.2.1).
pub(crate) fn authority(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

/// `/path?query` (RFC 9112 §3.2.1).
pub(crate) fn target(url: &Url) -> &str {
    &url[Position::BeforePath..Position::AfterQuery]
}

/// Takes user and password out of a URL, as the value of `Authorization` (RFC 7617).
pub(crate) fn take_credentials(url: &mut Url) -> Result<Option<String>, Error> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    let user: Vec<u8> = percent_decode_str(url.username()).collect();
    let password: Vec<u8> = percent_decode_str(url.password().unwrap_or_default()).collect();
    // Both fail only for a URL without host, which has no user either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let basic = Basic::new(user, password).map_err(|error| Error::new(Phase::Url, ErrorKind::Credentials(error)))?;
    Ok(Some(basic.to_field()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealed::Sealed;

    #[test]
    fn urls_without_host_or_scheme_are_errors() {
        for bad in
            ["", "/path", "example.org", "http://", "http:///path", "http:path", "http://a:99999/", "http://[::1/"]
        {
            let error = bad.into_url().and_then(|url| check(&url)).expect_err(bad);
            assert_eq!(error.phase(), Phase::Url, "{bad}: {error}");
        }
        for bad in ["ftp://a/", "mailto:a@b", "unix:/socket", "localhost:8080"] {
            let error = bad.into_url().and_then(|url| check(&url)).expect_err(bad);
            assert!(matches!(error.kind(), ErrorKind::SchemeNotSupported(_)), "{bad}: {error}");
        }
    }

    #[test]
    fn websockets_have_another_name_for_a_scheme() {
        let rows =
            [("ws://a/b", "http://a/b"), ("WSS://a", "https://a"), ("wsx://a", "wsx://a"), ("/ws", "/ws"), ("", "")];
        for (given, expected) in rows {
            assert_eq!(http_name(given.as_bytes(), true).to_ascii_lowercase(), expected.as_bytes(), "{given}");
            assert_eq!(&*http_name(given.as_bytes(), false), given.as_bytes());
        }
    }

    #[test]
    fn other_spellings_of_an_address_are_errors() {
        for bad in [
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "127.0.0.1.",
            "127.0.0.01",
            "\u{ff11}27.0.0.1",
            "127%2e0.0.1",
        ] {
            for text in [format!("http://{bad}/127.0.0.1"), format!("http://127.0.0.1@{bad}:80?127.0.0.1")] {
                let error = text.into_url().expect_err(bad);
                assert!(matches!(error.kind(), ErrorKind::InvalidUrl(_)), "{bad}: {error}");
            }
        }
        for good in
            ["http://127.0.0.1", "http://u:p@127.0.0.1:80/x", " http://1.2.3.4?a ", "http://1.2.3.4#b", "http://[::1]/"]
        {
            good.into_url().expect(good);
        }
    }

    #[test]
    fn credentials_leave_the_url() {
        let mut url = "http://Aladdin:open%20sesame@example.org:80/a?b#c".into_url().unwrap();
        let credentials = take_credentials(&mut url).unwrap();
        assert_eq!(credentials.as_deref(), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
        assert_eq!(url.as_str(), "http://example.org/a?b#c");
        assert_eq!((origin(&url), authority(&url), target(&url)), ("http://example.org", "example.org", "/a?b"));
        assert_eq!(take_credentials(&mut url).unwrap(), None);
        for bad in ["http://a%3Ab:c@d/", "http://a%0D%0A:b@c/", "http://a:b%00@c/"] {
            let mut url = bad.into_url().unwrap();
            let error = take_credentials(&mut url).expect_err(bad);
            assert!(matches!(error.kind(), ErrorKind::Credentials(_)), "{bad}: {error}");
            assert!(!url.as_str().contains('@'), "{url}");
        }
    }

    #[test]
    fn the_authority_is_that_of_the_host_field() {
        let rows = [("http://[::1]:8080/", "[::1]:8080"), ("https://a:443", "a"), ("http://a:443", "a:443")];
        for (text, expected) in rows {
            assert_eq!(authority(&text.into_url().unwrap()), expected);
        }
    }
}
