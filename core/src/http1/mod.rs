//! HTTP/1.1 and 1.0 as two machines: [`ServerConnection`] and [`ClientConnection`] (RFC 9110, RFC 9112).
//!
//! Files that know no role hold the rules: `scan`, `lines` and `one_pass` (heads), `framing` (where a body ends),
//! `body` (its bytes), `inbound` (the receiving half with its deadlines), `outbound` (the sending half), `encode` (what
//! is written). `server` and `client` are thin faces over them.
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
mod one_pass;
mod outbound;
mod scan;
mod server;

use bytes::{Bytes, BytesMut};

pub use client::{ClientConnection, ClientEvent, Request};
pub use error::{CloseReason, ReceiveError, SendError};
pub use server::{Response, ServerConnection, ServerEvent};

use crate::{Headers, Limits, Method, Status, Target, Version};

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

impl RequestHead {
    /// Takes a whole head from the front of `input`, by the rules of [`ServerConnection`]: what its fields say of the
    /// body is checked too. `None`: it is not complete, and `input` is untouched.
    ///
    /// For tools that read heads without a connection. Each call looks at all of `input`: who waits for bytes should
    /// use [`ServerConnection`], which goes on where it stopped.
    ///
    /// ```
    /// use callboard_core::{Limits, Method, http1::RequestHead};
    ///
    /// let mut input = "GET /greeting HTTP/1.1\r\nHost: example.org\r\n\r\nrest".into();
    /// let head = RequestHead::take(&mut input, &Limits::default())?.expect("a whole head");
    /// assert_eq!((head.method, head.target.path()), (Method::Get, "/greeting"));
    /// assert_eq!(input, "rest");
    /// # Ok::<(), callboard_core::http1::ReceiveError>(())
    /// ```
    pub fn take(input: &mut BytesMut, limits: &Limits) -> Result<Option<Self>, ReceiveError> {
        server::take_head(input, limits)
    }
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
