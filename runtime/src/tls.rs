//! TLS as a stream made from a stream, on either side (feature `tls`).
//!
//! [`TlsConnector`] and [`TlsAcceptor`] take any [`Stream`](crate::Stream), so TLS is the same over TCP, Unix sockets
//! and the simulated network. Both are cheap to clone and to be made once, for they keep the sessions to resume.
//! The engine is rustls with ring, a machine like ours; none of its types are part of this surface. Neither side has a
//! deadline of its own: the caller has one, and drops the future.
//!
//! ```
//! use callboard_runtime::tls::{TlsConnector, TlsVersion};
//!
//! let connector = TlsConnector::with_web_roots().min_version(TlsVersion::Tls13).build()?;
//! // let stream = connector.connect(stream, "example.org").await?;
//! # Ok::<(), callboard_runtime::tls::TlsError>(())
//! ```

mod acceptor;
mod connector;
mod error;
mod identity;
mod opening;
mod stream;
mod trust;

use std::sync::Arc;

use rustls::SupportedProtocolVersion;
use rustls::crypto::{CryptoProvider, ring};
use rustls::version::{TLS12, TLS13};

pub use acceptor::{AcceptFailure, TlsAcceptor, TlsAcceptorBuilder};
pub use connector::{TlsConnector, TlsConnectorBuilder};
pub use error::TlsError;
pub use identity::Identity;

/// The protocol that is offered by default.
const HTTP1: &[u8] = b"http/1.1";

/// A version of TLS, for a lower bound. There is nothing older.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246), the default.
    #[default]
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl TlsVersion {
    /// This version and what is newer.
    fn and_newer(self) -> &'static [&'static SupportedProtocolVersion] {
        match self {
            Self::Tls12 => &FROM_TLS12,
            Self::Tls13 => &FROM_TLS13,
        }
    }
}

static FROM_TLS12: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
static FROM_TLS13: [&SupportedProtocolVersion; 1] = [&TLS13];

/// ring, named at every use: nothing depends on a default of the process.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
