//! Two streams joined in memory, with bounded room and bounded reads.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use callboard_runtime::{Endpoint, Stream, StreamInfo};
use futures_io::{AsyncRead, AsyncWrite};

/// One end. Dropping it ends the other's input; after `abort_on_drop` as a reset.
pub(crate) struct Pipe {
    incoming: Lane,
    outgoing: Lane,
    most: usize,
    aborts: bool,
    number: u16,
}

/// One direction, for tests to look into and to tamper with.
#[derive(Clone)]
pub(crate) struct Lane(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    bytes: VecDeque<u8>,
    /// All that was ever written.
    written: Vec<u8>,
    room: usize,
    ended: bool,
    reset: bool,
    /// The reading end was dropped.
    deaf: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// Two ends. A direction holds `room` bytes; one read gives at most `most`.
pub(crate) fn duplex(room: usize, most: usize) -> (Pipe, Pipe) {
    let lane = || Lane(Arc::new(Mutex::new(State { room, ..State::default() })));
    let (one, other) = (lane(), lane());
    let left = Pipe { incoming: one.clone(), outgoing: other.clone(), most, aborts: false, number: 1 };
    let right = Pipe { incoming: other, outgoing: one, most, aborts: false, number: 2 };
    (left, right)
}

fn wake(waiting: &mut Option<Waker>) {
    if let Some(waker) = waiting.take() {
        waker.wake();
    }
}

impl Pipe {
    /// What this end sends.
    pub(crate) fn outgoing(&self) -> Lane {
        self.outgoing.clone()
    }
}

impl Lane {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn set_room(&self, room: usize) {
        let mut state = self.lock();
        state.room = room;
        wake(&mut state.writer);
    }

    /// Puts bytes on their way that the sending end did not write.
    pub(crate) fn inject(&self, bytes: &[u8]) {
        let mut state = self.lock();
        state.bytes.extend(bytes);
        wake(&mut state.reader);
    }

    /// Changes the last byte that is on its way.
    pub(crate) fn corrupt(&self) {
        *self.lock().bytes.back_mut().unwrap() ^= 1;
    }

    /// Loses the last `count` bytes that are on their way.
    pub(crate) fn lose(&self, count: usize) {
        let mut state = self.lock();
        let kept = state.bytes.len() - count;
        state.bytes.truncate(kept);
    }

    /// Whether the sending end has half-closed.
    pub(crate) fn is_ended(&self) -> bool {
        self.lock().ended
    }

    /// Bytes on their way.
    pub(crate) fn len(&self) -> usize {
        self.lock().bytes.len()
    }

    /// How many TLS records (RFC 8446 §5.1) were written behind the first `start` bytes, and where the last ends.
    pub(crate) fn records(&self, start: usize) -> (usize, usize) {
        let (state, mut at, mut count) = (self.lock(), start, 0);
        while let Some([_, _, _, high, low]) = state.written.get(at..at + 5) {
            at += 5 + usize::from(u16::from_be_bytes([*high, *low]));
            count += 1;
        }
        (count, at)
    }
}

impl State {
    fn poll_take(&mut self, context: &mut Context<'_>, most: usize) -> Poll<io::Result<Vec<u8>>> {
        if self.reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if self.bytes.is_empty() && !self.ended {
            self.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let count = most.min(self.bytes.len());
        let taken = self.bytes.drain(..count).collect();
        wake(&mut self.writer);
        Poll::Ready(Ok(taken))
    }
}

impl Stream for Pipe {
    fn poll_fill(&mut self, context: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        if buffer.len() == buffer.capacity() {
            buffer.reserve(16 * 1024);
        }
        let most = self.most.min(buffer.capacity() - buffer.len());
        self.incoming.lock().poll_take(context, most).map_ok(|bytes| {
            buffer.extend_from_slice(&bytes);
            bytes.len()
        })
    }

    fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.incoming.lock().poll_take(context, 0).map_ok(drop)
    }

    fn info(&self) -> StreamInfo {
        let end = |number| Endpoint::Tcp(([127, 0, 0, 1], number).into());
        StreamInfo { local: end(self.number), peer: end(3 - self.number), tls: None }
    }

    fn abort_on_drop(&mut self) {
        self.aborts = true;
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let most = self.most.min(buffer.len());
        self.incoming.lock().poll_take(context, most).map_ok(|bytes| {
            buffer[..bytes.len()].copy_from_slice(&bytes);
            bytes.len()
        })
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.outgoing.lock();
        if state.deaf {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let count = bytes.len().min(state.room.saturating_sub(state.bytes.len()));
        if count == 0 {
            state.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        state.bytes.extend(&bytes[..count]);
        state.written.extend_from_slice(&bytes[..count]);
        wake(&mut state.reader);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.outgoing.lock();
        state.ended = true;
        wake(&mut state.reader);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let mut state = self.outgoing.lock();
        state.ended = true;
        state.reset = self.aborts;
        wake(&mut state.reader);
        drop(state);
        let mut state = self.incoming.lock();
        state.deaf = true;
        wake(&mut state.writer);
    }
}
