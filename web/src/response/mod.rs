//! Responses, and what turns into one.

mod events;
mod fields;
mod into_response;
mod redirect;
mod takeover;

use std::fmt;

use bytes::Bytes;
use callboard_core::cookies::SetCookie;
use callboard_core::{Headers, Status, header};

use crate::Body;

use fields::Fields;

pub use events::{EventSender, EventStream, EventsGone};
pub(crate) use fields::Content;
pub use into_response::{Html, IntoResponse};
pub use redirect::Redirect;
pub(crate) use takeover::{Begun, Freed, Takeover};

/// A response: status, fields and body.
///
/// `Content-Length`, `Transfer-Encoding` and `Date` are written by the connection, which knows the body and the time;
/// `Connection: close` closes it after this response.
///
/// ```
/// use callboard_web::{Response, Status};
///
/// let response = Response::new("a,b\n").with_status(Status::CREATED).with_header("Content-Type", "text/csv");
/// assert_eq!(response.status(), Status::CREATED);
/// ```
#[derive(Default)]
pub struct Response {
    status: Status,
    fields: Fields,
    body: Body,
    takeover: Option<Box<Takeover>>,
}

impl Response {
    /// 200 with a body and no fields.
    pub fn new(body: impl Into<Body>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    /// 200 with a body of a type.
    #[inline]
    pub(crate) fn typed(content: Content, body: Body) -> Self {
        Self { status: Status::OK, fields: Fields::of(content), body, takeover: None }
    }

    /// A short text that says which status it is.
    pub(crate) fn of_status(status: Status) -> Self {
        Self::typed(Content::Text, status.to_string().into()).with_status(status)
    }

    /// Sets the status.
    pub fn with_status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// Sets a field in place of others of that name. A name or value that cannot be one (a line end, say) makes this a
    /// 500 that names the field, so that nothing can be smuggled in; use [`headers_mut`](Self::headers_mut) to decide
    /// yourself.
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.set_header(name, value.as_ref());
        self
    }

    /// Sets a cookie, beside others. One that user agents would refuse or misread makes this a 500 that says why; use
    /// [`SetCookie::write`] to decide yourself.
    pub fn with_cookie(mut self, cookie: &SetCookie) -> Self {
        let field = cookie.write().map_err(|error| error.to_string());
        let append =
            |field: Vec<u8>| self.headers_mut().append(header::SET_COOKIE, field).map_err(|error| error.to_string());
        match field.and_then(append) {
            Ok(()) => self,
            Err(error) => Self::typed(Content::Text, format!("a cookie: {error}").into())
                .with_status(Status::INTERNAL_SERVER_ERROR),
        }
    }

    /// Removes a cookie that was set for the host alone with `Path=/`. For others give [`SetCookie::removal`] their
    /// domain and path, and use [`with_cookie`](Self::with_cookie).
    pub fn remove_cookie(self, name: &str) -> Self {
        let mut cookie = SetCookie::removal(name).with_path("/");
        // User agents refuse a cookie with such a name without it, a removal too.
        if name.starts_with("__") {
            cookie = cookie.with_secure();
        }
        self.with_cookie(&cookie)
    }

    /// Sets the body.
    pub fn with_body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    fn set_header(&mut self, name: &str, value: &[u8]) {
        if let Err(error) = self.headers_mut().set(name, value) {
            let text = format!("the field {}: {error}", name.escape_debug());
            *self = Self::typed(Content::Text, text.into()).with_status(Status::INTERNAL_SERVER_ERROR);
        }
    }

    pub(crate) fn with_takeover(mut self, takeover: Takeover) -> Self {
        self.takeover = Some(Box::new(takeover));
        self
    }

    /// The status.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The status, to change.
    pub fn status_mut(&mut self) -> &mut Status {
        &mut self.status
    }

    /// The fields.
    #[inline]
    pub fn headers(&self) -> &Headers {
        self.fields.get()
    }

    /// The fields, to change.
    pub fn headers_mut(&mut self) -> &mut Headers {
        self.fields.get_mut()
    }

    /// The body.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The body, to read or replace.
    pub fn body_mut(&mut self) -> &mut Body {
        &mut self.body
    }

    /// The body alone.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// All of the body, for tests: it may be up to `limit` bytes.
    pub async fn bytes(self, limit: usize) -> Result<Bytes, crate::BodyError> {
        self.body.collect(limit).await
    }

    pub(crate) fn take_body(&mut self) -> Body {
        std::mem::take(&mut self.body)
    }

    pub(crate) fn has_takeover(&self) -> bool {
        self.takeover.is_some()
    }

    pub(crate) fn take_takeover(&mut self) -> Option<Takeover> {
        self.takeover.take().map(|takeover| *takeover)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", self.headers())
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
