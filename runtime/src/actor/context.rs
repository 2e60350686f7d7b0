//! What an actor is, and what it can ask for while it handles a message. All of that is the actor's own: it ends with
//! the actor and never keeps it alive.

use std::future::IntoFuture;
use std::sync::Arc;
use std::task;
use std::time::Duration;

use callboard_core::Instant;

use super::address::{Address, WeakAddress};
use super::alarm::Alarm;
use super::down::{Down, Why};
use super::id::ActorId;
use super::mailbox::{Mailbox, Taken};
use super::running::Running;
use super::shared::Order;
use super::timers::{TimerKey, Timers};

use crate::Handle;

/// A plain value that takes messages one at a time.
///
/// `handle` runs to its end: no state is borrowed across an await, nothing re-enters. Work that waits goes to
/// [`Context::run`], and its result comes back as a message. One poll of the actor is one turn, in this order: control,
/// finished futures, timers, inbox; at most 64 messages from each, then other tasks have their turn.
///
/// A panic in a method of this trait (or in a future given to `run`) ends this actor alone: see [`Why::Panicked`].
///
/// ```
/// use callboard_runtime::actor::{Actor, Context, Reply};
///
/// #[derive(Default)]
/// struct Counter(u64);
///
/// enum CounterMessage {
///     Add(u64),
///     Read(Reply<u64>),
/// }
///
/// impl Actor for Counter {
///     type Message = CounterMessage;
///
///     fn handle(&mut self, message: CounterMessage, _: &mut Context<Self>) {
///         match message {
///             CounterMessage::Add(more) => self.0 += more,
///             CounterMessage::Read(reply) => reply.send(self.0),
///         }
///     }
/// }
/// ```
pub trait Actor: Send + 'static {
    /// What it can be told.
    type Message: Send + 'static;

    /// Takes one message.
    fn handle(&mut self, message: Self::Message, context: &mut Context<Self>)
    where
        Self: Sized;

    /// Runs before the first message, in the actor's own task. Not called if the actor was stopped before.
    fn started(&mut self, context: &mut Context<Self>)
    where
        Self: Sized,
    {
        let _ = context;
    }

    /// Runs after the last message if `started` ran and the end is [`Why::Stopped`] or [`Why::NoAddresses`]: not after
    /// a kill or a panic.
    fn stopped(&mut self) {}
}

/// An actor's view of the world, during [`Actor::handle`].
pub struct Context<A: Actor> {
    pub(super) mailbox: Mailbox<A::Message>,
    pub(super) running: Running<A::Message>,
    pub(super) timers: Timers<A::Message>,
    alarm: Option<Alarm>,
    now: Instant,
    running_limit: usize,
}

impl<A: Actor> Context<A> {
    pub(super) fn new(mailbox: Mailbox<A::Message>, running_limit: usize) -> Self {
        let running = Running::new(mailbox.shared());
        let now = mailbox.shared().runtime.now();
        let running_limit = running_limit.max(1);
        Self { mailbox, running, timers: Timers::new(), alarm: None, now, running_limit }
    }

    /// Runs a future beside the inbox, in this actor's task; its result becomes a message. Results come in the order
    /// of completion, and go before the inbox: a full inbox never holds them back.
    ///
    /// While [`MailboxOptions::running`](super::MailboxOptions::running) futures are in flight, the inbox waits. When
    /// the actor ends, its futures are dropped. They do not keep it alive after its last address: a future that must
    /// be waited for owns an [`address`](Self::address) of this actor until it is done.
    ///
    /// ```
    /// # use callboard_runtime::actor::{Actor, Context};
    /// # async fn save(_: String) -> std::io::Result<()> { Ok(()) }
    /// # struct Notes;
    /// enum NotesMessage {
    ///     Write(String),
    ///     Saved(std::io::Result<()>),
    /// }
    ///
    /// impl Actor for Notes {
    ///     type Message = NotesMessage;
    ///
    ///     fn handle(&mut self, message: NotesMessage, context: &mut Context<Self>) {
    ///         match message {
    ///             NotesMessage::Write(text) => context.run(save(text), NotesMessage::Saved),
    ///             NotesMessage::Saved(result) => drop(result),
    ///         }
    ///     }
    /// }
    /// ```
    pub fn run<F>(&mut self, future: F, map: impl FnOnce(F::Output) -> A::Message + Send + 'static)
    where
        F: IntoFuture<IntoFuture: Send + 'static>,
    {
        let future = future.into_future();
        self.running.push(async move { map(future.await) });
    }

    /// Sends `message` to this actor once `duration` has passed since [`now`](Self::now).
    pub fn after(&mut self, duration: Duration, message: A::Message) -> TimerKey {
        self.timers.set(self.now + duration, message)
    }

    /// Takes back a message of [`after`](Self::after). `None`: it has come already, or was cancelled before.
    pub fn cancel(&mut self, timer: TimerKey) -> Option<A::Message> {
        self.timers.cancel(timer)
    }

    /// Has the end of another actor come as a message; at once, if it has ended before.
    pub fn watch<M>(&mut self, address: &Address<M>, map: impl FnOnce(Down) -> A::Message + Send + 'static) {
        self.run(address.watch(), map);
    }

    /// Ends this actor after the message at hand. What is left in the inbox is dropped.
    pub fn stop(&mut self) {
        self.mailbox.shared().give_order(Order::Stop);
    }

    /// An address of this actor, to give away. It counts as any other: kept in the actor's own state, or in a message
    /// of a timer of its own, it keeps the actor alive for as long; there, use [`weak_address`](Self::weak_address).
    pub fn address(&mut self) -> Address<A::Message> {
        self.mailbox.address()
    }

    /// An address of this actor that does not keep it alive.
    pub fn weak_address(&self) -> WeakAddress<A::Message> {
        self.mailbox.weak_address()
    }

    /// Which actor this is.
    pub fn id(&self) -> ActorId {
        self.mailbox.id()
    }

    /// The time of this turn, read once before its first message.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The runtime that the actor runs on.
    pub fn runtime(&self) -> &Handle {
        &self.mailbox.shared().runtime
    }

    pub(super) fn set_now(&mut self, now: Instant) {
        self.now = now;
    }

    /// Why to end now, by order.
    pub(super) fn ordered(&self) -> Option<Why> {
        self.mailbox.ordered()
    }

    /// A message from the inbox, unless too many futures run.
    pub(super) fn take(&mut self) -> Taken<A::Message> {
        if self.running.len() >= self.running_limit {
            return Taken::Empty;
        }
        self.mailbox.take()
    }

    /// Whether the next turn has something to do without being woken. Otherwise the timer is set.
    pub(super) fn has_more(&mut self, task: &mut task::Context<'_>) -> bool {
        if self.running.has_woken() {
            return true;
        }
        let Some(deadline) = self.timers.next_deadline() else { return false };
        let shared = Arc::clone(self.mailbox.shared());
        let alarm = self.alarm.get_or_insert_with(|| Alarm::new(&shared.runtime));
        alarm.poll(task, deadline, self.now).is_ready()
    }

    /// Drops futures and timers.
    pub(super) fn clear(&mut self) {
        self.running.clear();
        self.timers = Timers::new();
        self.alarm = None;
    }
}
