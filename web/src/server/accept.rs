//! The accept loop of one listener, as a future: one per worker.
//!
//! It never ends because of an error: one that concerns a single connection is passed over, and one that concerns the
//! process (out of files) is waited out by a timer that doubles.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use callboard_core::Instant;
use callboard_runtime::{Listener, Stream, Timer};

use super::connection::Connection;
use super::shared::{Admission, ListenerRegistration};
use crate::link::Link;

/// Connections accepted in one go.
const BUDGET: usize = 64;
/// The first wait after an error, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// Accepts until the server ends.
pub(super) struct Accept {
    listener: Box<dyn Listener>,
    registration: ListenerRegistration,
    /// After an error: until when nothing is tried, and the wait after the next error.
    pause: Option<(Instant, Box<dyn Timer>)>,
    wait: Duration,
}

impl Accept {
    pub(super) fn new(listener: Box<dyn Listener>, registration: ListenerRegistration) -> Self {
        Self { listener, registration, pause: None, wait: WAITS.0 }
    }

    /// Gives a new connection a task of its own.
    fn begin(&mut self, stream: Box<dyn Stream>) {
        let shared = &self.registration.shared;
        let service = shared.service.clone();
        let link = Arc::new(Link::new(Arc::clone(service.facts())));
        let registration = shared.open(&link);
        #[cfg(feature = "tls")]
        if let Some(acceptor) = shared.settings.tls.clone() {
            shared.runtime.spawn(Box::pin(super::tls::serve(acceptor, stream, service, link, registration)));
            return;
        }
        shared.runtime.spawn(Box::pin(Connection::new(stream, BytesMut::new(), service, link, registration)));
    }

    fn pause(&mut self) {
        let runtime = &self.registration.shared.runtime;
        self.pause = Some((runtime.now() + self.wait, runtime.timer()));
        self.wait = (self.wait * 2).min(WAITS.1);
    }
}

impl Future for Accept {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        for _ in 0..BUDGET {
            match this.registration.admission(context.waker()) {
                Admission::End => return Poll::Ready(()),
                Admission::Wait => return Poll::Pending,
                Admission::Accept => {}
            }
            if let Some((until, timer)) = &mut this.pause {
                if timer.poll_at(context, *until).is_pending() {
                    return Poll::Pending;
                }
                this.pause = None;
            }
            match this.listener.poll_accept(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(stream)) => {
                    this.wait = WAITS.0;
                    this.begin(stream);
                }
                Poll::Ready(Err(error)) if concerns_one_connection(&error) => {}
                Poll::Ready(Err(_)) => this.pause(),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
