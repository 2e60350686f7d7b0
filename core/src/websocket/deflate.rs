//! The two compressors of permessage-deflate (RFC 7692 §7.2): one message in, one out. Their windows live on between
//! messages where that was agreed. Without the feature `compression` neither can be made.

#[cfg(feature = "compression")]
pub(super) use enabled::{Deflater, Inflater};

#[cfg(not(feature = "compression"))]
pub(super) use disabled::{Deflater, Inflater};

#[cfg(feature = "compression")]
mod enabled {
    use alloc::boxed::Box;
    use alloc::vec::Vec;

    use bytes::Bytes;
    use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};

    use super::super::extension::DeflateAgreement;
    use super::super::{ReceiveError, Role};

    /// What ends a flushed block; cut off by the sender, put back by the receiver (§7.2.1).
    const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
    /// Bytes decompressed at a time.
    const STEP: usize = 4 * 1024;
    /// The ratio is checked after each so many bytes of a message, so that it does not depend on how they come.
    const CHECKED: u64 = 128;
    /// What deflate can make of a byte at most: 258 bytes of each two bits.
    const MOST_RATIO: u64 = 1032;
    /// zlib's least window for raw deflate; a smaller one is never compressed for.
    const LEAST_WINDOW: u8 = 9;

    /// Compresses messages.
    pub(in super::super) struct Deflater {
        compress: Option<Compress>,
        level: u8,
        window: u8,
        keeps_window: bool,
        threshold: usize,
    }

    impl Deflater {
        pub(in super::super) fn new(agreement: &DeflateAgreement, role: Role) -> Self {
            let settings = &agreement.settings;
            let (window, keeps_window) = agreement.ours(role);
            let keeps_window = keeps_window && settings.our_takeover;
            let (level, threshold) = (settings.level.min(9), settings.threshold);
            Self { compress: None, level, window, keeps_window, threshold }
        }

        /// The message compressed, or `None` if it leaves as it is: too small, or the window is one that zlib lacks.
        pub(in super::super) fn compress(&mut self, message: &[u8]) -> Option<Bytes> {
            if message.len() < self.threshold || self.window < LEAST_WINDOW {
                return None;
            }
            if message.is_empty() {
                // zlib has nothing to flush twice; this is what a flush would leave (§7.2.3.6).
                return Some(Bytes::from_static(&[0]));
            }
            let (level, window) = (self.level, self.window);
            let compress = self.compress.get_or_insert_with(|| {
                Compress::new_with_window_bits(flate2::Compression::new(u32::from(level)), false, window)
            });
            let mut output = Vec::with_capacity(message.len() / 2 + 64);
            let start = compress.total_in();
            loop {
                let taken = usize::try_from(compress.total_in() - start).unwrap_or(usize::MAX);
                let rest = message.get(taken..).unwrap_or_default();
                // A flush is complete when zlib leaves room in the output (zlib.h, deflate).
                if compress.compress_vec(rest, &mut output, FlushCompress::Sync).is_err() {
                    self.compress = None;
                    return None;
                }
                if output.len() < output.capacity() {
                    break;
                }
                output.reserve(output.len().max(STEP));
            }
            if output.ends_with(&TAIL) {
                output.truncate(output.len() - TAIL.len());
            }
            if !self.keeps_window {
                // Without its window a compressor is worth nothing between messages, and it is large.
                self.compress = None;
            }
            Some(output.into())
        }
    }

    /// Decompresses messages.
    pub(in super::super) struct Inflater {
        /// Made when it is needed: a peer that sends nothing compressed costs nothing.
        decompress: Option<Decompress>,
        window: u8,
        keeps_window: bool,
        ratio: u64,
        grace: u64,
        /// Bytes of this message taken in and given out, whatever streams it is made of.
        taken: u64,
        given: u64,
        /// Nothing was taken since the message, or a stream in it, began or ended.
        is_between: bool,
    }

    impl Inflater {
        pub(in super::super) fn new(agreement: &DeflateAgreement, role: Role) -> Box<Self> {
            let settings = &agreement.settings;
            let (window, keeps_window) = agreement.theirs(role);
            Box::new(Self {
                decompress: None,
                window: window.max(LEAST_WINDOW),
                keeps_window,
                ratio: u64::from(settings.ratio),
                grace: settings.ratio_grace as u64,
                taken: 0,
                given: 0,
                is_between: true,
            })
        }

        /// Decompresses a part and gives what comes out to `keep`, a step at a time. Each error, of `keep` as well, is
        /// found at the same place however the input is cut.
        pub(in super::super) fn push(
            &mut self,
            part: &[u8],
            keep: &mut dyn FnMut(&[u8]) -> Result<(), ReceiveError>,
        ) -> Result<(), ReceiveError> {
            let mut rest = part;
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(self.until_check(rest.len()));
                self.inflate(piece, keep)?;
                self.taken += piece.len() as u64;
                rest = after;
                if self.taken.is_multiple_of(CHECKED) {
                    self.check_ratio()?;
                }
            }
            Ok(())
        }

        /// How many of so many bytes come before the ratio is to be checked: all of them if they cannot exceed it.
        fn until_check(&self, count: usize) -> usize {
            if self.given.saturating_add((count as u64).saturating_mul(MOST_RATIO)) <= self.grace {
                return count;
            }
            count.min(to_length(CHECKED - self.taken % CHECKED))
        }

        fn inflate(
            &mut self,
            mut rest: &[u8],
            keep: &mut dyn FnMut(&[u8]) -> Result<(), ReceiveError>,
        ) -> Result<(), ReceiveError> {
            let window = self.window;
            let decompress = self.decompress.get_or_insert_with(|| Decompress::new_with_window_bits(false, window));
            let mut step = [0; STEP];
            loop {
                let before = (decompress.total_in(), decompress.total_out());
                let status = decompress.decompress(rest, &mut step, FlushDecompress::Sync);
                let taken = to_length(decompress.total_in() - before.0);
                let given = to_length(decompress.total_out() - before.1);
                let has_ended = matches!(status, Ok(Status::StreamEnd));
                if has_ended {
                    // A block marked as the last one (§7.2.3.5): the next begins a new stream.
                    decompress.reset(false);
                }
                self.is_between = has_ended || (self.is_between && taken == 0);
                self.given += given as u64;
                rest = rest.get(taken..).unwrap_or_default();
                // What came out before an error counts before it.
                keep(step.get(..given).unwrap_or_default())?;
                status.map_err(|_| ReceiveError::CompressionInvalid)?;
                let is_stuck = taken == 0 && given == 0;
                if (rest.is_empty() && given < STEP) || is_stuck {
                    return Ok(());
                }
            }
        }

        /// The message is complete.
        pub(in super::super) fn finish(&mut self) -> Result<(), ReceiveError> {
            // What is not inside of a stream needs no end: an empty payload, or one that ends with a last block.
            if !self.is_between {
                // All that was said is out. A tail that says more fills a block that is not complete.
                self.inflate(&TAIL, &mut |more| {
                    if more.is_empty() { Ok(()) } else { Err(ReceiveError::CompressionInvalid) }
                })?;
            }
            self.check_ratio()?;
            (self.taken, self.given, self.is_between) = (0, 0, true);
            if !self.keeps_window {
                self.decompress = None;
            }
            Ok(())
        }

        const fn check_ratio(&self) -> Result<(), ReceiveError> {
            let is_bomb = self.given > self.grace && self.given > self.taken.saturating_mul(self.ratio);
            if is_bomb { Err(ReceiveError::RatioTooHigh) } else { Ok(()) }
        }
    }

    /// What a buffer's length bounds.
    fn to_length(count: u64) -> usize {
        usize::try_from(count).unwrap_or(usize::MAX)
    }

    impl core::fmt::Debug for Deflater {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.debug_struct("Deflater").field("window", &self.window).finish_non_exhaustive()
        }
    }

    impl core::fmt::Debug for Inflater {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.debug_struct("Inflater").field("keeps_window", &self.keeps_window).finish_non_exhaustive()
        }
    }
}

#[cfg(not(feature = "compression"))]
mod disabled {
    use bytes::Bytes;

    use super::super::ReceiveError;

    #[derive(Debug)]
    pub(in super::super) enum Deflater {}

    impl Deflater {
        pub(in super::super) fn compress(&mut self, _message: &[u8]) -> Option<Bytes> {
            match *self {}
        }
    }

    #[derive(Debug)]
    pub(in super::super) enum Inflater {}

    impl Inflater {
        pub(in super::super) fn push(
            &mut self,
            _part: &[u8],
            _keep: &mut dyn FnMut(&[u8]) -> Result<(), ReceiveError>,
        ) -> Result<(), ReceiveError> {
            match *self {}
        }

        pub(in super::super) fn finish(&mut self) -> Result<(), ReceiveError> {
            match *self {}
        }
    }
}
