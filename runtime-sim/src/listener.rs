//! A listener of the simulated network.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use callboard_runtime::{Endpoint, ListenOptions, Listener, Stream};

use crate::stream::SimStream;
use crate::trace::HostId;
use crate::world::Shared;

/// A listener. Dropping it resets what waits in its backlog.
pub(crate) struct SimListener {
    shared: Arc<Shared>,
    listener: u64,
    local: Endpoint,
}

impl SimListener {
    pub(crate) fn new(
        shared: Arc<Shared>,
        host: HostId,
        endpoint: Endpoint,
        options: &ListenOptions,
    ) -> io::Result<Self> {
        let (listener, local) = shared.with(|world| world.fabric.listen(&mut world.clock, host, endpoint, options))?;
        Ok(Self { shared, listener, local })
    }
}

impl Listener for SimListener {
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Box<dyn Stream>>> {
        let end = ready!(
            self.shared.with(|world| { world.fabric.poll_accept(&mut world.clock, self.listener, context.waker()) })
        )?;
        Poll::Ready(SimStream::new(self.shared.clone(), end).map(|stream| Box::new(stream) as Box<dyn Stream>))
    }

    fn local(&self) -> Endpoint {
        self.local.clone()
    }
}

impl Drop for SimListener {
    fn drop(&mut self) {
        self.shared.with(|world| world.fabric.unlisten(&mut world.clock, self.listener));
    }
}
