//! Signals that ask the process to end: SIGINT and SIGTERM on Unix, Ctrl-C elsewhere.
//!
//! Registering takes the default action away from the process for good, as Tokio documents.

use std::io;
use std::task::{Context, Poll};

use callboard_runtime::{SignalKind, Signals};
use tokio::runtime::Handle;

/// Both signals.
#[cfg(unix)]
pub(crate) struct TokioSignals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl TokioSignals {
    pub(crate) fn new(handle: &Handle) -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        let _entered = handle.enter();
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }
}

#[cfg(unix)]
impl Signals for TokioSignals {
    fn poll_signal(&mut self, context: &mut Context<'_>) -> Poll<io::Result<SignalKind>> {
        for (signal, kind) in
            [(&mut self.interrupt, SignalKind::Interrupt), (&mut self.terminate, SignalKind::Terminate)]
        {
            match signal.poll_recv(context) {
                Poll::Ready(Some(())) => return Poll::Ready(Ok(kind)),
                Poll::Ready(None) => return Poll::Ready(Err(io::Error::other("Tokio sends no more signals"))),
                Poll::Pending => {}
            }
        }
        Poll::Pending
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
pub(crate) struct TokioSignals {
    handle: Handle,
    next: Option<callboard_runtime::BoxFuture<'static, io::Result<()>>>,
}

#[cfg(not(unix))]
impl TokioSignals {
    pub(crate) fn new(handle: &Handle) -> io::Result<Self> {
        Ok(Self { handle: handle.clone(), next: None })
    }
}

#[cfg(not(unix))]
impl Signals for TokioSignals {
    fn poll_signal(&mut self, context: &mut Context<'_>) -> Poll<io::Result<SignalKind>> {
        let next =
            self.next.get_or_insert_with(|| crate::context::in_context(self.handle.clone(), tokio::signal::ctrl_c()));
        let result = std::task::ready!(next.as_mut().poll(context));
        self.next = None;
        Poll::Ready(result.map(|()| SignalKind::Interrupt))
    }
}
