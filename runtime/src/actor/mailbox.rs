//! The taking end of an inbox: an async-channel for the messages, and our own waker for whoever takes them.
//!
//! Taking uses only `try_recv`; the waker in `Shared` is set first. So a wait costs no listener and no allocation, and
//! control and messages wake the same way.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use async_channel::{Receiver, Sender, TryRecvError};

use super::address::{Address, Front, WeakAddress};
use super::down::Why;
use super::id::ActorId;
use super::options::{BUDGET, MailboxOptions, Overflow};
use super::shared::{Order, Shared};
use crate::Handle;

/// An inbox, for an `async fn` that prefers a loop to an [`Actor`](super::Actor).
///
/// Dropping it drops the messages in it and refuses further ones.
///
/// ```
/// use callboard_runtime::actor::Mailbox;
///
/// async fn print_all(mut inbox: Mailbox<String>) {
///     while let Some(line) = inbox.recv().await {
///         println!("{line}");
///     }
/// }
/// ```
pub struct Mailbox<M> {
    receiver: Receiver<M>,
    sender: Sender<M>,
    front: Weak<Front<M>>,
    overflow: Overflow,
    shared: Arc<Shared>,
    /// Messages taken since the last wait.
    streak: usize,
    /// Whether somebody else tells the watchers of the end.
    is_hosted: bool,
}

/// Makes an inbox and its first address, for a task that the caller has already: the loop of a WebSocket, say.
///
/// The end that watchers hear of is the drop of the [`Mailbox`]. [`Address::kill`] is then the same as
/// [`Address::stop`] but for its name: only [`spawn_loop`](super::spawn_loop) can drop the task.
pub fn mailbox<M: Send + 'static>(runtime: &Handle, options: MailboxOptions) -> (Address<M>, Mailbox<M>) {
    let (address, mut mailbox) = hosted(runtime, options.named_after::<M>());
    mailbox.is_hosted = false;
    (address, mailbox)
}

/// The same, for a host that tells the watchers itself.
pub(super) fn hosted<M>(runtime: &Handle, options: MailboxOptions) -> (Address<M>, Mailbox<M>) {
    let (sender, receiver) = async_channel::bounded(options.capacity.max(1));
    let shared = Shared::new(runtime, options.name);
    let front = Front::new(sender.clone(), options.overflow, Arc::clone(&shared));
    let mailbox = Mailbox {
        receiver,
        sender,
        front: Arc::downgrade(&front),
        overflow: options.overflow,
        shared,
        streak: 0,
        is_hosted: true,
    };
    (Address::new(front), mailbox)
}

/// What a look into the inbox found.
pub(super) enum Taken<M> {
    Message(M),
    Empty,
    /// Nothing more will come.
    Over(Why),
}

impl<M> Mailbox<M> {
    /// The next message. `None`: nothing more will come, because the actor was asked to stop, or because the last
    /// address is gone and the inbox is empty.
    ///
    /// Dropping the future loses no message. A loop that finds 64 messages in a row lets other tasks run.
    pub async fn recv(&mut self) -> Option<M> {
        poll_fn(|task| self.poll_recv(task)).await
    }

    /// [`recv`](Self::recv), for hand-written futures.
    pub fn poll_recv(&mut self, task: &mut Context<'_>) -> Poll<Option<M>> {
        self.shared.set_taker(task.waker());
        if self.streak == BUDGET {
            self.streak = 0;
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        match self.take() {
            Taken::Message(message) => {
                self.streak += 1;
                Poll::Ready(Some(message))
            }
            Taken::Over(_) => Poll::Ready(None),
            Taken::Empty => {
                self.streak = 0;
                Poll::Pending
            }
        }
    }

    /// A message that is there already.
    pub fn try_recv(&mut self) -> Option<M> {
        match self.take() {
            Taken::Message(message) => Some(message),
            Taken::Empty | Taken::Over(_) => None,
        }
    }

    /// Which actor this is.
    pub fn id(&self) -> ActorId {
        self.shared.id
    }

    /// The actor's name, for people.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// An address of this inbox. It counts as any other: the inbox does not end before it is dropped.
    pub fn address(&mut self) -> Address<M> {
        if let Some(front) = self.front.upgrade() {
            return Address::new(front);
        }
        // All addresses are gone, but the inbox is not empty yet: it gets a new life.
        let front = Front::new(self.sender.clone(), self.overflow, Arc::clone(&self.shared));
        self.front = Arc::downgrade(&front);
        Address::new(front)
    }

    /// An address of this inbox that does not keep it alive.
    pub fn weak_address(&self) -> WeakAddress<M> {
        WeakAddress::new(Weak::clone(&self.front), self.shared.id)
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Control first, then a message.
    pub(super) fn take(&mut self) -> Taken<M> {
        if let Some(why) = self.ordered() {
            return Taken::Over(why);
        }
        match self.receiver.try_recv() {
            Ok(message) => Taken::Message(message),
            Err(TryRecvError::Empty) if self.shared.has_addresses() => Taken::Empty,
            // What the last address told may have come between the two looks.
            Err(_) => self.receiver.try_recv().map_or(Taken::Over(Why::NoAddresses), Taken::Message),
        }
    }

    /// The end that the control lane asks for.
    pub(super) fn ordered(&self) -> Option<Why> {
        self.shared.order().map(|order| match order {
            Order::Stop => Why::Stopped,
            Order::Kill => Why::Killed,
        })
    }

    /// Refuses further messages and drops what is there.
    pub(super) fn close(&mut self) {
        self.receiver.close();
        while let Ok(message) = self.receiver.try_recv() {
            drop(message);
        }
    }
}

impl<M> Drop for Mailbox<M> {
    fn drop(&mut self) {
        self.close();
        if !self.is_hosted {
            let why = if std::thread::panicking() {
                Why::Panicked("the task that owned the mailbox".to_owned())
            } else if let Some(why) = self.ordered() {
                why
            } else if self.shared.has_addresses() {
                Why::Stopped
            } else {
                Why::NoAddresses
            };
            self.shared.end(why);
        }
    }
}

impl<M> fmt::Debug for Mailbox<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mailbox({} {})", self.name(), self.id())
    }
}
