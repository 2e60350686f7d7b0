//! Header and trailer fields: an ordered multimap over one block of bytes.
//!
//! Wire order and spelling are kept; names compare without ASCII case. A received head keeps the block it came in and
//! only offsets beside it; fields that are built share a small inline block, so a typical head allocates nothing.
//! Every name in here is a token and every value is free of control bytes: that is checked where fields come in.
//! Removed bytes stay in the block until it has to grow; then only live bytes move.

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

pub(crate) use crate::entries::{Entries, Entry};
use crate::syntax::{is_field_value, is_token, trim_ows};

/// Bytes of names and values that need no allocation.
const INLINE: usize = 96;

/// The fields of a head or of trailers.
///
/// ```
/// use callboard_core::Headers;
///
/// let mut headers = Headers::new();
/// headers.append("Content-Type", "text/plain")?;
/// headers.append("Accept", "text/html")?;
/// headers.append("accept", "*/*")?;
/// assert_eq!(headers.text("content-type"), Some("text/plain"));
/// assert_eq!(headers.get_all("ACCEPT").count(), 2);
/// headers.set("Accept", "*/*")?;
/// assert_eq!(headers.len(), 2);
/// assert!(headers.append("Bad Name", "").is_err());
/// # Ok::<(), callboard_core::InvalidHeader>(())
/// ```
#[derive(Clone)]
pub struct Headers {
    block: Block,
    entries: Entries,
}

/// The bytes that entries point into.
#[derive(Clone)]
enum Block {
    /// Built here, short.
    Inline { length: u8, bytes: [u8; INLINE] },
    /// Built here, long.
    Owned(Vec<u8>),
    /// Received. Never written to.
    Received(Bytes),
}

impl Block {
    #[inline]
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Inline { length, bytes } => &bytes[..usize::from(*length)],
            Self::Owned(bytes) => bytes,
            Self::Received(bytes) => bytes,
        }
    }
}

impl Headers {
    /// No fields, and no memory.
    pub const fn new() -> Self {
        Self { block: Block::Inline { length: 0, bytes: [0; INLINE] }, entries: Entries::new() }
    }

    /// Fields that the parser found, and checked, in `block`.
    #[inline]
    pub(crate) const fn from_received(block: Bytes, entries: Entries) -> Self {
        Self { block: Block::Received(block), entries }
    }

    /// How many fields there are. A name that occurs twice counts twice.
    #[inline]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no field.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of the first field of that name.
    #[inline]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let block = self.block.as_slice();
        let entry = self.entries.iter().find(|entry| entry.is_named(block, name.as_bytes()))?;
        Some(entry.value(block))
    }

    /// The value of the first field of that name, if it is UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        core::str::from_utf8(self.get(name)?).ok()
    }

    /// The values of all fields of that name, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        let block = self.block.as_slice();
        self.entries.iter().filter(|entry| entry.is_named(block, name.as_bytes())).map(|entry| entry.value(block))
    }

    /// Whether there is a field of that name.
    #[inline]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether some field of that name lists `token` between commas, without case: `Connection: keep-alive, Upgrade`.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.get_all(name).any(|value| lists(value, token.as_bytes()))
    }

    /// All fields in order: name as spelled, and value.
    pub fn iter(&self) -> HeadersIter<'_> {
        HeadersIter { block: self.block.as_slice(), entries: self.entries.iter() }
    }

    /// All fields in order, as bytes: for the encoder.
    #[inline]
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let block = self.block.as_slice();
        self.entries.iter().map(|entry| (entry.name(block), entry.value(block)))
    }

    /// Adds a field at the end. Spaces and tabs around the value are cut off.
    pub fn append(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), InvalidHeader> {
        let value = checked(name, value.as_ref())?;
        let entry = self.store(name, value)?;
        self.entries.push(entry);
        Ok(())
    }

    /// Puts a field in the place of the first of that name and removes the others, or adds it at the end.
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), InvalidHeader> {
        let value = checked(name, value.as_ref())?;
        let stored = self.store(name, value)?;
        let block = self.block.as_slice();
        let named = |entry: &Entry| entry.is_named(block, name.as_bytes());
        match self.entries.iter().position(|entry| named(&entry)) {
            Some(place) => {
                self.entries.retain_from(place + 1, |entry| !named(entry));
                self.entries.replace(place, stored);
            }
            None => self.entries.push(stored),
        }
        Ok(())
    }

    /// Removes all fields of that name. Whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let block = self.block.as_slice();
        let before = self.entries.len();
        self.entries.retain_from(0, |entry| !entry.is_named(block, name.as_bytes()));
        self.entries.len() < before
    }

    /// Removes all fields. Memory that was allocated for them is kept for the next.
    pub fn clear(&mut self) {
        self.entries.clear();
        match &mut self.block {
            Block::Inline { length, .. } => *length = 0,
            Block::Owned(bytes) => bytes.clear(),
            Block::Received(_) => self.block = Block::Inline { length: 0, bytes: [0; INLINE] },
        }
    }

    /// Adds all fields of `other` at the end, in order. A field that does not fit in the 4 GiB of a block is left out.
    pub fn extend(&mut self, other: &Self) {
        for (name, value) in other {
            if let Ok(entry) = self.store(name, value) {
                self.entries.push(entry);
            }
        }
    }

    /// Puts a checked name and value into the block. Nothing points to them yet.
    fn store(&mut self, name: &str, value: &[u8]) -> Result<Entry, InvalidHeader> {
        let name_length = u16::try_from(name.len()).map_err(|_| InvalidHeader::TooLong)?;
        let value_length = u32::try_from(value.len()).map_err(|_| InvalidHeader::TooLong)?;
        let added = name.len() + value.len();
        if let Block::Inline { length, bytes } = &mut self.block
            && let Some(space) = bytes.get_mut(usize::from(*length)..usize::from(*length) + added)
        {
            let (name_space, value_space) = space.split_at_mut(name.len());
            name_space.copy_from_slice(name.as_bytes());
            value_space.copy_from_slice(value);
            let name_start = u32::from(*length);
            // Both are at most 96 here.
            *length += u8::try_from(added).unwrap_or_default();
            return Ok(Entry {
                name_start,
                value_start: name_start + u32::from(name_length),
                value_length,
                name_length,
            });
        }
        let bytes = self.owned(added)?;
        let name_start = u32::try_from(bytes.len()).map_err(|_| InvalidHeader::TooLong)?;
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(value);
        Ok(Entry { name_start, value_start: name_start + u32::from(name_length), value_length, name_length })
    }

    /// The block as a vector with room for `added` more, without the bytes of removed fields if it had to move.
    fn owned(&mut self, added: usize) -> Result<&mut Vec<u8>, InvalidHeader> {
        let fits = matches!(&self.block, Block::Owned(bytes) if bytes.capacity() - bytes.len() >= added);
        if !fits {
            let block = self.block.as_slice();
            let live: usize =
                self.entries.iter().map(|entry| usize::from(entry.name_length) + entry.value_length as usize).sum();
            let needed = live.checked_add(added).filter(|&needed| u32::try_from(needed).is_ok());
            let needed = needed.ok_or(InvalidHeader::TooLong)?;
            let mut bytes = Vec::with_capacity((needed + needed / 2).max(4 * INLINE));
            let mut moved = 0;
            for place in 0..self.entries.len() {
                let Some(mut entry) = self.entries.get(place) else { break };
                bytes.extend_from_slice(entry.name(block));
                bytes.extend_from_slice(entry.value(block));
                entry.name_start = moved;
                entry.value_start = moved + u32::from(entry.name_length);
                moved = entry.value_start + entry.value_length;
                self.entries.replace(place, entry);
            }
            self.block = Block::Owned(bytes);
        }
        match &mut self.block {
            Block::Owned(bytes) if u32::try_from(bytes.len() + added).is_ok() => Ok(bytes),
            _ => Err(InvalidHeader::TooLong),
        }
    }
}

/// The value without whitespace around it, if both are well-formed.
fn checked<'a>(name: &str, value: &'a [u8]) -> Result<&'a [u8], InvalidHeader> {
    if !is_token(name.as_bytes()) {
        return Err(InvalidHeader::Name);
    }
    let value = trim_ows(value);
    if is_field_value(value) { Ok(value) } else { Err(InvalidHeader::Value) }
}

/// Whether `value` lists `token` between commas.
pub(crate) fn lists(value: &[u8], token: &[u8]) -> bool {
    value.split(|&byte| byte == b',').any(|item| trim_ows(item).eq_ignore_ascii_case(token))
}

impl Default for Headers {
    fn default() -> Self {
        Self::new()
    }
}

/// Equal if the fields are, in the same order: names without case, values byte for byte.
impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.iter().zip(other).all(|((name, value), (other_name, other_value))| {
                name.eq_ignore_ascii_case(other_name) && value == other_value
            })
    }
}

impl Eq for Headers {}

/// Values that hold secrets (`Authorization`, `Proxy-Authorization`, `Cookie`, `Set-Cookie`) are not shown.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self {
            if is_secret(name) {
                map.entry(&name, &format_args!("(redacted)"));
            } else {
                map.entry(&name, &format_args!("\"{}\"", value.escape_ascii()));
            }
        }
        map.finish()
    }
}

fn is_secret(name: &str) -> bool {
    ["Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie"]
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret))
}

impl<'a> IntoIterator for &'a Headers {
    type Item = (&'a str, &'a [u8]);
    type IntoIter = HeadersIter<'a>;

    fn into_iter(self) -> HeadersIter<'a> {
        self.iter()
    }
}

/// The fields of [`Headers`] in order: name as spelled, and value.
#[derive(Clone, Debug)]
pub struct HeadersIter<'a> {
    block: &'a [u8],
    entries: crate::entries::Iter<'a>,
}

impl<'a> Iterator for HeadersIter<'a> {
    type Item = (&'a str, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.next()?;
        // Names are tokens, so they are ASCII.
        let name = core::str::from_utf8(entry.name(self.block)).unwrap_or_default();
        Some((name, entry.value(self.block)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

impl ExactSizeIterator for HeadersIter<'_> {}

/// Why a field was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvalidHeader {
    /// The name is not a token (RFC 9110 §5.1).
    Name,
    /// The value has a control byte: a line end, NUL, DEL or the like (RFC 9110 §5.5).
    Value,
    /// The name is longer than 65535 bytes, or all fields together are longer than 4 GiB.
    TooLong,
}

impl fmt::Display for InvalidHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "not a field name: a name is a token",
            Self::Value => "not a field value: it has a control byte",
            Self::TooLong => "the field is too long",
        })
    }
}

impl core::error::Error for InvalidHeader {}
