//! WebSocket (RFC 6455) with permessage-deflate (RFC 7692), as machines.
//!
//! [`handshake`] turns an HTTP exchange into an [`Agreement`]; [`Connection`] is the machine behind it, the same for
//! both sides; [`FrameHead`] and [`apply_mask`] are the codec alone, for those who want only that.
//!
//! ```
//! use std::sync::Arc;
//! use bytes::{Buf, BytesMut};
//! use callboard_core::websocket::{Agreement, Connection, Event, Message, Role, Settings};
//! use callboard_core::{Instant, Protocol};
//!
//! let (now, settings, plain) = (Instant::EPOCH, Arc::new(Settings::default()), Agreement::default());
//! let mut client = Connection::new(Role::Client, settings.clone(), &plain, [1, 2], now);
//! let mut server = Connection::new(Role::Server, settings, &plain, [3, 4], now);
//!
//! client.send(Message::from("hello"), now).unwrap();
//! let sent = client.outgoing().remaining();
//! let mut wire = BytesMut::from(&*client.outgoing().copy_to_bytes(sent));
//! server.handle_input(&mut wire, now);
//! assert_eq!(server.poll_event(), Some(Event::Message(Message::from("hello"))));
//! ```

mod agreement;
mod assembly;
mod close;
mod close_body;
mod code;
mod connection;
mod deflate;
mod error;
mod extension;
mod frame;
pub mod handshake;
mod mask;
mod message;
mod settings;
mod text;
mod utf8;

pub use agreement::Agreement;
pub use close::{Action, Happening, State};
pub use close_body::Close;
pub use code::CloseCode;
pub use connection::{Closure, Connection, Event};
pub use error::{ReceiveError, SendError};
pub use frame::{CONTROL_LIMIT, FrameHead, HEAD_LIMIT, Opcode};
pub use mask::apply_mask;
pub use message::Message;
#[cfg(feature = "compression")]
pub use settings::Compression;
pub use settings::Settings;
pub use text::Text;

/// Which side of the connection: it decides who masks (RFC 6455 §5.1) and who ends the connection first (§7.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Opened the connection; masks.
    Client,
    /// Accepted it.
    Server,
}
