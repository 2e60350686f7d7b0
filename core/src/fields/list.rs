//! The syntax that fields share: lists between commas, parameters between semicolons, quoted strings (RFC 9110 §5.6).
//!
//! A separator inside a quoted string separates nothing, and a backslash in it takes the next byte as it is. Empty
//! elements are skipped (§5.6.1.2). A quoted string that does not end runs to the end of its line, so its element is
//! malformed for whoever reads it. Everything is linear and borrows.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

use crate::syntax::{is_token, trim_ows};

pub use crate::quoted::{unquote, write_quoted, write_value};

/// The elements of one field line between commas: without whitespace around them, without empty ones.
///
/// ```
/// use callboard_core::fields::list::elements;
///
/// let found: Vec<_> = elements(br#"a, , "b, \"c\"" ,d;e="f,g""#).collect();
/// assert_eq!(found, [&b"a"[..], br#""b, \"c\"""#, br#"d;e="f,g""#]);
/// ```
pub fn elements(line: &[u8]) -> Elements<'_> {
    split(line, b',')
}

/// The parts of `text` between `separator`s outside quoted strings: without whitespace around them, without empty
/// ones.
pub fn split(text: &[u8], separator: u8) -> Elements<'_> {
    Elements(parts(text, separator))
}

/// The elements of a list, in order. Made by [`elements`] and [`split`].
#[derive(Clone, Debug)]
pub struct Elements<'a>(Parts<'a>);

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.0.find(|element| !element.is_empty())
    }
}

/// The same with the empty ones, at least one, for grammars that forbid these.
pub(crate) const fn parts(text: &[u8], separator: u8) -> Parts<'_> {
    Parts { rest: Some(text), separator }
}

#[derive(Clone, Debug)]
pub(crate) struct Parts<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (part, rest) = self.rest?.split_at(length_to(self.rest?, self.separator));
        self.rest = rest.get(1..);
        Some(trim_ows(part))
    }
}

/// How many bytes are before the first `separator` outside a quoted string.
fn length_to(text: &[u8], separator: u8) -> usize {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (place, &byte) in text.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ if byte == separator && !is_quoted => return place,
            _ => {}
        }
    }
    text.len()
}

/// A parameter of an element: `name=value`, or a name alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// A token. Names compare without ASCII case.
    pub name: &'a [u8],
    /// The value without quotes and backslashes; `None` if there is no `=`.
    pub value: Option<Cow<'a, [u8]>>,
}

impl<'a> Parameter<'a> {
    /// Reads `name`, `name=token` or `name="quoted"`. Whitespace around `=` is allowed, for what is read only.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let Some(equals) = text.iter().position(|&byte| byte == b'=') else {
            return is_token(text).then_some(Self { name: text, value: None });
        };
        let (name, value) = (trim_ows(&text[..equals]), trim_ows(&text[equals + 1..]));
        if !is_token(name) {
            return None;
        }
        let value = if value.first() == Some(&b'"') {
            unquote(value)?
        } else if is_token(value) {
            Cow::Borrowed(value)
        } else {
            return None;
        };
        Some(Self { name, value: Some(value) })
    }

    /// Whether it has this name, without ASCII case.
    pub fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value as text, if there is one and it is UTF-8.
    pub fn text(&self) -> Option<&str> {
        core::str::from_utf8(self.value.as_deref()?).ok()
    }
}

/// Writes what `items` show, with `separator` between.
pub(super) fn write_joined<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    items: impl IntoIterator<Item = T>,
    separator: &str,
) -> fmt::Result {
    for (place, item) in items.into_iter().enumerate() {
        if place > 0 {
            f.write_str(separator)?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

/// `bytes` as text, if they are a token.
pub(super) fn token(bytes: &[u8]) -> Option<String> {
    is_token(bytes).then(|| bytes.iter().map(|&byte| char::from(byte)).collect())
}

/// `bytes` as text, if they are UTF-8.
pub(super) fn text(bytes: &[u8]) -> Option<String> {
    core::str::from_utf8(bytes).ok().map(String::from)
}
