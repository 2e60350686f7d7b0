//! `Range` (RFC 9110 §14.2) in bytes, and what it comes to on a representation of a known length.
//!
//! The answer never holds a byte twice: ranges that overlap, touch or lie closer together than a part's head costs are
//! merged (§15.3.7.2), so that no list of ranges makes an answer much larger than the representation. A list of more
//! than [`Range::MOST`] ranges, or one that leaves more than [`Range::MOST_PARTS`] parts, is ignored (§14.2, §17.15).

use alloc::vec::Vec;
use core::fmt;
use core::ops;

use super::{Field, list, single};
use crate::header;

/// What `Range` asks for: one or more ranges of bytes.
///
/// ```
/// use callboard_core::fields::{ByteRange, Range, Satisfied};
///
/// let range = Range::parse(b"bytes=0-499, -500").unwrap();
/// assert_eq!(range.ranges(), [ByteRange::Between(0, 499), ByteRange::Last(500)]);
/// let Satisfied::Partial(partial) = range.satisfy(10_000) else { unreachable!() };
/// assert_eq!(partial.ranges(), [0..500, 9_500..10_000]);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Range(Vec<ByteRange>);

/// One range, as asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ByteRange {
    /// `first-last`: both are in it. The first is not above the last.
    Between(u64, u64),
    /// `first-`: to the end.
    From(u64),
    /// `-length`: so many bytes at the end.
    Last(u64),
}

/// What a `Range` comes to on a representation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Satisfied {
    /// The field is ignored: answer 200 with everything.
    Whole,
    /// Answer 206 with these parts.
    Partial(Partial),
    /// No range has a byte: answer 416 with [`ContentRange::Unsatisfied`](super::ContentRange).
    Unsatisfiable,
}

/// The parts of a representation that a 206 carries: none is empty, none overlaps another, in the order asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partial {
    ranges: Vec<ops::Range<u64>>,
    length: u64,
}

impl Range {
    /// Ranges in one field. With more it is ignored.
    pub const MOST: usize = 200;
    /// Parts in one answer, after merging. With more the field is ignored.
    pub const MOST_PARTS: usize = 50;
    /// Bytes between two ranges up to which they are merged: what a part's head costs.
    pub const GAP: u64 = 80;

    /// These ranges; `None` if there is none, too many, or one ends before it begins.
    pub fn new(ranges: Vec<ByteRange>) -> Option<Self> {
        let is_valid = |range: &ByteRange| !matches!(range, ByteRange::Between(first, last) if first > last);
        ((1..=Self::MOST).contains(&ranges.len()) && ranges.iter().all(is_valid)).then_some(Self(ranges))
    }

    /// Reads the value of the field. `None` says that it must be ignored: its unit is not `bytes`, or it is malformed.
    /// A number above 2^64 - 1 stands for that.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let equals = value.iter().position(|&byte| byte == b'=')?;
        let (unit, set) = (&value[..equals], &value[equals + 1..]);
        if !unit.eq_ignore_ascii_case(b"bytes") {
            return None;
        }
        let mut ranges = Vec::new();
        for element in list::elements(set) {
            if ranges.len() == Self::MOST {
                return None;
            }
            ranges.push(ByteRange::parse(element)?);
        }
        Self::new(ranges)
    }

    /// The ranges as asked for.
    pub fn ranges(&self) -> &[ByteRange] {
        &self.0
    }

    /// What to send of a representation of `length` bytes.
    pub fn satisfy(&self, length: u64) -> Satisfied {
        let mut found = Vec::with_capacity(self.0.len());
        for (place, range) in self.0.iter().enumerate() {
            match range.on(length) {
                // A suffix of an empty representation is all of it, which no Content-Range can say.
                Some(range) if range.is_empty() => return Satisfied::Whole,
                Some(range) => found.push((range, place)),
                None => {}
            }
        }
        if found.is_empty() {
            return Satisfied::Unsatisfiable;
        }
        let ranges = merged(found);
        if ranges.len() > Self::MOST_PARTS {
            return Satisfied::Whole;
        }
        Satisfied::Partial(Partial { ranges, length })
    }
}

/// Merges what is close together. Each keeps the place of the first that was merged into it.
fn merged(mut ranges: Vec<(ops::Range<u64>, usize)>) -> Vec<ops::Range<u64>> {
    ranges.sort_unstable_by_key(|(range, place)| (range.start, *place));
    let mut merged: Vec<(ops::Range<u64>, usize)> = Vec::with_capacity(ranges.len());
    for (range, place) in ranges {
        match merged.last_mut() {
            Some((last, first_place)) if range.start <= last.end.saturating_add(Range::GAP) => {
                last.end = last.end.max(range.end);
                *first_place = (*first_place).min(place);
            }
            _ => merged.push((range, place)),
        }
    }
    merged.sort_unstable_by_key(|(_, place)| *place);
    merged.into_iter().map(|(range, _)| range).collect()
}

impl ByteRange {
    fn parse(text: &[u8]) -> Option<Self> {
        let dash = text.iter().position(|&byte| byte == b'-')?;
        match (&text[..dash], &text[dash + 1..]) {
            (b"", length) => Some(Self::Last(position(length)?)),
            (first, b"") => Some(Self::From(position(first)?)),
            (first, last) => {
                let (first, last) = (position(first)?, position(last)?);
                (first <= last).then_some(Self::Between(first, last))
            }
        }
    }

    /// The bytes of a representation of `length` bytes; `None` if it has none of them (RFC 9110 §14.1.2). It is empty
    /// only if the representation is.
    pub fn on(self, length: u64) -> Option<ops::Range<u64>> {
        match self {
            Self::Between(first, last) if first < length => Some(first..last.saturating_add(1).min(length)),
            Self::From(first) if first < length => Some(first..length),
            Self::Last(count) if count > 0 => Some(length.saturating_sub(count)..length),
            _ => None,
        }
    }
}

/// ASCII digits; a number that is too large is the largest.
pub(super) fn position(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |number: u64, digit: &u8| number.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Some(digits.iter().fold(0, add))
}

impl Partial {
    /// What to send, by offsets, the end not included.
    pub fn ranges(&self) -> &[ops::Range<u64>] {
        &self.ranges
    }

    /// The length of the whole representation.
    pub fn complete_length(&self) -> u64 {
        self.length
    }

    /// The only range, if there is one: then the answer is the bytes with a `Content-Range`, else
    /// `multipart/byteranges`.
    pub fn single(&self) -> Option<ops::Range<u64>> {
        match &self.ranges[..] {
            [range] => Some(range.clone()),
            _ => None,
        }
    }
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Between(first, last) => write!(f, "{first}-{last}"),
            Self::From(first) => write!(f, "{first}-"),
            Self::Last(length) => write!(f, "-{length}"),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes=")?;
        list::write_joined(f, &self.0, ",")
    }
}

/// Two `Range` fields are none.
impl Field for Range {
    const NAME: &'static str = header::RANGE;

    fn from_values<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        Self::parse(single(values)?)
    }
}
