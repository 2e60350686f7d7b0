//! `Accept` (RFC 9110 §12.5.1): which media type suits best.
//!
//! For a type the most specific range decides: the one with the most parameters, then the subtype, then the type, then
//! `*/*`. Any parameter named `q` is the weight, wherever it stands; all others have to be found in the type. What is
//! malformed is left out of the list.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::list::{self, Parameter};
use super::{Field, Quality};
use crate::header;
use crate::syntax::is_token;

/// The media types that a client takes, in its order.
///
/// ```
/// use callboard_core::fields::Accept;
///
/// let accept = Accept::parse([&b"text/*;q=0.3, text/html;q=0.7, application/json"[..]]);
/// assert_eq!(accept.choose(&["text/html", "application/json"]), Some(1));
/// assert_eq!(accept.choose(&["text/csv", "text/html"]), Some(1));
/// assert_eq!(accept.choose(&["image/png"]), None); // 406, or send it all the same
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Accept(Vec<MediaRange>);

/// A range of media types and how much it is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MediaRange {
    /// The type in lower case, or `*`.
    kind: String,
    /// The subtype in lower case, or `*`.
    subtype: String,
    /// Names in lower case, and values.
    parameters: Vec<(String, String)>,
    quality: Quality,
}

impl Accept {
    /// Reads all lines of the field. Nothing in them: everything is acceptable, as if there was no field.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self(lines.into_iter().flat_map(list::elements).filter_map(MediaRange::parse).collect())
    }

    /// The ranges, as listed.
    pub fn ranges(&self) -> &[MediaRange] {
        &self.0
    }

    /// How much a media type is wanted: `text/html; level=1`. 0 for one that is not acceptable, or that is malformed.
    pub fn quality(&self, media_type: &str) -> Quality {
        let Some(media_type) = MediaRange::parse(media_type.as_bytes()) else { return Quality::ZERO };
        if self.0.is_empty() {
            return Quality::ONE;
        }
        // The later of two that are equally specific is as good; the first is kept.
        let mut best: Option<&MediaRange> = None;
        for range in self.0.iter().filter(|range| range.includes(&media_type)) {
            if best.is_none_or(|best| range.specificity() > best.specificity()) {
                best = Some(range);
            }
        }
        best.map_or(Quality::ZERO, |range| range.quality)
    }

    /// The place in `available` of the type that is wanted most; of equals the first, so that the server's order
    /// counts. `None`: none is acceptable.
    pub fn choose(&self, available: &[&str]) -> Option<usize> {
        best(available.iter().map(|media_type| self.quality(media_type)))
    }
}

/// The place of the highest quality that is not 0; of equals the first.
pub(super) fn best(qualities: impl Iterator<Item = Quality>) -> Option<usize> {
    let mut best: Option<(usize, Quality)> = None;
    for (place, quality) in qualities.enumerate() {
        if !quality.is_zero() && best.is_none_or(|(_, most)| quality > most) {
            best = Some((place, quality));
        }
    }
    best.map(|(place, _)| place)
}

impl MediaRange {
    /// Reads one range. `*` alone is taken for `*/*`, as old clients send it.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut parts = list::split(text, b';');
        let full = parts.next()?;
        let (kind, subtype) = match full.iter().position(|&byte| byte == b'/') {
            Some(slash) => (&full[..slash], &full[slash + 1..]),
            None if full == b"*" => (full, full),
            None => return None,
        };
        if !is_token(kind) || !is_token(subtype) || (kind == b"*" && subtype != b"*") {
            return None;
        }
        let lower = |bytes: &[u8]| list::token(&bytes.to_ascii_lowercase());
        let mut range =
            Self { kind: lower(kind)?, subtype: lower(subtype)?, parameters: Vec::new(), quality: Quality::ONE };
        for part in parts {
            let parameter = Parameter::parse(part)?;
            let value = parameter.value.as_deref();
            if parameter.is_named("q") {
                range.quality = Quality::parse(value?)?;
            } else {
                range.parameters.push((lower(parameter.name)?, list::text(value.unwrap_or_default())?));
            }
        }
        Some(range)
    }

    /// The type in lower case, or `*`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The subtype in lower case, or `*`.
    pub fn subtype(&self) -> &str {
        &self.subtype
    }

    /// The parameters but for `q`: names in lower case, values as they came.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (&name[..], &value[..]))
    }

    /// How much it is wanted.
    pub fn quality(&self) -> Quality {
        self.quality
    }

    fn includes(&self, media_type: &Self) -> bool {
        let is_covered = (self.kind == "*" || self.kind == media_type.kind)
            && (self.subtype == "*" || self.subtype == media_type.subtype);
        let has = |(name, value): &(String, String)| {
            media_type.parameters.iter().any(|(other, found)| other == name && found.eq_ignore_ascii_case(value))
        };
        is_covered && self.parameters.iter().all(has)
    }

    fn specificity(&self) -> (bool, bool, usize) {
        (self.kind != "*", self.subtype != "*", self.parameters.len())
    }
}

impl fmt::Display for MediaRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.subtype)?;
        for (name, value) in &self.parameters {
            write!(f, ";{name}=")?;
            list::write_value(f, value)?;
        }
        write_weight(f, self.quality)
    }
}

/// Writes `;q=0.5`, and nothing for 1.
pub(super) fn write_weight(f: &mut fmt::Formatter<'_>, quality: Quality) -> fmt::Result {
    if quality == Quality::ONE { Ok(()) } else { write!(f, ";q={quality}") }
}

impl fmt::Display for Accept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list::write_joined(f, &self.0, ", ")
    }
}

impl Field for Accept {
    const NAME: &'static str = header::ACCEPT;

    fn from_values<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        Some(Self::parse(values))
    }
}
