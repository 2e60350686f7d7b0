//! What the driver says of a transport that failed.

use std::{fmt, io};

/// The transport failed: while doing what.
#[derive(Debug)]
pub enum DriveError {
    /// Reading from the peer.
    Read(io::Error),
    /// Writing to the peer.
    Write(io::Error),
    /// Half-closing.
    Close(io::Error),
}

impl fmt::Display for DriveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(f, "reading failed: {error}"),
            Self::Write(error) => write!(f, "writing failed: {error}"),
            Self::Close(error) => write!(f, "half-closing failed: {error}"),
        }
    }
}

impl std::error::Error for DriveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read(error) | Self::Write(error) | Self::Close(error) => Some(error),
        }
    }
}

impl From<DriveError> for io::Error {
    fn from(error: DriveError) -> Self {
        match error {
            DriveError::Read(error) | DriveError::Write(error) | DriveError::Close(error) => error,
        }
    }
}
