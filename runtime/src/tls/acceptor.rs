//! The server's side of TLS.
//!
//! The first bytes are looked at before TLS gets them, so that a client that speaks plain HTTP to the TLS port can be
//! answered in its own language.

use std::fmt;
use std::sync::Arc;

use bytes::BytesMut;
use rustls::crypto::ring::Ticketer;
use rustls::server::{
    ClientHello, NoServerSessionStorage, ResolvesServerCert, ServerSessionMemoryCache, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{Connection, RootCertStore, ServerConfig, ServerConnection};

use super::opening::{Opening, judge_client, read_opening};
use super::stream::TlsStream;
use super::{HTTP1, Identity, TlsError, TlsVersion, provider, trust};
use crate::Stream;

/// Sessions of TLS 1.2 kept to resume; TLS 1.3 keeps them at the client, in tickets.
const SESSIONS: usize = 1024;

/// Makes TLS streams as a server. Cheap to clone; clones share the sessions to resume.
#[derive(Clone)]
pub struct TlsAcceptor {
    config: Arc<ServerConfig>,
}

/// An [`accept`](TlsAcceptor::accept) that failed.
pub struct AcceptFailure {
    /// Why.
    pub error: TlsError,
    /// The transport, if it is still there. After [`TlsError::PlainHttp`] and [`TlsError::NotTls`] nothing was written
    /// to it, so that it can be answered in plain text; after others an alert was sent.
    pub stream: Option<Box<dyn Stream>>,
    /// What was read from the transport and is not TLS.
    pub seen: BytesMut,
}

impl TlsAcceptor {
    /// An acceptor with the defaults, from PEM text: see [`Identity::from_pem`].
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        Self::builder(Identity::from_pem(chain, key)?).build()
    }

    /// Configures an acceptor that shows `identity`.
    pub fn builder(identity: Identity) -> TlsAcceptorBuilder {
        TlsAcceptorBuilder {
            identity,
            resolve: None,
            clients: None,
            protocols: vec![HTTP1.to_vec()],
            min_version: TlsVersion::default(),
            resumption: true,
        }
    }

    /// Does the handshake on `stream` and gives the stream that speaks TLS over it. Dropping the future closes
    /// `stream`.
    pub async fn accept(&self, mut stream: Box<dyn Stream>) -> Result<Box<dyn Stream>, AcceptFailure> {
        let mut seen = BytesMut::new();
        let error = match read_opening(&mut *stream, &mut seen, judge_client).await {
            Ok(Opening::Tls) => return self.handshake(stream, seen).await,
            Ok(Opening::Http) => TlsError::PlainHttp,
            Ok(Opening::Other) => TlsError::NotTls,
            Ok(Opening::Closed) => TlsError::PeerClosed,
            Err(error) => TlsError::Io(error),
        };
        Err(AcceptFailure { error, stream: Some(stream), seen })
    }

    async fn handshake(&self, stream: Box<dyn Stream>, seen: BytesMut) -> Result<Box<dyn Stream>, AcceptFailure> {
        let session = match ServerConnection::new(Arc::clone(&self.config)) {
            Ok(session) => session,
            Err(error) => return Err(AcceptFailure { error: error.into(), stream: Some(stream), seen }),
        };
        let mut stream = TlsStream::with_received(stream, Connection::Server(session), seen);
        match stream.handshake().await {
            Ok(()) => Ok(Box::new(stream)),
            Err(error) => {
                let (stream, seen) = stream.into_parts();
                Err(AcceptFailure { error, stream: Some(stream), seen })
            }
        }
    }
}

impl fmt::Debug for TlsAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsAcceptor")
    }
}

impl fmt::Debug for AcceptFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptFailure").field("error", &self.error).field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl fmt::Display for AcceptFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for AcceptFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl From<AcceptFailure> for TlsError {
    fn from(failure: AcceptFailure) -> Self {
        failure.error
    }
}

/// Chooses an identity by the server name that the client asks for.
type Resolve = Arc<dyn Fn(Option<&str>) -> Option<Identity> + Send + Sync>;

/// Configures a [`TlsAcceptor`].
pub struct TlsAcceptorBuilder {
    identity: Identity,
    resolve: Option<Resolve>,
    clients: Option<Clients>,
    protocols: Vec<Vec<u8>>,
    min_version: TlsVersion,
    resumption: bool,
}

/// Whose client certificates are believed, and whether there must be one.
struct Clients {
    roots: RootCertStore,
    required: bool,
}

impl TlsAcceptorBuilder {
    /// Asks `resolve` at every handshake which identity to show for the server name asked for (`None` if the client
    /// names none). Where it has no answer, the identity given to [`TlsAcceptor::builder`] is shown. It must not wait.
    pub fn resolver(mut self, resolve: impl Fn(Option<&str>) -> Option<Identity> + Send + Sync + 'static) -> Self {
        self.resolve = Some(Arc::new(resolve));
        self
    }

    /// Refuses clients without a certificate that one of these PEM roots vouches for.
    pub fn require_client_certificate(self, roots: &[u8]) -> Result<Self, TlsError> {
        self.clients(roots, true)
    }

    /// Asks for a client certificate; refuses one that none of these PEM roots vouches for, but not its absence.
    pub fn request_client_certificate(self, roots: &[u8]) -> Result<Self, TlsError> {
        self.clients(roots, false)
    }

    fn clients(mut self, pem: &[u8], required: bool) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        trust::add_pem(&mut roots, pem)?;
        self.clients = Some(Clients { roots, required });
        Ok(self)
    }

    /// The protocols for ALPN (RFC 7301), best first. Default `http/1.1`. A client that offers others only is
    /// refused; one that offers none is not.
    pub fn protocols<P: AsRef<[u8]>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.protocols = protocols.into_iter().map(|protocol| protocol.as_ref().to_vec()).collect();
        self
    }

    /// Refuses what is older. Default TLS 1.2.
    pub fn min_version(mut self, version: TlsVersion) -> Self {
        self.min_version = version;
        self
    }

    /// Whether clients may resume sessions. Default true: tickets whose key changes every few hours, and for TLS 1.2
    /// also 1024 sessions kept here.
    pub fn resumption(mut self, resumption: bool) -> Self {
        self.resumption = resumption;
        self
    }

    /// The acceptor.
    pub fn build(self) -> Result<TlsAcceptor, TlsError> {
        let unusable = |error: &dyn fmt::Display| TlsError::Configuration(error.to_string());
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(self.min_version.and_newer())
            .map_err(|error| unusable(&error))?;
        let builder = match self.clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(clients.roots), provider());
                let verifier = if clients.required { verifier } else { verifier.allow_unauthenticated() };
                builder.with_client_cert_verifier(verifier.build().map_err(|error| unusable(&error))?)
            }
        };
        let mut config = builder.with_cert_resolver(Arc::new(Resolver(self.identity, self.resolve)));
        config.alpn_protocols = self.protocols;
        if self.resumption {
            config.ticketer = Ticketer::new().map_err(|error| unusable(&error))?;
            config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
        } else {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(TlsAcceptor { config: Arc::new(config) })
    }
}

impl fmt::Debug for TlsAcceptorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsAcceptorBuilder")
            .field("identity", &self.identity)
            .field("min_version", &self.min_version)
            .finish_non_exhaustive()
    }
}

/// Answers rustls: the default identity and the hook.
struct Resolver(Identity, Option<Resolve>);

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let chosen = self.1.as_ref().and_then(|resolve| resolve(hello.server_name()));
        Some(chosen.unwrap_or_else(|| self.0.clone()).0)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}
