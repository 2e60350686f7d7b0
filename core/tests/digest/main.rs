//! Digest authentication: the calculation against the examples of the RFCs, the client, the server, and both together.
#![cfg(feature = "digest")]

mod calculation;
mod client;
mod pair;
mod server;
