//! JSON, in and out.

use std::fmt;

use bytes::Bytes;
use callboard_core::{Status, header};
use serde_core::Serialize;
use serde_core::de::DeserializeOwned;

use super::FromRequest;
use crate::response::{Content, IntoResponse};
use crate::{BodyError, Request, Response};

/// A value as JSON: an extractor of the body, and a response.
///
/// As an extractor it asks for `Content-Type: application/json` or `…+json` (else 415), a body within
/// [`App::body_limit`](crate::App::body_limit) (else 413), JSON (else 400) and the fields of `T` (else 422).
///
/// ```
/// use callboard_web::{App, Json, post};
///
/// async fn total(Json(prices): Json<Vec<u32>>) -> Json<u32> {
///     Json(prices.into_iter().sum())
/// }
///
/// let app = App::new().route("/total", post(total));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Json<T> {
    type Rejection = JsonRejection;

    async fn from_request(request: Request) -> Result<Self, JsonRejection> {
        if !request.headers().text(header::CONTENT_TYPE).is_some_and(is_json) {
            return Err(JsonRejection::ContentType);
        }
        let bytes = Bytes::from_request(request).await.map_err(JsonRejection::Body)?;
        serde_json::from_slice(&bytes).map(Self).map_err(JsonRejection::Json)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(text) => Response::typed(Content::Json, text.into()),
            Err(error) => (Status::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    }
}

/// RFC 8259 §11, RFC 6839 §3.1.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some((kind, subtype)) = essence.split_once('/') else { return false };
    !kind.is_empty() && (essence == "application/json" || subtype.ends_with("+json"))
}

/// Why a body is no [`Json`].
#[derive(Debug)]
#[non_exhaustive]
pub enum JsonRejection {
    /// The request does not say that its body is JSON: 415.
    ContentType,
    /// The body did not come, or is too long.
    Body(BodyError),
    /// The body is no JSON (400), or not of the shape that is wanted (422).
    Json(serde_json::Error),
}

impl JsonRejection {
    /// The status that is answered.
    pub fn status(&self) -> Status {
        match self {
            Self::ContentType => Status::UNSUPPORTED_MEDIA_TYPE,
            Self::Body(error) => error.status(),
            Self::Json(error) if error.is_data() => Status::UNPROCESSABLE_CONTENT,
            Self::Json(_) => Status::BAD_REQUEST,
        }
    }
}

/// A JSON error names line and column.
impl fmt::Display for JsonRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContentType => f.write_str("the body must be JSON, with Content-Type: application/json"),
            Self::Body(error) => error.fmt(f),
            Self::Json(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for JsonRejection {}

impl IntoResponse for JsonRejection {
    fn into_response(self) -> Response {
        match self {
            Self::Body(error) => error.into_response(),
            rejection => (rejection.status(), rejection.to_string()).into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_json;

    #[test]
    fn json_types_are_told_by_essence() {
        for yes in ["application/json", "Application/JSON; charset=utf-8", "application/problem+json"] {
            assert!(is_json(yes), "{yes}");
        }
        for no in ["", "text/plain", "application/jsonp", "json", "/+json", "text/html; x=application/json"] {
            assert!(!is_json(no), "{no}");
        }
    }
}
