//! Entity tags and lists of them (RFC 9110 §8.8.3, §13.1.1, §13.1.2).
//!
//! A tag is opaque: between its quotes a backslash escapes nothing and a comma separates nothing. Weak comparison
//! looks at the opaque part alone; strong comparison wants both tags strong (§8.8.3.2).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::{Field, list, single};
use crate::header;
use crate::syntax::trim_ows;

/// An entity tag: `"strong"` or `W/"weak"`. As a field: `ETag`.
///
/// ```
/// use callboard_core::fields::EntityTag;
///
/// let weak = EntityTag::weak("1")?;
/// let strong = EntityTag::strong("1")?;
/// assert!(weak.weakly_equals(&strong) && !weak.strongly_equals(&strong));
/// assert_eq!(weak.to_string(), "W/\"1\"");
/// # Ok::<(), callboard_core::fields::InvalidEntityTag>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct EntityTag {
    is_weak: bool,
    opaque: Box<str>,
}

impl EntityTag {
    /// A strong tag: it changes with every byte of the representation.
    pub fn strong(opaque: &str) -> Result<Self, InvalidEntityTag> {
        Self::new(false, opaque)
    }

    /// A weak tag: it changes when the meaning does.
    pub fn weak(opaque: &str) -> Result<Self, InvalidEntityTag> {
        Self::new(true, opaque)
    }

    fn new(is_weak: bool, opaque: &str) -> Result<Self, InvalidEntityTag> {
        if opaque.bytes().all(is_tag_byte) {
            Ok(Self { is_weak, opaque: opaque.into() })
        } else {
            Err(InvalidEntityTag)
        }
    }

    /// Reads one tag and nothing else. A tag that is not UTF-8 is not taken.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (tag, rest) = Tag::take(text)?;
        if rest.is_empty() { tag.to_owned() } else { None }
    }

    /// Whether it is weak.
    pub fn is_weak(&self) -> bool {
        self.is_weak
    }

    /// What is between the quotes.
    pub fn opaque(&self) -> &str {
        &self.opaque
    }

    /// Equal as far as the meaning goes: the opaque parts are the same.
    pub fn weakly_equals(&self, other: &Self) -> bool {
        self.opaque == other.opaque
    }

    /// Equal byte for byte: both are strong, and the opaque parts are the same.
    pub fn strongly_equals(&self, other: &Self) -> bool {
        !self.is_weak && !other.is_weak && self.opaque == other.opaque
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\"{}\"", if self.is_weak { "W/" } else { "" }, self.opaque)
    }
}

/// `ETag`. Two of them are none.
impl Field for EntityTag {
    const NAME: &'static str = header::ETAG;

    fn from_values<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        Self::parse(single(values)?)
    }
}

/// The text cannot stand in an entity tag: it has a space, a quote or a control character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidEntityTag;

impl fmt::Display for InvalidEntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entity tag has no spaces, quotes and control characters (RFC 9110, 8.8.3)")
    }
}

impl core::error::Error for InvalidEntityTag {}

/// What `If-Match` and `If-None-Match` say: `*`, or tags.
///
/// ```
/// use callboard_core::fields::EntityTags;
///
/// let EntityTags::Listed(tags) = EntityTags::parse([&b"\"a,b\", W/\"c\""[..]]).unwrap() else { unreachable!() };
/// assert_eq!(tags.len(), 2);
/// assert_eq!(tags[0].opaque(), "a,b");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EntityTags {
    /// `*`: any current representation.
    Any,
    /// One of these.
    Listed(Vec<EntityTag>),
}

impl EntityTags {
    /// Reads all lines of the field; `None` if something in them is malformed.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let mut tags = Vec::new();
        let mut is_any = false;
        for line in lines {
            match trim_ows(line) {
                b"*" if !is_any && tags.is_empty() => is_any = true,
                _ if is_any => return None,
                line => {
                    for tag in Tags(line) {
                        tags.push(tag?.to_owned()?);
                    }
                }
            }
        }
        match (is_any, tags.is_empty()) {
            (true, _) => Some(Self::Any),
            (false, false) => Some(Self::Listed(tags)),
            (false, true) => None,
        }
    }
}

impl fmt::Display for EntityTags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Listed(tags) => list::write_joined(f, tags, ", "),
        }
    }
}

/// A tag where it stands. Any bytes from 0x80 on are a part of it.
#[derive(Clone, Copy)]
pub(super) struct Tag<'a> {
    is_weak: bool,
    opaque: &'a [u8],
}

impl<'a> Tag<'a> {
    /// The tag that `text` begins with, and what follows it.
    pub(super) fn take(text: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (is_weak, quoted) = match text.strip_prefix(b"W/") {
            Some(quoted) => (true, quoted),
            None => (false, text),
        };
        let inner = quoted.strip_prefix(b"\"")?;
        let length = inner.iter().position(|&byte| !is_tag_byte(byte))?;
        let rest = inner[length..].strip_prefix(b"\"")?;
        Some((Self { is_weak, opaque: &inner[..length] }, rest))
    }

    pub(super) fn weakly_equals(self, other: &EntityTag) -> bool {
        self.opaque == other.opaque.as_bytes()
    }

    pub(super) fn strongly_equals(self, other: &EntityTag) -> bool {
        !self.is_weak && !other.is_weak && self.weakly_equals(other)
    }

    fn to_owned(self) -> Option<EntityTag> {
        let opaque = core::str::from_utf8(self.opaque).ok()?;
        Some(EntityTag { is_weak: self.is_weak, opaque: opaque.into() })
    }
}

/// The tags of one line between commas; `None` once, at the end, for what is malformed.
pub(super) struct Tags<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Tags<'a> {
    type Item = Option<Tag<'a>>;

    fn next(&mut self) -> Option<Option<Tag<'a>>> {
        while let [b' ' | b'\t' | b',', rest @ ..] = self.0 {
            self.0 = rest;
        }
        if self.0.is_empty() {
            return None;
        }
        let Some((tag, rest)) = Tag::take(core::mem::take(&mut self.0)) else { return Some(None) };
        let rest = trim_ows(rest);
        // After a tag the list ends or a comma goes on with it.
        if !matches!(rest.first(), None | Some(b',')) {
            return Some(None);
        }
        self.0 = rest;
        Some(Some(tag))
    }
}

/// `etagc` of RFC 9110 §8.8.3.
const fn is_tag_byte(byte: u8) -> bool {
    byte == 0x21 || (byte >= 0x23 && byte != 0x7f)
}
