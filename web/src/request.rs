//! A request as handlers and middlewares see it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use callboard_core::http1::RequestHead;
use callboard_core::{Headers, InvalidHeader, InvalidTarget, Method, Target, Version};
use callboard_runtime::Endpoint;

use crate::link::Link;
use crate::params::Params;
use crate::recycled::{Recycled, recycle};
use crate::{Body, Extensions};

/// Bytes of a body that extractors collect at most, unless the app says otherwise: 2 MiB.
pub(crate) const BODY_LIMIT: usize = 2 * 1024 * 1024;

/// A request: head, body, and what the app knows about both.
///
/// A handler that takes it gets all of it; a middleware passes it on.
///
/// ```
/// use callboard_web::{Method, Request};
///
/// let request = Request::new(Method::Post, "/search?page=2")?.with_header("Accept", "text/plain")?.with_body("rust");
/// assert_eq!((request.path(), request.query()), ("/search", Some("page=2")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Request {
    parts: Recycled<RequestParts>,
    body: Body,
}

/// A request without its body.
pub struct RequestParts {
    /// The method.
    pub method: Method,
    /// The target, as sent.
    pub target: Target,
    /// The version.
    pub version: Version,
    /// The fields.
    pub headers: Headers,
    /// What middlewares left for the handler.
    pub extensions: Extensions,
    pub(crate) params: Params,
    pub(crate) link: Option<Arc<Link>>,
}

impl Request {
    /// A request with a target in origin form, for calling an app without a connection: see
    /// [`Service::call`](crate::Service::call).
    pub fn new(method: Method, target: &str) -> Result<Self, InvalidTarget> {
        let target = Target::parse(bytes::Bytes::copy_from_slice(target.as_bytes()), &method)?;
        let head = RequestHead { method, target, version: Version::Http11, headers: Headers::new() };
        Ok(Self::received(head, Body::empty(), Params::default(), None))
    }

    #[inline]
    pub(crate) fn received(head: RequestHead, body: Body, params: Params, link: Option<Arc<Link>>) -> Self {
        let RequestHead { method, target, version, headers } = head;
        let extensions = Extensions::default();
        let parts = RequestParts { method, target, version, headers, extensions, params, link };
        Self { parts: Recycled::new(parts), body }
    }

    /// Adds a field.
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, InvalidHeader> {
        self.parts.headers.append(name, value)?;
        Ok(self)
    }

    /// Replaces the body.
    pub fn with_body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.parts.method
    }

    /// The target, as sent.
    pub fn target(&self) -> &Target {
        &self.parts.target
    }

    /// The path, as sent: percent-encoded.
    pub fn path(&self) -> &str {
        self.parts.target.path()
    }

    /// The query, as sent, without the `?`.
    pub fn query(&self) -> Option<&str> {
        self.parts.target.query()
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.parts.version
    }

    /// The fields.
    pub fn headers(&self) -> &Headers {
        &self.parts.headers
    }

    /// The fields, to change.
    pub fn headers_mut(&mut self) -> &mut Headers {
        &mut self.parts.headers
    }

    /// What middlewares left.
    pub fn extensions(&self) -> &Extensions {
        &self.parts.extensions
    }

    /// What middlewares left, to change.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.parts.extensions
    }

    /// The path parameter of that name, decoded.
    pub fn param(&self, name: &str) -> Option<Cow<'_, str>> {
        self.parts.param(name)
    }

    /// The route that matched, as registered: `/users/{id}`.
    pub fn route(&self) -> Option<&str> {
        self.parts.route()
    }

    /// The peer's address, if there is a connection.
    pub fn peer(&self) -> Option<&Endpoint> {
        self.parts.peer()
    }

    /// The app's data of type `T`.
    pub fn data<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.parts.data()
    }

    /// The body.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The body, to read.
    pub fn body_mut(&mut self) -> &mut Body {
        &mut self.body
    }

    /// The body alone.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// The head, to change.
    pub fn parts_mut(&mut self) -> &mut RequestParts {
        &mut self.parts
    }

    /// The head, to read.
    pub fn parts(&self) -> &RequestParts {
        &self.parts
    }

    /// Head and body.
    pub fn into_parts(self) -> (RequestParts, Body) {
        (self.parts.into_inner(), self.body)
    }

    /// Head and body together again.
    pub fn from_parts(parts: RequestParts, body: Body) -> Self {
        Self { parts: Recycled::new(parts), body }
    }
}

recycle!(RequestParts);

impl RequestParts {
    /// The path parameter of that name, decoded.
    pub fn param(&self, name: &str) -> Option<Cow<'_, str>> {
        let index = self.param_names().iter().position(|known| known == name)?;
        self.params.value(index, self.target.path())
    }

    /// The path parameters in the order of the route: names and decoded values.
    pub fn params(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        (0..self.params.len()).filter_map(|index| self.param_at(index))
    }

    /// The path parameter at a place in the route: name and decoded value.
    pub(crate) fn param_at(&self, index: usize) -> Option<(&str, Cow<'_, str>)> {
        let value = self.params.value(index, self.target.path())?;
        Some((self.param_names().get(index)?, value))
    }

    fn param_names(&self) -> &[String] {
        let route = self.link.as_ref().zip(self.params.route);
        let route = route.and_then(|(link, index)| link.facts().route(index));
        route.map_or(&[], |route| &route.params)
    }

    /// The route that matched, as registered: `/users/{id}`.
    pub fn route(&self) -> Option<&str> {
        let index = self.params.route?;
        Some(&self.link.as_ref()?.facts().route(index)?.pattern)
    }

    /// The peer's address, if there is a connection.
    pub fn peer(&self) -> Option<&Endpoint> {
        Some(&self.link.as_ref()?.info()?.peer)
    }

    /// The app's data of type `T`.
    pub fn data<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.link.as_ref()?.facts().data()
    }

    /// Bytes of a body that extractors collect at most: see [`App::body_limit`](crate::App::body_limit).
    pub fn body_limit(&self) -> usize {
        self.link.as_ref().map_or(BODY_LIMIT, |link| link.facts().body_limit)
    }
}

impl fmt::Debug for RequestParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestParts")
            .field("method", &self.method)
            .field("target", &self.target)
            .field("version", &self.version)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}
