//! `Accept-Language` (RFC 9110 §12.5.4): the basic filtering and the lookup of RFC 4647.
//!
//! Filtering finds all tags that a range begins; lookup finds the one best tag, by cutting ranges from the end. A range
//! with the weight 0 takes out the tags that it begins, unless a longer range brings them back.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::fmt;

use super::accept::write_weight;
use super::accept_encoding::weighted;
use super::allow::is_language;
use super::{Field, Quality, list};
use crate::header;

/// The languages that a user prefers.
///
/// ```
/// use callboard_core::fields::AcceptLanguage;
///
/// let accept = AcceptLanguage::parse([&b"da, en-gb;q=0.8, en;q=0.7"[..]]);
/// assert_eq!(accept.lookup(&["en", "de"]), Some(0));
/// assert_eq!(accept.filter(&["en-US", "de", "da-DK"]), [2, 0]);
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AcceptLanguage(Vec<(String, Quality)>);

impl AcceptLanguage {
    /// Reads all lines of the field. What is no language range (RFC 4647 §2.1) is left out.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let ranges = lines.into_iter().flat_map(list::elements).filter_map(weighted);
        Self(ranges.filter(|(range, _)| range == "*" || is_language(range.as_bytes())).collect())
    }

    /// The ranges and their weights, as listed.
    pub fn ranges(&self) -> impl Iterator<Item = (&str, Quality)> {
        self.0.iter().map(|(range, quality)| (&range[..], *quality))
    }

    /// How much a language is wanted by basic filtering (RFC 4647 §3.3.1): the longest range that begins its tag
    /// decides, `*` if none does. Without any range all are wanted.
    pub fn quality(&self, tag: &str) -> Quality {
        if self.0.is_empty() {
            return Quality::ONE;
        }
        let rest = || self.0.iter().find(|(range, _)| range == "*").map(|(_, quality)| *quality);
        self.longest(tag).map(|(_, quality)| quality).or_else(rest).unwrap_or(Quality::ZERO)
    }

    /// The longest range that begins `tag`, apart from `*`; of equals the first.
    fn longest(&self, tag: &str) -> Option<(&str, Quality)> {
        let mut longest: Option<(&str, Quality)> = None;
        for (range, quality) in self.ranges().filter(|(range, _)| begins(range, tag)) {
            if longest.is_none_or(|(known, _)| range.len() > known.len()) {
                longest = Some((range, quality));
            }
        }
        longest
    }

    /// The places in `available` of all tags that are wanted, the most wanted first; equals in the order of
    /// `available`.
    pub fn filter(&self, available: &[&str]) -> Vec<usize> {
        let wanted = available.iter().enumerate().map(|(place, tag)| (place, self.quality(tag)));
        let mut wanted: Vec<_> = wanted.filter(|(_, quality)| !quality.is_zero()).collect();
        wanted.sort_by_key(|(_, quality)| Reverse(*quality));
        wanted.into_iter().map(|(place, _)| place).collect()
    }

    /// The place in `available` of the one tag that suits best (RFC 4647 §3.4): for each range, the most wanted first,
    /// the tag that is equal to it or to what remains of it when subtags are cut off its end. `None`: use the default.
    pub fn lookup(&self, available: &[&str]) -> Option<usize> {
        let mut ranges: Vec<_> = self.ranges().filter(|(range, quality)| *range != "*" && !quality.is_zero()).collect();
        ranges.sort_by_key(|(_, quality)| Reverse(*quality));
        // Not `*;q=0`: that a range was cut short does not make its language one of the rest. Each tag is judged once:
        // thousands of ranges may end at the same one.
        let is_excluded = |tag: &&str| self.longest(tag).is_some_and(|(_, quality)| quality.is_zero());
        let wanted: Vec<_> = available.iter().enumerate().filter(|(_, tag)| !is_excluded(tag)).collect();
        ranges.into_iter().find_map(|(range, _)| {
            let mut next = Some(range);
            while let Some(range) = next {
                if let Some((place, _)) = wanted.iter().find(|(_, tag)| tag.eq_ignore_ascii_case(range)) {
                    return Some(*place);
                }
                next = shortened(range);
            }
            None
        })
    }
}

/// Whether `range` is `tag` or is all of it before a hyphen, without case.
fn begins(range: &str, tag: &str) -> bool {
    let Some((start, rest)) = tag.as_bytes().split_at_checked(range.len()) else { return false };
    start.eq_ignore_ascii_case(range.as_bytes()) && matches!(rest.first(), None | Some(b'-'))
}

/// `range` without its last subtag, and without the single character that may then be last (RFC 4647 §3.4).
fn shortened(range: &str) -> Option<&str> {
    let (shorter, _) = range.rsplit_once('-')?;
    match shorter.rsplit_once('-') {
        Some((shortest, single)) if single.len() == 1 => Some(shortest),
        _ => Some(shorter),
    }
}

impl fmt::Display for AcceptLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (range, quality)) in self.ranges().enumerate() {
            write!(f, "{}{range}", if place == 0 { "" } else { ", " })?;
            write_weight(f, quality)?;
        }
        Ok(())
    }
}

impl Field for AcceptLanguage {
    const NAME: &'static str = header::ACCEPT_LANGUAGE;

    fn from_values<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        Some(Self::parse(values))
    }
}
