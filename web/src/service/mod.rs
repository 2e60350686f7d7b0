//! An app that is complete: what its requests are answered by.

mod middleware;

use std::fmt;
use std::sync::Arc;

use callboard_core::http1::RequestHead;
use callboard_core::{Method, Status, header};

use crate::facts::Facts;
use crate::fate::{Notice, PeerGone};
use crate::handler::Endpoint;
use crate::link::Link;
use crate::params::Params;
#[cfg(feature = "tls")]
use crate::request::BODY_LIMIT;
use crate::routing::{Outcome, Router};
use crate::running::Running;
use crate::{Fate, Request, Response};

pub use middleware::Next;
pub(crate) use middleware::{Function, Middleware};

/// A complete, checked [`App`](crate::App): calls need no connection, no socket and no runtime. Cloning is cheap.
///
/// ```
/// use callboard_web::{App, Method, Request, get};
///
/// # futures_lite::future::block_on(async {
/// let service = App::new().route("/", get(async || "hello")).into_service().unwrap();
/// let response = service.call(Request::new(Method::Get, "/").unwrap()).await;
/// assert_eq!(response.bytes(100).await.unwrap(), "hello");
/// # });
/// ```
#[derive(Clone)]
pub struct Service(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) facts: Arc<Facts>,
    pub(crate) router: Router,
    pub(crate) middlewares: Vec<Box<dyn Middleware>>,
    pub(crate) fallback: Option<Box<dyn Endpoint>>,
}

/// What answers.
pub(crate) enum Step {
    Running(Running),
    Ready(Box<Response>),
}

/// A request on its way.
pub(crate) struct Started {
    pub(crate) step: Step,
    pub(crate) fate: Fate,
    pub(crate) notice: Option<Arc<Notice>>,
}

impl Service {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// One that answers everything by `endpoint`.
    #[cfg(feature = "tls")]
    pub(crate) fn of_endpoint(endpoint: Box<dyn Endpoint>) -> Self {
        let facts = Facts {
            routes: Vec::new(),
            data: Vec::new(),
            limits: Arc::default(),
            body_limit: BODY_LIMIT,
            #[cfg(feature = "compression")]
            decoding: None,
        };
        let (router, middlewares) = (Router::default(), Vec::new());
        Self::new(Inner { facts: Arc::new(facts), router, middlewares, fallback: Some(endpoint) })
    }

    /// Answers a request. Upgrades are answered but not performed, and the body of an answer to HEAD is still there:
    /// both are the connection's work.
    pub async fn call(&self, mut request: Request) -> Response {
        request.parts_mut().link.get_or_insert_with(|| Arc::new(Link::new(Arc::clone(self.facts()))));
        match self.start(request).step {
            Step::Running(running) => running.await,
            Step::Ready(response) => *response,
        }
    }

    /// Where a request leads.
    #[inline]
    pub(crate) fn find(&self, head: &RequestHead) -> (Outcome, Params) {
        self.0.router.find(&head.method, &head.target)
    }

    /// Starts a handler that looks at nothing of the request, so that none need be put together.
    #[inline]
    pub(crate) fn start_bare(&self, outcome: Outcome, method: &Method) -> Option<Started> {
        if !self.0.middlewares.is_empty() {
            return None;
        }
        let registered = self.0.router.handler(outcome)?;
        let running = registered.endpoint.start_bare()?;
        Some(Started { step: Step::Running(running), fate: registered.fate(method), notice: None })
    }

    /// Finds the route of a request and starts what answers.
    fn start(&self, mut request: Request) -> Started {
        let parts = request.parts_mut();
        let (outcome, params) = self.0.router.find(&parts.method, &parts.target);
        parts.params = params;
        self.begin(outcome, request)
    }

    /// Starts what answers a request of which the route is known.
    pub(crate) fn begin(&self, outcome: Outcome, mut request: Request) -> Started {
        #[cfg(feature = "compression")]
        if let Some(limits) = &self.facts().decoding {
            crate::decoding::undo(&mut request, limits);
        }
        let parts = request.parts_mut();
        let fate = match self.0.router.handler(outcome) {
            Some(registered) => registered.fate(&parts.method),
            None if parts.method.is_safe() => Fate::Cancel,
            None => Fate::Finish,
        };
        let notice = (fate == Fate::Notify).then(|| {
            let notice = Arc::new(Notice::default());
            parts.extensions.insert(PeerGone::new(Arc::clone(&notice)));
            notice
        });
        let step = match self.0.middlewares.first() {
            Some(first) => Step::Running(first.start(request, Next { service: self.clone(), position: 1, outcome })),
            None => self.answer(outcome, request),
        };
        Started { step, fate, notice }
    }

    /// Goes on after a middleware.
    pub(crate) fn proceed(self, mut next: Next, request: Request) -> Step {
        let Some(middleware) = self.0.middlewares.get(next.position) else {
            return self.answer(next.outcome, request);
        };
        next.position += 1;
        Step::Running(middleware.start(request, next))
    }

    /// The end of the chain: the handler, or an answer that needs none.
    fn answer(&self, outcome: Outcome, request: Request) -> Step {
        let router = &self.0.router;
        if let Some(registered) = router.handler(outcome) {
            return Step::Running(registered.endpoint.start(request));
        }
        let with_allow = |status, route| Response::of_status(status).with_header(header::ALLOW, router.allow(route));
        let response = match (outcome, &self.0.fallback) {
            (Outcome::NotAllowed(route), _) => with_allow(Status::METHOD_NOT_ALLOWED, Some(route)),
            (Outcome::Options(route), _) => empty_with_allow(router.allow(Some(route))),
            (Outcome::ServerOptions, _) => empty_with_allow(router.allow(None)),
            (Outcome::BadPath, _) => Response::of_status(Status::BAD_REQUEST),
            (_, Some(fallback)) => return Step::Running(fallback.start(request)),
            (_, None) => Response::of_status(Status::NOT_FOUND),
        };
        Step::Ready(Box::new(response))
    }

    pub(crate) fn facts(&self) -> &Arc<Facts> {
        &self.0.facts
    }
}

fn empty_with_allow(allow: String) -> Response {
    Response::default().with_status(Status::NO_CONTENT).with_header(header::ALLOW, allow)
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.router.iter().map(|(pattern, registered)| (pattern, &registered.method))).finish()
    }
}
