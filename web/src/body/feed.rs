//! The slot through which a connection's task hands a request's body to its handler, one chunk at a time.
//!
//! While a chunk lies in the slot the connection takes no further event from its machine, which then wants no more
//! input: back pressure reaches the peer without a queue. Both ends usually run in the same task; a waker is called
//! only if the other end was polled with a different one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use callboard_core::{BodyLength, Headers};

use super::BodyError;

/// The connection's end.
pub(crate) struct Feed(Arc<Mutex<Slot>>);

/// The reader's end.
pub(crate) struct Incoming(Arc<Mutex<Slot>>);

struct Slot {
    chunk: Option<Bytes>,
    end: Option<End>,
    /// What is still to come, as far as it was announced.
    length: BodyLength,
    /// Bytes that the reader took.
    taken: u64,
    /// The reader has asked at least once: time for `100 Continue`.
    is_wanted: bool,
    /// The reader was dropped before the end.
    is_abandoned: bool,
    reader: Option<Waker>,
    connection: Option<Waker>,
}

enum End {
    Complete(Option<Box<Headers>>),
    Failed(BodyError),
    /// The failure was handed out.
    Over,
}

impl Feed {
    /// Both ends of a body of which `length` is known.
    pub(crate) fn new(length: BodyLength) -> (Self, Incoming) {
        let slot = Arc::new(Mutex::new(Slot {
            chunk: None,
            end: None,
            length,
            taken: 0,
            is_wanted: false,
            is_abandoned: false,
            reader: None,
            connection: None,
        }));
        (Self(Arc::clone(&slot)), Incoming(slot))
    }

    /// Whether a chunk would find the slot empty. `waker` is called when that changes.
    pub(crate) fn has_room(&self, waker: &Waker) -> bool {
        let mut slot = lock(&self.0);
        keep(&mut slot.connection, waker);
        slot.chunk.is_none()
    }

    /// Puts a chunk in.
    pub(crate) fn put(&self, chunk: Bytes) {
        let mut slot = lock(&self.0);
        if !slot.is_abandoned && slot.end.is_none() {
            slot.chunk = Some(chunk);
            wake(slot.waiting_reader(), slot);
        }
    }

    /// The body is complete.
    pub(crate) fn complete(&self, trailers: Option<Box<Headers>>) {
        self.finish(End::Complete(trailers));
    }

    /// The body ends before its end. What lies in the slot is still read.
    pub(crate) fn fail(&self, error: BodyError) {
        self.finish(End::Failed(error));
    }

    fn finish(&self, end: End) {
        let mut slot = lock(&self.0);
        if slot.end.is_none() {
            slot.end = Some(end);
            wake(slot.waiting_reader(), slot);
        }
    }

    /// Whether the reader has asked for the first chunk.
    pub(crate) fn is_wanted(&self) -> bool {
        lock(&self.0).is_wanted
    }

    /// Whether nobody will read the rest.
    pub(crate) fn is_abandoned(&self) -> bool {
        lock(&self.0).is_abandoned
    }
}

/// A connection that ends leaves no reader waiting.
impl Drop for Feed {
    fn drop(&mut self) {
        self.fail(BodyError::Cut);
    }
}

impl Slot {
    /// Whom to wake. A reader in the connection's own task is polled by it anyway.
    fn waiting_reader(&mut self) -> Option<Waker> {
        let reader = self.reader.take()?;
        let is_own = self.connection.as_ref().is_some_and(|connection| connection.will_wake(&reader));
        (!is_own).then_some(reader)
    }

    /// Whom to wake. Likewise, a connection that is just polling the reader looks at the slot afterwards.
    fn waiting_connection(&self, reader: &Waker) -> Option<Waker> {
        self.connection.as_ref().filter(|connection| !connection.will_wake(reader)).cloned()
    }
}

impl Incoming {
    pub(crate) fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        let mut slot = lock(&self.0);
        if let Some(chunk) = slot.chunk.take() {
            slot.taken += chunk.len() as u64;
            if let BodyLength::Known(length) = &mut slot.length {
                *length = length.saturating_sub(chunk.len() as u64);
            }
            wake(slot.waiting_connection(context.waker()), slot);
            return Poll::Ready(Some(Ok(chunk)));
        }
        match &mut slot.end {
            Some(end @ End::Failed(_)) => {
                let End::Failed(error) = std::mem::replace(end, End::Over) else { return Poll::Ready(None) };
                Poll::Ready(Some(Err(error)))
            }
            Some(End::Complete(_) | End::Over) => Poll::Ready(None),
            None => {
                keep(&mut slot.reader, context.waker());
                if !std::mem::replace(&mut slot.is_wanted, true) {
                    wake(slot.waiting_connection(context.waker()), slot);
                }
                Poll::Pending
            }
        }
    }

    pub(crate) fn length(&self) -> BodyLength {
        lock(&self.0).length
    }

    /// Bytes taken so far.
    pub(crate) fn taken(&self) -> u64 {
        lock(&self.0).taken
    }

    pub(crate) fn trailers(&self) -> Option<Headers> {
        match &lock(&self.0).end {
            Some(End::Complete(Some(trailers))) => Some(Headers::clone(trailers)),
            _ => None,
        }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        let mut slot = lock(&self.0);
        let unread = slot.chunk.take();
        slot.is_abandoned = true;
        let connection = if slot.end.is_none() { slot.connection.clone() } else { None };
        wake(connection, slot);
        drop(unread);
    }
}

/// Wakes after the lock is given back: what a waker runs or drops may come here again.
fn wake(waker: Option<Waker>, slot: MutexGuard<'_, Slot>) {
    drop(slot);
    if let Some(waker) = waker {
        waker.wake();
    }
}

fn keep(place: &mut Option<Waker>, waker: &Waker) {
    match place {
        Some(kept) => kept.clone_from(waker),
        None => *place = Some(waker.clone()),
    }
}

/// Nothing panics while the lock is held, so a poisoned slot is as good as any.
fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}
