//! WebSocket (RFC 6455) with permessage-deflate (RFC 7692), as machines.
//!
//! [`handshake`] turns an HTTP exchange into an [`Agreement`]; [`Connection`] is the machine behind it, the same for
//! both sides; [`FrameHead`] and [`apply_mask`] are the codec alone, for those who want only that.
//!
//! The whole loop of one who embeds it, here an echo over any blocking transport. Input, events, output and deadline
//! come in any order; a machine that is finished, with nothing left to send, is done.
//!
//! ```
//! use std::io::{self, Read, Write};
//! use std::sync::Arc;
//!
//! use bytes::{Buf, BytesMut};
//! use callboard_core::websocket::{Agreement, Closure, Connection, Event, Role, Settings};
//! use callboard_core::{Instant, Protocol};
//!
//! /// `now` reads a clock of the caller's, `seed` is from real entropy, `agreement` from the handshake, and `input` is
//! /// what was read behind its head. `WouldBlock` from a read only lets time pass: give the transport a timeout.
//! fn echo(
//!     mut transport: impl Read + Write,
//!     mut input: BytesMut,
//!     agreement: &Agreement,
//!     seed: [u64; 2],
//!     now: impl Fn() -> Instant,
//! ) -> io::Result<Option<Closure>> {
//!     let mut machine = Connection::new(Role::Server, Arc::new(Settings::default()), agreement, seed, now());
//!     let (mut ended, mut piece) = (None, [0; 4096]);
//!     loop {
//!         // What is at hand, one event at a time: the next frame is taken when this one was.
//!         machine.handle_input(&mut input, now());
//!         while let Some(event) = machine.poll_event() {
//!             match event {
//!                 // An error: it is closing, or the peer does not read and `can_send` is false.
//!                 Event::Message(message) => machine.send(message, now()).map_err(io::Error::other)?,
//!                 Event::Closed(closure) => ended = Some(*closure),
//!                 // Answered already.
//!                 Event::Ping(_) | Event::Pong(_) | Event::Closing(_) => {}
//!             }
//!             machine.handle_input(&mut input, now());
//!         }
//!         while machine.outgoing().has_remaining() {
//!             let sent = transport.write(machine.outgoing().chunk())?;
//!             machine.outgoing().advance(sent);
//!         }
//!         if machine.is_finished() || machine.wants_half_close() {
//!             // A real transport half-closes here, and reads on until the machine is finished.
//!             return Ok(ended);
//!         }
//!         if machine.poll_timeout().is_some_and(|due| due <= now()) {
//!             machine.handle_timeout(now());
//!             continue;
//!         }
//!         match transport.read(&mut piece) {
//!             Ok(0) => machine.handle_end_of_input(now()),
//!             Ok(count) => input.extend_from_slice(&piece[..count]),
//!             Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
//!             Err(error) => return Err(error),
//!         }
//!     }
//! }
//!
//! // A client says hello (masked with zeros) and goodbye; here is what it hears.
//! let said = b"\x81\x85\0\0\0\0hello\x88\x82\0\0\0\0\x03\xe8";
//! # struct Memory<'a>(&'a [u8], Vec<u8>);
//! # impl Read for &mut Memory<'_> {
//! #     fn read(&mut self, target: &mut [u8]) -> io::Result<usize> { self.0.read(target) }
//! # }
//! # impl Write for &mut Memory<'_> {
//! #     fn write(&mut self, bytes: &[u8]) -> io::Result<usize> { self.1.write(bytes) }
//! #     fn flush(&mut self) -> io::Result<()> { Ok(()) }
//! # }
//! # let mut memory = Memory(said, Vec::new());
//! let closure = echo(&mut memory, BytesMut::new(), &Agreement::default(), [1, 2], || Instant::EPOCH).unwrap();
//! assert_eq!(memory.1, b"\x81\x05hello\x88\x02\x03\xe8");
//! assert!(closure.unwrap().is_clean);
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
