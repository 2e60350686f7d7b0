//! A body that comes in parts and is given in parts: a decoder with its block, for those who stream.

use bytes::{Bytes, BytesMut};

use super::{Codings, DecodeError, DecodeLimits, Decoder};

/// Bytes of a decoded part at most.
const BLOCK: usize = 16 * 1024;
/// A block with less left is replaced before the next step.
const LEAST: usize = 1024;

/// Undoes the codings of a body that comes in parts, and gives parts of at most 16 KiB.
///
/// The decoder is made when the first part comes, so a body that nobody reads costs nothing.
///
/// ```
/// use callboard_core::coding::{Coding, DecodeLimits, DecodedParts};
///
/// let mut parts = DecodedParts::new(Coding::Brotli, &DecodeLimits::default());
/// for part in [&[0x0b, 0x02, 0x80, b'h'][..], b"ello\x03"] {
///     parts.feed(part.into());
///     while let Some(text) = parts.decode()? {
///         assert!(["h", "ello", "hello"].iter().any(|known| text == *known));
///     }
/// }
/// parts.finish()?;
/// # Ok::<(), callboard_core::coding::DecodeError>(())
/// ```
#[derive(Debug)]
pub struct DecodedParts {
    codings: Codings,
    limits: DecodeLimits,
    decoder: Option<Decoder>,
    /// What of the last part was not decoded yet.
    part: Bytes,
    block: BytesMut,
}

impl DecodedParts {
    /// Undoes one coding, or several: see [`Codings`].
    pub fn new(codings: impl Into<Codings>, limits: &DecodeLimits) -> Self {
        let codings = codings.into();
        Self { codings, limits: *limits, decoder: None, part: Bytes::new(), block: BytesMut::new() }
    }

    /// Takes a part. [`decode`](Self::decode) must have given `None` before: what is left of an earlier part is lost.
    pub fn feed(&mut self, part: Bytes) {
        self.part = part;
    }

    /// The next decoded part; `None`: another part is needed. An error is final.
    pub fn decode(&mut self) -> Result<Option<Bytes>, DecodeError> {
        if self.decoder.is_none() && self.part.is_empty() {
            return Ok(None);
        }
        let decoder = self.decoder.get_or_insert_with(|| Decoder::new(self.codings.clone(), &self.limits));
        if self.block.len() < LEAST {
            self.block = BytesMut::zeroed(BLOCK);
        }
        let progress = decoder.decode(&self.part, &mut self.block)?;
        drop(self.part.split_to(progress.read));
        Ok((progress.written > 0).then(|| self.block.split_to(progress.written).freeze()))
    }

    /// The body has ended, and [`decode`](Self::decode) gives no more: see [`Decoder::finish`].
    pub fn finish(&self) -> Result<(), DecodeError> {
        self.decoder.as_ref().map_or(Ok(()), Decoder::finish)
    }
}
