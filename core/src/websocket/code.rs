//! Close codes (RFC 6455 §7.4).

use core::fmt;

/// Why a WebSocket was closed, as a number.
///
/// ```
/// use callboard_core::websocket::CloseCode;
///
/// assert!(CloseCode::NORMAL.may_be_sent());
/// assert!(!CloseCode::ABNORMAL.may_be_sent());
/// assert!(CloseCode::new(4000).may_be_sent());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the purpose is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the server goes down, or the browser leaves the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the protocol was broken.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: data of a kind that is not accepted.
    pub const UNSUPPORTED: Self = Self(1003);
    /// 1005: the close frame had no code. Never on the wire.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006: the connection ended without a close frame. Never on the wire.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: text that is not UTF-8, or data that does not decode.
    pub const INVALID_DATA: Self = Self(1007);
    /// 1008: against a policy, when no other code fits.
    pub const POLICY: Self = Self(1008);
    /// 1009: a message larger than is accepted.
    pub const TOO_BIG: Self = Self(1009);
    /// 1010: the server did not agree to an extension that the client needs.
    pub const EXTENSION: Self = Self(1010);
    /// 1011: the server met an error of its own.
    pub const INTERNAL: Self = Self(1011);
    /// 1012: the service restarts.
    pub const RESTART: Self = Self(1012);
    /// 1013: overloaded; try again later.
    pub const TRY_AGAIN: Self = Self(1013);
    /// 1014: a gateway got an invalid answer.
    pub const BAD_GATEWAY: Self = Self(1014);
    /// 1015: the TLS handshake failed. Never on the wire.
    pub const TLS: Self = Self(1015);

    /// A code by its number. Any number can be written down; [`may_be_sent`](Self::may_be_sent) says if it is legal.
    pub const fn new(code: u16) -> Self {
        Self(code)
    }

    /// The number.
    pub const fn code(self) -> u16 {
        self.0
    }

    /// Whether the code may stand in a close frame (RFC 6455 §7.4.2): those registered but for 1004, 1005, 1006 and
    /// 1015, which are reserved; 3000 to 3999 for libraries; 4000 to 4999 for private use.
    pub const fn may_be_sent(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
