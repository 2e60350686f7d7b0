//! The bytes that a machine wants sent (stand-in, being replaced).

use bytes::{Buf, Bytes, BytesMut};

/// Bytes to send, in order.
#[derive(Debug, Default)]
pub struct SendQueue(BytesMut);

impl SendQueue {
    /// Appends a copy.
    pub fn put_slice(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
    /// Appends a block.
    pub fn put_bytes(&mut self, bytes: Bytes) {
        self.0.extend_from_slice(&bytes);
    }
}

impl Buf for SendQueue {
    fn remaining(&self) -> usize {
        self.0.len()
    }
    fn chunk(&self) -> &[u8] {
        &self.0
    }
    fn advance(&mut self, count: usize) {
        self.0.advance(count);
    }
}
