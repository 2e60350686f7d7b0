//! The certificates that the tests show; `certificates/make.sh` made them.

use callboard_runtime::tls::{Identity, TlsAcceptor, TlsAcceptorBuilder, TlsConnector, TlsConnectorBuilder};

pub(crate) const AUTHORITY: &[u8] = include_bytes!("certificates/authority.pem");
/// For `example.test`, `localhost`, 127.0.0.1 and `::1`.
pub(crate) const SERVER: &[u8] = include_bytes!("certificates/server.pem");
/// For `one.test`.
pub(crate) const ONE: &[u8] = include_bytes!("certificates/one.pem");
pub(crate) const CLIENT: &[u8] = include_bytes!("certificates/client.pem");
/// An authority that nobody believes.
pub(crate) const STRANGER: &[u8] = include_bytes!("certificates/stranger.pem");
/// A client that it vouches for.
pub(crate) const UNKNOWN_CLIENT: &[u8] = include_bytes!("certificates/unknown-client.pem");

/// A certificate and its key from one text.
pub(crate) fn identity(pem: &[u8]) -> Identity {
    Identity::from_pem(pem, pem).unwrap()
}

/// A client that believes the authority.
pub(crate) fn connector() -> TlsConnectorBuilder {
    TlsConnector::with_no_roots().add_root_pem(AUTHORITY).unwrap()
}

/// A server for `example.test`.
pub(crate) fn acceptor() -> TlsAcceptorBuilder {
    TlsAcceptor::builder(identity(SERVER))
}
