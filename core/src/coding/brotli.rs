//! Brotli (RFC 7932). The window is judged by the first byte, before memory is taken for it.
//!
//! A stream may ask for megabytes of tables in each kilobyte of input. They are taken once and used again, not cleared
//! each time: the library fills a table before it reads it.

use alloc::vec::Vec;

use brotli::enc::StandardAlloc;
use brotli::{
    Allocator, BrotliDecompressStream, BrotliResult, BrotliState, HuffmanCode, SliceWrapper, SliceWrapperMut,
};

use super::{DecodeError, DecodeLimits, Flow};

/// Bytes handed to the library at once: it counts them in 32 bits.
const MOST: usize = 1 << 20;

pub(super) struct BrotliDecoder {
    state: BrotliState<StandardAlloc, StandardAlloc, TableAlloc>,
    window_bits: u32,
    has_begun: bool,
    has_ended: bool,
}

impl BrotliDecoder {
    pub(super) fn new(limits: &DecodeLimits) -> Self {
        let alloc = StandardAlloc::default();
        let state = BrotliState::new_strict(alloc, alloc, TableAlloc::default());
        Self { state, window_bits: limits.window_bits(), has_begun: false, has_ended: false }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.has_ended
    }

    pub(super) fn state(&self) -> &'static str {
        match (self.has_begun, self.has_ended) {
            (false, _) => "start",
            (true, false) => "data",
            (true, true) => "end",
        }
    }

    pub(super) fn step(&mut self, flow: &mut Flow<'_>) -> Result<(), DecodeError> {
        if !self.has_begun {
            let Some(&first) = flow.input.first() else { return Ok(()) };
            if window_bits(first).is_none_or(|bits| bits > self.window_bits) {
                return Err(DecodeError::WindowTooLarge);
            }
            self.has_begun = true;
        }
        while !self.has_ended {
            let (mut available_in, mut available_out) =
                ((flow.input.len() - flow.read).min(MOST), flow.output.len() - flow.written);
            let before = (flow.read, flow.written);
            let result = BrotliDecompressStream(
                &mut available_in,
                &mut flow.read,
                flow.input,
                &mut available_out,
                &mut flow.written,
                flow.output,
                &mut 0,
                &mut self.state,
            );
            match result {
                BrotliResult::ResultSuccess => self.has_ended = true,
                BrotliResult::ResultFailure => return Err(DecodeError::DataInvalid),
                _ if before == (flow.read, flow.written) || !flow.has_room() => return Ok(()),
                BrotliResult::NeedsMoreInput if !flow.has_input() => return Ok(()),
                BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
            }
        }
        if flow.has_input() { Err(DecodeError::TrailingData) } else { Ok(()) }
    }
}

/// WBITS, which is in the first byte (RFC 7932 §9.1). None: the pattern that RFC 7932 leaves unused, and which "large
/// window brotli" took.
fn window_bits(first: u8) -> Option<u32> {
    let (one, three, next) = (first & 1, first >> 1 & 7, first >> 4 & 7);
    match (one, three, next) {
        (0, _, _) => Some(16),
        (_, 1.., _) => Some(17 + u32::from(three)),
        (_, _, 0) => Some(17),
        (_, _, 1) => None,
        _ => Some(8 + u32::from(next)),
    }
}

/// Codes from which on memory is kept: the library has three groups of tables that can be as long as that.
const LONG: usize = 8 * 1024;

/// Gives memory for tables, and keeps what came back.
#[derive(Default)]
struct TableAlloc {
    /// No more than are in use at a time: what is too short grows.
    kept: Vec<Tables>,
}

#[derive(Default)]
struct Tables {
    codes: Vec<HuffmanCode>,
    length: usize,
}

impl Allocator<HuffmanCode> for TableAlloc {
    type AllocatedMemory = Tables;

    fn alloc_cell(&mut self, length: usize) -> Tables {
        let mut tables = if length < LONG { None } else { self.kept.pop() }.unwrap_or_default();
        tables.length = length;
        if tables.codes.len() < length {
            // Not grown in place, which would copy.
            tables.codes = Vec::new();
            tables.codes.resize(length, HuffmanCode::default());
        }
        tables
    }

    fn free_cell(&mut self, tables: Tables) {
        if tables.codes.len() >= LONG {
            self.kept.push(tables);
        }
    }
}

impl SliceWrapper<HuffmanCode> for Tables {
    fn slice(&self) -> &[HuffmanCode] {
        &self.codes[..self.length]
    }
}

impl SliceWrapperMut<HuffmanCode> for Tables {
    fn slice_mut(&mut self) -> &mut [HuffmanCode] {
        &mut self.codes[..self.length]
    }
}
