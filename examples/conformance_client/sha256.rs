//! SHA-256 (FIPS 180-4), so that a report can name a body without a dependency. Not for secrets.

/// The first 32 bits of the fractional parts of the square roots of the first 8 primes, and of the cube roots of the
/// first 64, worked out below.
fn constants() -> ([u32; 8], [u32; 64]) {
    let mut primes =
        (2_u64..).filter(|number| (2..*number).take_while(|at| at * at <= *number).all(|at| number % at != 0));
    let (mut start, mut rounds) = ([0; 8], [0; 64]);
    for at in 0..64 {
        let prime = u128::from(primes.next().unwrap_or(2));
        if at < 8 {
            start[at] = low_bits(root(|root| root * root <= prime << 64));
        }
        rounds[at] = low_bits(root(|root| root * root * root <= prime << 96));
    }
    (start, rounds)
}

/// The largest number below 2³⁶ that fits.
fn root(fits: impl Fn(u128) -> bool) -> u128 {
    (0..36).rev().fold(0, |root, bit| if fits(root | 1 << bit) { root | 1 << bit } else { root })
}

fn low_bits(number: u128) -> u32 {
    u32::try_from(number & u128::from(u32::MAX)).unwrap_or(0)
}

/// The digest of `body` in hexadecimal.
pub(crate) fn hexadecimal(body: &[u8]) -> String {
    let (mut state, rounds) = constants();
    let mut blocks = body.chunks_exact(64);
    blocks.by_ref().for_each(|block| compress(&mut state, block, &rounds));
    let mut tail = blocks.remainder().to_vec();
    tail.push(0x80);
    tail.resize(tail.len() + (119 - blocks.remainder().len()) % 64, 0);
    tail.extend((body.len() as u64 * 8).to_be_bytes());
    tail.chunks_exact(64).for_each(|block| compress(&mut state, block, &rounds));
    let digits = state.iter().flat_map(|word| (0..8).rev().map(move |digit| word >> (4 * digit) & 15));
    digits.filter_map(|digit| char::from_digit(digit, 16)).collect()
}

fn compress(state: &mut [u32; 8], block: &[u8], rounds: &[u32; 64]) {
    let mut words = [0_u32; 64];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    for at in 16..64 {
        let (near, far) = (words[at - 15], words[at - 2]);
        let near = near.rotate_right(7) ^ near.rotate_right(18) ^ near >> 3;
        let far = far.rotate_right(17) ^ far.rotate_right(19) ^ far >> 10;
        words[at] = words[at - 16].wrapping_add(near).wrapping_add(words[at - 7]).wrapping_add(far);
    }
    // The working variables a to h of the standard.
    let mut working = *state;
    for (word, round) in words.iter().zip(rounds) {
        let [first, second, third, fourth, fifth, sixth, seventh, eighth] = working;
        let mixed = fifth.rotate_right(6) ^ fifth.rotate_right(11) ^ fifth.rotate_right(25);
        let chosen = fifth & sixth ^ !fifth & seventh;
        let fed = eighth.wrapping_add(mixed).wrapping_add(chosen).wrapping_add(*round).wrapping_add(*word);
        let mixed = first.rotate_right(2) ^ first.rotate_right(13) ^ first.rotate_right(22);
        let top = fed.wrapping_add(mixed).wrapping_add(first & second ^ first & third ^ second & third);
        working = [top, first, second, third, fourth.wrapping_add(fed), fifth, sixth, seventh];
    }
    for (word, new) in state.iter_mut().zip(working) {
        *word = word.wrapping_add(new);
    }
}
