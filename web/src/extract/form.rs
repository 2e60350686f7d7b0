//! Forms as browsers send them by default: `application/x-www-form-urlencoded`.

use std::fmt;

use bytes::Bytes;
use callboard_core::form::{FormLimits, MEDIA_TYPE};
use callboard_core::media_type::MediaType;
use callboard_core::{Method, Status, header};
use serde_core::de::DeserializeOwned;

use super::FromRequest;
use super::query::from_form;
use super::rejection::rejection;
use crate::{BodyError, Request};

/// The fields of a form, as a struct or map: of the body, or of the query where the method is `GET` or `HEAD`.
///
/// A body must be announced as `application/x-www-form-urlencoded` (else 415) and be within
/// [`App::body_limit`](crate::App::body_limit) and 1024 fields (else 413); fields that are not those of `T` are 422, in
/// the query 400. Repeated and empty fields are as in [`Query`](crate::Query). Files come by
/// [`Multipart`](crate::Multipart).
///
/// ```
/// use callboard_web::{App, Form, post};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Login { name: String, #[serde(default)] remember: bool }
///
/// let app = App::new().route("/login", post(async |Form(login): Form<Login>| login.name));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Form<T> {
    type Rejection = FormRejection;

    async fn from_request(request: Request) -> Result<Self, FormRejection> {
        if matches!(request.method(), Method::Get | Method::Head) {
            let query = request.query().unwrap_or_default();
            return from_form(query.as_bytes()).map(Self).map_err(|error| FormRejection::Query(error.0));
        }
        let media_type = request.headers().get(header::CONTENT_TYPE).map(MediaType::parse);
        if !media_type.is_some_and(|media_type| media_type.is_ok_and(|media_type| media_type.is(MEDIA_TYPE))) {
            return Err(FormRejection::ContentType);
        }
        let bytes = Bytes::from_request(request).await.map_err(FormRejection::Body)?;
        if has_too_many_fields(&bytes) {
            return Err(FormRejection::TooManyFields);
        }
        from_form(&bytes).map(Self).map_err(|error| FormRejection::Fields(error.0))
    }
}

/// Each field costs many times what it takes in the body.
pub(super) fn has_too_many_fields(form: &[u8]) -> bool {
    form.split(|&byte| byte == b'&').filter(|field| !field.is_empty()).count() > FormLimits::default().pairs
}

/// Why a request has no [`Form`].
#[derive(Debug)]
#[non_exhaustive]
pub enum FormRejection {
    /// The request does not say that its body is a form: 415.
    ContentType,
    /// The body did not come, or is too long.
    Body(BodyError),
    /// The form has more than 1024 fields: 413.
    TooManyFields,
    /// The fields of the body are not those that are wanted: 422. The text says which and why.
    Fields(String),
    /// The fields of the query are not those that are wanted: 400. The text says which and why.
    Query(String),
}

impl FormRejection {
    /// The status that is answered.
    pub fn status(&self) -> Status {
        match self {
            Self::ContentType => Status::UNSUPPORTED_MEDIA_TYPE,
            Self::Body(error) => error.status(),
            Self::TooManyFields => Status::CONTENT_TOO_LARGE,
            Self::Fields(_) => Status::UNPROCESSABLE_CONTENT,
            Self::Query(_) => Status::BAD_REQUEST,
        }
    }
}

impl fmt::Display for FormRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContentType => write!(f, "the body must be a form, with Content-Type: {MEDIA_TYPE}"),
            Self::Body(error) => error.fmt(f),
            Self::TooManyFields => f.write_str("the form has too many fields"),
            Self::Fields(text) => write!(f, "form: {text}"),
            Self::Query(text) => write!(f, "query: {text}"),
        }
    }
}

rejection!(FormRejection);
