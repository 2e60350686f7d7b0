//! Plays the host of a decoder: cuts input and room as it is told.

use callboard_core::Random;
use callboard_core::coding::{Codings, DecodeError, DecodeLimits, Decoder, Encoder};

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
