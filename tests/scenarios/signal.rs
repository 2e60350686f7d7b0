//! How a handler and its scenario tell each other that something happened, across threads and in order.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

struct State<T> {
    said: VecDeque<T>,
    waiting: Vec<Waker>,
}

/// Says things.
pub(crate) struct Bell<T = ()>(Arc<Mutex<State<T>>>);

/// Hears them, one at a time.
pub(crate) struct Ear<T = ()>(Arc<Mutex<State<T>>>);

/// Both ends.
pub(crate) fn bell<T>() -> (Bell<T>, Ear<T>) {
    let state = Arc::new(Mutex::new(State { said: VecDeque::new(), waiting: Vec::new() }));
    (Bell(Arc::clone(&state)), Ear(state))
}

impl<T> Bell<T> {
    pub(crate) fn say(&self, what: T) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.said.push_back(what);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Bell {
    pub(crate) fn ring(&self) {
        self.say(());
    }
}

impl<T> Ear<T> {
    /// Waits for the next.
    pub(crate) async fn heard(&self) -> T {
        poll_fn(|context| {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(what) = state.said.pop_front() {
                return Poll::Ready(what);
            }
            state.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// The next, if it was said already.
    pub(crate) fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).said.pop_front()
    }
}

impl<T> Clone for Bell<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Clone for Ear<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Says something when it is dropped, unless it was kept.
pub(crate) struct Fall<T: Clone>(pub(crate) Bell<T>, pub(crate) T);

impl<T: Clone> Drop for Fall<T> {
    fn drop(&mut self) {
        self.0.say(self.1.clone());
    }
}
