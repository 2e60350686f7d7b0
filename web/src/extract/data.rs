//! Values that the app shares with its handlers.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use callboard_core::Status;

use super::FromRequestParts;
use super::rejection::rejection;
use crate::RequestParts;
use crate::needs::Needs;

/// A value given to the app by [`App::data`](crate::App::data). That it is there is checked when the app starts.
///
/// ```
/// use callboard_web::{App, Data, get};
///
/// struct Greeting { text: &'static str }
///
/// async fn greet(greeting: Data<Greeting>) -> String {
///     greeting.text.to_owned()
/// }
///
/// assert!(App::new().route("/", get(greet)).into_service().is_err());
/// assert!(App::new().route("/", get(greet)).data(Greeting { text: "hello" }).into_service().is_ok());
/// ```
#[derive(Debug)]
pub struct Data<T>(pub Arc<T>);

impl<T> Data<T> {
    /// The value, to keep.
    pub fn into_arc(self) -> Arc<T> {
        self.0
    }
}

impl<T> Clone for Data<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Data<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Send + Sync + 'static> FromRequestParts for Data<T> {
    type Rejection = MissingData;

    async fn from_request_parts(parts: &mut RequestParts) -> Result<Self, MissingData> {
        parts.data().map(Self).ok_or(MissingData(std::any::type_name::<T>()))
    }

    fn needs(needs: &mut Needs) {
        needs.data::<T>();
    }
}

/// The app has no data of that type: only where the check at the start was circumvented, by a request of your own or
/// an optional extractor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingData(&'static str);

impl MissingData {
    /// The status that is answered: 500.
    pub fn status(&self) -> Status {
        Status::INTERNAL_SERVER_ERROR
    }
}

impl fmt::Display for MissingData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the app has no data of type {}", self.0)
    }
}

rejection!(MissingData);
