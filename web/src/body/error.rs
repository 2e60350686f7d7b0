//! What ends a body before its end.

use std::fmt;

use callboard_core::Status;
#[cfg(feature = "compression")]
use callboard_core::coding::{CodingsError, DecodeError};
use callboard_core::http1::ReceiveError;

/// A body ended before its end, or is not wanted.
#[derive(Debug)]
#[non_exhaustive]
pub enum BodyError {
    /// The peer ended the connection, or the connection broke.
    Cut,
    /// The peer fell silent for longer than `Limits::body_timeout`, or stayed below `Limits::minimum_rate`.
    TimedOut,
    /// The peer sent something that is no body in the announced framing, or broke a limit of the framing.
    Invalid(ReceiveError),
    /// There is more than whoever reads it accepts.
    TooLarge {
        /// What is accepted, bytes.
        limit: usize,
    },
    /// The content codings of the body cannot be undone: 415.
    #[cfg(feature = "compression")]
    Codings(CodingsError),
    /// The body is not what its content coding says, was cut, or decodes to too much.
    #[cfg(feature = "compression")]
    Decoding(DecodeError),
    /// A stream of the application failed: see [`Body::stream`](crate::Body::stream).
    Source(Box<dyn std::error::Error + Send + Sync>),
}

impl BodyError {
    /// The status to answer a request with whose body failed so: 400, 408, 413, 415, or 500 for a stream of our own.
    pub fn status(&self) -> Status {
        match self {
            Self::Cut => Status::BAD_REQUEST,
            Self::TimedOut => Status::REQUEST_TIMEOUT,
            Self::Invalid(error) => error.status(),
            Self::TooLarge { .. } => Status::CONTENT_TOO_LARGE,
            #[cfg(feature = "compression")]
            Self::Codings(error) => error.status(),
            #[cfg(feature = "compression")]
            Self::Decoding(error) => error.status(),
            Self::Source(_) => Status::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<ReceiveError> for BodyError {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::BodyCut => Self::Cut,
            error if error.is_timeout() => Self::TimedOut,
            error => Self::Invalid(error),
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => f.write_str("the connection ended inside the body"),
            Self::TimedOut => f.write_str("the body did not arrive in time"),
            Self::Invalid(error) => error.fmt(f),
            Self::TooLarge { limit } => write!(f, "the body is longer than {limit} bytes"),
            #[cfg(feature = "compression")]
            Self::Codings(error) => error.fmt(f),
            #[cfg(feature = "compression")]
            Self::Decoding(error) => error.fmt(f),
            Self::Source(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Source(error) => Some(&**error),
            Self::Invalid(error) => Some(error),
            #[cfg(feature = "compression")]
            Self::Codings(error) => Some(error),
            #[cfg(feature = "compression")]
            Self::Decoding(error) => Some(error),
            _ => None,
        }
    }
}
