//! Quoted strings (RFC 9110 §5.6.4): where one ends, what it says, how one is written.
//!
//! The rules of every field are here; what may stand beside a quoted string, and what follows from a malformed one, is
//! each reader's own matter. Links alone are read otherwise: by the algorithm of RFC 8288 appendix B.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use crate::syntax::is_token;

/// Where the quote is that ends a quoted string whose text begins at `inner`.
pub(crate) fn closing_quote(inner: &[u8]) -> Option<usize> {
    let mut place = 0;
    loop {
        place += memchr::memchr2(b'"', b'\\', inner.get(place..)?)?;
        if inner[place] == b'"' {
            return Some(place);
        }
        place += 2;
    }
}

/// What stands between quotes, without the backslashes in front of bytes that can be escaped.
pub(crate) fn unescape(inner: &[u8], is_escapable: impl Fn(u8) -> bool) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\\', inner) else { return Cow::Borrowed(inner) };
    let (start, mut rest) = inner.split_at(first);
    let mut text = Vec::with_capacity(inner.len());
    text.extend_from_slice(start);
    loop {
        match rest {
            [] => return Cow::Owned(text),
            [b'\\', escaped, after @ ..] if is_escapable(*escaped) => {
                text.push(*escaped);
                rest = after;
            }
            [byte, after @ ..] => {
                text.push(*byte);
                rest = after;
            }
        }
    }
}

/// What the quoted string `text`, with its quotes, says; `None` if it is not one whole quoted string (RFC 9110 §5.6.4).
///
/// ```
/// use callboard_core::fields::list::unquote;
///
/// assert_eq!(unquote(br#""a\"b""#).as_deref(), Some(&br#"a"b"#[..]));
/// assert_eq!(unquote(br#""a"b""#), None);
/// ```
pub fn unquote(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let inner = text.strip_prefix(b"\"")?;
    let end = closing_quote(inner)?;
    (end + 1 == inner.len()).then(|| unescape(&inner[..end], |_| true))
}

/// Writes `text` as a token if it is one, else as a quoted string.
pub fn write_value(f: &mut impl fmt::Write, text: &str) -> fmt::Result {
    if is_token(text.as_bytes()) { f.write_str(text) } else { write_quoted(f, text) }
}

/// Writes `text` as a quoted string.
pub fn write_quoted(f: &mut impl fmt::Write, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(character)?;
    }
    f.write_char('"')
}

/// Adds `text` as a quoted string, whatever its charset is.
pub(crate) fn append_quoted(field: &mut Vec<u8>, text: &[u8]) {
    field.push(b'"');
    for &byte in text {
        if matches!(byte, b'"' | b'\\') {
            field.push(b'\\');
        }
        field.push(byte);
    }
    field.push(b'"');
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::{append_quoted, unquote, write_quoted};

    #[test]
    fn one_whole_quoted_string_and_nothing_else() {
        let table: [(&str, Option<&str>); 12] = [
            (r#""""#, Some("")),
            (r#""a b""#, Some("a b")),
            (r#""a\"b\\c\d""#, Some(r#"a"b\cd"#)),
            (r#""\\""#, Some(r"\")),
            (r#""a"b""#, None),
            (r#""a"b"#, None),
            (r#""a\""#, None),
            (r#""a\"#, None),
            (r#"""#, None),
            (r#"a""#, None),
            ("", None),
            (r#" "a""#, None),
        ];
        for (text, expected) in table {
            assert_eq!(unquote(text.as_bytes()).as_deref(), expected.map(str::as_bytes), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for text in ["", "a", "a b", "a\"b\\c", "\\", "\"", "\u{3042}"] {
            let (mut field, mut bytes) = (String::new(), Vec::new());
            write_quoted(&mut field, text).unwrap();
            append_quoted(&mut bytes, text.as_bytes());
            assert_eq!(field.as_bytes(), bytes);
            assert_eq!(unquote(&bytes).as_deref(), Some(text.as_bytes()), "{field}");
        }
    }
}
