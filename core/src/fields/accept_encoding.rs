//! `Accept-Encoding` (RFC 9110 §12.5.3) and `Accept-Charset` (§12.5.2): names with weights, and `*` for the rest.
//!
//! No coding, `identity`, is acceptable unless it is excluded: by `identity;q=0`, or by `*;q=0` without an entry of its
//! own. Elements that are malformed are left out; of two for one name the first counts.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::accept::{best, write_weight};
use super::list::{self, Parameter};
use super::{Field, Quality};
use crate::header;

/// The name of no coding.
const IDENTITY: &str = "identity";

/// Names and how much they are wanted, as listed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Weights(Vec<(String, Quality)>);

impl Weights {
    fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self(lines.into_iter().flat_map(list::elements).filter_map(weighted).collect())
    }

    /// The weight of the name's own entry.
    fn named(&self, is_named: impl Fn(&str) -> bool) -> Option<Quality> {
        self.0.iter().find(|(name, _)| is_named(name)).map(|(_, quality)| *quality)
    }

    fn of_the_rest(&self) -> Option<Quality> {
        self.named(|name| name == "*")
    }
}

/// A token, and its weight if it has one.
pub(super) fn weighted(element: &[u8]) -> Option<(String, Quality)> {
    let mut parts = list::split(element, b';');
    let name = list::token(parts.next()?)?;
    let mut quality = Quality::ONE;
    for part in parts {
        let parameter = Parameter::parse(part)?;
        if parameter.is_named("q") {
            quality = Quality::parse(parameter.value.as_deref()?)?;
        }
    }
    Some((name, quality))
}

impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Item<'a>(&'a (String, Quality));
        impl fmt::Display for Item<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0.0)?;
                write_weight(f, self.0.1)
            }
        }
        list::write_joined(f, self.0.iter().map(Item), ", ")
    }
}

/// The content codings that a client takes.
///
/// ```
/// use callboard_core::fields::AcceptEncoding;
///
/// let accept = AcceptEncoding::parse([&b"gzip;q=0.8, br, identity;q=0"[..]]);
/// assert_eq!(accept.choose(&["gzip", "br"]), Some("br"));
/// assert_eq!(accept.choose(&["zstd"]), None); // no coding is not acceptable either: 406
/// assert_eq!(AcceptEncoding::parse([&b"gzip;q=0"[..]]).choose(&["gzip"]), Some("identity"));
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AcceptEncoding(Weights);

impl AcceptEncoding {
    /// Reads all lines of the field.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self(Weights::parse(lines))
    }

    /// How much a coding is wanted; 0 if it is not acceptable. Names compare without case, and `x-gzip` and
    /// `x-compress` are `gzip` and `compress` (§8.4.1).
    ///
    /// `identity` that is acceptable without being listed has the least weight above 0.
    pub fn quality(&self, coding: &str) -> Quality {
        let is_named = |name: &str| plain(name).eq_ignore_ascii_case(plain(coding));
        if let Some(quality) = self.0.named(is_named) {
            return quality;
        }
        match self.0.of_the_rest() {
            Some(quality) if !coding.eq_ignore_ascii_case(IDENTITY) || quality.is_zero() => quality,
            _ if coding.eq_ignore_ascii_case(IDENTITY) => Quality::from_thousandths(1),
            _ => Quality::ZERO,
        }
    }

    /// Which of the `available` codings to use, or `identity`: the one that is wanted most, of equals the first, and
    /// `identity` after all of its equals. `None`: nothing is acceptable, not even no coding: 406, or send it plain.
    pub fn choose<'a>(&self, available: &[&'a str]) -> Option<&'a str> {
        let all = || available.iter().copied().chain([IDENTITY]);
        best(all().map(|coding| self.quality(coding))).and_then(|place| all().nth(place))
    }
}

/// The name without the `x-` of old.
fn plain(coding: &str) -> &str {
    match coding.get(..2) {
        Some(prefix) if prefix.eq_ignore_ascii_case("x-") => {
            let rest = &coding[2..];
            let is_alias = ["gzip", "compress"].iter().any(|name| rest.eq_ignore_ascii_case(name));
            if is_alias { rest } else { coding }
        }
        _ => coding,
    }
}

impl fmt::Display for AcceptEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Field for AcceptEncoding {
    const NAME: &'static str = header::ACCEPT_ENCODING;

    fn from_values<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        Some(Self::parse(values))
    }
}

/// The charsets that a client takes. Deprecated by RFC 9110; all take UTF-8.
///
/// ```
/// use callboard_core::fields::AcceptCharset;
///
/// let accept = AcceptCharset::parse([&b"iso-8859-5, unicode-1-1;q=0.8"[..]]);
/// assert_eq!(accept.quality("unicode-1-1").thousandths(), 800);
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AcceptCharset(Weights);

impl AcceptCharset {
    /// Reads all lines of the field. Nothing in them: everything is acceptable.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self(Weights::parse(lines))
    }

    /// How much a charset is wanted; 0 if it is not acceptable.
    pub fn quality(&self, charset: &str) -> Quality {
        let rest = if self.0.0.is_empty() { Quality::ONE } else { Quality::ZERO };
        self.0.named(|name| name.eq_ignore_ascii_case(charset)).or(self.0.of_the_rest()).unwrap_or(rest)
    }
}

impl fmt::Display for AcceptCharset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Field for AcceptCharset {
    const NAME: &'static str = header::ACCEPT_CHARSET;

    fn from_values<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        Some(Self::parse(values))
    }
}
