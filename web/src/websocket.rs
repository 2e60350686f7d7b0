//! A WebSocket on the server: an extractor that checks the handshake, and the way from it to a [`WebSocket`].
//!
//! The response is a 101 like any other: middlewares see it, and fields can be added. A handler that answers something
//! else declines, and the connection goes on with HTTP.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, LazyLock};

use callboard_core::websocket::Role;
use callboard_core::websocket::handshake::{HandshakeError, ServerHandshake};
use callboard_core::{Headers, InvalidHeader, Status, header};
use callboard_runtime::websocket::{Opening, WebSocketFailure};

use crate::extract::FromRequestParts;
use crate::response::{Begun, Freed, IntoResponse, Takeover};
use crate::{RequestParts, Response};

#[cfg(feature = "compression")]
pub use callboard_runtime::websocket::Compression;
pub use callboard_runtime::websocket::{
    Close, CloseCode, Closure, Event, Message, ReceiveError, SendError, Settings, Text, TrySendError, WebSocket,
    WebSocketError, WebSocketSender,
};

/// The settings of every WebSocket that sets none.
static DEFAULT: LazyLock<Arc<Settings>> = LazyLock::new(Arc::default);

/// The request opens a WebSocket (RFC 6455 §4.2.1). An extractor: other requests are answered 426, a wrong method 405,
/// a broken handshake 400.
///
/// ```
/// use callboard_web::{App, Response, WebSocketUpgrade, get};
///
/// async fn echo(upgrade: WebSocketUpgrade) -> Response {
///     upgrade.on(async |mut socket| {
///         while let Some(message) = socket.next().await? {
///             socket.send(message).await?;
///         }
///         Ok(())
///     })
/// }
///
/// let app = App::new().route("/echo", get(echo));
/// ```
///
/// `Option<WebSocketUpgrade>` lets one URL serve a page and a socket. It serves the page to a broken handshake as well;
/// `Result` in its place tells the two apart:
///
/// ```
/// use callboard_web::websocket::WebSocketRejection;
/// use callboard_web::{IntoResponse, Response, WebSocketUpgrade};
///
/// async fn both(upgrade: Result<WebSocketUpgrade, WebSocketRejection>) -> Response {
///     match upgrade {
///         Ok(upgrade) => upgrade.on(async |socket| Ok(socket.send("hello").await?)),
///         Err(rejection) if rejection.is_ordinary() => "a page".into_response(),
///         Err(rejection) => rejection.into_response(),
///     }
/// }
/// ```
#[derive(Debug)]
pub struct WebSocketUpgrade {
    handshake: ServerHandshake,
    /// The origin that the request was sent to, as browsers write it.
    host: Option<Box<str>>,
    settings: Arc<Settings>,
    protocol: Option<Box<str>>,
    headers: Headers,
    is_refused: bool,
}

impl WebSocketUpgrade {
    /// The subprotocols that the client offers, in its order.
    pub fn offered(&self) -> impl Iterator<Item = &str> {
        self.handshake.protocols()
    }

    /// Chooses the first of the client's subprotocols that is in `known`. If there is none, the WebSocket has no
    /// subprotocol, and the client decides whether it goes on.
    pub fn protocols(mut self, known: &[&str]) -> Self {
        let chosen = self.handshake.protocols().find(|offered| known.contains(offered)).map(Box::from);
        self.protocol = chosen;
        self
    }

    /// What was chosen.
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }

    /// What bounds the WebSocket. Give an [`Arc`] to share it between many.
    ///
    /// ```
    /// # fn example(upgrade: callboard_web::WebSocketUpgrade) {
    /// use callboard_web::websocket::Settings;
    ///
    /// let upgrade = upgrade.settings(Settings { max_message: 64 * 1024, ..Settings::default() });
    /// # drop(upgrade);
    /// # }
    /// ```
    pub fn settings(mut self, settings: impl Into<Arc<Settings>>) -> Self {
        self.settings = settings.into();
        self
    }

    /// Bytes of a received message. Default 4 MiB; the limit of a frame follows.
    pub fn max_message(mut self, bytes: usize) -> Self {
        let settings = Arc::make_mut(&mut self.settings);
        settings.max_message = bytes;
        settings.max_frame = bytes;
        self
    }

    /// Adds a field to the 101 response.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, InvalidHeader> {
        self.headers.append(name, value)?;
        Ok(self)
    }

    /// The page that opens the WebSocket, if a browser says so (RFC 6455 §10.2). Cookies of this site come along
    /// whichever page it is, so a WebSocket that trusts them must look: see [`same_origin`](Self::same_origin).
    pub fn origin(&self) -> Option<&str> {
        self.handshake.origin()
    }

    /// Refuses with 403 what `is_allowed` does not allow; it is given the origin, if there is one.
    pub fn check_origin(mut self, is_allowed: impl FnOnce(Option<&str>) -> bool) -> Self {
        self.is_refused |= !is_allowed(self.handshake.origin());
        self
    }

    /// Refuses with 403 pages of other sites: the host and port of `Origin` must be those of `Host`. A client that is
    /// no browser sends no `Origin` and is let through.
    pub fn same_origin(self) -> Self {
        let host = self.host.clone();
        self.check_origin(|origin| {
            let Some(origin) = origin else { return true };
            let Some((scheme, authority)) = origin.split_once("://") else { return false };
            let bare = |text: &str| {
                let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
                text.strip_suffix(port).unwrap_or(text).to_ascii_lowercase()
            };
            host.is_some_and(|host| bare(&host) == bare(authority))
        })
    }

    /// Answers 101, and once that is sent runs `callback` with the WebSocket.
    ///
    /// What it gives decides how the WebSocket ends, if it is still open: `Ok` closes it with 1000 when the socket and
    /// all its senders are dropped, an error or a panic with 1011 at once. When the server drains, the peer is told
    /// 1001 and `next` comes to its end.
    ///
    /// A body of the request is thrown away first, up to [`Limits::discard_bytes`](callboard_core::Limits); one that is
    /// known to be longer is answered 413.
    pub fn on<F, Fut>(self, callback: F) -> Response
    where
        F: FnOnce(WebSocket) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), WebSocketFailure>> + Send + 'static,
    {
        if self.is_refused {
            return (Status::FORBIDDEN, "a page of this origin may not open a WebSocket here").into_response();
        }
        let (headers, agreement) = self.handshake.accept(self.protocol.as_deref(), &self.settings);
        let mut response = Response::default().with_status(Status::SWITCHING_PROTOCOLS);
        *response.headers_mut() = headers;
        response.headers_mut().extend(&self.headers);
        let settings = self.settings;
        response.with_takeover(Takeover::new(move |freed| {
            let Freed { stream, leftover: input, runtime } = freed;
            let opening = Opening { role: Role::Server, settings, agreement, headers: None, stream, input, runtime };
            let (socket, pump) = opening.open();
            Begun::WebSocket(pump.attend(Box::pin(callback(socket))))
        }))
    }
}

impl FromRequestParts for WebSocketUpgrade {
    type Rejection = WebSocketRejection;

    async fn from_request_parts(parts: &mut RequestParts) -> Result<Self, WebSocketRejection> {
        let handshake = ServerHandshake::read(&parts.method, parts.version, &parts.headers);
        Ok(Self {
            handshake: handshake.map_err(WebSocketRejection)?,
            host: parts.headers.text(header::HOST).map(Box::from),
            settings: Arc::clone(&DEFAULT),
            protocol: None,
            headers: Headers::new(),
            is_refused: false,
        })
    }
}

/// The request does not open a WebSocket: 426 if it does not try, 405, or 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebSocketRejection(pub HandshakeError);

impl WebSocketRejection {
    /// The status that is answered.
    pub fn status(&self) -> Status {
        self.0.status()
    }

    /// Whether the request does not try: it names no `Upgrade: websocket`, or is of HTTP/1.0, which has none (RFC 9110
    /// §7.8). All else is a broken handshake.
    pub fn is_ordinary(&self) -> bool {
        matches!(self.0, HandshakeError::UpgradeMissing | HandshakeError::VersionTooOld)
    }
}

impl fmt::Display for WebSocketRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for WebSocketRejection {}

impl IntoResponse for WebSocketRejection {
    fn into_response(self) -> Response {
        let mut response = (self.status(), self.to_string()).into_response();
        response.headers_mut().extend(&self.0.headers());
        response
    }
}
