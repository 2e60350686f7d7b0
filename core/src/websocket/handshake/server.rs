//! The server's half.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use crate::fields::list;
use crate::syntax::is_token;
use crate::{Headers, Method, Version, base64, header};

#[cfg(feature = "compression")]
use super::super::extension::DeflateAgreement;
use super::super::extension::{self, Extension};
use super::super::{Agreement, Settings};
use super::{HandshakeError, VERSION, accept_key};

/// A request that opens a WebSocket, read and checked.
#[derive(Debug)]
pub struct ServerHandshake {
    accept: String,
    protocols: Vec<Box<str>>,
    origin: Option<Box<str>>,
    #[cfg_attr(not(feature = "compression"), expect(dead_code, reason = "no extension can be chosen"))]
    extensions: Vec<Extension>,
}

impl ServerHandshake {
    /// Reads a request (RFC 6455 §4.2.1). What comes behind its body belongs to the WebSocket once 101 is sent.
    pub fn read(method: &Method, version: Version, headers: &Headers) -> Result<Self, HandshakeError> {
        use HandshakeError as E;
        let require = |is_met: bool, error: E| if is_met { Ok(()) } else { Err(error) };
        require(headers.has_token(header::UPGRADE, "websocket"), E::UpgradeMissing)?;
        require(headers.has_token(header::CONNECTION, "upgrade"), E::ConnectionMissing)?;
        require(*method == Method::Get, E::MethodInvalid)?;
        require(version >= Version::Http11, E::VersionTooOld)?;
        let mut versions = headers.get_all(header::SEC_WEBSOCKET_VERSION);
        let is_ours = versions.next() == Some(VERSION.as_bytes()) && versions.next().is_none();
        require(is_ours, E::ProtocolVersionUnsupported)?;
        let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY);
        let key = keys.next().filter(|_| keys.next().is_none()).ok_or(E::KeyInvalid)?;
        require(is_nonce(key), E::KeyInvalid)?;
        let extensions = extension::read(headers.get_all(header::SEC_WEBSOCKET_EXTENSIONS));
        Ok(Self {
            accept: accept_key(key),
            protocols: read_protocols(headers)?,
            origin: read_origin(headers),
            extensions: extensions.map_err(|_| E::ExtensionsInvalid)?,
        })
    }

    /// The subprotocols that the client offers, in its order of preference.
    pub fn protocols(&self) -> impl Iterator<Item = &str> {
        self.protocols.iter().map(|protocol| &**protocol)
    }

    /// The origin of the page that opens the WebSocket, if a browser does (RFC 6455 §10.2); `null` where there are
    /// several or it is no text. Nothing is decided by it here; a server that serves browsers compares it with its own.
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// The fields of the 101 answer, and what is agreed. A `protocol` that the client did not offer is left out.
    pub fn accept(&self, protocol: Option<&str>, settings: &Settings) -> (Headers, Agreement) {
        let mut headers = Headers::new();
        let mut set = |name, value: &str| {
            let _ = headers.append(name, value);
        };
        set(header::CONNECTION, "Upgrade");
        set(header::UPGRADE, "websocket");
        set(header::SEC_WEBSOCKET_ACCEPT, &self.accept);
        let protocol = protocol.filter(|protocol| self.protocols().any(|offered| offered == *protocol));
        if let Some(protocol) = protocol {
            set(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        #[cfg(feature = "compression")]
        let deflate = settings.compression.as_ref().and_then(|compression| {
            let (deflate, answer) = DeflateAgreement::accept(&self.extensions, compression)?;
            set(header::SEC_WEBSOCKET_EXTENSIONS, &answer);
            Some(deflate)
        });
        #[cfg(not(feature = "compression"))]
        let _ = settings;
        let agreement = Agreement {
            protocol: protocol.map(Box::from),
            #[cfg(feature = "compression")]
            deflate,
        };
        (headers, agreement)
    }
}

/// Sixteen bytes in base64, with their padding (RFC 6455 §4.1, item 7). The bits that the last digit has too many are
/// not asked: those of the RFC's own example are not zero.
fn is_nonce(key: &[u8]) -> bool {
    let digits = key.strip_suffix(b"==");
    digits.is_some_and(|digits| digits.len() == 22 && digits.iter().all(|&digit| base64::value(digit).is_some()))
}

/// What is said twice, or is no text, stands for the origin that is nobody's: a check must not take it for none.
fn read_origin(headers: &Headers) -> Option<Box<str>> {
    let mut origins = headers.get_all(header::ORIGIN);
    let origin = origins.next()?;
    let text = str::from_utf8(origin).ok().filter(|_| origins.next().is_none());
    Some(text.unwrap_or("null").into())
}

/// All lists of the name as one: tokens, none twice (§4.1, item 10).
fn read_protocols(headers: &Headers) -> Result<Vec<Box<str>>, HandshakeError> {
    let mut protocols: Vec<Box<str>> = Vec::new();
    let mut known = BTreeSet::new();
    for element in headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).flat_map(list::elements) {
        let name = str::from_utf8(element).ok().filter(|_| is_token(element));
        let name = name.filter(|name| known.insert(*name)).ok_or(HandshakeError::ProtocolsInvalid)?;
        protocols.push(name.into());
    }
    Ok(protocols)
}
