//! The one driver: the only code that knows both a machine and a stream.
//!
//! A turn has one written order: input at hand, write, read, deadline. It reads straight into the machine's input,
//! writes vectored, re-arms its timer only when a deadline came nearer, and owns a read buffer only while there is
//! something in it.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use callboard_core::{Instant, Protocol};
use futures_io::AsyncWrite;

use crate::buffers::Expected;
use crate::{Buffers, DriveError, Handle, Stream, StreamInfo, Timer};

/// Parts handed to one vectored write.
const PARTS: usize = 64;
/// Bytes of answers gathered while pipelined requests are at hand, before they are written.
const COALESCED: usize = 64 * 1024;
/// How long a finished connection may take to send what is left, and one that cannot send may go on receiving.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// A machine on a stream.
pub struct Driver<P> {
    machine: P,
    stream: Box<dyn Stream>,
    runtime: Handle,
    input: BytesMut,
    timer: Option<Box<dyn Timer>>,
    /// What the timer is set to, and for whom: a leased connection changes tasks.
    armed: Option<(Instant, Waker)>,
    now: Instant,
    /// The peer's half-close was seen.
    input_ended: bool,
    /// Our half-close was sent.
    output_ended: bool,
    /// The stream may hold bytes that were written to it, until it is flushed.
    holds_back: bool,
    /// It may do so now.
    unflushed: bool,
    /// When a stream that cannot send any more, or the end of a finished connection, counts as ended all the same.
    give_up_at: Option<Instant>,
    bytes_in: u64,
    bytes_out: u64,
    /// What the last turn left to do.
    is_waiting: bool,
    /// The last thing that was done with the stream's input was a read.
    has_read: bool,
    expected: Expected,
}

impl<P: Protocol> Driver<P> {
    /// Puts `machine` on `stream`.
    pub fn new(machine: P, stream: Box<dyn Stream>, runtime: Handle) -> Self {
        Self::with_input(machine, stream, runtime, BytesMut::new())
    }

    /// The same, with bytes that were read before: what an upgrade found behind the head.
    pub fn with_input(machine: P, stream: Box<dyn Stream>, runtime: Handle, input: BytesMut) -> Self {
        let now = runtime.now();
        Self {
            holds_back: stream.holds_back(),
            machine,
            stream,
            runtime,
            input,
            timer: None,
            armed: None,
            now,
            input_ended: false,
            output_ended: false,
            unflushed: false,
            give_up_at: None,
            bytes_in: 0,
            bytes_out: 0,
            is_waiting: false,
            has_read: false,
            expected: Expected::default(),
        }
    }

    /// The machine: for commands and events. It is lent memory to write into while it is used.
    pub fn machine(&mut self) -> &mut P {
        self.lend_scratch();
        &mut self.machine
    }

    /// The machine, for events and for commands that write nothing: no memory is lent.
    pub fn machine_unlent(&mut self) -> &mut P {
        &mut self.machine
    }

    /// The machine, to ask.
    pub fn machine_ref(&self) -> &P {
        &self.machine
    }

    /// The time of this turn.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The time of this turn, from a caller that has just read the runtime's clock.
    pub fn set_now(&mut self, now: Instant) {
        self.now = now;
    }

    /// Reads the clock: at the start of a poll, once.
    pub fn refresh_now(&mut self) -> Instant {
        self.now = self.runtime.now();
        self.now
    }

    /// Asks for the time where it may be as old as the turn of the runtime's loop: see
    /// [`Runtime::coarse_now`](crate::Runtime::coarse_now). It never goes back.
    #[inline]
    pub fn refresh_coarsely(&mut self) {
        self.now = self.now.max(self.runtime.coarse_now());
    }

    /// Who is at the ends of the stream.
    pub fn info(&self) -> StreamInfo {
        self.stream.info()
    }

    /// Bytes received so far.
    pub fn bytes_in(&self) -> u64 {
        self.bytes_in
    }

    /// Bytes sent so far.
    pub fn bytes_out(&self) -> u64 {
        self.bytes_out
    }

    /// Whether bytes were read that the machine has not taken yet.
    pub fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    /// Whether the peer has half-closed.
    pub fn is_input_ended(&self) -> bool {
        self.input_ended
    }

    /// Whether the machine has finished and all it had to say is sent.
    pub fn is_over(&mut self) -> bool {
        let is_sent = !self.machine.outgoing().has_remaining() && !self.unflushed;
        let is_ended = self.output_ended || !self.machine.wants_half_close();
        self.machine.is_finished() && is_sent && is_ended
    }

    /// Takes everything apart: the machine, the stream and the input that nobody took.
    pub fn into_parts(self) -> (P, Box<dyn Stream>, BytesMut) {
        (self.machine, self.stream, self.input)
    }

    /// Makes the next turn ask the system whether there is input: see [`Stream::recheck`].
    pub fn recheck(&mut self) {
        self.stream.recheck();
    }

    /// Makes dropping the stream an abort, where the transport has one.
    pub fn abort_on_drop(&mut self) {
        self.stream.abort_on_drop();
    }

    /// One turn: input at hand, write, read, deadline.
    ///
    /// `Ready(Ok(()))`: something happened; drain the events and come again. `Ready(Err(_))`: the transport failed.
    /// `Pending`: the wakers are set. Call [`refresh_now`](Self::refresh_now) first, once per poll of the task.
    pub fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<Result<(), DriveError>> {
        // Input at hand comes before writing, so that the answers to pipelined requests leave in one write.
        if !self.input.is_empty() && self.machine.outgoing().remaining() < COALESCED && self.turn_input() {
            self.is_waiting = false;
            return Poll::Ready(Ok(()));
        }
        let wrote = self.turn_write(context)?;
        let read = self.turn_input() || self.turn_read(context)?;
        let is_written = !self.unflushed && !self.machine.outgoing().has_remaining();
        // Behind a read comes another turn: it looks, unless something may be late now.
        let is_early = read && is_written && self.armed.as_ref().is_some_and(|(armed, _)| *armed > self.now);
        let fired = !is_early && self.turn_deadline(context);
        self.is_waiting = !read && !fired && is_written;
        if self.is_waiting || !wrote {
            self.release_scratch();
        }
        if wrote || read || fired { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Whether the last turn, even if it wrote, left nothing to do but wait: all is written, there was nothing to read,
    /// no deadline had passed, and the wakers are set. A caller without events or data of its own may then return
    /// `Pending` without another turn.
    pub fn is_waiting(&self) -> bool {
        self.is_waiting
    }

    /// Writes until nothing is left.
    pub fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), DriveError>> {
        while self.machine.outgoing().has_remaining() {
            ready!(self.poll_write(context))?;
        }
        Pin::new(&mut self.stream).poll_flush(context).map_err(|error| self.write_failed(error))
    }

    /// One write of what is there. Ready with the count.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<Result<usize, DriveError>> {
        let queue = self.machine.outgoing();
        let first = queue.chunk();
        let sent = if first.len() == queue.remaining() {
            ready!(Pin::new(&mut self.stream).poll_write(context, first))
        } else {
            let mut parts = [IoSlice::new(&[]); PARTS];
            let count = queue.chunks_vectored(&mut parts);
            ready!(Pin::new(&mut self.stream).poll_write_vectored(context, &parts[..count]))
        };
        let sent = match sent {
            Ok(0) => return Poll::Ready(Err(self.write_failed(io::ErrorKind::WriteZero.into()))),
            Ok(sent) => sent,
            Err(error) => return Poll::Ready(Err(self.write_failed(error))),
        };
        self.machine.outgoing().advance(sent);
        self.bytes_out += sent as u64;
        Poll::Ready(Ok(sent))
    }

    /// What the peer sent before still counts, for a while.
    fn write_failed(&mut self, error: io::Error) -> DriveError {
        self.give_up_at.get_or_insert(self.now + CLOSE_TIMEOUT);
        DriveError::Write(error)
    }

    /// Writes what can be written. True if that changed what the machine may do.
    fn turn_write(&mut self, context: &mut Context<'_>) -> Result<bool, DriveError> {
        let mut wrote = false;
        while self.machine.outgoing().has_remaining() {
            match self.poll_write(context) {
                Poll::Ready(result) => {
                    result?;
                    wrote = true;
                }
                Poll::Pending => return Ok(wrote),
            }
        }
        self.unflushed |= wrote && self.holds_back;
        if self.unflushed {
            // TLS keeps records back while its transport is blocked.
            match Pin::new(&mut self.stream).poll_flush(context) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => return Err(self.write_failed(error)),
                Poll::Pending => return Ok(wrote),
            }
        }
        if !self.output_ended && self.machine.wants_half_close() {
            match Pin::new(&mut self.stream).poll_close(context) {
                Poll::Ready(Ok(())) => self.output_ended = true,
                Poll::Ready(Err(error)) => return Err(DriveError::Close(error)),
                Poll::Pending => {}
            }
        }
        Ok(wrote)
    }

    /// Offers the machine what is at hand: a command or a drained event may have made room for it. True if it took
    /// any, or ended.
    fn turn_input(&mut self) -> bool {
        if self.input.is_empty() {
            return false;
        }
        let before = self.input.len();
        let was_finished = self.machine.is_finished();
        self.machine.handle_input(&mut self.input, self.now);
        let took = self.input.len() != before || self.machine.is_finished() != was_finished;
        self.release_if_empty();
        took
    }

    /// Reads once and lets the machine take it. True if there was anything.
    fn turn_read(&mut self, context: &mut Context<'_>) -> Result<bool, DriveError> {
        if self.input_ended || !self.machine.wants_input() {
            return Ok(false);
        }
        if self.input.is_empty() {
            // The host has taken all there was: from here on it is the peer who is slow, and the machine's time runs.
            self.machine.handle_input(&mut self.input, self.now);
            // Behind a read there is mostly nothing: no buffer is taken for that.
            if std::mem::take(&mut self.has_read) {
                match self.stream.poll_readable(context) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(error)) => return Err(DriveError::Read(error)),
                    Poll::Pending => return Ok(false),
                }
            }
            if self.input.capacity() == 0 {
                self.input = Buffers::take();
            }
        }
        self.expected.make_room(&mut self.input);
        match self.stream.poll_fill(context, &mut self.input) {
            Poll::Pending => {
                self.release_if_empty();
                return Ok(false);
            }
            Poll::Ready(Err(error)) => return Err(DriveError::Read(error)),
            Poll::Ready(Ok(0)) => {
                self.input_ended = true;
                self.machine.handle_input(&mut self.input, self.now);
                self.machine.handle_end_of_input(self.now);
            }
            Poll::Ready(Ok(count)) => {
                self.bytes_in += count as u64;
                self.has_read = true;
                self.expected.note(count);
                self.machine.handle_input(&mut self.input, self.now);
            }
        }
        self.release_if_empty();
        Ok(true)
    }

    /// Lets the machine know of a deadline that passed. True if one did.
    fn turn_deadline(&mut self, context: &mut Context<'_>) -> bool {
        let deadline = match (self.machine.poll_timeout(), self.machine.is_finished()) {
            (Some(own), false) => Some(self.give_up_at.map_or(own, |at| own.min(at))),
            (None, false) => self.give_up_at,
            (own, true) => own.or_else(|| self.closing_deadline()),
        };
        let Some(deadline) = deadline else { return false };
        if deadline <= self.now {
            self.pass_deadline();
            return true;
        }
        // A timer that fires early is compared and re-armed then; only a nearer deadline moves it now.
        if let Some((armed, waker)) = &self.armed
            && *armed <= deadline
            && *armed > self.now
            && waker.will_wake(context.waker())
        {
            return false;
        }
        let timer = self.timer.get_or_insert_with(|| self.runtime.timer());
        self.armed = Some((deadline, context.waker().clone()));
        if timer.poll_at(context, deadline).is_ready() {
            self.now = self.runtime.now();
            self.armed = None;
            self.pass_deadline();
            return true;
        }
        false
    }

    fn pass_deadline(&mut self) {
        self.machine.handle_timeout(self.now);
        if self.give_up_at.is_some_and(|at| at <= self.now) {
            self.give_up();
        }
    }

    /// Nothing more is sent or received.
    fn give_up(&mut self) {
        self.give_up_at = None;
        // What waits behind the queue comes forward as it empties.
        while self.machine.outgoing().has_remaining() {
            self.machine.outgoing().clear();
        }
        self.unflushed = false;
        self.output_ended = true;
        if !std::mem::replace(&mut self.input_ended, true) {
            self.machine.handle_end_of_input(self.now);
        }
    }

    /// A machine that has finished may have no deadlines, but its stream may still be unable to send the end.
    fn closing_deadline(&mut self) -> Option<Instant> {
        let is_sent = !self.unflushed && !self.machine.outgoing().has_remaining();
        let is_closing = !is_sent || (!self.output_ended && self.machine.wants_half_close());
        is_closing.then(|| *self.give_up_at.get_or_insert(self.now + CLOSE_TIMEOUT))
    }

    fn lend_scratch(&mut self) {
        let queue = self.machine.outgoing();
        if !queue.has_scratch() {
            queue.give_scratch(Buffers::take_scratch());
        }
    }

    fn release_scratch(&mut self) {
        let queue = self.machine.outgoing();
        if queue.has_scratch() && queue.is_empty() {
            Buffers::give_scratch(queue.take_scratch());
        }
    }

    fn release_if_empty(&mut self) {
        if self.input.is_empty() {
            Buffers::give(std::mem::take(&mut self.input));
        }
    }
}

impl<P: fmt::Debug> fmt::Debug for Driver<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("machine", &self.machine)
            .field("input", &self.input.len())
            .finish_non_exhaustive()
    }
}
