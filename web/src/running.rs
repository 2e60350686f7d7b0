//! Futures of handlers and middlewares in slots that are used again.
//!
//! A slot is a pinned box of one type of future. It is taken from a cache of the thread when a request starts and goes
//! back when the response is there, so a busy route allocates nothing, and an idle connection owns no slot.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::Response;

/// Slots kept per thread.
const KEPT: usize = 64;
/// A future larger than this, bytes, leaves no slot behind.
const KEPT_SIZE: usize = 16 * 1024;

thread_local! {
    static CACHE: RefCell<Vec<(TypeId, Box<dyn Slot>)>> = const { RefCell::new(Vec::new()) };
}

/// A handler or middleware under way.
pub(crate) struct Running {
    key: TypeId,
    slot: Option<Box<dyn Slot>>,
    is_worth_keeping: bool,
}

trait Slot: Any + Send {
    /// Polls the future, and drops it when it is ready.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Response>;
    fn clear(&mut self);
}

struct Typed<F>(Pin<Box<Option<F>>>);

impl<F: Future<Output = Response> + Send + 'static> Slot for Typed<F> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Response> {
        let Some(future) = self.0.as_mut().as_pin_mut() else { return Poll::Pending };
        let polled = future.poll(context);
        if polled.is_ready() {
            self.0.set(None);
        }
        polled
    }

    fn clear(&mut self) {
        self.0.set(None);
    }
}

impl Running {
    /// Puts a future in a slot. It is first polled by whoever polls this.
    #[inline]
    pub(crate) fn start<F: Future<Output = Response> + Send + 'static>(future: F) -> Self {
        let key = TypeId::of::<Typed<F>>();
        let is_worth_keeping = size_of::<F>() <= KEPT_SIZE;
        if let Some(mut slot) = take(key) {
            let any: &mut dyn Any = &mut *slot;
            if let Some(typed) = any.downcast_mut::<Typed<F>>() {
                typed.0.set(Some(future));
                return Self { key, slot: Some(slot), is_worth_keeping };
            }
        }
        Self { key, slot: Some(Box::new(Typed(Box::pin(Some(future))))), is_worth_keeping }
    }

    fn keep(&mut self, slot: Box<dyn Slot>) {
        if self.is_worth_keeping {
            give(self.key, slot);
        }
    }
}

impl Future for Running {
    type Output = Response;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        let Some(slot) = &mut self.slot else { return Poll::Pending };
        let polled = slot.poll(context);
        if polled.is_ready()
            && let Some(slot) = self.slot.take()
        {
            self.keep(slot);
        }
        polled
    }
}

/// A future that is dropped before its end may panic; that is kept from the caller, and its slot is not used again.
impl Drop for Running {
    #[inline]
    fn drop(&mut self) {
        if let Some(mut slot) = self.slot.take()
            && catch_unwind(AssertUnwindSafe(|| slot.clear())).is_ok()
        {
            self.keep(slot);
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Running")
    }
}

/// The slot given back last is found first.
fn take(key: TypeId) -> Option<Box<dyn Slot>> {
    let taken = CACHE.try_with(|cache| {
        let mut cache = cache.try_borrow_mut().ok()?;
        let place = cache.iter().rposition(|(kept, _)| *kept == key)?;
        Some(cache.swap_remove(place).1)
    });
    taken.ok().flatten()
}

/// Keeps a slot. The oldest makes room, so that routes no longer called do not hold the cache.
fn give(key: TypeId, slot: Box<dyn Slot>) {
    let replaced = CACHE.try_with(|cache| {
        let mut cache = cache.try_borrow_mut().ok()?;
        if cache.len() < KEPT {
            cache.push((key, slot));
            return None;
        }
        let oldest = cache.first_mut()?;
        Some(std::mem::replace(oldest, (key, slot)))
    });
    drop(replaced);
}
