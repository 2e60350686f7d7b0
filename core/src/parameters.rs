//! The parameters after a media type or a disposition: `; name=value; name="quoted value"` (RFC 9110 §5.6.6).
//!
//! Lenient where peers are careless and no two readers differ in what they see: spaces around `=`, stray semicolons,
//! unquoted values that are no tokens. A parameter that could be read in two ways (text after a quoted string, a quote
//! inside an unquoted value, a quote that is not closed) is left out. What [`fields`](crate::fields) reads is read more
//! strictly, by [`fields::list`](crate::fields::list): there the whole element is malformed.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::quoted::{closing_quote, unescape, write_value};
use crate::syntax::{token_length, trim_ows};

/// More parameters than this are refused by those who keep them.
pub(crate) const MOST: usize = 64;

/// The parameters in order.
pub(crate) struct Parameters<'a> {
    rest: &'a [u8],
}

pub(crate) struct Parameter<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: Value<'a>,
}

/// A value as it stands in the field.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Plain(&'a [u8]),
    /// What is between the quotes, escapes included.
    Quoted(&'a [u8]),
}

/// What a backslash in a quoted value escapes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Escapes {
    /// Whatever follows (RFC 9110 §5.6.4).
    Any,
    /// Only a quote or a backslash: browsers write all others as they are in forms.
    Form,
}

/// What comes before the first semicolon, trimmed, and the parameters after it.
pub(crate) fn split(field: &[u8]) -> (&[u8], Parameters<'_>) {
    let end = memchr::memchr(b';', field).unwrap_or(field.len());
    // Without spaces at the end, which would be looked at again for each parameter.
    (trim_ows(&field[..end]), Parameters { rest: trim_ows(&field[end..]) })
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Parameter<'a>;

    fn next(&mut self) -> Option<Parameter<'a>> {
        loop {
            while let [b';' | b' ' | b'\t', rest @ ..] = self.rest {
                self.rest = rest;
            }
            if self.rest.is_empty() {
                return None;
            }
            if let Some(parameter) = self.take() {
                return Some(parameter);
            }
            self.rest = after_semicolon(self.rest);
        }
    }
}

impl<'a> Parameters<'a> {
    /// The parameter in front. None: it is malformed, and to be skipped up to the next semicolon.
    fn take(&mut self) -> Option<Parameter<'a>> {
        let (name, rest) = self.rest.split_at(token_length(self.rest));
        let rest = trim_ows(rest).strip_prefix(b"=").filter(|_| !name.is_empty())?;
        // Tokens are ASCII.
        let name = core::str::from_utf8(name).unwrap_or_default();
        let rest = trim_ows(rest);
        if let Some(quoted) = rest.strip_prefix(b"\"") {
            let Some(end) = closing_quote(quoted) else {
                self.rest = &[];
                return None;
            };
            self.rest = trim_ows(&quoted[end + 1..]);
            let is_over = matches!(self.rest, [] | [b';', ..]);
            return is_over.then_some(Parameter { name, value: Value::Quoted(&quoted[..end]) });
        }
        let end = memchr::memchr(b';', rest).unwrap_or(rest.len());
        let value = trim_ows(&rest[..end]);
        if value.is_empty() || value.contains(&b'"') {
            return None;
        }
        self.rest = &rest[end..];
        Some(Parameter { name, value: Value::Plain(value) })
    }
}

/// What follows the next semicolon that is not inside quotes.
fn after_semicolon(bytes: &[u8]) -> &[u8] {
    let mut place = 0;
    while let Some(&byte) = bytes.get(place) {
        match byte {
            b';' => return &bytes[place + 1..],
            b'"' => match closing_quote(&bytes[place + 1..]) {
                Some(end) => place += end + 2,
                None => return &[],
            },
            _ => place += 1,
        }
    }
    &[]
}

impl Value<'_> {
    /// The value without its escapes.
    pub(crate) fn unescaped(self, escapes: Escapes) -> Vec<u8> {
        match self {
            Self::Plain(bytes) => bytes.to_owned(),
            Self::Quoted(bytes) => {
                unescape(bytes, |byte| escapes == Escapes::Any || matches!(byte, b'"' | b'\\')).into_owned()
            }
        }
    }
}

/// Bytes as text: UTF-8, or else each byte the character of that number (ISO 8859-1, as old fields meant it).
pub(crate) fn text(bytes: Vec<u8>) -> String {
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => error.as_bytes().iter().copied().map(char::from).collect(),
    }
}

/// Adds `; name=value`, the value as a token if it is one, else quoted.
pub(crate) fn write(f: &mut impl fmt::Write, name: &str, value: &str) -> fmt::Result {
    write!(f, "; {name}=")?;
    write_value(f, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(field: &str) -> Vec<(String, String)> {
        let (_, parameters) = split(field.as_bytes());
        parameters.map(|parameter| (parameter.name.to_owned(), text(parameter.value.unescaped(Escapes::Any)))).collect()
    }

    #[test]
    fn parameters_are_taken_apart() {
        let table: &[(&str, &[(&str, &str)])] = &[
            ("x", &[]),
            ("x;", &[]),
            ("x; a=b", &[("a", "b")]),
            ("x;a=b;c=d", &[("a", "b"), ("c", "d")]),
            ("x ;; a = b ; ; c\t=\t\"d\" ;", &[("a", "b"), ("c", "d")]),
            ("x; a=\"b;c\"; d=\"e\\\"f\\g\"", &[("a", "b;c"), ("d", "e\"fg")]),
            ("x; a=\"\"; b=", &[("a", "")]),
            ("x; a=two words; b=1/2=3", &[("a", "two words"), ("b", "1/2=3")]),
            ("x; word; =v; a b=c; d=e", &[("d", "e")]),
            ("x; a=\"b\"c; d=\"e;f\"g\";h=i\"; j=k", &[("j", "k")]),
            ("x; a=b\"c; d=e\"; f=g", &[("f", "g")]),
            ("x; a=b; c=\"d; e=f", &[("a", "b")]),
            ("x; a=\"b\\", &[]),
            ("x; a=\"b\\\"", &[]),
        ];
        for (field, expected) in table {
            let found = list(field);
            let found: Vec<(&str, &str)> = found.iter().map(|(name, value)| (&**name, &**value)).collect();
            assert_eq!(found, *expected, "{field}");
        }
    }

    #[test]
    fn a_form_escapes_only_what_ends_a_quoted_string() {
        let value = Value::Quoted(br#"C:\dir\"a\\b"#);
        assert_eq!(text(value.unescaped(Escapes::Form)), r#"C:\dir"a\b"#);
        assert_eq!(text(value.unescaped(Escapes::Any)), r#"C:dir"a\b"#);
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_latin_1() {
        assert_eq!(text(b"f\xc3\xbc".to_vec()), "f\u{fc}");
        assert_eq!(text(b"f\xfc".to_vec()), "f\u{fc}");
    }

    #[test]
    fn what_is_written_is_read() {
        for value in ["b", "", "a b", "a\"b\\c", "x;y=z", "\u{3042}"] {
            let mut field = String::from("x");
            write(&mut field, "a", value).unwrap();
            assert_eq!(list(&field), [("a".to_owned(), value.to_owned())], "{field}");
        }
    }
}
