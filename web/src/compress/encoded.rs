//! A response's body with a content coding applied, part by part, as it is sent.
//!
//! Nothing is held back while the source has nothing: what came before is flushed, so that a stream reaches its reader
//! as it is made. Event streams are flushed after every part.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use callboard_core::coding::Encoder;
use futures_lite::Stream;

use crate::{Body, BodyError};

/// Bytes encoded in one go: what other tasks of the thread wait for.
const SLICE: usize = 32 * 1024;
/// Goes in one poll that give nothing, before others have their turn.
const GOES: usize = 8;

pub(super) struct Encoded {
    /// None at its end.
    body: Option<Body>,
    encoder: Encoder,
    /// What of the last part was not encoded yet.
    part: Bytes,
    /// Something may be held back.
    is_dirty: bool,
    is_flushed_always: bool,
}

impl Encoded {
    pub(super) fn new(body: Body, encoder: Encoder, is_flushed_always: bool) -> Self {
        Self { body: Some(body), encoder, part: Bytes::new(), is_dirty: false, is_flushed_always }
    }

    /// Encodes some of the part at hand.
    fn encode(&mut self) -> Result<Vec<u8>, BodyError> {
        let (count, mut output) = (self.part.len().min(SLICE), Vec::new());
        self.encoder.encode(&self.part[..count], &mut output).map_err(source)?;
        self.part.advance(count);
        self.is_dirty = true;
        if self.is_flushed_always && self.part.is_empty() {
            self.flush(&mut output)?;
        }
        Ok(output)
    }

    fn flush(&mut self, output: &mut Vec<u8>) -> Result<(), BodyError> {
        self.is_dirty = false;
        self.encoder.flush(output).map_err(source)
    }

    fn poll_output(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Vec<u8>, BodyError>>> {
        for _ in 0..GOES {
            if !self.part.is_empty() {
                match self.encode() {
                    Ok(output) if output.is_empty() => continue,
                    outcome => return Poll::Ready(Some(outcome)),
                }
            }
            let Some(body) = &mut self.body else { return Poll::Ready(None) };
            let mut output = Vec::new();
            let outcome = match body.poll_chunk(context) {
                Poll::Ready(Some(Ok(part))) => {
                    self.part = part;
                    continue;
                }
                Poll::Ready(Some(Err(error))) => Err(error),
                Poll::Ready(None) => {
                    self.body = None;
                    self.encoder.finish(&mut output).map_err(source)
                }
                Poll::Pending if self.is_dirty => self.flush(&mut output),
                Poll::Pending => return Poll::Pending,
            };
            return Poll::Ready(Some(outcome.map(|()| output)));
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Stream for Encoded {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.poll_output(context);
        if matches!(polled, Poll::Ready(Some(Err(_)))) {
            self.body = None;
            self.part = Bytes::new();
        }
        polled.map(|item| item.map(|outcome| outcome.map(Bytes::from)))
    }
}

/// The encoder fails only without memory, or by a mistake of ours.
fn source(error: callboard_core::coding::EncodeError) -> BodyError {
    BodyError::Source(error.into())
}
