//! The task of one actor: takes turns, and sees to it that the end, however it comes, happens once and in order.
//!
//! A turn: control, woken futures, due timers, inbox; a bounded number from each. The end: refuse and drop messages,
//! `stopped`, drop the actor, drop its futures and timers, tell the watchers.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{self, Poll};

use super::address::Address;
use super::context::{Actor, Context};
use super::down::Why;
use super::mailbox::{Taken, hosted};
use super::options::{BUDGET, MailboxOptions};
use super::panicking::panic_text;
use crate::Handle;

/// Starts an actor on the current worker of `runtime`. It lives until it is stopped or killed, panics, or its last
/// [`Address`] is dropped and its inbox is empty.
pub fn spawn<A: Actor>(runtime: &Handle, actor: A) -> Address<A::Message> {
    spawn_with(runtime, actor, MailboxOptions::default())
}

/// [`spawn`] with options.
pub fn spawn_with<A: Actor>(runtime: &Handle, actor: A, options: MailboxOptions) -> Address<A::Message> {
    let options = options.named_after::<A>();
    let running = options.running;
    let (address, mailbox) = hosted(runtime, options);
    runtime.spawn(Box::pin(Host::new(actor, Context::new(mailbox, running))));
    address
}

struct Host<A: Actor> {
    /// Until the end.
    actor: Option<A>,
    context: Context<A>,
    has_started: bool,
}

/// What a turn came to.
enum Turn {
    /// Nothing to do until somebody wakes the task.
    Idle,
    /// There is more to do: after the others' turns.
    More,
    Over(Why),
}

/// Nothing in a host is pinned.
impl<A: Actor> Unpin for Host<A> {}

impl<A: Actor> Host<A> {
    fn new(actor: A, context: Context<A>) -> Self {
        Self { actor: Some(actor), context, has_started: false }
    }

    fn turn(&mut self, task: &mut task::Context<'_>) -> Turn {
        let Some(actor) = &mut self.actor else { return Turn::Idle };
        let context = &mut self.context;
        context.mailbox.shared().set_taker(task.waker());
        let now = context.runtime().now();
        context.set_now(now);

        if let Some(why) = context.ordered() {
            return Turn::Over(why);
        }
        if !self.has_started {
            self.has_started = true;
            actor.started(context);
        }
        for _ in 0..BUDGET {
            let Some(polled) = context.running.poll_woken() else { break };
            if let Some(why) = context.ordered() {
                return Turn::Over(why);
            }
            if let Poll::Ready(message) = polled {
                actor.handle(message, context);
            }
        }
        for _ in 0..BUDGET {
            if let Some(why) = context.ordered() {
                return Turn::Over(why);
            }
            let Some(message) = context.timers.take_due(now) else { break };
            actor.handle(message, context);
        }
        for _ in 0..BUDGET {
            match context.take() {
                Taken::Message(message) => actor.handle(message, context),
                Taken::Over(why) => return Turn::Over(why),
                Taken::Empty => return if context.has_more(task) { Turn::More } else { Turn::Idle },
            }
        }
        Turn::More
    }

    /// The end. Each step is made even if the one before it panicked.
    fn end(&mut self, mut why: Why) {
        let Some(mut actor) = self.actor.take() else { return };
        let is_orderly = self.has_started && matches!(why, Why::Stopped | Why::NoAddresses);
        let mut panicked = None;
        let mut step = |step: &mut dyn FnMut()| {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(step)) {
                panicked.get_or_insert(panic_text(panic));
            }
        };
        step(&mut || self.context.mailbox.close());
        if is_orderly {
            step(&mut || actor.stopped());
        }
        let mut actor = Some(actor);
        step(&mut || drop(actor.take()));
        step(&mut || self.context.clear());
        if let Some(text) = panicked {
            why = Why::Panicked(text);
        }
        self.context.mailbox.shared().end(why);
    }
}

impl<A: Actor> Future for Host<A> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<()> {
        let host = self.get_mut();
        // What a panic leaves half done is dropped, not used.
        let turn = catch_unwind(AssertUnwindSafe(|| host.turn(task)));
        match turn {
            Ok(Turn::Idle) => return Poll::Pending,
            Ok(Turn::More) => {
                task.waker().wake_by_ref();
                return Poll::Pending;
            }
            Ok(Turn::Over(why)) => host.end(why),
            Err(panic) => host.end(Why::Panicked(panic_text(panic))),
        }
        Poll::Ready(())
    }
}

/// A host dropped before its end: the runtime went away.
impl<A: Actor> Drop for Host<A> {
    fn drop(&mut self) {
        self.end(Why::Killed);
    }
}
