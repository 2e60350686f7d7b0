//! The thread that drives a worker sits in its seat: the one in `block_on` (worker 0), or the worker's own.
//!
//! The loop has one order: tasks (up to a budget), messages from other threads, one wait with its events, timers.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use super::inbox::Message;
use super::local::{self, Local, Next, with_current};
use super::poller::Events;
use super::source::Woken;
use super::worker::{self, Worker};

/// Tasks polled between two looks at the sockets.
const BUDGET: usize = 256;

/// Drives a worker on the calling thread until its runtime ends, unless another thread does.
pub(crate) fn drive(worker: &Arc<Worker>) {
    if let Some(seated) = Seated::take(worker) {
        seated.drive(None);
    }
}

/// The last handle is gone: tasks end now, the thread when no stream and no timer is left to serve.
pub(crate) fn close(worker: &Arc<Worker>) {
    worker.begin_close();
    if let Some(seated) = Seated::take(worker) {
        seated.end_tasks();
    } else {
        worker.inbox.send(Message::Look);
    }
}

/// The calling thread in a worker's seat. Dropping this stands up.
pub(crate) struct Seated {
    worker: Arc<Worker>,
    /// Of another runtime, whose task called this one.
    previous: Option<(Arc<Worker>, Box<Local>)>,
}

impl Seated {
    /// `None` if somebody else sits there.
    pub(crate) fn take(worker: &Arc<Worker>) -> Option<Self> {
        let local = worker.take_seat()?;
        let previous = worker::replace_here(Some(Arc::clone(worker))).zip(local::replace_current(Some(local)));
        Some(Self { worker: Arc::clone(worker), previous })
    }

    /// Drives until `main` ends; without one, until the runtime does.
    pub(crate) fn drive(&self, mut main: Option<Pin<&mut dyn Future<Output = ()>>>) {
        let worker = &self.worker;
        let waker = with_current(|local| local.main_waker()).unwrap_or_else(|| Waker::noop().clone());
        let (mut events, mut woken, mut messages) = (Events::default(), Woken::default(), Vec::new());
        waker.wake_by_ref();
        loop {
            for _ in 0..BUDGET {
                match with_current(Local::next).flatten() {
                    None => break,
                    Some(Next::Main) => {
                        if let Some(main) = &mut main
                            && main.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
                        {
                            return;
                        }
                    }
                    Some(Next::Task(taken)) => local::run_task(taken),
                }
            }
            worker.take_messages(&mut messages);
            if main.is_none() && worker.is_closing() {
                self.end_tasks();
                if !worker.has_work() {
                    return;
                }
            }
            let is_idle = with_current(|local| local.is_idle()) == Some(true);
            worker.wait(&mut events, &mut woken, is_idle);
        }
    }

    /// Drops all tasks, and those still in the inbox.
    pub(crate) fn end_tasks(&self) {
        local::drop_tasks();
        while !self.worker.inbox.is_empty() {
            self.worker.take_messages(&mut Vec::new());
            local::drop_tasks();
        }
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        let worker = &self.worker;
        let (previous, tasks) = self.previous.take().unzip();
        worker::replace_here(previous);
        let Some(local) = local::replace_current(tasks) else { return };
        let has_tasks = local.has_tasks();
        worker.leave_seat(local);
        // What still lives is served by a thread of the worker's own.
        if has_tasks || worker.has_work() {
            let _ = worker.ensure_driven();
        }
    }
}
