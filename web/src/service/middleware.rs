//! Middlewares: one shape, `async fn(Request, Next) -> Response`.

use std::fmt;
use std::future::Future;

use super::{Service, Step};
use crate::response::IntoResponse;
use crate::routing::Outcome;
use crate::running::Running;
use crate::{Request, Response};

/// A middleware of any type.
pub(crate) trait Middleware: Send + Sync {
    fn start(&self, request: Request, next: Next) -> Running;
}

/// What comes after a middleware: the next one, or the handler.
///
/// ```
/// use callboard_web::{App, Next, Request, Response, get};
///
/// async fn server_name(request: Request, next: Next) -> Response {
///     next.run(request).await.with_header("Server", "callboard")
/// }
///
/// let app = App::new().route("/", get(async || "hello")).middleware(server_name);
/// ```
pub struct Next {
    pub(super) service: Service,
    /// Which middleware is next.
    pub(super) position: usize,
    pub(super) outcome: Outcome,
}

impl Next {
    /// Runs it. The route was chosen before the first middleware: changing method or path changes only what the
    /// handler sees.
    pub async fn run(self, request: Request) -> Response {
        match self.service.clone().proceed(self, request) {
            Step::Running(running) => running.await,
            Step::Ready(response) => *response,
        }
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("position", &self.position).finish_non_exhaustive()
    }
}

/// Hides a middleware's types.
pub(crate) struct Function<F>(pub(crate) F);

impl<F, Fut, R> Middleware for Function<F>
where
    F: Fn(Request, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = R> + Send + 'static,
    R: IntoResponse + 'static,
{
    fn start(&self, request: Request, next: Next) -> Running {
        let future = (self.0)(request, next);
        Running::start(async move { future.await.into_response() })
    }
}
