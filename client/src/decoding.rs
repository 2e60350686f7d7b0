//! Undoes the content codings of a response, part by part, as it is read (RFC 9110 §8.4).
//!
//! The decoder is made when the first part comes, so a body that nobody reads costs nothing. What it gives at once is
//! one block, whatever the part inflates to.

use bytes::{Bytes, BytesMut};
use callboard_core::coding::{Codings, CodingsError, DecodeError, DecodeLimits, Decoder};
use callboard_core::http1::ResponseHead;
use callboard_core::{BodyLength, Status};

/// Bytes of a decoded part at most.
const BLOCK: usize = 16 * 1024;
/// Less room than this is not worth a step.
const LEAST: usize = 1024;

pub(crate) struct Decoding {
    codings: Codings,
    limits: DecodeLimits,
    decoder: Option<Box<Decoder>>,
    /// What of the last part was not decoded yet.
    part: Bytes,
    block: BytesMut,
}

impl Decoding {
    /// What a body needs, if anything. A coding that is not known leaves it as it is, and so does a part of a
    /// representation (206), of which codings were applied to the whole (RFC 9110 §14.2).
    pub(crate) fn of(
        head: &ResponseHead,
        length: BodyLength,
        limits: DecodeLimits,
    ) -> Result<Option<Self>, CodingsError> {
        let is_bodiless = matches!(length, BodyLength::Empty | BodyLength::Known(0));
        if is_bodiless || head.status == Status::PARTIAL_CONTENT {
            return Ok(None);
        }
        match Codings::read(&head.headers) {
            Ok(codings) if codings.is_identity() => Ok(None),
            Ok(codings) => {
                let (part, block) = (Bytes::new(), BytesMut::new());
                Ok(Some(Self { codings, limits, decoder: None, part, block }))
            }
            Err(CodingsError::Unknown) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes a part. The one before must have been decoded: [`next`](Self::next) gave none.
    pub(crate) fn feed(&mut self, part: Bytes) {
        self.part = part;
    }

    /// What can be decoded of what was fed.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, DecodeError> {
        if self.decoder.is_none() && self.part.is_empty() {
            return Ok(None);
        }
        let decoder = self.decoder.get_or_insert_with(|| Box::new(Decoder::new(self.codings.clone(), &self.limits)));
        if self.block.len() < LEAST {
            self.block = BytesMut::zeroed(BLOCK);
        }
        let progress = decoder.decode(&self.part, &mut self.block)?;
        let _ = self.part.split_to(progress.read);
        Ok((progress.written > 0).then(|| self.block.split_to(progress.written).freeze()))
    }

    /// The body has ended, and there is nothing more to decode.
    pub(crate) fn finish(&self) -> Result<(), DecodeError> {
        self.decoder.as_ref().map_or(Ok(()), |decoder| decoder.finish())
    }
}
