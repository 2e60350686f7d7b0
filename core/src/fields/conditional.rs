//! Conditional requests (RFC 9110 §13) and ranges (§14): one decision, in the order of §13.2.2.
//!
//! A condition that the RFC says to ignore is as if it was absent. A list of entity tags that is malformed is a
//! condition all the same, and one that does not hold where something would be lost by going on: `If-Match` fails, and
//! `If-None-Match` fails for all methods but GET and HEAD.

use super::entity_tag::{Tag, Tags};
use super::range::{Partial, Range, Satisfied};
use super::{ContentRange, EntityTag, Field, date, single};
use crate::date::parse_http_date;
use crate::syntax::trim_ows;
use crate::{Headers, Method, Status, header};

/// What is known of the representation that the request selects.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Representation<'a> {
    /// Its entity tag.
    pub entity_tag: Option<&'a EntityTag>,
    /// When it was last changed, in seconds since 1970.
    pub last_modified: Option<u64>,
    /// Its length in bytes, if parts of it can be sent. `None`: `Range` is ignored.
    pub length: Option<u64>,
}

/// What to do with the request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Perform the method: as if there were no conditions and no ranges.
    Proceed,
    /// Answer 206 with these parts.
    Partial(Partial),
    /// Answer 304 without content, with the validators and what else §15.4.5 lists.
    NotModified,
    /// Answer 412 and change nothing.
    PreconditionFailed,
    /// Answer 416 with [`Decision::content_range`].
    RangeNotSatisfiable {
        /// The length of the representation.
        length: u64,
    },
}

impl Decision {
    /// The status that goes with it; for [`Proceed`](Self::Proceed) that of success.
    pub const fn status(&self) -> Status {
        match self {
            Self::Proceed => Status::OK,
            Self::Partial(_) => Status::PARTIAL_CONTENT,
            Self::NotModified => Status::NOT_MODIFIED,
            Self::PreconditionFailed => Status::PRECONDITION_FAILED,
            Self::RangeNotSatisfiable { .. } => Status::RANGE_NOT_SATISFIABLE,
        }
    }

    /// The `Content-Range` of the answer: of a 416, and of a 206 with one part. With several, each part has its own.
    pub fn content_range(&self) -> Option<ContentRange> {
        match self {
            Self::Partial(partial) => ContentRange::new(&partial.single()?, partial.complete_length()),
            Self::RangeNotSatisfiable { length } => Some(ContentRange::Unsatisfied { complete: *length }),
            _ => None,
        }
    }
}

/// The conditions of a request.
///
/// ```
/// use callboard_core::fields::{Conditions, Decision, EntityTag, Representation};
/// use callboard_core::{Headers, Method};
///
/// let tag = EntityTag::strong("v1")?;
/// let now = 1_700_000_000;
/// let representation = Representation { entity_tag: Some(&tag), length: Some(100), ..Representation::default() };
/// let mut headers = Headers::new();
/// headers.set("If-None-Match", "\"v1\"")?;
/// let decision = Conditions::new(&Method::Get, &headers, now).decide(Some(&representation));
/// assert_eq!(decision, Decision::NotModified);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Conditions<'a> {
    method: &'a Method,
    headers: &'a Headers,
    now: u64,
}

impl<'a> Conditions<'a> {
    /// Of a request with that method and those fields; `now` is the time in seconds since 1970.
    pub const fn new(method: &'a Method, headers: &'a Headers, now: u64) -> Self {
        Self { method, headers, now }
    }

    /// Decides. `None` as the representation: there is none yet, as with a PUT that would make it.
    ///
    /// To be asked where the answer without conditions would be a success (§13.2.1): not for one that would be a
    /// redirection, 401 or 404.
    pub fn decide(&self, representation: Option<&Representation<'_>>) -> Decision {
        if matches!(self.method, Method::Connect | Method::Options | Method::Trace) {
            return Decision::Proceed;
        }
        if !self.may_perform(representation) {
            return Decision::PreconditionFailed;
        }
        if let Some(decision) = self.has_already(representation) {
            return decision;
        }
        match representation {
            Some(representation) if *self.method == Method::Get => self.range(representation),
            _ => Decision::Proceed,
        }
    }

    /// Steps 1 and 2 of §13.2.2: `If-Match`, or else `If-Unmodified-Since`.
    fn may_perform(&self, representation: Option<&Representation<'_>>) -> bool {
        if self.headers.contains(header::IF_MATCH) {
            return self.lists(header::IF_MATCH, representation) == Some(true);
        }
        let modified = representation.and_then(|known| known.last_modified);
        let limit = date(self.headers, header::IF_UNMODIFIED_SINCE, self.now);
        // Without a date on either side the field is ignored (§13.1.4).
        modified.zip(limit).is_none_or(|(modified, limit)| modified <= limit)
    }

    /// Steps 3 and 4 of §13.2.2: `If-None-Match`, or else `If-Modified-Since`.
    fn has_already(&self, representation: Option<&Representation<'_>>) -> Option<Decision> {
        let is_reading = matches!(self.method, Method::Get | Method::Head);
        if self.headers.contains(header::IF_NONE_MATCH) {
            return match self.lists(header::IF_NONE_MATCH, representation) {
                Some(true) if is_reading => Some(Decision::NotModified),
                Some(false) => None,
                None if is_reading => None,
                _ => Some(Decision::PreconditionFailed),
            };
        }
        let modified = representation?.last_modified.filter(|_| is_reading)?;
        let since = date(self.headers, header::IF_MODIFIED_SINCE, self.now)?;
        (modified <= since).then_some(Decision::NotModified)
    }

    /// Step 5 of §13.2.2, and `Range` without `If-Range`.
    fn range(&self, representation: &Representation<'_>) -> Decision {
        let Some((length, range)) = representation.length.zip(Range::read(self.headers)) else {
            return Decision::Proceed;
        };
        if self.headers.contains(header::IF_RANGE) && !self.is_unchanged(representation) {
            return Decision::Proceed;
        }
        match range.satisfy(length) {
            Satisfied::Whole => Decision::Proceed,
            Satisfied::Partial(partial) => Decision::Partial(partial),
            Satisfied::Unsatisfiable => Decision::RangeNotSatisfiable { length },
        }
    }

    /// `If-Range` (§13.1.5): the same strong tag, or exactly the same date, which a second has passed since, so that it
    /// is strong (§8.8.2.2).
    fn is_unchanged(&self, representation: &Representation<'_>) -> bool {
        let Some(value) = single(self.headers.get_all(header::IF_RANGE)) else { return false };
        if let Some((tag, rest)) = Tag::take(value) {
            let known = representation.entity_tag;
            return rest.is_empty() && known.is_some_and(|known| tag.strongly_equals(known));
        }
        let modified = representation.last_modified.filter(|&modified| modified < self.now);
        modified.is_some() && parse_http_date(value, self.now) == modified
    }

    /// Whether the field lists the representation's tag, or is `*` and there is a representation; `None` if the field
    /// is malformed. `If-Match` compares strongly (§13.1.1), `If-None-Match` weakly (§13.1.2).
    fn lists(&self, name: &str, representation: Option<&Representation<'_>>) -> Option<bool> {
        let is_strong = name == header::IF_MATCH;
        let known = representation.and_then(|known| known.entity_tag);
        let lines = || self.headers.get_all(name).map(trim_ows).filter(|line| !line.is_empty());
        if lines().eq([b"*"]) {
            return Some(representation.is_some());
        }
        let (mut count, mut found) = (0, false);
        for tag in lines().flat_map(Tags) {
            let tag = tag?;
            count += 1;
            found |= known.is_some_and(
                |known| {
                    if is_strong { tag.strongly_equals(known) } else { tag.weakly_equals(known) }
                },
            );
        }
        (count > 0).then_some(found)
    }
}
