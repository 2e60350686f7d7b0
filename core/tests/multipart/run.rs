//! Runs a reader over a body that is cut into pieces, and lists what came out.

use std::task::Poll;

use bytes::Bytes;
use callboard_core::Random;
use callboard_core::media_type::MediaType;
use callboard_core::multipart::{Event, MultipartError, MultipartLimits, PartError, PartHead, Parts, Reader};

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

/// Whether [`Parts`] gives the same as the reader did, if it skips some parts (by the bits of `skips`).
pub(crate) fn check_parts(
    media_type: &MediaType,
    limits: &MultipartLimits,
    body: &[u8],
    skips: u8,
    expected: &Outcome,
) {
    // What is decoded is another matter.
    if expected.parts.iter().any(|part| part.head.headers().contains("Content-Encoding")) {
        return;
    }
    let Ok(mut parts) = Parts::new(media_type, limits.clone()) else { return };
    let mut pieces = body.chunks(3).map(Bytes::copy_from_slice);
    let mut feed = |parts: &mut Parts| match pieces.next() {
        Some(piece) => parts.handle_input(piece),
        None => parts.handle_end_of_input(),
    };
    let failure = |error| Some(PartError::Multipart(error));
    for number in 0.. {
        let head = loop {
            match parts.poll_part() {
                Ok(Poll::Pending) => feed(&mut parts),
                Ok(Poll::Ready(head)) => break head,
                Err(error) => return assert_eq!(Some(error), expected.error.and_then(failure)),
            }
        };
        let Some(head) = head else { return assert_eq!((number, None), (expected.parts.len(), expected.error)) };
        let read = &expected.parts[number];
        assert_eq!(*head, read.head);
        let data = loop {
            match parts.poll_rest(usize::MAX) {
                _ if skips >> (number % 8) & 1 == 1 => break None,
                Ok(Poll::Pending) => feed(&mut parts),
                Ok(Poll::Ready(data)) => break Some(data),
                Err(error) => return assert_eq!(Some(error), expected.error.and_then(failure)),
            }
        };
        assert!(data.is_none_or(|data| data == read.data && read.is_complete));
    }
}
