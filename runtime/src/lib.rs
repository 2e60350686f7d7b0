//! What waits: the port that runtime adapters implement, the one driver that pumps a machine over a stream, actors with
//! their mailboxes, and TLS as a stream made from a stream.
//!
//! * [`Runtime`] is the port, used as [`Handle`]: no type above it is generic over a runtime.
//! * [`Driver`] is the only code that knows both a [`Protocol`](callboard_core::Protocol) and a [`Stream`].
//! * [`actor`] has `Actor`, `Address`, `Mailbox` and `Context`.
//! * [`Reader`] reads the parts of a body in other pieces: lines, counts, `AsyncRead`.
//! * `tls` (feature) wraps a stream on either side.
//! * `websocket` (feature) is the async face of the WebSocket machine, for both sides.

pub mod actor;
mod address;
mod buffers;
mod drive_error;
mod driver;
mod port;
mod reader;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(feature = "websocket")]
pub mod websocket;

pub use address::Endpoint;
pub use buffers::Buffers;
pub use drive_error::DriveError;
pub use driver::Driver;
pub use port::{
    BoxFuture, ConnectOptions, Handle, ListenOptions, Listener, Runtime, SignalKind, Signals, Stream, StreamInfo, Task,
    Timer, TlsInfo,
};
pub use reader::{Lines, ReadError, Reader};
#[cfg(feature = "websocket")]
pub use websocket::{TrySendError, WebSocket, WebSocketError, WebSocketSender};
