//! One answer to one question, in one allocation: a cell that the asker and the actor share.
//!
//! Each side may go away at any time; the other then learns it, and nothing stays behind.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The right to answer a question, once. See [`Address::ask`](super::Address::ask).
///
/// Dropping it answers [`AskError::NoReply`].
pub struct Reply<T> {
    cell: Option<Arc<Cell<T>>>,
}

/// The asker's side of a [`question`]: waits for the answer, without a deadline of its own.
#[must_use = "futures do nothing unless polled"]
pub struct Answer<T> {
    cell: Arc<Cell<T>>,
}

struct Cell<T>(Mutex<State<T>>);

enum State<T> {
    Waiting(Option<Waker>),
    Answered(T),
    /// The reply was dropped.
    Refused,
    /// The asker is gone, or has its answer.
    Over,
}

/// Why a question got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskError {
    /// The inbox was full: nothing was asked.
    Full,
    /// The actor has ended or is about to: nothing was asked.
    Closed,
    /// The deadline passed. The actor may still take the question; its answer is dropped.
    TimedOut,
    /// The [`Reply`] was dropped unused: the actor chose not to answer, ended before it could, or lost the question to
    /// its [`Overflow`](super::Overflow) rule.
    NoReply,
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the actor's inbox is full",
            Self::Closed => "the actor is gone",
            Self::TimedOut => "the actor did not answer in time",
            Self::NoReply => "the actor dropped the question unanswered",
        })
    }
}

impl std::error::Error for AskError {}

/// Both sides of a question that goes another way than [`Address::ask`](super::Address::ask): through a test, say.
///
/// ```
/// use callboard_runtime::actor::{AskError, question};
///
/// # futures_lite::future::block_on(async {
/// let (reply, answer) = question();
/// reply.send(42);
/// assert_eq!(answer.await, Ok(42));
///
/// let (reply, answer) = question::<u64>();
/// drop(reply);
/// assert_eq!(answer.await, Err(AskError::NoReply));
/// # });
/// ```
pub fn question<T>() -> (Reply<T>, Answer<T>) {
    let cell = Arc::new(Cell(Mutex::new(State::Waiting(None))));
    (Reply { cell: Some(Arc::clone(&cell)) }, Answer { cell })
}

impl<T> Reply<T> {
    /// Answers. If nobody waits any more, the value is dropped.
    pub fn send(mut self, value: T) {
        if let Some(cell) = self.cell.take() {
            cell.settle(State::Answered(value));
        }
    }

    /// Whether the asker still waits: if not, the work for the answer can be spared.
    pub fn is_wanted(&self) -> bool {
        self.cell.as_ref().is_some_and(|cell| matches!(*cell.lock(), State::Waiting(_)))
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        if let Some(cell) = self.cell.take() {
            cell.settle(State::Refused);
        }
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}

impl<T> Cell<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the outcome for the asker, or drops it if the asker is gone. No user code runs under the lock.
    fn settle(&self, outcome: State<T>) {
        let mut state = self.lock();
        if let State::Waiting(waker) = &mut *state {
            let waker = waker.take();
            *state = outcome;
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        } else {
            drop(state);
            drop(outcome);
        }
    }
}

impl<T> Future for Answer<T> {
    type Output = Result<T, AskError>;

    /// Not to be called again once ready.
    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.cell.lock();
        if let State::Waiting(place) = &mut *state {
            let old = match place {
                Some(waker) if waker.will_wake(task.waker()) => None,
                _ => place.replace(task.waker().clone()),
            };
            drop(state);
            drop(old);
            return Poll::Pending;
        }
        let outcome = mem::replace(&mut *state, State::Over);
        drop(state);
        Poll::Ready(match outcome {
            State::Answered(value) => Ok(value),
            _ => Err(AskError::NoReply),
        })
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        let outcome = mem::replace(&mut *self.cell.lock(), State::Over);
        drop(outcome);
    }
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer")
    }
}
