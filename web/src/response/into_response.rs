//! What a handler may return.

use std::convert::Infallible;

use bytes::Bytes;
use callboard_core::{Headers, Status};

use super::{Content, Response};
use crate::{Body, BodyError};

/// What a handler may return.
///
/// | type | response |
/// |---|---|
/// | `&'static str`, `String` | 200, `text/plain; charset=utf-8` |
/// | `Bytes`, `Vec<u8>`, `&'static [u8]` | 200, `application/octet-stream` |
/// | [`Body`] | 200, no type |
/// | [`Json`](crate::Json), [`Html`] | 200, of that type |
/// | `()` | 200, empty |
/// | [`Status`] | that, empty |
/// | `(Status, T)`, `(Headers, T)`, `(Status, Headers, T)` | `T` with that status and those fields |
/// | `([(&str, V); N], T)`, `(Status, [(&str, V); N], T)` | the same |
/// | `Result<T, E>` | either |
/// | [`EventStream`](crate::EventStream) | 200, `text/event-stream` |
/// | [`Redirect`](crate::Redirect), [`Response`] | as they say |
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent as a response",
    label = "not a response",
    note = "a handler may return a string, bytes, `Json`, `Html`, `Status`, `Body`, `Response`, `Redirect`, a tuple \
            `(Status, _)`, or a `Result` of two of these"
)]
pub trait IntoResponse {
    /// Makes it one.
    fn into_response(self) -> Response;
}

/// A text as `text/html`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Html<T>(pub T);

impl<T: Into<Body>> IntoResponse for Html<T> {
    fn into_response(self) -> Response {
        Response::typed(Content::Html, self.0.into())
    }
}

macro_rules! typed {
    ($($type:ty => $content:ident,)+) => {
        $(
            impl IntoResponse for $type {
                fn into_response(self) -> Response {
                    Response::typed(Content::$content, self.into())
                }
            }
        )+
    };
}

typed! {
    &'static str => Text,
    String => Text,
    Bytes => Binary,
    Vec<u8> => Binary,
    &'static [u8] => Binary,
}

impl IntoResponse for Response {
    fn into_response(self) -> Response {
        self
    }
}

impl IntoResponse for Body {
    fn into_response(self) -> Response {
        Response::new(self)
    }
}

impl IntoResponse for () {
    fn into_response(self) -> Response {
        Response::default()
    }
}

impl IntoResponse for Infallible {
    fn into_response(self) -> Response {
        match self {}
    }
}

impl IntoResponse for Status {
    fn into_response(self) -> Response {
        Response::default().with_status(self)
    }
}

/// What went wrong inside the application is not told to the peer.
impl IntoResponse for BodyError {
    fn into_response(self) -> Response {
        match self {
            Self::Source(_) => Response::of_status(self.status()),
            // RFC 9110 §15.5.16: what could have been sent.
            #[cfg(feature = "compression")]
            Self::Codings(error) => (error.status(), error.to_string())
                .into_response()
                .with_header(callboard_core::header::ACCEPT_ENCODING, callboard_core::coding::Coding::ACCEPT),
            error => (error.status(), error.to_string()).into_response(),
        }
    }
}

impl<T: IntoResponse, E: IntoResponse> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(value) => value.into_response(),
            Err(error) => error.into_response(),
        }
    }
}

impl<T: IntoResponse> IntoResponse for (Status, T) {
    fn into_response(self) -> Response {
        self.1.into_response().with_status(self.0)
    }
}

impl<T: IntoResponse> IntoResponse for (Headers, T) {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        let mut headers = self.0;
        for (name, value) in response.headers() {
            if !headers.contains(name) {
                // It was a field already.
                let _ = headers.append(name, value);
            }
        }
        *response.headers_mut() = headers;
        response
    }
}

impl<T: IntoResponse> IntoResponse for (Status, Headers, T) {
    fn into_response(self) -> Response {
        (self.1, self.2).into_response().with_status(self.0)
    }
}

impl<V: AsRef<[u8]>, T: IntoResponse, const N: usize> IntoResponse for ([(&str, V); N], T) {
    fn into_response(self) -> Response {
        let fields = self.0.into_iter();
        fields.fold(self.1.into_response(), |response, (name, value)| response.with_header(name, value))
    }
}

impl<V: AsRef<[u8]>, T: IntoResponse, const N: usize> IntoResponse for (Status, [(&str, V); N], T) {
    fn into_response(self) -> Response {
        (self.1, self.2.into_response().with_status(self.0)).into_response()
    }
}
