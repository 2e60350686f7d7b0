//! What requests and connections may ask of their app: plain values, without what answers.

use std::any::{Any, TypeId};
use std::sync::Arc;

use callboard_core::Limits;

/// What an app tells those that it answers.
pub(crate) struct Facts {
    /// By the index of the route in the router.
    pub(crate) routes: Vec<RouteName>,
    /// At most one value per type.
    pub(crate) data: Vec<(TypeId, Arc<dyn Any + Send + Sync>)>,
    pub(crate) limits: Arc<Limits>,
    /// Bytes of a body that extractors collect at most.
    pub(crate) body_limit: usize,
    /// Content codings of requests are undone within these.
    #[cfg(feature = "compression")]
    pub(crate) decoding: Option<callboard_core::coding::DecodeLimits>,
}

/// How a route was registered.
pub(crate) struct RouteName {
    /// `/users/{id}`.
    pub(crate) pattern: String,
    /// Names of its parameters, in order.
    pub(crate) params: Vec<String>,
}

impl Facts {
    pub(crate) fn route(&self, index: u32) -> Option<&RouteName> {
        self.routes.get(index as usize)
    }

    pub(crate) fn data<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let (_, value) = self.data.iter().find(|(key, _)| *key == TypeId::of::<T>())?;
        Arc::clone(value).downcast().ok()
    }
}
