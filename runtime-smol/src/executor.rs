//! Tasks beside stock async-io: one async-executor, run by whoever is in `block_on`, and by a thread in the background
//! from the first time that a task waits while nobody is.

use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use async_channel::{Receiver, Sender};
use async_executor::Executor;
use callboard_runtime::Task;
use futures_lite::FutureExt;

/// An executor and the thread behind it. Dropping this ends the thread.
pub(crate) struct Background {
    executor: Arc<Executor<'static>>,
    /// How many calls of `block_on` run it now.
    blocking: AtomicUsize,
    has_thread: AtomicBool,
    /// Closes when this is dropped.
    _open: Sender<()>,
    closed: Receiver<()>,
}

impl Background {
    pub(crate) fn new() -> Self {
        let (open, closed) = async_channel::bounded(1);
        Self {
            executor: Arc::new(Executor::new()),
            blocking: AtomicUsize::new(0),
            has_thread: AtomicBool::new(false),
            _open: open,
            closed,
        }
    }

    /// Starts a task. A panic ends that task only.
    pub(crate) fn spawn(&self, task: Task) {
        self.executor.spawn(AssertUnwindSafe(task).catch_unwind()).detach();
        self.ensure_run();
    }

    pub(crate) fn block_on(&self, future: Pin<&mut dyn Future<Output = ()>>) {
        /// Leaves, also when the future panics.
        struct Leave<'a>(&'a Background);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.blocking.fetch_sub(1, Ordering::SeqCst);
                self.0.ensure_run();
            }
        }
        self.blocking.fetch_add(1, Ordering::SeqCst);
        let _leave = Leave(self);
        async_io::block_on(self.executor.run(future));
    }

    /// Tasks run, whoever blocks: if nobody does, a thread of our own.
    fn ensure_run(&self) {
        let is_run = self.blocking.load(Ordering::SeqCst) != 0 || self.executor.is_empty();
        if is_run || self.has_thread.swap(true, Ordering::SeqCst) {
            return;
        }
        // Without a thread the tasks wait for the next `block_on`, or the next task.
        if self.start().is_err() {
            self.has_thread.store(false, Ordering::SeqCst);
        }
    }

    fn start(&self) -> io::Result<()> {
        let (executor, closed) = (Arc::clone(&self.executor), self.closed.clone());
        let run = move || {
            // Ends with an error, since nothing is ever sent.
            let _ = async_io::block_on(executor.run(closed.recv()));
        };
        thread::Builder::new().name("callboard-0".to_owned()).spawn(run).map(drop)
    }
}
