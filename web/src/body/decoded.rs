//! A request's body with its content codings undone, part by part, as it is read.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use callboard_core::Headers;
use callboard_core::coding::{Codings, CodingsError, DecodeError, DecodeLimits, DecodedParts};

use super::{Body, BodyError};

/// Parts that may decode to nothing in one poll, before others have their turn.
const EMPTY_PARTS: usize = 32;

pub(super) struct Decoded {
    /// None once it has failed.
    body: Option<Body>,
    parts: Result<DecodedParts, CodingsError>,
    trailers: Option<Headers>,
    received: u64,
    given: u64,
}

impl Decoded {
    pub(super) fn new(body: Body, codings: Result<Codings, CodingsError>, limits: &DecodeLimits) -> Self {
        let parts = codings.map(|codings| DecodedParts::new(codings, limits));
        Self { body: Some(body), parts, trailers: None, received: 0, given: 0 }
    }

    pub(super) fn trailers(&self) -> Option<Headers> {
        self.trailers.clone()
    }

    /// Bytes taken from the body as it was sent.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Bytes given out.
    pub(super) fn given(&self) -> u64 {
        self.given
    }

    pub(super) fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let parts = match &mut self.parts {
            Ok(parts) => parts,
            Err(error) => {
                let error = BodyError::Codings(*error);
                self.body = None;
                return Poll::Ready(Some(Err(error)));
            }
        };
        for _ in 0..EMPTY_PARTS {
            match parts.decode() {
                Ok(Some(chunk)) => {
                    self.given += chunk.len() as u64;
                    return Poll::Ready(Some(Ok(chunk)));
                }
                Ok(None) => {}
                Err(error) => return self.fail(error),
            }
            match ready!(body.poll_chunk(context)) {
                Some(Ok(chunk)) => {
                    self.received += chunk.len() as u64;
                    parts.feed(chunk);
                }
                Some(Err(error)) => {
                    self.body = None;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    if let Err(error) = parts.finish() {
                        return self.fail(error);
                    }
                    self.trailers = body.trailers();
                    self.body = None;
                    return Poll::Ready(None);
                }
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn fail(&mut self, error: DecodeError) -> Poll<Option<Result<Bytes, BodyError>>> {
        self.body = None;
        Poll::Ready(Some(Err(BodyError::Decoding(error))))
    }
}
