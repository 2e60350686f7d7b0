//! Bodies, of requests and of responses: one type, so that a handler can send back what it receives.
//!
//! A body is pulled: nothing is read from the peer, or asked of a source, before whoever consumes the body asks. The
//! request's side of the link to the connection is `feed`; its errors are `error`.

#[cfg(feature = "compression")]
mod decoded;
mod error;
mod feed;
mod reader;

use std::fmt;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
#[cfg(feature = "compression")]
use callboard_core::coding::{Codings, CodingsError, DecodeLimits};
use callboard_core::{BodyLength, Headers};
use callboard_runtime::Reader;
use futures_io::AsyncRead;
use futures_lite::{Stream, StreamExt};

#[cfg(feature = "compression")]
use decoded::Decoded;
pub use error::BodyError;
pub(crate) use feed::{Feed, Incoming};

/// Room made at first for a body of known length, bytes: a peer that only announces much costs no more than this.
const FIRST_ROOM: usize = 64 * 1024;

/// A body: empty, whole, or a stream of chunks.
///
/// It is a [`Stream`] of `Result<Bytes, BodyError>`; [`next`](Self::next) and [`collect`](Self::collect) serve without
/// a stream library. Chunks of a request's body are cut from the connection's read buffer without a copy.
///
/// ```
/// use callboard_web::Body;
///
/// # futures_lite::future::block_on(async {
/// let mut body = Body::from("four");
/// assert_eq!(body.next().await.unwrap().unwrap(), "four");
/// assert!(body.next().await.is_none());
/// # });
/// ```
#[derive(Default)]
pub struct Body {
    kind: Kind,
}

#[derive(Default)]
enum Kind {
    #[default]
    Empty,
    Full(Bytes),
    Incoming(Incoming),
    /// A request's, with its content codings undone.
    #[cfg(feature = "compression")]
    Decoded(Box<Decoded>),
    /// The mutex is never locked: it makes `&Body` shareable, so that a handler may hold `&Request` over an await.
    Source(Mutex<Source>, Option<u64>),
}

type Source = Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>> + Send>>;

impl Body {
    /// No body.
    pub const fn empty() -> Self {
        Self { kind: Kind::Empty }
    }

    /// A body of which all bytes are there.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        Self { kind: Kind::Full(bytes.into()) }
    }

    /// A body of unknown length: chunked in HTTP/1.1. The stream is polled only while the peer takes what it gives.
    /// An error after the head was sent cuts the connection, so that the peer cannot mistake it for an end.
    pub fn stream<S, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        Self::from_source(stream, None)
    }

    /// The same with a length that is announced in the head. A stream that gives less or more cuts the connection.
    pub fn sized_stream<S, E>(stream: S, length: u64) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        Self::from_source(stream, Some(length))
    }

    /// What a reader gives until its end, in chunks of up to 16 KiB.
    pub fn from_reader(reader: impl AsyncRead + Send + 'static) -> Self {
        Self::from_source(reader::ReaderSource::new(reader), None)
    }

    fn from_source<S, E>(stream: S, length: Option<u64>) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        let source = stream.map(|item| item.map_err(|error| BodyError::Source(error.into())));
        Self { kind: Kind::Source(Mutex::new(Box::pin(source)), length) }
    }

    pub(crate) fn incoming(incoming: Incoming) -> Self {
        Self { kind: Kind::Incoming(incoming) }
    }

    /// The same body with its codings undone. What cannot be undone is an error when it is read.
    #[cfg(feature = "compression")]
    pub(crate) fn decoded(self, codings: Result<Codings, CodingsError>, limits: &DecodeLimits) -> Self {
        Self { kind: Kind::Decoded(Box::new(Decoded::new(self, codings, limits))) }
    }

    /// A stream of unknown length whose errors are those of bodies.
    #[cfg(feature = "compression")]
    pub(crate) fn coded(stream: impl Stream<Item = Result<Bytes, BodyError>> + Send + 'static) -> Self {
        Self { kind: Kind::Source(Mutex::new(Box::pin(stream)), None) }
    }

    /// Takes the bytes of a body that is whole and at most of this length.
    #[cfg(feature = "compression")]
    pub(crate) fn take_whole_within(&mut self, most: usize) -> Option<Bytes> {
        match &self.kind {
            Kind::Full(bytes) if bytes.len() > most => None,
            _ => self.take_whole(),
        }
    }

    /// What is known of the length of what is still to come.
    pub fn length(&self) -> BodyLength {
        match &self.kind {
            Kind::Empty => BodyLength::Empty,
            Kind::Full(bytes) => BodyLength::Known(bytes.len() as u64),
            Kind::Incoming(incoming) => incoming.length(),
            #[cfg(feature = "compression")]
            Kind::Decoded(_) => BodyLength::Unknown,
            Kind::Source(_, Some(length)) => BodyLength::Known(*length),
            Kind::Source(_, None) => BodyLength::Unknown,
        }
    }

    /// The next chunk, or `None` at the end. Chunks are never empty but where a stream of your own gives such.
    pub async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        std::future::poll_fn(|context| self.poll_chunk(context)).await
    }

    /// By line, up to a separator, by count, or as `AsyncRead`.
    ///
    /// ```
    /// use callboard_web::Body;
    ///
    /// # futures_lite::future::block_on(async {
    /// let mut reader = Body::from("one\r\ntwo").reader();
    /// while let Some(line) = reader.line(8 * 1024).await.unwrap() {
    ///     println!("{line:?}");
    /// }
    /// # });
    /// ```
    pub fn reader(self) -> Reader<Self> {
        Reader::new(self)
    }

    /// All of it, if it is no longer than `limit` bytes; else [`BodyError::TooLarge`], at once where the length was
    /// announced.
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, BodyError> {
        let mut room = 0;
        match self.length() {
            BodyLength::Empty => return Ok(Bytes::new()),
            BodyLength::Known(length) => match usize::try_from(length) {
                Ok(length) if length <= limit => room = length.min(FIRST_ROOM),
                _ => return Err(BodyError::TooLarge { limit }),
            },
            BodyLength::Unknown => {}
        }
        let Some(first) = self.next().await.transpose()? else { return Ok(Bytes::new()) };
        let Some(second) = self.next().await.transpose()? else { return check(first, limit) };
        let mut all = BytesMut::with_capacity(room.max(first.len() + second.len()));
        all.extend_from_slice(&first);
        let mut chunk = Some(second);
        while let Some(bytes) = chunk {
            all.extend_from_slice(&bytes);
            if all.len() > limit {
                return Err(BodyError::TooLarge { limit });
            }
            chunk = self.next().await.transpose()?;
        }
        check(all.freeze(), limit)
    }

    /// The trailers of a request's body, once its end was seen and if it had any.
    pub fn trailers(&self) -> Option<Headers> {
        match &self.kind {
            Kind::Incoming(incoming) => incoming.trailers(),
            #[cfg(feature = "compression")]
            Kind::Decoded(decoded) => decoded.trailers(),
            _ => None,
        }
    }

    /// Bytes of a request's body taken so far from the connection: before content codings are undone. 0 for others.
    pub fn bytes_received(&self) -> u64 {
        match &self.kind {
            Kind::Incoming(incoming) => incoming.taken(),
            #[cfg(feature = "compression")]
            Kind::Decoded(decoded) => decoded.received(),
            _ => 0,
        }
    }

    /// Bytes of a request's body given so far to whoever reads it: after content codings were undone. 0 for others.
    pub fn bytes_given(&self) -> u64 {
        match &self.kind {
            #[cfg(feature = "compression")]
            Kind::Decoded(decoded) => decoded.given(),
            _ => self.bytes_received(),
        }
    }

    /// Whether its bytes are still to come.
    pub(crate) fn is_streamed(&self) -> bool {
        !matches!(self.kind, Kind::Empty | Kind::Full(_))
    }

    /// Takes the bytes of a body that is whole and not empty.
    pub(crate) fn take_full(&mut self) -> Option<Bytes> {
        match &mut self.kind {
            Kind::Full(bytes) if !bytes.is_empty() => Some(std::mem::take(bytes)),
            _ => None,
        }
    }

    /// Takes the bytes of a body that is whole.
    pub(crate) fn take_whole(&mut self) -> Option<Bytes> {
        match &mut self.kind {
            Kind::Empty => Some(Bytes::new()),
            Kind::Full(bytes) => Some(std::mem::take(bytes)),
            _ => None,
        }
    }

    pub(crate) fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        match &mut self.kind {
            Kind::Empty => Poll::Ready(None),
            Kind::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                self.kind = Kind::Empty;
                Poll::Ready((!bytes.is_empty()).then_some(Ok(bytes)))
            }
            Kind::Incoming(incoming) => incoming.poll_chunk(context),
            #[cfg(feature = "compression")]
            Kind::Decoded(decoded) => decoded.poll_chunk(context),
            Kind::Source(source, length) => {
                let polled =
                    source.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner).as_mut().poll_next(context);
                if let (Poll::Ready(Some(Ok(bytes))), Some(length)) = (&polled, length) {
                    *length = length.saturating_sub(bytes.len() as u64);
                }
                polled
            }
        }
    }
}

fn check(bytes: Bytes, limit: usize) -> Result<Bytes, BodyError> {
    if bytes.len() > limit { Err(BodyError::TooLarge { limit }) } else { Ok(bytes) }
}

impl Stream for Body {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_chunk(context)
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::full(bytes)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::full(bytes)
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::full(text)
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::full(Bytes::from_static(text.as_bytes()))
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Self {
        Self::full(Bytes::from_static(bytes))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("length", &self.length()).finish_non_exhaustive()
    }
}
