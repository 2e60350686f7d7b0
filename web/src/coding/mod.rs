//! Content codings: those of requests are undone before anything reads their bodies, those of responses applied by
//! [`Compress`].

mod compress;
mod decoded;
mod encoded;
mod eligible;

use callboard_core::BodyLength;
use callboard_core::coding::{Codings, DecodeLimits};
use callboard_core::header;

use crate::{Body, Request};

pub use compress::Compress;
pub(crate) use decoded::Decoded;

/// Makes a request's body read as if it had never been coded. What cannot be undone is an error of the body, when it is
/// read: a handler that does not read it is not concerned.
pub(crate) fn undo(request: &mut Request, limits: &DecodeLimits) {
    if request.body().length() == BodyLength::Empty || !request.headers().contains(header::CONTENT_ENCODING) {
        return;
    }
    let codings = Codings::read(request.headers());
    if codings.as_ref().is_ok_and(Codings::is_identity) {
        return;
    }
    if codings.is_ok() {
        // They tell of the body as it was sent.
        request.headers_mut().remove(header::CONTENT_ENCODING);
        request.headers_mut().remove(header::CONTENT_LENGTH);
    }
    let body = std::mem::take(request.body_mut());
    *request.body_mut() = Body::decoded(Decoded::new(body, codings, limits));
}
