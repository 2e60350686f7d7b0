//! Redirects (RFC 9110 §15.4).

use callboard_core::{Status, header};

use super::{IntoResponse, Response};

/// Sends the client elsewhere.
///
/// ```
/// use callboard_web::{App, Redirect, get};
///
/// let app = App::new().route("/old", get(async || Redirect::permanent("/new")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    status: Status,
    location: String,
}

impl Redirect {
    /// 303: go there with GET, as after a form.
    pub fn to(location: impl Into<String>) -> Self {
        Self { status: Status::SEE_OTHER, location: location.into() }
    }

    /// 307: for now, with the same method and body.
    pub fn temporary(location: impl Into<String>) -> Self {
        Self { status: Status::TEMPORARY_REDIRECT, location: location.into() }
    }

    /// 308: for good, with the same method and body.
    pub fn permanent(location: impl Into<String>) -> Self {
        Self { status: Status::PERMANENT_REDIRECT, location: location.into() }
    }
}

impl IntoResponse for Redirect {
    fn into_response(self) -> Response {
        Response::default().with_status(self.status).with_header(header::LOCATION, self.location)
    }
}
