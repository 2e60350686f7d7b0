//! Where each field's name and value lie in a block of bytes. Sixteen fit inline; with the seventeenth all move to a
//! vector.

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

impl Entry {
    const NONE: Self = Self { name_start: 0, value_start: 0, value_length: 0, name_length: 0 };

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

/// The entries of a head, in wire order.
#[derive(Clone, Debug)]
pub(crate) struct Entries {
    inline: [Entry; INLINE],
    /// How many of `inline` are used, while `spilled` is empty.
    length: usize,
    /// All entries, once they are more than fit inline.
    spilled: Vec<Entry>,
}

impl Default for Entries {
    fn default() -> Self {
        Self::new()
    }
}

impl Entries {
    pub(crate) const fn new() -> Self {
        Self { inline: [Entry::NONE; INLINE], length: 0, spilled: Vec::new() }
    }

    #[inline]
    pub(crate) fn push(&mut self, entry: Entry) {
        if self.spilled.is_empty() {
            if let Some(slot) = self.inline.get_mut(self.length) {
                *slot = entry;
                self.length += 1;
                return;
            }
            self.spill();
        }
        self.spilled.push(entry);
    }

    #[cold]
    fn spill(&mut self) {
        self.spilled.reserve(2 * INLINE);
        self.spilled.extend_from_slice(&self.inline[..self.length]);
        self.length = 0;
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.as_slice().len()
    }

    pub(crate) fn clear(&mut self) {
        self.length = 0;
        self.spilled.clear();
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[Entry] {
        if self.spilled.is_empty() { &self.inline[..self.length] } else { &self.spilled }
    }

    #[inline]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [Entry] {
        if self.spilled.is_empty() { &mut self.inline[..self.length] } else { &mut self.spilled }
    }

    #[inline]
    pub(crate) fn iter(&self) -> core::slice::Iter<'_, Entry> {
        self.as_slice().iter()
    }

    /// Keeps the entries from `start` on for which `keep` holds, and all before.
    pub(crate) fn retain_from(&mut self, start: usize, mut keep: impl FnMut(&Entry) -> bool) {
        let entries = self.as_mut_slice();
        let start = start.min(entries.len());
        let mut kept = start;
        for index in start..entries.len() {
            if keep(&entries[index]) {
                entries[kept] = entries[index];
                kept += 1;
            }
        }
        if self.spilled.is_empty() {
            self.length = kept;
        } else {
            self.spilled.truncate(kept);
        }
    }
}
