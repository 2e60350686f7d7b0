//! The opening handshake, both sides (RFC 6455 §4): fields in, fields and an [`Agreement`](super::Agreement) out.
//!
//! ```
//! use callboard_core::websocket::Settings;
//! use callboard_core::websocket::handshake::{ClientHandshake, ServerHandshake};
//! use callboard_core::{Method, Status, Version};
//!
//! let settings = Settings::default();
//! let client = ClientHandshake::new([7, 8], &["chat"], &settings);
//! let server = ServerHandshake::read(&Method::Get, Version::Http11, client.headers()).unwrap();
//! assert_eq!(server.protocols().collect::<Vec<_>>(), ["chat"]);
//! let (headers, _) = server.accept(Some("chat"), &settings);
//! let agreement = client.check(Status::SWITCHING_PROTOCOLS, &headers).unwrap();
//! assert_eq!(agreement.protocol.as_deref(), Some("chat"));
//! ```

mod client;
mod error;
mod server;

pub use client::ClientHandshake;
pub use error::HandshakeError;
pub use server::ServerHandshake;

use alloc::string::String;

use sha1::{Digest, Sha1};

use crate::base64;

/// The version that is spoken (RFC 6455 §4.1).
const VERSION: &str = "13";

/// What `Sec-WebSocket-Accept` says to a key (RFC 6455 §4.2.2).
///
/// ```
/// use callboard_core::websocket::handshake::accept_key;
///
/// assert_eq!(accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// ```
pub fn accept_key(key: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    base64::encode(&hash.finalize())
}
