//! The stream that speaks TLS.
//!
//! Reading: ciphertext goes through a buffer of the thread's pool, held only while it has bytes in it; plaintext is
//! copied once, from the session to the reader. An end without `close_notify` is an error (RFC 8446 §6.1).
//! Writing: one batch at a time. A write is taken when the one before has left, so that at most 64 KiB wait in the
//! session; `poll_flush` and every later call send what waits.

use std::future::poll_fn;
use std::io::{self, BufRead, IoSlice, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, BytesMut};
use futures_io::{AsyncRead, AsyncWrite};
use rustls::{Connection, HandshakeKind};

use super::TlsError;
use super::opening::{Opening, judge_server, read_opening};
use crate::{Buffers, Stream, StreamInfo, TlsInfo};

/// Room made for a caller who left none, bytes: the plaintext of a record.
const ROOM: usize = 16 * 1024;
/// Reads of the transport in one call before others get their turn: a peer may send records without data.
const ROUNDS: usize = 16;

/// A TLS session over a transport.
pub(super) struct TlsStream {
    transport: Box<dyn Stream>,
    session: Connection,
    /// Ciphertext that the session has not taken.
    received: BytesMut,
    /// Whoever waits for the session's output to leave.
    writer: Option<Waker>,
    /// The session is broken; it keeps why.
    failed: bool,
    /// The transport's input ended.
    ended: bool,
    /// `close_notify` was sent.
    closed: bool,
    info: TlsInfo,
}

impl TlsStream {
    pub(super) fn new(transport: Box<dyn Stream>, session: Connection) -> Self {
        Self::with_received(transport, session, BytesMut::new())
    }

    /// The same, with ciphertext that was read before.
    pub(super) fn with_received(transport: Box<dyn Stream>, session: Connection, received: BytesMut) -> Self {
        let info = TlsInfo::default();
        Self { transport, session, received, writer: None, failed: false, ended: false, closed: false, info }
    }

    /// The transport, and what was read from it that nobody took.
    pub(super) fn into_parts(self) -> (Box<dyn Stream>, BytesMut) {
        (self.transport, self.received)
    }

    pub(super) fn set_server_name(&mut self, name: Option<String>) {
        self.info.server_name = name;
    }

    /// As a client: sends the hello and looks how the peer answers.
    pub(super) async fn greet(&mut self) -> io::Result<Opening> {
        poll_fn(|context| Pin::new(&mut *self).poll_flush(context)).await?;
        read_opening(&mut *self.transport, &mut self.received, judge_server).await
    }

    /// Goes through the handshake. May be dropped at any point, with the stream.
    pub(super) async fn handshake(&mut self) -> Result<(), TlsError> {
        poll_fn(|context| self.poll_handshake(context)).await?;
        self.info.alpn = self.session.alpn_protocol().map(<[u8]>::to_vec);
        self.info.resumed = self.session.handshake_kind() == Some(HandshakeKind::Resumed);
        if let Connection::Server(session) = &self.session {
            self.info.server_name = session.server_name().map(str::to_owned);
        }
        Ok(())
    }

    fn poll_handshake(&mut self, context: &mut Context<'_>) -> Poll<Result<(), TlsError>> {
        loop {
            // Reading goes on while writing waits.
            let pushed = self.poll_push(context);
            if let Poll::Ready(Err(error)) = pushed {
                // Whoever refuses says why and closes; that may have come.
                let _ = self.poll_records(context);
                return Poll::Ready(Err(if self.failed { self.failure() } else { TlsError::Io(error) }));
            }
            if self.failed {
                return Poll::Ready(Err(self.failure()));
            }
            if !self.session.is_handshaking() {
                ready!(pushed).map_err(TlsError::Io)?;
                return Pin::new(&mut self.transport).poll_flush(context).map_err(TlsError::Io);
            }
            if self.ended {
                return Poll::Ready(Err(TlsError::PeerClosed));
            }
            ready!(self.poll_records(context)).map_err(TlsError::Io)?;
        }
    }

    /// Ready(true) when the session has plaintext, Ready(false) after `close_notify`.
    fn poll_plaintext(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        for _ in 0..ROUNDS {
            match self.session.reader().fill_buf() {
                Ok(plaintext) => return Poll::Ready(Ok(!plaintext.is_empty())),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Poll::Ready(Err(cut())),
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Poll::Ready(Err(error)),
                Err(_) if self.failed => return Poll::Ready(Err(self.failure().into())),
                Err(_) => ready!(self.poll_records(context))?,
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Gives the session ciphertext: what was received, or what one read of the transport brings. If that breaks the
    /// session, `failed` says so; what was decrypted before is still there.
    fn poll_records(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.received.is_empty() {
            if self.received.capacity() == 0 {
                self.received = Buffers::take();
            }
            Buffers::make_room(&mut self.received);
            let filled = self.transport.poll_fill(context, &mut self.received);
            if !matches!(filled, Poll::Ready(Ok(1..))) {
                Buffers::give(std::mem::take(&mut self.received));
            }
            if ready!(filled)? == 0 {
                self.ended = true;
                // An empty read tells the session.
                self.session.read_tls(&mut io::empty())?;
                return Poll::Ready(Ok(()));
            }
        }
        let mut unread = &self.received[..];
        let read = self.session.read_tls(&mut unread);
        let taken = self.received.len() - unread.len();
        self.received.advance(taken);
        if self.received.is_empty() || taken == 0 {
            // Behind close_notify the session takes nothing more.
            Buffers::give(std::mem::take(&mut self.received));
        }
        read?;
        self.failed = self.session.process_new_packets().is_err();
        // Key updates are answered, errors have an alert.
        self.push_beside(context);
        Poll::Ready(Ok(()))
    }

    /// What broke the session: it repeats that at every call.
    fn failure(&mut self) -> TlsError {
        match self.session.process_new_packets() {
            Err(error) => error.into(),
            Ok(_) => TlsError::HandshakeFailed("the session is broken".into()),
        }
    }

    /// Sends what the session has to say.
    fn poll_push(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.session.wants_write() {
            let mut output = Output { transport: &mut self.transport, context };
            match self.session.write_tls(&mut output) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.writer = Some(context.waker().clone());
                    return Poll::Pending;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        self.writer = None;
        Poll::Ready(Ok(()))
    }

    /// Sends what waits while reading, so that nobody needs to flush again. The transport keeps one waker for writing:
    /// whoever waited is woken if it lost its place there, or if the wait is over. A failure shows at the next write.
    fn push_beside(&mut self, context: &mut Context<'_>) {
        if !self.session.wants_write() {
            return;
        }
        let waiting = self.writer.take();
        let done = self.poll_push(context).is_ready();
        if let Some(writer) = waiting
            && (done || !writer.will_wake(context.waker()))
        {
            writer.wake();
        }
    }

    /// Starts a batch with `write`, which says how much of the plaintext it took, and sends what can be sent.
    fn poll_batch(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(&mut dyn Write) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        if self.closed {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, "write after close_notify")));
        }
        if self.failed {
            return Poll::Ready(Err(self.failure().into()));
        }
        ready!(self.poll_push(context))?;
        let count = write(&mut self.session.writer())?;
        if let Poll::Ready(Err(error)) = self.poll_push(context) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(count))
    }
}

/// The transport ended without `close_notify`: data may be missing, by accident or by an attacker.
fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the peer ended without close_notify: data may be missing")
}

impl Stream for TlsStream {
    fn poll_fill(&mut self, context: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        self.push_beside(context);
        if !ready!(self.poll_plaintext(context))? {
            return Poll::Ready(Ok(0));
        }
        if buffer.len() == buffer.capacity() {
            buffer.reserve(ROOM);
        }
        let start = buffer.len();
        loop {
            let room = buffer.capacity() - buffer.len();
            let mut reader = self.session.reader();
            let plaintext = reader.fill_buf().unwrap_or_default();
            let count = plaintext.len().min(room);
            buffer.extend_from_slice(&plaintext[..count]);
            reader.consume(count);
            // What is received already costs no call to the system; an error in it waits for the next call.
            let has_more = count > 0 || !self.received.is_empty() && self.poll_records(context).is_ready();
            if buffer.len() == buffer.capacity() || self.failed || !has_more {
                return Poll::Ready(Ok(buffer.len() - start));
            }
        }
    }

    fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.push_beside(context);
        let waits = self.session.reader().fill_buf().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        if waits && self.received.is_empty() && !self.failed {
            return self.transport.poll_readable(context);
        }
        Poll::Ready(Ok(()))
    }

    fn recheck(&mut self) {
        self.transport.recheck();
    }

    fn info(&self) -> StreamInfo {
        StreamInfo { tls: Some(Box::new(self.info.clone())), ..self.transport.info() }
    }

    fn abort_on_drop(&mut self) {
        self.transport.abort_on_drop();
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.push_beside(context);
        if buffer.is_empty() || !ready!(self.poll_plaintext(context))? {
            return Poll::Ready(Ok(0));
        }
        Poll::Ready(self.session.reader().read(buffer))
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_batch(context, |session| session.write(bytes))
    }

    /// Small parts become one record.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_batch(context, |session| session.write_vectored(parts))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_push(context))?;
        Pin::new(&mut self.transport).poll_flush(context)
    }

    /// Sends `close_notify` and half-closes the transport; reading goes on.
    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.closed {
            self.session.send_close_notify();
            self.closed = true;
        }
        ready!(self.poll_push(context))?;
        match ready!(Pin::new(&mut self.transport).poll_close(context)) {
            Err(error) if error.kind() != io::ErrorKind::NotConnected => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(())),
        }
    }
}

/// The transport as rustls wants it: waiting is an error.
struct Output<'a, 'b> {
    transport: &'a mut Box<dyn Stream>,
    context: &'a mut Context<'b>,
}

fn blocked<T>(polled: Poll<io::Result<T>>) -> io::Result<T> {
    match polled {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

impl Write for Output<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        blocked(Pin::new(&mut self.transport).poll_write(self.context, bytes))
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        blocked(Pin::new(&mut self.transport).poll_write_vectored(self.context, parts))
    }

    fn flush(&mut self) -> io::Result<()> {
        blocked(Pin::new(&mut self.transport).poll_flush(self.context))
    }
}
