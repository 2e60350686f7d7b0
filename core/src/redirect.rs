//! What to do with a redirection (RFC 9110 §15.4): a pure function of the answer and of what led to it.
//!
//! 301, 302, 303, 307 and 308 with a `Location` are followed. The method changes only where the RFC and all browsers
//! agree. Secrets stay with their origin; a fragment is inherited (§10.2.2). A target that is not a well-formed `http`
//! or `https` reference is an error, and so are two that differ: nothing is repaired into something else.

use alloc::string::String;
use core::fmt;
use core::fmt::Write as _;

use url::Url;

use crate::{Headers, Method, Status, header};

/// Fields that describe a body: dropped when the body is (RFC 9110 §15.4).
pub const BODY_FIELDS: [&str; 13] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    "Content-Language",
    "Content-Location",
    "Content-MD5",
    "Digest",
    "Content-Digest",
    "Repr-Digest",
    "Last-Modified",
    "Trailer",
    header::TRANSFER_ENCODING,
    header::EXPECT,
];

/// Fields that belong to one origin: dropped when the next request goes to another.
pub const ORIGIN_FIELDS: [&str; 5] =
    [header::AUTHORIZATION, header::COOKIE, "Cookie2", header::PROXY_AUTHORIZATION, header::HOST];

/// The answer that may redirect, and the request that it answers.
#[derive(Clone, Copy, Debug)]
pub struct Redirection<'a> {
    /// The status of the answer.
    pub status: Status,
    /// Its `Location`, as received: see [`location`].
    pub location: Option<&'a [u8]>,
    /// The method of the request.
    pub method: &'a Method,
    /// The URL of the request, with its fragment.
    pub from: &'a Url,
    /// Redirections followed before this one.
    pub followed: u32,
    /// How many may be followed. 0: none is, and every answer is final. `u32::MAX`: as many as there are.
    pub limit: u32,
    /// Whether the body of the request, if it has one, can be sent once more.
    pub replayable: bool,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The answer is final.
    Stop,
    /// Send another request.
    Follow {
        /// Where to, with its fragment.
        url: Url,
        /// With which method.
        method: Method,
        /// Without the body, and without [`BODY_FIELDS`].
        drop_body: bool,
        /// Without [`ORIGIN_FIELDS`]: another scheme, host or port.
        drop_origin_fields: bool,
    },
}

/// Why a redirection cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectError {
    /// More redirections than allowed.
    TooMany,
    /// `Location` is no URL reference, or names no host.
    BadLocation,
    /// There are several `Location` fields, and they differ (RFC 9110 §10.2.2: it is a single value).
    SeveralLocations,
    /// `Location` has a scheme other than `http` and `https`.
    SchemeNotAllowed,
    /// The method and its body are to be repeated, but the body was a stream and is gone.
    BodyIsGone,
}

/// Decides.
///
/// ```
/// use callboard_core::redirect::{Decision, Redirection, decide};
/// use callboard_core::{Method, Status};
///
/// let from = url::Url::parse("http://example.org/dir/form#part").unwrap();
/// let answer = Redirection {
///     status: Status::SEE_OTHER,
///     location: Some(b"done"),
///     method: &Method::Post,
///     from: &from,
///     followed: 0,
///     limit: 10,
///     replayable: true,
/// };
/// let Ok(Decision::Follow { url, method, drop_body, .. }) = decide(&answer) else { unreachable!() };
/// assert_eq!((url.as_str(), method, drop_body), ("http://example.org/dir/done#part", Method::Get, true));
/// ```
pub fn decide(answer: &Redirection<'_>) -> Result<Decision, RedirectError> {
    let (Some(location), true) = (answer.location, is_followed(answer)) else { return Ok(Decision::Stop) };
    if answer.followed >= answer.limit {
        return Err(RedirectError::TooMany);
    }
    let mut url = target(answer.from, location)?;
    if url.fragment().is_none() {
        url.set_fragment(answer.from.fragment());
    }
    let method = next_method(answer.status, answer.method);
    // §15.4.4: the target of a 303 is another resource, which a retrieval asks for; it has no body even if the method
    // stays.
    let drop_body = method != *answer.method || answer.status == Status::SEE_OTHER;
    if !drop_body && !answer.replayable {
        return Err(RedirectError::BodyIsGone);
    }
    let drop_origin_fields = !is_same_origin(answer.from, &url);
    Ok(Decision::Follow { url, method, drop_body, drop_origin_fields })
}

/// Where an answer points to: its `Location`, or else the `URI` of HTTP's first years. The same value repeated is one.
///
/// ```
/// use callboard_core::{Headers, redirect};
///
/// let mut headers = Headers::new();
/// headers.append("Location", "/here").unwrap();
/// assert_eq!(redirect::location(&headers), Ok(Some(&b"/here"[..])));
/// headers.append("Location", "/there").unwrap();
/// assert_eq!(redirect::location(&headers), Err(redirect::RedirectError::SeveralLocations));
/// ```
pub fn location(headers: &Headers) -> Result<Option<&[u8]>, RedirectError> {
    let name = if headers.contains(header::LOCATION) { header::LOCATION } else { "URI" };
    let mut values = headers.get_all(name);
    let first = values.next();
    if values.any(|value| Some(value) != first) { Err(RedirectError::SeveralLocations) } else { Ok(first) }
}

/// Whether two URLs have the same scheme, host and port.
pub fn is_same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Whether a text that names `http` or `https` goes on with `//` and an authority, as RFC 9110 §4.2.1 asks. The URL
/// parser of browsers would make the path of `http:///path` its host. A text without these schemes passes.
pub fn has_authority(text: &str) -> bool {
    let rest = match text.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") => rest,
        _ if text.starts_with("//") => text,
        _ => return true,
    };
    let Some(rest) = rest.strip_prefix("//") else { return false };
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    !host.is_empty() && !host.starts_with(':')
}

/// Whether a status redirects the request automatically (RFC 9110 §15.4): 301, 302, 303, 307 and 308.
pub const fn redirects(status: Status) -> bool {
    matches!(
        status,
        Status::MOVED_PERMANENTLY
            | Status::FOUND
            | Status::SEE_OTHER
            | Status::TEMPORARY_REDIRECT
            | Status::PERMANENT_REDIRECT
    )
}

fn is_followed(answer: &Redirection<'_>) -> bool {
    redirects(answer.status) && answer.limit > 0 && *answer.method != Method::Connect
}

/// RFC 9110 §15.4.2 to §15.4.4: 303 asks for a GET; POST turns into GET on 301 and 302, since all clients do that.
fn next_method(status: Status, method: &Method) -> Method {
    match status {
        Status::SEE_OTHER if *method != Method::Head => Method::Get,
        Status::MOVED_PERMANENTLY | Status::FOUND if *method == Method::Post => Method::Get,
        _ => method.clone(),
    }
}

fn target(from: &Url, location: &[u8]) -> Result<Url, RedirectError> {
    if location.iter().any(u8::is_ascii_control) {
        return Err(RedirectError::BadLocation);
    }
    let text = text_of(location);
    if !has_authority(&text) {
        return Err(RedirectError::BadLocation);
    }
    let url = from.join(&text).map_err(|_| RedirectError::BadLocation)?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        "http" | "https" => Err(RedirectError::BadLocation),
        _ => Err(RedirectError::SchemeNotAllowed),
    }
}

/// UTF-8 is taken as such; other bytes above 127 travel on as percent triplets.
fn text_of(location: &[u8]) -> String {
    if let Ok(text) = core::str::from_utf8(location) {
        return text.into();
    }
    let mut text = String::with_capacity(location.len());
    for byte in location {
        if byte.is_ascii() {
            text.push(char::from(*byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

impl fmt::Display for RedirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooMany => "too many redirections",
            Self::BadLocation => "the Location of a redirection is no URL with a host",
            Self::SeveralLocations => "a redirection has several Location fields that differ",
            Self::SchemeNotAllowed => "a redirection to a scheme other than http and https",
            Self::BodyIsGone => "a redirection asks for the body once more, but it was a stream",
        })
    }
}

impl core::error::Error for RedirectError {}
