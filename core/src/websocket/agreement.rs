//! What a handshake agreed on.

use alloc::boxed::Box;

#[cfg(feature = "compression")]
use super::extension::DeflateAgreement;

/// What both sides agreed on in the handshake. The default is a plain WebSocket.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Agreement {
    /// The subprotocol (RFC 6455 §1.9).
    pub protocol: Option<Box<str>>,
    /// permessage-deflate with its parameters.
    #[cfg(feature = "compression")]
    pub(super) deflate: Option<DeflateAgreement>,
}

impl Agreement {
    /// Whether messages may be compressed (RFC 7692).
    pub fn is_compressed(&self) -> bool {
        #[cfg(feature = "compression")]
        return self.deflate.is_some();
        #[cfg(not(feature = "compression"))]
        false
    }
}
