//! The WebSocket machine: what the RFCs say, at any split, with any order of calls, and beside another implementation.
#![cfg(feature = "websocket")]

mod closing;
#[cfg(feature = "compression")]
mod deflate;
mod frames;
mod handshake;
#[cfg(feature = "compression")]
mod inflating;
mod liveness;
mod memory;
mod peer;
mod properties;
mod sending;
mod side;
mod values;
