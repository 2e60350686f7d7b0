//! What a request carries: nothing, bytes, or a stream that is polled as fast as the server takes it.

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use callboard_core::BodyLength;
use callboard_runtime::{BoxFuture, Handle};
use futures_lite::Stream;

use crate::error::{BodyError, ErrorKind};

/// A stream of parts, boxed.
pub(crate) type Parts = Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>> + Send>>;

/// Makes the stream afresh.
pub(crate) type Again = Arc<dyn Fn() -> Parts + Send + Sync>;

/// Makes the body when its request starts: what has to be opened before anything is sent.
pub(crate) type Opening = Box<dyn FnOnce(Handle) -> BoxFuture<'static, Result<Body, ErrorKind>> + Send>;

/// The body of a request.
///
/// | | length | `Content-Type` unless set | sent again (307, 308, a retry, a stale connection) |
/// |---|---|---|---|
/// | [`Body::empty`] | none is sent | none | yes |
/// | bytes | known | `application/octet-stream` | yes |
/// | text | known | `text/plain; charset=utf-8` | yes |
/// | [`Body::file`] | of the file, when it is opened | by its extension | yes, from the start |
/// | [`Body::replayable`] | if given, else chunked | `application/octet-stream` | yes, made again |
/// | [`Body::stream`] | if given, else chunked | `application/octet-stream` | until its first part was asked for |
/// | [`RequestBuilder::json`], [`form`](crate::RequestBuilder::form) | known | theirs | yes |
/// | [`Multipart`](crate::Multipart) | if those of all parts are known | with its boundary | if all parts can |
///
/// A body is moved into its request and consumed by it: there is no state to ask for. What it holds (a file) is closed
/// when the last attempt has sent it, or is dropped. The field `Content-Type` of the request takes the place of what
/// the body says; a coding of your own is bytes already coded and the field `Content-Encoding`. Nothing reads a body
/// back.
///
/// [`RequestBuilder::json`]: crate::RequestBuilder::json
///
/// ```
/// use callboard_client::Body;
///
/// let body = Body::from("hello");
/// assert_eq!(body.len(), Some(5));
/// ```
#[derive(Default)]
pub struct Body {
    pub(crate) content: Content,
    /// What `Content-Type` says unless the user does.
    pub(crate) media_type: Option<Cow<'static, str>>,
}

#[derive(Default)]
pub(crate) enum Content {
    #[default]
    Empty,
    Bytes(Bytes),
    /// The stream is gone once an exchange has taken it.
    Stream {
        parts: Option<Parts>,
        length: Option<u64>,
        again: Option<Again>,
    },
    /// It is opened before the request asks for a connection.
    Unopened(Opening),
}

impl Body {
    /// No body.
    pub fn empty() -> Self {
        Self::default()
    }

    /// A stream of parts: any `Result<Bytes, E>`. With a length, `Content-Length` says so and the stream has to keep
    /// to it; without, the body is chunked (an error on HTTP/1.0). It is polled only when there is room to send.
    pub fn stream<S, E>(parts: S, length: Option<u64>) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BodyError> + 'static,
    {
        use futures_lite::StreamExt as _;
        let parts: Parts = Box::pin(parts.map(|part| part.map_err(Into::into)));
        Self { content: Content::Stream { parts: Some(parts), length, again: None }, media_type: Some(OCTETS.into()) }
    }

    /// A stream that can be made again, and so be sent again: `make` is called each time, and has to give the same.
    pub fn replayable<S, E>(make: impl Fn() -> S + Send + Sync + 'static, length: Option<u64>) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BodyError> + 'static,
    {
        use futures_lite::StreamExt as _;
        let again: Again = Arc::new(move || Box::pin(make().map(|part| part.map_err(Into::into))));
        Self { content: Content::Stream { parts: None, length, again: Some(again) }, media_type: Some(OCTETS.into()) }
    }

    pub(crate) fn unopened(opening: Opening, media_type: impl Into<Cow<'static, str>>) -> Self {
        Self { content: Content::Unopened(opening), media_type: Some(media_type.into()) }
    }

    /// The length in bytes, if it is known. That of a file is not before it is opened.
    pub fn len(&self) -> Option<u64> {
        match &self.content {
            Content::Empty => Some(0),
            Content::Bytes(bytes) => Some(bytes.len() as u64),
            Content::Stream { length, .. } => *length,
            Content::Unopened(_) => None,
        }
    }

    /// Whether there is no body at all. A body of zero bytes is a body.
    pub fn is_empty(&self) -> bool {
        matches!(self.content, Content::Empty)
    }

    pub(crate) fn bytes(bytes: Bytes, media_type: &'static str) -> Self {
        Self { content: Content::Bytes(bytes), media_type: Some(media_type.into()) }
    }
}

impl Content {
    pub(crate) fn length(&self) -> BodyLength {
        match self {
            Self::Empty => BodyLength::Empty,
            Self::Bytes(bytes) => BodyLength::Known(bytes.len() as u64),
            Self::Stream { length: Some(length), .. } => BodyLength::Known(*length),
            Self::Stream { length: None, .. } | Self::Unopened(_) => BodyLength::Unknown,
        }
    }

    /// Whether it can be sent (once more).
    pub(crate) fn is_available(&self) -> bool {
        !matches!(self, Self::Stream { parts: None, again: None, .. })
    }

    /// What makes the body, if it is not made yet.
    pub(crate) fn take_opening(&mut self) -> Option<Opening> {
        match std::mem::take(self) {
            Self::Unopened(opening) => Some(opening),
            content => {
                *self = content;
                None
            }
        }
    }

    /// The stream to send, made afresh if it is gone and can be.
    pub(crate) fn take_parts(&mut self) -> Option<Parts> {
        match self {
            Self::Stream { parts, again, .. } => parts.take().or_else(|| again.as_ref().map(|again| again())),
            Self::Empty | Self::Bytes(_) | Self::Unopened(_) => None,
        }
    }
}

/// Of bytes that nobody described (RFC 9110 §8.3).
pub(crate) const OCTETS: &str = "application/octet-stream";
const TEXT: &str = "text/plain; charset=utf-8";

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::bytes(bytes, OCTETS)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::bytes(bytes.into(), OCTETS)
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Self {
        Self::bytes(Bytes::from_static(bytes), OCTETS)
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::bytes(text.into(), TEXT)
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::bytes(Bytes::from_static(text.as_bytes()), TEXT)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.content {
            Content::Empty => "empty",
            Content::Bytes(_) => "bytes",
            Content::Stream { .. } => "stream",
            Content::Unopened(_) => "unopened",
        };
        f.debug_struct("Body").field("kind", &kind).field("length", &self.len()).finish_non_exhaustive()
    }
}
