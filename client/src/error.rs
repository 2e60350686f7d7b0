//! Errors that say what happened: in which phase, with which peer, and whether the request can have arrived.
//!
//! An error is one pointer wide. Its text is one line; it never holds a header value, a query or a password.

mod kind;

use std::fmt;
use std::io;

use callboard_core::Status;
use callboard_core::http1::ReceiveError;
use callboard_runtime::{DriveError, Endpoint};
use url::Url;

pub use callboard_core::deadlines::Deadline;
pub use callboard_core::retry::Delivery;
pub use kind::ErrorKind;

/// An error of whoever produced a request body.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// How far a request had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// The URL was being read.
    Url,
    /// The request was being put together.
    Build,
    /// It waited for a connection of the pool.
    Queue,
    /// The host's name was being looked up.
    Dns,
    /// The transport was being connected.
    Connect,
    /// TLS was being set up.
    Tls,
    /// The request was being sent.
    Write,
    /// The head of the response was due.
    Head,
    /// The body of the response was due.
    Body,
    /// The body was there and was being interpreted.
    Decode,
    /// A redirection was to be followed.
    Redirect,
}

/// A redirection that was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The status that redirected.
    pub status: Status,
    /// The URL that answered with it.
    pub url: Url,
}

/// Why a request failed.
///
/// ```
/// use callboard_client::{Delivery, Error, Phase};
///
/// fn may_send_again(error: &Error) -> bool {
///     error.delivery() == Delivery::NeverSent && error.phase() >= Phase::Queue
/// }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    phase: Phase,
    delivery: Delivery,
    host: Option<Box<str>>,
    peer: Option<Endpoint>,
    reused: bool,
    history: Vec<Hop>,
}

impl Error {
    pub(crate) fn new(phase: Phase, kind: ErrorKind) -> Self {
        let (delivery, history) = (Delivery::NeverSent, Vec::new());
        Self(Box::new(Inner { kind, phase, delivery, host: None, peer: None, reused: false, history }))
    }

    pub(crate) fn delivered(mut self, delivery: Delivery) -> Self {
        self.0.delivery = delivery;
        self
    }

    pub(crate) fn at_peer(mut self, peer: Endpoint, reused: bool) -> Self {
        self.0.peer = Some(peer);
        self.0.reused = reused;
        self
    }

    pub(crate) fn at_host(mut self, host: &str) -> Self {
        self.0.host.get_or_insert_with(|| host.into());
        self
    }

    pub(crate) fn after(mut self, history: Vec<Hop>) -> Self {
        self.0.history = history;
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// How far the request had come.
    pub fn phase(&self) -> Phase {
        self.0.phase
    }

    /// Whether the request can have reached the server.
    pub fn delivery(&self) -> Delivery {
        self.0.delivery
    }

    /// The other end of the transport, if one was chosen.
    pub fn peer(&self) -> Option<&Endpoint> {
        self.0.peer.as_ref()
    }

    /// The origin that was asked for, `http://example.org:8080`, once it is known.
    pub fn host(&self) -> Option<&str> {
        self.0.host.as_deref()
    }

    /// Whether the connection had carried another request before.
    pub fn reused(&self) -> bool {
        self.0.reused
    }

    /// The redirections that had been followed, in order.
    pub fn history(&self) -> &[Hop] {
        &self.0.history
    }

    /// Whether another attempt may end otherwise: what the network did, but not what either side said.
    pub(crate) fn is_transient(&self) -> bool {
        match &self.0.kind {
            ErrorKind::Resolve(_) | ErrorKind::Connect(_) | ErrorKind::Transport(_) => true,
            ErrorKind::TimedOut { deadline, .. } => *deadline == Deadline::Connect,
            ErrorKind::Receive(error) => self.is_cut() || error.is_timeout() || *error == ReceiveError::HeadCut,
            _ => false,
        }
    }

    /// Whether the connection ended, or failed, before a response.
    pub(crate) fn is_cut(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Transport(_) | ErrorKind::Receive(ReceiveError::NoResponse))
    }

    /// Whether any deadline passed, of ours or of the system's.
    pub fn is_timeout(&self) -> bool {
        let timed_out = |error: &io::Error| error.kind() == io::ErrorKind::TimedOut;
        match &self.0.kind {
            ErrorKind::TimedOut { .. } => true,
            ErrorKind::Receive(error) => error.is_timeout(),
            ErrorKind::Connect(tried) => tried.last().is_some_and(|(_, error)| timed_out(error)),
            ErrorKind::Resolve(error) => timed_out(error),
            #[cfg(feature = "tls")]
            ErrorKind::Tls(callboard_runtime::tls::TlsError::Io(error)) => timed_out(error),
            ErrorKind::Transport(error) => timed_out(transport_cause(error)),
            _ => false,
        }
    }

    /// The status, if [`error_for_status`](crate::Response::error_for_status) made this error.
    pub fn status(&self) -> Option<Status> {
        match self.0.kind {
            ErrorKind::Status(status) => Some(status),
            _ => None,
        }
    }
}

fn transport_cause(error: &DriveError) -> &io::Error {
    match error {
        DriveError::Read(cause) | DriveError::Write(cause) | DriveError::Close(cause) => cause,
    }
}

impl Phase {
    /// In lower case, as in the text of an error.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Build => "build",
            Self::Queue => "queue",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Write => "write",
            Self::Head => "head",
            Self::Body => "body",
            Self::Decode => "decode",
            Self::Redirect => "redirect",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        write!(f, "{}: {}", inner.phase, inner.kind)?;
        let building = matches!(inner.phase, Phase::Url | Phase::Build);
        match (&inner.peer, &inner.host) {
            (Some(peer), _) => write!(f, " (peer {peer}")?,
            (None, Some(host)) => write!(f, " (host {host}")?,
            (None, None) if building => return Ok(()),
            (None, None) => f.write_str(" (")?,
        }
        if inner.peer.is_some() || inner.host.is_some() {
            f.write_str(", ")?;
        }
        if inner.reused {
            f.write_str("reused connection, ")?;
        }
        write!(f, "{})", inner.delivery)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("phase", &inner.phase)
            .field("delivery", &inner.delivery)
            .field("host", &inner.host)
            .field("peer", &inner.peer)
            .field("reused", &inner.reused)
            .field("history", &inner.history)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.kind.source()
    }
}
