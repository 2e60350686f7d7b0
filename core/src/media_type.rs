//! Media types (RFC 9110 §8.3): `type/subtype; parameter=value`.
//!
//! Type, subtype and names of parameters compare without case and are kept in lower case; values are kept as they are.
//! Of a parameter that is given twice the first counts, but a boundary that is given twice is refused by
//! [`multipart`](crate::multipart), because two readers would cut the body in two ways.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use crate::parameters::{self, Escapes, MOST};
use crate::reasons::reasons;
use crate::syntax::{is_field_value, is_token};

/// A media type with its parameters.
///
/// ```
/// use callboard_core::media_type::MediaType;
///
/// let media_type: MediaType = "Application/Problem+JSON; Charset=\"UTF-8\"".parse()?;
/// assert_eq!(media_type.essence(), "application/problem+json");
/// assert_eq!(media_type.suffix(), Some("json"));
/// assert_eq!(media_type.charset(), Some("UTF-8"));
/// assert_eq!(media_type.to_string(), "application/problem+json; charset=UTF-8");
/// # Ok::<(), callboard_core::media_type::InvalidMediaType>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MediaType {
    /// In lower case.
    essence: String,
    /// Where the slash is in `essence`.
    slash: usize,
    /// Names in lower case.
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Reads the value of a `Content-Type` field. Malformed parameters are left out.
    pub fn parse(value: &[u8]) -> Result<Self, InvalidMediaType> {
        if !is_field_value(value) {
            return Err(InvalidMediaType::ControlByte);
        }
        let (essence, list) = parameters::split(value);
        let slash = memchr::memchr(b'/', essence).ok_or(InvalidMediaType::Essence)?;
        if !is_token(&essence[..slash]) || !is_token(&essence[slash + 1..]) {
            return Err(InvalidMediaType::Essence);
        }
        // Tokens are ASCII.
        let essence = core::str::from_utf8(essence).unwrap_or_default().to_ascii_lowercase();
        let mut parameters = Vec::new();
        for parameter in list {
            if parameters.len() == MOST {
                return Err(InvalidMediaType::TooManyParameters);
            }
            parameters
                .push((parameter.name.to_ascii_lowercase(), parameters::text(parameter.value.unescaped(Escapes::Any))));
        }
        Ok(Self { essence, slash, parameters })
    }

    /// `multipart/…` with a boundary that is checked already.
    pub(crate) fn multipart(subtype: &str, boundary: &str) -> Self {
        let essence = ["multipart/", subtype].concat();
        Self { essence, slash: "multipart".len(), parameters: [("boundary".to_owned(), boundary.to_owned())].into() }
    }

    /// The type and subtype in lower case: `text/html`.
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// The type: `text`.
    pub fn kind(&self) -> &str {
        &self.essence[..self.slash]
    }

    /// The subtype with its suffix: `problem+json`.
    pub fn subtype(&self) -> &str {
        &self.essence[self.slash + 1..]
    }

    /// What follows the last `+` of the subtype (RFC 6838 §4.2.8).
    pub fn suffix(&self) -> Option<&str> {
        self.subtype().rsplit_once('+').map(|(_, suffix)| suffix).filter(|suffix| !suffix.is_empty())
    }

    /// Whether type and subtype are `essence`, without case.
    pub fn is(&self, essence: &str) -> bool {
        self.essence.eq_ignore_ascii_case(essence)
    }

    /// Whether it is `application/json` or has the suffix `+json` (RFC 6839 §3.1).
    pub fn is_json(&self) -> bool {
        self.essence == "application/json" || self.suffix() == Some("json")
    }

    /// The value of the first parameter of that name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All values of that name.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.parameters().filter(move |(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The parameters in order: names in lower case, and values.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The `charset` as it is spelled; see [`Charset::of`] for what it means.
    pub fn charset(&self) -> Option<&str> {
        self.parameter("charset")
    }

    /// The `boundary` of a multipart type as it is spelled, unchecked.
    pub fn boundary(&self) -> Option<&str> {
        self.parameter("boundary")
    }

    /// Sets a parameter in place of those of that name.
    pub fn with_parameter(mut self, name: &str, value: &str) -> Result<Self, InvalidMediaType> {
        if !is_token(name.as_bytes()) {
            return Err(InvalidMediaType::ParameterName);
        }
        if !is_field_value(value.as_bytes()) {
            return Err(InvalidMediaType::ControlByte);
        }
        self.parameters.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
        if self.parameters.len() == MOST {
            return Err(InvalidMediaType::TooManyParameters);
        }
        self.parameters.push((name.to_ascii_lowercase(), value.to_owned()));
        Ok(self)
    }
}

impl FromStr for MediaType {
    type Err = InvalidMediaType;

    fn from_str(text: &str) -> Result<Self, InvalidMediaType> {
        Self::parse(text.as_bytes())
    }
}

/// As a field value: values that are no tokens are quoted.
impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.essence)?;
        self.parameters().try_for_each(|(name, value)| parameters::write(f, name, value))
    }
}

/// The media types of common extensions, which are in lower case and in order.
const EXTENSIONS: [(&str, &str); 36] = [
    ("avif", "image/avif"),
    ("bin", "application/octet-stream"),
    ("bmp", "image/bmp"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("ico", "image/vnd.microsoft.icon"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("md", "text/markdown"),
    ("mjs", "text/javascript"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("ogg", "audio/ogg"),
    ("otf", "font/otf"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("tar", "application/x-tar"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain"),
    ("wasm", "application/wasm"),
    ("wav", "audio/wav"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("xml", "application/xml"),
    ("zip", "application/zip"),
];

/// What the extension of a file's name suggests, of a small table; without a charset, which no name tells.
///
/// ```
/// use callboard_core::media_type::of_filename;
///
/// assert_eq!(of_filename("holiday.JPG"), Some("image/jpeg"));
/// assert_eq!(of_filename("backup.tar.gz"), Some("application/gzip"));
/// assert_eq!(of_filename("README"), None);
/// ```
pub fn of_filename(name: &str) -> Option<&'static str> {
    let extension = name.rsplit_once('.')?.1.to_ascii_lowercase();
    let place = EXTENSIONS.binary_search_by_key(&&*extension, |(own, _)| own).ok()?;
    Some(EXTENSIONS[place].1)
}

reasons! {
    /// Why bytes are no media type.
    InvalidMediaType {
        /// Not `type/subtype` of two tokens (RFC 9110 §8.3.1).
        Essence => "not a media type: it must be `type/subtype`",
        /// The name of a parameter is no token (RFC 9110 §5.6.6).
        ParameterName => "the name of a parameter must be a token",
        /// A control byte (RFC 9110 §5.5).
        ControlByte => "a control byte in a media type",
        /// More than 64 parameters.
        TooManyParameters => "a media type with too many parameters",
    }
}

/// The charsets that the core reads without a table. Others are their reader's work.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Charset {
    /// UTF-8, the default everywhere.
    Utf8,
    /// ASCII: bytes from 0x80 on are an error.
    Ascii,
    /// ISO 8859-1: each byte is the character of that number.
    Latin1,
}

impl Charset {
    /// The charset of a label, without case.
    ///
    /// ```
    /// use callboard_core::media_type::Charset;
    ///
    /// assert_eq!(Charset::of("ISO-8859-1").and_then(|charset| charset.decode(b"f\xfc")).unwrap(), "f\u{fc}");
    /// assert_eq!(Charset::Utf8.decode(b"f\xfc"), None);
    /// ```
    pub fn of(label: &str) -> Option<Self> {
        let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(label.trim()));
        if is(&["utf-8", "utf8"]) {
            Some(Self::Utf8)
        } else if is(&["us-ascii", "ascii"]) {
            Some(Self::Ascii)
        } else if is(&["iso-8859-1", "latin1"]) {
            Some(Self::Latin1)
        } else {
            None
        }
    }

    /// The text that `bytes` spell, or nothing if they spell none.
    pub fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Ascii if !bytes.is_ascii() => None,
            Self::Utf8 | Self::Ascii => core::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Latin1 => Some(Cow::Owned(bytes.iter().copied().map(char::from).collect())),
        }
    }
}
