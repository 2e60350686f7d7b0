//! A WebSocket on the client: a request like any other, with the pool, TLS, redirections and deadlines of its session,
//! whose answer is a [`WebSocket`] or a refusal with the response at hand.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use callboard_core::websocket::handshake::{ClientHandshake, HandshakeError};
use callboard_core::websocket::{Agreement, Role, Settings};
use callboard_core::{Headers, Status, header};
use callboard_runtime::Handle;
use callboard_runtime::websocket::{Opening, WebSocket};

use crate::error::Error;
use crate::request::RequestBuilder;
use crate::response::{Detached, Response};

/// The settings of every WebSocket that sets none.
static DEFAULT: LazyLock<Arc<Settings>> = LazyLock::new(Arc::default);

/// A WebSocket in the making: set what differs, then await it.
///
/// The request has all that one of [`get`](crate::Session::get) has. While the WebSocket is open it counts as a
/// connection of the session's pool. The deadline of the request ends with the handshake.
///
/// ```no_run
/// # async fn example(session: callboard_client::Session) -> Result<(), Box<dyn std::error::Error>> {
/// let mut socket = session.websocket("wss://example.org/feed").protocols(&["v2", "v1"]).await?;
/// socket.send("hello").await?;
/// while let Some(message) = socket.next().await? {
///     println!("{:?}", message.text());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a WebSocket is opened when it is awaited"]
pub struct WebSocketBuilder {
    request: RequestBuilder,
    runtime: Handle,
    protocols: Vec<String>,
    settings: Arc<Settings>,
}

impl WebSocketBuilder {
    pub(crate) fn new(request: RequestBuilder, runtime: Handle) -> Self {
        Self { request: request.for_websocket(), runtime, protocols: Vec::new(), settings: Arc::clone(&DEFAULT) }
    }

    /// Adds a parameter to the URL's query: see [`RequestBuilder::query`].
    pub fn query(self, name: &str, value: impl ToString) -> Self {
        self.change(|request| request.query(name, value))
    }

    /// Adds a field to the request: see [`RequestBuilder::header`]. Those of the handshake are made here, and replace
    /// what is set: [`protocols`](Self::protocols) and [`settings`](Self::settings) say what is offered.
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.change(|request| request.header(name, value))
    }

    /// Adds fields to the request.
    pub fn headers(self, headers: &Headers) -> Self {
        self.change(|request| request.headers(headers))
    }

    /// What `Origin` says: browsers name the page, other clients need none (RFC 6455 §4.1, item 8).
    pub fn origin(self, origin: &str) -> Self {
        self.header(header::ORIGIN, origin)
    }

    /// Offers subprotocols, in order of preference. What the server chose: [`WebSocket::protocol`].
    pub fn protocols(mut self, protocols: &[&str]) -> Self {
        self.protocols = protocols.iter().map(ToString::to_string).collect();
        self
    }

    /// What bounds the WebSocket. Give an [`Arc`] to share it between many.
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

    /// Redirections followed: `http`, `https`, `ws` and `wss` alike.
    pub fn redirects(self, limit: u32) -> Self {
        self.change(|request| request.redirects(limit))
    }

    /// From the start of the request to the end of the handshake.
    pub fn timeout(self, total: Duration) -> Self {
        self.change(|request| request.timeout(total))
    }

    /// Connects to this Unix socket. The URL still names host and path.
    pub fn unix_socket(self, path: impl Into<PathBuf>) -> Self {
        self.change(|request| request.unix_socket(path))
    }

    fn change(mut self, change: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Self {
        self.request = change(self.request);
        self
    }

    async fn open(self) -> Result<WebSocket, ConnectError> {
        let Self { request, runtime, protocols, settings } = self;
        let protocols: Vec<&str> = protocols.iter().map(String::as_str).collect();
        let seed = [runtime.entropy(), runtime.entropy()];
        let handshake = Arc::new(Mutex::new(ClientHandshake::new(seed, &protocols, &settings)));
        let response = request.shaking(Arc::clone(&handshake)).await?;
        let checked = {
            let handshake = handshake.lock().unwrap_or_else(PoisonError::into_inner);
            handshake.check(response.status(), response.headers())
        };
        match checked {
            Ok(agreement) => Ok(begin(response.detach()?, agreement, settings, runtime)),
            Err(reason) => Err(ConnectError::Refused(Refusal::new(reason, response))),
        }
    }
}

/// The connection's place in the pool is kept until the pump has ended.
fn begin(detached: Detached, agreement: Agreement, settings: Arc<Settings>, runtime: Handle) -> WebSocket {
    let Detached { head, stream, input, place } = detached;
    let headers = Some(Box::new(head.headers));
    let spawner = runtime.clone();
    let opening = Opening { role: Role::Client, settings, agreement, headers, stream, input, runtime };
    let (socket, pump) = opening.open();
    spawner.spawn(Box::pin(async move {
        pump.await;
        drop(place);
    }));
    socket
}

impl IntoFuture for WebSocketBuilder {
    type Output = Result<WebSocket, ConnectError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

/// Why a WebSocket was not opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The request failed.
    Request(Error),
    /// The server answered, but not with a WebSocket.
    Refused(Refusal),
}

impl ConnectError {
    /// The status of the server's answer, if there is one.
    pub fn status(&self) -> Option<Status> {
        match self {
            Self::Request(error) => error.status(),
            Self::Refused(refusal) => Some(refusal.status()),
        }
    }

    /// The server's answer, if there is one.
    pub fn into_response(self) -> Option<Response> {
        match self {
            Self::Request(_) => None,
            Self::Refused(refusal) => Some(refusal.into_response()),
        }
    }
}

impl From<Error> for ConnectError {
    fn from(error: Error) -> Self {
        Self::Request(error)
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(error) => error.fmt(f),
            Self::Refused(refusal) => write!(f, "{}: the server answered {}", refusal.reason, refusal.status),
        }
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Request(error) => Some(error),
            Self::Refused(refusal) => Some(&refusal.reason),
        }
    }
}

/// An answer that opens no WebSocket. Its body can still be read.
#[derive(Debug)]
pub struct Refusal {
    reason: HandshakeError,
    status: Status,
    /// Never locked: it makes the error shareable.
    response: Box<Mutex<Response>>,
}

impl Refusal {
    fn new(reason: HandshakeError, response: Response) -> Self {
        Self { reason, status: response.status(), response: Box::new(Mutex::new(response)) }
    }

    /// What is wrong with it as the answer to a handshake.
    pub fn reason(&self) -> HandshakeError {
        self.reason
    }

    /// Its status: 101 if only its fields are wrong.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The answer, with its fields and its body.
    pub fn into_response(self) -> Response {
        self.response.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
