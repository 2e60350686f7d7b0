//! Handlers: async functions of 0 to 12 extractors.
//!
//! All but the last extractor take from the head; the last may take the body. What a handler needs of the app is
//! collected from its extractors when it is registered, and checked when the app starts.

use std::future::Future;
use std::marker::PhantomData;

use crate::extract::{FromRequest, FromRequestParts};
use crate::needs::Needs;
use crate::response::IntoResponse;
use crate::running::Running;
use crate::{Request, Response};

/// What can answer requests: an async function or closure with up to 12 extractors.
///
/// `T` only tells apart the kinds of functions; it is inferred.
///
/// ```compile_fail
/// use callboard_web::{App, get};
///
/// // A handler is async.
/// let app = App::new().route("/", get(|| "not a future"));
/// ```
///
/// ```compile_fail
/// use callboard_web::{App, Bytes, get};
///
/// // Only the last extractor may take the body.
/// let app = App::new().route("/", get(async |first: Bytes, second: Bytes| "two bodies"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "not a handler",
    note = "a handler is an `async fn` or async closure with at most 12 arguments that returns `impl IntoResponse`",
    note = "each argument is an extractor (`FromRequestParts`); the last may take the body (`FromRequest`)",
    note = "its future must be `Send`: let go of `Rc`, `RefCell` borrows and std lock guards before an `.await`"
)]
pub trait Handler<T>: Clone + Send + Sync + 'static {
    /// Answers a request.
    fn call(self, request: Request) -> impl Future<Output = Response> + Send + 'static;

    /// Says what the handler needs of the app.
    fn needs(needs: &mut Needs) {
        let _ = needs;
    }

    /// Hides the handler's types.
    #[doc(hidden)]
    fn erase(self) -> Erased
    where
        T: 'static,
    {
        Erased(Box::new(HandlerEndpoint(self, PhantomData)))
    }
}

/// A handler of hidden type.
#[doc(hidden)]
pub struct Erased(pub(crate) Box<dyn Endpoint>);

/// A handler of any type.
pub(crate) trait Endpoint: Send + Sync {
    fn start(&self, request: Request) -> Running;

    /// Starts a handler that looks at nothing of the request, so that none need be made.
    fn start_bare(&self) -> Option<Running> {
        None
    }
}

/// A handler, and what it needs.
pub(crate) fn erase<T: 'static, H: Handler<T>>(handler: H) -> (Box<dyn Endpoint>, Needs) {
    let mut needs = Needs::default();
    H::needs(&mut needs);
    (handler.erase().0, needs)
}

struct HandlerEndpoint<H, T>(H, PhantomData<fn() -> T>);

impl<T: 'static, H: Handler<T>> Endpoint for HandlerEndpoint<H, T> {
    fn start(&self, request: Request) -> Running {
        Running::start(self.0.clone().call(request))
    }
}

/// A handler without arguments.
struct BareEndpoint<F>(F);

impl<F, Fut, R> Endpoint for BareEndpoint<F>
where
    F: FnOnce() -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = R> + Send + 'static,
    R: IntoResponse,
{
    fn start(&self, request: Request) -> Running {
        drop(request);
        let future = self.0.clone()();
        Running::start(async move { future.await.into_response() })
    }

    fn start_bare(&self) -> Option<Running> {
        let future = self.0.clone()();
        Some(Running::start(async move { future.await.into_response() }))
    }
}

impl<F, Fut, R> Handler<((),)> for F
where
    F: FnOnce() -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = R> + Send + 'static,
    R: IntoResponse,
{
    fn call(self, request: Request) -> impl Future<Output = Response> + Send + 'static {
        drop(request);
        let future = self();
        async move { future.await.into_response() }
    }

    fn erase(self) -> Erased {
        Erased(Box::new(BareEndpoint(self)))
    }
}

macro_rules! impl_handler {
    ([$($first:ident),*], $last:ident) => {
        #[allow(non_snake_case, unused_mut, reason = "names of types are reused for values; one argument has no parts")]
        impl<F, Fut, R, M, $($first,)* $last> Handler<(M, $($first,)* $last,)> for F
        where
            F: FnOnce($($first,)* $last,) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = R> + Send + 'static,
            R: IntoResponse,
            M: 'static,
            $($first: FromRequestParts + Send + 'static,)*
            $last: FromRequest<M> + Send + 'static,
        {
            fn call(self, mut request: Request) -> impl Future<Output = Response> + Send + 'static {
                async move {
                    $(
                        let $first = match $first::from_request_parts(request.parts_mut()).await {
                            Ok(value) => value,
                            Err(rejection) => return rejection.into_response(),
                        };
                    )*
                    let $last = match $last::from_request(request).await {
                        Ok(value) => value,
                        Err(rejection) => return rejection.into_response(),
                    };
                    self($($first,)* $last,).await.into_response()
                }
            }

            fn needs(needs: &mut Needs) {
                $($first::needs(needs);)*
                $last::needs(needs);
            }
        }
    };
}

impl_handler!([], A);
impl_handler!([A], B);
impl_handler!([A, B], C);
impl_handler!([A, B, C], D);
impl_handler!([A, B, C, D], E);
impl_handler!([A, B, C, D, E], G);
impl_handler!([A, B, C, D, E, G], H);
impl_handler!([A, B, C, D, E, G, H], I);
impl_handler!([A, B, C, D, E, G, H, I], J);
impl_handler!([A, B, C, D, E, G, H, I, J], K);
impl_handler!([A, B, C, D, E, G, H, I, J, K], L);
impl_handler!([A, B, C, D, E, G, H, I, J, K, L], N);
