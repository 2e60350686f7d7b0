//! Bytes as text: printable ASCII stands for itself, `\r`, `\n`, `\t`, `\\`, `\"` and `\xNN` for the rest.

use std::fmt::Write;

/// How much of a long run of bytes is shown.
const SHOWN: usize = 200;

/// Bytes in quotes. Long ones are cut, with their length and a checksum of the whole.
pub(crate) fn quote(bytes: &[u8]) -> String {
    let shown = if bytes.len() > SHOWN { &bytes[..SHOWN / 4] } else { bytes };
    let mut text = format!("\"{}\"", escape(shown));
    if bytes.len() > SHOWN {
        let checksum = bytes.iter().fold(0_u32, |sum, &byte| sum.rotate_left(5).wrapping_mul(31) ^ u32::from(byte));
        write!(text, "... {} bytes, checksum {checksum:08x}", bytes.len()).unwrap();
    }
    text
}

pub(crate) fn escape(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        match byte {
            b'\r' => text.push_str("\\r"),
            b'\n' => text.push_str("\\n"),
            b'\t' => text.push_str("\\t"),
            b'\\' | b'"' => text.extend(['\\', char::from(byte)]),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => write!(text, "\\x{byte:02x}").unwrap(),
        }
    }
    text
}
