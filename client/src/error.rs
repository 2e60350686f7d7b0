//! Errors that say what happened: in which phase, with which peer, and whether the request can have arrived.
//!
//! An error is one pointer wide. Its text is one line; it never holds a header value, a query or a password.

use std::fmt;
use std::io;
use std::time::Duration;

use callboard_core::authentication::CredentialsError;
#[cfg(feature = "compression")]
use callboard_core::coding::{CodingsError, DecodeError};
use callboard_core::deadlines::{Expired, InvalidTimeouts};
#[cfg(feature = "digest")]
use callboard_core::digest::{ChallengeError, ProofError};
use callboard_core::event_stream::EventStreamError;
use callboard_core::form::FormError;
use callboard_core::http1::{ReceiveError, SendError};
use callboard_core::multipart::{InvalidPart, PartError};
use callboard_core::redirect::RedirectError;
use callboard_core::{InvalidHeader, Status};
use callboard_runtime::{DriveError, Endpoint};
use url::Url;

use crate::file_error::FileError;

pub use callboard_core::deadlines::Deadline;
pub use callboard_core::retry::Delivery;

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

/// What went wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The URL does not parse, or has no host.
    InvalidUrl(&'static str),
    /// The URL has a scheme other than `http` and `https`.
    SchemeNotSupported(Box<str>),
    /// `https` without the feature `tls`.
    TlsFeatureMissing,
    /// CONNECT belongs to proxies; it is not sent by hand.
    ConnectNotSupported,
    /// A header field of the request.
    InvalidHeader(InvalidHeader),
    /// Timeouts under which no request could succeed.
    InvalidTimeouts(InvalidTimeouts),
    /// A cookie of the request: its name or its value would arrive as something else.
    InvalidCookie,
    /// The body could not be serialised as JSON.
    Json(serde_json::Error),
    /// A part of the multipart body to send.
    Multipart(InvalidPart),
    /// The machine refused to send this.
    Send(SendError),
    /// A file of the body cannot be sent.
    File(FileError),
    /// The producer of the request's body failed.
    BodySource(BodyError),
    /// Too many requests wait for a connection.
    QueueFull,
    /// A deadline passed.
    TimedOut {
        /// Which.
        deadline: Deadline,
        /// The time since it began to run.
        elapsed: Duration,
        /// What was allowed.
        limit: Duration,
    },
    /// The name could not be looked up.
    Resolve(io::Error),
    /// The name has no address.
    NoAddress,
    /// No address could be connected to: each that was tried, in order, with its error.
    Connect(Vec<(Endpoint, io::Error)>),
    /// TLS could not be agreed on.
    #[cfg(feature = "tls")]
    Tls(callboard_runtime::tls::TlsError),
    /// The transport failed.
    Transport(DriveError),
    /// The peer broke the protocol, a limit or one of the connection's own deadlines.
    Receive(ReceiveError),
    /// A redirection that cannot be followed.
    Redirect(RedirectError),
    /// The content codings of the body cannot be undone.
    #[cfg(feature = "compression")]
    Codings(CodingsError),
    /// The body is not what its content coding says, was cut, or decodes to too much.
    #[cfg(feature = "compression")]
    Decoding(DecodeError),
    /// The body is longer than the limit of the session, bytes.
    BodyTooLarge(u64),
    /// The body is not text in a charset that is known here.
    Charset(Box<str>),
    /// The body is not valid text in its charset.
    Text,
    /// The body is not the JSON that was asked for.
    InvalidJson(serde_json::Error),
    /// What user name or password hold cannot be sent.
    Credentials(CredentialsError),
    /// What is to be proven by Digest authentication cannot be.
    #[cfg(feature = "digest")]
    Digest(ChallengeError),
    /// The server does not prove that it knows the password (RFC 7616 §3.5).
    #[cfg(feature = "digest")]
    ServerProof(ProofError),
    /// The body is an event stream beyond its limits.
    EventStream(EventStreamError),
    /// The body is not multipart as it should be, or a part is not what was asked for.
    Part(PartError),
    /// A part is no form within the limits.
    Form(FormError),
    /// [`Response::error_for_status`](crate::Response::error_for_status).
    Status(Status),
    /// The response switched to no other protocol.
    NoUpgrade,
    /// The body had failed or been taken before.
    BodyGone,
}

/// A redirection that was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The status that redirected.
    pub status: Status,
    /// The URL that answered with it.
    pub url: Url,
}

impl ErrorKind {
    /// Of the source of a body.
    pub(crate) fn of_source(error: BodyError) -> Self {
        error.downcast().map_or_else(Self::BodySource, |error| Self::File(*error))
    }
}

impl From<Expired> for ErrorKind {
    fn from(Expired { deadline, elapsed, limit }: Expired) -> Self {
        Self::TimedOut { deadline, elapsed, limit }
    }
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

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUrl(why) => f.write_str(why),
            Self::SchemeNotSupported(scheme) => write!(f, "the scheme {scheme} is neither http nor https"),
            Self::TlsFeatureMissing => f.write_str("https needs the feature `tls` of callboard"),
            Self::ConnectNotSupported => f.write_str("CONNECT is for proxies and cannot be sent by hand"),
            Self::InvalidHeader(error) => error.fmt(f),
            Self::InvalidTimeouts(error) => error.fmt(f),
            Self::InvalidCookie => f.write_str("a cookie whose name or value would not arrive as it is"),
            Self::Json(error) => write!(f, "the body is not serialisable: {error}"),
            Self::Send(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
            Self::BodySource(error) => write!(f, "the source of the body failed: {error}"),
            Self::QueueFull => f.write_str("too many requests wait for a connection"),
            Self::TimedOut { deadline, elapsed, limit } => {
                write!(f, "the {deadline} deadline of {limit:?} passed after {elapsed:?}")
            }
            Self::Resolve(error) => write!(f, "the look-up failed: {error}"),
            Self::NoAddress => f.write_str("the name has no address"),
            Self::Connect(tried) => {
                f.write_str("no connection")?;
                tried.iter().try_for_each(|(endpoint, error)| write!(f, "; {endpoint}: {error}"))
            }
            #[cfg(feature = "tls")]
            Self::Tls(error) => write!(f, "the handshake failed: {error}"),
            Self::Transport(error) => error.fmt(f),
            Self::Receive(error) => error.fmt(f),
            Self::Redirect(error) => error.fmt(f),
            #[cfg(feature = "compression")]
            Self::Codings(error) => error.fmt(f),
            #[cfg(feature = "compression")]
            Self::Decoding(error) => error.fmt(f),
            Self::BodyTooLarge(limit) => write!(f, "the body is longer than {limit} bytes"),
            Self::Charset(name) => write!(f, "the charset {name} is not known"),
            Self::Text => f.write_str("the body is not valid text in its charset"),
            Self::InvalidJson(error) => write!(f, "the body is not the JSON expected: {error}"),
            Self::Credentials(error) => error.fmt(f),
            #[cfg(feature = "digest")]
            Self::Digest(refusal) => refusal.fmt(f),
            #[cfg(feature = "digest")]
            Self::ServerProof(error) => error.fmt(f),
            Self::EventStream(error) => error.fmt(f),
            Self::Multipart(error) => error.fmt(f),
            Self::Part(error) => error.fmt(f),
            Self::Form(error) => error.fmt(f),
            Self::Status(status) => write!(f, "the server answered {status}"),
            Self::NoUpgrade => f.write_str("the response switched to no other protocol"),
            Self::BodyGone => f.write_str("the body failed or was taken before"),
        }
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
        match &self.0.kind {
            ErrorKind::InvalidHeader(error) => Some(error),
            ErrorKind::InvalidTimeouts(error) => Some(error),
            ErrorKind::Json(error) | ErrorKind::InvalidJson(error) => Some(error),
            ErrorKind::Send(error) => Some(error),
            ErrorKind::BodySource(error) => Some(&**error),
            ErrorKind::File(error) => Some(error),
            ErrorKind::Resolve(error) => Some(error),
            #[cfg(feature = "tls")]
            ErrorKind::Tls(error) => Some(error),
            ErrorKind::Connect(tried) => tried.last().map(|(_, error)| error as _),
            ErrorKind::Transport(error) => Some(error),
            ErrorKind::Receive(error) => Some(error),
            ErrorKind::Redirect(error) => Some(error),
            #[cfg(feature = "compression")]
            ErrorKind::Codings(error) => Some(error),
            #[cfg(feature = "compression")]
            ErrorKind::Decoding(error) => Some(error),
            _ => None,
        }
    }
}
