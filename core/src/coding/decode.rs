//! Undoes the codings of a body, in steps into a slice of the caller's. Limits are judged here, formats elsewhere.
//!
//! Codings applied one over the other are a chain of machines with a block between each two. A machine never keeps
//! output back that there is room for, and never reads past the end of its format. A fault found behind decoded bytes
//! waits for the next step, so that these are not lost with it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::brotli::BrotliDecoder;
use super::deflate::DeflateDecoder;
use super::gzip::GzipDecoder;
#[cfg(feature = "zstd")]
use super::zstd::ZstdDecoder;
use super::{Coding, Codings, DecodeError, DecodeLimits, Flow};

/// Bytes between two machines of a chain.
const BLOCK: usize = 8 * 1024;

/// What one step moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "what was read must not be handed in again"]
pub struct Progress {
    /// Bytes taken from the front of the input.
    pub read: usize,
    /// Bytes put at the front of the output. 0 into an output that is not empty means: all input was read, and more
    /// is needed.
    pub written: usize,
}

/// Undoes the codings of one body.
///
/// ```
/// use callboard_core::coding::{Coding, DecodeLimits, Decoder};
///
/// let coded = [0x0b, 0x02, 0x80, b'h', b'e', b'l', b'l', b'o', 0x03];
/// let mut decoder = Decoder::new(Coding::Brotli, &DecodeLimits::default());
/// let (mut input, mut block, mut text) = (&coded[..], [0; 4], Vec::new());
/// loop {
///     let step = decoder.decode(input, &mut block)?;
///     input = &input[step.read..];
///     text.extend_from_slice(&block[..step.written]);
///     if step.written == 0 {
///         break; // here more input would be waited for
///     }
/// }
/// decoder.finish()?;
/// assert_eq!(text, b"hello");
/// # Ok::<(), callboard_core::coding::DecodeError>(())
/// ```
pub struct Decoder {
    /// In the order of undoing: what was applied last comes first.
    stages: Vec<Stage>,
    limits: DecodeLimits,
    taken: u64,
    given: u64,
    failure: Option<DecodeError>,
}

/// A machine, and what waits for it from the machine before.
struct Stage {
    machine: Machine,
    /// Empty in the first; in the others it is made when something is to be put there.
    block: Vec<u8>,
    /// What of `block` waits: from here, up to there.
    read: usize,
    filled: usize,
    given: u64,
}

enum Machine {
    Gzip(Box<GzipDecoder>),
    Deflate(Box<DeflateDecoder>),
    Brotli(Box<BrotliDecoder>),
    #[cfg(feature = "zstd")]
    Zstd(Box<ZstdDecoder>),
}

impl Decoder {
    /// Undoes one coding, or several: see [`Codings`]. Without any it copies, within the limit of size.
    pub fn new(codings: impl Into<Codings>, limits: &DecodeLimits) -> Self {
        let codings = codings.into();
        let stages = codings.as_slice().iter().rev();
        let stages = stages.map(|&coding| Stage {
            machine: Machine::new(coding, limits),
            block: Vec::new(),
            read: 0,
            filled: 0,
            given: 0,
        });
        Self { stages: stages.collect(), limits: *limits, taken: 0, given: 0, failure: None }
    }

    /// Reads from the front of `input` and writes to the front of `output`, until one of them is used up.
    ///
    /// Call it again with what was not read, until it writes nothing. An error is final; what was written in earlier
    /// steps is good as far as it was checked: a checksum comes after its data.
    pub fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, DecodeError> {
        let mut total = Progress::default();
        while total.written < output.len() {
            if let Some(error) = self.failure {
                return if total.written > 0 { Ok(total) } else { Err(error) };
            }
            let left = self.limits.output - self.given;
            let room = usize::try_from(left).unwrap_or(usize::MAX).min(output.len() - total.written);
            let (mut probe, is_full) = ([0], room == 0);
            let target = if is_full { &mut probe[..] } else { &mut output[total.written..total.written + room] };
            let (step, outcome) = self.step(&input[total.read..], target);
            total.read += step.read;
            if is_full && step.written > 0 {
                self.failure = Some(DecodeError::TooLarge);
                continue;
            }
            total.written += step.written;
            self.given += step.written as u64;
            self.failure = outcome.err();
            if step == Progress::default() && self.failure.is_none() {
                break;
            }
        }
        Ok(total)
    }

    /// The input has ended, and [`decode`](Self::decode) writes no more: whether that is the end of the coded data,
    /// too. No input at all is the empty body, whatever its coding: that is how it is sent.
    pub fn finish(&self) -> Result<(), DecodeError> {
        if let Some(error) = self.failure {
            return Err(error);
        }
        let is_complete = |stage: &Stage| stage.read == stage.filled && stage.machine.is_complete();
        if self.taken == 0 || self.stages.iter().all(is_complete) { Ok(()) } else { Err(DecodeError::Truncated) }
    }

    /// Bytes read so far: coded.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Bytes written so far: decoded.
    pub fn given(&self) -> u64 {
        self.given
    }

    /// Where in its format each coding is, in a word or two, in the order of undoing: for logs, and for the tables of
    /// the states.
    pub fn states(&self) -> Vec<&'static str> {
        self.stages.iter().map(|stage| stage.machine.state()).collect()
    }

    /// Moves what can be moved through the chain.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> (Progress, Result<(), DecodeError>) {
        let mut total = Progress::default();
        if self.stages.is_empty() {
            let count = input.len().min(output.len());
            output[..count].copy_from_slice(&input[..count]);
            self.taken += count as u64;
            return (Progress { read: count, written: count }, Ok(()));
        }
        loop {
            let mut has_progressed = false;
            for index in 0..self.stages.len() {
                let (before, after) = self.stages.split_at_mut(index + 1);
                let stage = &mut before[index];
                let source = if index == 0 { &input[total.read..] } else { &stage.block[stage.read..stage.filled] };
                let target = match after.first_mut() {
                    Some(next) if next.read < next.filled => continue,
                    Some(next) => {
                        next.block.resize(BLOCK, 0);
                        &mut next.block[..]
                    }
                    None => &mut output[total.written..],
                };
                let mut flow = Flow::new(source, target);
                let mut outcome = stage.machine.step(&mut flow);
                let (read, written) = (flow.read, flow.written);
                has_progressed |= read + written > 0;
                stage.given += written as u64;
                if index == 0 {
                    total.read += read;
                    self.taken += read as u64;
                } else {
                    stage.read += read;
                }
                match after.first_mut() {
                    Some(next) => (next.read, next.filled) = (0, written),
                    None => total.written += written,
                }
                let plausible = self.taken.saturating_mul(self.limits.ratio).max(self.limits.ratio_grace);
                if outcome.is_ok() && stage.given > plausible {
                    outcome = Err(DecodeError::RatioExceeded);
                }
                if outcome.is_err() {
                    return (total, outcome);
                }
            }
            if !has_progressed || total.written == output.len() {
                return (total, Ok(()));
            }
        }
    }
}

impl Machine {
    fn new(coding: Coding, limits: &DecodeLimits) -> Self {
        match coding {
            Coding::Gzip => Self::Gzip(Box::new(GzipDecoder::new(limits))),
            Coding::Deflate => Self::Deflate(Box::default()),
            Coding::Brotli => Self::Brotli(Box::new(BrotliDecoder::new(limits))),
            #[cfg(feature = "zstd")]
            Coding::Zstd => Self::Zstd(Box::new(ZstdDecoder::new(limits))),
        }
    }

    /// Reads and writes until the input or the room is used up.
    fn step(&mut self, flow: &mut Flow<'_>) -> Result<(), DecodeError> {
        match self {
            Self::Gzip(machine) => machine.step(flow),
            Self::Deflate(machine) => machine.step(flow),
            Self::Brotli(machine) => machine.step(flow),
            #[cfg(feature = "zstd")]
            Self::Zstd(machine) => machine.step(flow),
        }
    }

    /// Where in its format it is.
    fn state(&self) -> &'static str {
        match self {
            Self::Gzip(machine) => machine.state(),
            Self::Deflate(machine) => machine.state(),
            Self::Brotli(machine) => machine.state(),
            #[cfg(feature = "zstd")]
            Self::Zstd(machine) => machine.state(),
        }
    }

    /// Whether the coded data may end here.
    fn is_complete(&self) -> bool {
        match self {
            Self::Gzip(machine) => machine.is_complete(),
            Self::Deflate(machine) => machine.is_complete(),
            Self::Brotli(machine) => machine.is_complete(),
            #[cfg(feature = "zstd")]
            Self::Zstd(machine) => machine.is_complete(),
        }
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("states", &self.states())
            .field("taken", &self.taken)
            .field("given", &self.given)
            .field("limits", &self.limits)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}
