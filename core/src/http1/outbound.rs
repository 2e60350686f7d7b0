//! The sending half: what the head announced, held against what is sent.

use bytes::Bytes;

use crate::{Headers, SendQueue};

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
