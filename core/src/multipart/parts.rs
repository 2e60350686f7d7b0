//! Parts one after the other: what every face of a multipart body does, in requests and in responses.
//!
//! `Pending` means that more of the body is needed. A part that is not read to its end is skipped, and never decoded.
//! Outside of forms the content codings of a part are undone; in forms there are none (RFC 7578 §4.8).

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::task::Poll;

use bytes::Bytes;

use super::{Event, MultipartError, MultipartLimits, PartHead, Reader};
use crate::Status;
#[cfg(feature = "compression")]
use crate::coding::{Codings, CodingsError, DecodeError, DecodeLimits, DecodedParts};
use crate::media_type::{Charset, MediaType};
use crate::pieces::Pieces;

/// Reads the parts of a multipart body one after the other.
///
/// ```
/// use core::task::Poll;
/// use callboard_core::multipart::{MultipartLimits, Parts};
///
/// let media_type = "multipart/mixed; boundary=B".parse()?;
/// let mut parts = Parts::new(&media_type, MultipartLimits::default())?;
/// assert!(parts.poll_part()?.is_pending());
/// parts.handle_input("--B\r\n\r\nskipped\r\n--B\r\nX: y\r\n\r\nhel".into());
/// assert!(matches!(parts.poll_part()?, Poll::Ready(Some(_))));
/// let Poll::Ready(Some(head)) = parts.poll_part()? else { panic!("the second part") };
/// assert_eq!(head.headers().text("X"), Some("y"));
/// parts.handle_input("lo\r\n--B--".into());
/// parts.handle_end_of_input();
/// assert_eq!(parts.poll_rest(100)?, Poll::Ready("hello".into()));
/// assert_eq!(parts.poll_part()?, Poll::Ready(None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Parts {
    reader: Reader,
    /// The end of the part has not been seen.
    is_inside: bool,
    /// What was gathered of the part.
    gathered: Pieces,
    #[cfg(feature = "compression")]
    decode_limits: Option<DecodeLimits>,
    #[cfg(feature = "compression")]
    decoding: Option<Result<DecodedParts, CodingsError>>,
}

impl Parts {
    /// The parts of a body of that media type.
    pub fn new(media_type: &MediaType, limits: MultipartLimits) -> Result<Self, MultipartError> {
        Ok(Self::of(Reader::new(media_type, limits)?))
    }

    fn of(reader: Reader) -> Self {
        Self {
            reader,
            is_inside: false,
            gathered: Pieces::new(),
            #[cfg(feature = "compression")]
            decode_limits: Some(DecodeLimits::default()),
            #[cfg(feature = "compression")]
            decoding: None,
        }
    }

    /// The parts of a part that is multipart itself, to be fed with its data: see [`Reader::nested`].
    pub fn nested(&self, head: &PartHead) -> Result<Self, MultipartError> {
        Ok(Self {
            #[cfg(feature = "compression")]
            decode_limits: self.decode_limits,
            ..Self::of(self.reader.nested(head)?)
        })
    }

    /// What the content codings of a part may decode to, from the next part on; `None`: they are not undone. Default:
    /// [`DecodeLimits::default`], for each part.
    #[cfg(feature = "compression")]
    pub fn decode(&mut self, limits: impl Into<Option<DecodeLimits>>) {
        self.decode_limits = limits.into();
    }

    /// Hands in a piece of the body, when something is pending.
    pub fn handle_input(&mut self, piece: Bytes) {
        self.reader.handle_input(piece);
    }

    /// There is no more.
    pub fn handle_end_of_input(&mut self) {
        self.reader.handle_end_of_input();
    }

    /// The next part, after what is left of the one before; `None` at the end of the body, whatever follows.
    pub fn poll_part(&mut self) -> Result<Poll<Option<Box<PartHead>>>, PartError> {
        self.gathered = Pieces::new();
        #[cfg(feature = "compression")]
        {
            self.decoding = None;
        }
        loop {
            match self.reader.poll_event()? {
                Some(Event::Part(head)) => {
                    self.is_inside = true;
                    #[cfg(feature = "compression")]
                    self.prepare_decoding(&head);
                    return Ok(Poll::Ready(Some(head)));
                }
                Some(Event::PartEnd) => self.is_inside = false,
                Some(Event::Data(_)) => {}
                Some(Event::End) => return Ok(Poll::Ready(None)),
                None if self.reader.is_finished() => return Ok(Poll::Ready(None)),
                None => return Ok(Poll::Pending),
            }
        }
    }

    /// Some data of the part, never empty; `None` at its end.
    pub fn poll_data(&mut self) -> Result<Poll<Option<Bytes>>, PartError> {
        loop {
            #[cfg(feature = "compression")]
            if let Some(data) = self.decoded()? {
                return Ok(Poll::Ready(Some(data)));
            }
            if !self.is_inside {
                #[cfg(feature = "compression")]
                self.finish_decoding()?;
                return Ok(Poll::Ready(None));
            }
            match self.reader.poll_event()? {
                Some(Event::Data(data)) => {
                    #[cfg(feature = "compression")]
                    let Some(data) = self.take(data) else { continue };
                    return Ok(Poll::Ready(Some(data)));
                }
                // Inside a part nothing else can come but its end.
                Some(_) => self.is_inside = false,
                None => return Ok(Poll::Pending),
            }
        }
    }

    /// The rest of the part's data, if it is no longer than `limit` bytes.
    pub fn poll_rest(&mut self, limit: usize) -> Result<Poll<Bytes>, PartError> {
        loop {
            match self.poll_data()? {
                Poll::Pending => return Ok(Poll::Pending),
                Poll::Ready(None) => return Ok(Poll::Ready(self.gathered.up_to(usize::MAX))),
                Poll::Ready(Some(data)) if data.len() > limit.saturating_sub(self.gathered.held().len()) => {
                    self.gathered = Pieces::new();
                    return Err(PartError::TooLong { limit });
                }
                Poll::Ready(Some(data)) => self.gathered.feed(data),
            }
        }
    }

    /// Data as text, in the charset that the part names, else the form (by a field `_charset_`, RFC 7578 §4.6), else
    /// UTF-8.
    pub fn text(&self, head: &PartHead, data: &[u8]) -> Result<String, PartError> {
        let named = head.media_type().and_then(MediaType::charset).or(self.reader.charset());
        let charset = match named {
            Some(label) => Charset::of(label).ok_or_else(|| PartError::Charset(label.to_owned()))?,
            None => Charset::Utf8,
        };
        charset.decode(data).map(alloc::borrow::Cow::into_owned).ok_or(PartError::Text)
    }
}

#[cfg(feature = "compression")]
impl Parts {
    fn prepare_decoding(&mut self, head: &PartHead) {
        let Some(limits) = self.decode_limits.filter(|_| !self.reader.is_form()) else { return };
        self.decoding = match Codings::read(head.headers()) {
            Ok(codings) if codings.is_identity() => None,
            codings => Some(codings.map(|codings| DecodedParts::new(codings, &limits))),
        };
    }

    /// What can be decoded of that which was handed to the decoder.
    fn decoded(&mut self) -> Result<Option<Bytes>, PartError> {
        match &mut self.decoding {
            None => Ok(None),
            Some(Ok(decoding)) => Ok(decoding.decode()?),
            Some(Err(error)) => Err((*error).into()),
        }
    }

    /// Gives data back that needs no decoding.
    fn take(&mut self, data: Bytes) -> Option<Bytes> {
        match &mut self.decoding {
            Some(Ok(decoding)) => {
                decoding.feed(data);
                None
            }
            _ => Some(data),
        }
    }

    fn finish_decoding(&self) -> Result<(), PartError> {
        match &self.decoding {
            Some(Ok(decoding)) => Ok(decoding.finish()?),
            _ => Ok(()),
        }
    }
}

/// Why a part was not read, or not as what was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PartError {
    /// The body is not multipart, malformed, or passes one of [`MultipartLimits`]. It has no more parts.
    Multipart(MultipartError),
    /// The content codings of the part cannot be undone. The next part can be read.
    #[cfg(feature = "compression")]
    Codings(CodingsError),
    /// The part is not what its content coding says, or decodes to too much. The next part can be read.
    #[cfg(feature = "compression")]
    Decoding(DecodeError),
    /// The part is longer than whoever reads it accepts.
    TooLong {
        /// What is accepted, bytes.
        limit: usize,
    },
    /// The part is in a charset that is not known.
    Charset(String),
    /// The part is not text in its charset.
    Text,
}

impl PartError {
    /// The status to answer a request with: 415 for a charset or coding that is not known, 413 past a limit, else 400.
    pub const fn status(&self) -> Status {
        match self {
            Self::Multipart(error) => error.status(),
            #[cfg(feature = "compression")]
            Self::Codings(error) => error.status(),
            #[cfg(feature = "compression")]
            Self::Decoding(error) => error.status(),
            Self::TooLong { .. } => Status::CONTENT_TOO_LARGE,
            Self::Charset(_) => Status::UNSUPPORTED_MEDIA_TYPE,
            Self::Text => Status::BAD_REQUEST,
        }
    }
}

impl From<MultipartError> for PartError {
    fn from(error: MultipartError) -> Self {
        Self::Multipart(error)
    }
}

#[cfg(feature = "compression")]
impl From<CodingsError> for PartError {
    fn from(error: CodingsError) -> Self {
        Self::Codings(error)
    }
}

#[cfg(feature = "compression")]
impl From<DecodeError> for PartError {
    fn from(error: DecodeError) -> Self {
        Self::Decoding(error)
    }
}

impl fmt::Display for PartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Multipart(error) => error.fmt(f),
            #[cfg(feature = "compression")]
            Self::Codings(error) => error.fmt(f),
            #[cfg(feature = "compression")]
            Self::Decoding(error) => error.fmt(f),
            Self::TooLong { limit } => write!(f, "a part is longer than {limit} bytes"),
            Self::Charset(label) => write!(f, "a part is in a charset that is not known: {label:?}"),
            Self::Text => f.write_str("a part is not text in its charset"),
        }
    }
}

impl core::error::Error for PartError {}
