//! The bytes that a machine wants sent.
//!
//! Small writes are copied behind one another into one scratch vector; large blocks are kept whole and gathered. A
//! block remembers the place in the scratch before which it stands, so order is `scratch[..a]`, block,
//! `scratch[a..b]`, block, ... Memory is given back when the queue is drained, and the sent part of a scratch that is
//! never quite drained is cut off when it passes 64 KiB.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use bytes::{Buf, Bytes};

/// Blocks up to this length are copied: below it, a copy is cheaper than one more piece in a vectored write.
const COPY_LIMIT: usize = 4 * 1024;

/// How long the sent part of the scratch may grow, and the largest scratch that is kept when drained.
const SCRATCH_LIMIT: usize = 64 * 1024;

/// Bytes to send, in order. Read it through [`bytes::Buf`]; write it vectored through [`chunks`](Self::chunks) or,
/// with the `std` feature, `Buf::chunks_vectored`.
///
/// ```
/// use bytes::{Buf, Bytes};
/// use callboard_core::SendQueue;
///
/// let mut queue = SendQueue::new();
/// queue.put_slice(b"HTTP/1.1 200 OK\r\n\r\n");
/// queue.put_bytes(Bytes::from_static(b"hello"));
/// assert_eq!(queue.len(), 24);
/// assert_eq!(queue.chunk(), b"HTTP/1.1 200 OK\r\n\r\nhello");
/// queue.advance(24);
/// assert!(queue.is_empty());
/// assert_eq!(queue.total_sent(), 24);
/// ```
#[derive(Default)]
pub struct SendQueue {
    scratch: Vec<u8>,
    /// How much of `scratch` is sent.
    sent: usize,
    /// Large blocks, each with the place in `scratch` before which it stands. Places never decrease.
    blocks: VecDeque<(usize, Bytes)>,
    /// Unsent bytes, of `scratch` and `blocks` together.
    remaining: usize,
    total_sent: u64,
}

impl SendQueue {
    /// An empty queue that owns no memory.
    pub const fn new() -> Self {
        Self { scratch: Vec::new(), sent: 0, blocks: VecDeque::new(), remaining: 0, total_sent: 0 }
    }

    /// Unsent bytes.
    #[inline]
    pub const fn len(&self) -> usize {
        self.remaining
    }

    /// Whether everything is sent.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.remaining == 0
    }

    /// Bytes sent in the life of this queue: all that [`Buf::advance`] passed over.
    pub const fn total_sent(&self) -> u64 {
        self.total_sent
    }

    /// Appends a copy.
    #[inline]
    pub fn put_slice(&mut self, bytes: &[u8]) {
        self.scratch.extend_from_slice(bytes);
        self.remaining += bytes.len();
    }

    /// Appends a copy that `change` may alter in place.
    #[cfg(feature = "websocket")]
    #[inline]
    pub(crate) fn put_changed(&mut self, bytes: &[u8], change: impl FnOnce(&mut [u8])) {
        let start = self.scratch.len();
        self.put_slice(bytes);
        change(&mut self.scratch[start..]);
    }

    /// Appends `name: value` and CRLF.
    #[inline]
    pub fn put_field(&mut self, name: &[u8], value: &[u8]) {
        self.scratch.reserve(name.len() + value.len() + 4);
        self.put_slice(name);
        self.put_slice(b": ");
        self.put_slice(value);
        self.put_slice(b"\r\n");
    }

    /// Appends a block: copied up to 4 KiB, above that kept as it is.
    #[inline]
    pub fn put_bytes(&mut self, bytes: Bytes) {
        if bytes.len() <= COPY_LIMIT {
            self.put_slice(&bytes);
        } else {
            self.remaining += bytes.len();
            self.blocks.push_back((self.scratch.len(), bytes));
        }
    }

    /// Appends `number` in decimal.
    pub fn put_decimal(&mut self, mut number: u64) {
        // Most lengths and all statuses have up to three digits.
        if let Ok(small @ ..1000) = u16::try_from(number) {
            let digit = |value: u16| b'0' + (value % 10) as u8;
            return match small {
                100.. => self.put_slice(&[digit(small / 100), digit(small / 10), digit(small)]),
                10.. => self.put_slice(&[digit(small / 10), digit(small)]),
                _ => self.put_slice(&[digit(small)]),
            };
        }
        let mut digits = [b'0'; 20];
        let mut start = digits.len();
        loop {
            start -= 1;
            digits[start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.put_slice(&digits[start..]);
    }

    /// Appends `number` in lower-case hexadecimal, without leading zeros.
    pub fn put_hexadecimal(&mut self, mut number: u64) {
        let mut digits = [b'0'; 16];
        let mut start = digits.len();
        loop {
            start -= 1;
            digits[start] = b"0123456789abcdef"[(number % 16) as usize];
            number /= 16;
            if number == 0 {
                break;
            }
        }
        self.put_slice(&digits[start..]);
    }

    /// Whether the queue owns memory to write into.
    #[inline]
    pub const fn has_scratch(&self) -> bool {
        self.scratch.capacity() > 0
    }

    /// The unsent bytes as slices in order, none empty: what a vectored write takes.
    pub fn chunks(&self) -> Chunks<'_> {
        Chunks { queue: self, sent: self.sent, block: 0 }
    }

    /// Takes the scratch memory away, so that an idle connection owns none. An unsent byte keeps it here, and the
    /// result is then an empty vector without capacity.
    pub fn take_scratch(&mut self) -> Vec<u8> {
        if self.is_empty() { core::mem::take(&mut self.scratch) } else { Vec::new() }
    }

    /// Gives memory to write into; its content is thrown away. Dropped if the queue already has more, or has unsent
    /// bytes.
    pub fn give_scratch(&mut self, mut scratch: Vec<u8>) {
        if self.is_empty() && scratch.capacity() > self.scratch.capacity() {
            scratch.clear();
            self.scratch = scratch;
        }
    }

    /// Throws everything unsent away; it does not count as sent.
    pub fn clear(&mut self) {
        self.blocks.clear();
        self.remaining = 0;
        self.reclaim();
    }

    /// After everything was sent: back to an empty scratch, and no large memory kept.
    fn reclaim(&mut self) {
        self.sent = 0;
        if self.scratch.capacity() > SCRATCH_LIMIT {
            self.scratch = Vec::new();
        } else {
            self.scratch.clear();
        }
    }

    /// `advance` where blocks stand in the queue: piece by piece.
    #[cold]
    fn advance_over_blocks(&mut self, mut count: usize) {
        while count > 0 {
            let Some((place, block)) = self.blocks.front_mut() else {
                self.sent += count;
                break;
            };
            if *place > self.sent {
                let step = count.min(*place - self.sent);
                self.sent += step;
                count -= step;
            } else if count < block.len() {
                block.advance(count);
                break;
            } else {
                count -= block.len();
                self.blocks.pop_front();
            }
        }
    }

    /// Cuts the sent part off the scratch. Only when it is at least half, so each byte is moved once on average.
    fn compact(&mut self) {
        self.scratch.drain(..self.sent);
        for (place, _) in &mut self.blocks {
            *place -= self.sent;
        }
        self.sent = 0;
    }
}

impl Buf for SendQueue {
    #[inline]
    fn remaining(&self) -> usize {
        self.remaining
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        match self.blocks.front() {
            None => &self.scratch[self.sent..],
            Some(_) => self.chunks().next().unwrap_or_default(),
        }
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, target: &mut [std::io::IoSlice<'a>]) -> usize {
        let mut filled = 0;
        for (slot, chunk) in target.iter_mut().zip(self.chunks()) {
            *slot = std::io::IoSlice::new(chunk);
            filled += 1;
        }
        filled
    }

    /// # Panics
    /// If `count` is more than `remaining`, as [`Buf`] asks.
    #[inline]
    fn advance(&mut self, count: usize) {
        assert!(count <= self.remaining, "advanced {count} bytes of {}", self.remaining);
        self.remaining -= count;
        self.total_sent += count as u64;
        if self.remaining == 0 {
            self.blocks.clear();
            self.reclaim();
            return;
        }
        if self.blocks.is_empty() {
            self.sent += count;
        } else {
            self.advance_over_blocks(count);
        }
        if self.sent >= SCRATCH_LIMIT && self.sent >= self.scratch.len() / 2 {
            self.compact();
        }
    }
}

impl fmt::Write for SendQueue {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put_slice(text.as_bytes());
        Ok(())
    }
}

impl fmt::Debug for SendQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendQueue")
            .field("remaining", &self.remaining)
            .field("blocks", &self.blocks.len())
            .field("total_sent", &self.total_sent)
            .finish_non_exhaustive()
    }
}

/// The unsent bytes of a [`SendQueue`] as slices in order. Made by [`SendQueue::chunks`].
#[derive(Clone, Debug)]
pub struct Chunks<'a> {
    queue: &'a SendQueue,
    sent: usize,
    block: usize,
}

impl<'a> Iterator for Chunks<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let queue = self.queue;
        let block = queue.blocks.get(self.block);
        let end = block.map_or(queue.scratch.len(), |(place, _)| *place);
        if self.sent < end {
            let chunk = &queue.scratch[self.sent..end];
            self.sent = end;
            return Some(chunk);
        }
        self.block += 1;
        block.map(|(_, bytes)| &bytes[..])
    }
}
