//! Signals that a test sends to a host.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use callboard_runtime::{SignalKind, Signals};

use crate::trace::HostId;
use crate::world::Shared;

/// One source: it gets every signal of its host from its making on.
pub(crate) struct SimSignals {
    shared: Arc<Shared>,
    subscriber: u64,
}

impl SimSignals {
    pub(crate) fn new(shared: Arc<Shared>, host: HostId) -> Self {
        let subscriber = shared.with(|world| world.subscribers.add(host));
        Self { shared, subscriber }
    }
}

impl Signals for SimSignals {
    fn poll_signal(&mut self, context: &mut Context<'_>) -> Poll<io::Result<SignalKind>> {
        self.shared.with(|world| {
            let Some(subscriber) = world.subscribers.list.get_mut(&self.subscriber) else {
                return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
            };
            if let Some(signal) = subscriber.signals.pop_front() {
                return Poll::Ready(Ok(signal));
            }
            world.clock.effects.register(&mut subscriber.waker, context.waker());
            Poll::Pending
        })
    }
}

impl Drop for SimSignals {
    fn drop(&mut self) {
        self.shared.with(|world| {
            if let Some(subscriber) = world.subscribers.list.remove(&self.subscriber) {
                world.clock.effects.discard(subscriber.waker);
            }
        });
    }
}
