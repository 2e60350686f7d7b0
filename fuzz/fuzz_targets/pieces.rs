//! A stream cut in any way, read up to separators and by count: the same pieces as of the whole, beside a search that
//! knows no cuts, and no more is held than the limit and one part.
#![no_main]

use bytes::Bytes;
use callboard_core::Random;
use callboard_core::pieces::{PieceError, Pieces, Search};
use libfuzzer_sys::fuzz_target;

const SEPARATORS: [&[u8]; 4] = [b"\n", b"\r\n", b"--\r\n--", b""];

/// Parts of a stream, as they come.
struct Source<'a> {
    rest: &'a [u8],
    longest: usize,
    random: Random,
}

impl Source<'_> {
    /// Feeds another part. False: there is none.
    fn feed(&mut self, pieces: &mut Pieces) -> bool {
        if self.rest.is_empty() {
            return false;
        }
        let most = self.longest.min(self.rest.len()) as u64;
        let (part, rest) = self.rest.split_at(1 + usize::try_from(self.random.below(most)).unwrap_or(0));
        self.rest = rest;
        pieces.feed(Bytes::copy_from_slice(part));
        true
    }
}

/// The end of the piece at the start of `rest`, by the simplest search.
fn expected(rest: &[u8], separator: &[u8], limit: usize) -> Result<Option<usize>, PieceError> {
    let within = &rest[..rest.len().min(limit)];
    let mut places = within.windows(separator.len().max(1));
    let found = if separator.is_empty() { None } else { places.position(|at| at == separator) };
    match found {
        Some(at) => Ok(Some(at + separator.len())),
        None if rest.len() > limit => Err(PieceError::TooLong),
        None => Ok(None),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((input, &[control, seed])) = bytes.split_last_chunk() else { return };
    let separator = SEPARATORS[usize::from(control % 4)];
    let limit = if control & 4 == 0 { 16 } else { 4096 };
    let longest = usize::from(control >> 4) + 1;
    let mut choices = Random::from_seed(u64::from(seed));
    let mut source = Source { rest: input, longest, random: Random::from_seed(u64::from(seed) + 256) };
    let (mut pieces, mut at) = (Pieces::new(), 0);
    loop {
        let rest = &input[at..];
        let count = usize::try_from(choices.below(40)).unwrap_or(0);
        match choices.below(3) {
            0 => {
                let mut search = Search::new(separator, limit);
                let found = loop {
                    match pieces.until(&mut search) {
                        Ok(None) if source.feed(&mut pieces) => assert!(pieces.held().len() <= limit + longest),
                        found => break found,
                    }
                };
                let length = found.as_ref().map(|piece| piece.as_ref().map(Bytes::len)).map_err(|error| *error);
                assert_eq!(length, expected(rest, separator, limit));
                let Ok(Some(piece)) = found else { break };
                assert_eq!(piece, rest[..piece.len()]);
                at += piece.len();
            }
            1 => {
                while pieces.held().len() < count && source.feed(&mut pieces) {}
                let taken = pieces.exactly(count);
                assert_eq!(taken.as_deref(), rest.get(..count));
                if taken.is_none() {
                    break;
                }
                at += count;
            }
            _ => {
                let taken = pieces.up_to(count);
                assert_eq!(taken, rest[..taken.len()]);
                at += taken.len();
                if taken.is_empty() && !source.feed(&mut pieces) {
                    break;
                }
            }
        }
    }
    // What is left is what was not taken.
    while source.feed(&mut pieces) {}
    assert_eq!(pieces.held(), &input[at..]);
});
