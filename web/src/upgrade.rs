//! Handing the stream of a connection to another protocol (RFC 9110 §7.8, §9.3.6).

use std::fmt;
use std::future::Future;

use bytes::BytesMut;
use callboard_core::{Method, Status, header};
use callboard_runtime::Stream;

use crate::extract::FromRequestParts;
use crate::response::{Begun, Freed, IntoResponse, Takeover};
use crate::{RequestParts, Response};

/// The request asks for another protocol on its connection: by `Upgrade`, or by CONNECT. An extractor.
///
/// ```
/// use callboard_web::{App, Upgrade, get};
/// use futures_lite::AsyncWriteExt;
///
/// let app = App::new().route("/raw", get(async |upgrade: Upgrade| {
///     upgrade.on(async |mut stream, leftover| {
///         let _ = stream.write_all(&leftover).await;
///     })
/// }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    is_connect: bool,
    /// As listed by the client; empty for CONNECT.
    protocols: String,
}

impl Upgrade {
    /// The protocols that the client offers, as spelled, in its order. None for CONNECT.
    pub fn protocols(&self) -> impl Iterator<Item = &str> {
        self.protocols.split(',').map(str::trim).filter(|protocol| !protocol.is_empty())
    }

    /// Answers 101 with the first protocol offered (200 to CONNECT), and once that is sent gives the stream to
    /// `callback`, with the bytes that came behind the request. Its future runs in a task of the connection's worker. A
    /// server that drains waits for it, and cuts it off at the deadline.
    pub fn on<F, Fut>(self, callback: F) -> Response
    where
        F: FnOnce(Box<dyn Stream>, BytesMut) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let protocol = self.protocols().next().unwrap_or_default().to_owned();
        self.to(&protocol, callback)
    }

    /// The same with a protocol of our choice, which should be one that is offered.
    pub fn to<F, Fut>(self, protocol: &str, callback: F) -> Response
    where
        F: FnOnce(Box<dyn Stream>, BytesMut) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let response = if self.is_connect {
            Response::default()
        } else {
            Response::default()
                .with_status(Status::SWITCHING_PROTOCOLS)
                .with_header(header::CONNECTION, "upgrade")
                .with_header(header::UPGRADE, protocol)
        };
        response
            .with_takeover(Takeover::new(|freed: Freed| Begun::Raw(Box::pin(callback(freed.stream, freed.leftover)))))
    }
}

impl FromRequestParts for Upgrade {
    type Rejection = NoUpgrade;

    async fn from_request_parts(parts: &mut RequestParts) -> Result<Self, NoUpgrade> {
        let is_connect = parts.method == Method::Connect;
        let is_listed = parts.headers.has_token(header::CONNECTION, "upgrade");
        let mut protocols = String::new();
        for field in parts.headers.get_all(header::UPGRADE) {
            protocols.push_str(std::str::from_utf8(field).unwrap_or_default());
            protocols.push(',');
        }
        let upgrade = Self { is_connect, protocols };
        let is_offered = is_listed && upgrade.protocols().next().is_some();
        if is_connect || is_offered { Ok(upgrade) } else { Err(NoUpgrade) }
    }
}

/// The request asks for no other protocol: 426.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoUpgrade;

impl NoUpgrade {
    /// The status that is answered.
    pub fn status(&self) -> Status {
        Status::UPGRADE_REQUIRED
    }
}

impl fmt::Display for NoUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request must ask for another protocol by Connection: upgrade and Upgrade")
    }
}

impl std::error::Error for NoUpgrade {}

impl IntoResponse for NoUpgrade {
    fn into_response(self) -> Response {
        (self.status(), self.to_string()).into_response()
    }
}
