//! Byte classes of RFC 9110, for headers, targets and the parser.
//!
//! Everything here is total: any bytes in, no panic. The checks read whole slices without early exits where that lets
//! the compiler use vector instructions; values are short, so reading on after a fault costs nothing.

const ONES: u64 = u64::from_le_bytes([0x01; 8]);
const HIGH: u64 = u64::from_le_bytes([0x80; 8]);

/// Which bytes may stand in a token (RFC 9110 §5.6.2): `!#$%&'*+-.^_`, backtick, `|~`, digits and letters.
const TOKEN: [bool; 256] = table(b"!#$%&'*+-.^_`|~");

/// ASCII letters and digits, and `others`.
pub(crate) const fn table(others: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut index = 0;
    while index < others.len() {
        table[others[index] as usize] = true;
        index += 1;
    }
    table
}

/// Whether `byte` may stand in a token.
#[inline]
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    TOKEN[byte as usize]
}

/// Whether `bytes` is a token: one or more token bytes.
#[inline]
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| is_token_byte(byte))
}

/// How many token bytes `bytes` begins with. Names are short, so bytes are asked about one by one, in eights.
#[inline]
pub(crate) fn token_length(bytes: &[u8]) -> usize {
    let (blocks, rest) = bytes.as_chunks::<8>();
    let is_other = |byte: &u8| !is_token_byte(*byte);
    for (index, block) in blocks.iter().enumerate() {
        if let Some(place) = block.iter().position(is_other) {
            return index * 8 + place;
        }
    }
    blocks.len() * 8 + rest.iter().position(is_other).unwrap_or(rest.len())
}

/// Bytes that end a run: all below one, all above another, and one between.
pub(crate) struct Stops<const BELOW: u8, const ABOVE: u8, const OTHER: u8>;

impl<const BELOW: u8, const ABOVE: u8, const OTHER: u8> Stops<BELOW, ABOVE, OTHER> {
    const TABLE: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0_u8;
        loop {
            table[byte as usize] = Self::has(byte);
            if byte == u8::MAX {
                break table;
            }
            byte += 1;
        }
    };

    #[inline]
    const fn has(byte: u8) -> bool {
        byte < BELOW || byte > ABOVE || byte == OTHER
    }

    /// How many bytes of `bytes` come before the first that ends a run.
    ///
    /// Sixteen are compared together, in a form that compilers turn into vector instructions; the place among the last
    /// sixteen is looked up byte by byte. To compute it would be fewer instructions and twice the time: all that
    /// follows would wait for the number, where branches let the processor go on with what it expects.
    #[inline]
    pub(crate) fn run_length(bytes: &[u8]) -> usize {
        let is_stop = |byte: &u8| Self::TABLE[usize::from(*byte)];
        let mut start = 0;
        while let Some(block) = bytes.get(start..).and_then(<[u8]>::first_chunk::<16>) {
            if block.iter().fold(false, |any, &byte| any | Self::has(byte)) {
                return start + block.iter().position(is_stop).unwrap_or(block.len());
            }
            start += 16;
        }
        let rest = bytes.get(start..).unwrap_or_default();
        start + rest.iter().position(is_stop).unwrap_or(rest.len())
    }
}

/// Whether `bytes` is `word`, which is in lower case, without ASCII case. For words known when this is compiled: the
/// comparison has no branches and no loop.
#[inline]
pub(crate) fn is_word<const LENGTH: usize>(bytes: &[u8], word: &[u8; LENGTH]) -> bool {
    let Ok(bytes) = <&[u8; LENGTH]>::try_from(bytes) else { return false };
    let differing = |(byte, letter): (&u8, &u8)| (byte ^ letter) & !(u8::from(letter.is_ascii_lowercase()) << 5);
    bytes.iter().zip(word).map(differing).fold(0, core::ops::BitOr::bitor) == 0
}

/// Where the first `BYTE` is. Lines of heads are short: the first 64 bytes are looked at here, and only what is longer
/// is worth the call of a search that is faster by the byte.
#[inline]
pub(crate) fn find<const BYTE: u8>(bytes: &[u8]) -> Option<usize> {
    const NEAR: usize = 64;
    let near = &bytes[..bytes.len().min(NEAR)];
    let (words, rest) = near.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let found = equal_to::<BYTE>(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(index * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    if bytes.len() > NEAR {
        return memchr::memchr(BYTE, &bytes[NEAR..]).map(|place| place + NEAR);
    }
    rest.iter().position(|&byte| byte == BYTE).map(|place| words.len() * 8 + place)
}

/// The high bit of each byte of `word` that is `BYTE`; of the bytes above the lowest such, the bit may be wrong.
#[inline]
const fn equal_to<const BYTE: u8>(word: u64) -> u64 {
    let differing = word ^ u64::from_le_bytes([BYTE; 8]);
    differing.wrapping_sub(ONES) & !differing & HIGH
}

/// Whether `bytes` may be a field value (RFC 9110 §5.5): no control bytes except the tab, no DEL. Bytes from 0x80 on
/// are allowed (obs-text).
///
/// Eight bytes are looked at together; a value with a tab, or with a fault, is looked at byte by byte.
#[inline]
pub(crate) fn is_field_value(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    let plain = words.iter().fold(0, |suspects, word| suspects | suspects_in(u64::from_le_bytes(*word))) == 0
        && rest.iter().all(|&byte| is_field_byte(byte));
    plain || bytes.iter().all(|&byte| is_field_byte(byte))
}

#[inline]
const fn is_field_byte(byte: u8) -> bool {
    (byte >= b' ' && byte != 0x7f) || byte == b'\t'
}

/// Not zero if one of the eight bytes is below the space or is DEL.
#[inline]
const fn suspects_in(word: u64) -> u64 {
    const SPACES: u64 = u64::from_le_bytes([b' '; 8]);
    let below_space = word.wrapping_sub(SPACES) & !word & HIGH;
    below_space | equal_to::<0x7f>(word)
}

/// `bytes` without spaces and tabs at both ends (OWS, RFC 9110 §5.6.3).
#[inline]
pub(crate) const fn trim_ows(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The number that a hexadecimal digit stands for, of either case.
#[inline]
pub(crate) const fn hexadecimal(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// The number that `bytes` spells in decimal: one or more digits and nothing else, and no overflow.
#[inline]
pub(crate) fn parse_decimal(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    let mut number = 0_u64;
    for &byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::{is_field_value, is_token, parse_decimal, trim_ows};

    #[test]
    fn tokens_are_exactly_the_bytes_of_rfc_9110() {
        for byte in 0..=255_u8 {
            let expected = byte.is_ascii_graphic() && !br#""(),/:;<=>?@[\]{}"#.contains(&byte);
            assert_eq!(is_token(&[byte]), expected, "{byte:#x}");
            assert_eq!(is_token(&[b'a', byte]), expected, "{byte:#x}");
        }
        assert!(!is_token(b""));
    }

    #[test]
    fn field_values_have_no_controls_at_any_place_and_length() {
        for byte in 0..=255_u8 {
            let expected = byte == b'\t' || (byte >= b' ' && byte != 0x7f);
            for length in [1, 15, 16, 17, 63, 64, 65] {
                for place in [0, length / 2, length - 1] {
                    let mut value = [b'v'; 65];
                    value[place] = byte;
                    assert_eq!(is_field_value(&value[..length]), expected, "{byte:#x} at {place} of {length}");
                }
            }
        }
        assert!(is_field_value(b""));
    }

    #[test]
    fn optional_whitespace_is_trimmed_at_both_ends_only() {
        let table: [(&[u8], &[u8]); 6] =
            [(b"", b""), (b" \t ", b""), (b" a", b"a"), (b"a\t", b"a"), (b" a b\t", b"a b"), (b"\na ", b"\na")];
        for (input, expected) in table {
            assert_eq!(trim_ows(input), expected);
        }
    }

    #[test]
    fn decimals_take_digits_only_and_never_overflow() {
        let table: [(&[u8], Option<u64>); 12] = [
            (b"0", Some(0)),
            (b"007", Some(7)),
            (b"18446744073709551615", Some(u64::MAX)),
            (b"18446744073709551616", None),
            (b"99999999999999999999", None),
            (b"", None),
            (b"+1", None),
            (b"-1", None),
            (b"1 ", None),
            (b"1_0", None),
            (b"0x1", None),
            (b"\xb2", None),
        ];
        for (input, expected) in table {
            assert_eq!(parse_decimal(input), expected, "{input:?}");
        }
    }
}
