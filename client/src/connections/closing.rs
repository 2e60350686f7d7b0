//! The end of a session: what is under way without a connection is told, and whoever wants to can wait for the rest.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::Connections;

impl Connections {
    /// Nobody gets a connection any more; see [`Session::close`](crate::Session::close).
    pub(crate) fn close(self: &Arc<Self>) {
        let mut state = self.lock();
        state.pool.close();
        let watching = std::mem::take(&mut state.watching);
        state.sweep = None;
        self.conclude(state);
        self.alarm.end();
        watching.into_values().for_each(Waker::wake);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().pool.is_closed()
    }

    pub(crate) fn watch(self: &Arc<Self>) -> Watch {
        let mut state = self.lock();
        state.watches += 1;
        Watch { connections: Arc::clone(self), number: state.watches }
    }
}

/// Somebody who is to be told that the session was closed. Dropping it is to look away.
pub(crate) struct Watch {
    connections: Arc<Connections>,
    number: u64,
}

impl Watch {
    /// Ready once the session was closed.
    pub(crate) fn poll_closed(&self, context: &Context<'_>) -> Poll<()> {
        self.poll(context, false)
    }

    /// Ready once the session was closed and its last connection is gone.
    pub(crate) fn poll_ended(&self, context: &Context<'_>) -> Poll<()> {
        self.poll(context, true)
    }

    fn poll(&self, context: &Context<'_>, to_the_end: bool) -> Poll<()> {
        let mut state = self.connections.lock();
        if state.pool.is_closed() && (!to_the_end || state.pool.is_empty()) {
            return Poll::Ready(());
        }
        state.watching.insert(self.number, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let waker = self.connections.lock().watching.remove(&self.number);
        drop(waker);
    }
}
