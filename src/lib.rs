//! callboard: HTTP for Rust, client and server in one family, on any runtime.
//!
//! What decides is a machine, what waits is an actor, what touches the world is a runtime. This crate only re-exports
//! the rooms of the house, by feature:
//!
//! | feature | what it brings | default |
//! |---|---|---|
//! | `smol` | [`Smol`]: async-io, or one edge-triggered reactor per thread | yes |
//! | `tokio` | `Tokio`: the current runtime, or one per core | |
//! | `sim` | `Simulation`: seeded scheduler, virtual time, simulated network | |
//! | `client` | [`client::Session`] | yes |
//! | `web` | [`web::App`] | yes |
//! | `websocket` | [`WebSocket`]: one type for both sides | yes |
//! | `compression` | gzip, deflate and br for bodies, permessage-deflate for WebSocket | |
//! | `zstd` | zstd beside them; builds a C library | |
//! | `digest` | Digest authentication | |
//! | `cookies` | a cookie jar in each session, with the public suffix list | |
//! | `tls` | TLS on every runtime, both sides | |
//!
//! The core ([`core`]) is there always: machines without I/O, for loops of your own.
#![cfg_attr(
    all(feature = "smol", feature = "sim", feature = "client", feature = "web", feature = "websocket"),
    doc = include_str!("../README.md")
)]

pub use callboard_core as core;
pub use callboard_core::{Headers, Instant, Limits, Method, Status, Target, Version, header};
pub use callboard_runtime as runtime;
pub use callboard_runtime::{Endpoint, Handle, Runtime, actor};
#[cfg(feature = "websocket")]
pub use callboard_runtime::{WebSocket, websocket};

#[cfg(feature = "client")]
pub use callboard_client as client;
#[cfg(feature = "sim")]
pub use callboard_sim as sim;
#[cfg(feature = "sim")]
pub use callboard_sim::Simulation;
#[cfg(feature = "smol")]
pub use callboard_smol::Smol;
#[cfg(feature = "tokio")]
pub use callboard_tokio::Tokio;
#[cfg(feature = "web")]
pub use callboard_web as web;

/// The result of a `main` that starts a server or uses a session: any error.
pub type Result<T = (), E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;
