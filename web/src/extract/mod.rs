//! Extractors: what a handler's arguments take out of a request.
//!
//! [`FromRequestParts`] takes from the head, [`FromRequest`] may take the body; every type of the first kind is one of
//! the second too, so any extractor can stand last. Each names its rejection, which is a response.

mod buffered;
mod cookies;
mod data;
mod form;
mod json;
mod multipart;
mod parts;
mod path;
mod query;
mod rejection;
mod value;

use std::convert::Infallible;
use std::future::Future;

use crate::needs::Needs;
use crate::response::IntoResponse;
use crate::{Request, RequestParts};

pub use buffered::TextRejection;
pub use cookies::Cookies;
pub use data::{Data, MissingData};
pub use form::{Form, FormRejection};
pub use json::{Json, JsonRejection};
pub use multipart::{Multipart, MultipartRejection, Part};
pub use parts::{NoPeer, PeerAddress};
pub use path::{Path, PathRejection};
pub use query::{Query, QueryRejection};

/// Takes itself from the head of a request.
///
/// ```
/// use callboard_web::{App, FromRequestParts, RequestParts, Status, get};
///
/// struct Language(String);
///
/// impl FromRequestParts for Language {
///     type Rejection = Status;
///
///     async fn from_request_parts(parts: &mut RequestParts) -> Result<Self, Status> {
///         let value = parts.headers.text("Accept-Language").ok_or(Status::NOT_ACCEPTABLE)?;
///         Ok(Self(value.to_owned()))
///     }
/// }
///
/// let app = App::new().route("/", get(async |Language(language): Language| language));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be taken from the head of a request",
    label = "not an extractor of the head",
    note = "extractors of the head: `Path`, `Query`, `Data`, `Headers`, `Method`, `PeerAddress`, `Option<_>` of these",
    note = "an extractor that takes the body (`Json`, `Form`, `Multipart`, `Bytes`, `String`, `Body`, `Request`) must \
            be the last argument"
)]
pub trait FromRequestParts: Sized {
    /// What is answered if this cannot be had.
    type Rejection: IntoResponse + Send;

    /// Takes itself.
    fn from_request_parts(parts: &mut RequestParts) -> impl Future<Output = Result<Self, Self::Rejection>> + Send;

    /// Says what this extractor needs of the app, so that it is checked when the app starts.
    fn needs(needs: &mut Needs) {
        let _ = needs;
    }
}

/// Marks extractors that take the whole request.
#[derive(Clone, Copy, Debug)]
pub struct ViaRequest;

/// Marks extractors of the head that stand last.
#[derive(Clone, Copy, Debug)]
pub struct ViaParts;

/// Takes itself from a request, body included. `Via` tells apart the two ways; leave it out when implementing this.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be taken from a request",
    label = "not an extractor",
    note = "extractors: `Path`, `Query`, `Json`, `Form`, `Multipart`, `Bytes`, `String`, `Body`, `Request`, `Data`, \
            `Headers`, `Method`, `PeerAddress`, `Option<_>` and `Result<_, _>` of these, and types with \
            `FromRequestParts` or `FromRequest`"
)]
pub trait FromRequest<Via = ViaRequest>: Sized {
    /// What is answered if this cannot be had.
    type Rejection: IntoResponse + Send;

    /// Takes itself.
    fn from_request(request: Request) -> impl Future<Output = Result<Self, Self::Rejection>> + Send;

    /// Says what this extractor needs of the app.
    fn needs(needs: &mut Needs) {
        let _ = needs;
    }
}

impl<T: FromRequestParts> FromRequest<ViaParts> for T {
    type Rejection = T::Rejection;

    async fn from_request(mut request: Request) -> Result<Self, Self::Rejection> {
        T::from_request_parts(request.parts_mut()).await
    }

    fn needs(needs: &mut Needs) {
        T::needs(needs);
    }
}

/// `None` where the extractor rejects. What it needs of the app may be missing.
impl<T: FromRequestParts> FromRequestParts for Option<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut RequestParts) -> Result<Self, Infallible> {
        Ok(T::from_request_parts(parts).await.ok())
    }
}

/// `None` where the extractor rejects. What it needs of the app may be missing.
impl<T: FromRequest> FromRequest for Option<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request) -> Result<Self, Infallible> {
        Ok(T::from_request(request).await.ok())
    }
}

/// The handler decides what a rejection means.
impl<T: FromRequestParts> FromRequestParts for Result<T, T::Rejection> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut RequestParts) -> Result<Self, Infallible> {
        Ok(T::from_request_parts(parts).await)
    }
}

/// The handler decides what a rejection means.
impl<T: FromRequest> FromRequest for Result<T, T::Rejection> {
    type Rejection = Infallible;

    async fn from_request(request: Request) -> Result<Self, Infallible> {
        Ok(T::from_request(request).await)
    }
}
