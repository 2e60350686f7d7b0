//! A multipart response, read part by part as it arrives.
//!
//! What a part is, is the core's to say; here it is fed from the response. The body is read to its end, so that the
//! connection can be used again.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
#[cfg(feature = "compression")]
use callboard_core::coding::DecodeLimits;
use callboard_core::form::{FormError, FormLimits, FormReader};
use callboard_core::media_type::MediaType;
use callboard_core::multipart::{MultipartError, MultipartLimits, PartError, PartHead, Parts};
use callboard_core::{Headers, header};
use callboard_runtime::{Reader, StreamInfo};
use futures_lite::Stream;
use serde::de::DeserializeOwned;

use super::Response;
use crate::error::{Delivery, Error, ErrorKind, Phase};
use crate::location;

/// Bytes after the closing delimiter that are read to keep the connection.
const EPILOGUE: usize = 64 * 1024;

/// The parts of a multipart response, one after the other: see [`Response::multipart`].
///
/// Parts are limited by [`MultipartLimits`]. Data in base64 or quoted-printable is decoded, and, with the feature
/// `compression`, what a part's `Content-Encoding` names is undone (in a form it means nothing, RFC 7578 §4.8). After
/// the last part the connection can be used again, unless more than 64 KiB follow it; dropped before, it closes.
pub struct MultipartReader {
    /// That of the whole.
    media_type: Option<MediaType>,
    parts: Parts,
    source: Source,
    place: Arc<Place>,
    /// Bytes of a part that is read whole.
    limit: usize,
    has_begun: bool,
}

enum Source {
    Response {
        response: Box<Response>,
        /// Bytes after the last part.
        excess: usize,
    },
    /// A part that is multipart itself.
    Part(Bytes),
    /// What follows the last part is too much.
    Ended,
}

/// What errors say of the peer.
struct Place {
    host: Box<str>,
    info: Option<Arc<StreamInfo>>,
    is_reused: bool,
}

impl Response {
    /// The parts of the body. An error if `Content-Type` is not multipart.
    ///
    /// ```no_run
    /// # async fn example(session: callboard_client::Session) -> Result<(), callboard_client::Error> {
    /// let mut multipart = session.get("http://example.org/ranges").await?.multipart()?;
    /// while let Some(part) = multipart.next_part().await? {
    ///     println!("{:?}", part.headers().text("Content-Range"));
    ///     println!("{} bytes", part.bytes().await?.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn multipart(self) -> Result<MultipartReader, Error> {
        let media_type = self.headers().get(header::CONTENT_TYPE).and_then(|value| MediaType::parse(value).ok());
        let place = Arc::new(Place {
            host: location::origin(&self.url).into(),
            info: self.info.clone(),
            is_reused: self.is_reused,
        });
        let parts = match &media_type {
            Some(media_type) => Parts::new(media_type, MultipartLimits::default()),
            None => Err(MultipartError::NotMultipart),
        };
        let parts = parts.map_err(|error| place.error(error.into()))?;
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let source = Source::Response { response: Box::new(self), excess: 0 };
        Ok(MultipartReader { media_type, parts, source, place, limit, has_begun: false })
    }
}

impl MultipartReader {
    /// Sets the limits of parts. Before the first part is asked for, and before [`decode`](Self::decode).
    pub fn limits(mut self, limits: MultipartLimits) -> Self {
        if let (false, Some(media_type)) = (self.has_begun, &self.media_type)
            && let Ok(parts) = Parts::new(media_type, limits)
        {
            self.parts = parts;
        }
        self
    }

    /// What the content codings of a part may decode to; `None`: they are not undone. Default:
    /// [`DecodeLimits::default`].
    #[cfg(feature = "compression")]
    pub fn decode(mut self, limits: impl Into<Option<DecodeLimits>>) -> Self {
        self.parts.decode(limits);
        self
    }

    /// The response: status, fields, and what was counted. `None` for the parts of a part, and
    /// if the body was left because too much follows the last part.
    pub fn response(&self) -> Option<&Response> {
        match &self.source {
            Source::Response { response, .. } => Some(response),
            Source::Part(_) | Source::Ended => None,
        }
    }

    /// The next part. What is left of the one before is skipped. Cancel-safe.
    pub async fn next_part(&mut self) -> Result<Option<Part<'_>>, Error> {
        let head = poll_fn(|context| self.poll_head(context)).await?;
        Ok(head.map(|head| Part { head, multipart: self }))
    }

    fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Box<PartHead>>, Error>> {
        let head = ready!(self.poll(context, Parts::poll_part))?;
        if head.is_none() {
            ready!(self.poll_end(context))?;
        }
        Poll::Ready(Ok(head))
    }

    /// Feeds the parts until they give something. Nothing is lost with a future that is dropped: what has come is with
    /// the parts at once.
    fn poll<T>(
        &mut self,
        context: &mut Context<'_>,
        step: impl Fn(&mut Parts) -> Result<Poll<T>, PartError>,
    ) -> Poll<Result<T, Error>> {
        self.has_begun = true;
        loop {
            match step(&mut self.parts) {
                Ok(Poll::Ready(value)) => return Poll::Ready(Ok(value)),
                Ok(Poll::Pending) => {}
                Err(error) => return Poll::Ready(Err(self.place.error(error))),
            }
            let piece = match &mut self.source {
                Source::Response { response, .. } => ready!(response.poll_chunk(context)).transpose()?,
                Source::Part(data) => Some(std::mem::take(data)).filter(|data| !data.is_empty()),
                Source::Ended => None,
            };
            match piece {
                Some(piece) => self.parts.handle_input(piece),
                None => self.parts.handle_end_of_input(),
            }
        }
    }

    /// Reads what follows the last part, if it is not much: the connection goes back with the end of the body.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Source::Response { response, excess } = &mut self.source else { return Poll::Ready(Ok(())) };
        while let Some(piece) = ready!(response.poll_chunk(context)).transpose()? {
            *excess += piece.len();
            if *excess > EPILOGUE {
                self.source = Source::Ended;
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// A part of a [`MultipartReader`]. It is a [`Stream`] of its data.
#[derive(Debug)]
pub struct Part<'a> {
    head: Box<PartHead>,
    multipart: &'a mut MultipartReader,
}

impl<'a> Part<'a> {
    /// What the part says of itself.
    pub fn head(&self) -> &PartHead {
        &self.head
    }

    /// Its fields.
    pub fn headers(&self) -> &Headers {
        self.head.headers()
    }

    /// The name of a form's field.
    pub fn name(&self) -> Option<&str> {
        self.head.name()
    }

    /// The name of the file as the server gives it. It may be a path.
    pub fn filename(&self) -> Option<&str> {
        self.head.filename()
    }

    /// A name under which the file can be saved: without folders, control characters and what some system forbids.
    pub fn safe_filename(&self) -> Option<String> {
        self.head.safe_filename()
    }

    /// Its media type, if it says one.
    pub fn media_type(&self) -> Option<&MediaType> {
        self.head.media_type()
    }

    /// Some more of its data, or none at its end. Never empty. Cancel-safe.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        poll_fn(|context| self.multipart.poll(context, Parts::poll_data)).await
    }

    /// The rest of its data by line, up to a separator, by count, or as `AsyncRead`.
    pub fn reader(self) -> Reader<Part<'a>> {
        Reader::new(self)
    }

    /// The rest of its data, at most [`body_limit`](crate::SessionBuilder::body_limit) bytes.
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        self.rest(self.multipart.limit).await
    }

    /// The rest of its data, if it is no longer than `limit` bytes. The parts after it can be read.
    pub async fn bytes_within(mut self, limit: usize) -> Result<Bytes, Error> {
        self.rest(limit).await
    }

    async fn rest(&mut self, limit: usize) -> Result<Bytes, Error> {
        poll_fn(|context| self.multipart.poll(context, |parts| parts.poll_rest(limit))).await
    }

    /// The rest of its data as text, in the charset that the part names, else the form (by a field `_charset_`), else
    /// UTF-8.
    pub async fn text(mut self) -> Result<String, Error> {
        let data = self.rest(self.multipart.limit).await?;
        let text = self.multipart.parts.text(&self.head, &data);
        text.map_err(|error| self.multipart.place.error(error))
    }

    /// The rest of its data as JSON, whatever its media type.
    pub async fn json<T: DeserializeOwned>(mut self) -> Result<T, Error> {
        let data = self.rest(self.multipart.limit).await?;
        serde_json::from_slice(&data)
            .map_err(|error| self.multipart.place.kind(Phase::Decode, ErrorKind::InvalidJson(error)))
    }

    /// The rest of its data as fields (`application/x-www-form-urlencoded`) within [`FormLimits::default`], whatever
    /// its media type.
    pub async fn form(mut self) -> Result<Vec<(String, String)>, Error> {
        let data = self.rest(self.multipart.limit).await?;
        pairs(&data).map_err(|error| self.multipart.place.kind(Phase::Decode, ErrorKind::Form(error)))
    }

    /// The parts of a part that is multipart itself, which is held whole for that.
    pub async fn nested(mut self) -> Result<MultipartReader, Error> {
        let parts = self.multipart.parts.nested(&self.head);
        let parts = parts.map_err(|error| self.multipart.place.error(error.into()))?;
        let limit = self.multipart.limit;
        let source = Source::Part(self.rest(limit).await?);
        let (media_type, place) = (self.media_type().cloned(), Arc::clone(&self.multipart.place));
        Ok(MultipartReader { media_type, parts, source, place, limit, has_begun: false })
    }
}

fn pairs(mut data: &[u8]) -> Result<Vec<(String, String)>, FormError> {
    let (mut reader, mut pairs) = (FormReader::new(FormLimits::default()), Vec::new());
    while let Some(pair) = reader.read(&mut data)? {
        pairs.push(pair);
    }
    pairs.extend(reader.finish()?);
    Ok(pairs)
}

impl Stream for Part<'_> {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.multipart.poll(context, Parts::poll_data).map(Result::transpose)
    }
}

impl Place {
    fn error(&self, error: PartError) -> Error {
        self.kind(Phase::Decode, ErrorKind::Part(error))
    }

    fn kind(&self, phase: Phase, kind: ErrorKind) -> Error {
        let error = Error::new(phase, kind).delivered(Delivery::Answered).at_host(&self.host);
        match &self.info {
            Some(info) => error.at_peer(info.peer.clone(), self.is_reused),
            None => error,
        }
    }
}

impl fmt::Debug for MultipartReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MultipartReader").field("media_type", &self.media_type).finish_non_exhaustive()
    }
}
