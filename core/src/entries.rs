//! Where each field's name and value lie in a block of bytes.
//!
//! Sixteen fields of a block of up to 64 KiB fit inline in 128 bytes, because heads are moved about; from the
//! seventeenth on, or past 64 KiB, all move to a vector.

use alloc::vec::Vec;

/// How many entries need no allocation: more than browsers and common clients send.
const INLINE: usize = 16;

/// One field: offsets into the block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) name_start: u32,
    pub(crate) value_start: u32,
    pub(crate) value_length: u32,
    pub(crate) name_length: u16,
}

/// The same, near the start of its block.
#[derive(Clone, Copy, Debug)]
struct Near {
    name_start: u16,
    value_start: u16,
    value_length: u16,
    name_length: u16,
}

impl Entry {
    /// An entry at these offsets, if they fit.
    #[inline]
    pub(crate) fn new(name_start: usize, name_length: usize, value_start: usize, value_length: usize) -> Option<Self> {
        Some(Self {
            name_start: u32::try_from(name_start).ok()?,
            value_start: u32::try_from(value_start).ok()?,
            value_length: u32::try_from(value_length).ok()?,
            name_length: u16::try_from(name_length).ok()?,
        })
    }

    /// The name, or nothing if the offsets are not of this block.
    #[inline]
    pub(crate) fn name<'a>(&self, block: &'a [u8]) -> &'a [u8] {
        let start = self.name_start as usize;
        block.get(start..start + usize::from(self.name_length)).unwrap_or_default()
    }

    /// The value, or nothing if the offsets are not of this block.
    #[inline]
    pub(crate) fn value<'a>(&self, block: &'a [u8]) -> &'a [u8] {
        let start = self.value_start as usize;
        block.get(start..start + self.value_length as usize).unwrap_or_default()
    }

    /// Whether the name is `name`, without case.
    #[inline]
    pub(crate) fn is_named(&self, block: &[u8], name: &[u8]) -> bool {
        usize::from(self.name_length) == name.len() && self.name(block).eq_ignore_ascii_case(name)
    }
}

impl Near {
    const NONE: Self = Self { name_start: 0, value_start: 0, value_length: 0, name_length: 0 };

    #[inline]
    fn new(entry: Entry) -> Option<Self> {
        Some(Self {
            name_start: u16::try_from(entry.name_start).ok()?,
            value_start: u16::try_from(entry.value_start).ok()?,
            value_length: u16::try_from(entry.value_length).ok()?,
            name_length: entry.name_length,
        })
    }

    #[inline]
    fn entry(self) -> Entry {
        Entry {
            name_start: u32::from(self.name_start),
            value_start: u32::from(self.value_start),
            value_length: u32::from(self.value_length),
            name_length: self.name_length,
        }
    }
}

/// The entries of a head, in wire order.
#[derive(Clone, Debug)]
pub(crate) struct Entries {
    inline: [Near; INLINE],
    /// How many of `inline` are used, while `spilled` is empty.
    length: u8,
    /// All entries, once they do not fit inline.
    spilled: Vec<Entry>,
}

impl Default for Entries {
    fn default() -> Self {
        Self::new()
    }
}

impl Entries {
    pub(crate) const fn new() -> Self {
        Self { inline: [Near::NONE; INLINE], length: 0, spilled: Vec::new() }
    }

    /// Takes the entries out, and leaves none. What was inline is not cleared, which would cost as much as the copy.
    #[inline]
    pub(crate) fn take(&mut self) -> Self {
        let length = core::mem::take(&mut self.length);
        Self { inline: self.inline, length, spilled: core::mem::take(&mut self.spilled) }
    }

    #[inline]
    pub(crate) fn push(&mut self, entry: Entry) {
        if self.spilled.is_empty() {
            if let (Some(slot), Some(near)) = (self.inline.get_mut(usize::from(self.length)), Near::new(entry)) {
                *slot = near;
                self.length += 1;
                return;
            }
            self.spill();
        }
        self.spilled.push(entry);
    }

    /// Adds the entry at these offsets. False if they do not fit one.
    #[inline]
    pub(crate) fn push_at(&mut self, name_start: usize, name_length: usize, value_start: usize, end: usize) -> bool {
        // One look tells that all of a usual entry is near: nothing in it is larger than its end.
        if u16::try_from(end).is_ok()
            && self.spilled.is_empty()
            && let Some(slot) = self.inline.get_mut(usize::from(self.length))
        {
            #[expect(clippy::cast_possible_truncation, reason = "no offset is larger than the end")]
            let near = |number: usize| number as u16;
            *slot = Near {
                name_start: near(name_start),
                value_start: near(value_start),
                value_length: near(end.wrapping_sub(value_start)),
                name_length: near(name_length),
            };
            self.length += 1;
            return true;
        }
        let entry = Entry::new(name_start, name_length, value_start, end.wrapping_sub(value_start));
        entry.is_some_and(|entry| {
            self.push(entry);
            true
        })
    }

    /// Moves the entries to the vector, in which they stay.
    #[cold]
    fn spill(&mut self) {
        self.spilled.reserve(2 * INLINE);
        self.spilled.extend(self.inline[..usize::from(self.length)].iter().map(|near| near.entry()));
        self.length = 0;
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        usize::from(self.length) + self.spilled.len()
    }

    pub(crate) fn clear(&mut self) {
        self.length = 0;
        self.spilled.clear();
    }

    /// The entry at `place`.
    #[inline]
    pub(crate) fn get(&self, place: usize) -> Option<Entry> {
        match self.inline[..usize::from(self.length)].get(place) {
            Some(near) => Some(near.entry()),
            None => self.spilled.get(place).copied(),
        }
    }

    /// Puts another entry at `place`.
    pub(crate) fn replace(&mut self, place: usize, entry: Entry) {
        if let Some(slot) = self.inline[..usize::from(self.length)].get_mut(place) {
            if let Some(near) = Near::new(entry) {
                *slot = near;
                return;
            }
            self.spill();
        }
        if let Some(slot) = self.spilled.get_mut(place) {
            *slot = entry;
        }
    }

    #[inline]
    pub(crate) fn iter(&self) -> Iter<'_> {
        Iter { inline: self.inline[..usize::from(self.length)].iter(), spilled: self.spilled.iter() }
    }

    /// Keeps the entries from `start` on for which `keep` holds, and all before.
    pub(crate) fn retain_from(&mut self, start: usize, mut keep: impl FnMut(&Entry) -> bool) {
        let length = self.len();
        let start = start.min(length);
        let mut kept = start;
        for place in start..length {
            let Some(entry) = self.get(place) else { break };
            if keep(&entry) {
                self.replace(kept, entry);
                kept += 1;
            }
        }
        if self.spilled.is_empty() {
            self.length = u8::try_from(kept).unwrap_or(self.length);
        } else {
            self.spilled.truncate(kept);
        }
    }
}

/// The entries in order.
#[derive(Clone, Debug)]
pub(crate) struct Iter<'a> {
    inline: core::slice::Iter<'a, Near>,
    spilled: core::slice::Iter<'a, Entry>,
}

impl Iterator for Iter<'_> {
    type Item = Entry;

    #[inline]
    fn next(&mut self) -> Option<Entry> {
        match self.inline.next() {
            Some(near) => Some(near.entry()),
            None => self.spilled.next().copied(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let length = self.inline.len() + self.spilled.len();
        (length, Some(length))
    }
}
