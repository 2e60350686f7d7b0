//! `multipart/byteranges` (RFC 9110 §14.6) as a plan: which bytes to send between which slices, and how many in all.
//!
//! Nothing of the representation is held or read here. The plan is written as [`Part`]s in order; the caller sends the
//! texts as they are and reads the slices from wherever the representation is.

use alloc::string::{String, ToString};
use core::ops;

use super::{ContentRange, Partial};
use crate::media_type::MediaType;
use crate::multipart::Boundary;

/// The content of a 206 with several parts.
///
/// ```
/// use callboard_core::fields::{Byteranges, Part, Range, Satisfied};
/// use callboard_core::multipart::Boundary;
///
/// let data = b"0123456789".repeat(100);
/// let Satisfied::Partial(partial) = Range::parse(b"bytes=0-4,-5").unwrap().satisfy(1_000) else { unreachable!() };
/// let plan = Byteranges::new(&partial, Some("text/plain"), Boundary::random([1, 2]));
/// let mut content = Vec::<u8>::new();
/// for part in plan.parts() {
///     match part {
///         Part::Text(text) => content.extend(text.as_bytes()),
///         Part::Slice(slice) => content.extend(&data[slice.start as usize..slice.end as usize]),
///     }
/// }
/// assert_eq!(content.len() as u64, plan.length());
/// assert!(plan.content_type().starts_with("multipart/byteranges; boundary="));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Byteranges {
    partial: Partial,
    content_type: Option<String>,
    boundary: Boundary,
}

/// What to send next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// This text: a boundary and the head of a part, or the last boundary.
    Text(String),
    /// These bytes of the representation, the end not included.
    Slice(ops::Range<u64>),
}

impl Byteranges {
    /// The plan for `partial`; `content_type` is what the whole representation would be sent with, and is repeated in
    /// each part. The `boundary` must not occur in what is sent: that of [`Boundary::random`] does not.
    pub fn new(partial: &Partial, content_type: Option<&str>, boundary: Boundary) -> Self {
        // A line end would end the head of the part.
        let is_value = |text: &&str| !text.is_empty() && !text.bytes().any(|byte| byte.is_ascii_control());
        let content_type = content_type.filter(is_value).map(ToString::to_string);
        Self { partial: partial.clone(), content_type, boundary }
    }

    /// The `Content-Type` of the answer.
    pub fn content_type(&self) -> String {
        MediaType::multipart("byteranges", self.boundary.as_str()).to_string()
    }

    /// The `Content-Length` of the answer.
    pub fn length(&self) -> u64 {
        let length = |part: Part| match part {
            Part::Text(text) => text.len() as u64,
            Part::Slice(slice) => slice.end - slice.start,
        };
        self.parts().map(length).fold(0, u64::saturating_add)
    }

    /// What to send, in order.
    pub fn parts(&self) -> impl Iterator<Item = Part> + '_ {
        let ranges = self.partial.ranges().iter().enumerate();
        let heads = ranges.flat_map(|(place, range)| [Part::Text(self.head(place, range)), Part::Slice(range.clone())]);
        heads.chain([Part::Text(alloc::format!("\r\n--{}--\r\n", self.boundary))])
    }

    fn head(&self, place: usize, range: &ops::Range<u64>) -> String {
        let mut head = String::from(if place == 0 { "--" } else { "\r\n--" });
        head += self.boundary.as_str();
        if let Some(content_type) = &self.content_type {
            head += "\r\nContent-Type: ";
            head += content_type;
        }
        if let Some(range) = ContentRange::new(range, self.partial.complete_length()) {
            head += "\r\nContent-Range: ";
            head += &range.to_string();
        }
        head += "\r\n\r\n";
        head
    }
}
