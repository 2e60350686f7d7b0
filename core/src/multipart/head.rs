//! The fields of a part: read line by line, and what they say of the part.
//!
//! A line that begins with white space continues the one before (RFC 5322 §2.2.3). Nothing is held but the line and
//! the fields, and both are bounded.

use alloc::string::String;
use alloc::vec::Vec;

use super::transfer::TransferEncoding;
use super::{MultipartError, MultipartLimits};
use crate::disposition::{Disposition, safe_filename};
use crate::media_type::MediaType;
use crate::syntax::parse_decimal;
use crate::{Headers, InvalidHeader, header};

/// Not among the names of messages.
const CONTENT_TRANSFER_ENCODING: &str = "Content-Transfer-Encoding";

/// What a part says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartHead {
    headers: Headers,
    disposition: Option<Disposition>,
    media_type: Option<MediaType>,
    transfer_encoding: TransferEncoding,
    /// Outside of forms.
    length: Option<u64>,
}

impl PartHead {
    fn new(headers: Headers, is_form: bool) -> Result<Self, MultipartError> {
        let only = |name| {
            let mut values = headers.get_all(name);
            match (values.next(), values.next()) {
                (_, Some(_)) => Err(MultipartError::FieldRepeated),
                (value, None) => Ok(value),
            }
        };
        let disposition = only(header::CONTENT_DISPOSITION)?;
        let parse = if is_form { Disposition::parse_form_data } else { Disposition::parse };
        let media_type = only(header::CONTENT_TYPE)?.and_then(|value| MediaType::parse(value).ok());
        let length = only(header::CONTENT_LENGTH)?.filter(|_| !is_form);
        let length = length.map(|value| parse_decimal(value).ok_or(MultipartError::LengthInvalid)).transpose()?;
        let encoding = only(CONTENT_TRANSFER_ENCODING)?.map_or(Some(TransferEncoding::Identity), TransferEncoding::of);
        let transfer_encoding = encoding.ok_or(MultipartError::TransferEncodingUnknown)?;
        let disposition = disposition.and_then(|value| parse(value).ok());
        Ok(Self { headers, disposition, media_type, transfer_encoding, length })
    }

    /// The fields as they came.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The disposition, if there is one and it can be read.
    pub fn disposition(&self) -> Option<&Disposition> {
        self.disposition.as_ref()
    }

    /// The name of the form's field. None: the part has none, or none that can be read in one way only.
    pub fn name(&self) -> Option<&str> {
        self.disposition.as_ref()?.name()
    }

    /// The name of the file as the peer gives it: hostile. Not to be used as a path.
    pub fn filename(&self) -> Option<&str> {
        self.disposition.as_ref()?.filename()
    }

    /// A name under which the part can be saved: see [`safe_filename`].
    pub fn safe_filename(&self) -> Option<String> {
        safe_filename(self.filename()?)
    }

    /// The media type, if there is one and it can be read. Without one a part is `text/plain` (RFC 7578 §4.4).
    pub fn media_type(&self) -> Option<&MediaType> {
        self.media_type.as_ref()
    }

    /// Whether the part is a multipart body itself: see [`Reader::nested`](super::Reader::nested).
    pub fn is_multipart(&self) -> bool {
        self.media_type.as_ref().is_some_and(|media_type| media_type.kind() == "multipart")
    }

    /// How the data came. What the reader gives is decoded already.
    pub fn transfer_encoding(&self) -> TransferEncoding {
        self.transfer_encoding
    }

    /// The length of the data as it came, before decoding, if the part says so. Never in forms (RFC 7578 §4.8).
    pub fn length(&self) -> Option<u64> {
        self.length
    }
}

/// Gathers the fields of one part.
#[derive(Debug, Default)]
pub(super) struct HeadReader {
    headers: Headers,
    /// The line that is coming.
    line: Vec<u8>,
    /// The field that the next line may continue.
    field: Vec<u8>,
    /// Bytes of complete lines.
    taken: usize,
}

impl HeadReader {
    /// Takes from the front of `input`. Some: the head is complete, and what is left is the part's data.
    pub(super) fn read(
        &mut self,
        input: &mut &[u8],
        limits: &MultipartLimits,
        is_form: bool,
    ) -> Result<Option<PartHead>, MultipartError> {
        loop {
            let end = memchr::memchr(b'\n', input).map(|place| place + 1);
            let length = end.unwrap_or(input.len());
            let line_room = limits.header_line.saturating_sub(self.line.len());
            let head_room = limits.head.saturating_sub(self.taken + self.line.len());
            if length > line_room.min(head_room) {
                let is_line = line_room <= head_room;
                return Err(if is_line { MultipartError::FieldLineTooLong } else { MultipartError::HeadTooLong });
            }
            let (line, rest) = input.split_at(length);
            *input = rest;
            self.line.extend_from_slice(line);
            if end.is_none() {
                return Ok(None);
            }
            self.taken += self.line.len();
            if self.end_line(limits)? {
                return PartHead::new(core::mem::take(&mut self.headers), is_form).map(Some);
            }
        }
    }

    /// A line is complete. Whether it is the empty one that ends the head.
    fn end_line(&mut self, limits: &MultipartLimits) -> Result<bool, MultipartError> {
        let line = self.line.strip_suffix(b"\r\n").ok_or(MultipartError::FieldValue)?;
        if let [b' ' | b'\t', ..] = line {
            if self.field.is_empty() {
                return Err(MultipartError::FieldName);
            }
            self.field.push(b' ');
            self.field.extend_from_slice(line.trim_ascii_start());
            self.line.clear();
            return Ok(false);
        }
        if !self.field.is_empty() {
            if self.headers.len() == limits.header_count {
                return Err(MultipartError::TooManyFields);
            }
            append(&mut self.headers, &self.field)?;
        }
        let is_last = line.is_empty();
        self.field.clear();
        self.field.extend_from_slice(line);
        self.line.clear();
        Ok(is_last)
    }
}

fn append(headers: &mut Headers, field: &[u8]) -> Result<(), MultipartError> {
    let colon = memchr::memchr(b':', field).ok_or(MultipartError::FieldName)?;
    let name = core::str::from_utf8(&field[..colon]).map_err(|_| MultipartError::FieldName)?;
    headers.append(name, &field[colon + 1..]).map_err(|error| match error {
        InvalidHeader::Name => MultipartError::FieldName,
        InvalidHeader::Value => MultipartError::FieldValue,
        InvalidHeader::TooLong => MultipartError::FieldLineTooLong,
    })
}
