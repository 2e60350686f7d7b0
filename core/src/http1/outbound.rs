//! The sending half: what the head announced, held against what is sent; and whether the peer takes it.

use bytes::Bytes;

use crate::{Headers, Instant, Limits, SendQueue};

use super::{SendError, encode};

/// The body of a message being sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum SendBody {
    /// Whatever is given is not sent: the answer to HEAD, 204, 304.
    Suppressed,
    /// So many bytes are still owed.
    Length(u64),
    Chunked,
    UntilClose,
}

impl SendBody {
    /// Queues a part of the body.
    pub(super) fn send(&mut self, data: Bytes, queue: &mut SendQueue) -> Result<(), SendError> {
        match self {
            Self::Suppressed => {}
            Self::Length(left) => {
                *left = left.checked_sub(data.len() as u64).ok_or(SendError::BodyTooLong)?;
                queue.put_bytes(data);
            }
            Self::UntilClose => queue.put_bytes(data),
            // An empty chunk would end the body.
            Self::Chunked if data.is_empty() => {}
            Self::Chunked => encode::chunk(queue, data),
        }
        Ok(())
    }

    /// Ends the body.
    pub(super) fn finish(self, trailers: Option<&Headers>, queue: &mut SendQueue) -> Result<(), SendError> {
        match self {
            Self::Length(left) if left > 0 => Err(SendError::BodyTooShort),
            Self::Chunked => {
                encode::last_chunk(queue, trailers);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Watches that the peer takes what is queued.
#[derive(Clone, Copy, Debug)]
pub(super) struct WriteWatch {
    sent: u64,
    since: Instant,
}

impl WriteWatch {
    pub(super) fn new(now: Instant) -> Self {
        Self { sent: 0, since: now }
    }

    /// Something is about to be queued.
    pub(super) fn note(&mut self, queue: &SendQueue, now: Instant) {
        if queue.is_empty() {
            *self = Self { sent: queue.total_sent(), since: now };
        }
    }

    /// When the peer must have taken something.
    pub(super) fn deadline(&self, queue: &SendQueue, limits: &Limits) -> Option<Instant> {
        (!queue.is_empty()).then(|| self.since + limits.write_timeout)
    }

    /// Whether it has taken nothing for too long.
    pub(super) fn has_expired(&mut self, queue: &SendQueue, now: Instant, limits: &Limits) -> bool {
        if queue.is_empty() {
            return false;
        }
        if queue.total_sent() != self.sent {
            *self = Self { sent: queue.total_sent(), since: now };
            return false;
        }
        now >= self.since + limits.write_timeout
    }
}
