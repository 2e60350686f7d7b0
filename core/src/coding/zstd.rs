//! Zstandard (RFC 8878): frames one after the other. The library's memory is bounded by the window's limit, which it
//! judges before it allocates.

use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

use super::{DecodeError, DecodeLimits, Flow};

/// A content coding's window is at most 8 MiB (RFC 9659 §3).
const WINDOW_BITS: u32 = 23;
/// The least that the library can be told.
const LEAST_WINDOW_BITS: u32 = 10;

pub(super) struct ZstdDecoder {
    context: DCtx<'static>,
    frames: u32,
    most_frames: u32,
    is_between: bool,
    /// The last call filled its room: there may be more without more input.
    is_pending: bool,
}

impl ZstdDecoder {
    pub(super) fn new(limits: &DecodeLimits) -> Self {
        let mut context = DCtx::create();
        let bits = limits.window_bits().clamp(LEAST_WINDOW_BITS, WINDOW_BITS);
        let outcome = context.set_parameter(DParameter::WindowLogMax(bits));
        debug_assert!(outcome.is_ok(), "the window is in the library's range");
        Self { context, frames: 0, most_frames: limits.members, is_between: true, is_pending: false }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.is_between && self.frames > 0
    }

    pub(super) fn state(&self) -> &'static str {
        match (self.is_between, self.frames) {
            (true, 0) => "start",
            (true, _) => "between frames",
            (false, _) => "frame",
        }
    }

    pub(super) fn step(&mut self, flow: &mut Flow<'_>) -> Result<(), DecodeError> {
        while flow.has_room() && (flow.has_input() || self.is_pending) {
            if self.is_between {
                if self.frames == self.most_frames {
                    return Err(DecodeError::TooManyMembers);
                }
                self.frames += 1;
                self.is_between = false;
            }
            let mut input = InBuffer::around(&flow.input[flow.read..]);
            let mut output = OutBuffer::around(&mut flow.output[flow.written..]);
            let outcome = self.context.decompress_stream(&mut output, &mut input);
            let (read, written) = (input.pos(), output.pos());
            flow.read += read;
            flow.written += written;
            self.is_pending = !flow.has_room();
            match outcome {
                Ok(0) => (self.is_between, self.is_pending) = (true, false),
                Ok(_) if read + written == 0 => return Ok(()),
                Ok(_) => {}
                Err(code) => return Err(self.error(code)),
            }
        }
        Ok(())
    }

    /// Codes are negated numbers of the library's stable list.
    fn error(&self, code: usize) -> DecodeError {
        match code.wrapping_neg() {
            PREFIX_UNKNOWN if self.frames > 1 => DecodeError::TrailingData,
            PREFIX_UNKNOWN => DecodeError::HeaderInvalid,
            WINDOW_TOO_LARGE => DecodeError::WindowTooLarge,
            CHECKSUM_WRONG => DecodeError::ChecksumMismatch,
            DICTIONARY_WRONG => DecodeError::DictionaryRequired,
            _ => DecodeError::DataInvalid,
        }
    }
}

const PREFIX_UNKNOWN: usize = 10;
const WINDOW_TOO_LARGE: usize = 16;
const CHECKSUM_WRONG: usize = 22;
const DICTIONARY_WRONG: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame that states a window of `1 << (10 + exponent)` bytes, and one raw block of one byte.
    fn frame(exponent: u8) -> [u8; 10] {
        [0x28, 0xb5, 0x2f, 0xfd, 0x00, exponent << 3, 0x09, 0x00, 0x00, b'x']
    }

    #[test]
    fn memory_is_the_window_and_little_more() {
        let mut decoder = ZstdDecoder::new(&DecodeLimits::default());
        let (input, mut output) = (frame(13), [0; 16]);
        let mut flow = Flow::new(&input, &mut output);
        decoder.step(&mut flow).unwrap();
        assert_eq!((flow.written, decoder.is_complete()), (1, true));
        let memory = decoder.context.sizeof();
        assert!((1 << 23..(1 << 23) + (1 << 20)).contains(&memory), "{memory}");
    }

    #[test]
    fn a_window_too_large_takes_no_memory() {
        for (exponent, window) in [(14, u64::MAX), (13, 1 << 22), (21, u64::MAX)] {
            let mut decoder = ZstdDecoder::new(&DecodeLimits { window, ..DecodeLimits::default() });
            let (input, mut output) = (frame(exponent), [0; 16]);
            let outcome = decoder.step(&mut Flow::new(&input, &mut output));
            assert_eq!(outcome, Err(DecodeError::WindowTooLarge));
            assert!(decoder.context.sizeof() < 1 << 20);
        }
    }
}
