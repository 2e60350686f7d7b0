//! What an actor's addresses, its watchers and its host share, without the type of its messages.
//!
//! Rule: whatever leaves the lock leaves it before it is dropped or woken, since a waker may own a task and a task may
//! own an address or a watch that locks here again.

use std::borrow::Cow;
use std::mem;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use slab::Slab;

use super::alarm::Alarm;
use super::down::Why;
use super::id::ActorId;
use crate::Handle;

/// Timers kept for later asks, per actor.
const SPARE_ALARMS: usize = 8;

/// What the control lane asks, the stronger the higher. A later order may strengthen an earlier one, never weaken it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub(super) enum Order {
    Stop = 1,
    Kill = 2,
}

pub(super) struct Shared {
    pub(super) id: ActorId,
    pub(super) name: Cow<'static, str>,
    pub(super) runtime: Handle,
    /// The control lane: flags, so that it is bounded and an order cannot be lost.
    order: AtomicU8,
    /// Messages lost to the overflow rule.
    dropped: AtomicU64,
    state: Mutex<State>,
    spare: Mutex<Vec<Alarm>>,
}

#[derive(Default)]
struct State {
    /// Who takes messages.
    taker: Option<Waker>,
    /// Who can be killed, if that is another task than the taker.
    host: Option<Waker>,
    /// Groups of addresses alive: 0 means that no message can come.
    fronts: usize,
    ended: Option<Why>,
    watchers: Slab<Waker>,
}

impl Shared {
    pub(super) fn new(runtime: &Handle, name: Cow<'static, str>) -> Arc<Self> {
        Arc::new(Self {
            id: ActorId::draw(runtime),
            name,
            runtime: runtime.clone(),
            order: AtomicU8::new(0),
            dropped: AtomicU64::new(0),
            state: Mutex::default(),
            spare: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the taker look at its sources again.
    pub(super) fn wake(&self) {
        let taker = self.lock().taker.take();
        if let Some(waker) = taker {
            waker.wake();
        }
    }

    /// Makes `waker` the taker's. Looking at the sources comes after this, or a wake may be lost.
    pub(super) fn set_taker(&self, waker: &Waker) {
        let stale = {
            let mut state = self.lock();
            replace_waker(&mut state.taker, waker)
        };
        drop(stale);
    }

    /// Makes `waker` the one that a kill wakes beside the taker.
    pub(super) fn set_host(&self, waker: &Waker) {
        let stale = {
            let mut state = self.lock();
            replace_waker(&mut state.host, waker)
        };
        drop(stale);
    }

    pub(super) fn order(&self) -> Option<Order> {
        match self.order.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Order::Stop),
            _ => Some(Order::Kill),
        }
    }

    pub(super) fn give_order(&self, order: Order) {
        self.order.fetch_max(order as u8, Ordering::AcqRel);
        self.wake();
        if order == Order::Kill {
            let host = self.lock().host.take();
            if let Some(waker) = host {
                waker.wake();
            }
        }
    }

    pub(super) fn count_dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(super) fn add_front(&self) {
        self.lock().fronts += 1;
    }

    pub(super) fn remove_front(&self) {
        let taker = {
            let mut state = self.lock();
            state.fronts -= 1;
            if state.fronts == 0 { state.taker.take() } else { None }
        };
        if let Some(waker) = taker {
            waker.wake();
        }
    }

    pub(super) fn has_addresses(&self) -> bool {
        self.lock().fronts > 0
    }

    pub(super) fn has_ended(&self) -> bool {
        self.lock().ended.is_some()
    }

    /// The end: once. Later calls change nothing.
    pub(super) fn end(&self, why: Why) {
        let (taker, host, watchers) = {
            let mut state = self.lock();
            if state.ended.is_some() {
                return;
            }
            state.ended = Some(why);
            (state.taker.take(), state.host.take(), mem::take(&mut state.watchers))
        };
        let spare = mem::take(&mut *self.spare.lock().unwrap_or_else(PoisonError::into_inner));
        drop((taker, host, spare));
        for (_, waker) in watchers {
            waker.wake();
        }
    }

    /// Ready at the end of the actor. `place` is where the watcher's waker is kept between calls.
    pub(super) fn poll_watch(&self, place: &mut Option<usize>, waker: &Waker) -> Poll<Why> {
        let stale = {
            let mut state = self.lock();
            if let Some(why) = &state.ended {
                *place = None;
                return Poll::Ready(why.clone());
            }
            match *place {
                Some(key) if state.watchers[key].will_wake(waker) => None,
                Some(key) => Some(mem::replace(&mut state.watchers[key], waker.clone())),
                None => {
                    *place = Some(state.watchers.insert(waker.clone()));
                    None
                }
            }
        };
        drop(stale);
        Poll::Pending
    }

    pub(super) fn forget_watch(&self, key: usize) {
        let stale = self.lock().watchers.try_remove(key);
        drop(stale);
    }

    /// A timer for one ask: one that an earlier ask left, or a new one.
    pub(super) fn take_alarm(&self) -> Alarm {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| Alarm::new(&self.runtime))
    }

    /// Takes a timer back, still armed perhaps: it then wakes an asker once for nothing, and costs the next ask of the
    /// same task no call at all.
    pub(super) fn give_alarm(&self, alarm: Alarm) {
        let refused = {
            let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
            if spare.len() < SPARE_ALARMS {
                spare.push(alarm);
                None
            } else {
                Some(alarm)
            }
        };
        drop(refused);
        if self.has_ended() {
            let spare = mem::take(&mut *self.spare.lock().unwrap_or_else(PoisonError::into_inner));
            drop(spare);
        }
    }
}

/// Puts `waker` in the place unless an equal one is there. What was there comes back, to be dropped without a lock.
fn replace_waker(place: &mut Option<Waker>, waker: &Waker) -> Option<Waker> {
    match place {
        Some(old) if old.will_wake(waker) => None,
        _ => place.replace(waker.clone()),
    }
}
