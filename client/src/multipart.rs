//! Multipart bodies to send: forms with files, and others (RFC 7578, RFC 2046).
//!
//! What the body looks like is the core's [`Writer`]; here its segments become one stream, which can be sent again if
//! every part can.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::vec;

use bytes::Bytes;
use callboard_core::disposition::Disposition;
use callboard_core::multipart::{Boundary, InvalidPart, Part, Segment, Writer};
use callboard_core::{Headers, form};
use callboard_runtime::{BoxFuture, Handle};
use futures_lite::Stream;
use serde::Serialize;

use crate::body::{Again, Body, Content, Parts};
use crate::error::{BodyError, ErrorKind};
use crate::file;

/// A body up to this length is put together before it is sent.
const SHORT: u64 = 64 * 1024;

/// A multipart body in the making, for [`RequestBuilder::multipart`](crate::RequestBuilder::multipart).
///
/// Contents are whatever can be a [`Body`]. If all have a known length, so has the whole; if all can be sent again (all
/// but [`Body::stream`]), so can the whole, on a redirection or a retry. What is wrong with a part is the error of the
/// request. A part that is to be compressed (not in forms, RFC 7578 §4.8) is bytes already coded and a field
/// `Content-Encoding`.
///
/// ```no_run
/// # async fn example(session: callboard_client::Session) -> Result<(), callboard_client::Error> {
/// use callboard_client::Multipart;
///
/// let form = Multipart::form().field("title", "Notes").file("file", "notes.txt", "text/plain", "remember the milk");
/// session.post("http://example.org/notes").multipart(form).await?.error_for_status()?;
/// # Ok(())
/// # }
/// ```
pub struct Multipart {
    /// None: a form.
    subtype: Option<Cow<'static, str>>,
    boundary: Option<Boundary>,
    is_open: bool,
    parts: Result<Vec<Piece>, ErrorKind>,
}

/// A part whose fields are checked, and whose content may be still to be opened.
struct Piece {
    headers: Headers,
    content: Content,
}

/// Where the data of a part comes from that is not there.
struct Source {
    parts: Option<Parts>,
    again: Option<Again>,
}

impl Multipart {
    /// A form: `multipart/form-data`.
    pub fn form() -> Self {
        Self { subtype: None, boundary: None, is_open: false, parts: Ok(Vec::new()) }
    }

    /// Parts of another kind of multipart: `mixed`, `related` …
    pub fn of(subtype: impl Into<Cow<'static, str>>) -> Self {
        Self { subtype: Some(subtype.into()), ..Self::form() }
    }

    /// Sets the boundary. Default: random.
    pub fn boundary(mut self, boundary: Boundary) -> Self {
        self.boundary = Some(boundary);
        self
    }

    /// Leaves the closing delimiter out: for a body without end, or one that another goes on with by the same boundary.
    pub fn without_close(mut self) -> Self {
        self.is_open = true;
        self
    }

    /// Adds a field to a form.
    pub fn field(self, name: &str, value: impl Into<Body>) -> Self {
        self.add(value.into(), |part| part.with_disposition(&Disposition::form_data(name)?))
    }

    /// Adds a file to a form. In its name quotes and line ends are percent-encoded, as browsers do it; other control
    /// characters are an error.
    pub fn file(self, name: &str, filename: &str, media_type: &str, content: impl Into<Body>) -> Self {
        self.add(content.into(), |part| {
            let disposition = Disposition::form_data(name)?.with_filename(filename)?;
            part.with_disposition(&disposition)?.with_media_type(media_type)
        })
    }

    /// Adds a part with these fields. In a form one of them must be `Content-Disposition: form-data; name="…"`.
    pub fn part(self, fields: &[(&str, &str)], content: impl Into<Body>) -> Self {
        self.add(content.into(), |part| with_fields(part, fields))
    }

    /// Adds a file of this system to a form: see [`Body::file`]. Its name is that of the path without folders, its
    /// media type what a small table says of the extension, else `application/octet-stream`.
    ///
    /// ```
    /// use callboard_client::Multipart;
    ///
    /// let form = Multipart::form().field("title", "Holiday").file_at("photo", "pictures/beach.jpg");
    /// ```
    pub fn file_at(self, name: &str, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let filename = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let media_type = file::media_type(&path);
        self.file(name, &filename, media_type, Body::file(path))
    }

    /// Adds JSON to a form.
    pub fn json_field<T: Serialize + ?Sized>(self, name: &str, value: &T) -> Self {
        self.add_json(value, |part| part.with_disposition(&Disposition::form_data(name)?))
    }

    /// Adds a part of JSON with these fields.
    pub fn json_part<T: Serialize + ?Sized>(self, fields: &[(&str, &str)], value: &T) -> Self {
        self.add_json(value, |part| with_fields(part, fields))
    }

    /// Adds a part of form fields (`application/x-www-form-urlencoded`) with these header fields.
    pub fn form_part<N: AsRef<str>, V: AsRef<str>>(self, fields: &[(&str, &str)], pairs: &[(N, V)]) -> Self {
        let content = form::write(pairs.iter().map(|(name, value)| (name, value)));
        self.add(content.into(), |part| with_fields(part.with_media_type(form::MEDIA_TYPE)?, fields))
    }

    fn add_json<T: Serialize + ?Sized>(
        mut self,
        value: &T,
        describe: impl FnOnce(Part<Source>) -> Result<Part<Source>, InvalidPart>,
    ) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => self.add(json.into(), |part| describe(part.with_media_type("application/json")?)),
            Err(error) => {
                self.parts = self.parts.and(Err(ErrorKind::Json(error)));
                self
            }
        }
    }

    fn add(mut self, content: Body, describe: impl FnOnce(Part<Source>) -> Result<Part<Source>, InvalidPart>) -> Self {
        self.parts = self.parts.and_then(|mut parts| {
            let headers = describe(Part::bytes(Bytes::new())).map_err(ErrorKind::Multipart)?.headers().clone();
            parts.push(Piece { headers, content: content.content });
            Ok(parts)
        });
        self
    }

    /// The body, and its media type. `boundary` is the one to use unless one was set.
    pub(crate) fn into_body(mut self, boundary: impl FnOnce() -> Boundary) -> Result<Body, ErrorKind> {
        let boundary = self.boundary.take().unwrap_or_else(boundary);
        let mut writer = match &self.subtype {
            Some(subtype) => Writer::new(subtype, boundary).map_err(ErrorKind::Multipart)?,
            None => Writer::form_data(boundary),
        };
        if self.is_open {
            writer = writer.without_close();
        }
        let media_type = writer.content_type().to_string();
        let parts = self.parts?;
        if !parts.iter().any(|part| matches!(part.content, Content::Unopened(_))) {
            let content = write(writer, parts)?;
            return Ok(Body { content, media_type: Some(media_type.into()) });
        }
        let opening = move |runtime| -> BoxFuture<'static, Result<Body, ErrorKind>> {
            Box::pin(async move {
                let content = write(writer, open(parts, runtime).await?)?;
                Ok(Body { content, media_type: None })
            })
        };
        Ok(Body::unopened(Box::new(opening), media_type))
    }
}

fn with_fields(part: Part<Source>, fields: &[(&str, &str)]) -> Result<Part<Source>, InvalidPart> {
    fields.iter().try_fold(part, |part, (name, value)| part.with_header(name, value))
}

async fn open(mut parts: Vec<Piece>, runtime: Handle) -> Result<Vec<Piece>, ErrorKind> {
    for part in &mut parts {
        if let Some(opening) = part.content.take_opening() {
            part.content = opening(runtime.clone()).await?.content;
        }
    }
    Ok(parts)
}

fn write(mut writer: Writer<Source>, parts: Vec<Piece>) -> Result<Content, ErrorKind> {
    for Piece { headers, content } in parts {
        let mut part = match content {
            Content::Bytes(bytes) => Part::bytes(bytes),
            Content::Stream { parts, length, again } => Part::stream(Source { parts, again }, length),
            Content::Empty | Content::Unopened(_) => Part::bytes(Bytes::new()),
        };
        for (name, value) in &headers {
            part = part.with_header(name, value).map_err(ErrorKind::Multipart)?;
        }
        writer.add(part).map_err(ErrorKind::Multipart)?;
    }
    let length = writer.size();
    Ok(content(writer.into_segments(), length))
}

impl fmt::Debug for Multipart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.parts.as_ref().map(Vec::len);
        f.debug_struct("Multipart").field("parts", &parts).finish_non_exhaustive()
    }
}

fn content(segments: Vec<Segment<Source>>, length: Option<u64>) -> Content {
    let repeatable: Option<Vec<Repeatable>> = segments.iter().map(Repeatable::of).collect();
    let Some(pieces) = repeatable else {
        let joined = Joined { segments: segments.into_iter(), current: None };
        return Content::Stream { parts: Some(Box::pin(joined)), length, again: None };
    };
    let is_whole = pieces.iter().all(|piece| matches!(piece, Repeatable::Bytes(_)));
    if is_whole && length.is_some_and(|length| length <= SHORT) {
        let mut body = Vec::new();
        for piece in &pieces {
            if let Repeatable::Bytes(bytes) = piece {
                body.extend_from_slice(bytes);
            }
        }
        return Content::Bytes(body.into());
    }
    let again: Again = Arc::new(move || {
        let segments: Vec<_> = pieces.iter().map(Repeatable::segment).collect();
        Box::pin(Joined { segments: segments.into_iter(), current: None })
    });
    Content::Stream { parts: None, length, again: Some(again) }
}

/// A segment that can be sent more than once.
enum Repeatable {
    Bytes(Bytes),
    Stream(Again, Option<u64>),
}

impl Repeatable {
    fn of(segment: &Segment<Source>) -> Option<Self> {
        match segment {
            Segment::Bytes(bytes) => Some(Self::Bytes(bytes.clone())),
            Segment::Stream(source, length) => Some(Self::Stream(source.again.clone()?, *length)),
        }
    }

    fn segment(&self) -> Segment<Source> {
        match self {
            Self::Bytes(bytes) => Segment::Bytes(bytes.clone()),
            Self::Stream(again, length) => {
                Segment::Stream(Source { parts: None, again: Some(Arc::clone(again)) }, *length)
            }
        }
    }
}

/// The segments one after the other.
struct Joined {
    segments: vec::IntoIter<Segment<Source>>,
    /// The stream whose turn it is, and how much it has to give, if that was said.
    current: Option<(Parts, Option<u64>)>,
}

impl Stream for Joined {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some((parts, left)) = &mut this.current {
                match ready!(parts.as_mut().poll_next(context)) {
                    Some(Ok(bytes)) => return Poll::Ready(Some(count(bytes, left))),
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None if left.is_some_and(|left| left > 0) => return Poll::Ready(Some(Err(WrongLength.into()))),
                    None => this.current = None,
                }
            }
            match this.segments.next() {
                None => return Poll::Ready(None),
                Some(Segment::Bytes(bytes)) => return Poll::Ready(Some(Ok(bytes))),
                Some(Segment::Stream(source, length)) => {
                    let parts = source.parts.or_else(|| source.again.map(|again| again()));
                    this.current = parts.map(|parts| (parts, length));
                }
            }
        }
    }
}

/// The length of the whole could be right although those of two parts are wrong.
fn count(bytes: Bytes, left: &mut Option<u64>) -> Result<Bytes, BodyError> {
    if let Some(left) = left {
        *left = left.checked_sub(bytes.len() as u64).ok_or(WrongLength)?;
    }
    Ok(bytes)
}

/// A stream gave less or more than it was said to.
#[derive(Debug)]
struct WrongLength;

impl fmt::Display for WrongLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part of the multipart body is not as long as it was said to be")
    }
}

impl std::error::Error for WrongLength {}
