//! A transport that a test writes to and reads from by hand, and which may be told not to wake anybody.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, BytesMut};
use callboard_runtime::{Endpoint, Stream, StreamInfo};
use futures_io::{AsyncRead, AsyncWrite};

/// What becomes of a write.
#[derive(Clone, Copy, Default)]
pub(crate) enum Writing {
    #[default]
    Works,
    Fails,
    Waits,
}

/// The test's end of the transport; its clones and the stream share it.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    incoming: BytesMut,
    written: Vec<u8>,
    reader: Option<Waker>,
    /// Bytes that one read gives; 0: all.
    most: usize,
    writing: Writing,
}

impl Wire {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The stream at the other end.
    pub(crate) fn stream(&self) -> Box<dyn Stream> {
        Box::new(WireStream(self.clone()))
    }

    /// One read gives so many bytes at most.
    pub(crate) fn read_at_most(&self, most: usize) {
        self.lock().most = most;
    }

    /// What becomes of writes from now on.
    pub(crate) fn writing(&self, writing: Writing) {
        self.lock().writing = writing;
    }

    /// Bytes that nobody is told of: whoever looks next finds them.
    pub(crate) fn put_silently(&self, bytes: &[u8]) {
        self.lock().incoming.extend_from_slice(bytes);
    }

    /// Bytes arrive, and who waits is woken.
    pub(crate) fn put(&self, bytes: &[u8]) {
        self.put_silently(bytes);
        let reader = self.lock().reader.take();
        if let Some(waker) = reader {
            waker.wake();
        }
    }

    /// What was written since this was asked.
    pub(crate) fn take_written(&self) -> Vec<u8> {
        std::mem::take(&mut self.lock().written)
    }
}

struct WireStream(Wire);

impl WireStream {
    /// So many bytes can be read.
    fn poll_count(&self, context: &Context<'_>) -> Poll<usize> {
        let mut state = self.0.lock();
        if state.incoming.is_empty() {
            state.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let most = if state.most == 0 { usize::MAX } else { state.most };
        Poll::Ready(state.incoming.len().min(most))
    }
}

impl Stream for WireStream {
    fn poll_fill(&mut self, context: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        self.poll_count(context).map(|count| {
            buffer.extend_from_slice(&self.0.lock().incoming.split_to(count));
            Ok(count)
        })
    }

    fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_count(context).map(|_| Ok(()))
    }

    fn info(&self) -> StreamInfo {
        let end = |port| Endpoint::Tcp(([127, 0, 0, 1], port).into());
        StreamInfo { local: end(1), peer: end(2), tls: None }
    }
}

impl AsyncRead for WireStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_count(context).map(|count| {
            let count = count.min(buffer.len());
            self.0.lock().incoming.copy_to_slice(&mut buffer[..count]);
            Ok(count)
        })
    }
}

impl AsyncWrite for WireStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock();
        match state.writing {
            Writing::Works => state.written.extend_from_slice(bytes),
            Writing::Fails => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Writing::Waits => return Poll::Pending,
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
