//! What the listeners, the connections and the handle of one server share.
//!
//! The lock is taken when a connection opens or closes, never for a request.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use callboard_runtime::{Endpoint, Handle};
use slab::Slab;

use crate::Service;
use crate::link::{Link, Order, Orders};

/// What a server needs to know beside its app.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Connections beyond which nothing is accepted.
    pub(crate) max_connections: usize,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<callboard_runtime::tls::TlsAcceptor>,
    #[cfg(feature = "tls")]
    pub(crate) handshake_timeout: std::time::Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_connections: 25_000,
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(feature = "tls")]
            handshake_timeout: std::time::Duration::from_secs(10),
        }
    }
}

/// One server.
pub(crate) struct Shared {
    pub(super) service: Service,
    pub(super) runtime: Handle,
    /// Tells servers of one process apart.
    pub(super) number: u64,
    pub(super) settings: Settings,
    open: AtomicUsize,
    state: Mutex<State>,
}

struct State {
    order: Order,
    links: Slab<Reach>,
    listeners: Slab<Option<Waker>>,
    addresses: Vec<Endpoint>,
    /// Whoever waits for the end.
    waiters: Vec<Waker>,
    finished: usize,
    aborted: usize,
}

/// How a connection is reached.
#[derive(Clone)]
pub(super) enum Reach {
    Link(Arc<Link>),
    /// Another protocol has it now.
    Orders(Arc<Orders>),
}

impl Reach {
    fn orders(&self) -> &Orders {
        match self {
            Self::Link(link) => link.orders(),
            Self::Orders(orders) => orders,
        }
    }
}

/// What a drain has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainReport {
    /// Connections that came to their end.
    pub finished: usize,
    /// Connections that were cut at the deadline.
    pub aborted: usize,
}

impl Shared {
    pub(crate) fn new(service: Service, runtime: Handle, settings: Settings) -> Arc<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            service,
            runtime,
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            settings,
            open: AtomicUsize::new(0),
            state: Mutex::new(State {
                order: Order::Serve,
                links: Slab::new(),
                listeners: Slab::new(),
                addresses: Vec::new(),
                waiters: Vec::new(),
                finished: 0,
                aborted: 0,
            }),
        })
    }

    /// Takes a connection in. It learns at once of an order given before.
    pub(crate) fn open(self: &Arc<Self>, link: &Arc<Link>) -> Registration {
        let mut state = self.lock();
        let key = state.links.insert(Reach::Link(Arc::clone(link)));
        let order = state.order;
        drop(state);
        self.open.fetch_add(1, Ordering::Relaxed);
        if order > Order::Serve {
            link.orders().order(order);
        }
        Registration { shared: Arc::clone(self), key }
    }

    /// Connections that are open.
    pub(super) fn connections(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Takes a listener in.
    pub(super) fn listen(self: &Arc<Self>, address: Endpoint) -> ListenerRegistration {
        let mut state = self.lock();
        if !state.addresses.contains(&address) {
            state.addresses.push(address);
        }
        let key = state.listeners.insert(None);
        ListenerRegistration { shared: Arc::clone(self), key }
    }

    pub(super) fn addresses(&self) -> Vec<Endpoint> {
        self.lock().addresses.clone()
    }

    /// Gives all connections an order and ends the listeners.
    pub(super) fn order(&self, order: Order) {
        let mut state = self.lock();
        state.order = state.order.max(order);
        let links: Vec<_> = state.links.iter().map(|(_, link)| link.clone()).collect();
        let listeners: Vec<_> = state.listeners.iter_mut().filter_map(|(_, waker)| waker.take()).collect();
        drop(state);
        for link in links {
            link.orders().order(order);
        }
        listeners.into_iter().for_each(Waker::wake);
    }

    /// Ready when no listener and no connection is left.
    pub(super) fn poll_ended(&self, context: &mut Context<'_>) -> Poll<DrainReport> {
        let mut state = self.lock();
        if state.is_ended() {
            return Poll::Ready(DrainReport { finished: state.finished, aborted: state.aborted });
        }
        if !state.waiters.iter().any(|waker| waker.will_wake(context.waker())) {
            state.waiters.push(context.waker().clone());
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_ended(&self) -> bool {
        self.links.is_empty() && self.listeners.is_empty()
    }

    /// Whom to wake after something ended.
    fn wakers(&mut self) -> Vec<Waker> {
        if self.is_ended() { std::mem::take(&mut self.waiters) } else { Vec::new() }
    }
}

/// A connection's place in its server; dropping it is the end of the connection.
pub(crate) struct Registration {
    pub(super) shared: Arc<Shared>,
    /// `usize::MAX` once it was handed over.
    key: usize,
}

impl Registration {
    /// Gives the place to whoever takes the connection over. This one stands for nothing any more.
    pub(super) fn hand_over(&mut self) -> Self {
        let heir = Self { shared: Arc::clone(&self.shared), key: self.key };
        self.key = usize::MAX;
        heir
    }

    /// Lets the connection be reached in another way from now on.
    pub(super) fn relink(&self, reach: &Reach) {
        let mut state = self.shared.lock();
        let order = state.order;
        let previous = state.links.get_mut(self.key).map(|place| std::mem::replace(place, reach.clone()));
        drop(state);
        drop(previous);
        reach.orders().order(order);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if self.key == usize::MAX {
            return;
        }
        let was = self.shared.open.fetch_sub(1, Ordering::Relaxed);
        let mut state = self.shared.lock();
        let link = state.links.try_remove(self.key);
        match state.order {
            Order::Serve => {}
            Order::Drain => state.finished += 1,
            Order::Abort => state.aborted += 1,
        }
        let mut wakers = state.wakers();
        if was >= self.shared.settings.max_connections {
            wakers.extend(state.listeners.iter_mut().filter_map(|(_, waker)| waker.take()));
        }
        drop(state);
        drop(link);
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// A listener's place in its server.
pub(super) struct ListenerRegistration {
    pub(super) shared: Arc<Shared>,
    key: usize,
}

/// What a listener is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Accept,
    /// There are as many connections as allowed.
    Wait,
    End,
}

impl ListenerRegistration {
    /// What to do now; `waker` is called when that changes.
    pub(super) fn admission(&self, waker: &Waker) -> Admission {
        let mut state = self.shared.lock();
        if state.order > Order::Serve {
            return Admission::End;
        }
        let previous = state.listeners.get_mut(self.key).and_then(|place| place.replace(waker.clone()));
        let is_full = state.links.len() >= self.shared.settings.max_connections;
        drop(state);
        drop(previous);
        if is_full { Admission::Wait } else { Admission::Accept }
    }
}

impl Drop for ListenerRegistration {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        let waker = state.listeners.try_remove(self.key);
        let wakers = state.wakers();
        drop(state);
        drop(waker);
        wakers.into_iter().for_each(Waker::wake);
    }
}
