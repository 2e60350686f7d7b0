//! Undoes the content codings of requests before anything reads their bodies (RFC 9110 §8.4).

use callboard_core::coding::{Codings, DecodeLimits};
use callboard_core::{BodyLength, header};

use crate::Request;

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
    *request.body_mut() = body.decoded(codings, limits);
}
