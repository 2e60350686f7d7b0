//! The cookies of a request.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;

use callboard_core::cookies::{read_cookies, unquote};
use callboard_core::header;

use super::FromRequestParts;
use crate::RequestParts;

/// The cookies that a request brings, in its order: read leniently, so that a malformed one hides no other. Nobody
/// vouches for them: a client sends what it likes.
///
/// ```
/// use callboard_web::{App, Cookies, Request, Response, SetCookie, Method, get};
///
/// async fn visits(cookies: Cookies) -> Response {
///     let visits = cookies.get("visits").and_then(|text| text.parse().ok()).unwrap_or(0) + 1;
///     let cookie = SetCookie::new("visits", visits.to_string()).with_path("/").with_http_only();
///     Response::new(format!("visit {visits}")).with_cookie(&cookie)
/// }
///
/// # futures_lite::future::block_on(async {
/// let service = App::new().route("/", get(visits)).into_service().unwrap();
/// let request = Request::new(Method::Get, "/").unwrap().with_header("Cookie", "visits=6").unwrap();
/// let response = service.call(request).await;
/// assert_eq!(response.headers().text("Set-Cookie"), Some("visits=7; Path=/; HttpOnly"));
/// # });
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Cookies(Vec<Pair>);

/// Name and value.
type Pair = (Box<[u8]>, Box<[u8]>);

impl Cookies {
    /// The value of the first cookie of that name, as it came. Of several, a client sends that with the longest path
    /// first. `None` also if it is not UTF-8: see [`bytes`](Self::bytes).
    pub fn get(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.bytes(name)?).ok()
    }

    /// The value as [`get`](Self::get) has it, but without the quotes around it and with the escapes in them undone:
    /// see [`unquote`].
    pub fn unquoted(&self, name: &str) -> Option<Cow<'_, str>> {
        match unquote(self.bytes(name)?) {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        }
    }

    /// The value of the first cookie of that name, as bytes.
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|(other, _)| *other == name.as_bytes()).map(|(_, value)| value)
    }

    /// Name and value of each, as they came. A part of the field without `=` has an empty name.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The names alone: values may be secrets.
impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| String::from_utf8_lossy(name))).finish()
    }
}

impl FromRequestParts for Cookies {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut RequestParts) -> Result<Self, Infallible> {
        let pairs = parts.headers.get_all(header::COOKIE).flat_map(read_cookies);
        Ok(Self(pairs.map(|(name, value)| (name.into(), value.into())).collect()))
    }
}
