//! The body of a close frame (RFC 6455 §5.5.1).

use bytes::{BufMut, Bytes, BytesMut};

use super::{CloseCode, ReceiveError, SendError, Text};

/// What a close frame says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Close {
    /// Why.
    pub code: CloseCode,
    /// For people who debug; up to 123 bytes.
    pub reason: Text,
}

/// Bytes of reason that fit behind the code in a control frame.
const REASON_LIMIT: usize = 123;

impl Close {
    /// 1000 without a reason.
    pub const NORMAL: Self = Self { code: CloseCode::NORMAL, reason: Text::new() };

    /// A code with a reason.
    pub fn new(code: CloseCode, reason: impl Into<Text>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// Reads the payload of a close frame; `None` if it is empty.
    pub(super) fn read(payload: &Bytes) -> Result<Option<Self>, ReceiveError> {
        let Some((code, reason)) = payload.split_first_chunk() else {
            return if payload.is_empty() { Ok(None) } else { Err(ReceiveError::CloseCut) };
        };
        let code = CloseCode::new(u16::from_be_bytes(*code));
        if !code.may_be_sent() {
            return Err(ReceiveError::CloseCodeInvalid);
        }
        str::from_utf8(reason).map_err(|_| ReceiveError::CloseReasonInvalid)?;
        Ok(Some(Self { code, reason: Text::from_checked(payload.slice(2..)) }))
    }

    /// Whether this may be sent.
    pub(super) fn check(&self) -> Result<(), SendError> {
        match () {
            () if !self.code.may_be_sent() => Err(SendError::CodeInvalid),
            () if self.reason.as_bytes().len() > REASON_LIMIT => Err(SendError::ReasonTooLong),
            () => Ok(()),
        }
    }

    /// The payload of a close frame.
    pub(super) fn write(&self) -> Bytes {
        let reason = self.reason.as_bytes();
        let mut payload = BytesMut::with_capacity(2 + reason.len());
        payload.put_u16(self.code.code());
        payload.put_slice(reason);
        payload.freeze()
    }
}

impl From<CloseCode> for Close {
    fn from(code: CloseCode) -> Self {
        Self { code, reason: Text::new() }
    }
}
