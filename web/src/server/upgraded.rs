//! The task of a connection that another protocol has taken over.
//!
//! It is a task of its own, so that nothing of HTTP stays in memory with it. It holds the connection's place in the
//! server: a drain is passed on and waits for it, an abort ends it.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::shared::Registration;
use crate::link::{Link, Order};
use crate::response::Begun;

/// A protocol other than HTTP on one connection.
pub(super) struct Upgraded {
    begun: Begun,
    link: Arc<Link>,
    /// Whom the link wakes, while it knows.
    watching: Option<Waker>,
    order: Order,
    /// Given back at the end.
    _registration: Registration,
}

impl Upgraded {
    pub(super) fn new(begun: Begun, link: Arc<Link>, registration: Registration) -> Self {
        Self { begun, link, watching: None, order: Order::Serve, _registration: registration }
    }

    /// Learns of orders. Whether to end at once.
    fn obey(&mut self, context: &Context<'_>) -> bool {
        if !self.watching.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            self.link.watch(context.waker());
            self.watching = Some(context.waker().clone());
        }
        let order = self.link.ordered();
        if order == self.order {
            return false;
        }
        self.order = order;
        // The link forgets whom it has woken.
        self.link.watch(context.waker());
        if let Some(on_drain) = self.begun.on_drain.take() {
            on_drain();
        }
        self.link.ordered() == Order::Abort
    }
}

impl Future for Upgraded {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.obey(context) {
            return Poll::Ready(());
        }
        let future = &mut this.begun.future;
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))).unwrap_or(Poll::Ready(()))
    }
}
