//! The sans-IO core of callboard: bytes, messages and time go in; events, bytes and deadlines come out.
//!
//! Nothing here reads a clock, opens a socket, starts a thread or draws entropy. [`Instant`] is handed in, and so is
//! the seed of a random generator. The crate needs `alloc` and nothing else of the standard library.
//!
//! * vocabulary: methods, statuses, versions, targets and headers;
//! * the contract of every connection machine: [`Protocol`], with [`SendQueue`] for what leaves;
//! * HTTP/1.1: `http1`, server and client.
#![no_std]

extern crate alloc;

mod limits;
mod protocol;
mod send_queue;
mod time;
mod version;

pub use limits::Limits;
pub use protocol::{BodyLength, ExchangeId, Protocol};
pub use send_queue::SendQueue;
pub use time::Instant;
pub use version::Version;
