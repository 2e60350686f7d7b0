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

    use bytes::{Bytes, BytesMut};
    use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};

    use super::super::extension::DeflateAgreement;
    use super::super::{ReceiveError, Role};

    /// What ends a flushed block; cut off by the sender, put back by the receiver (§7.2.1).
    const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
    /// Bytes decompressed at a time.
    const STEP: usize = 4 * 1024;
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
        decompress: Decompress,
        /// Taken in and given out before this message.
        before: (u64, u64),
        keeps_window: bool,
        ratio: u64,
        grace: u64,
    }

    impl Inflater {
        pub(in super::super) fn new(agreement: &DeflateAgreement, role: Role) -> Box<Self> {
            let settings = &agreement.settings;
            let (window, keeps_window) = agreement.theirs(role);
            Box::new(Self {
                decompress: Decompress::new_with_window_bits(false, window.max(LEAST_WINDOW)),
                before: (0, 0),
                keeps_window,
                ratio: u64::from(settings.ratio),
                grace: settings.ratio_grace as u64,
            })
        }

        /// Decompresses a part, appending to `output` up to `limit` bytes.
        pub(in super::super) fn push(
            &mut self,
            part: &[u8],
            output: &mut BytesMut,
            limit: usize,
        ) -> Result<(), ReceiveError> {
            let mut step = [0; STEP];
            let mut rest = part;
            loop {
                let (taken, given) = (self.decompress.total_in(), self.decompress.total_out());
                let status = self.decompress.decompress(rest, &mut step, FlushDecompress::Sync);
                let status = status.map_err(|_| ReceiveError::CompressionInvalid)?;
                let taken = usize::try_from(self.decompress.total_in() - taken).unwrap_or(usize::MAX);
                let given = usize::try_from(self.decompress.total_out() - given).unwrap_or(usize::MAX);
                rest = rest.get(taken..).unwrap_or_default();
                if given > limit - output.len().min(limit) {
                    return Err(ReceiveError::MessageTooBig);
                }
                output.extend_from_slice(&step[..given]);
                self.check_ratio()?;
                if status == Status::StreamEnd {
                    // A block marked as the last one (§7.2.3.5): the next begins a new stream.
                    self.before.0 = self.before.0.saturating_sub(self.decompress.total_in());
                    self.before.1 = self.before.1.saturating_sub(self.decompress.total_out());
                    self.decompress.reset(false);
                }
                let is_stuck = taken == 0 && given == 0;
                if (rest.is_empty() && given < STEP) || is_stuck {
                    return Ok(());
                }
            }
        }

        /// The message is complete.
        pub(in super::super) fn finish(&mut self, output: &mut BytesMut, limit: usize) -> Result<(), ReceiveError> {
            self.push(&TAIL, output, limit)?;
            if !self.keeps_window {
                self.decompress.reset(false);
            }
            self.before = (self.decompress.total_in(), self.decompress.total_out());
            Ok(())
        }

        fn check_ratio(&self) -> Result<(), ReceiveError> {
            let given = self.decompress.total_out().saturating_sub(self.before.1);
            let taken = self.decompress.total_in().saturating_sub(self.before.0);
            let is_bomb = given > self.grace && given > taken.saturating_mul(self.ratio);
            if is_bomb { Err(ReceiveError::RatioTooHigh) } else { Ok(()) }
        }
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
    use bytes::{Bytes, BytesMut};

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
            _output: &mut BytesMut,
            _limit: usize,
        ) -> Result<(), ReceiveError> {
            match *self {}
        }

        pub(in super::super) fn finish(&mut self, _output: &mut BytesMut, _limit: usize) -> Result<(), ReceiveError> {
            match *self {}
        }
    }
}
