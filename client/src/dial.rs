//! Connecting, as a pipeline of small steps: look the name up, try its addresses in order, set TLS up.
//!
//! Each step has the connect deadline, and all together the request's own. A failed address is remembered and the
//! next one tried. Dropping a dial gives its slot back.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use callboard_core::deadlines::{Deadlines, Step as Wait};
#[cfg(feature = "tls")]
use callboard_runtime::tls::TlsError;
use callboard_runtime::{BoxFuture, Endpoint, Handle, Stream, Timer};
use url::{Host, Url};

use crate::connection::Connection;
use crate::connections::Lease;
use crate::error::{Deadline, Error, ErrorKind, Phase};
use crate::settings::{Settings, Timeouts};

/// A connection in the making, and the slot that it will fill.
pub(crate) struct Dial {
    lease: Lease,
    runtime: Handle,
    settings: Arc<Settings>,
    /// The name that TLS asks for and checks.
    #[cfg(feature = "tls")]
    server_name: Option<Box<str>>,
    step: Step,
    timer: Option<Box<dyn Timer>>,
    /// Where to try next, in order.
    addresses: std::vec::IntoIter<Endpoint>,
    tried: Vec<(Endpoint, io::Error)>,
}

enum Step {
    Resolve(BoxFuture<'static, io::Result<Vec<std::net::SocketAddr>>>),
    /// The next address.
    Next,
    Connect(Endpoint, BoxFuture<'static, io::Result<Box<dyn Stream>>>),
    #[cfg(feature = "tls")]
    Secure(Endpoint, BoxFuture<'static, Result<Box<dyn Stream>, TlsError>>),
}

impl Dial {
    /// Where `url` leads, or the Unix socket that stands in for it.
    pub(crate) fn new(
        lease: Lease,
        url: &Url,
        socket: Option<Endpoint>,
        runtime: &Handle,
        settings: &Arc<Settings>,
    ) -> Self {
        // Only http and https get this far, and both have a default.
        let port = url.port_or_known_default().unwrap_or(0);
        let (step, addresses) = match (socket, url.host()) {
            (Some(socket), _) => (Step::Next, vec![socket]),
            (None, Some(Host::Ipv4(address))) => (Step::Next, vec![Endpoint::Tcp((address, port).into())]),
            (None, Some(Host::Ipv6(address))) => (Step::Next, vec![Endpoint::Tcp((address, port).into())]),
            (None, Some(Host::Domain(name))) => (Step::Resolve(runtime.resolve(name, port)), Vec::new()),
            (None, None) => (Step::Next, Vec::new()),
        };
        Self {
            lease,
            runtime: runtime.clone(),
            settings: Arc::clone(settings),
            #[cfg(feature = "tls")]
            server_name: url.host_str().filter(|_| url.scheme() == "https").map(Into::into),
            step,
            timer: None,
            addresses: addresses.into_iter(),
            tried: Vec::new(),
        }
    }

    /// Ready when the slot has its connection.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
        deadlines: &mut Deadlines,
        timeouts: &Timeouts,
    ) -> Poll<Result<(), Error>> {
        loop {
            match self.poll_step(context, deadlines) {
                Poll::Ready(Ok(Some(stream))) => {
                    let limits = Arc::clone(&self.settings.limits);
                    self.lease.dialled(Connection::new(stream, self.runtime.clone(), limits));
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Ok(None)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    let (_, due) = deadlines.next(timeouts);
                    let timer = self.timer.get_or_insert_with(|| self.runtime.timer());
                    if timer.poll_at(context, due).is_pending() {
                        return Poll::Pending;
                    }
                    self.miss_deadline(deadlines, timeouts)?;
                }
            }
        }
    }

    /// The slot with its connection.
    pub(crate) fn into_lease(self) -> Lease {
        self.lease
    }

    /// Some: connected. None: on to the next step.
    fn poll_step(
        &mut self,
        context: &mut Context<'_>,
        deadlines: &mut Deadlines,
    ) -> Poll<Result<Option<Box<dyn Stream>>, Error>> {
        match &mut self.step {
            Step::Resolve(future) => match future.as_mut().poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Error::new(Phase::Dns, ErrorKind::Resolve(error)))),
                Poll::Ready(Ok(addresses)) if addresses.is_empty() => {
                    return Poll::Ready(Err(Error::new(Phase::Dns, ErrorKind::NoAddress)));
                }
                Poll::Ready(Ok(addresses)) => {
                    self.addresses = addresses.into_iter().map(Endpoint::Tcp).collect::<Vec<_>>().into_iter();
                    self.step = Step::Next;
                }
            },
            Step::Next => {
                let Some(endpoint) = self.addresses.next() else { return Poll::Ready(Err(self.give_up())) };
                let future = self.runtime.connect(endpoint.clone());
                self.step = Step::Connect(endpoint, future);
                deadlines.enter(Wait::Connect, self.runtime.now());
            }
            Step::Connect(endpoint, future) => match future.as_mut().poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => {
                    let endpoint = endpoint.clone();
                    self.tried.push((endpoint, error));
                    self.step = Step::Next;
                }
                Poll::Ready(Ok(stream)) => {
                    let endpoint = endpoint.clone();
                    return Poll::Ready(self.connected(endpoint, stream, deadlines));
                }
            },
            #[cfg(feature = "tls")]
            Step::Secure(endpoint, future) => match future.as_mut().poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(stream)) => return Poll::Ready(Ok(Some(stream))),
                Poll::Ready(Err(error)) => {
                    let endpoint = endpoint.clone();
                    return Poll::Ready(Err(Error::new(Phase::Tls, ErrorKind::Tls(error)).at_peer(endpoint, false)));
                }
            },
        }
        Poll::Ready(Ok(None))
    }

    /// The transport is there: TLS is next if the URL asks for it, else the stream is ready.
    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the shape is that of the form with TLS")]
    fn connected(
        &mut self,
        _: Endpoint,
        stream: Box<dyn Stream>,
        _: &mut Deadlines,
    ) -> Result<Option<Box<dyn Stream>>, Error> {
        Ok(Some(stream))
    }

    #[cfg(feature = "tls")]
    fn connected(
        &mut self,
        endpoint: Endpoint,
        stream: Box<dyn Stream>,
        deadlines: &mut Deadlines,
    ) -> Result<Option<Box<dyn Stream>>, Error> {
        let Some(name) = self.server_name.take() else { return Ok(Some(stream)) };
        let connector = self.settings.connector().map_err(|error| Error::new(Phase::Tls, ErrorKind::Tls(error)))?;
        self.step = Step::Secure(endpoint, Box::pin(async move { connector.connect(stream, &name).await }));
        deadlines.enter(Wait::Secure, self.runtime.now());
        Ok(None)
    }

    fn phase(&self) -> Phase {
        match self.step {
            Step::Resolve(_) => Phase::Dns,
            Step::Next | Step::Connect(..) => Phase::Connect,
            #[cfg(feature = "tls")]
            Step::Secure(..) => Phase::Tls,
        }
    }

    /// A deadline passed: the end, or the next address.
    fn miss_deadline(&mut self, deadlines: &Deadlines, timeouts: &Timeouts) -> Result<(), Error> {
        // None: the timer was early.
        let Some(expired) = deadlines.expired(timeouts, self.runtime.now()) else { return Ok(()) };
        let deadline = expired.deadline;
        let error = Error::new(self.phase(), expired.into());
        match &self.step {
            Step::Connect(endpoint, _) => {
                let endpoint = endpoint.clone();
                if deadline == Deadline::Connect && (self.addresses.len() > 0 || !self.tried.is_empty()) {
                    self.tried.push((endpoint, io::ErrorKind::TimedOut.into()));
                    self.step = Step::Next;
                    return Ok(());
                }
                Err(error.at_peer(endpoint, false))
            }
            #[cfg(feature = "tls")]
            Step::Secure(endpoint, _) => Err(error.at_peer(endpoint.clone(), false)),
            Step::Resolve(_) | Step::Next => Err(error),
        }
    }

    /// No address is left.
    fn give_up(&mut self) -> Error {
        let tried = std::mem::take(&mut self.tried);
        let last = tried.last().map(|(endpoint, _)| endpoint.clone());
        let error = Error::new(Phase::Connect, ErrorKind::Connect(tried));
        match last {
            Some(endpoint) => error.at_peer(endpoint, false),
            None => error,
        }
    }
}
