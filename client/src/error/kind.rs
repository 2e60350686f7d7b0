//! What went wrong, as a value: one variant for each thing that can.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use callboard_core::authentication::CredentialsError;
#[cfg(feature = "compression")]
use callboard_core::coding::{CodingsError, DecodeError};
use callboard_core::deadlines::{Deadline, Expired, InvalidTimeouts};
#[cfg(feature = "digest")]
use callboard_core::digest::{ChallengeError, ProofError};
use callboard_core::event_stream::EventStreamError;
use callboard_core::form::FormError;
use callboard_core::happy_eyeballs::Family;
use callboard_core::http1::{ReceiveError, SendError};
use callboard_core::multipart::{InvalidPart, PartError};
use callboard_core::redirect::RedirectError;
use callboard_core::{InvalidHeader, Status};
use callboard_runtime::{DriveError, Endpoint};

use super::BodyError;
use crate::file_error::FileError;

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
    /// [`Session::close`](crate::Session::close) was called.
    SessionClosed,
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
    /// The host has addresses, but none of the one family that the session may use.
    NoAddressOfFamily(Family),
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
    /// No token could be fetched: what the [`TokenSource`](crate::TokenSource) says.
    Token(Arc<dyn std::error::Error + Send + Sync>),
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

impl ErrorKind {
    /// Of the source of a body.
    pub(crate) fn of_source(error: BodyError) -> Self {
        error.downcast().map_or_else(Self::BodySource, |error| Self::File(*error))
    }

    /// The error below, if there is one.
    pub(super) fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::InvalidHeader(error) => Some(error),
            Self::InvalidTimeouts(error) => Some(error),
            Self::Json(error) | Self::InvalidJson(error) => Some(error),
            Self::Send(error) => Some(error),
            Self::BodySource(error) => Some(&**error),
            Self::File(error) => Some(error),
            Self::Token(error) => Some(&**error),
            Self::Resolve(error) => Some(error),
            #[cfg(feature = "tls")]
            Self::Tls(error) => Some(error),
            Self::Connect(tried) => tried.last().map(|(_, error)| error as _),
            Self::Transport(error) => Some(error),
            Self::Receive(error) => Some(error),
            Self::Redirect(error) => Some(error),
            #[cfg(feature = "compression")]
            Self::Codings(error) => Some(error),
            #[cfg(feature = "compression")]
            Self::Decoding(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Expired> for ErrorKind {
    fn from(Expired { deadline, elapsed, limit }: Expired) -> Self {
        Self::TimedOut { deadline, elapsed, limit }
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
            Self::SessionClosed => f.write_str("the session was closed"),
            Self::TimedOut { deadline, elapsed, limit } => {
                write!(f, "the {deadline} deadline of {limit:?} passed after {elapsed:?}")
            }
            Self::Resolve(error) => write!(f, "the look-up failed: {error}"),
            Self::NoAddress => f.write_str("the name has no address"),
            Self::NoAddressOfFamily(family) => write!(f, "the host has no {family} address"),
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
            Self::Token(error) => write!(f, "no token: {error}"),
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
