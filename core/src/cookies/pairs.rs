//! The `Cookie` field: reading what a client sends, and writing it (RFC 6265bis §4.2).
//!
//! Reading loses nothing to a malformed neighbour: pairs end at `;` and nowhere else, so that a stray quote cannot hide
//! the cookies behind it. Attribute names are ordinary names here. Values are given as they came, quotes included.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::syntax::trim_ows;

/// The cookies of a `Cookie` field, in order: name and value as they came. A part without `=` is a cookie without a
/// name; an empty part is none.
///
/// ```
/// use callboard_core::cookies::read_cookies;
///
/// let mut cookies = read_cookies(b"a=1; b=\"x; path=/; token");
/// assert_eq!(cookies.next(), Some((&b"a"[..], &b"1"[..])));
/// assert_eq!(cookies.next(), Some((&b"b"[..], &b"\"x"[..])));
/// assert_eq!(cookies.next(), Some((&b"path"[..], &b"/"[..])));
/// assert_eq!(cookies.next(), Some((&b""[..], &b"token"[..])));
/// assert_eq!(cookies.next(), None);
/// ```
pub fn read_cookies(field: &[u8]) -> CookiePairs<'_> {
    CookiePairs { rest: field }
}

/// An iterator over the cookies of a `Cookie` field: see [`read_cookies`].
#[derive(Clone, Debug)]
pub struct CookiePairs<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for CookiePairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let (part, rest) = split_once(self.rest, b';');
            self.rest = rest.unwrap_or_default();
            let (name, value) = name_and_value(part);
            if !name.is_empty() || !value.is_empty() {
                return Some((name, value));
            }
        }
        None
    }
}

/// The value of a `Cookie` field with these cookies, in this order; a cookie without a name is its value alone. It
/// checks nothing: see [`is_cookie_value`].
///
/// ```
/// let pairs = [(&b"a"[..], &b"1"[..]), (b"b", b"\"2\"")];
/// assert_eq!(callboard_core::cookies::write_cookies(pairs), b"a=1; b=\"2\"");
/// ```
pub fn write_cookies<'a>(cookies: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Vec<u8> {
    let mut field = Vec::new();
    for (name, value) in cookies {
        if !field.is_empty() {
            field.extend_from_slice(b"; ");
        }
        // A value alone must not read as the name and value of another cookie.
        if !name.is_empty() || value.contains(&b'=') {
            field.extend_from_slice(name);
            field.push(b'=');
        }
        field.extend_from_slice(value);
    }
    field
}

/// Whether a server and every client agree on `value`: visible ASCII without quotes, comma, semicolon and backslash,
/// the whole in quotes or not (`cookie-value`, RFC 6265bis §4.1.1).
pub fn is_cookie_value(value: &[u8]) -> bool {
    let inner = match value {
        [b'"', inner @ .., b'"'] => inner,
        _ => value,
    };
    inner.iter().all(|&byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\'))
}

/// A value without the quotes around it; within them `\"` and `\\` stand for the second character, and three octal
/// digits after a backslash for a byte, as some servers write what a cookie cannot hold. Without quotes it stays.
///
/// ```
/// use callboard_core::cookies::unquote;
///
/// assert_eq!(&*unquote(br#""a\073 \"b\"""#), br#"a; "b""#);
/// assert_eq!(&*unquote(br"a\073"), br"a\073");
/// ```
pub fn unquote(value: &[u8]) -> Cow<'_, [u8]> {
    let [b'"', inner @ .., b'"'] = value else { return Cow::Borrowed(value) };
    if !inner.contains(&b'\\') {
        return Cow::Borrowed(inner);
    }
    let mut plain = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((&byte, after)) = rest.split_first() {
        let (plain_byte, after) = match (byte, after) {
            (b'\\', [high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7', after @ ..]) => {
                ((high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0'), after)
            }
            (b'\\', [escaped, after @ ..]) => (*escaped, after),
            _ => (byte, after),
        };
        plain.push(plain_byte);
        rest = after;
    }
    Cow::Owned(plain)
}

/// What is before the first `byte`, and what is behind it.
pub(super) fn split_once(bytes: &[u8], byte: u8) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(byte, bytes) {
        Some(place) => (&bytes[..place], Some(&bytes[place + 1..])),
        None => (bytes, None),
    }
}

/// Without `=` all of it is the value (RFC 6265bis §5.6 step 3).
pub(super) fn name_and_value(pair: &[u8]) -> (&[u8], &[u8]) {
    match split_once(pair, b'=') {
        (name, Some(value)) => (trim_ows(name), trim_ows(value)),
        (value, None) => (b"", trim_ows(value)),
    }
}
