//! A netrc file, read when the user asks for it and never before, away from the reactor.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use callboard_core::netrc::{Netrc, NetrcError};
use callboard_runtime::Handle;

use crate::file::blocking;

/// Bytes that are read: one more than the core takes, so that it says what is wrong.
const MOST: u64 = 1024 * 1024 + 1;

/// The netrc of the user: the file that the environment variable `NETRC` names, or else `.netrc` (on Windows `_netrc`)
/// in the user's folder. `None` if there is neither. A file that `NETRC` names has to be there.
///
/// This is the only place where a session's settings come from the environment, and it is read when this is called. The
/// file is read by [`Runtime::run_blocking`](callboard_runtime::Runtime::run_blocking).
///
/// ```no_run
/// # async fn example(runtime: callboard_runtime::Handle) -> Result<(), callboard_client::NetrcFileError> {
/// use callboard_client::{Session, read_netrc};
///
/// let mut builder = Session::builder(runtime.clone());
/// if let Some(netrc) = read_netrc(&runtime).await? {
///     builder = builder.netrc(netrc);
/// }
/// # drop(builder);
/// # Ok(())
/// # }
/// ```
pub async fn read_netrc(runtime: &Handle) -> Result<Option<Netrc>, NetrcFileError> {
    let Some((path, is_named)) = place(|name| std::env::var_os(name)) else { return Ok(None) };
    match read_netrc_at(runtime, path).await {
        Err(NetrcFileError::Io { error, .. }) if !is_named && error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// A netrc file by its path: see [`read_netrc`].
pub async fn read_netrc_at(runtime: &Handle, path: impl Into<PathBuf>) -> Result<Netrc, NetrcFileError> {
    let path = path.into();
    let name = path.clone();
    let read = blocking(runtime, move || read(path)).await;
    read.unwrap_or_else(|error| Err(NetrcFileError::Io { path: name, error }))
}

/// Where the file is, and whether `NETRC` says so.
fn place(variable: impl Fn(&str) -> Option<OsString>) -> Option<(PathBuf, bool)> {
    let given = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let (home, name) = if cfg!(windows) { ("USERPROFILE", "_netrc") } else { ("HOME", ".netrc") };
    given("NETRC").map(|path| (path, true)).or_else(|| Some((given(home)?.join(name), false)))
}

fn read(path: PathBuf) -> Result<Netrc, NetrcFileError> {
    let bytes = || {
        // Before it is opened: to open a pipe would wait for its writer.
        if !fs::metadata(&path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
        }
        let mut bytes = Vec::new();
        File::open(&path)?.take(MOST).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let text = match bytes().map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => return Err(NetrcFileError::NotText { path }),
        Err(error) => return Err(NetrcFileError::Io { path, error }),
    };
    Netrc::parse(&text).map_err(|error| NetrcFileError::Syntax { path, error })
}

/// Why a netrc file was not read. It says nothing of what is in the file.
#[derive(Debug)]
#[non_exhaustive]
pub enum NetrcFileError {
    /// It could not be opened or read, or is no regular file.
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is not UTF-8.
    NotText {
        /// Which.
        path: PathBuf,
    },
    /// It is no netrc file.
    Syntax {
        /// Which.
        path: PathBuf,
        /// What is wrong, and where.
        error: NetrcError,
    },
}

impl NetrcFileError {
    /// The file.
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. } | Self::NotText { path } | Self::Syntax { path, .. } => path,
        }
    }
}

impl fmt::Display for NetrcFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path().display();
        match self {
            Self::Io { error, .. } => write!(f, "the file {path}: {error}"),
            Self::NotText { .. } => write!(f, "the file {path} is not UTF-8"),
            Self::Syntax { error, .. } => write!(f, "the file {path}: {error}"),
        }
    }
}

impl std::error::Error for NetrcFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            Self::Syntax { error, .. } => Some(error),
            Self::NotText { .. } => None,
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn where_the_file_is() {
        let rows = [
            (&[("NETRC", "/mine"), ("HOME", "/me")][..], Some(("/mine", true))),
            (&[("HOME", "/me")], Some(("/me/.netrc", false))),
            (&[("NETRC", ""), ("HOME", "/me")], Some(("/me/.netrc", false))),
            (&[("HOME", "")], None),
            (&[], None),
        ];
        for (variables, expected) in rows {
            let variable =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
            let found = place(variable);
            assert_eq!(found.as_ref().map(|(path, is_named)| (path.to_str().unwrap(), *is_named)), expected);
        }
    }
}
