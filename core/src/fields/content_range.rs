//! `Content-Range` (RFC 9110 §14.4) in bytes.

use core::fmt;
use core::ops;

use super::{Field, single};
use crate::header;
use crate::syntax::parse_decimal;

/// Which part of the representation the content is, or how long a representation is that has no such part.
///
/// ```
/// use callboard_core::fields::ContentRange;
///
/// let range = ContentRange::parse(b"bytes 42-1233/1234").unwrap();
/// assert_eq!(range, ContentRange::Bytes { first: 42, last: 1_233, complete: Some(1_234) });
/// assert_eq!(ContentRange::Unsatisfied { complete: 1_234 }.to_string(), "bytes */1234");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ContentRange {
    /// `bytes first-last/complete` of a 206, or of a part of one.
    Bytes {
        /// The offset of the first byte.
        first: u64,
        /// The offset of the last byte. Not below the first.
        last: u64,
        /// The length of the whole, if it is known: above `last`.
        complete: Option<u64>,
    },
    /// `bytes */complete` of a 416.
    Unsatisfied {
        /// The length of the whole.
        complete: u64,
    },
}

impl ContentRange {
    /// The bytes of `range` out of `complete`; `None` if it is empty or ends behind them.
    pub fn new(range: &ops::Range<u64>, complete: u64) -> Option<Self> {
        let is_inside = range.start < range.end && range.end <= complete;
        is_inside.then(|| Self::Bytes { first: range.start, last: range.end - 1, complete: Some(complete) })
    }

    /// Reads the value of the field. `None` says that it is invalid and that the content must not be put together with
    /// other parts: another unit, a last position below the first, or a length that is not above the last.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let unit = value.get(..6)?;
        if !unit.eq_ignore_ascii_case(b"bytes ") {
            return None;
        }
        let value = &value[6..];
        let slash = value.iter().position(|&byte| byte == b'/')?;
        let (range, complete) = (&value[..slash], &value[slash + 1..]);
        let complete = if complete == b"*" { None } else { Some(parse_decimal(complete)?) };
        if range == b"*" {
            return complete.map(|complete| Self::Unsatisfied { complete });
        }
        let dash = range.iter().position(|&byte| byte == b'-')?;
        let (first, last) = (parse_decimal(&range[..dash])?, parse_decimal(&range[dash + 1..])?);
        let is_valid = first <= last && complete.is_none_or(|complete| last < complete);
        is_valid.then_some(Self::Bytes { first, last, complete })
    }

    /// How many bytes of content it describes.
    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes { first, last, .. } => last.saturating_sub(*first).saturating_add(1),
            Self::Unsatisfied { .. } => 0,
        }
    }
}

impl fmt::Display for ContentRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes { first, last, complete: Some(complete) } => write!(f, "bytes {first}-{last}/{complete}"),
            Self::Bytes { first, last, complete: None } => write!(f, "bytes {first}-{last}/*"),
            Self::Unsatisfied { complete } => write!(f, "bytes */{complete}"),
        }
    }
}

impl Field for ContentRange {
    const NAME: &'static str = header::CONTENT_RANGE;

    fn from_values<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        Self::parse(single(values)?)
    }
}
