//! Applies a coding. The same calls give the same bytes, on every machine: no time, no name, no entropy goes in.
//!
//! What comes out of a call is bounded by what went in since the last: an encoder keeps at most its window and a
//! block. The window of zstd stays within the 8 MiB of RFC 9659, that of br within 256 KiB but at the best levels.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use brotli::enc::StandardAlloc;
use brotli::enc::encode::{BrotliEncoderOperation, BrotliEncoderStateStruct};
use flate2::{Compress, Compression, Crc, FlushCompress, Status};
#[cfg(feature = "zstd")]
use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer, zstd_sys::ZSTD_EndDirective as Directive};

use super::Coding;
use crate::reasons::reasons;

/// Room made for each step of deflate, at least.
const ROOM: usize = 512;

/// How much work goes into smaller output.
///
/// It says, too, how much memory an encoder holds, however much goes through it in pieces of at most 32 KiB: gzip and
/// deflate 400 KiB at any level; br 400 KiB at [`Fastest`](Self::Fastest), 6 MiB at [`Default`](Self::Default), 80 MiB
/// at [`Best`](Self::Best); zstd 2, 4 and 100 MiB. For br these are for bodies of megabytes without long repeats; for
/// one of 64 KiB 3 MiB are enough at `Default`. Larger pieces cost br some bytes more for each of theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Level {
    /// The least work: gzip and deflate 1, br 1, zstd 1.
    Fastest,
    /// What serves responses made while they are asked for: gzip and deflate 6, br 4, zstd 3.
    #[default]
    Default,
    /// For what is encoded once and sent often, not for each response anew: gzip and deflate 9, br 11, zstd 19.
    Best,
    /// The coding's own number; past its range the end of the range.
    Exact(u8),
}

impl Level {
    fn of(self, coding: Coding) -> u8 {
        let (fastest, default, best) = match coding {
            Coding::Gzip | Coding::Deflate => (1, 6, 9),
            Coding::Brotli => (1, 4, 11),
            #[cfg(feature = "zstd")]
            Coding::Zstd => (1, 3, 19),
        };
        match self {
            Self::Fastest => fastest,
            Self::Default => default,
            Self::Best => best,
            Self::Exact(level) => level.min(best),
        }
    }
}

reasons! {
    /// Why an encoder gives nothing.
    EncodeError {
        /// It was finished before.
        Finished => "the encoder has finished",
        /// The library behind it failed: there is no memory.
        Failed => "the encoder failed",
    }
}

/// Applies one coding to one body.
///
/// ```
/// use callboard_core::coding::{Coding, Encoder, Level};
///
/// let mut encoder = Encoder::new(Coding::Gzip, Level::Default);
/// let mut coded = Vec::new();
/// encoder.encode(b"data: first\n\n", &mut coded)?;
/// encoder.flush(&mut coded)?; // the receiver can decode the first event now
/// encoder.encode(b"data: second\n\n", &mut coded)?;
/// encoder.finish(&mut coded)?;
/// assert_eq!(coded[..3], [0x1f, 0x8b, 8]);
/// # Ok::<(), callboard_core::coding::EncodeError>(())
/// ```
pub struct Encoder {
    machine: Machine,
    coding: Coding,
}

enum Machine {
    Gzip {
        data: Compress,
        checksum: Crc,
        length: u32,
        has_begun: bool,
    },
    Deflate(Compress),
    Brotli(Box<BrotliEncoderStateStruct<StandardAlloc>>),
    #[cfg(feature = "zstd")]
    Zstd(Box<CCtx<'static>>),
    Finished,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Encode,
    Flush,
    Finish,
}

impl Encoder {
    /// An encoder of one coding. `deflate` is the zlib format (RFC 9110 §8.4.1.2).
    pub fn new(coding: Coding, level: Level) -> Self {
        let number = level.of(coding);
        let compression = Compression::new(u32::from(number.min(9)));
        let machine = match coding {
            Coding::Gzip => {
                let data = Compress::new(compression, false);
                Machine::Gzip { data, checksum: Crc::new(), length: 0, has_begun: false }
            }
            Coding::Deflate => Machine::Deflate(Compress::new(compression, true)),
            Coding::Brotli => {
                let mut state = BrotliEncoderStateStruct::new(StandardAlloc::default());
                state.params.quality = i32::from(number);
                state.params.lgwin = if number < 10 { 18 } else { 22 };
                Machine::Brotli(Box::new(state))
            }
            #[cfg(feature = "zstd")]
            Coding::Zstd => {
                let mut context = CCtx::create();
                let outcome = context.set_parameter(CParameter::CompressionLevel(i32::from(number)));
                debug_assert!(outcome.is_ok(), "the level is in the library's range");
                Machine::Zstd(Box::new(context))
            }
        };
        Self { machine, coding }
    }

    /// The coding.
    pub fn coding(&self) -> Coding {
        self.coding
    }

    /// Takes all of `input` and appends to `output` what comes out already, which may be nothing.
    pub fn encode(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.run(input, output, Operation::Encode)
    }

    /// Appends all that is held back, so that the receiver can decode everything up to here. Costs some bytes.
    pub fn flush(&mut self, output: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.run(&[], output, Operation::Flush)
    }

    /// Appends the rest and ends the coded data. The encoder is of no more use then.
    pub fn finish(&mut self, output: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.run(&[], output, Operation::Finish)?;
        self.machine = Machine::Finished;
        Ok(())
    }

    fn run(&mut self, input: &[u8], output: &mut Vec<u8>, operation: Operation) -> Result<(), EncodeError> {
        match &mut self.machine {
            Machine::Gzip { data, checksum, length, has_begun } => {
                if !std::mem::replace(has_begun, true) {
                    output.extend_from_slice(&GZIP_HEADER);
                }
                checksum.update(input);
                // RFC 1952 §2.3.1: ISIZE is the length modulo 2^32.
                *length = length.wrapping_add(u32::try_from(input.len() & 0xffff_ffff).unwrap_or(0));
                deflate(data, input, output, operation)?;
                if operation == Operation::Finish {
                    output.extend_from_slice(&checksum.sum().to_le_bytes());
                    output.extend_from_slice(&length.to_le_bytes());
                }
                Ok(())
            }
            Machine::Deflate(data) => deflate(data, input, output, operation),
            Machine::Brotli(state) => brotli(state, input, output, operation),
            #[cfg(feature = "zstd")]
            Machine::Zstd(context) => zstd(context, input, output, operation),
            Machine::Finished => Err(EncodeError::Finished),
        }
    }
}

/// RFC 1952 §2.3: no flags, no time, no hint, unknown system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

fn deflate(
    data: &mut Compress,
    mut input: &[u8],
    output: &mut Vec<u8>,
    operation: Operation,
) -> Result<(), EncodeError> {
    let flush = match operation {
        Operation::Encode => FlushCompress::None,
        Operation::Flush => FlushCompress::Sync,
        Operation::Finish => FlushCompress::Finish,
    };
    loop {
        output.reserve(ROOM);
        let before = (data.total_in(), output.len());
        let status = data.compress_vec(input, output, flush).map_err(|_| EncodeError::Failed)?;
        let read = usize::try_from(data.total_in() - before.0).unwrap_or(0);
        input = &input[read..];
        let has_room = output.len() < output.capacity();
        match status {
            Status::StreamEnd => return Ok(()),
            _ if operation != Operation::Finish && has_room && input.is_empty() => return Ok(()),
            _ if read == 0 && output.len() == before.1 => return Err(EncodeError::Failed),
            _ => {}
        }
    }
}

fn brotli(
    state: &mut BrotliEncoderStateStruct<StandardAlloc>,
    input: &[u8],
    output: &mut Vec<u8>,
    operation: Operation,
) -> Result<(), EncodeError> {
    let operation = match operation {
        Operation::Encode => BrotliEncoderOperation::BROTLI_OPERATION_PROCESS,
        Operation::Flush => BrotliEncoderOperation::BROTLI_OPERATION_FLUSH,
        Operation::Finish => BrotliEncoderOperation::BROTLI_OPERATION_FINISH,
    };
    let (mut left, mut read) = (input.len(), 0);
    loop {
        // No room is lent, so that everything comes by `take_output`, without a buffer to be cleared first.
        let (room, written, total) = (&mut 0, &mut 0, &mut None);
        if !state.compress_stream(
            operation,
            &mut left,
            input,
            &mut read,
            room,
            &mut [],
            written,
            total,
            &mut |_, _, _, _| (),
        ) {
            return Err(EncodeError::Failed);
        }
        let mut has_written = false;
        while state.has_more_output() {
            let size = &mut 0;
            let bytes = state.take_output(size);
            output.extend_from_slice(&bytes[..*size]);
            has_written = true;
        }
        let is_done = match operation {
            BrotliEncoderOperation::BROTLI_OPERATION_FINISH => state.is_finished(),
            _ => left == 0 && !has_written,
        };
        if is_done {
            return Ok(());
        }
    }
}

#[cfg(feature = "zstd")]
fn zstd(
    context: &mut CCtx<'static>,
    input: &[u8],
    output: &mut Vec<u8>,
    operation: Operation,
) -> Result<(), EncodeError> {
    let directive = match operation {
        Operation::Encode => Directive::ZSTD_e_continue,
        Operation::Flush => Directive::ZSTD_e_flush,
        Operation::Finish => Directive::ZSTD_e_end,
    };
    let mut input = InBuffer::around(input);
    loop {
        let mut block = [0; 4 * 1024];
        let mut room = OutBuffer::around(&mut block);
        let held = context.compress_stream2(&mut room, &mut input, directive).map_err(|_| EncodeError::Failed)?;
        let written = room.pos();
        output.extend_from_slice(&block[..written]);
        let is_done = match operation {
            Operation::Encode => input.pos() == input.src.len() && written < block.len(),
            Operation::Flush | Operation::Finish => held == 0,
        };
        if is_done {
            return Ok(());
        }
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("coding", &self.coding).finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "zstd"))]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_zstd_is_what_is_stated() {
        const MIB: usize = 1024 * 1024;
        let text: Vec<u8> = (0..3 * MIB).map(|place| (place ^ place >> 7).to_le_bytes()[0]).collect();
        for (level, bound) in [(Level::Fastest, 2 * MIB), (Level::Default, 4 * MIB), (Level::Best, 100 * MIB)] {
            let (mut encoder, mut coded) = (Encoder::new(Coding::Zstd, level), Vec::new());
            for piece in [&text[..100], &text[100..]] {
                encoder.encode(piece, &mut coded).unwrap();
                encoder.flush(&mut coded).unwrap();
            }
            let Machine::Zstd(context) = &encoder.machine else { panic!("zstd") };
            assert!((bound / 4..bound).contains(&context.sizeof()), "{level:?}: {} bytes", context.sizeof());
        }
    }
}
