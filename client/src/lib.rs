//! The client session: requests, responses, and the connections between them, on whichever runtime is passed in.
//!
//! * [`Session`] has a verb for each method; [`RequestBuilder`] is awaited and gives a [`Response`], head first.
//! * [`Error`] says in which [`Phase`] a request failed, with which peer, and whether it can have arrived
//!   ([`Delivery`]).
//! * `Session::websocket` (feature `websocket`) opens a WebSocket, by a request like any other.
//! * Each deadline and limit is finite by default and in force: see [`Timeouts`] and [`SessionBuilder`].
//!
//! Inside, from the top: `session` makes requests, which have in `shared` what they need of it; `request` puts an
//! `order` together; `sending` is the future of a response's head, `exchange` one request on one connection; `dial`
//! makes connections, `connections` keeps them by the pool machine of the core, `connection` is one of them, leased
//! into the future of the request that uses it. `names` and `tokens` keep what is fetched once for many requests, each
//! fetch a `flight`; `pass` is who a request says that it comes from. No task is spawned for a request.

mod body;
mod clock;
mod connection;
mod connections;
#[cfg(feature = "cookies")]
mod cookie_file;
mod cookie_store;
mod cookies;
#[cfg(feature = "compression")]
mod decoding;
mod dial;
#[cfg(feature = "digest")]
mod digest;
mod error;
mod exchange;
mod file;
mod file_error;
mod flight;
mod location;
mod multipart;
mod names;
mod netrc_file;
mod order;
mod own_cookie;
mod pass;
mod racing;
mod request;
mod resolver;
mod response;
mod sending;
mod session;
mod settings;
mod shared;
mod sweeper;
mod text;
mod tokens;
#[cfg(feature = "websocket")]
mod websocket;
mod wire;

pub use body::Body;
#[cfg(feature = "cookies")]
pub use callboard_core::cookies::{CookieJar, JarSettings};
pub use cookie_store::CookieStore;
#[cfg(feature = "cookies")]
pub use cookie_store::SharedJar;
pub use error::{BodyError, Deadline, Delivery, Error, ErrorKind, Hop, Phase};
pub use file_error::FileError;
pub use location::IntoUrl;
pub use multipart::Multipart;
pub use netrc_file::{NetrcFileError, read_netrc, read_netrc_at};
pub use request::RequestBuilder;
pub use resolver::Resolver;
pub use response::{Events, MultipartReader, Part, Response, Upgraded};
pub use sending::Sending;
pub use session::{Session, SessionBuilder};
pub use settings::Timeouts;
pub use tokens::{Token, TokenError, TokenSource};
pub use url::Url;
#[cfg(feature = "websocket")]
pub use websocket::{ConnectError, Refusal, WebSocketBuilder};

#[cfg(feature = "compression")]
pub use callboard_core::coding::{CodingsError, DecodeError, DecodeLimits};
pub use callboard_core::happy_eyeballs::{Family, RaceSettings};
pub use callboard_core::multipart::{MultipartLimits, PartError};
pub use callboard_core::netrc::{Netrc, NetrcError};
pub use callboard_core::pool::{HostSnapshot, PoolSnapshot};
pub use callboard_core::resolver_cache::CacheSettings;
pub use callboard_core::retry::{BudgetLimits, Jitter, RetryPolicy};
#[cfg(feature = "websocket")]
pub use callboard_runtime::websocket::{WebSocket, WebSocketError, WebSocketSender};
pub use callboard_runtime::{Lines, ReadError, Reader};
