//! Runs a reader over a body that is cut into pieces, and lists what came out.

use bytes::Bytes;
use callboard_core::Random;
use callboard_core::media_type::MediaType;
use callboard_core::multipart::{Event, MultipartError, MultipartLimits, PartHead, Reader};

/// A part as it came out.
#[derive(Debug, PartialEq)]
pub(crate) struct Read {
    pub(crate) head: PartHead,
    pub(crate) data: Vec<u8>,
    pub(crate) is_complete: bool,
}

/// All that came out.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) parts: Vec<Read>,
    pub(crate) charset: Option<String>,
    pub(crate) error: Option<MultipartError>,
}

/// How a body is cut.
#[derive(Clone, Debug)]
pub(crate) enum Cut {
    Whole,
    Bytes,
    At(usize),
    Random(Random),
    /// Random, and without waiting until a piece is used up.
    Eager(Random),
}

impl Cut {
    fn next(&mut self, taken: usize, left: usize) -> usize {
        match self {
            Self::Bytes => left.min(1),
            Self::At(place) if taken < *place => left.min(*place - taken),
            Self::Whole | Self::At(_) => left,
            Self::Random(random) | Self::Eager(random) => {
                let largest = if random.below(4) == 0 { 500 } else { 9 };
                left.min(1 + usize::try_from(random.below(largest)).unwrap_or_default())
            }
        }
    }
}

/// Reads `body`, in pieces, to its end or first error.
pub(crate) fn run(media_type: &MediaType, limits: &MultipartLimits, body: &[u8], mut cut: Cut) -> Outcome {
    let mut outcome = Outcome { parts: Vec::new(), charset: None, error: None };
    let mut reader = match Reader::new(media_type, limits.clone()) {
        Ok(reader) => reader,
        Err(error) => return Outcome { error: Some(error), ..outcome },
    };
    let body = Bytes::copy_from_slice(body);
    let mut taken = 0;
    while taken < body.len() {
        let length = cut.next(taken, body.len() - taken);
        reader.handle_input(body.slice(taken..taken + length));
        taken += length;
        let waits = if let Cut::Eager(random) = &mut cut { random.below(3) > 0 } else { false };
        if !waits && !drain(&mut reader, &mut outcome) {
            return outcome;
        }
    }
    reader.handle_end_of_input();
    drain(&mut reader, &mut outcome);
    assert!(reader.is_finished(), "neither an end nor an error: {reader:?}");
    outcome
}

/// Whether there is more to do.
fn drain(reader: &mut Reader, outcome: &mut Outcome) -> bool {
    loop {
        match reader.poll_event() {
            Ok(Some(Event::Part(head))) => {
                assert!(outcome.parts.last().is_none_or(|part| part.is_complete), "a part inside a part");
                outcome.parts.push(Read { head: *head, data: Vec::new(), is_complete: false });
            }
            Ok(Some(Event::Data(data))) => {
                assert!(!data.is_empty(), "data without bytes");
                let part = outcome.parts.last_mut().filter(|part| !part.is_complete);
                part.expect("data outside of parts").data.extend_from_slice(&data);
            }
            Ok(Some(Event::PartEnd)) => {
                let part = outcome.parts.last_mut().filter(|part| !part.is_complete);
                part.expect("an end outside of parts").is_complete = true;
            }
            Ok(Some(Event::End)) => {
                assert!(outcome.parts.last().is_none_or(|part| part.is_complete), "the end inside a part");
                assert_eq!(reader.poll_event(), Ok(None));
                outcome.charset = reader.charset().map(str::to_owned);
                return false;
            }
            Ok(None) => {
                outcome.charset = reader.charset().map(str::to_owned);
                return true;
            }
            Err(error) => {
                assert_eq!(reader.poll_event(), Err(error), "an error is final");
                outcome.charset = reader.charset().map(str::to_owned);
                outcome.error = Some(error);
                return false;
            }
        }
    }
}
