//! The sans-IO core of callboard: bytes, messages and time go in; events, bytes and deadlines come out.
//!
//! Nothing here reads a clock, opens a socket, starts a thread or draws entropy. [`Instant`] is handed in, and so is
//! the seed of a [`Random`] generator. The crate needs `alloc` and nothing else of the standard library.
//!
//! * vocabulary: [methods](Method), [statuses](Status), [versions](Version), [targets](Target) and
//!   [headers](Headers);
//! * the contract of every connection machine: [`Protocol`], with [`SendQueue`] for what leaves;
//! * HTTP/1.1: `http1`, server and client.
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod authentication;
mod base64;
#[cfg(feature = "compression")]
pub mod coding;
pub mod cookies;
pub mod date;
pub mod deadlines;
#[cfg(feature = "digest")]
pub mod digest;
pub mod disposition;
mod entries;
pub mod event_stream;
mod extended;
pub mod fields;
pub mod form;
pub mod happy_eyeballs;
pub mod header;
mod headers;
pub mod http1;
mod limits;
pub mod media_type;
mod method;
pub mod multipart;
pub mod netrc;
pub(crate) mod parameters;
mod percent;
pub mod pieces;
pub mod pool;
mod protocol;
pub mod proxy;
mod quoted;
mod random;
mod reasons;
#[cfg(feature = "url")]
pub mod redirect;
pub mod resolver_cache;
pub mod retry;
mod safe_filename;
mod send_queue;
mod status;
pub(crate) mod syntax;
mod target;
mod time;
mod version;
#[cfg(feature = "websocket")]
pub mod websocket;
mod write_watch;

pub use headers::{Headers, HeadersIter, InvalidHeader};
pub use limits::Limits;
pub use method::{ExtensionMethod, InvalidMethod, Method};
pub use protocol::{BodyLength, ExchangeId, Protocol};
pub use random::Random;
pub use send_queue::{Chunks, SendQueue};
pub use status::{InvalidStatus, Status};
pub use target::{InvalidTarget, Target, TargetForm};
pub use time::Instant;
pub use version::Version;
