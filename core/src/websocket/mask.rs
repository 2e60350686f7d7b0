//! Masking (RFC 6455 §5.3): the transformation, and the keys.

use sha1::{Digest, Sha1};

/// Masks or unmasks `data` in place; `offset` is the place of `data[0]` in its payload. Twice is identity.
///
/// ```
/// let mut data = *b"hello";
/// callboard_core::websocket::apply_mask(&mut data, [1, 2, 3, 4], 0);
/// callboard_core::websocket::apply_mask(&mut data[..2], [1, 2, 3, 4], 0);
/// callboard_core::websocket::apply_mask(&mut data[2..], [1, 2, 3, 4], 2);
/// assert_eq!(&data, b"hello");
/// ```
#[inline]
pub fn apply_mask(data: &mut [u8], key: [u8; 4], offset: usize) {
    let mut key = key;
    key.rotate_left(offset % 4);
    let key = u64::from(u32::from_ne_bytes(key));
    let wide = (key << 32) | key;
    let (words, rest) = data.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(wide.to_ne_bytes()) {
        *byte ^= key;
    }
}

/// Keys that a peer who has seen some cannot foretell (RFC 6455 §10.3): SHA-1 of the seed and a counter, cut in fours.
#[derive(Clone)]
pub(super) struct MaskKeys {
    seed: [u64; 2],
    counter: u64,
    block: [u8; 20],
    used: usize,
}

impl MaskKeys {
    pub(super) fn new(seed: [u64; 2]) -> Self {
        Self { seed, counter: 0, block: [0; 20], used: 20 }
    }

    pub(super) fn next_key(&mut self) -> [u8; 4] {
        if self.used == self.block.len() {
            let mut hash = Sha1::new();
            hash.update(self.seed[0].to_le_bytes());
            hash.update(self.seed[1].to_le_bytes());
            hash.update(self.counter.to_le_bytes());
            self.block = hash.finalize().into();
            self.counter += 1;
            self.used = 0;
        }
        let mut key = [0; 4];
        key.copy_from_slice(&self.block[self.used..self.used + 4]);
        self.used += 4;
        key
    }
}

impl core::fmt::Debug for MaskKeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("MaskKeys")
    }
}
