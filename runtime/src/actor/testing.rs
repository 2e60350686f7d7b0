//! A [`Context`] without a runtime: test an actor as a plain value, by calling `handle` and looking at what it asked
//! for.
//!
//! Nothing runs here by itself, and time stands still until [`TestContext::advance`].

use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{self, Poll};
use std::time::Duration;

use callboard_core::Instant;

use super::address::Address;
use super::context::{Actor, Context};
use super::mailbox::hosted;
use super::options::MailboxOptions;
use crate::{
    BoxFuture, ConnectOptions, Endpoint, Handle, ListenOptions, Listener, Runtime, Signals, Stream, Task, Timer,
};

/// A [`Context`] to hand to [`Actor::handle`] in a test.
///
/// ```
/// use callboard_runtime::actor::testing::TestContext;
/// use callboard_runtime::actor::{Actor, Context};
/// use std::time::Duration;
///
/// struct Reminder;
///
/// impl Actor for Reminder {
///     type Message = &'static str;
///
///     fn handle(&mut self, message: &'static str, context: &mut Context<Self>) {
///         if message == "start" {
///             context.after(Duration::from_secs(60), "wake up");
///         }
///     }
/// }
///
/// let mut context = TestContext::new();
/// Reminder.handle("start", &mut context);
/// assert!(context.advance(Duration::from_secs(59)).is_empty());
/// assert_eq!(context.advance(Duration::from_secs(1)), ["wake up"]);
/// ```
pub struct TestContext<A: Actor> {
    context: Context<A>,
    clock: Arc<AtomicU64>,
    address: Address<A::Message>,
}

impl<A: Actor> TestContext<A> {
    /// A context at the start of time, with an empty inbox of 64 messages.
    pub fn new() -> Self {
        let clock = Arc::new(AtomicU64::new(0));
        let runtime = Handle::from(Still { clock: Arc::clone(&clock), drawn: AtomicU64::new(0) });
        let (address, mailbox) = hosted(&runtime, MailboxOptions::default());
        Self { context: Context::new(mailbox, usize::MAX), clock, address }
    }

    /// Lets time pass. The messages of timers that became due, in order.
    pub fn advance(&mut self, duration: Duration) -> Vec<A::Message> {
        let now = self.context.now() + duration;
        self.clock.store(now.as_nanos(), Ordering::Relaxed);
        self.context.set_now(now);
        std::iter::from_fn(|| self.context.timers.take_due(now)).collect()
    }

    /// Polls the futures of [`Context::run`] until none can go on. The messages of those that ended, in order.
    pub fn poll_running(&mut self) -> Vec<A::Message> {
        let mut messages = Vec::new();
        while let Some(polled) = self.context.running.poll_woken() {
            if let Poll::Ready(message) = polled {
                messages.push(message);
            }
        }
        messages
    }

    /// Takes what was told to [`Context::address`].
    pub fn take_inbox(&mut self) -> Vec<A::Message> {
        std::iter::from_fn(|| self.context.mailbox.try_recv()).collect()
    }

    /// Whether the actor asked to end.
    pub fn is_stopped(&self) -> bool {
        self.address.is_closed()
    }
}

impl<A: Actor> Default for TestContext<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Actor> Deref for TestContext<A> {
    type Target = Context<A>;

    fn deref(&self) -> &Context<A> {
        &self.context
    }
}

impl<A: Actor> DerefMut for TestContext<A> {
    fn deref_mut(&mut self) -> &mut Context<A> {
        &mut self.context
    }
}

/// A runtime that does nothing.
struct Still {
    clock: Arc<AtomicU64>,
    drawn: AtomicU64,
}

fn unsupported() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "a test context has no runtime")
}

impl Runtime for Still {
    fn now(&self) -> Instant {
        Instant::from_nanos(self.clock.load(Ordering::Relaxed))
    }

    fn wall_clock(&self) -> Duration {
        self.now() - Instant::EPOCH
    }

    fn entropy(&self) -> u64 {
        self.drawn.fetch_add(1, Ordering::Relaxed)
    }

    fn spawn(&self, task: Task) {
        drop(task);
    }

    fn timer(&self) -> Box<dyn Timer> {
        struct Never;
        impl Timer for Never {
            fn poll_at(&mut self, _: &mut task::Context<'_>, _: Instant) -> Poll<()> {
                Poll::Pending
            }
        }
        Box::new(Never)
    }

    fn connect(&self, _: Endpoint, _: ConnectOptions) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        Box::pin(ready(Err(unsupported())))
    }

    fn listen(&self, _: Endpoint, _: ListenOptions) -> io::Result<Box<dyn Listener>> {
        Err(unsupported())
    }

    fn resolve(&self, _: &str, _: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        Box::pin(ready(Err(unsupported())))
    }

    fn run_blocking(&self, _: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, io::Result<()>> {
        Box::pin(ready(Err(unsupported())))
    }

    fn signals(&self) -> io::Result<Box<dyn Signals>> {
        Err(unsupported())
    }

    fn block_on(&self, _: BoxFuture<'_, ()>) -> io::Result<()> {
        Err(unsupported())
    }
}
