//! The sans-IO core of callboard: bytes, messages and time go in; events, bytes and deadlines come out.
//!
//! Nothing here reads a clock, opens a socket, starts a thread or draws entropy. [`Instant`] is handed in, and so is
//! the seed of a [`Random`] generator. The crate needs `alloc` and nothing else of the standard library.
//!
//! * Vocabulary: [methods](Method), [statuses](Status), [versions](Version), [targets](Target), [headers](Headers) and
//!   the names in [`header`], [dates](date), [media types](media_type), [dispositions](disposition); [`fields`] reads
//!   and writes what the fields of RFC 9110 and its companions say.
//! * The contract of every connection machine: [`Protocol`], with [`SendQueue`] for what leaves.
//! * Connections: [`http1`], server and client; `websocket` (feature `websocket`), both roles.
//! * Contents: [`multipart`], [`form`] and [`event_stream`], each read in pieces and written; [`pieces`] cuts a body by
//!   lines and lengths; `coding` (feature `compression`) undoes and applies content codings.
//! * Who asks: [`authentication`], the grammar with Basic and Bearer; `digest` (feature `digest`), both sides;
//!   [`netrc`].
//! * State: [`cookies`], read and written; the jar comes with the feature `cookies`.
//! * Files: [`safe_path`], which paths of requests may become paths of files.
//! * Policies, each a machine of its own: the [`pool`] of connections, [`deadlines`], [`retry`], `redirect` (feature
//!   `url`), the choice of a [`proxy`], [`resolver_cache`] and [`happy_eyeballs`], [`token_cache`].
//!
//! The names of methods tell what they do. `handle_…` takes input and `poll_…` hands out; `wants_…`, `is_…` and `has_…`
//! ask; `parse` takes a text or the value of a field apart. What a peer can send too much of is bounded by a type
//! `…Limits`, and an error that a server answers has a `status()`.
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
pub mod safe_path;
mod send_queue;
mod status;
pub(crate) mod syntax;
mod target;
mod time;
pub mod token_cache;
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
