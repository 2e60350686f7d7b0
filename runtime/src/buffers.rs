//! Read buffers and scratch memory lent per thread, so that an idle connection owns none.
//!
//! A connection never changes thread on a worker, so the pool is the thread's; elsewhere a buffer that moved merely
//! ends in another thread's pool.

use std::cell::{Cell, RefCell};

use bytes::BytesMut;

/// Size of a fresh buffer, bytes.
const CAPACITY: usize = 32 * 1024;
/// A buffer with less room left than this is replaced before the next read.
const LEAST_ROOM: usize = 8 * 1024;
/// Buffers kept per thread beside the one on top: 2 MiB, and with the large ones 4 MiB at most.
const KEPT: usize = 64;
/// A buffer with more room than this is large: of such few are kept.
const LARGE: usize = 64 * 1024;
const LARGE_KEPT: usize = 16;

/// Scratch memory larger than this is freed rather than kept.
const SCRATCH_KEPT: usize = 64 * 1024;

thread_local! {
    static POOL: Pool = const { Pool { buffers: Shelf::new(), scratch: Shelf::new() } };
}

struct Pool {
    buffers: Shelf<BytesMut>,
    scratch: Shelf<Vec<u8>>,
}

/// Memory of one kind. What was given last is on top: mostly the next one takes just that.
struct Shelf<T> {
    top: Cell<Option<T>>,
    others: RefCell<Vec<T>>,
}

impl<T> Shelf<T> {
    const fn new() -> Self {
        Self { top: Cell::new(None), others: RefCell::new(Vec::new()) }
    }

    #[inline]
    fn take(&self) -> Option<T> {
        self.top.take().or_else(|| self.take_other())
    }

    #[cold]
    fn take_other(&self) -> Option<T> {
        self.others.borrow_mut().pop()
    }

    /// Puts `memory` on top; what was there stays if there are fewer others than `kept` says for it.
    #[inline]
    fn give(&self, memory: T, kept: impl FnOnce(&T) -> usize) {
        if let Some(other) = self.top.replace(Some(memory)) {
            self.give_other(kept(&other), other);
        }
    }

    #[cold]
    fn give_other(&self, kept: usize, memory: T) {
        let mut others = self.others.borrow_mut();
        if others.len() < kept {
            others.push(memory);
        }
    }
}

/// The thread's pool of read buffers and of scratch memory.
#[derive(Debug)]
pub struct Buffers;

impl Buffers {
    /// An empty buffer with room.
    #[inline]
    pub fn take() -> BytesMut {
        POOL.try_with(|pool| pool.buffers.take()).ok().flatten().unwrap_or_default()
    }

    /// Makes room for the next read, in place where nobody else holds a part of the block.
    #[inline]
    pub fn make_room(buffer: &mut BytesMut) {
        if buffer.capacity() - buffer.len() < LEAST_ROOM {
            buffer.reserve(CAPACITY.max(buffer.len()));
        }
    }

    /// Gives a buffer back; what is still in it is dropped.
    #[inline]
    pub fn give(mut buffer: BytesMut) {
        if buffer.capacity() == 0 {
            return;
        }
        buffer.clear();
        let kept = |buffer: &BytesMut| if buffer.capacity() > LARGE { LARGE_KEPT } else { KEPT };
        let _ = POOL.try_with(|pool| pool.buffers.give(buffer, kept));
    }

    /// Memory to write answers into, empty.
    #[inline]
    pub fn take_scratch() -> Vec<u8> {
        let kept = POOL.try_with(|pool| pool.scratch.take()).ok().flatten();
        kept.unwrap_or_else(|| Vec::with_capacity(4 * 1024))
    }

    /// Gives it back; what is still in it is dropped.
    #[inline]
    pub fn give_scratch(mut scratch: Vec<u8>) {
        if scratch.capacity() == 0 || scratch.capacity() > SCRATCH_KEPT {
            return;
        }
        scratch.clear();
        let _ = POOL.try_with(|pool| pool.scratch.give(scratch, |_| KEPT));
    }
}

/// What one read of a connection may bring, by what the last ones brought: a peer that fills its buffer is read in
/// larger steps, so that a large message costs one call. Counts alone decide: room depends on the buffer the pool had.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected(u32);

impl Expected {
    const LEAST: u32 = 32 * 1024;
    const MOST: u32 = 128 * 1024;

    /// A read has brought so many bytes.
    pub(crate) fn note(&mut self, count: usize) {
        let expected = self.0 as usize;
        if count >= expected {
            self.0 = (self.0 * 2).min(Self::MOST);
        } else if count < expected / 4 {
            self.0 = (self.0 - self.0 / 8).max(Self::LEAST);
        }
    }

    /// Makes room for the next read: in an empty buffer for all that may come.
    pub(crate) fn make_room(self, buffer: &mut BytesMut) {
        let expected = self.0 as usize;
        if buffer.is_empty() && self.0 > Self::LEAST && buffer.capacity() < expected {
            buffer.reserve(expected);
        } else {
            Buffers::make_room(buffer);
        }
    }
}

impl Default for Expected {
    fn default() -> Self {
        Self(Self::LEAST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_fills_its_buffer_gets_a_larger_one_until_it_is_quiet_again() {
        let mut expected = Expected::default();
        for (count, after) in [(100, 32), (32, 32), (32 * 1024, 64), (64 * 1024, 128), (1 << 20, 128), (70_000, 128)] {
            expected.note(count);
            assert_eq!(expected.0, after * 1024);
        }
        let mut buffer = BytesMut::new();
        expected.make_room(&mut buffer);
        assert!(buffer.capacity() >= 128 * 1024);
        // In the middle of a message its machine has made room for the rest.
        let mut begun = BytesMut::from(&[0; 100][..]);
        begun.reserve(9000);
        let room = begun.capacity();
        expected.make_room(&mut begun);
        assert_eq!(begun.capacity(), room);
        for _ in 0..20 {
            expected.note(10);
        }
        assert_eq!(expected.0, 32 * 1024);
    }

    #[test]
    fn of_large_buffers_few_are_kept() {
        for _ in 0..100 {
            Buffers::give(BytesMut::with_capacity(128 * 1024));
        }
        let kept = std::iter::from_fn(|| Some(Buffers::take().capacity()).filter(|room| *room > 0)).count();
        // And the one on top.
        assert_eq!(kept, LARGE_KEPT + 1);
    }
}
