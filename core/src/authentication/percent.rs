//! Percent-encoding, as far as credentials in URLs and in extended parameters need it (RFC 3986 §2.1).

use alloc::vec::Vec;

/// The bytes that `text` stands for. A `%` without two digits stands for itself.
pub(crate) fn percent_decode(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let decoded = match (first, after) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &after[2..] } else { after };
    }
    bytes
}

fn digit(byte: u8) -> Option<u8> {
    u8::try_from(char::from(byte).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::percent_decode;

    #[test]
    fn triplets_and_what_only_looks_like_one() {
        let rows = [("a%20b%2Fc", "a b/c"), ("%", "%"), ("%4", "%4"), ("%zz%41", "%zzA"), ("%2541", "%41")];
        for (text, expected) in rows {
            assert_eq!(percent_decode(text.as_bytes()), expected.as_bytes());
        }
    }
}
