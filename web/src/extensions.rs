//! Values of any type that travel with a request: what a middleware leaves for the handler.

use std::any::{Any, TypeId};
use std::fmt;

/// At most one value per type. Empty costs a pointer and no memory.
///
/// ```
/// use callboard_web::Extensions;
///
/// #[derive(Clone, Debug, PartialEq)]
/// struct UserId(u64);
///
/// let mut extensions = Extensions::default();
/// extensions.insert(UserId(7));
/// assert_eq!(extensions.get::<UserId>(), Some(&UserId(7)));
/// ```
#[derive(Default)]
pub struct Extensions(Option<Box<Entries>>);

type Entries = Vec<(TypeId, Box<dyn Any + Send + Sync>)>;

impl Extensions {
    /// Puts a value in and gives back the one of the same type that it replaces.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) -> Option<T> {
        let previous = self.remove::<T>();
        self.0.get_or_insert_default().push((TypeId::of::<T>(), Box::new(value)));
        previous
    }

    /// The value of that type.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        let (_, value) = self.0.as_ref()?.iter().find(|(key, _)| *key == TypeId::of::<T>())?;
        value.downcast_ref()
    }

    /// The value of that type, to change.
    pub fn get_mut<T: Send + Sync + 'static>(&mut self) -> Option<&mut T> {
        let (_, value) = self.0.as_mut()?.iter_mut().find(|(key, _)| *key == TypeId::of::<T>())?;
        value.downcast_mut()
    }

    /// Takes the value of that type out.
    pub fn remove<T: Send + Sync + 'static>(&mut self) -> Option<T> {
        let entries = self.0.as_mut()?;
        let place = entries.iter().position(|(key, _)| *key == TypeId::of::<T>())?;
        let (_, value) = entries.swap_remove(place);
        value.downcast().ok().map(|value| *value)
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extensions").field("count", &self.0.as_ref().map_or(0, |entries| entries.len())).finish()
    }
}
