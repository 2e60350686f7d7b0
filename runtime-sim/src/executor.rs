//! Runs a world: polls a ready task of the seed's choice, and when none is ready jumps to what is due next.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use callboard_core::Instant;
use callboard_runtime::Task;

use crate::error::SimError;
use crate::event::TraceEvent;
use crate::tasks::{Picked, ROOT};
use crate::trace::HostId;
use crate::world::{Shared, World};

/// Runs until `future` ends. It is polled in place, on this thread.
pub(crate) fn block_on<T>(shared: &Arc<Shared>, mut future: Pin<&mut dyn Future<Output = T>>) -> Result<T, SimError> {
    let run = Run::start(shared, None)?;
    shared.with(|world| {
        world.tasks.insert(ROOT, HostId::TEST, shared.waker(ROOT), None);
        world.clock.record(HostId::TEST, TraceEvent::Spawned { task: ROOT });
    });
    loop {
        let Some(picked) = run.next()? else { continue };
        let mut context = Context::from_waker(&picked.waker);
        let Some(task) = picked.future else {
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                shared.record(HostId::TEST, TraceEvent::Ended { task: ROOT });
                // What its last poll dropped may have panicked.
                return shared.with(|world| world.failure.take()).map_or(Ok(value), Err);
            }
            continue;
        };
        run.poll(picked.task, picked.host, task, &mut context);
    }
}

/// Runs for a stretch of virtual time.
pub(crate) fn run_for(shared: &Arc<Shared>, duration: Duration) -> Result<(), SimError> {
    let until = shared.now() + duration;
    let run = Run::start(shared, Some(until))?;
    while shared.now() < until || run.is_busy() {
        let Some(Picked { task, host, waker, future: Some(future) }) = run.next()? else { continue };
        run.poll(task, host, future, &mut Context::from_waker(&waker));
    }
    Ok(())
}

/// A run that is on. Its drop ends it, also by a panic.
struct Run<'a> {
    shared: &'a Arc<Shared>,
    until: Option<Instant>,
    last_step: u64,
    deadline: Instant,
}

impl<'a> Run<'a> {
    fn start(shared: &'a Arc<Shared>, until: Option<Instant>) -> Result<Self, SimError> {
        shared.with(|world| {
            if world.running {
                return Err(SimError::Nested { seed: world.seed });
            }
            world.running = true;
            let last_step = world.steps.saturating_add(world.clock.options.step_limit);
            let deadline = until.unwrap_or(world.clock.now + world.clock.options.time_limit);
            Ok(Self { shared, until, last_step, deadline })
        })
    }

    /// The next task to poll; or nothing, if time moved instead.
    fn next(&self) -> Result<Option<Picked>, SimError> {
        self.shared.with(|world| {
            if let Some(failure) = world.failure.take() {
                return Err(failure);
            }
            let (seed, at, tasks) = (world.seed, world.clock.now, world.tasks.count());
            if world.steps >= self.last_step {
                return Err(SimError::StepLimit { seed, at, tasks });
            }
            world.steps += 1;
            if let Some(picked) = world.tasks.pick(&mut world.clock.chooser) {
                world.clock.record(picked.host, TraceEvent::Polled { task: picked.task });
                return Ok(Some(picked));
            }
            match (world.clock.queue.next_time(), self.until) {
                (None, None) => return Err(SimError::Deadlock { seed, at, tasks }),
                (None, Some(until)) => world.clock.now = until,
                (Some(next), Some(until)) if next > until => world.clock.now = until,
                (Some(next), None) if next > self.deadline => return Err(SimError::TimeLimit { seed, at, tasks }),
                (Some(next), _) => {
                    world.clock.now = next;
                    world.handle_due();
                }
            }
            Ok(None)
        })
    }

    /// Whether something is ready, or due now.
    fn is_busy(&self) -> bool {
        self.shared.with(|world| {
            let now = world.clock.now;
            world.failure.is_some()
                || world.tasks.is_any_ready()
                || world.clock.queue.next_time().is_some_and(|next| next <= now)
        })
    }

    /// Polls a spawned task. Its panic fails the run.
    fn poll(&self, task: u64, host: HostId, mut future: Task, context: &mut Context<'_>) {
        // The future is dropped inside, too: what it drops may panic as well.
        let outcome = catch_unwind(AssertUnwindSafe(move || match future.as_mut().poll(context) {
            Poll::Ready(()) => {
                drop(future);
                None
            }
            Poll::Pending => Some(future),
        }));
        let condemned = self.shared.with(|world| match outcome {
            Ok(Some(future)) => world.tasks.put_back(task, future).err(),
            Ok(None) => {
                world.tasks.remove(task);
                world.clock.record(host, TraceEvent::Ended { task });
                None
            }
            Err(panic) => {
                world.fail(task, host, &*panic);
                None
            }
        });
        if let Some(future) = condemned {
            drop_task(self.shared, task, host, future);
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.shared.with(|world| {
            world.running = false;
            world.tasks.remove(ROOT);
        });
    }
}

impl World {
    fn fail(&mut self, task: u64, host: HostId, panic: &(dyn Any + Send)) {
        self.tasks.remove(task);
        let message = panic_message(panic);
        self.clock.record(host, TraceEvent::Panicked { task, message: message.clone() });
        if self.clock.options.isolate_panics {
            return;
        }
        let host = self.clock.trace.host_name(host).to_string();
        let error = SimError::Panicked { seed: self.seed, at: self.clock.now, host, task, message };
        self.failure.get_or_insert(error);
    }
}

/// Drops the tasks of a host, or all, in the order of their birth.
pub(crate) fn cancel(shared: &Arc<Shared>, host: Option<HostId>) {
    for (task, host, future) in shared.with(|world| world.tasks.condemn(host)) {
        shared.record(host, TraceEvent::Cancelled { task });
        if let Some(future) = future {
            drop_task(shared, task, host, future);
        }
    }
}

/// Drops a task. If that panics, the run fails as if the task had.
fn drop_task(shared: &Arc<Shared>, task: u64, host: HostId, future: Task) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(move || drop(future))) {
        shared.with(|world| world.fail(task, host, &*panic));
    }
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (None, Some(text)) => text.clone(),
        (None, None) => "a panic without a text".to_owned(),
    }
}
