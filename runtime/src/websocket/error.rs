//! Why a WebSocket gave no message, or took none.

use std::fmt;
use std::io;

use callboard_core::websocket::{CloseCode, Message, ReceiveError, SendError};

use crate::DriveError;

/// What went wrong with a WebSocket.
#[derive(Debug)]
#[non_exhaustive]
pub enum WebSocketError {
    /// The peer broke the protocol, a limit or a deadline, or was gone without a close frame.
    Receive(ReceiveError),
    /// The transport failed.
    Transport(DriveError),
    /// This cannot be sent: because of what it is, or because the WebSocket is closing.
    Send(SendError),
    /// A message is not the JSON that was asked for, or a value has no JSON.
    Json(serde_json::Error),
    /// A message is bytes where text was asked for.
    NotText,
}

impl WebSocketError {
    /// The code that stands for this error (RFC 6455 §7.4.1): 1006 where no close frame could be sent.
    pub fn close_code(&self) -> CloseCode {
        match self {
            Self::Receive(error) => error.close_code(),
            Self::Transport(_) | Self::Send(_) => CloseCode::ABNORMAL,
            Self::Json(_) => CloseCode::INVALID_DATA,
            Self::NotText => CloseCode::UNSUPPORTED,
        }
    }

    /// Whether a deadline was missed.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Receive(error) if error.is_timeout())
    }

    /// Whether the error is only that the WebSocket is closing or gone: by the peer, by us, or by the network.
    pub fn is_closed(&self) -> bool {
        match self {
            Self::Receive(error) => *error == ReceiveError::ConnectionLost,
            Self::Transport(_) => true,
            Self::Send(error) => *error == SendError::Closed,
            Self::Json(_) | Self::NotText => false,
        }
    }
}

impl fmt::Display for WebSocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receive(error) => error.fmt(f),
            Self::Transport(error) => error.fmt(f),
            Self::Send(error) => error.fmt(f),
            Self::Json(error) => write!(f, "no JSON as expected: {error}"),
            Self::NotText => f.write_str("a message of bytes where text was expected"),
        }
    }
}

impl std::error::Error for WebSocketError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Receive(error) => Some(error),
            Self::Transport(error) => Some(error),
            Self::Send(error) => Some(error),
            Self::Json(error) => Some(error),
            Self::NotText => None,
        }
    }
}

impl From<SendError> for WebSocketError {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}

impl From<ReceiveError> for WebSocketError {
    fn from(error: ReceiveError) -> Self {
        Self::Receive(error)
    }
}

impl From<DriveError> for WebSocketError {
    fn from(error: DriveError) -> Self {
        Self::Transport(error)
    }
}

impl From<serde_json::Error> for WebSocketError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}

impl From<WebSocketError> for io::Error {
    fn from(error: WebSocketError) -> Self {
        match error {
            WebSocketError::Transport(error) => error.into(),
            WebSocketError::Receive(ReceiveError::ConnectionLost) => io::ErrorKind::UnexpectedEof.into(),
            other => Self::other(other),
        }
    }
}

/// Why a message was not taken at once. It comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrySendError {
    /// More than [`Settings::send_buffer`](callboard_core::websocket::Settings::send_buffer) waits to be sent: the peer
    /// reads more slowly than it is written to.
    Full(Message),
    /// The WebSocket is closing or closed.
    Closed(Message),
}

impl TrySendError {
    /// The message that was not sent.
    pub fn into_message(self) -> Message {
        match self {
            Self::Full(message) | Self::Closed(message) => message,
        }
    }
}

impl fmt::Display for TrySendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => SendError::QueueFull.fmt(f),
            Self::Closed(_) => SendError::Closed.fmt(f),
        }
    }
}

impl std::error::Error for TrySendError {}
