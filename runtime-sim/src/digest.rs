//! A running hash: FNV-1a over words of 64 bits instead of bytes, with the high half folded back in. The same on every
//! machine; not cryptographic.

/// The hash so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digest(u64);

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

impl Digest {
    pub(crate) const fn new() -> Self {
        Self(OFFSET)
    }

    pub(crate) fn word(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(PRIME);
        self.0 = mixed ^ (mixed >> 32);
    }

    /// The bytes and their count, so that `"ab", "c"` differs from `"a", "bc"`.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
    }

    pub(crate) fn value(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    fn digest(parts: &[&[u8]]) -> u64 {
        let mut digest = Digest::new();
        for part in parts {
            digest.bytes(part);
        }
        digest.value()
    }

    #[test]
    fn order_borders_and_every_byte_count() {
        assert_eq!(digest(&[b"callboard"]), digest(&[b"callboard"]));
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        assert_ne!(digest(&[b"ab", b"cd"]), digest(&[b"cd", b"ab"]));
        assert_ne!(digest(&[b"callboard"]), digest(&[b"callboarD"]));
        assert_ne!(digest(&[b"a"]), digest(&[b"a\0"]));
    }

    /// The same number on every machine: a hash that a seed's owner wrote down stays true.
    #[test]
    fn the_value_is_fixed() {
        assert_eq!(digest(&[b"callboard"]), 2_999_669_533_091_808_850);
    }
}
