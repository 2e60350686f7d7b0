//! The writer: parts in, segments out, and between the segments of bytes the streams that belong there.
//!
//! A part is checked when it is added, so that what is written is well-formed: no field can bring a line end, no known
//! content has the boundary, a form's parts have names and none of the fields that RFC 7578 §4.8 forbids.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::convert::Infallible;
use core::fmt;

use bytes::Bytes;
use memchr::memmem;

use super::{Boundary, TransferEncoding};
#[cfg(feature = "compression")]
use crate::coding::{Coding, Encoder, Level};
use crate::disposition::{Disposition, InvalidDisposition};
use crate::media_type::MediaType;
use crate::reasons::reasons;
use crate::syntax::is_token;
use crate::{Headers, InvalidHeader, header};

const CONTENT_TRANSFER_ENCODING: &str = "Content-Transfer-Encoding";

/// A multipart body in the making. `S` is what stands for a stream; the core never looks into it.
///
/// ```
/// use callboard_core::multipart::{Boundary, Part, Writer};
///
/// let mut form: Writer = Writer::form_data(Boundary::new("B")?);
/// form.add(Part::field("title", "Notes")?)?;
/// form.add(Part::file("file", "a \"b\".txt", "text/plain", "hello")?)?;
/// assert_eq!(form.content_type().to_string(), "multipart/form-data; boundary=B");
/// let length = form.size();
/// let body = form.into_bytes();
/// assert_eq!(length, Some(body.len() as u64));
/// let second = b"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a %22b%22.txt\"\r\n\
///                Content-Type: text/plain\r\n\r\nhello\r\n--B--\r\n";
/// assert!(body.ends_with(second));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Writer<S = Infallible> {
    boundary: Boundary,
    /// A token.
    subtype: String,
    segments: Vec<Segment<S>>,
    parts: usize,
    is_open: bool,
}

/// A piece of a multipart body.
#[derive(Clone, PartialEq, Eq)]
pub enum Segment<S = Infallible> {
    /// Bytes as they are sent.
    Bytes(Bytes),
    /// What the stream gives, of that length if it is known: it must keep to it.
    Stream(S, Option<u64>),
}

impl<S> Segment<S> {
    /// Its length in bytes, if it is known.
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Stream(_, length) => *length,
        }
    }
}

impl<S> Writer<S> {
    /// A form: `multipart/form-data` (RFC 7578).
    pub fn form_data(boundary: Boundary) -> Self {
        Self { boundary, subtype: "form-data".to_owned(), segments: Vec::new(), parts: 0, is_open: false }
    }

    /// Parts of any kind in order: `multipart/mixed` (RFC 2046 §5.1.3).
    pub fn mixed(boundary: Boundary) -> Self {
        Self { subtype: "mixed".to_owned(), ..Self::form_data(boundary) }
    }

    /// Another subtype: `related`, `alternative`, `x-mixed-replace` …
    pub fn new(subtype: &str, boundary: Boundary) -> Result<Self, InvalidPart> {
        if !is_token(subtype.as_bytes()) {
            return Err(InvalidPart::MediaType);
        }
        Ok(Self { subtype: subtype.to_ascii_lowercase(), ..Self::form_data(boundary) })
    }

    /// Leaves the closing delimiter out, so that more parts can follow from another writer of the same boundary.
    pub fn without_close(mut self) -> Self {
        self.is_open = true;
        self
    }

    /// What separates the parts.
    pub fn boundary(&self) -> &Boundary {
        &self.boundary
    }

    /// The media type of the whole.
    pub fn content_type(&self) -> MediaType {
        MediaType::multipart(&self.subtype, self.boundary.as_str())
    }

    /// How many parts were added.
    pub fn len(&self) -> usize {
        self.parts
    }

    /// Whether no part was added.
    pub fn is_empty(&self) -> bool {
        self.parts == 0
    }

    fn is_form(&self) -> bool {
        self.subtype == "form-data"
    }

    /// The length of the whole in bytes, if that of every part is known.
    pub fn size(&self) -> Option<u64> {
        let close = if self.is_open { 0 } else { self.boundary.as_str().len() as u64 + 6 };
        self.segments.iter().try_fold(close, |sum, segment| sum.checked_add(segment.size()?))
    }

    /// Adds a part. Outside of forms it says its length, if it is known.
    pub fn add(&mut self, part: Part<S>) -> Result<(), InvalidPart> {
        let Part { mut headers, content, encoding } = part;
        let size = content.iter().try_fold(0_u64, |sum, segment| sum.checked_add(segment.size()?));
        let field = |_| InvalidPart::Field;
        if self.is_form() {
            let disposition = headers.get(header::CONTENT_DISPOSITION).map(Disposition::parse_form_data);
            let has_name = |disposition: Disposition| disposition.is_form_data() && disposition.name().is_some();
            if !disposition.and_then(Result::ok).is_some_and(has_name) {
                return Err(InvalidPart::NameMissing);
            }
            if encoding != TransferEncoding::Identity || headers.contains(header::CONTENT_ENCODING) {
                return Err(InvalidPart::NotInForm);
            }
        } else {
            if encoding != TransferEncoding::Identity {
                headers.set(CONTENT_TRANSFER_ENCODING, encoding.as_str()).map_err(field)?;
            }
            if let Some(size) = size {
                headers.set(header::CONTENT_LENGTH, size.to_string()).map_err(field)?;
            }
        }
        let delimiter = [b"\r\n--", self.boundary.as_str().as_bytes()].concat();
        let has_delimiter = |segment: &Segment<S>| match segment {
            Segment::Bytes(bytes) => bytes.starts_with(&delimiter[2..]) || memmem::find(bytes, &delimiter).is_some(),
            Segment::Stream(..) => false,
        };
        if content.iter().any(has_delimiter) {
            return Err(InvalidPart::BoundaryInContent);
        }
        let mut head = [&delimiter[2..], b"\r\n"].concat();
        for (name, value) in &headers {
            head.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        head.extend_from_slice(b"\r\n");
        self.segments.push(Segment::Bytes(head.into()));
        self.segments.extend(content);
        self.segments.push(Segment::Bytes(Bytes::from_static(b"\r\n")));
        self.parts += 1;
        Ok(())
    }

    /// The body in order: bytes, and the streams between them.
    pub fn into_segments(mut self) -> Vec<Segment<S>> {
        if !self.is_open {
            let close = [b"--", self.boundary.as_str().as_bytes(), b"--\r\n"].concat();
            self.segments.push(Segment::Bytes(close.into()));
        }
        self.segments
    }
}

impl Writer<Infallible> {
    /// The whole body, of parts without streams.
    pub fn into_bytes(self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.size().and_then(|size| usize::try_from(size).ok()).unwrap_or_default());
        for segment in self.into_segments() {
            match segment {
                Segment::Bytes(bytes) => body.extend_from_slice(&bytes),
                Segment::Stream(never, _) => match never {},
            }
        }
        body
    }
}

/// A part in the making.
#[derive(Clone)]
pub struct Part<S = Infallible> {
    headers: Headers,
    content: Vec<Segment<S>>,
    /// Applied already.
    encoding: TransferEncoding,
}

impl<S> Part<S> {
    /// A field of a form.
    pub fn field(name: &str, value: impl Into<Bytes>) -> Result<Self, InvalidPart> {
        Self::bytes(value).with_disposition(&Disposition::form_data(name)?)
    }

    /// A file of a form.
    pub fn file(name: &str, filename: &str, media_type: &str, content: impl Into<Bytes>) -> Result<Self, InvalidPart> {
        let disposition = Disposition::form_data(name)?.with_filename(filename)?;
        Self::bytes(content).with_disposition(&disposition)?.with_media_type(media_type)
    }

    /// A part of bytes, without fields.
    pub fn bytes(content: impl Into<Bytes>) -> Self {
        Self::of(Segment::Bytes(content.into()))
    }

    /// A part of a stream, of that length if it is known, without fields. Nothing looks for the boundary in it.
    pub fn stream(source: S, length: Option<u64>) -> Self {
        Self::of(Segment::Stream(source, length))
    }

    fn of(content: Segment<S>) -> Self {
        Self { headers: Headers::new(), content: [content].into(), encoding: TransferEncoding::Identity }
    }

    /// A part that is multipart itself.
    pub fn nested(writer: Writer<S>) -> Result<Self, InvalidPart> {
        let media_type = writer.content_type().to_string();
        let content = writer.into_segments();
        Self { headers: Headers::new(), content, encoding: TransferEncoding::Identity }.with_media_type(&media_type)
    }

    /// Sets the disposition.
    pub fn with_disposition(self, disposition: &Disposition) -> Result<Self, InvalidPart> {
        self.with_header(header::CONTENT_DISPOSITION, disposition.to_string())
    }

    /// Sets the media type.
    pub fn with_media_type(self, media_type: &str) -> Result<Self, InvalidPart> {
        let media_type: MediaType = media_type.parse().map_err(|_| InvalidPart::MediaType)?;
        self.with_header(header::CONTENT_TYPE, media_type.to_string())
    }

    /// Sets a field in place of those of that name. Length and transfer encoding follow from the content and are
    /// refused.
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, InvalidPart> {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if is(header::CONTENT_LENGTH) || is(CONTENT_TRANSFER_ENCODING) {
            return Err(InvalidPart::FieldReserved);
        }
        self.headers.set(name, value)?;
        Ok(self)
    }

    /// Writes the content in a transfer encoding, for readers that are not clean to eight bits. Not in forms, and not
    /// for streams.
    pub fn with_transfer_encoding(mut self, encoding: TransferEncoding) -> Result<Self, InvalidPart> {
        match &mut self.content[..] {
            [Segment::Bytes(bytes)] if self.encoding == TransferEncoding::Identity => {
                *bytes = encoding.encode(bytes).into();
                self.encoding = encoding;
                Ok(self)
            }
            _ => Err(InvalidPart::NotEncodable),
        }
    }

    /// Compresses the content and says so in `Content-Encoding`. Not in forms, and not for streams.
    #[cfg(feature = "compression")]
    pub fn with_content_coding(mut self, coding: Coding, level: Level) -> Result<Self, InvalidPart> {
        let [Segment::Bytes(bytes)] = &mut self.content[..] else { return Err(InvalidPart::NotEncodable) };
        if self.encoding != TransferEncoding::Identity {
            return Err(InvalidPart::NotEncodable);
        }
        let (mut encoder, mut output) = (Encoder::new(coding, level), Vec::with_capacity(bytes.len() / 2));
        let outcome = encoder.encode(bytes, &mut output).and_then(|()| encoder.finish(&mut output));
        outcome.map_err(|_| InvalidPart::NotEncodable)?;
        *bytes = output.into();
        self.headers.append(header::CONTENT_ENCODING, coding.name())?;
        Ok(self)
    }

    /// The fields so far.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }
}

reasons! {
    /// Why a part was not added.
    InvalidPart {
        /// A field's name or value is not well-formed: a line end, NUL or the like (RFC 9110 §5.5).
        Field => "a field of the part is not well-formed",
        /// A control character in the name of the field or file (RFC 7578 §4.2).
        Name => "the name of a field or file has a control character",
        /// Not a media type (RFC 9110 §8.3.1).
        MediaType => "the media type of the part is not well-formed",
        /// `Content-Length` and `Content-Transfer-Encoding` follow from the content.
        FieldReserved => "this field of a part follows from its content",
        /// A part of a form without `Content-Disposition: form-data; name="…"` (RFC 7578 §4.2).
        NameMissing => "a part of a form must have a name",
        /// An encoding of any kind does not belong in a form (RFC 7578 §4.8).
        NotInForm => "a part of a form must not be encoded",
        /// A stream, a multipart or an encoded part cannot be put in a transfer encoding or a content coding.
        NotEncodable => "only plain bytes can be encoded",
        /// The content has the delimiter (RFC 2046 §5.1.1).
        BoundaryInContent => "the content of the part has the boundary",
    }
}

impl From<InvalidHeader> for InvalidPart {
    fn from(_: InvalidHeader) -> Self {
        Self::Field
    }
}

impl From<InvalidDisposition> for InvalidPart {
    fn from(_: InvalidDisposition) -> Self {
        Self::Name
    }
}

impl<S> fmt::Debug for Segment<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => f.debug_tuple("Bytes").field(bytes).finish(),
            Self::Stream(_, length) => f.debug_tuple("Stream").field(length).finish(),
        }
    }
}

impl<S> fmt::Debug for Part<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").field("headers", &self.headers).finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for Writer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("boundary", &self.boundary)
            .field("subtype", &self.subtype)
            .field("parts", &self.parts)
            .finish_non_exhaustive()
    }
}
