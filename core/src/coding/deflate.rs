//! Deflate (RFC 1951), in the zlib format (RFC 1950) that the coding of that name means, or raw, as some send it.
//!
//! The first two bytes tell: they are a zlib header if they say method 8, a window that exists, and are a multiple of
//! 31. A raw stream could only begin so with a stored block whose padding is not zero, which no encoder writes.

use flate2::{Decompress, FlushDecompress, Status};

use super::{DecodeError, Flow};

#[derive(Default)]
pub(super) struct DeflateDecoder {
    state: State,
}

#[derive(Default)]
enum State {
    #[default]
    Empty,
    /// The first byte.
    First(u8),
    Open(Open),
    End,
}

/// The first two bytes go to what inflates the data like all others, only later.
struct Open {
    data: Decompress,
    head: [u8; 2],
    read: usize,
}

impl DeflateDecoder {
    pub(super) fn is_complete(&self) -> bool {
        matches!(self.state, State::End)
    }

    pub(super) fn state(&self) -> &'static str {
        match self.state {
            State::Empty => "start",
            State::First(_) => "first byte",
            State::Open(_) => "data",
            State::End => "end",
        }
    }

    pub(super) fn step(&mut self, flow: &mut Flow<'_>) -> Result<(), DecodeError> {
        loop {
            self.state = match &mut self.state {
                State::Empty => {
                    let Some(byte) = flow.take_byte() else { return Ok(()) };
                    State::First(byte)
                }
                State::First(first) => {
                    let Some(second) = flow.take_byte() else { return Ok(()) };
                    let head = [*first, second];
                    State::Open(Open { data: Decompress::new(is_zlib(head)), head, read: 0 })
                }
                State::Open(open) if open.read < open.head.len() => {
                    let has_ended = open.inflate_head(flow)?;
                    match (has_ended, open.read < open.head.len()) {
                        (true, true) => return Err(DecodeError::TrailingData),
                        (true, false) => State::End,
                        (false, true) => return Ok(()),
                        (false, false) => continue,
                    }
                }
                State::Open(open) => {
                    if !inflate(&mut open.data, flow)? {
                        return Ok(());
                    }
                    State::End
                }
                State::End if flow.has_input() => return Err(DecodeError::TrailingData),
                State::End => return Ok(()),
            }
        }
    }
}

impl Open {
    fn inflate_head(&mut self, flow: &mut Flow<'_>) -> Result<bool, DecodeError> {
        let mut inner = Flow { input: &self.head, read: self.read, output: flow.output, written: flow.written };
        let has_ended = inflate(&mut self.data, &mut inner);
        (self.read, flow.written) = (inner.read, inner.written);
        has_ended
    }
}

/// RFC 1950 §2.2: CMF and FLG.
fn is_zlib(head: [u8; 2]) -> bool {
    head[0] & 0x0f == 8 && head[0] >> 4 <= 7 && u16::from_be_bytes(head).is_multiple_of(31)
}

/// Inflates until the input or the room is used up, or the data ends: true.
pub(super) fn inflate(data: &mut Decompress, flow: &mut Flow<'_>) -> Result<bool, DecodeError> {
    loop {
        let before = (data.total_in(), data.total_out());
        let room = &mut flow.output[flow.written..];
        let outcome = data.decompress(&flow.input[flow.read..], room, FlushDecompress::None);
        // Both are at most the length of a slice.
        let moved = (data.total_in() - before.0, data.total_out() - before.1);
        flow.read += usize::try_from(moved.0).unwrap_or(0);
        flow.written += usize::try_from(moved.1).unwrap_or(0);
        match outcome {
            Ok(Status::StreamEnd) => return Ok(true),
            Ok(_) if moved == (0, 0) || !flow.has_input() || !flow.has_room() => return Ok(false),
            Ok(_) => {}
            Err(error) if error.needs_dictionary().is_some() => return Err(DecodeError::DictionaryRequired),
            Err(error) if error.message() == Some(ADLER_DIFFERS) => return Err(DecodeError::ChecksumMismatch),
            Err(_) => return Err(DecodeError::DataInvalid),
        }
    }
}

/// What zlib has always said of a wrong Adler-32.
const ADLER_DIFFERS: &str = "incorrect data check";
