//! Percent-encoding (RFC 3986 §2.1): `%2F` for a byte. What is encoded is each writer's own matter.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use crate::syntax::hexadecimal;

/// The bytes that `text` stands for. A `%` without two digits stands for itself.
pub(crate) fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    let first = memchr::memchr(b'%', text);
    decode_from(text, first, |byte| byte)
}

/// The same in a form, where a `+` stands for a space (URL standard §5.1).
pub(crate) fn decode_form(text: &[u8]) -> Cow<'_, [u8]> {
    let first = memchr::memchr2(b'+', b'%', text);
    decode_from(text, first, |byte| if byte == b'+' { b' ' } else { byte })
}

/// Decodes from the place of the first byte that does not stand for itself.
fn decode_from(text: &[u8], first: Option<usize>, plain: impl Fn(u8) -> u8) -> Cow<'_, [u8]> {
    let Some(first) = first else { return Cow::Borrowed(text) };
    let (start, mut rest) = text.split_at(first);
    let mut bytes = Vec::with_capacity(text.len());
    bytes.extend_from_slice(start);
    while let [byte, after @ ..] = rest {
        let decoded = triplet(rest);
        bytes.push(decoded.unwrap_or_else(|| plain(*byte)));
        rest = if decoded.is_some() { &rest[3..] } else { after };
    }
    Cow::Owned(bytes)
}

/// The bytes that `text` stands for; `None` where a `%` lacks its digits.
pub(crate) fn decode_strictly(mut text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    while let [byte, after @ ..] = text {
        let is_triplet = *byte == b'%';
        bytes.push(if is_triplet { triplet(text)? } else { *byte });
        text = if is_triplet { &text[3..] } else { after };
    }
    Some(bytes)
}

/// The byte whose encoding `text` begins with.
fn triplet(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    Some(hexadecimal(*high)? << 4 | hexadecimal(*low)?)
}

/// Writes one byte encoded, in upper case (RFC 3986 §2.1).
pub(crate) fn write_byte(f: &mut impl fmt::Write, byte: u8) -> fmt::Result {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |digit: u8| char::from(DIGITS[usize::from(digit)]);
    f.write_char('%')?;
    f.write_char(digit(byte >> 4))?;
    f.write_char(digit(byte & 15))
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::{decode, decode_form, decode_strictly, write_byte};

    #[test]
    fn triplets_and_what_only_looks_like_one() {
        let rows = [
            ("a%20b%2Fc", "a b/c", true),
            ("%", "%", false),
            ("%4", "%4", false),
            ("%zz%41", "%zzA", false),
            ("%+1%41", "%+1A", false),
            ("%2541", "%41", true),
            ("a+b", "a+b", true),
            ("", "", true),
        ];
        for (text, expected, is_strict) in rows {
            assert_eq!(&*decode(text.as_bytes()), expected.as_bytes(), "{text}");
            let strict = decode_strictly(text.as_bytes());
            assert_eq!(strict.as_deref(), is_strict.then_some(expected.as_bytes()), "{text}");
            assert_eq!(&*decode_form(text.as_bytes()), expected.replace('+', " ").as_bytes(), "{text}");
        }
        assert_eq!(&*decode_form(b"%2B+%2b"), b"+ +");
    }

    #[test]
    fn every_byte_comes_back() {
        for byte in 0..=255 {
            let mut text = String::new();
            write_byte(&mut text, byte).unwrap();
            assert_eq!(decode_strictly(text.as_bytes()).as_deref(), Some(&[byte][..]));
        }
    }
}
