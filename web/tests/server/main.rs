//! The server in simulation: `connection` is what goes over one wire, `reading` is how bodies are read, `lifecycle` is
//! from start to drain, `accept` and `tls` are the ways in.

mod accept;
#[cfg(feature = "compression")]
mod coding;
mod connection;
mod lifecycle;
mod reading;
mod support;
#[cfg(feature = "tls")]
mod tls;
