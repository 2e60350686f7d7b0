//! The task of an `async fn` that owns a mailbox: the user's future, with a panic caught, a kill obeyed, and the end
//! told to the watchers.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::address::Address;
use super::down::Why;
use super::mailbox::{Mailbox, hosted};
use super::options::MailboxOptions;
use super::panicking::panic_text;
use super::shared::{Order, Shared};
use crate::{BoxFuture, Handle};

struct Looping {
    /// Until the end.
    future: Option<BoxFuture<'static, ()>>,
    shared: Arc<Shared>,
}

/// Starts an `async fn` that owns a [`Mailbox`], on the current worker of `runtime`.
///
/// It ends when it returns, and should when [`Mailbox::recv`] gives `None`; a kill drops it where it stands, and a
/// panic ends it alone. Watchers hear of each.
///
/// ```
/// use callboard_runtime::Handle;
/// use callboard_runtime::actor::{Address, Mailbox, MailboxOptions, Reply, spawn_loop};
///
/// async fn number(mut inbox: Mailbox<Reply<u64>>) {
///     let mut next = 0;
///     while let Some(reply) = inbox.recv().await {
///         reply.send(next);
///         next += 1;
///     }
/// }
///
/// fn start(runtime: &Handle) -> Address<Reply<u64>> {
///     spawn_loop(runtime, MailboxOptions::default(), number)
/// }
/// ```
pub fn spawn_loop<M, F>(
    runtime: &Handle,
    options: MailboxOptions,
    run: impl FnOnce(Mailbox<M>) -> F + Send + 'static,
) -> Address<M>
where
    M: Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (address, mailbox) = hosted(runtime, options.named_after::<F>());
    let shared = Arc::clone(mailbox.shared());
    // `run` is called in the task, so that a panic of its own is caught there too.
    let future: BoxFuture<'static, ()> = Box::pin(async move { run(mailbox).await });
    runtime.spawn(Box::pin(Looping { future: Some(future), shared }));
    address
}

impl Looping {
    fn end(&mut self, why: Why) {
        let Some(future) = self.future.take() else { return };
        let why = match catch_unwind(AssertUnwindSafe(|| drop(future))) {
            Ok(()) => why,
            Err(panic) => Why::Panicked(panic_text(panic)),
        };
        self.shared.end(why);
    }

    /// Why the future may have returned.
    fn reason(&self) -> Why {
        match self.shared.order() {
            Some(Order::Kill) => Why::Killed,
            None if !self.shared.has_addresses() => Why::NoAddresses,
            Some(Order::Stop) | None => Why::Stopped,
        }
    }
}

impl Future for Looping {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let looping = &mut *self;
        looping.shared.set_host(task.waker());
        if looping.shared.order() == Some(Order::Kill) {
            looping.end(Why::Killed);
            return Poll::Ready(());
        }
        let Some(future) = &mut looping.future else { return Poll::Ready(()) };
        let why = match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(task))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(())) => looping.reason(),
            Err(panic) => Why::Panicked(panic_text(panic)),
        };
        looping.end(why);
        Poll::Ready(())
    }
}

/// Dropped before its end: the runtime went away.
impl Drop for Looping {
    fn drop(&mut self) {
        self.end(Why::Killed);
    }
}
