//! The body of a response, part by part as it is asked for, and whole.

use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
#[cfg(feature = "compression")]
use callboard_core::coding::{DecodeError, DecodeLimits};
use callboard_core::{BodyLength, Headers, Status};

use super::Response;
#[cfg(feature = "compression")]
use super::Source;
use crate::connection::Event;
#[cfg(feature = "compression")]
use crate::decoding;
use crate::error::{Error, ErrorKind, Phase};
use crate::location;

/// Room made for a body at once because its length was announced, at most.
const ROOM: u64 = 1024 * 1024;

/// Parts that may decode to nothing in one poll.
#[cfg(feature = "compression")]
const EMPTY_PARTS: usize = 32;

impl Response {
    pub(super) async fn collect(&mut self) -> Result<Bytes, Error> {
        if self.has_failed && self.failure.is_none() {
            return Err(self.error(Phase::Body, ErrorKind::BodyGone));
        }
        let announced = self.content_length().unwrap_or(0);
        if announced > self.limit {
            return Err(self.error(Phase::Body, ErrorKind::BodyTooLarge(self.limit)));
        }
        let Some(first) = self.chunk().await.transpose()? else { return Ok(Bytes::new()) };
        let Some(second) = self.chunk().await.transpose()? else { return self.within_limit(first) };
        let mut whole = BytesMut::with_capacity(usize::try_from(announced.min(ROOM)).unwrap_or(0));
        whole.extend_from_slice(&first);
        let mut next = Some(second);
        while let Some(part) = next {
            if whole.len() as u64 + part.len() as u64 > self.limit {
                return Err(self.error(Phase::Body, ErrorKind::BodyTooLarge(self.limit)));
            }
            whole.extend_from_slice(&part);
            next = self.chunk().await.transpose()?;
        }
        Ok(whole.freeze())
    }

    /// The next part of the body, for those who poll.
    pub fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        #[cfg(feature = "compression")]
        let polled = if self.decoding.is_some() { self.poll_decoded(context) } else { self.poll_received(context) };
        #[cfg(not(feature = "compression"))]
        let polled = self.poll_received(context);
        if let Poll::Ready(Some(Ok(part))) = &polled {
            self.counts.given += part.len() as u64;
        }
        polled
    }

    /// The next part as it was sent.
    fn poll_received(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let polled = self.poll_source(context);
        if let Poll::Ready(Some(Ok(part))) = &polled {
            self.counts.received += part.len() as u64;
        }
        polled
    }

    fn poll_source(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if let Some(part) = self.ahead.iter_mut().find_map(Option::take) {
            return Poll::Ready(Some(Ok(part)));
        }
        if let Some(error) = self.failure.take() {
            self.has_failed = true;
            return Poll::Ready(Some(Err(error)));
        }
        let Some(exchange) = &mut self.source.0 else { return Poll::Ready(None) };
        if self.head.status == Status::SWITCHING_PROTOCOLS {
            return Poll::Ready(None);
        }
        match exchange.poll_event(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(Event::Data(data))) => Poll::Ready(Some(Ok(data))),
            Poll::Ready(Ok(Event::End(trailers))) => {
                self.end(trailers);
                Poll::Ready(None)
            }
            Poll::Ready(Err(error)) => {
                self.has_failed = true;
                drop(self.source.0.take());
                Poll::Ready(Some(Err(error.at_host(location::origin(&self.url)))))
            }
            // The machine gives one head.
            Poll::Ready(Ok(_)) => Poll::Ready(None),
        }
    }

    /// Takes what has come with the head: a short body frees the connection before anyone asks for it.
    pub(super) fn look_ahead(&mut self) {
        if self.length == BodyLength::Empty {
            self.end(None);
        }
        let mut parts = 0;
        while let Some(exchange) = &mut self.source.0 {
            match exchange.event_at_hand() {
                Ok(Some(Event::Data(data))) => {
                    self.ahead[parts] = Some(data);
                    parts += 1;
                    if parts == self.ahead.len() {
                        return;
                    }
                }
                Ok(Some(Event::End(trailers))) => self.end(trailers),
                Ok(_) => return,
                Err(error) => {
                    drop(self.source.0.take());
                    self.failure = Some(error.at_host(location::origin(&self.url)));
                }
            }
        }
    }

    fn end(&mut self, trailers: Option<Box<Headers>>) {
        self.trailers = trailers;
        if let Some(mut exchange) = self.source.0.take() {
            exchange.give_back();
        }
    }

    fn within_limit(&self, body: Bytes) -> Result<Bytes, Error> {
        if body.len() as u64 > self.limit {
            return Err(self.error(Phase::Body, ErrorKind::BodyTooLarge(self.limit)));
        }
        Ok(body)
    }
}

#[cfg(feature = "compression")]
impl Response {
    pub(super) fn prepare_decoding(&mut self, limits: &DecodeLimits) {
        match decoding::of(&self.head, self.length, limits) {
            Ok(decoding) => self.decoding = decoding.map(Box::new),
            Err(error) => {
                self.source = Source(None);
                self.failure = Some(self.error(Phase::Body, ErrorKind::Codings(error)));
            }
        }
    }

    /// The next part with its codings undone.
    fn poll_decoded(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        for _ in 0..EMPTY_PARTS {
            let Some(decoding) = self.decoding.as_mut().filter(|_| !self.has_failed) else { return Poll::Ready(None) };
            match decoding.decode() {
                Ok(Some(part)) => return Poll::Ready(Some(Ok(part))),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Some(Err(self.fail_decoding(error)))),
            }
            match std::task::ready!(self.poll_received(context)) {
                Some(Ok(part)) => {
                    if let Some(decoding) = &mut self.decoding {
                        decoding.feed(part);
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    let finished = self.decoding.as_ref().map_or(Ok(()), |decoding| decoding.finish());
                    return Poll::Ready(finished.err().map(|error| Err(self.fail_decoding(error))));
                }
            }
        }
        // Others have their turn: the parts come at once and decode to nothing.
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// The rest is not wanted: the connection is kept if it has arrived already, else it closes.
    fn fail_decoding(&mut self, error: DecodeError) -> Error {
        self.has_failed = true;
        self.ahead = [None, None];
        self.source = Source(None);
        self.error(Phase::Body, ErrorKind::Decoding(error))
    }
}
