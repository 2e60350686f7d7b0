//! Which responses have their content codings undone (RFC 9110 §8.4).

use callboard_core::coding::{Codings, CodingsError, DecodeLimits, DecodedParts};
use callboard_core::http1::ResponseHead;
use callboard_core::{BodyLength, Status};

/// What a body needs, if anything. A coding that is not known leaves it as it is, and so does a part of a
/// representation (206), of which codings were applied to the whole (RFC 9110 §14.2).
pub(crate) fn of(
    head: &ResponseHead,
    length: BodyLength,
    limits: &DecodeLimits,
) -> Result<Option<DecodedParts>, CodingsError> {
    let is_bodiless = matches!(length, BodyLength::Empty | BodyLength::Known(0));
    if is_bodiless || head.status == Status::PARTIAL_CONTENT {
        return Ok(None);
    }
    match Codings::read(&head.headers) {
        Ok(codings) if codings.is_identity() => Ok(None),
        Ok(codings) => Ok(Some(DecodedParts::new(codings, limits))),
        Err(CodingsError::Unknown) => Ok(None),
        Err(error) => Err(error),
    }
}
