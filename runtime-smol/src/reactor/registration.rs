//! A socket in a worker's reactor: its source, and the worker that must be driven while somebody waits for it.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::source::{Direction, Source};
use super::worker::Worker;

/// A source in its worker's table; dropping this takes it out.
#[derive(Debug)]
pub(crate) struct Registration {
    source: Arc<Source>,
    worker: Arc<Worker>,
}

impl Registration {
    /// Puts a socket into the reactor of the worker of `worker`'s set that the calling thread drives, or else into its.
    pub(crate) fn new(worker: &Arc<Worker>, file: impl AsFd, is_writable: bool) -> io::Result<Self> {
        let worker = worker.nearest();
        let source = worker.insert(is_writable)?;
        let registration = Self { source, worker };
        registration.worker.inbox.add(file, registration.source.token())?;
        Ok(registration)
    }

    /// Ready with what was seen, for [`clear`](Self::clear).
    pub(crate) fn poll_ready(&self, direction: Direction, context: &mut Context<'_>) -> Poll<io::Result<u32>> {
        if let Some(seen) = self.source.ready(direction) {
            return Poll::Ready(Ok(seen));
        }
        self.worker.ensure_driven()?;
        self.source.poll_event(direction, context).map(Ok)
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
