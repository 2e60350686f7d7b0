//! The session against scripted servers: in simulation for many seeds, and over sockets on smol and Tokio.

mod addresses;
mod authentication;
mod cancelling;
mod closing;
#[cfg(feature = "compression")]
mod coding;
mod deadlines;
mod ends;
mod events;
mod failures;
mod files;
mod forms;
mod multipart;
mod netrc;
mod pooling;
mod redirecting;
mod repeating;
mod requests;
mod resolving;
mod responses;
mod script;
#[cfg(feature = "tls")]
mod secure;
mod tokens;
mod uploads;
