//! Bodies whole: `Bytes` and `String`; streamed: `Body`; and the request as it is.

use std::fmt;

use bytes::Bytes;
use callboard_core::Status;

use super::FromRequest;
use crate::response::IntoResponse;
use crate::{Body, BodyError, Request, Response};

/// The whole request.
impl FromRequest for Request {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request) -> Result<Self, Self::Rejection> {
        Ok(request)
    }
}

/// The body as a stream, of any length.
impl FromRequest for Body {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request) -> Result<Self, Self::Rejection> {
        Ok(request.into_body())
    }
}

/// The whole body, up to [`App::body_limit`](crate::App::body_limit); past it: 413.
impl FromRequest for Bytes {
    type Rejection = BodyError;

    async fn from_request(request: Request) -> Result<Self, BodyError> {
        let limit = request.parts().body_limit();
        request.into_body().collect(limit).await
    }
}

/// The whole body as UTF-8, else 400; up to [`App::body_limit`](crate::App::body_limit), else 413.
impl FromRequest for String {
    type Rejection = TextRejection;

    async fn from_request(request: Request) -> Result<Self, TextRejection> {
        let bytes = Bytes::from_request(request).await.map_err(TextRejection::Body)?;
        String::from_utf8(bytes.into()).map_err(|_| TextRejection::NotUtf8)
    }
}

/// Why a body is no `String`.
#[derive(Debug)]
#[non_exhaustive]
pub enum TextRejection {
    /// The body did not come, or is too long.
    Body(BodyError),
    /// It is not UTF-8.
    NotUtf8,
}

impl TextRejection {
    /// The status that is answered.
    pub fn status(&self) -> Status {
        match self {
            Self::Body(error) => error.status(),
            Self::NotUtf8 => Status::BAD_REQUEST,
        }
    }
}

impl fmt::Display for TextRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(error) => error.fmt(f),
            Self::NotUtf8 => f.write_str("the body is not UTF-8"),
        }
    }
}

impl std::error::Error for TextRejection {}

impl IntoResponse for TextRejection {
    fn into_response(self) -> Response {
        match self {
            Self::Body(error) => error.into_response(),
            rejection => (rejection.status(), rejection.to_string()).into_response(),
        }
    }
}
