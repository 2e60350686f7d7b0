//! A socket and its readiness, on async-io or on a worker's reactor.
//!
//! One rule on both: nothing is tried before the socket is said to be ready, and a call that took less than it could
//! ends the readiness. So a request costs one `recv` and one `send`, and no call that only learns "not now".

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_io::Async;

use crate::reactor::{Direction, Registration, Worker};

/// Where sockets and timers are registered.
#[derive(Clone, Debug)]
pub(crate) enum Home {
    /// In async-io's reactor.
    Stock,
    /// On the worker that the calling thread drives, or else on this one.
    Worker(Arc<Worker>),
}

/// A registered socket. Dropping it closes it.
pub(crate) enum Socket {
    Stock { socket: Async<OwnedFd>, is_readable: bool, is_writable: bool },
    // The order is the order of dropping: out of the table first, then closed.
    Worker { registration: Registration, file: OwnedFd },
}

impl Socket {
    /// Registers a non-blocking socket. A connected one is writable until a call says otherwise.
    pub(crate) fn new(home: &Home, file: OwnedFd, is_writable: bool) -> io::Result<Self> {
        match home {
            Home::Stock => Ok(Self::Stock { socket: Async::new_nonblocking(file)?, is_readable: false, is_writable }),
            Home::Worker(worker) => {
                let registration = Registration::new(worker, &file, is_writable)?;
                Ok(Self::Worker { registration, file })
            }
        }
    }

    /// Ready with what [`clear`](Self::clear) wants to know.
    #[inline]
    pub(crate) fn poll_ready(&mut self, direction: Direction, context: &mut Context<'_>) -> Poll<io::Result<u32>> {
        match self {
            Self::Stock { socket, is_readable, is_writable } => {
                let is_ready = match direction {
                    Direction::Read => is_readable,
                    Direction::Write => is_writable,
                };
                if !*is_ready {
                    ready!(match direction {
                        Direction::Read => socket.poll_readable(context),
                        Direction::Write => socket.poll_writable(context),
                    })?;
                    *is_ready = true;
                }
                Poll::Ready(Ok(0))
            }
            Self::Worker { registration, .. } => registration.poll_ready(direction, context),
        }
    }

    /// A call would wait: wait before the next.
    pub(crate) fn clear(&mut self, direction: Direction, seen: u32) {
        match self {
            Self::Stock { is_readable, is_writable, .. } => match direction {
                Direction::Read => *is_readable = false,
                Direction::Write => *is_writable = false,
            },
            Self::Worker { registration, .. } => registration.clear(direction, seen),
        }
    }

    /// A read took less than it could.
    pub(crate) fn clear_after_short_read(&mut self, seen: u32) {
        match self {
            // async-io asks the system anew for each wait, so an end that came along is not lost.
            Self::Stock { is_readable, .. } => *is_readable = false,
            Self::Worker { registration, .. } => registration.clear_after_short_read(seen),
        }
    }

    /// The next read is tried at once: async-io listens only while somebody waits, so it may not know of an end.
    pub(crate) fn recheck(&mut self) {
        if let Self::Stock { is_readable, .. } = self {
            *is_readable = true;
        }
    }

    /// Makes a call when the socket is ready for it. Ready with its result and what was seen.
    pub(crate) fn poll_call<T>(
        &mut self,
        direction: Direction,
        context: &mut Context<'_>,
        mut call: impl FnMut(BorrowedFd<'_>) -> io::Result<T>,
    ) -> Poll<io::Result<(T, u32)>> {
        loop {
            let seen = ready!(self.poll_ready(direction, context))?;
            match call(self.as_fd()) {
                Ok(value) => return Poll::Ready(Ok((value, seen))),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.clear(direction, seen),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Reads into `room` bytes: a short count ends the readiness.
    pub(crate) fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        room: usize,
        call: impl FnMut(BorrowedFd<'_>) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let (count, seen) = ready!(self.poll_call(Direction::Read, context, call))?;
        // The end of the input stays readable.
        if count != 0 && count < room {
            self.clear_after_short_read(seen);
        }
        Poll::Ready(Ok(count))
    }

    /// Writes `length` bytes: a short count ends the readiness.
    pub(crate) fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        length: usize,
        call: impl FnMut(BorrowedFd<'_>) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let (count, seen) = ready!(self.poll_call(Direction::Write, context, call))?;
        if count < length {
            self.clear(Direction::Write, seen);
        }
        Poll::Ready(Ok(count))
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Stock { socket, .. } => socket.as_fd(),
            Self::Worker { file, .. } => file.as_fd(),
        }
    }
}
