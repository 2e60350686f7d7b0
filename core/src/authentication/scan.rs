//! A reader of the parts that the fields of authentication are made of (RFC 9110 §11.2 and §11.3).
//!
//! It is lenient in one place: a value without quotes may hold any byte but spaces, commas, quotes and controls, since
//! servers leave the quotes of paths and Base64 out.

use alloc::vec::Vec;

use super::AuthenticationError;
use crate::quoted::{closing_quote, unescape};
use crate::syntax::{is_field_value, table, token_length};

/// Which bytes may stand in a token68 before its `=` (RFC 9110 §11.2).
const TOKEN68: [bool; 256] = table(b"-._~+/");

pub(super) fn is_token68(text: &[u8]) -> bool {
    let length = token68_length(text);
    length > 0 && length == text.len()
}

/// How many bytes of a token68 `text` begins with, 0 if it begins with none.
fn token68_length(text: &[u8]) -> usize {
    let count = |text: &[u8], is_part: fn(u8) -> bool| text.iter().take_while(|&&byte| is_part(byte)).count();
    match count(text, |byte| TOKEN68[usize::from(byte)]) {
        0 => 0,
        digits => digits + count(&text[digits..], |byte| byte == b'='),
    }
}

pub(super) struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    /// Skips spaces and tabs. Whether there were any.
    pub(super) fn skip_spaces(&mut self) -> bool {
        let before = self.rest.len();
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
        self.rest.len() < before
    }

    /// Skips the borders of list elements, empty elements with them (RFC 9110 §5.6.1.2).
    pub(super) fn skip_borders(&mut self) {
        while let [b' ' | b'\t' | b',', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether a list element ends here, spaces aside.
    pub(super) fn is_at_border(&mut self) -> bool {
        self.skip_spaces();
        matches!(self.rest, [] | [b',', ..])
    }

    pub(super) fn token(&mut self) -> Result<&'a str, AuthenticationError> {
        let (token, rest) = self.rest.split_at(token_length(self.rest));
        self.rest = rest;
        match core::str::from_utf8(token) {
            Ok(token) if !token.is_empty() => Ok(token),
            _ => Err(AuthenticationError::TokenExpected),
        }
    }

    /// Takes a `=`, with spaces before it, which the grammar tolerates. Without a `=`, nothing is taken.
    pub(super) fn take_equals(&mut self) -> bool {
        let before = self.rest;
        self.skip_spaces();
        if let [b'=', rest @ ..] = self.rest {
            self.rest = rest;
            self.skip_spaces();
            return true;
        }
        self.rest = before;
        false
    }

    /// A token68 that is all of a list element. If there is none, nothing is taken.
    pub(super) fn token68(&mut self) -> Option<&'a str> {
        let before = self.rest;
        let (token68, rest) = self.rest.split_at(token68_length(self.rest));
        self.rest = rest;
        if !token68.is_empty() && self.is_at_border() {
            return core::str::from_utf8(token68).ok();
        }
        self.rest = before;
        None
    }

    /// The value of a parameter, and whether it was in quotes.
    pub(super) fn value(&mut self) -> Result<(Vec<u8>, bool), AuthenticationError> {
        if let [b'"', rest @ ..] = self.rest {
            self.rest = rest;
            return Ok((self.quoted()?, true));
        }
        let ends = |&byte: &u8| matches!(byte, b' ' | b'\t' | b',' | b'"');
        let length = self.rest.iter().position(ends).unwrap_or(self.rest.len());
        let (value, rest) = self.rest.split_at(length);
        self.rest = rest;
        if is_field_value(value) { Ok((value.to_vec(), false)) } else { Err(AuthenticationError::ControlByte) }
    }

    /// The rest of a quoted string, without escapes (RFC 9110 §5.6.4).
    fn quoted(&mut self) -> Result<Vec<u8>, AuthenticationError> {
        let end = closing_quote(self.rest).ok_or(AuthenticationError::BadQuotedString)?;
        let value = unescape(&self.rest[..end], |_| true).into_owned();
        self.rest = &self.rest[end + 1..];
        if is_field_value(&value) { Ok(value) } else { Err(AuthenticationError::BadQuotedString) }
    }
}
