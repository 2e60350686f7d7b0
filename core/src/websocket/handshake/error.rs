//! Why a handshake failed, and what to answer.

use crate::reasons::reasons;
use crate::{Headers, Status, header};

use super::VERSION;

reasons! {
    /// The other side's half of the handshake is not one (RFC 6455 §4.2.1 for requests, §4.1 for responses).
    HandshakeError {
        /// Only GET opens a WebSocket.
        MethodInvalid => "a WebSocket is opened by GET",
        /// HTTP/1.1 or later.
        VersionTooOld => "a WebSocket needs HTTP/1.1",
        /// `Upgrade` does not list `websocket`: an ordinary request, or an ordinary answer.
        UpgradeMissing => "Upgrade does not name websocket",
        /// `Connection` does not list `upgrade`.
        ConnectionMissing => "Connection does not name upgrade",
        /// `Sec-WebSocket-Version` is not 13.
        ProtocolVersionUnsupported => "Sec-WebSocket-Version is not 13",
        /// `Sec-WebSocket-Key` is missing, repeated, or not 16 bytes in base64.
        KeyInvalid => "Sec-WebSocket-Key is not one value of 16 bytes in base64",
        /// `Sec-WebSocket-Protocol` is not a list of different tokens.
        ProtocolsInvalid => "Sec-WebSocket-Protocol is not a list of different tokens",
        /// `Sec-WebSocket-Extensions` does not follow its grammar (§9.1).
        ExtensionsInvalid => "Sec-WebSocket-Extensions is malformed",
        /// The answer is not 101.
        StatusUnexpected => "the server did not switch protocols",
        /// `Sec-WebSocket-Accept` does not answer our key.
        AcceptInvalid => "Sec-WebSocket-Accept does not answer the key",
        /// A subprotocol that was not offered.
        ProtocolUnasked => "the server chose a subprotocol that was not offered",
        /// An extension, or a parameter of one, that was not offered.
        ExtensionUnasked => "the server chose an extension that was not offered",
    }
}

impl HandshakeError {
    /// The status that a server answers with.
    pub const fn status(self) -> Status {
        match self {
            Self::MethodInvalid => Status::METHOD_NOT_ALLOWED,
            Self::UpgradeMissing | Self::ProtocolVersionUnsupported | Self::VersionTooOld => Status::UPGRADE_REQUIRED,
            _ => Status::BAD_REQUEST,
        }
    }

    /// The fields that belong to that status: which method, protocol or version would do.
    pub fn headers(self) -> Headers {
        let mut headers = Headers::new();
        let mut set = |name, value: &str| {
            let _ = headers.set(name, value);
        };
        match self {
            Self::MethodInvalid => set(header::ALLOW, "GET"),
            Self::UpgradeMissing | Self::ProtocolVersionUnsupported | Self::VersionTooOld => {
                set(header::CONNECTION, "upgrade");
                set(header::UPGRADE, "websocket");
                set(header::SEC_WEBSOCKET_VERSION, VERSION);
            }
            _ => {}
        }
        headers
    }
}
