//! The application: routes, data, middlewares and limits, collected and then checked at once.

use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use callboard_core::Limits;
use callboard_runtime::Handle;

use crate::Request;
use crate::error::{RouteError, StartError};
use crate::facts::Facts;
use crate::handler::{Endpoint, Handler, erase};
use crate::needs::Needs;
use crate::request::BODY_LIMIT;
use crate::response::IntoResponse;
use crate::routing::{MethodRouter, Router, any};
use crate::server::{Server, Settings, ToEndpoints};
use crate::service::{Function, Inner, Middleware, Next, Service};

/// A web application.
///
/// ```no_run
/// # fn runtime() -> callboard_runtime::Handle { unreachable!() }
/// use callboard_web::{App, Path, get};
///
/// # fn main() -> Result<(), callboard_web::StartError> {
/// App::new()
///     .route("/", get(async || "Hello, World!"))
///     .route("/{name}", get(async |Path(name): Path<String>| format!("Hello, {name}!")))
///     .run(runtime(), "127.0.0.1:8080")
/// # }
/// ```
#[must_use = "an app does nothing until it runs"]
pub struct App {
    router: Router,
    data: Vec<(TypeId, Arc<dyn Any + Send + Sync>)>,
    middlewares: Vec<Box<dyn Middleware>>,
    fallback: Option<(Box<dyn Endpoint>, Needs)>,
    limits: Limits,
    body_limit: usize,
    #[cfg(feature = "compression")]
    decoding: Option<callboard_core::coding::DecodeLimits>,
    drain_timeout: Duration,
    settings: Settings,
    /// The first route that cannot be.
    error: Option<RouteError>,
}

impl App {
    /// An app without routes: it answers 404.
    pub fn new() -> Self {
        Self {
            router: Router::default(),
            data: Vec::new(),
            middlewares: Vec::new(),
            fallback: None,
            limits: Limits::default(),
            body_limit: BODY_LIMIT,
            #[cfg(feature = "compression")]
            decoding: Some(callboard_core::coding::DecodeLimits::default()),
            drain_timeout: Duration::from_secs(30),
            settings: Settings::default(),
            error: None,
        }
    }

    /// Adds handlers to a path. `{name}` takes one segment or a part of it, `{*name}` at the end takes the rest;
    /// `{{` and `}}` stand for braces. Static parts go before parameters. The path is matched decoded, but an encoded
    /// slash stays inside its segment.
    ///
    /// A path that is invalid or conflicts with another is a [`RouteError`] when the app starts.
    pub fn route(mut self, path: &str, methods: MethodRouter) -> Self {
        if let Err(error) = self.router.add(path, methods) {
            self.error.get_or_insert(error);
        }
        self
    }

    /// Handles CONNECT, which names no path. See [`Upgrade`](crate::Upgrade).
    pub fn connect<T: 'static>(mut self, handler: impl Handler<T>) -> Self {
        self.router.connect(any(handler));
        self
    }

    /// Answers requests that no route matches, in place of 404.
    pub fn fallback<T: 'static>(mut self, handler: impl Handler<T>) -> Self {
        self.fallback = Some(erase(handler));
        self
    }

    /// Shares a value with the handlers, which take it by [`Data<T>`](crate::Data). One value per type: a later one
    /// replaces an earlier.
    pub fn data<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.data.retain(|(key, _)| *key != TypeId::of::<T>());
        self.data.push((TypeId::of::<T>(), Arc::new(value)));
        self
    }

    /// Adds a middleware: `async fn(Request, Next) -> Response`. The first added is the outermost. They run for every
    /// request, also for those that are answered by 404 or 405.
    pub fn middleware<F, Fut, R>(mut self, function: F) -> Self
    where
        F: Fn(Request, Next) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: IntoResponse + 'static,
    {
        self.middlewares.push(Box::new(Function(function)));
        self
    }

    /// Sets the limits and deadlines of connections.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How many bytes of a body the extractors `Bytes`, `String` and `Json` collect: past it, 413. Default 2 MiB. A
    /// [`Body`](crate::Body) is a stream and has no limit: its reader decides, see
    /// [`Body::collect`](crate::Body::collect).
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Within which limits the content codings of requests are undone; `None`: bodies are given as they are sent.
    /// Default: [`DecodeLimits::default`](crate::DecodeLimits).
    ///
    /// A body is then read as if it had not been coded: its `Content-Encoding` and `Content-Length` are gone, and
    /// [`body_limit`](Self::body_limit) counts what it decodes to. One whose coding is not known is answered by 415
    /// with an `Accept-Encoding` when it is read, one that is malformed by 400, one that is too large by 413.
    #[cfg(feature = "compression")]
    pub fn decode(mut self, limits: impl Into<Option<callboard_core::coding::DecodeLimits>>) -> Self {
        self.decoding = limits.into();
        self
    }

    /// Encodes responses as requests ask for: see [`Compress`](crate::Compress). It takes its place among the
    /// [middlewares](Self::middleware): those added before see encoded responses, those added after plain ones.
    #[cfg(feature = "compression")]
    pub fn compress(mut self, settings: crate::Compress) -> Self {
        self.middlewares.push(Box::new(settings));
        self
    }

    /// How many connections may be open at once, over all listeners. Past it, new ones wait in the system's queue.
    /// Default 25 000.
    pub fn max_connections(mut self, count: usize) -> Self {
        self.settings.max_connections = count.max(1);
        self
    }

    /// How long requests in progress may take to finish after the first signal of [`run`](Self::run). Default 30 s.
    pub fn drain_timeout(mut self, duration: Duration) -> Self {
        self.drain_timeout = duration;
        self
    }

    /// Speaks TLS on all addresses. A client that speaks plain HTTP there is answered by 400 in plain text.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, acceptor: callboard_runtime::tls::TlsAcceptor) -> Self {
        self.settings.tls = Some(acceptor);
        self
    }

    /// How long a TLS handshake may take. Default 10 s.
    #[cfg(feature = "tls")]
    pub fn handshake_timeout(mut self, duration: Duration) -> Self {
        self.settings.handshake_timeout = duration;
        self
    }

    /// Checks the app and makes it callable, without a server: for tests, or to be embedded.
    pub fn into_service(self) -> Result<Service, StartError> {
        if let Some(error) = &self.error {
            return Err(error.clone().into());
        }
        for (path, registered) in self.router.iter() {
            self.check(&registered.needs, || format!("{} {path}", registered.method))?;
        }
        if let Some((_, needs)) = &self.fallback {
            self.check(needs, || "the fallback".to_owned())?;
        }
        let facts = Facts {
            routes: self.router.names(),
            data: self.data,
            limits: Arc::new(self.limits),
            body_limit: self.body_limit,
            #[cfg(feature = "compression")]
            decoding: self.decoding,
        };
        Ok(Service::new(Inner {
            facts: Arc::new(facts),
            router: self.router,
            middlewares: self.middlewares,
            fallback: self.fallback.map(|(endpoint, _)| endpoint),
        }))
    }

    /// Whether all that a handler needs is there.
    fn check(&self, needs: &Needs, route: impl Fn() -> String) -> Result<(), StartError> {
        let missing = needs.data.iter().find(|(key, _)| !self.data.iter().any(|(known, _)| known == key));
        match missing {
            Some((_, type_name)) => Err(StartError::MissingData { route: route(), type_name }),
            None => Ok(()),
        }
    }

    /// Serves at `address` until Ctrl-C or SIGTERM, then drains: closes idle connections and lets requests in progress
    /// finish within [`drain_timeout`](Self::drain_timeout). A second signal cuts what is left. Blocks the thread.
    ///
    /// See [`ToEndpoints`] for how an address is written.
    pub fn run(self, runtime: impl Into<Handle>, address: impl ToEndpoints) -> Result<(), StartError> {
        let runtime = runtime.into();
        let addresses = address.to_endpoints()?;
        let deadline = self.drain_timeout;
        let mut outcome = Ok(());
        let own = runtime.clone();
        let blocked = runtime.block_on(Box::pin(async {
            outcome = async {
                let signals = own.signals().map_err(StartError::Runtime)?;
                let server = self.start(own.clone(), addresses).await?;
                server.until_signal(signals, deadline).await;
                Ok(())
            }
            .await;
        }));
        blocked.map_err(StartError::Runtime).and(outcome)
    }

    /// Serves at `address` on a runtime that is being run elsewhere, and gives the handle of the server.
    ///
    /// See [`ToEndpoints`] for how an address is written.
    pub async fn serve(self, runtime: impl Into<Handle>, address: impl ToEndpoints) -> Result<Server, StartError> {
        let addresses = address.to_endpoints()?;
        self.start(runtime.into(), addresses).await
    }

    async fn start(self, runtime: Handle, addresses: Vec<crate::ListenAddress>) -> Result<Server, StartError> {
        let settings = self.settings.clone();
        Server::start(self.into_service()?, settings, runtime, addresses).await
    }
}

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(type_name::<Self>())
            .field("routes", &self.router.iter().count())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
