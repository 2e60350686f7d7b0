//! A stream of the simulated network.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::BytesMut;
use callboard_runtime::{Stream, StreamInfo};
use futures_io::{AsyncRead, AsyncWrite};

use crate::event::End;
use crate::world::Shared;

/// Room that a read makes in a buffer without any.
const ROOM: usize = 16 * 1024;
/// Room from which on a buffer counts as lent for reading. A caller that lends less means just that much.
const LENT: usize = 2 * 1024;

/// One end of a connection.
pub(crate) struct SimStream {
    shared: Arc<Shared>,
    end: End,
    info: StreamInfo,
}

impl SimStream {
    pub(crate) fn new(shared: Arc<Shared>, end: End) -> io::Result<Self> {
        match shared.with(|world| world.fabric.info(end)) {
            Some(info) => Ok(Self { shared, end, info }),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn read(&self, context: &Context<'_>, room: usize, take: &mut dyn FnMut(&[u8])) -> Poll<io::Result<usize>> {
        self.shared.with(|world| {
            let (fabric, clock) = (&mut world.fabric, &mut world.clock);
            fabric.poll_read(clock, self.end, room, context.waker(), take)
        })
    }

    fn write(&self, context: &Context<'_>, parts: &[&[u8]]) -> Poll<io::Result<usize>> {
        self.shared.with(|world| {
            let (fabric, clock) = (&mut world.fabric, &mut world.clock);
            fabric.poll_write(clock, self.end, parts, context.waker())
        })
    }
}

/// How much to read, whatever the capacity of the buffer happens to be.
///
/// A buffer that comes from a pool brings a capacity that depends on what ran on this thread before, and that must not
/// show. So a lent buffer counts as one of 16 KiB if it is empty (a completion-based runtime would hand over a buffer
/// of its own), and as one of 2 KiB if not.
fn room(buffer: &BytesMut) -> usize {
    match buffer.capacity() - buffer.len() {
        0 => ROOM,
        small if small < LENT => small,
        _ if buffer.is_empty() => ROOM,
        _ => LENT,
    }
}

impl Stream for SimStream {
    fn poll_fill(&mut self, context: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        let room = room(buffer);
        self.read(context, room, &mut |bytes| buffer.extend_from_slice(bytes))
    }

    fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.with(|world| world.fabric.poll_readable(&mut world.clock, self.end, context.waker()))
    }

    fn holds_back(&self) -> bool {
        false
    }

    fn info(&self) -> StreamInfo {
        self.info.clone()
    }

    fn abort_on_drop(&mut self) {
        self.shared.with(|world| world.fabric.abort_on_drop(self.end));
    }
}

impl AsyncRead for SimStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let mut filled = 0;
        self.read(context, buffer.len(), &mut |bytes| {
            buffer[filled..filled + bytes.len()].copy_from_slice(bytes);
            filled += bytes.len();
        })
    }
}

impl AsyncWrite for SimStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.write(context, &[buffer])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let parts: Vec<&[u8]> = buffers.iter().map(|part| &**part).collect();
        self.write(context, &parts)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.shared.with(|world| world.fabric.finish(&mut world.clock, self.end)))
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        self.shared.with(|world| world.fabric.drop_end(&mut world.clock, self.end));
    }
}
