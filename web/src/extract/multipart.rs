//! Forms with files, and other multipart bodies, read as they arrive.
//!
//! Nothing is held but the chunk at hand: a part that is not read is skipped when the next one is asked for.

use std::fmt;

use bytes::{Bytes, BytesMut};
use callboard_core::disposition::safe_filename;
use callboard_core::media_type::{Charset, MediaType};
use callboard_core::multipart::{Event, MultipartError, MultipartLimits, PartHead, Reader};
use callboard_core::{BodyLength, Headers, Status, header};

use super::FromRequest;
use super::rejection::rejection;
use crate::{Body, BodyError, Request};

/// The parts of a multipart body, one after the other: `multipart/form-data`, or any other kind.
///
/// The whole body is limited by [`App::body_limit`](crate::App::body_limit), the parts by [`MultipartLimits`]; past
/// either: 413. What is not multipart is 415, what is malformed 400. Data in base64 or quoted-printable is decoded.
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
    reader: Reader,
    body: Body,
    /// Bytes that the body may have, and has had.
    limit: usize,
    taken: u64,
    is_inside: bool,
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
        let reader = Reader::new(&media_type, MultipartLimits::default())?;
        if matches!(body.length(), BodyLength::Known(length) if length > limit as u64) {
            return Err(BodyError::TooLarge { limit }.into());
        }
        Ok(Self { media_type, reader, body, limit, taken: 0, is_inside: false })
    }

    /// Sets the limits of parts. Before the first part is asked for.
    pub fn limits(mut self, limits: MultipartLimits) -> Self {
        if self.taken == 0
            && let Ok(reader) = Reader::new(&self.media_type, limits)
        {
            self.reader = reader;
        }
        self
    }

    /// The media type of the whole.
    pub fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// The next part. What is left of the one before is skipped.
    pub async fn next_part(&mut self) -> Result<Option<Part<'_>>, MultipartRejection> {
        loop {
            match self.next_event().await? {
                Some(Event::Part(head)) => return Ok(Some(Part { head, multipart: self })),
                Some(Event::Data(_) | Event::PartEnd) => {}
                Some(Event::End) | None => return Ok(None),
            }
        }
    }

    /// Dropped at any point, it loses nothing: a chunk of the body is with the reader as soon as it is here.
    async fn next_event(&mut self) -> Result<Option<Event>, MultipartRejection> {
        loop {
            if let Some(event) = self.reader.poll_event()? {
                self.is_inside = matches!(event, Event::Part(_) | Event::Data(_));
                return Ok(Some(event));
            }
            if self.reader.is_finished() {
                return Ok(None);
            }
            match self.body.next().await.transpose()? {
                Some(chunk) => {
                    self.taken += chunk.len() as u64;
                    if self.taken > self.limit as u64 {
                        return Err(BodyError::TooLarge { limit: self.limit }.into());
                    }
                    self.reader.handle_input(chunk);
                }
                None => self.reader.handle_end_of_input(),
            }
        }
    }
}

/// A part of a [`Multipart`] body.
#[derive(Debug)]
pub struct Part<'a> {
    head: Box<PartHead>,
    multipart: &'a mut Multipart,
}

impl Part<'_> {
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
        safe_filename(self.filename()?)
    }

    /// Its media type, if it says one.
    pub fn media_type(&self) -> Option<&MediaType> {
        self.head.media_type()
    }

    /// Some more of its data, or none at its end. Never empty.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, MultipartRejection> {
        while self.multipart.is_inside {
            if let Some(Event::Data(data)) = self.multipart.next_event().await? {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// The rest of its data. The limit of the body bounds it.
    pub async fn bytes(mut self) -> Result<Bytes, MultipartRejection> {
        let Some(first) = self.chunk().await? else { return Ok(Bytes::new()) };
        let Some(second) = self.chunk().await? else { return Ok(first) };
        let mut all = BytesMut::from(&first[..]);
        all.extend_from_slice(&second);
        while let Some(chunk) = self.chunk().await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// The rest of its data as text, in the charset that the part names, else the form (by a field `_charset_`), else
    /// UTF-8. Text that is none is 400, a charset that is not known 415.
    pub async fn text(self) -> Result<String, MultipartRejection> {
        let named = self.media_type().and_then(MediaType::charset).or(self.multipart.reader.charset());
        let charset = match named {
            Some(label) => Charset::of(label).ok_or_else(|| MultipartRejection::Charset(label.to_owned()))?,
            None => Charset::Utf8,
        };
        let bytes = self.bytes().await?;
        charset.decode(&bytes).map(std::borrow::Cow::into_owned).ok_or(MultipartRejection::Text)
    }

    /// The parts of a part that is multipart itself, which is held whole for that: the limit of the body bounds it.
    pub async fn nested(self) -> Result<Multipart, MultipartRejection> {
        let reader = self.multipart.reader.nested(&self.head)?;
        let media_type = self.media_type().cloned().ok_or(MultipartError::NotMultipart)?;
        let limit = self.multipart.limit;
        let body = Body::full(self.bytes().await?);
        Ok(Multipart { media_type, reader, body, limit, taken: 0, is_inside: false })
    }
}

/// Why a body, or a part of it, was not read.
#[derive(Debug)]
#[non_exhaustive]
pub enum MultipartRejection {
    /// It is not multipart (415), is malformed (400), or passes one of [`MultipartLimits`] (413).
    Multipart(MultipartError),
    /// The body did not come, or is too long.
    Body(BodyError),
    /// A part is not text in its charset: 400.
    Text,
    /// A part is in a charset that is not known: 415.
    Charset(String),
}

impl MultipartRejection {
    /// The status that is answered.
    pub fn status(&self) -> Status {
        match self {
            Self::Multipart(error) => error.status(),
            Self::Body(error) => error.status(),
            Self::Text => Status::BAD_REQUEST,
            Self::Charset(_) => Status::UNSUPPORTED_MEDIA_TYPE,
        }
    }
}

impl From<MultipartError> for MultipartRejection {
    fn from(error: MultipartError) -> Self {
        Self::Multipart(error)
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
            Self::Multipart(error) => error.fmt(f),
            Self::Body(error) => error.fmt(f),
            Self::Text => f.write_str("a part is not text in its charset"),
            Self::Charset(label) => write!(f, "a part is in a charset that is not known: {label:?}"),
        }
    }
}

rejection!(MultipartRejection);
