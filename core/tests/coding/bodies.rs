//! Bodies to encode, and the shortest way to do so.

use callboard_core::Random;
use callboard_core::coding::{Coding, Encoder, Level};

/// All at once.
pub(crate) fn encode_whole(coding: Coding, level: Level, body: &[u8]) -> Vec<u8> {
    let (mut encoder, mut coded) = (Encoder::new(coding, level), Vec::new());
    encoder.encode(body, &mut coded).unwrap();
    encoder.finish(&mut coded).unwrap();
    coded
}

/// A body that is part text, part noise, part repetition.
pub(crate) fn body(random: &mut Random, length: usize) -> Vec<u8> {
    let mut body = Vec::with_capacity(length);
    while body.len() < length {
        let count = usize::try_from(random.below(2000) + 1).unwrap().min(length - body.len());
        match random.below(4) {
            0 => body.extend((0..count).map(|_| random.next_u64().to_le_bytes()[0])),
            1 => body.extend(std::iter::repeat_n(random.next_u64().to_le_bytes()[0], count)),
            2 if !body.is_empty() => {
                let start = usize::try_from(random.below(body.len() as u64)).unwrap();
                let end = (start + count).min(body.len());
                body.extend_from_within(start..end);
            }
            _ => body.extend(b"<li>callboard, the board where actors pick up their calls</li>\n".iter().take(count)),
        }
    }
    body
}
