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
}

trait Slot: Any + Send {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Response>;
    fn clear(&mut self);
    fn is_worth_keeping(&self) -> bool;
}

struct Typed<F>(Pin<Box<Option<F>>>);

impl<F: Future<Output = Response> + Send + 'static> Slot for Typed<F> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Response> {
        match self.0.as_mut().as_pin_mut() {
            Some(future) => future.poll(context),
            None => Poll::Pending,
        }
    }

    fn clear(&mut self) {
        self.0.set(None);
    }

    fn is_worth_keeping(&self) -> bool {
        size_of::<F>() <= KEPT_SIZE
    }
}

impl Running {
    /// Puts a future in a slot. It is first polled by whoever polls this.
    pub(crate) fn start<F: Future<Output = Response> + Send + 'static>(future: F) -> Self {
        let key = TypeId::of::<Typed<F>>();
        if let Some(mut slot) = take(key) {
            let any: &mut dyn Any = &mut *slot;
            if let Some(typed) = any.downcast_mut::<Typed<F>>() {
                typed.0.set(Some(future));
                return Self { key, slot: Some(slot) };
            }
        }
        Self { key, slot: Some(Box::new(Typed(Box::pin(Some(future))))) }
    }

    /// Drops the future; a panic while doing so is kept from the caller.
    fn release(&mut self) {
        let Some(mut slot) = self.slot.take() else { return };
        if catch_unwind(AssertUnwindSafe(|| slot.clear())).is_ok() && slot.is_worth_keeping() {
            give(self.key, slot);
        }
    }
}

impl Future for Running {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        let Some(slot) = &mut self.slot else { return Poll::Pending };
        let polled = slot.poll(context);
        if polled.is_ready() {
            self.release();
        }
        polled
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.release();
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
