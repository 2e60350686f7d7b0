//! Certificates with their keys, and reading PEM.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::{TlsError, provider};

/// A certificate chain with its private key: what a server shows, and a client if it is asked. Cheap to clone.
#[derive(Clone)]
pub struct Identity(pub(super) Arc<CertifiedKey>);

impl Identity {
    /// Reads PEM text: the chain with the own certificate first, and its key (PKCS #8, PKCS #1 or SEC 1). Both may
    /// stand in the same text. An error if either is missing or the key does not fit.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| TlsError::Configuration(format!("no private key could be read: {error}")))?;
        Self::new(chain, key)
    }

    /// The same from DER: the certificates of the chain, own first, and the key.
    pub fn from_der(chain: Vec<Vec<u8>>, key: Vec<u8>) -> Result<Self, TlsError> {
        let key = PrivateKeyDer::try_from(key)
            .map_err(|error| TlsError::Configuration(format!("the private key is unreadable: {error}")))?;
        Self::new(chain.into_iter().map(CertificateDer::from).collect(), key)
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, TlsError> {
        let identity = CertifiedKey::from_der(chain, key, &provider())
            .map_err(|error| TlsError::Configuration(format!("the certificate and key are unusable: {error}")))?;
        Ok(Self(Arc::new(identity)))
    }
}

/// Never shows the key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificates", &self.0.cert.len()).finish_non_exhaustive()
    }
}

/// All certificates of a PEM text, at least one.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| TlsError::Configuration(format!("the PEM text is unreadable: {error}")))?;
    if certificates.is_empty() {
        return Err(TlsError::Configuration("the PEM text holds no certificate".into()));
    }
    Ok(certificates)
}
