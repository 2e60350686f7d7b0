//! The server: listeners, connections, and the handle that drains them.

mod accept;
mod answer;
mod connection;
mod date;
mod endpoints;
mod exchange;
mod listen;
mod patience;
mod shared;
#[cfg(feature = "tls")]
mod tls;
mod upgraded;

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use callboard_runtime::{Endpoint, Handle, Signals};

use crate::link::Order;
use crate::{Service, StartError};

pub use endpoints::{ListenAddress, ToEndpoints};
pub use shared::DrainReport;
pub(crate) use shared::Settings;
use shared::Shared;

/// A server that listens and serves, until it is drained or dropped.
///
/// Dropping it closes the listeners and idle connections; requests in progress are finished.
#[must_use = "dropping a server ends it"]
pub struct Server {
    shared: Arc<Shared>,
    first: Endpoint,
}

impl Server {
    /// Opens the listeners and starts to accept.
    pub(crate) async fn start(
        service: Service,
        settings: Settings,
        runtime: Handle,
        addresses: Vec<ListenAddress>,
    ) -> Result<Self, StartError> {
        let groups = endpoints::resolve(&runtime, addresses).await?;
        let shared = Shared::new(service, runtime, settings);
        // Made first, so that listeners that were opened end if a later one cannot be.
        let unspecified = std::net::SocketAddr::from(([0, 0, 0, 0], 0));
        let mut server = Self { shared, first: unspecified.into() };
        for group in groups {
            listen::listen_on(&server.shared, group).await?;
        }
        if let Some(first) = server.shared.addresses().into_iter().next() {
            server.first = first;
        }
        Ok(server)
    }

    /// Where it listens, with the port that was chosen; the first address, if there are several.
    pub fn local(&self) -> Endpoint {
        self.first.clone()
    }

    /// All addresses on which it listens.
    pub fn addresses(&self) -> Vec<Endpoint> {
        self.shared.addresses()
    }

    /// Connections that are open now.
    pub fn connections(&self) -> usize {
        self.shared.connections()
    }

    /// Ends the server in order: closes the listeners and idle connections, lets requests in progress finish for
    /// `deadline` at most, tells the peers of a `WebSocket` that it goes away (1001), and then cuts what is left.
    pub async fn drain(&self, deadline: Duration) -> DrainReport {
        self.shared.order(Order::Drain);
        let mut timer = self.shared.runtime.timer();
        let until = self.shared.runtime.now() + deadline;
        let ended = poll_fn(|context| match self.shared.poll_ended(context) {
            Poll::Ready(report) => Poll::Ready(Some(report)),
            Poll::Pending => timer.poll_at(context, until).map(|()| None),
        });
        if let Some(report) = ended.await {
            return report;
        }
        self.abort();
        self.wait().await
    }

    /// Cuts all connections and closes the listeners at once.
    pub fn abort(&self) {
        self.shared.order(Order::Abort);
    }

    /// Waits until the server has ended: no listener and no connection is left. It does not end by itself.
    pub async fn wait(&self) -> DrainReport {
        poll_fn(|context| self.shared.poll_ended(context)).await
    }

    /// Serves until a signal, then drains; a second signal cuts what is left.
    pub(crate) async fn until_signal(self, mut signals: Box<dyn Signals>, deadline: Duration) {
        // A source of signals that fails gives no more of them; the server goes on.
        poll_fn(|context| poll_signal(&mut *signals, context)).await;
        let mut drain = pin!(self.drain(deadline));
        poll_fn(|context| {
            if drain.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            if poll_signal(&mut *signals, context).is_ready() {
                self.abort();
                context.waker().wake_by_ref();
            }
            Poll::Pending
        })
        .await;
    }
}

fn poll_signal(signals: &mut dyn Signals, context: &mut Context<'_>) -> Poll<()> {
    match signals.poll_signal(context) {
        Poll::Ready(Ok(_)) => Poll::Ready(()),
        Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.order(Order::Drain);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Server");
        debug.field("local", &self.first).field("connections", &self.connections()).finish_non_exhaustive()
    }
}
