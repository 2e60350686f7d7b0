//! How others reach an actor. An address keeps its actor alive; a weak one does not.
//!
//! All clones of an address share one `Front`; the actor is told when the last clone has dropped it.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;

use async_channel::{Sender, TrySendError};

use super::alarm::Alarm;
use super::id::ActorId;
use super::options::Overflow;
use super::reply::{AskError, Reply, question};
use super::shared::{Order, Shared};
use super::watch::Watch;

/// How long [`Address::ask`] waits.
const ASK_DEADLINE: Duration = Duration::from_secs(30);

/// Reaches an actor, or an `async fn` with a [`Mailbox`](super::Mailbox), that takes messages `M`.
///
/// Clones reach the same actor. When the last one is dropped, the actor takes what is left in its inbox and ends. Two
/// addresses are equal if they reach the same actor.
///
/// Messages of one sender arrive in the order in which it sent them.
pub struct Address<M> {
    front: Arc<Front<M>>,
}

/// An [`Address`] that does not keep its actor alive.
pub struct WeakAddress<M> {
    front: Weak<Front<M>>,
    id: ActorId,
}

/// What all clones of an address share.
pub(super) struct Front<M> {
    sender: Sender<M>,
    overflow: Overflow,
    shared: Arc<Shared>,
}

/// A message that was not taken, given back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TellError<M> {
    /// The inbox is full, and its rule is [`Overflow::Reject`].
    Full(M),
    /// The actor has ended, or is about to.
    Closed(M),
}

impl<M> TellError<M> {
    /// The message.
    pub fn into_message(self) -> M {
        match self {
            Self::Full(message) | Self::Closed(message) => message,
        }
    }
}

impl<M> fmt::Display for TellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the actor's inbox is full",
            Self::Closed(_) => "the actor is gone",
        })
    }
}

/// Without the message, so that any message will do.
impl<M> fmt::Debug for TellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<M> std::error::Error for TellError<M> {}

impl<M> Front<M> {
    pub(super) fn new(sender: Sender<M>, overflow: Overflow, shared: Arc<Shared>) -> Arc<Self> {
        shared.add_front();
        Arc::new(Self { sender, overflow, shared })
    }
}

impl<M> Drop for Front<M> {
    fn drop(&mut self) {
        self.shared.remove_front();
    }
}

impl<M: Send + 'static> Address<M> {
    /// Leaves a message, without waiting. When the inbox is full its [`Overflow`] rule decides.
    pub fn tell(&self, message: M) -> Result<(), TellError<M>> {
        let Front { sender, overflow, shared } = &*self.front;
        if shared.order().is_some() {
            return Err(TellError::Closed(message));
        }
        let lost = match overflow {
            Overflow::Reject | Overflow::DropNewest => match sender.try_send(message) {
                Ok(()) => None,
                Err(TrySendError::Closed(message)) => return Err(TellError::Closed(message)),
                Err(TrySendError::Full(message)) if *overflow == Overflow::Reject => {
                    return Err(TellError::Full(message));
                }
                Err(TrySendError::Full(message)) => Some(message),
            },
            Overflow::DropOldest => sender.force_send(message).map_err(|error| TellError::Closed(error.0))?,
        };
        if lost.is_some() {
            shared.count_dropped();
        }
        shared.wake();
        Ok(())
    }

    /// Leaves a message as soon as there is room, under every overflow rule. The only error is
    /// [`TellError::Closed`].
    ///
    /// Dropping the future before it is ready drops the message, and nothing else. The future owns an address.
    pub fn send(&self, message: M) -> impl Future<Output = Result<(), TellError<M>>> + Send + use<M> {
        let address = self.clone();
        async move {
            let Front { sender, shared, .. } = &*address.front;
            if shared.order().is_some() {
                return Err(TellError::Closed(message));
            }
            sender.send(message).await.map_err(|error| TellError::Closed(error.0))?;
            shared.wake();
            Ok(())
        }
    }

    /// Asks a question and waits for the answer, 30 seconds at most.
    ///
    /// `make` gets the [`Reply`] and makes the message: often it is a variant's name. The question is told when the
    /// future is first polled; if the inbox is full then, the answer is [`AskError::Full`]. (To wait for room as well,
    /// [`send`](Self::send) a message with the reply of a [`question`].) Dropping the future drops the answer. The
    /// future owns an address, so it can be given to [`Context::run`](super::Context::run).
    ///
    /// ```
    /// # use callboard_runtime::actor::{Address, AskError, Reply};
    /// enum RoomMessage {
    ///     Count(Reply<usize>),
    /// }
    ///
    /// async fn count(room: Address<RoomMessage>) -> Result<usize, AskError> {
    ///     room.ask(RoomMessage::Count).await
    /// }
    /// ```
    pub fn ask<T, F>(&self, make: F) -> impl Future<Output = Result<T, AskError>> + Send + use<M, T, F>
    where
        T: Send,
        F: FnOnce(Reply<T>) -> M + Send,
    {
        self.ask_within(ASK_DEADLINE, make)
    }

    /// [`ask`](Self::ask) with another deadline, counted from the first poll.
    pub fn ask_within<T, F>(
        &self,
        duration: Duration,
        make: F,
    ) -> impl Future<Output = Result<T, AskError>> + Send + use<M, T, F>
    where
        T: Send,
        F: FnOnce(Reply<T>) -> M + Send,
    {
        let address = self.clone();
        async move {
            let (reply, mut answer) = question();
            address.tell(make(reply)).map_err(|error| match error {
                TellError::Full(_) => AskError::Full,
                TellError::Closed(_) => AskError::Closed,
            })?;
            let shared = &*address.front.shared;
            let deadline = shared.runtime.now() + duration;
            let mut borrowed = Borrowed { alarm: None, shared };
            poll_fn(|task| {
                if let Poll::Ready(result) = Pin::new(&mut answer).poll(task) {
                    return Poll::Ready(result);
                }
                let alarm = borrowed.alarm.get_or_insert_with(|| shared.take_alarm());
                alarm.poll(task, deadline, shared.runtime.now()).map(|()| Err(AskError::TimedOut))
            })
            .await
        }
    }
}

impl<M> Address<M> {
    pub(super) fn new(front: Arc<Front<M>>) -> Self {
        Self { front }
    }

    /// Waits for the end of the actor: ready at once if it has ended. The watch does not keep the actor alive.
    pub fn watch(&self) -> Watch {
        Watch::new(&self.front.shared)
    }

    /// Asks the actor to end: it finishes the message at hand, then drops its inbox, timers and futures. From now on
    /// nothing can be told.
    pub fn stop(&self) {
        self.front.shared.give_order(Order::Stop);
    }

    /// As [`stop`](Self::stop), but without the actor's `stopped`; and an `async fn` started by
    /// [`spawn_loop`](super::spawn_loop) is dropped where it stands.
    pub fn kill(&self) {
        self.front.shared.give_order(Order::Kill);
    }

    /// Whether nothing can be told any more.
    pub fn is_closed(&self) -> bool {
        self.front.shared.order().is_some() || self.front.sender.is_closed()
    }

    /// Messages in the inbox now.
    pub fn depth(&self) -> usize {
        self.front.sender.len()
    }

    /// Messages lost to the overflow rule so far.
    pub fn dropped(&self) -> u64 {
        self.front.shared.dropped()
    }

    /// Which actor this is.
    pub fn id(&self) -> ActorId {
        self.front.shared.id
    }

    /// The actor's name, for people.
    pub fn name(&self) -> &str {
        &self.front.shared.name
    }

    /// An address of the same actor that does not keep it alive.
    pub fn downgrade(&self) -> WeakAddress<M> {
        WeakAddress { front: Arc::downgrade(&self.front), id: self.id() }
    }
}

impl<M> WeakAddress<M> {
    pub(super) fn new(front: Weak<Front<M>>, id: ActorId) -> Self {
        Self { front, id }
    }

    /// An address, unless the last one is gone.
    pub fn upgrade(&self) -> Option<Address<M>> {
        self.front.upgrade().map(Address::new)
    }

    /// Which actor this is.
    pub fn id(&self) -> ActorId {
        self.id
    }
}

impl<M> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self { front: Arc::clone(&self.front) }
    }
}

impl<M> PartialEq for Address<M> {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl<M> Eq for Address<M> {}

impl<M> fmt::Debug for Address<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({} {})", self.name(), self.id())
    }
}

impl<M> Clone for WeakAddress<M> {
    fn clone(&self) -> Self {
        Self { front: Weak::clone(&self.front), id: self.id }
    }
}

impl<M> fmt::Debug for WeakAddress<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WeakAddress({})", self.id)
    }
}

/// Gives the timer of an ask back, however the ask ends.
struct Borrowed<'a> {
    alarm: Option<Alarm>,
    shared: &'a Shared,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        if let Some(alarm) = self.alarm.take() {
            self.shared.give_alarm(alarm);
        }
    }
}
