//! The client's side of TLS.

use std::fmt;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, ClientConnection, Connection, RootCertStore};

use super::opening::Opening;
use super::stream::TlsStream;
use super::trust::{self, AnyCertificate};
use super::{HTTP1, Identity, TlsError, TlsVersion, provider};
use crate::Stream;

/// Makes TLS streams as a client. Cheap to clone; clones share the sessions to resume.
#[derive(Clone)]
pub struct TlsConnector {
    config: Arc<ClientConfig>,
}

impl TlsConnector {
    /// Configures a connector that trusts the roots of Mozilla's programme, as the `webpki-roots` crate has them.
    pub fn with_web_roots() -> TlsConnectorBuilder {
        let mut builder = Self::with_no_roots();
        builder.roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        builder
    }

    /// Configures a connector that trusts only the roots added to it.
    pub fn with_no_roots() -> TlsConnectorBuilder {
        TlsConnectorBuilder {
            roots: RootCertStore::empty(),
            any_certificate: false,
            identity: None,
            protocols: vec![HTTP1.to_vec()],
            min_version: TlsVersion::default(),
            resumption: true,
        }
    }

    /// Does the handshake on `stream` and gives the stream that speaks TLS over it.
    ///
    /// `server_name` is a host name or an IP address (IPv6 with or without brackets); the certificate must be for it.
    /// With TLS 1.3, a server that wants a certificate of ours refuses only after this, at the first read. Dropping
    /// the future closes `stream`.
    pub async fn connect(&self, stream: Box<dyn Stream>, server_name: &str) -> Result<Box<dyn Stream>, TlsError> {
        let name = parse_server_name(server_name)?;
        let session = ClientConnection::new(Arc::clone(&self.config), name)?;
        let mut stream = TlsStream::new(stream, Connection::Client(session));
        let error = match stream.greet().await.map_err(TlsError::Io)? {
            Opening::Tls => {
                stream.handshake().await?;
                stream.set_server_name(Some(server_name.to_owned()));
                return Ok(Box::new(stream));
            }
            Opening::Http => TlsError::PlainHttp,
            Opening::Other => TlsError::NotTls,
            Opening::Closed => TlsError::PeerClosed,
        };
        Err(error)
    }
}

fn parse_server_name(name: &str) -> Result<ServerName<'static>, TlsError> {
    let literal = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    // RFC 6066 §3: the name is sent without a trailing dot.
    let bare = literal.strip_suffix('.').unwrap_or(literal);
    ServerName::try_from(bare.to_owned()).map_err(|_| TlsError::ServerNameInvalid(name.to_owned()))
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsConnector")
    }
}

/// Configures a [`TlsConnector`].
pub struct TlsConnectorBuilder {
    roots: RootCertStore,
    any_certificate: bool,
    identity: Option<Identity>,
    protocols: Vec<Vec<u8>>,
    min_version: TlsVersion,
    resumption: bool,
}

impl TlsConnectorBuilder {
    /// Trusts also every certificate in this PEM text.
    pub fn add_root_pem(mut self, pem: &[u8]) -> Result<Self, TlsError> {
        trust::add_pem(&mut self.roots, pem)?;
        Ok(self)
    }

    /// Trusts also this certificate, in DER.
    pub fn add_root_der(mut self, certificate: &[u8]) -> Result<Self, TlsError> {
        trust::add(&mut self.roots, CertificateDer::from(certificate.to_vec()))?;
        Ok(self)
    }

    /// Shows this certificate to servers that ask. Default: none.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// The protocols offered by ALPN (RFC 7301), best first. Default `http/1.1`; with none, ALPN is not used.
    pub fn protocols<P: AsRef<[u8]>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.protocols = protocols.into_iter().map(|protocol| protocol.as_ref().to_vec()).collect();
        self
    }

    /// Refuses what is older. Default TLS 1.2.
    pub fn min_version(mut self, version: TlsVersion) -> Self {
        self.min_version = version;
        self
    }

    /// Whether to resume sessions with servers met before (256 sessions are kept). Default true.
    pub fn resumption(mut self, resumption: bool) -> Self {
        self.resumption = resumption;
        self
    }

    /// Believes whatever certificate is shown, for any name: anybody on the way can read and change everything. For
    /// tests against a server whose certificate cannot be had.
    pub fn dangerous_accept_any_certificate(mut self) -> Self {
        self.any_certificate = true;
        self
    }

    /// The connector.
    pub fn build(self) -> Result<TlsConnector, TlsError> {
        let provider = provider();
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(self.min_version.and_newer())
            .map_err(|error| TlsError::Configuration(error.to_string()))?;
        let builder = if self.any_certificate {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        } else {
            builder.with_root_certificates(self.roots)
        };
        let mut config = match self.identity {
            Some(identity) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.0))),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = self.protocols;
        if !self.resumption {
            config.resumption = Resumption::disabled();
        }
        Ok(TlsConnector { config: Arc::new(config) })
    }
}

impl fmt::Debug for TlsConnectorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnectorBuilder")
            .field("roots", &self.roots.len())
            .field("any_certificate", &self.any_certificate)
            .field("identity", &self.identity)
            .field("min_version", &self.min_version)
            .finish_non_exhaustive()
    }
}
