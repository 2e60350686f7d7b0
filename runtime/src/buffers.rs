//! Read buffers and scratch memory lent per thread, so that an idle connection owns none.
//!
//! A connection never changes thread on a worker, so the pool is the thread's; elsewhere a buffer that moved merely
//! ends in another thread's pool.

use std::cell::RefCell;

use bytes::BytesMut;

/// Size of a fresh buffer, bytes.
const CAPACITY: usize = 32 * 1024;
/// A buffer with less room left than this is replaced before the next read.
const LEAST_ROOM: usize = 8 * 1024;
/// Buffers kept per thread: 2 MiB.
const KEPT: usize = 64;

/// Scratch memory larger than this is freed rather than kept.
const SCRATCH_KEPT: usize = 64 * 1024;

thread_local! {
    static POOL: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
    static SCRATCH: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// The thread's pool of read buffers and of scratch memory.
#[derive(Debug)]
pub struct Buffers;

impl Buffers {
    /// An empty buffer with room.
    pub fn take() -> BytesMut {
        POOL.try_with(|pool| pool.borrow_mut().pop()).ok().flatten().unwrap_or_default()
    }

    /// Makes room for the next read, in place where nobody else holds a part of the block.
    pub fn make_room(buffer: &mut BytesMut) {
        if buffer.capacity() - buffer.len() < LEAST_ROOM {
            buffer.reserve(CAPACITY.max(buffer.len()));
        }
    }

    /// Gives a buffer back; what is still in it is dropped.
    pub fn give(mut buffer: BytesMut) {
        if buffer.capacity() == 0 {
            return;
        }
        buffer.clear();
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < KEPT {
                pool.push(buffer);
            }
        });
    }

    /// Memory to write answers into, empty.
    pub fn take_scratch() -> Vec<u8> {
        let kept = SCRATCH.try_with(|pool| pool.borrow_mut().pop()).ok().flatten();
        kept.unwrap_or_else(|| Vec::with_capacity(4 * 1024))
    }

    /// Gives it back; what is still in it is dropped.
    pub fn give_scratch(mut scratch: Vec<u8>) {
        if scratch.capacity() == 0 || scratch.capacity() > SCRATCH_KEPT {
            return;
        }
        scratch.clear();
        let _ = SCRATCH.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < KEPT {
                pool.push(scratch);
            }
        });
    }
}
