//! The bytes of a received body: by length, chunked (RFC 9112 §7.1), or until the connection ends.

use alloc::boxed::Box;

use bytes::{Buf, Bytes, BytesMut};

use crate::syntax::{is_field_value, trim_ows};
use crate::{Headers, Limits};

use super::ReceiveError;
use super::framing::Framing;
use super::one_pass;
use super::scan::{Block, Scan};

/// A body being received.
#[derive(Debug)]
pub(super) enum Body {
    Length(u64),
    Chunked { state: Chunk, extensions: usize },
    UntilClose,
}

/// Where in the chunked coding the next byte falls.
#[derive(Debug)]
pub(super) enum Chunk {
    Size,
    Data(u64),
    DataEnd,
    /// After the last chunk: an empty line, or trailers.
    Last,
    Trailers(Box<Scan>),
}

/// What one step gave.
#[derive(Debug)]
pub(super) enum Step {
    NeedInput,
    Data(Bytes),
    End(Option<Box<Headers>>),
}

impl Body {
    pub(super) fn new(framing: Framing) -> Option<Self> {
        match framing {
            Framing::Empty => None,
            Framing::Length(length) => Some(Self::Length(length)),
            Framing::Chunked => Some(Self::Chunked { state: Chunk::Size, extensions: 0 }),
            Framing::UntilClose => Some(Self::UntilClose),
        }
    }

    /// How many bytes are left, where that is known.
    pub(super) fn left(&self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(*left),
            _ => None,
        }
    }

    /// Whether the end of the connection is the end of the body.
    pub(super) fn ends_with_connection(&self) -> bool {
        matches!(self, Self::UntilClose)
    }

    /// Takes the next part from the front of `input`.
    pub(super) fn step(&mut self, input: &mut BytesMut, limits: &Limits) -> Result<Step, ReceiveError> {
        match self {
            Self::Length(left) => Ok(take_data(left, input)),
            Self::UntilClose if input.is_empty() => Ok(Step::NeedInput),
            Self::UntilClose => Ok(Step::Data(input.split().freeze())),
            Self::Chunked { state, extensions } => step_chunked(state, extensions, input, limits),
        }
    }
}

/// Cuts what is there of `left` bytes. The last cut is followed by `End` on the next step.
fn take_data(left: &mut u64, input: &mut BytesMut) -> Step {
    if *left == 0 {
        return Step::End(None);
    }
    if input.is_empty() {
        return Step::NeedInput;
    }
    let count = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
    *left -= count as u64;
    Step::Data(input.split_to(count).freeze())
}

fn step_chunked(
    state: &mut Chunk,
    extensions: &mut usize,
    input: &mut BytesMut,
    limits: &Limits,
) -> Result<Step, ReceiveError> {
    loop {
        match state {
            Chunk::Size => {
                let (size, line) = if let Some(usual) = one_pass::chunk_size(input, limits.chunk_line) {
                    usual
                } else {
                    let Some(line) = find_size_line(input, limits)? else { return Ok(Step::NeedInput) };
                    let (size, digits) = parse_size_line(&input[..line - 2])?;
                    *extensions += line - 2 - digits;
                    if *extensions > limits.chunk_extensions {
                        return Err(ReceiveError::ChunkExtensionsTooLong);
                    }
                    (size, line)
                };
                input.advance(line);
                *state = match size {
                    0 => Chunk::Last,
                    _ => Chunk::Data(size),
                };
            }
            Chunk::Data(left) => match take_data(left, input) {
                Step::End(_) => *state = Chunk::DataEnd,
                step => return Ok(step),
            },
            Chunk::DataEnd => match take_line_end(input) {
                Some(true) => *state = Chunk::Size,
                Some(false) => return Err(ReceiveError::ChunkEndInvalid),
                None => return Ok(Step::NeedInput),
            },
            Chunk::Last => match take_line_end(input) {
                Some(true) => return Ok(Step::End(None)),
                Some(false) => *state = Chunk::Trailers(Box::new(Scan::new(Block::Trailers))),
                None => return Ok(Step::NeedInput),
            },
            Chunk::Trailers(scan) => {
                let Some(length) = scan.advance(input, limits)? else { return Ok(Step::NeedInput) };
                let block = input.split_to(length).freeze();
                let entries = scan.entries.take();
                let trailers = (entries.len() > 0).then(|| Box::new(Headers::from_received(block, entries)));
                return Ok(Step::End(trailers));
            }
        }
    }
}

/// Takes a CRLF from the front: whether it is there, if that can be told.
fn take_line_end(input: &mut BytesMut) -> Option<bool> {
    let seen = &input[..input.len().min(2)];
    if seen == b"\r\n" {
        input.advance(2);
        return Some(true);
    }
    if b"\r\n".starts_with(seen) { None } else { Some(false) }
}

/// The length of a complete chunk-size line, its CRLF included.
fn find_size_line(input: &[u8], limits: &Limits) -> Result<Option<usize>, ReceiveError> {
    // A first byte that is no digit can be refused before the line is complete.
    if input.first().is_some_and(|byte| !byte.is_ascii_hexdigit()) {
        return Err(ReceiveError::ChunkSizeInvalid);
    }
    let window = &input[..input.len().min(limits.chunk_line)];
    match memchr::memchr(b'\n', window) {
        Some(end) if window[..end].ends_with(b"\r") => Ok(Some(end + 1)),
        Some(_) => Err(ReceiveError::ChunkSizeInvalid),
        None if input.len() >= limits.chunk_line => Err(ReceiveError::ChunkLineTooLong),
        None => Ok(None),
    }
}

/// `chunk-size [ chunk-ext ]` without its CRLF: the size, and how many digits it has. Extensions are ignored
/// (RFC 9112 §7.1.1), but they must be able to be one.
fn parse_size_line(line: &[u8]) -> Result<(u64, usize), ReceiveError> {
    let mut size: u64 = 0;
    let mut digits = 0;
    for &byte in line {
        let Some(digit) = (byte as char).to_digit(16) else { break };
        if size >> 60 != 0 {
            return Err(ReceiveError::ChunkSizeInvalid);
        }
        size = size << 4 | u64::from(digit);
        digits += 1;
    }
    let extension = trim_ows(&line[digits..]);
    match extension.first() {
        _ if digits == 0 => Err(ReceiveError::ChunkSizeInvalid),
        None if digits < line.len() => Err(ReceiveError::ChunkSizeInvalid),
        None => Ok((size, digits)),
        Some(b';') if is_field_value(extension) => Ok((size, digits)),
        Some(b';') => Err(ReceiveError::ChunkExtensionInvalid),
        Some(_) => Err(ReceiveError::ChunkSizeInvalid),
    }
}
