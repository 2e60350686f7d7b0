//! Extended values of parameters (RFC 8187): `UTF-8'en'%e2%82%ac`, for text that a quoted string cannot hold.
//!
//! The charset has to be named and known, and the bytes have to be text of it; else the value is invalid, so that it
//! is ignored (§3.2.1). The language is not looked at. Bytes that should be encoded and are not are taken as they are:
//! what they stand for is not in doubt. Written is UTF-8.

use alloc::string::String;
use core::fmt;

use crate::media_type::Charset;
use crate::percent;

/// What an extended value says; `None` if it is none.
pub(crate) fn decode(value: &[u8]) -> Option<String> {
    let (charset, encoded) = charset(value)?;
    Some(charset.decode(&percent::decode_strictly(encoded)?)?.into_owned())
}

/// The charset in front, and what follows the language.
pub(crate) fn charset(value: &[u8]) -> Option<(Charset, &[u8])> {
    let mut parts = value.splitn(3, |&byte| byte == b'\'');
    let charset = Charset::of(core::str::from_utf8(parts.next()?).ok()?)?;
    let _language = parts.next()?;
    Some((charset, parts.next()?))
}

/// Writes `text` as an extended value in UTF-8.
pub(crate) fn write(f: &mut impl fmt::Write, text: &str) -> fmt::Result {
    f.write_str("UTF-8''")?;
    for byte in text.bytes() {
        if is_plain(byte) { f.write_char(char::from(byte)) } else { percent::write_byte(f, byte) }?;
    }
    Ok(())
}

/// `attr-char` of RFC 8187 §3.2.1.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#' | b'$' | b'&' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}
