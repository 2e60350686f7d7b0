//! One edge-triggered reactor per thread: what `Smol::workers` runs on. Linux.
//!
//! | file | what |
//! |---|---|
//! | `seat.rs` | the loop, and who runs it |
//! | `registration.rs` | a socket of a worker |
//! | `worker.rs` | what every thread may use: sockets, timers, tasks |
//! | `local.rs` | tasks and the run queue, the thread's own |
//! | `inbox.rs` | messages between threads, and the wait that they interrupt |
//! | `source.rs` | a socket's cached readiness |
//! | `timers.rs` | deadlines |
//! | `poller.rs` | epoll |

mod inbox;
mod local;
mod poller;
mod registration;
mod seat;
mod source;
mod timers;
mod worker;

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use callboard_runtime::Task;

pub(crate) use registration::Registration;
pub(crate) use source::Direction;
pub(crate) use timers::TimerKey;
pub(crate) use worker::Worker;

use inbox::Message;
use seat::Seated;

/// Locks; a panic elsewhere while it was locked left nothing half done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The workers of one runtime. Dropping this ends them.
pub(crate) struct Workers(Vec<Arc<Worker>>);

impl Workers {
    /// `count` workers (at least 1); no thread yet. `None` where there is no such reactor.
    #[expect(clippy::unnecessary_wraps, reason = "on other systems than Linux there is none")]
    pub(crate) fn new(count: usize, epoch: Instant) -> Option<Self> {
        static GROUPS: AtomicU64 = AtomicU64::new(0);
        let group = GROUPS.fetch_add(1, Ordering::Relaxed);
        Some(Self((0..count.max(1)).map(|index| Worker::new(group, index, epoch, seat::drive)).collect()))
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The worker that the calling thread drives, or worker 0.
    pub(crate) fn here(&self) -> Arc<Worker> {
        self.0[0].nearest()
    }

    /// When the calling thread last looked for events, if it drives one of these workers. Nanoseconds since the
    /// runtime's epoch.
    #[inline]
    pub(crate) fn turn(&self) -> Option<u64> {
        self.0[0].turn()
    }

    pub(crate) fn spawn(&self, task: Task) {
        self.here().spawn(task);
    }

    pub(crate) fn spawn_on(&self, worker: usize, make: Box<dyn FnOnce() -> Task + Send>) {
        let worker = &self.0[worker % self.0.len()];
        if worker.is_here() {
            worker.spawn(make());
        } else {
            worker.inbox.send(Message::Make(make));
            let _ = worker.ensure_driven();
        }
    }

    /// Runs `future` on the calling thread, as worker 0 if nobody drives that yet.
    pub(crate) fn block_on(&self, future: Pin<&mut dyn Future<Output = ()>>) -> io::Result<()> {
        let first = &self.0[0];
        if self.0.iter().any(|worker| worker.is_here()) {
            return Err(io::Error::other("block_on in a task of the same runtime would wait for itself"));
        }
        match Seated::take(first) {
            Some(seated) => seated.drive(Some(future)),
            None => futures_lite::future::block_on(future),
        }
        Ok(())
    }

    /// How many sockets the reactors hold.
    pub(crate) fn sources(&self) -> usize {
        self.0.iter().map(|worker| worker.sources()).sum()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for worker in &self.0 {
            seat::close(worker);
        }
    }
}
