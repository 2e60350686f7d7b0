//! A reader of the application as the source of a body.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_io::AsyncRead;
use futures_lite::Stream;

/// Bytes of a fresh block, the most that one read gives.
const BLOCK: usize = 16 * 1024;
/// A block with less left is replaced before the next read.
const LEAST: usize = 2 * 1024;

/// Reads a reader in chunks.
pub(super) struct ReaderSource<R> {
    reader: Pin<Box<R>>,
    block: BytesMut,
    ended: bool,
}

impl<R> ReaderSource<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader: Box::pin(reader), block: BytesMut::new(), ended: false }
    }
}

impl<R: AsyncRead> Stream for ReaderSource<R> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        if this.block.len() < LEAST {
            this.block = BytesMut::zeroed(BLOCK);
        }
        match ready!(this.reader.as_mut().poll_read(context, &mut this.block)) {
            Ok(0) => {
                this.ended = true;
                Poll::Ready(None)
            }
            Ok(count) => Poll::Ready(Some(Ok(this.block.split_to(count).freeze()))),
            Err(error) => {
                this.ended = true;
                Poll::Ready(Some(Err(error)))
            }
        }
    }
}
