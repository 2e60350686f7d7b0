//! A seeded generator: xoshiro256++, its state filled from the seed by `SplitMix64`.
//!
//! The core draws no entropy. A mask key, a multipart boundary or jitter come from a seed that the caller hands in;
//! the same seed gives the same numbers on every machine.

/// A seeded pseudo-random generator. **Not cryptographic**: never make keys, tokens or nonces that protect something
/// with it.
///
/// ```
/// use callboard_core::Random;
///
/// let mut random = Random::from_seed(7);
/// let dice = random.below(6) + 1;
/// assert!((1..=6).contains(&dice));
/// assert_eq!(Random::from_seed(7).below(6) + 1, dice);
/// ```
#[derive(Clone, Debug)]
pub struct Random([u64; 4]);

impl Random {
    /// A generator whose numbers follow from `seed` alone.
    pub const fn from_seed(seed: u64) -> Self {
        let mut state = [0; 4];
        let mut counter = seed;
        let mut index = 0;
        while index < state.len() {
            counter = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = counter;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            state[index] = word ^ (word >> 31);
            index += 1;
        }
        Self(state)
    }

    /// The next 64 bits.
    #[inline]
    pub const fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.0;
        let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// A number from 0 to `bound - 1`, each as likely as the others.
    ///
    /// # Panics
    /// If `bound` is 0.
    #[inline]
    pub const fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "no number is below 0");
        // Lemire's method: the high half of a product is uniform once the low half is past the biased remainder.
        let mut draw = self.next_u64();
        if draw.wrapping_mul(bound) < bound {
            let biased = bound.wrapping_neg() % bound;
            while draw.wrapping_mul(bound) < biased {
                draw = self.next_u64();
            }
        }
        ((draw as u128 * bound as u128) >> 64) as u64
    }

    /// Fills `target` with random bytes.
    pub fn fill(&mut self, target: &mut [u8]) {
        for part in target.chunks_mut(8) {
            part.copy_from_slice(&self.next_u64().to_le_bytes()[..part.len()]);
        }
    }

    /// Another generator, seeded from this one, for a part of the program whose draws must not shift the others'.
    pub const fn fork(&mut self) -> Self {
        Self::from_seed(self.next_u64())
    }
}
