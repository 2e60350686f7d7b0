//! Lines as nearly every peer sends them, read in one pass: the end of a line is where its value's bytes end.
//!
//! This is speed and nothing else. A line that is not of the usual shape - another space, a tab, a fold, an end
//! that is not here yet - is `None`, and `scan` and `lines` judge it from its beginning: all errors are theirs.

use crate::Version;
use crate::syntax::{Stops, token_length};

use super::lines::RequestLine;

/// What a value has none of, but that some peers send a tab.
type Controls = Stops<b' ', 0xff, 0x7f>;
/// What a target has none of.
type Invisible = Stops<b'!', 0x7e, b'#'>;

/// A field line, up to its CRLF: offsets from the line's beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FieldLine {
    pub(super) name_length: usize,
    pub(super) value_start: usize,
    pub(super) value_end: usize,
}

/// `name:value` or `name: value` at the front of `input`, with its CRLF: a value without tabs and without
/// spaces around it.
#[inline]
pub(super) fn field(input: &[u8]) -> Option<FieldLine> {
    let name_length = token_length(input);
    let [b':', rest @ ..] = input.get(name_length..)? else { return None };
    let (value_start, rest) = match rest {
        [b' ', rest @ ..] => (name_length + 2, rest),
        rest => (name_length + 1, rest),
    };
    let length = Controls::run_length(rest);
    let (value, end) = rest.split_at_checked(length)?;
    let is_usual = name_length > 0 && end.starts_with(b"\r\n") && !matches!(value, [b' ', ..] | [.., b' ']);
    is_usual.then_some(FieldLine { name_length, value_start, value_end: value_start + length })
}

/// A request line at the front of `input`, with its CRLF: a target of visible bytes, and a version that is known.
#[inline]
pub(super) fn request_line(input: &[u8]) -> Option<RequestLine> {
    let method_end = if input.starts_with(b"GET ") { 3 } else { token_length(input) };
    let [b' ', rest @ ..] = input.get(method_end..)? else { return None };
    let length = Invisible::run_length(rest);
    let [b' ', rest @ ..] = rest.get(length..)? else { return None };
    let version = if rest.starts_with(b"HTTP/1.1\r\n") {
        Version::Http11
    } else if rest.starts_with(b"HTTP/1.0\r\n") {
        Version::Http10
    } else {
        return None;
    };
    let target_start = method_end + 1;
    let line = RequestLine { method_end, target_start, target_end: target_start + length, version, is_visible: true };
    (method_end > 0 && length > 0).then_some(line)
}

/// A chunk-size line without extensions at the front of `input`: the size, and the length with the CRLF, which is at
/// most `limit`. Sixteen digits fit in the number.
#[inline]
pub(super) fn chunk_size(input: &[u8], limit: usize) -> Option<(u64, usize)> {
    let mut size = 0;
    let mut digits = 0;
    for &byte in input.iter().take(16) {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' | b'A'..=b'F' => (byte | 0x20) - b'a' + 10,
            _ => break,
        };
        size = size << 4 | u64::from(digit);
        digits += 1;
    }
    let is_usual = digits > 0 && digits + 2 <= limit && input.get(digits..)?.starts_with(b"\r\n");
    is_usual.then_some((size, digits + 2))
}

/// What follows the target of a usual request line: the version, the spaces and line end around it.
pub(super) const BEHIND_TARGET: usize = " HTTP/1.1\r\n".len();
