//! Threads of our own, each with a current-thread runtime.
//!
//! A worker's runtime is driven by whoever is inside its `block_on`, else by a background thread. That thread lets the
//! usual program come to its `block_on` first; once it drives it stays, for tasks shall not change thread. A thread
//! holds its worker, never the set, so that the last handle to go ends them all.

use std::future::{Future, poll_fn};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

/// How long the background thread waits for somebody to block on worker 0.
const GRACE: Duration = Duration::from_millis(5);

/// The workers of one `Tokio`.
pub(crate) struct Workers {
    workers: Vec<Arc<Worker>>,
}

impl Workers {
    /// Builds the runtimes and starts no thread. `count` is at least 1.
    pub(crate) fn new(count: usize) -> io::Result<Self> {
        let workers = (0..count).map(|index| Worker::new(index).map(Arc::new)).collect::<io::Result<_>>()?;
        Ok(Self { workers })
    }

    pub(crate) fn count(&self) -> usize {
        self.workers.len()
    }

    /// The worker whose context this is; elsewhere worker 0, driven from now on.
    pub(crate) fn here(&self) -> io::Result<&Handle> {
        if let Ok(current) = Handle::try_current()
            && let Some(worker) = self.workers.iter().find(|worker| worker.handle.id() == current.id())
        {
            return Ok(&worker.handle);
        }
        self.at(0)
    }

    /// The worker of that number, driven from now on. A number out of range is taken modulo the count.
    pub(crate) fn at(&self, index: usize) -> io::Result<&Handle> {
        let worker = &self.workers[index % self.workers.len()];
        worker.drive()?;
        Ok(&worker.handle)
    }

    /// Runs `future` on the calling thread as worker 0. The caller has made sure that it is in no Tokio context.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let worker = &self.workers[0];
        let _blocker = Blocker::new(worker);
        worker.runtime.block_on(future)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for worker in &self.workers {
            worker.change(|gate| gate.stopped = true);
        }
    }
}

/// A runtime and who drives it.
struct Worker {
    index: usize,
    runtime: Owned,
    handle: Handle,
    gate: Mutex<Gate>,
    changed: Condvar,
}

#[derive(Default)]
struct Gate {
    /// Threads inside `block_on`.
    blockers: usize,
    /// There is a background thread.
    started: bool,
    /// The last handle is gone.
    stopped: bool,
    /// Of the background thread, while it drives.
    waker: Option<Waker>,
}

impl Worker {
    fn new(index: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        Ok(Self { index, runtime: Owned(Some(runtime)), handle, gate: Mutex::default(), changed: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the gate and lets the background thread look at it.
    fn change(&self, change: impl FnOnce(&mut Gate)) {
        let waker = {
            let mut gate = self.lock();
            change(&mut gate);
            gate.waker.take()
        };
        self.changed.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Starts the background thread unless somebody drives already.
    fn drive(self: &Arc<Self>) -> io::Result<()> {
        let mut gate = self.lock();
        if gate.started || gate.stopped || gate.blockers > 0 {
            return Ok(());
        }
        let worker = Arc::clone(self);
        thread::Builder::new().name(format!("callboard-{}", self.index)).spawn(move || worker.background())?;
        gate.started = true;
        Ok(())
    }

    /// Waits until nobody else drives, then drives to the end.
    fn background(&self) {
        let grace = if self.index == 0 { GRACE } else { Duration::ZERO };
        let mut gate = self.lock();
        loop {
            let blocked = self.changed.wait_while(gate, |gate| gate.blockers > 0 && !gate.stopped);
            gate = blocked.unwrap_or_else(PoisonError::into_inner);
            let free = self.changed.wait_timeout_while(gate, grace, |gate| gate.blockers == 0 && !gate.stopped);
            let (next, waited) = free.unwrap_or_else(PoisonError::into_inner);
            gate = next;
            if gate.stopped {
                return;
            }
            if waited.timed_out() {
                break;
            }
        }
        drop(gate);
        self.runtime.block_on(poll_fn(|context| {
            let mut gate = self.lock();
            if gate.stopped {
                return Poll::Ready(());
            }
            gate.waker = Some(context.waker().clone());
            Poll::Pending
        }));
    }
}

/// A thread inside `block_on`.
struct Blocker<'a>(&'a Arc<Worker>);

impl<'a> Blocker<'a> {
    fn new(worker: &'a Arc<Worker>) -> Self {
        worker.change(|gate| gate.blockers += 1);
        Self(worker)
    }
}

impl Drop for Blocker<'_> {
    fn drop(&mut self) {
        self.0.change(|gate| gate.blockers -= 1);
        // What the blocking future left behind goes on. Without a thread to be had, the next call tries again.
        let _ = self.0.drive();
    }
}

/// A runtime that may be dropped anywhere: Tokio panics when one is dropped in async code, unless it is shut down in
/// the background. `Some` until the drop.
struct Owned(Option<Runtime>);

impl Owned {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        match &self.0 {
            Some(runtime) => runtime.block_on(future),
            None => unreachable!("taken only by the drop"),
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
