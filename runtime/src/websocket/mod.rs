//! The async face of the WebSocket machine: one type for both sides, on any runtime.
//!
//! From the bottom: `waiting` and `wakes` know who waits, `attendance` whether the pump comes without being asked,
//! `state` is what is under the lock and the turns with it, `afterwards` what follows when it is open again, `shared`
//! the lock and what readers, senders and the pump do; `sender`, `socket` and `pump` are their faces.
#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the lock's lifetime makes methods too special for `with`"
)]

mod afterwards;
mod attendance;
mod error;
mod pump;
mod sender;
mod shared;
mod socket;
mod state;
mod waiting;
mod wakes;

pub use error::{TrySendError, WebSocketError};
pub use pump::{Attended, Opening, Pump, WebSocketFailure};
pub use sender::{Closed, Flush, Sending, WebSocketSender};
pub use socket::{Next, NextEvent, WebSocket};

#[cfg(feature = "compression")]
pub use callboard_core::websocket::Compression;
pub use callboard_core::websocket::{
    Close, CloseCode, Closure, Event, Message, ReceiveError, Role, SendError, Settings, Text,
};
