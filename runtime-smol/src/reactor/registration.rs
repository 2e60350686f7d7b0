//! A socket in a worker's reactor: its source, and the worker that must be driven while somebody waits for it.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::local;
use super::source::{Direction, Source};
use super::worker::Worker;

/// A source in its worker's table; dropping this takes it out.
#[derive(Debug)]
pub(crate) struct Registration {
    source: Arc<Source>,
    worker: Arc<Worker>,
    /// Whose waker the source has for reading: mostly the same task waits again. For writing it seldom waits.
    reader: Option<Waker>,
}

impl Registration {
    /// Puts a socket into the reactor of the worker of `worker`'s set that the calling thread drives, or else into its.
    pub(crate) fn new(worker: &Arc<Worker>, file: impl AsFd, is_writable: bool) -> io::Result<Self> {
        let worker = worker.nearest();
        let source = worker.insert(is_writable)?;
        let registration = Self { source, worker, reader: None };
        registration.worker.inbox.add(file, registration.source.token())?;
        Ok(registration)
    }

    /// Ready with what was seen, for [`clear`](Self::clear).
    #[inline]
    pub(crate) fn poll_ready(&mut self, direction: Direction, context: &Context<'_>) -> Poll<io::Result<u32>> {
        if let Some(seen) = self.source.ready(direction) {
            return Poll::Ready(Ok(seen));
        }
        self.worker.ensure_driven()?;
        let waker = context.waker();
        if direction == Direction::Read && self.reader.as_ref().is_some_and(|reader| reader.will_wake(waker)) {
            // It was there before the look, so an event since then finds it.
            return Poll::Pending;
        }
        self.poll_event(direction, waker)
    }

    fn poll_event(&mut self, direction: Direction, waker: &Waker) -> Poll<io::Result<u32>> {
        match local::number_of(&self.worker.inbox, waker) {
            Some(number) => self.source.set_task(direction, number),
            None => self.source.set_waker(direction, waker.clone()),
        }
        if direction == Direction::Read {
            self.reader = Some(waker.clone());
        }
        self.source.ready(direction).map_or(Poll::Pending, |seen| Poll::Ready(Ok(seen)))
    }

    /// A call would wait: readiness ends, unless an event came since it was seen.
    pub(crate) fn clear(&self, direction: Direction, seen: u32) {
        self.source.clear(direction, seen);
    }

    /// A read was short: nothing is left, unless the end came with the last bytes, of which no edge will tell.
    pub(crate) fn clear_after_short_read(&self, seen: u32) {
        self.source.clear_after_short_read(seen);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.worker.remove(self.source.index);
    }
}
