//! Bytes as text and back: printable ASCII stands for itself, `\r`, `\n`, `\t`, `\\`, `\"` and `\xNN` for the rest.

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

/// The bytes that `text` stands for.
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'x') => {
                let digits = [rest.next(), rest.next()].map(|digit| char::from(digit.unwrap_or(b'?')));
                u8::from_str_radix(&String::from_iter(digits), 16)
                    .unwrap_or_else(|_| panic!("not two hexadecimal digits after \\x in {text:?}"))
            }
            Some(byte @ (b'\\' | b'"')) => byte,
            other => panic!("unknown escape {other:?} in {text:?}"),
        });
    }
    bytes
}

#[test]
fn every_byte_survives_escaping() {
    let bytes: Vec<u8> = (0..=255).collect();
    assert_eq!(unescape(&escape(&bytes)), bytes);
}
