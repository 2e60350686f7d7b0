//! SIGINT and SIGTERM.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_signal::Signal;
use callboard_runtime::{SignalKind, Signals};
use futures_lite::Stream;

/// A source of the signals that ask the process to end. Once one was made, these signals never again end the process by
/// themselves.
pub(crate) struct SmolSignals(async_signal::Signals);

impl SmolSignals {
    pub(crate) fn new() -> io::Result<Self> {
        async_signal::Signals::new([Signal::Int, Signal::Term]).map(Self)
    }
}

impl Signals for SmolSignals {
    fn poll_signal(&mut self, context: &mut Context<'_>) -> Poll<io::Result<SignalKind>> {
        Poll::Ready(match ready!(Pin::new(&mut self.0).poll_next(context)) {
            Some(Ok(Signal::Term)) => Ok(SignalKind::Terminate),
            Some(Ok(_)) => Ok(SignalKind::Interrupt),
            Some(Err(error)) => Err(error),
            None => Err(io::Error::other("the source of signals has ended")),
        })
    }
}
