//! What can go wrong with TLS, named from where we stand: ours, the peer's certificate, the peer's refusal, not TLS.

use std::fmt;
use std::io;

use rustls::{AlertDescription, Error};

/// Why TLS could not be set up, or broke.
#[derive(Debug)]
pub enum TlsError {
    /// Our own configuration: unreadable PEM, a key that does not fit its certificate. Says what.
    Configuration(String),
    /// The name asked for is neither a host name nor an IP address. Holds the name.
    ServerNameInvalid(String),
    /// The peer's certificate is not accepted. Says why.
    CertificateInvalid(String),
    /// The peer refused with this alert (RFC 8446 §6.2): our certificate, our version, our name.
    Refused(String),
    /// The two sides have no application protocol in common (RFC 7301 §3.2).
    NoCommonProtocol,
    /// The two sides could not agree, or the peer broke the protocol. Says how.
    HandshakeFailed(String),
    /// The peer speaks plain HTTP.
    PlainHttp,
    /// The peer speaks something that is neither TLS nor HTTP.
    NotTls,
    /// The peer closed during the handshake.
    PeerClosed,
    /// The transport failed.
    Io(io::Error),
}

impl TlsError {
    fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Configuration(_) | Self::ServerNameInvalid(_) => io::ErrorKind::InvalidInput,
            Self::Refused(_) | Self::NoCommonProtocol => io::ErrorKind::ConnectionRefused,
            Self::CertificateInvalid(_) | Self::HandshakeFailed(_) | Self::PlainHttp | Self::NotTls => {
                io::ErrorKind::InvalidData
            }
            Self::PeerClosed => io::ErrorKind::UnexpectedEof,
            Self::Io(error) => error.kind(),
        }
    }
}

impl From<Error> for TlsError {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidCertificate(error) => Self::CertificateInvalid(error.to_string()),
            Error::NoCertificatesPresented => Self::CertificateInvalid("the peer presented none".into()),
            Error::NoApplicationProtocol | Error::AlertReceived(AlertDescription::NoApplicationProtocol) => {
                Self::NoCommonProtocol
            }
            Error::AlertReceived(alert) => Self::Refused(format!("{alert:?}")),
            other => Self::HandshakeFailed(other.to_string()),
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(what) => write!(f, "the TLS configuration is unusable: {what}"),
            Self::ServerNameInvalid(name) => write!(f, "{name:?} is neither a host name nor an IP address"),
            Self::CertificateInvalid(why) => write!(f, "the peer's certificate is not accepted: {why}"),
            Self::Refused(alert) => write!(f, "the peer refused with the TLS alert {alert}"),
            Self::NoCommonProtocol => f.write_str("no application protocol in common (ALPN)"),
            Self::HandshakeFailed(how) => write!(f, "TLS failed: {how}"),
            Self::PlainHttp => f.write_str("the peer speaks plain HTTP, not TLS"),
            Self::NotTls => f.write_str("the peer does not speak TLS"),
            Self::PeerClosed => f.write_str("the peer closed during the TLS handshake"),
            Self::Io(error) => write!(f, "the transport failed under TLS: {error}"),
        }
    }
}

impl std::error::Error for TlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        match error {
            TlsError::Io(error) => error,
            other => Self::new(other.kind(), other),
        }
    }
}
