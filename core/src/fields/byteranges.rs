//! `multipart/byteranges` (RFC 9110 §14.6) as a plan: which bytes to send between which slices, and how many in all.
//!
//! Nothing of the representation is held or read here. The plan is written as [`Part`]s in order; the caller sends the
//! texts as they are and reads the slices from wherever the representation is.

use alloc::string::{String, ToString};
use core::ops;

use super::{ContentRange, Partial};

/// The content of a 206 with several parts.
///
/// ```
/// use callboard_core::fields::{Byteranges, Part, Range, Satisfied, boundary};
///
/// let data = b"0123456789".repeat(100);
/// let Satisfied::Partial(partial) = Range::parse(b"bytes=0-4,-5").unwrap().satisfy(1_000) else { unreachable!() };
/// let plan = Byteranges::new(&partial, Some("text/plain"), &boundary([1, 2]));
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
    boundary: String,
}

/// What to send next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// This text: a boundary and the head of a part, or the last boundary.
    Text(String),
    /// These bytes of the representation, the end not included.
    Slice(ops::Range<u64>),
}

/// A boundary out of two numbers that the sender draws at random: 32 characters.
///
/// A boundary must not occur in what is sent. 128 random bits do not.
pub fn boundary(seed: [u64; 2]) -> String {
    alloc::format!("{:016x}{:016x}", seed[0], seed[1])
}

impl Byteranges {
    /// The plan for `partial`; `content_type` is what the whole representation would be sent with, and is repeated in
    /// each part. Of the `boundary` the characters that may stand in one without quotes are used, 70 at most
    /// (RFC 2046 §5.1.1).
    pub fn new(partial: &Partial, content_type: Option<&str>, boundary: &str) -> Self {
        let fits = |character: &char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | '+');
        let boundary = boundary.chars().filter(fits).take(70).collect();
        // A line end would end the head of the part.
        let is_value = |text: &&str| !text.is_empty() && !text.bytes().any(|byte| byte.is_ascii_control());
        let content_type = content_type.filter(is_value).map(ToString::to_string);
        Self { partial: partial.clone(), content_type, boundary }
    }

    /// The `Content-Type` of the answer.
    pub fn content_type(&self) -> String {
        alloc::format!("multipart/byteranges; boundary={}", self.boundary)
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
        head += &self.boundary;
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
