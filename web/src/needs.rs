//! What handlers need of the app: said by extractors, collected from handlers, checked by the app.

use std::any::TypeId;

/// What a handler needs of the app: filled in by its extractors, checked when the app starts.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    pub(crate) data: Vec<(TypeId, &'static str)>,
    /// The handler wants to be told when its peer goes away.
    pub(crate) notice: bool,
}

impl Needs {
    /// Data of type `T` must have been given to the app.
    pub fn data<T: Send + Sync + 'static>(&mut self) {
        self.data.push((TypeId::of::<T>(), std::any::type_name::<T>()));
    }

    pub(crate) fn notice(&mut self) {
        self.notice = true;
    }
}
