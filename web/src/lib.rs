//! The web application of callboard: routes, extractors, responses, middlewares and the server.
//!
//! * [`App`] collects routes and starts a [`Server`], or becomes a [`Service`] that is called without one.
//! * Handlers are async functions of up to twelve extractors ([`extract`]): [`Path`], [`Query`], [`Json`], [`Data`] …
//! * What they return is a [`Response`], by [`IntoResponse`].
//! * [`Upgrade`] hands a connection to another protocol; `WebSocketUpgrade` (feature `websocket`) to a WebSocket.
//! * A connection is one task: its machine, its handler and its body take turns in it, without hops or allocations.
//!
//! ```
//! use callboard_web::{App, Json, Method, Path, Request, get};
//!
//! async fn double(Path(number): Path<u32>) -> Json<u64> {
//!     Json(u64::from(number) * 2)
//! }
//!
//! # futures_lite::future::block_on(async {
//! let service = App::new().route("/double/{number}", get(double)).into_service().unwrap();
//! let response = service.call(Request::new(Method::Get, "/double/21").unwrap()).await;
//! assert_eq!(response.bytes(100).await.unwrap(), "42");
//! # });
//! ```

mod app;
mod body;
#[cfg(feature = "compression")]
mod compress;
#[cfg(feature = "compression")]
mod decoding;
mod error;
mod extensions;
pub mod extract;
mod facts;
mod fate;
mod handler;
mod link;
mod needs;
mod params;
mod recycled;
mod request;
mod response;
mod routing;
mod running;
mod server;
mod service;
mod upgrade;
#[cfg(feature = "websocket")]
pub mod websocket;

pub use bytes::Bytes;
pub use callboard_core::cookies::{SameSite, SetCookie};
pub use callboard_core::event_stream::Event;
pub use callboard_core::{Headers, Limits, Method, Status, Target, Version, header};
pub use callboard_runtime::{Endpoint, Lines, ReadError, Reader};

pub use app::App;
pub use body::{Body, BodyError};
#[cfg(feature = "compression")]
pub use callboard_core::coding::{Coding, CodingsError, DecodeError, DecodeLimits, Level};
#[cfg(feature = "compression")]
pub use compress::Compress;
pub use error::{RouteError, StartError};
pub use extensions::Extensions;
pub use extract::{Cookies, Data, Form, FromRequest, FromRequestParts, Json, Multipart, Path, PeerAddress, Query};
pub use fate::{Fate, PeerGone};
pub use handler::Handler;
pub use needs::Needs;
pub use request::{Request, RequestParts};
pub use response::{EventSender, EventStream, EventsGone, Html, IntoResponse, Redirect, Response};
pub use routing::{MethodRouter, any, delete, get, head, on, options, patch, post, put};
pub use server::{DrainReport, ListenAddress, Server, ToEndpoints};
pub use service::{Next, Service};
pub use upgrade::{NoUpgrade, Upgrade};
#[cfg(feature = "websocket")]
pub use websocket::{WebSocket, WebSocketSender, WebSocketUpgrade};
