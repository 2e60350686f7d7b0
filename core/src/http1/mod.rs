//! HTTP/1.1 and 1.0 as two machines: [`ServerConnection`] and [`ClientConnection`] (RFC 9110, RFC 9112).
//!
//! Files that know no role hold the rules: `scan` and `lines` (heads), `framing` (where a body ends), `body` (its
//! bytes), `inbound` (the receiving half with its deadlines), `outbound` (the sending half), `encode` (what is
//! written). `server` and `client` are thin faces over them.
//!
//! A server's loop, without any I/O:
//!
//! ```
//! use callboard_core::http1::{Response, ServerConnection, ServerEvent};
//! use callboard_core::{BodyLength, Headers, Instant, Limits, Protocol, Status};
//! use bytes::{Buf, Bytes, BytesMut};
//! use std::sync::Arc;
//!
//! let now = Instant::EPOCH;
//! let mut server = ServerConnection::new(Arc::new(Limits::default()), now);
//! let mut input = BytesMut::from("GET /greeting HTTP/1.1\r\nHost: example.org\r\n\r\n");
//!
//! server.handle_input(&mut input, now);
//! while let Some(event) = server.poll_event() {
//!     if let ServerEvent::Request { exchange, head, .. } = event {
//!         assert_eq!(head.target.path(), "/greeting");
//!         let response = Response { status: Status::OK, headers: &Headers::new(), date: None };
//!         server.respond(exchange, &response, BodyLength::Known(5), now).unwrap();
//!         server.send_data(exchange, Bytes::from_static(b"hello"), now).unwrap();
//!         server.finish(exchange, None, now).unwrap();
//!     }
//! }
//! let out = server.outgoing();
//! assert_eq!(out.copy_to_bytes(out.remaining()), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
//! ```

mod body;
mod client;
mod encode;
mod error;
mod framing;
mod inbound;
mod lines;
mod outbound;
mod scan;
mod server;

use bytes::Bytes;

pub use client::{ClientConnection, ClientEvent, Request};
pub use error::{CloseReason, ReceiveError, SendError};
pub use server::{Response, ServerConnection, ServerEvent};

use crate::{Headers, Method, Status, Target, Version};

/// The head of a request that was received (RFC 9112 §3, §5).
#[derive(Clone, Debug, PartialEq)]
pub struct RequestHead {
    /// The method.
    pub method: Method,
    /// The target, as sent.
    pub target: Target,
    /// The version. 1.2 to 1.9 are read as 1.1.
    pub version: Version,
    /// The fields, in the order and spelling of the wire.
    pub headers: Headers,
}

/// The head of a response that was received (RFC 9112 §4, §5).
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseHead {
    /// The status.
    pub status: Status,
    /// The reason phrase, as sent; often empty.
    pub reason: Bytes,
    /// The version.
    pub version: Version,
    /// The fields, in the order and spelling of the wire.
    pub headers: Headers,
}
