//! HTTP versions (RFC 9112 §2.3).

use core::fmt;

/// The version of a message. Versions 1.x above 1.1 are read as 1.1, as RFC 9110 §2.5 asks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Version {
    /// HTTP/1.0: a connection closes after one exchange unless both sides say `keep-alive`.
    Http10,
    /// HTTP/1.1: a connection persists unless one side says `close`.
    Http11,
}

impl Version {
    /// As on the wire: `HTTP/1.1`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
