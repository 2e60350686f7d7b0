//! Why a file was not sent: which, and what was found.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a file was not sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum FileError {
    /// It could not be opened or read.
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is a folder, a pipe, a device: it has no length.
    NotRegular {
        /// Which.
        path: PathBuf,
    },
    /// It got shorter than it was when it was opened.
    Shorter {
        /// Which.
        path: PathBuf,
        /// Bytes that were announced.
        announced: u64,
        /// Bytes that there are.
        found: u64,
    },
}

impl FileError {
    /// The file.
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. } | Self::NotRegular { path } | Self::Shorter { path, .. } => path,
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path().display();
        match self {
            Self::Io { error, .. } => write!(f, "the file {path}: {error}"),
            Self::NotRegular { .. } => write!(f, "{path} is no regular file"),
            Self::Shorter { announced, found, .. } => {
                write!(f, "the file {path} has {found} bytes left of the {announced} that were announced")
            }
        }
    }
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            Self::NotRegular { .. } | Self::Shorter { .. } => None,
        }
    }
}
