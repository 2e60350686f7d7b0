//! Monitors: anyone may wait for the end of any actor. A watch keeps nothing alive and costs the actor one slot.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::down::Down;
use super::shared::Shared;

/// Waits for the end of an actor; ready at once if it has ended before. From [`Address::watch`](super::Address::watch).
#[must_use = "futures do nothing unless polled"]
pub struct Watch {
    target: Arc<Shared>,
    place: Option<usize>,
}

impl Watch {
    pub(super) fn new(target: &Arc<Shared>) -> Self {
        Self { target: Arc::clone(target), place: None }
    }
}

impl Future for Watch {
    type Output = Down;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Down> {
        let watch = &mut *self;
        let who = watch.target.id;
        watch.target.poll_watch(&mut watch.place, task.waker()).map(|why| Down { who, why })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(key) = self.place {
            self.target.forget_watch(key);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watch({})", self.target.id)
    }
}
