//! The client's half.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::{Headers, Status, base64, header};

use super::super::extension;
#[cfg(feature = "compression")]
use super::super::extension::DeflateAgreement;
#[cfg(feature = "compression")]
use super::super::settings::Compression;
use super::super::{Agreement, Settings};
use super::{HandshakeError, VERSION, accept_key};

/// A handshake that was begun.
#[derive(Clone, Debug)]
pub struct ClientHandshake {
    accept: String,
    protocols: Vec<Box<str>>,
    headers: Headers,
    #[cfg(feature = "compression")]
    compression: Option<Compression>,
}

impl ClientHandshake {
    /// Offers `protocols`, in order of preference; names that are not tokens are left out. `seed` makes the key: take
    /// it from entropy, afresh for each handshake (RFC 6455 §4.1, item 7).
    pub fn new(seed: [u64; 2], protocols: &[&str], settings: &Settings) -> Self {
        let key = key(seed);
        let mut headers = Headers::new();
        let mut set = |name, value: &str| {
            let _ = headers.append(name, value);
        };
        set(header::UPGRADE, "websocket");
        set(header::CONNECTION, "Upgrade");
        set(header::SEC_WEBSOCKET_KEY, &key);
        set(header::SEC_WEBSOCKET_VERSION, VERSION);
        let mut offered: Vec<Box<str>> = Vec::new();
        for protocol in protocols.iter().filter(|protocol| crate::syntax::is_token(protocol.as_bytes())) {
            if !offered.iter().any(|known| **known == **protocol) {
                offered.push((*protocol).into());
            }
        }
        if !offered.is_empty() {
            set(header::SEC_WEBSOCKET_PROTOCOL, &offered.join(", "));
        }
        #[cfg(feature = "compression")]
        if let Some(compression) = &settings.compression {
            set(header::SEC_WEBSOCKET_EXTENSIONS, &DeflateAgreement::offer(compression));
        }
        #[cfg(not(feature = "compression"))]
        let _ = settings;
        Self {
            accept: accept_key(key.as_bytes()),
            protocols: offered,
            headers,
            #[cfg(feature = "compression")]
            compression: settings.compression.clone(),
        }
    }

    /// Takes another key, for another request: behind a redirection, or a repeat. An answer to the one before no longer
    /// counts.
    pub fn renew(&mut self, seed: [u64; 2]) {
        let key = key(seed);
        let _ = self.headers.set(header::SEC_WEBSOCKET_KEY, &key);
        self.accept = accept_key(key.as_bytes());
    }

    /// The fields of the request, which is a GET.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Checks the answer (RFC 6455 §4.1, the client's list).
    pub fn check(&self, status: Status, headers: &Headers) -> Result<Agreement, HandshakeError> {
        use HandshakeError as E;
        let require = |is_met: bool, error: E| if is_met { Ok(()) } else { Err(error) };
        require(status == Status::SWITCHING_PROTOCOLS, E::StatusUnexpected)?;
        require(headers.has_token(header::UPGRADE, "websocket"), E::UpgradeMissing)?;
        require(headers.has_token(header::CONNECTION, "upgrade"), E::ConnectionMissing)?;
        let mut answers = headers.get_all(header::SEC_WEBSOCKET_ACCEPT);
        let is_ours = answers.next() == Some(self.accept.as_bytes()) && answers.next().is_none();
        require(is_ours, E::AcceptInvalid)?;
        let mut chosen = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL);
        let protocol = match (chosen.next(), chosen.next()) {
            (None, _) => None,
            (Some(name), None) => {
                let known = self.protocols.iter().find(|offered| offered.as_bytes() == name);
                Some(known.ok_or(E::ProtocolUnasked)?.clone())
            }
            (Some(_), Some(_)) => return Err(E::ProtocolUnasked),
        };
        let extensions = extension::read(headers.get_all(header::SEC_WEBSOCKET_EXTENSIONS));
        let extensions = extensions.map_err(|_| E::ExtensionsInvalid)?;
        #[cfg(feature = "compression")]
        let deflate = match (&*extensions, &self.compression) {
            ([], _) => None,
            ([answer], Some(compression)) => {
                Some(DeflateAgreement::confirm(answer, compression).ok_or(E::ExtensionUnasked)?)
            }
            _ => return Err(E::ExtensionUnasked),
        };
        #[cfg(not(feature = "compression"))]
        require(extensions.is_empty(), E::ExtensionUnasked)?;
        Ok(Agreement {
            protocol,
            #[cfg(feature = "compression")]
            deflate,
        })
    }
}

/// 16 bytes in base64.
fn key(seed: [u64; 2]) -> String {
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&seed[0].to_le_bytes());
    nonce[8..].copy_from_slice(&seed[1].to_le_bytes());
    base64::encode(&nonce)
}
