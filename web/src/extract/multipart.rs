//! Forms with files, and other multipart bodies, read as they arrive.
//!
//! Nothing is held but the chunk at hand: a part that is not read is skipped when the next one is asked for.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
#[cfg(feature = "compression")]
use callboard_core::coding::DecodeLimits;
use callboard_core::media_type::MediaType;
use callboard_core::multipart::{MultipartError, MultipartLimits, PartError, PartHead, Parts};
use callboard_core::{BodyLength, Headers, Status, header};
use callboard_runtime::Reader;
use futures_lite::Stream;
use serde_core::de::DeserializeOwned;

use super::FromRequest;
use super::form::has_too_many_fields;
use super::query::from_form;
use super::rejection::rejection;
use crate::{Body, BodyError, Request};

/// The parts of a multipart body, one after the other: `multipart/form-data`, or any other kind.
///
/// The whole body is limited by [`App::body_limit`](crate::App::body_limit), the parts by [`MultipartLimits`]; past
/// either: 413. What is not multipart is 415, what is malformed 400. Data in base64 or quoted-printable is decoded, and
/// outside of forms, with the feature `compression`, what a part's `Content-Encoding` names is undone.
///
/// ```
/// use callboard_web::extract::MultipartRejection;
/// use callboard_web::{App, Multipart, post};
///
/// async fn upload(mut multipart: Multipart) -> Result<String, MultipartRejection> {
///     let mut report = String::new();
///     while let Some(mut part) = multipart.next_part().await? {
///         // Only a safe name may become that of a file.
///         let name = part.safe_filename().unwrap_or_else(|| "nameless".to_owned());
///         let mut length = 0;
///         while let Some(chunk) = part.chunk().await? {
///             length += chunk.len();
///         }
///         report += &format!("{name}: {length} bytes\n");
///     }
///     Ok(report)
/// }
///
/// let app = App::new().route("/upload", post(upload)).body_limit(64 * 1024 * 1024);
/// ```
#[derive(Debug)]
pub struct Multipart {
    media_type: MediaType,
    parts: Parts,
    body: Body,
    /// Bytes that the body may have, and has had.
    limit: usize,
    taken: u64,
}

impl FromRequest for Multipart {
    type Rejection = MultipartRejection;

    async fn from_request(request: Request) -> Result<Self, MultipartRejection> {
        let limit = request.parts().body_limit();
        let media_type = request.headers().get(header::CONTENT_TYPE).map(MediaType::parse);
        let media_type = media_type.and_then(Result::ok).ok_or(MultipartError::NotMultipart)?;
        Self::new(media_type, request.into_body(), limit)
    }
}

impl Multipart {
    /// Reads `body`, of up to `limit` bytes, by the boundary of its media type.
    pub fn new(media_type: MediaType, body: Body, limit: usize) -> Result<Self, MultipartRejection> {
        let parts = Parts::new(&media_type, MultipartLimits::default())?;
        if matches!(body.length(), BodyLength::Known(length) if length > limit as u64) {
            return Err(BodyError::TooLarge { limit }.into());
        }
        Ok(Self { media_type, parts, body, limit, taken: 0 })
    }

    /// Sets the limits of parts. Before the first part is asked for, and before [`decode`](Self::decode).
    pub fn limits(mut self, limits: MultipartLimits) -> Self {
        if self.taken == 0
            && let Ok(parts) = Parts::new(&self.media_type, limits)
        {
            self.parts = parts;
        }
        self
    }

    /// What the content codings of a part may decode to; `None`: they are not undone. Default:
    /// [`DecodeLimits::default`]. In forms a part has none (RFC 7578 §4.8).
    #[cfg(feature = "compression")]
    pub fn decode(mut self, limits: impl Into<Option<DecodeLimits>>) -> Self {
        self.parts.decode(limits);
        self
    }

    /// The media type of the whole.
    pub fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// The next part. What is left of the one before is skipped.
    pub async fn next_part(&mut self) -> Result<Option<Part<'_>>, MultipartRejection> {
        let head = poll_fn(|context| self.poll(context, Parts::poll_part)).await?;
        Ok(head.map(|head| Part { head, multipart: self }))
    }

    /// Feeds the parts until they give something. Nothing is lost with a future that is dropped: a chunk of the body is
    /// with the parts as soon as it is here.
    fn poll<T>(
        &mut self,
        context: &mut Context<'_>,
        step: impl Fn(&mut Parts) -> Result<Poll<T>, PartError>,
    ) -> Poll<Result<T, MultipartRejection>> {
        loop {
            if let Poll::Ready(value) = step(&mut self.parts)? {
                return Poll::Ready(Ok(value));
            }
            match ready!(self.body.poll_chunk(context)).transpose()? {
                Some(chunk) => {
                    self.taken += chunk.len() as u64;
                    if self.taken > self.limit as u64 {
                        return Poll::Ready(Err(BodyError::TooLarge { limit: self.limit }.into()));
                    }
                    self.parts.handle_input(chunk);
                }
                None => self.parts.handle_end_of_input(),
            }
        }
    }
}

/// A part of a [`Multipart`] body. It is a [`Stream`] of its data.
#[derive(Debug)]
pub struct Part<'a> {
    head: Box<PartHead>,
    multipart: &'a mut Multipart,
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

    /// The name of the form's field.
    pub fn name(&self) -> Option<&str> {
        self.head.name()
    }

    /// The name of the file as the peer gives it: hostile. It may be a path.
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

    /// Some more of its data, or none at its end. Never empty.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, MultipartRejection> {
        poll_fn(|context| self.multipart.poll(context, Parts::poll_data)).await
    }

    /// The rest of its data by line, up to a separator, by count, or as `AsyncRead`.
    ///
    /// ```
    /// # async fn example(part: callboard_web::extract::Part<'_>) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut reader = part.reader();
    /// while let Some(line) = reader.line(8 * 1024).await? {
    ///     println!("{line:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn reader(self) -> Reader<Part<'a>> {
        Reader::new(self)
    }

    /// The rest of its data, within the limit of the body, which counts what is decoded, too.
    pub async fn bytes(self) -> Result<Bytes, MultipartRejection> {
        let limit = self.multipart.limit;
        self.bytes_within(limit).await
    }

    /// The rest of its data, if it is no longer than `limit` bytes; else 413. The parts after it can be read.
    pub async fn bytes_within(mut self, limit: usize) -> Result<Bytes, MultipartRejection> {
        self.rest(limit).await
    }

    async fn rest(&mut self, limit: usize) -> Result<Bytes, MultipartRejection> {
        poll_fn(|context| self.multipart.poll(context, |parts| parts.poll_rest(limit))).await
    }

    /// The rest of its data as text, in the charset that the part names, else the form (by a field `_charset_`), else
    /// UTF-8. Text that is none is 400, a charset that is not known 415.
    pub async fn text(mut self) -> Result<String, MultipartRejection> {
        let data = self.rest(self.multipart.limit).await?;
        Ok(self.multipart.parts.text(&self.head, &data)?)
    }

    /// The rest of its data as JSON, whatever its media type. What is no JSON is 400, what is not of the shape 422.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, MultipartRejection> {
        serde_json::from_slice(&self.bytes().await?).map_err(MultipartRejection::Json)
    }

    /// The rest of its data as fields (`application/x-www-form-urlencoded`), whatever its media type: at most 1024,
    /// else 413; what is not of the shape is 422. As in [`Form`](crate::Form).
    pub async fn form<T: DeserializeOwned>(self) -> Result<T, MultipartRejection> {
        let data = self.bytes().await?;
        if has_too_many_fields(&data) {
            return Err(MultipartRejection::TooManyFields);
        }
        from_form(&data).map_err(|error| MultipartRejection::Fields(error.0))
    }

    /// The parts of a part that is multipart itself, which is held whole for that: the limit of the body bounds it.
    pub async fn nested(self) -> Result<Multipart, MultipartRejection> {
        let parts = self.multipart.parts.nested(&self.head)?;
        let media_type = self.media_type().cloned().ok_or(MultipartError::NotMultipart)?;
        let limit = self.multipart.limit;
        let body = Body::full(self.bytes().await?);
        Ok(Multipart { media_type, parts, body, limit, taken: 0 })
    }
}

impl Stream for Part<'_> {
    type Item = Result<Bytes, MultipartRejection>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.multipart.poll(context, Parts::poll_data).map(Result::transpose)
    }
}

/// Why a body, or a part of it, was not read.
#[derive(Debug)]
#[non_exhaustive]
pub enum MultipartRejection {
    /// It is not multipart, is malformed, passes a limit, or a part is not what was asked for.
    Part(PartError),
    /// The body did not come, or is too long.
    Body(BodyError),
    /// A part is no JSON (400), or not of the shape that is wanted (422).
    Json(serde_json::Error),
    /// A part has more than 1024 form fields: 413.
    TooManyFields,
    /// The form fields of a part are not those that are wanted: 422. The text says which and why.
    Fields(String),
}

impl MultipartRejection {
    /// The status that is answered.
    pub fn status(&self) -> Status {
        match self {
            Self::Part(error) => error.status(),
            Self::Body(error) => error.status(),
            Self::Json(error) if error.is_data() => Status::UNPROCESSABLE_CONTENT,
            Self::Json(_) => Status::BAD_REQUEST,
            Self::TooManyFields => Status::CONTENT_TOO_LARGE,
            Self::Fields(_) => Status::UNPROCESSABLE_CONTENT,
        }
    }
}

impl From<PartError> for MultipartRejection {
    fn from(error: PartError) -> Self {
        Self::Part(error)
    }
}

impl From<MultipartError> for MultipartRejection {
    fn from(error: MultipartError) -> Self {
        Self::Part(error.into())
    }
}

impl From<BodyError> for MultipartRejection {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl fmt::Display for MultipartRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part(error) => error.fmt(f),
            Self::Body(error) => error.fmt(f),
            Self::Json(error) => write!(f, "a part is not the JSON that is wanted: {error}"),
            Self::TooManyFields => f.write_str("a part has too many form fields"),
            Self::Fields(text) => write!(f, "a part's form: {text}"),
        }
    }
}

rejection!(MultipartRejection);
