//! The futures that an actor runs beside its inbox. Only those that were woken are polled, in the order of their wakes,
//! so that results come in order of completion.
//!
//! A slot's waker is made once and used again by the next future in that slot. A late wake for an earlier future polls
//! the later one once for nothing, which is harmless.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use slab::Slab;

use super::shared::Shared;
use crate::BoxFuture;

pub(super) struct Running<M> {
    futures: Slab<BoxFuture<'static, M>>,
    /// By key; kept when the future is gone.
    wakeups: Vec<(Arc<Wakeup>, Waker)>,
    woken: Arc<Woken>,
}

/// Keys whose futures were woken, each once.
struct Woken {
    keys: Mutex<VecDeque<usize>>,
    actor: Arc<Shared>,
}

struct Wakeup {
    key: usize,
    is_queued: AtomicBool,
    woken: Arc<Woken>,
}

impl Wake for Wakeup {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_queued.swap(true, Ordering::AcqRel) {
            self.woken.push(self.key);
            self.woken.actor.wake();
        }
    }
}

impl Woken {
    fn push(&self, key: usize) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).push_back(key);
    }

    fn pop(&self) -> Option<usize> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn is_empty(&self) -> bool {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

impl<M> Running<M> {
    pub(super) fn new(actor: &Arc<Shared>) -> Self {
        let woken = Woken { keys: Mutex::default(), actor: Arc::clone(actor) };
        Self { futures: Slab::new(), wakeups: Vec::new(), woken: Arc::new(woken) }
    }

    /// Adds a future, to be polled first in the next turn.
    pub(super) fn push(&mut self, future: impl Future<Output = M> + Send + 'static) {
        let key = self.futures.insert(Box::pin(future));
        if key == self.wakeups.len() {
            let wakeup = Wakeup { key, is_queued: AtomicBool::new(false), woken: Arc::clone(&self.woken) };
            let wakeup = Arc::new(wakeup);
            self.wakeups.push((Arc::clone(&wakeup), Waker::from(wakeup)));
        }
        self.wakeups[key].0.wake_by_ref();
    }

    /// Polls the future that was woken first. `None`: none was woken.
    pub(super) fn poll_woken(&mut self) -> Option<Poll<M>> {
        let key = self.woken.pop()?;
        let (wakeup, waker) = &self.wakeups[key];
        // Before the poll: a wake during it must count.
        wakeup.is_queued.swap(false, Ordering::AcqRel);
        let Some(future) = self.futures.get_mut(key) else { return Some(Poll::Pending) };
        let polled = future.as_mut().poll(&mut Context::from_waker(waker));
        if polled.is_ready() {
            drop(self.futures.remove(key));
        }
        Some(polled)
    }

    pub(super) fn has_woken(&self) -> bool {
        !self.woken.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.futures.len()
    }

    /// Drops all futures.
    pub(super) fn clear(&mut self) {
        drop(std::mem::take(&mut self.futures));
    }
}
