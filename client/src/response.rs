//! A response: its head at once, its body as it is asked for.
//!
//! The body reader holds the connection. When the end of the body has been read, even if the user has not taken it
//! yet, the connection goes back to the pool; a response dropped before closes it, unless the end has arrived.

mod events;
mod multipart;
mod reading;
mod upgraded;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
#[cfg(feature = "compression")]
use callboard_core::coding::DecodedParts;
use callboard_core::http1::ResponseHead;
use callboard_core::{BodyLength, Headers, Status, Version, header};
use callboard_runtime::{Endpoint, Reader, StreamInfo};
use serde::de::DeserializeOwned;
use url::Url;

use crate::error::{Delivery, Error, ErrorKind, Hop, Phase};
use crate::exchange::Exchange;
use crate::location;
use crate::order::Order;
use crate::settings::Settings;
use crate::text;

pub use events::Events;
pub use multipart::{MultipartReader, Part};
#[cfg(feature = "websocket")]
pub(crate) use upgraded::Detached;
pub use upgraded::Upgraded;

/// The answer to a request.
///
/// ```no_run
/// # async fn example(session: callboard_client::Session) -> Result<(), callboard_client::Error> {
/// let mut response = session.get("http://example.org/large").await?;
/// println!("{} {:?}", response.status(), response.content_length());
/// while let Some(part) = response.chunk().await {
///     println!("{} bytes", part?.len());
/// }
/// # Ok(())
/// # }
/// ```
pub struct Response {
    head: Box<ResponseHead>,
    url: Url,
    history: Vec<Hop>,
    info: Option<Arc<StreamInfo>>,
    is_reused: bool,
    length: BodyLength,
    source: Source,
    /// Parts that came with the head.
    ahead: [Option<Bytes>; 2],
    /// What was found wrong in looking ahead, to be told in its turn.
    failure: Option<Error>,
    /// A failure was told: what is left is not the whole body.
    has_failed: bool,
    trailers: Option<Box<Headers>>,
    limit: u64,
    counts: Counts,
    #[cfg(feature = "compression")]
    decoding: Option<Box<DecodedParts>>,
}

/// Bytes of a body so far.
#[derive(Clone, Copy, Default)]
struct Counts {
    received: u64,
    given: u64,
}

/// A final response's head, before it is made a [`Response`].
pub(crate) struct Answer {
    pub(crate) exchange: Exchange,
    pub(crate) head: Box<ResponseHead>,
    pub(crate) length: BodyLength,
    pub(crate) is_upgraded: bool,
}

/// The exchange while the body lasts. Dropped before its end, it keeps the connection if it can.
struct Source(Option<Exchange>);

impl Drop for Source {
    fn drop(&mut self) {
        if let Some(exchange) = self.0.take() {
            exchange.settle();
        }
    }
}

impl Response {
    pub(crate) fn new(answer: Answer, order: Order, history: Vec<Hop>, settings: &Settings) -> Self {
        let Answer { mut exchange, head, length, is_upgraded } = answer;
        let info = exchange.connection().map(|connection| Arc::clone(connection.info()));
        let mut response = Self {
            head,
            url: order.url,
            history,
            info,
            is_reused: exchange.is_reused(),
            length,
            source: Source(Some(exchange)),
            ahead: [None, None],
            failure: None,
            has_failed: false,
            trailers: None,
            limit: settings.body_limit,
            counts: Counts::default(),
            #[cfg(feature = "compression")]
            decoding: None,
        };
        if !is_upgraded {
            #[cfg(feature = "compression")]
            if order.decodes {
                response.prepare_decoding(&settings.decode_limits);
            }
            response.look_ahead();
        }
        response
    }

    /// The status.
    pub fn status(&self) -> Status {
        self.head.status
    }

    /// The reason phrase as sent: for people, often empty.
    pub fn reason(&self) -> &[u8] {
        &self.head.reason
    }

    /// The version that the server speaks.
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// The fields, in the order and spelling of the wire.
    pub fn headers(&self) -> &Headers {
        &self.head.headers
    }

    /// Where the response came from, after redirections, with the fragment (RFC 9110 §10.2.2), without a password.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The redirections that led here, in order.
    pub fn history(&self) -> &[Hop] {
        &self.history
    }

    /// The other end of the transport.
    pub fn peer(&self) -> Option<&Endpoint> {
        self.info.as_ref().map(|info| &info.peer)
    }

    /// The ends of the transport and what secures it.
    pub fn connection(&self) -> Option<&StreamInfo> {
        self.info.as_deref()
    }

    /// Whether the connection had carried another request before.
    pub fn is_reused(&self) -> bool {
        self.is_reused
    }

    /// The length of the body, if the server said it and the body [is not decoded](Self::is_decoded). To HEAD the field
    /// `Content-Length` says what GET would bring, and this is 0.
    pub fn content_length(&self) -> Option<u64> {
        match self.length {
            BodyLength::Known(_) if self.is_decoded() => None,
            BodyLength::Empty => Some(0),
            BodyLength::Known(length) => Some(length),
            BodyLength::Unknown => None,
        }
    }

    /// Whether content codings are undone as the body is read. The fields still name them, as they came.
    pub fn is_decoded(&self) -> bool {
        #[cfg(feature = "compression")]
        let is_decoded = self.decoding.is_some();
        #[cfg(not(feature = "compression"))]
        let is_decoded = false;
        is_decoded
    }

    /// Bytes of the body taken so far from the connection: before content codings are undone.
    pub fn bytes_received(&self) -> u64 {
        self.counts.received
    }

    /// Bytes of the body given so far to whoever reads it: after content codings were undone.
    pub fn bytes_given(&self) -> u64 {
        self.counts.given
    }

    /// The trailer section, once the body has ended, if there was one (RFC 9110 §6.5). It never mixes with
    /// [`headers`](Self::headers).
    pub fn trailers(&self) -> Option<&Headers> {
        self.trailers.as_deref()
    }

    /// An error if the status is 400 or above.
    pub fn error_for_status(self) -> Result<Self, Error> {
        let status = self.status();
        if status.code() < 400 { Ok(self) } else { Err(self.error(Phase::Head, ErrorKind::Status(status))) }
    }

    /// The next part of the body; `None` at its end. Cancel-safe: a part is never lost.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, Error>> {
        std::future::poll_fn(|context| self.poll_chunk(context)).await
    }

    /// By line, up to a separator, by count, or as `AsyncRead`. For `while let Some(line) = reader.line(8192).await?`.
    pub fn reader(self) -> Reader<Self> {
        Reader::new(self)
    }

    /// The whole body, at most [`body_limit`](crate::SessionBuilder::body_limit) bytes.
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        self.collect().await
    }

    /// The body as text: in the charset that `Content-Type` names (UTF-8, US-ASCII or ISO-8859-1), else UTF-8.
    pub async fn text(mut self) -> Result<String, Error> {
        let body = self.collect().await?;
        let charset = self.head.headers.text(header::CONTENT_TYPE).and_then(text::charset);
        text::decode(&body, charset).map_err(|kind| self.error(Phase::Decode, kind))
    }

    /// The body as JSON, whatever `Content-Type` says.
    pub async fn json<T: DeserializeOwned>(mut self) -> Result<T, Error> {
        let body = self.collect().await?;
        serde_json::from_slice(&body).map_err(|error| self.error(Phase::Decode, ErrorKind::InvalidJson(error)))
    }

    /// The body as server-sent events, whatever `Content-Type` says. Mind [`Timeouts`](crate::Timeouts): a stream of
    /// events has no end that could be expected.
    pub fn events(self) -> Events {
        Events::new(self)
    }

    pub(crate) fn error(&self, phase: Phase, kind: ErrorKind) -> Error {
        let error = Error::new(phase, kind).delivered(Delivery::Answered).at_host(location::origin(&self.url));
        match &self.info {
            Some(info) => error.at_peer(info.peer.clone(), self.is_reused),
            None => error,
        }
    }
}

impl futures_lite::Stream for Response {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_chunk(context)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.head.status)
            .field("version", &self.head.version)
            .field("origin", &location::origin(&self.url))
            .field("headers", &self.head.headers)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}
