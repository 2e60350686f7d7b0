//! Boxes that are used again: what is large and moves with every request is moved as a pointer, without an allocation.
//!
//! A box goes back to its thread's pool when its value is dropped, so an idle connection owns none.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// Boxes kept per thread and type.
pub(crate) const KEPT: usize = 32;

/// The boxes of one type that wait on a thread.
pub(crate) type Pool<T> = Vec<Box<Option<T>>>;

/// A type whose boxes are pooled. [`recycle!`](crate::recycled::recycle) implements it.
pub(crate) trait Recycle: Sized + 'static {
    /// Gives access to the thread's pool, unless the thread is ending.
    fn with_pool<R>(access: impl FnOnce(&mut Pool<Self>) -> R) -> Option<R>;
}

/// Implements [`Recycle`].
macro_rules! recycle {
    ($type:ty) => {
        impl $crate::recycled::Recycle for $type {
            #[inline]
            fn with_pool<R>(access: impl FnOnce(&mut $crate::recycled::Pool<Self>) -> R) -> Option<R> {
                thread_local! {
                    static POOL: std::cell::RefCell<$crate::recycled::Pool<$type>> =
                        const { std::cell::RefCell::new(Vec::new()) };
                }
                POOL.try_with(|pool| Some(access(&mut *pool.try_borrow_mut().ok()?))).ok().flatten()
            }
        }
    };
}

pub(crate) use recycle;

/// A value in a box of the pool.
pub(crate) struct Recycled<T: Recycle>(Option<Box<Option<T>>>);

impl<T: Recycle> Recycled<T> {
    #[inline]
    pub(crate) fn new(value: T) -> Self {
        match T::with_pool(Pool::pop).flatten() {
            Some(mut place) => {
                *place = Some(value);
                Self(Some(place))
            }
            None => Self(Some(Box::new(Some(value)))),
        }
    }

    /// The value, out of its box.
    pub(crate) fn into_inner(mut self) -> T {
        match self.0.as_mut().and_then(|place| place.take()) {
            Some(value) => value,
            None => unreachable!("the value is there until the drop"),
        }
    }
}

impl<T: Recycle> Deref for Recycled<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match self.0.as_deref() {
            Some(Some(value)) => value,
            _ => unreachable!("the value is there until the drop"),
        }
    }
}

impl<T: Recycle> DerefMut for Recycled<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        match self.0.as_deref_mut() {
            Some(Some(value)) => value,
            _ => unreachable!("the value is there until the drop"),
        }
    }
}

impl<T: Recycle> Drop for Recycled<T> {
    #[inline]
    fn drop(&mut self) {
        let Some(mut place) = self.0.take() else { return };
        // The value is dropped before the pool is touched: its own drop may come here again.
        *place = None;
        T::with_pool(|pool| {
            if pool.len() < KEPT {
                pool.push(place);
            }
        });
    }
}

impl<T: Recycle + fmt::Debug> fmt::Debug for Recycled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
