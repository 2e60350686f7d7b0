//! The task of a connection that another protocol has taken over.
//!
//! It is a task of its own, so that nothing of HTTP stays in memory with it. It holds the connection's place in the
//! server: a drain is passed on and waits for it, an abort ends it.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::shared::{Reach, Registration};
use crate::link::{Order, Orders};
use crate::response::Begun;

/// A protocol other than HTTP on one connection.
pub(super) struct Upgraded {
    begun: Begun,
    orders: Arc<Orders>,
    /// Whom an order wakes, while it knows.
    watching: Option<Waker>,
    order: Order,
    /// Given back at the end.
    _registration: Registration,
}

impl Upgraded {
    pub(super) fn new(begun: Begun, registration: Registration) -> Self {
        // What only requests ask for goes with them.
        let orders = Arc::new(Orders::default());
        registration.relink(&Reach::Orders(Arc::clone(&orders)));
        Self { begun, orders, watching: None, order: Order::Serve, _registration: registration }
    }

    /// Learns of orders. Whether to end at once.
    fn obey(&mut self, context: &Context<'_>) -> bool {
        if !self.watching.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            self.orders.watch(context.waker());
            self.watching = Some(context.waker().clone());
        }
        let order = self.orders.ordered();
        if order == self.order {
            return false;
        }
        self.order = order;
        // Whoever was woken is forgotten.
        self.orders.watch(context.waker());
        self.begun.drain();
        self.orders.ordered() == Order::Abort
    }
}

impl Future for Upgraded {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.obey(context) {
            return Poll::Ready(());
        }
        catch_unwind(AssertUnwindSafe(|| this.begun.poll(context))).unwrap_or(Poll::Ready(()))
    }
}
