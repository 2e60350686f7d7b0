//! The pool with its connections, under one short lock.
//!
//! The pool machine decides; this keeps what its slots stand for, wakes who was granted one, and closes what it says
//! outside the lock. Dropping a [`Lease`] or a [`Ticket`] gives back what it holds, so that a request can be dropped
//! at any point.

mod closing;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use callboard_core::Instant;
use callboard_core::pool::{Checkout, Grant, Pool, PoolEvent, PoolLimits, PoolSnapshot, SlotId, WaiterId};
use callboard_runtime::Handle;

use crate::connection::Connection;
use crate::sweeper::{Alarm, Sweeper};

pub(crate) use closing::Watch;

/// The connections of a session.
pub(crate) struct Connections {
    state: Mutex<State>,
    runtime: Handle,
    alarm: Arc<Alarm>,
}

struct State {
    pool: Pool<String>,
    /// When the sweeper will come; none runs if `None`.
    sweep: Option<Instant>,
    /// Idle connections by the index of their slot.
    idle: Vec<Option<Box<Connection>>>,
    waiting: BTreeMap<WaiterId, Waiting>,
    /// Who is to be told of the end.
    watching: BTreeMap<u64, Waker>,
    watches: u64,
}

/// What a waiter has.
enum Waiting {
    Still(Option<Waker>),
    Granted(Grant),
    Dismissed,
}

/// The answer to a checkout.
pub(crate) enum Place {
    /// A slot: with its idle connection, or to dial.
    Here(Lease),
    /// In the queue.
    Queue(Ticket),
    /// The queue is full.
    Refused,
    /// The session was closed.
    Closed,
}

impl Connections {
    pub(crate) fn new(limits: PoolLimits, runtime: Handle) -> Arc<Self> {
        let state = State {
            pool: Pool::new(limits),
            sweep: None,
            idle: Vec::new(),
            waiting: BTreeMap::new(),
            watching: BTreeMap::new(),
            watches: 0,
        };
        Arc::new(Self { state: Mutex::new(state), runtime, alarm: Arc::default() })
    }

    pub(crate) fn snapshot(&self) -> PoolSnapshot<String> {
        self.lock().pool.snapshot()
    }

    /// Asks for a connection.
    pub(crate) fn checkout(self: &Arc<Self>, key: &str, now: Instant) -> Place {
        let mut state = self.lock();
        let answer = state.pool.checkout(key, now);
        let place = match answer {
            Checkout::Granted(grant) => Place::Here(self.lease(&mut state, grant)),
            Checkout::Queued(waiter) => {
                state.waiting.insert(waiter, Waiting::Still(None));
                Place::Queue(Ticket { connections: Arc::clone(self), waiter, is_open: true })
            }
            Checkout::Refused => Place::Refused,
            Checkout::Closed => Place::Closed,
        };
        self.conclude(state);
        place
    }

    /// Closes what has been idle for too long. False if nothing is left to wait for.
    fn sweep(self: &Arc<Self>, now: Instant) -> bool {
        let mut state = self.lock();
        state.pool.handle_timeout(now);
        state.sweep = state.pool.poll_timeout();
        let goes_on = state.sweep.inspect(|due| drop(self.alarm.set(*due))).is_some();
        self.conclude(state);
        goes_on
    }

    /// Closes what is idle, of one origin or of all.
    pub(crate) fn evict(self: &Arc<Self>, key: Option<&str>) {
        let mut state = self.lock();
        state.pool.evict(key);
        self.conclude(state);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic cannot leave the state half-changed in a way that matters more than going on does.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lease(self: &Arc<Self>, state: &mut State, grant: Grant) -> Lease {
        let connection = match grant {
            Grant::Reuse(slot) => state.idle.get_mut(slot.index()).and_then(Option::take),
            Grant::Dial(_) => None,
        };
        Lease { connections: Arc::clone(self), slot: Some(grant.slot()), connection }
    }

    /// Does what the pool asks for, then opens the lock, then wakes and closes.
    fn conclude(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let mut wakers = Vec::new();
        let mut closed = Vec::new();
        while let Some(event) = state.pool.poll_event() {
            match event {
                PoolEvent::Close(slot) => closed.extend(state.idle.get_mut(slot.index()).and_then(Option::take)),
                PoolEvent::Granted { waiter, grant } => {
                    if let Some(Waiting::Still(Some(waker))) = state.waiting.insert(waiter, Waiting::Granted(grant)) {
                        wakers.push(waker);
                    }
                }
                PoolEvent::Dismissed(waiter) => {
                    if let Some(Waiting::Still(Some(waker))) = state.waiting.insert(waiter, Waiting::Dismissed) {
                        wakers.push(waker);
                    }
                }
            }
        }
        if state.pool.is_closed() && state.pool.is_empty() {
            wakers.extend(std::mem::take(&mut state.watching).into_values());
        }
        let before = state.sweep;
        let due = state.pool.poll_timeout().filter(|due| before.is_none_or(|before| *due < before));
        if let Some(due) = due {
            state.sweep = Some(due);
            wakers.extend(self.alarm.set(due));
        }
        drop(state);
        if due.is_some() && before.is_none() {
            // Weak: the sweeper does not keep the session.
            let connections = Arc::downgrade(self);
            let sweep = move |now| connections.upgrade().is_some_and(|connections| connections.sweep(now));
            self.runtime.spawn(Box::pin(Sweeper::new(Arc::clone(&self.alarm), self.runtime.clone(), sweep)));
        }
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.alarm.end();
    }
}

/// A slot of the pool, held: with a connection, or while dialling.
pub(crate) struct Lease {
    connections: Arc<Connections>,
    /// None once given back.
    slot: Option<SlotId>,
    connection: Option<Box<Connection>>,
}

impl Lease {
    pub(crate) fn connection(&mut self) -> Option<&mut Connection> {
        self.connection.as_deref_mut()
    }

    /// The dial succeeded.
    pub(crate) fn dialled(&mut self, connection: Connection) {
        self.connection = Some(Box::new(connection));
        if let Some(slot) = self.slot {
            self.connections.lock().pool.dialled(slot);
        }
    }

    /// The idle connection had died: another idle one of the host, or leave to dial.
    pub(crate) fn replace(&mut self, now: Instant) {
        let dead = self.connection.take();
        let Some(slot) = self.slot else { return };
        let mut state = self.connections.lock();
        if let Some(grant) = state.pool.replace(slot, now) {
            self.slot = Some(grant.slot());
            if let Grant::Reuse(slot) = grant {
                self.connection = state.idle.get_mut(slot.index()).and_then(Option::take);
            }
        }
        self.connections.conclude(state);
        drop(dead);
    }

    /// The connection is of no use: dial anew in its place.
    pub(crate) fn redial(&mut self) {
        self.connection = None;
        if let Some(slot) = self.slot {
            self.connections.lock().pool.redial(slot);
        }
    }

    /// Gives the connection back: to the pool if it can be used again, else it closes.
    pub(crate) fn give_back(mut self) {
        let (Some(slot), Some(mut connection)) = (self.slot, self.connection.take()) else { return };
        if !connection.end_lease() {
            return;
        }
        self.slot = None;
        let until = connection.kept_until();
        let now = connection.now();
        let mut state = self.connections.lock();
        if state.idle.len() <= slot.index() {
            state.idle.resize_with(slot.index() + 1, || None);
        }
        state.idle[slot.index()] = Some(connection);
        state.pool.release(slot, now, until);
        self.connections.conclude(state);
    }

    /// Takes the connection out of the pool, for another protocol.
    pub(crate) fn take(mut self) -> Option<Connection> {
        self.connection.take().map(|connection| *connection)
    }
}

#[cfg(feature = "websocket")]
impl Lease {
    /// Takes the connection out for another protocol, and keeps its slot occupied.
    pub(crate) fn detach(mut self) -> Option<(Connection, Self)> {
        let connection = self.connection.take()?;
        Some((*connection, self))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.connection = None;
        if let Some(slot) = self.slot.take() {
            let mut state = self.connections.lock();
            state.pool.discard(slot);
            self.connections.conclude(state);
        }
    }
}

/// A place in the queue.
pub(crate) struct Ticket {
    connections: Arc<Connections>,
    waiter: WaiterId,
    is_open: bool,
}

impl Ticket {
    /// Ready with the slot; `None`: the session was closed.
    pub(crate) fn poll(&mut self, context: &Context<'_>) -> Poll<Option<Lease>> {
        let mut state = self.connections.lock();
        match state.waiting.get_mut(&self.waiter) {
            Some(Waiting::Granted(grant)) => {
                let grant = *grant;
                state.waiting.remove(&self.waiter);
                self.is_open = false;
                Poll::Ready(Some(self.connections.lease(&mut state, grant)))
            }
            Some(Waiting::Dismissed) => {
                state.waiting.remove(&self.waiter);
                self.is_open = false;
                Poll::Ready(None)
            }
            Some(Waiting::Still(waker)) => {
                if !waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                    *waker = Some(context.waker().clone());
                }
                Poll::Pending
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        let mut state = self.connections.lock();
        if let Some(Waiting::Granted(grant)) = state.waiting.remove(&self.waiter) {
            // Granted in the meantime: the place goes to the next.
            let lease = self.connections.lease(&mut state, grant);
            drop(state);
            lease.give_back();
        } else {
            state.pool.cancel(self.waiter);
            self.connections.conclude(state);
        }
    }
}
