//! Extended values of parameters (RFC 8187): `UTF-8'en'%e2%82%ac`, for text that a quoted string cannot hold.
//!
//! Read are UTF-8 and ISO-8859-1, written is UTF-8. Bytes that are no valid UTF-8 make the value invalid, so that it
//! is ignored (§3.2.1).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// What an extended value says; `None` if it is none, or in another charset.
pub(super) fn decode(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_language, encoded) = rest.split_once('\'')?;
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => bytes.push(hexadecimal(rest.next()?)? << 4 | hexadecimal(rest.next()?)?),
            _ if is_plain(byte) => bytes.push(byte),
            _ => return None,
        }
    }
    if charset.eq_ignore_ascii_case("UTF-8") {
        String::from_utf8(bytes).ok()
    } else if charset.eq_ignore_ascii_case("ISO-8859-1") {
        Some(bytes.into_iter().map(char::from).collect())
    } else {
        None
    }
}

/// Writes `text` as an extended value in UTF-8.
pub(super) fn write(f: &mut impl fmt::Write, text: &str) -> fmt::Result {
    f.write_str("UTF-8''")?;
    for byte in text.bytes() {
        if is_plain(byte) {
            f.write_char(char::from(byte))?;
        } else {
            write!(f, "%{byte:02X}")?;
        }
    }
    Ok(())
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// `attr-char` of RFC 8187 §3.2.1.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#' | b'$' | b'&' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}
