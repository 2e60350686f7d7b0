//! Connecting, as a pipeline of small steps: look the name up, race its addresses, set TLS up.
//!
//! The look-up, each address and TLS have the connect deadline, and all together the request's own. A failed address is
//! remembered and the next one tried. Dropping a dial gives its slot back.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use callboard_core::Instant;
use callboard_core::deadlines::{Deadlines, Step as Wait};
#[cfg(feature = "tls")]
use callboard_runtime::tls::TlsError;
use callboard_runtime::{BoxFuture, ConnectOptions, Endpoint, Handle, Stream, Timer};
use url::{Host, Url};

use crate::connection::Connection;
use crate::connections::Lease;
use crate::error::{Deadline, Error, ErrorKind, Phase};
use crate::names::Looking;
use crate::racing::{Finish, Racing};
use crate::settings::{Settings, Timeouts};
use crate::shared::Shared;

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
}

enum Step {
    Resolve(Looking),
    /// To race these.
    Begin(Vec<SocketAddr>),
    Race(Box<Racing>),
    /// A Unix socket, once it is begun.
    Socket(Endpoint, Option<BoxFuture<'static, io::Result<Box<dyn Stream>>>>),
    #[cfg(feature = "tls")]
    Secure(Endpoint, BoxFuture<'static, Result<Box<dyn Stream>, TlsError>>),
}

impl Dial {
    /// Where `url` leads, or the Unix socket that stands in for it.
    pub(crate) fn new(lease: Lease, url: &Url, socket: Option<Endpoint>, session: &Shared) -> Self {
        let Shared { runtime, settings, names, .. } = session;
        // Only http and https get this far, and both have a default.
        let port = url.port_or_known_default().unwrap_or(0);
        let step = match (socket, url.host()) {
            (Some(socket), _) => Step::Socket(socket, None),
            (None, Some(Host::Ipv4(address))) => Step::Begin(vec![(address, port).into()]),
            (None, Some(Host::Ipv6(address))) => Step::Begin(vec![(address, port).into()]),
            (None, Some(Host::Domain(name))) => Step::Resolve(names.look_up(name, port, runtime)),
            (None, None) => Step::Begin(Vec::new()),
        };
        Self {
            lease,
            runtime: runtime.clone(),
            settings: Arc::clone(settings),
            #[cfg(feature = "tls")]
            server_name: url.host_str().filter(|_| url.scheme() == "https").map(Into::into),
            step,
            timer: None,
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
            match self.poll_step(context, deadlines, timeouts) {
                Poll::Ready(Ok(Some(stream))) => {
                    let limits = Arc::clone(&self.settings.limits);
                    self.lease.dialled(Connection::new(stream, self.runtime.clone(), limits));
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Ok(None)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    let (_, due) = deadlines.next(timeouts);
                    let due = self.race_due().map_or(due, |race| race.min(due));
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
        timeouts: &Timeouts,
    ) -> Poll<Result<Option<Box<dyn Stream>>, Error>> {
        match &mut self.step {
            Step::Resolve(looking) => match looking.poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Error::new(Phase::Dns, ErrorKind::Resolve(error)))),
                Poll::Ready(Ok(addresses)) if addresses.is_empty() => {
                    return Poll::Ready(Err(Error::new(Phase::Dns, ErrorKind::NoAddress)));
                }
                Poll::Ready(Ok(addresses)) => self.step = Step::Begin(addresses),
            },
            Step::Begin(addresses) => {
                let addresses = std::mem::take(addresses);
                let racing = Racing::new(addresses, &self.settings, timeouts.connect, &self.runtime);
                self.step = Step::Race(Box::new(racing));
            }
            Step::Race(racing) => match racing.poll(context, |began| deadlines.enter(Wait::Connect, began)) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Finish::Won(endpoint, stream)) => {
                    return Poll::Ready(self.connected(endpoint, stream, deadlines));
                }
                Poll::Ready(Finish::Lost(tried)) => {
                    let family = self.settings.race().only.filter(|_| tried.is_empty());
                    return Poll::Ready(Err(match family {
                        Some(family) => Error::new(Phase::Connect, ErrorKind::NoAddressOfFamily(family)),
                        None => lost(tried),
                    }));
                }
            },
            Step::Socket(endpoint, future @ None) => {
                *future = Some(self.runtime.connect(endpoint.clone(), ConnectOptions::default()));
                deadlines.enter(Wait::Connect, self.runtime.now());
            }
            Step::Socket(endpoint, Some(future)) => match future.as_mut().poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(lost(vec![(endpoint.clone(), error)]))),
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

    /// How far it has come.
    pub(crate) fn phase(&self) -> Phase {
        match self.step {
            Step::Resolve(_) => Phase::Dns,
            Step::Begin(_) | Step::Race(_) | Step::Socket(..) => Phase::Connect,
            #[cfg(feature = "tls")]
            Step::Secure(..) => Phase::Tls,
        }
    }

    /// When the race has something to do. What each of its addresses may take is among it.
    fn race_due(&self) -> Option<Instant> {
        if let Step::Race(racing) = &self.step { racing.due() } else { None }
    }

    /// A deadline passed: the end, or the next address.
    fn miss_deadline(&mut self, deadlines: &Deadlines, timeouts: &Timeouts) -> Result<(), Error> {
        let now = self.runtime.now();
        let expired = deadlines.expired(timeouts, now);
        let phase = self.phase();
        match (&mut self.step, expired) {
            (Step::Race(racing), expired) => {
                let only = racing.only();
                match expired {
                    Some(expired) if expired.deadline != Deadline::Connect || only.is_some() => {
                        let error = Error::new(phase, expired.into());
                        Err(match racing.latest() {
                            Some(endpoint) => error.at_peer(endpoint, false),
                            None => error,
                        })
                    }
                    _ => {
                        racing.handle_timeout(now);
                        Ok(())
                    }
                }
            }
            // The timer was early.
            (_, None) => Ok(()),
            (Step::Socket(endpoint, _), Some(expired)) => {
                Err(Error::new(phase, expired.into()).at_peer(endpoint.clone(), false))
            }
            #[cfg(feature = "tls")]
            (Step::Secure(endpoint, _), Some(expired)) => {
                Err(Error::new(phase, expired.into()).at_peer(endpoint.clone(), false))
            }
            (Step::Resolve(_) | Step::Begin(_), Some(expired)) => Err(Error::new(phase, expired.into())),
        }
    }
}

/// No address is left.
fn lost(tried: Vec<(Endpoint, io::Error)>) -> Error {
    let last = tried.last().map(|(endpoint, _)| endpoint.clone());
    let error = Error::new(Phase::Connect, ErrorKind::Connect(tried));
    match last {
        Some(endpoint) => error.at_peer(endpoint, false),
        None => error,
    }
}
