//! Listeners: TCP and Unix.

use std::io;
use std::task::{Context, Poll, ready};

use callboard_runtime::{Endpoint, ListenOptions, Listener, Stream};

use crate::reactor::Direction;
use crate::socket::{Home, Socket};
use crate::stream::SmolStream;
use crate::system::{self, SocketFile};

/// A listening socket.
pub(crate) struct SmolListener {
    socket: Socket,
    home: Home,
    local: Endpoint,
    no_delay: bool,
    /// Removed with the listener.
    _file: Option<SocketFile>,
}

impl SmolListener {
    pub(crate) fn new(home: Home, endpoint: &Endpoint, options: &ListenOptions) -> io::Result<Self> {
        let (file, made) = system::listen(endpoint, options)?;
        let local = system::local(&file)?;
        let no_delay = options.no_delay && matches!(local, Endpoint::Tcp(_));
        Ok(Self { socket: Socket::new(&home, file, false)?, home, local, no_delay, _file: made })
    }

    pub(crate) fn poll_stream(&mut self, context: &mut Context<'_>) -> Poll<io::Result<SmolStream>> {
        // An error leaves the listener ready: the next call tries again, when its caller thinks it worth while.
        let ((file, peer), _) = ready!(self.socket.poll_call(Direction::Read, context, |file| system::accept(file)))?;
        if self.no_delay {
            system::send_without_delay(&file);
        }
        Poll::Ready(SmolStream::new(&self.home, file, peer))
    }
}

impl Listener for SmolListener {
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Box<dyn Stream>>> {
        self.poll_stream(context).map_ok(|stream| Box::new(stream) as Box<dyn Stream>)
    }

    fn local(&self) -> Endpoint {
        self.local.clone()
    }
}
