//! Plays the host of a decoder: cuts input and room as it is told.

use callboard_core::Random;
use callboard_core::coding::{Codings, DecodeError, DecodeLimits, Decoder, Encoder, Level};

/// How input and room come.
#[derive(Clone, Debug)]
pub(crate) enum Feed {
    /// All at once, with room for all.
    Whole,
    /// A byte at a time, into a byte at a time.
    Bytes,
    /// In pieces of any size up to this, into blocks of any size up to this, empty ones too.
    Random(Random, u64),
}

/// What a decoder gave, and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) output: Vec<u8>,
    pub(crate) end: Result<(), DecodeError>,
}

/// Room of [`Feed::Whole`].
const ROOM: usize = 1 << 16;

impl Feed {
    fn sizes(&mut self) -> (usize, usize) {
        match self {
            Self::Whole => (usize::MAX, ROOM),
            Self::Bytes => (1, 1),
            Self::Random(random, most) => {
                let mut draw = || usize::try_from(random.below(*most + 1)).unwrap();
                (draw(), draw())
            }
        }
    }
}

pub(crate) fn decode(codings: impl Into<Codings>, limits: &DecodeLimits, coded: &[u8], mut feed: Feed) -> Outcome {
    let mut decoder = Decoder::new(codings, limits);
    let (mut output, mut block, mut read) = (Vec::new(), vec![0; ROOM], 0);
    let end = loop {
        let (piece, room) = feed.sizes();
        let input = &coded[read..read + piece.min(coded.len() - read)];
        let progress = match decoder.decode(input, &mut block[..room]) {
            Ok(progress) => progress,
            Err(error) => {
                assert_eq!(decoder.decode(input, &mut block), Err(error), "an error is final");
                assert_eq!(decoder.finish(), Err(error), "an error is final");
                break Err(error);
            }
        };
        assert!(progress.read <= input.len() && progress.written <= room);
        assert!(room == 0 || progress.written > 0 || progress.read == input.len(), "neither written nor read");
        read += progress.read;
        output.extend_from_slice(&block[..progress.written]);
        assert_eq!((decoder.taken(), decoder.given()), (read as u64, output.len() as u64));
        if read == coded.len() && progress.written == 0 && room > 0 {
            break decoder.finish();
        }
    };
    Outcome { output, end }
}

/// The whole of a body through an encoder, in pieces, with a flush here and there.
pub(crate) fn encode(encoder: &mut Encoder, body: &[u8], random: &mut Random) -> Vec<u8> {
    let (mut coded, mut read) = (Vec::new(), 0);
    while read < body.len() {
        let most = 1 << random.below(16);
        let piece = usize::try_from(random.below(most) + 1).unwrap().min(body.len() - read);
        encoder.encode(&body[read..read + piece], &mut coded).unwrap();
        read += piece;
        if random.below(8) == 0 {
            encoder.flush(&mut coded).unwrap();
        }
    }
    encoder.finish(&mut coded).unwrap();
    coded
}

/// All at once.
pub(crate) fn encode_whole(coding: callboard_core::coding::Coding, level: Level, body: &[u8]) -> Vec<u8> {
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
