//! What a connection shares with its requests and with its server.
//!
//! The server gives orders by a flag and a waker: no channel, and no cost per request.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::Waker;

use callboard_runtime::StreamInfo;

use crate::facts::Facts;

/// One connection, as its requests and its server see it.
pub(crate) struct Link {
    facts: Arc<Facts>,
    /// Known once TLS has shaken hands.
    info: OnceLock<StreamInfo>,
    orders: Orders,
}

/// The way of orders to one connection: all of it that a server needs.
#[derive(Default)]
pub(crate) struct Orders {
    order: AtomicU8,
    waker: Mutex<Option<Waker>>,
}

/// What a server may tell a connection. A later one never weakens an earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    Serve,
    /// End after the request in progress.
    Drain,
    /// End now.
    Abort,
}

impl Link {
    pub(crate) fn new(facts: Arc<Facts>) -> Self {
        Self { facts, info: OnceLock::new(), orders: Orders::default() }
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(crate) fn info(&self) -> Option<&StreamInfo> {
        self.info.get()
    }

    /// Says who is at the ends. Once.
    pub(crate) fn set_info(&self, info: StreamInfo) {
        let _ = self.info.set(info);
    }

    /// Where its orders come.
    pub(crate) fn orders(&self) -> &Orders {
        &self.orders
    }
}

impl Orders {
    /// Gives an order and wakes the connection.
    pub(crate) fn order(&self, order: Order) {
        self.order.fetch_max(order as u8, Ordering::Release);
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whom to wake at an order. Call [`ordered`](Self::ordered) afterwards.
    pub(crate) fn watch(&self, waker: &Waker) {
        let previous = self.waker.lock().unwrap_or_else(PoisonError::into_inner).replace(waker.clone());
        drop(previous);
    }

    /// The order in force.
    pub(crate) fn ordered(&self) -> Order {
        match self.order.load(Ordering::Acquire) {
            0 => Order::Serve,
            1 => Order::Drain,
            _ => Order::Abort,
        }
    }
}
