//! Delimiters: where they are in the input, and what follows them on their line (RFC 2046 §5.1.1).
//!
//! A delimiter begins with the only CR that it has, so a beginning that turns out to be data hides no other beginning.

use bytes::{Buf, Bytes};
use memchr::memmem::Finder;

use super::MultipartError;

/// The search for a delimiter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan {
    /// How many bytes of the delimiter have come.
    held: usize,
    /// How many of these are not of the data: the line end before it, where a delimiter may follow at once.
    shared: usize,
}

/// At the start of a line.
pub(super) const LINE_START: Scan = Scan { held: 2, shared: 2 };

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Line {
    /// White space so far.
    padding: usize,
    pub(super) start: LineStart,
    pub(super) has_return: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) enum LineStart {
    #[default]
    Fresh,
    /// One hyphen.
    Hyphen,
    /// Two: the delimiter closes the body.
    Closing,
    /// White space: it does not.
    Open,
}

/// What a scan found.
pub(super) enum Found {
    /// Bytes that are no delimiter.
    Data(Bytes),
    Delimiter,
    /// All input is looked at.
    Nothing,
}

impl Scan {
    /// Looks at the front of `input` and takes from it what it has judged. `Delimiter` is found again until the scan
    /// is replaced.
    pub(super) fn find(&mut self, delimiter: &Bytes, finder: &Finder<'_>, input: &mut Bytes) -> Found {
        if self.held > 0 {
            let wanted = &delimiter[self.held..];
            let common = wanted.iter().zip(&input[..]).take_while(|(one, other)| one == other).count();
            input.advance(common);
            self.held += common;
            if self.held == delimiter.len() {
                return Found::Delimiter;
            }
            if input.is_empty() {
                return Found::Nothing;
            }
            let bytes = delimiter.slice(self.shared..self.held);
            *self = Self { held: 0, shared: 0 };
            if !bytes.is_empty() {
                return Found::Data(bytes);
            }
        }
        if input.is_empty() {
            return Found::Nothing;
        }
        if let Some(place) = finder.find(input) {
            let bytes = input.split_to(place);
            input.advance(delimiter.len());
            self.held = delimiter.len();
            return if place == 0 { Found::Delimiter } else { Found::Data(bytes) };
        }
        let tail = input.len().saturating_sub(delimiter.len() - 1);
        let start = memchr::memrchr(b'\r', &input[tail..]).map(|place| tail + place);
        let start = start.filter(|&start| delimiter.starts_with(&input[start..])).unwrap_or(input.len());
        self.held = input.len() - start;
        let bytes = input.split_to(start);
        input.clear();
        if bytes.is_empty() { Found::Nothing } else { Found::Data(bytes) }
    }
}

impl Line {
    /// Takes a byte after a delimiter. Whether the line is over.
    pub(super) fn take(&mut self, byte: u8, limit: usize) -> Result<bool, MultipartError> {
        match (self.start, byte) {
            (_, b'\n') if self.has_return => return Ok(true),
            _ if self.has_return => return Err(MultipartError::DelimiterInvalid),
            (LineStart::Fresh, b'-') => self.start = LineStart::Hyphen,
            (LineStart::Hyphen, b'-') => self.start = LineStart::Closing,
            (LineStart::Fresh | LineStart::Open | LineStart::Closing, b' ' | b'\t') => {
                self.padding += 1;
                if self.padding > limit {
                    return Err(MultipartError::FieldLineTooLong);
                }
                if self.start == LineStart::Fresh {
                    self.start = LineStart::Open;
                }
            }
            (LineStart::Fresh | LineStart::Open | LineStart::Closing, b'\r') => self.has_return = true,
            _ => return Err(MultipartError::DelimiterInvalid),
        }
        Ok(false)
    }
}
