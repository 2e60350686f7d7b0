//! What only a worker's own thread touches: its tasks and their run queue.
//!
//! While a thread drives a worker, the worker's `Local` lies in a thread-local; a task's waker that is used there
//! pushes a number to the queue and nothing else. Wakers hold the number of a task, never the task: so tasks are polled
//! and dropped by this thread alone. A number may be stale; the poll that it then causes is one too many, and harmless.
//!
//! No foreign code (a poll, a wake, a drop) runs while the thread-local is borrowed.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use callboard_runtime::Task;
use slab::Slab;

use super::inbox::{Inbox, Message};

/// The number of the future that `block_on` was given.
pub(crate) const MAIN: u32 = u32::MAX;

/// A worker's tasks, and which are to be polled.
pub(crate) struct Local {
    /// Where other threads ask this worker. It tells workers apart.
    inbox: Arc<Inbox>,
    queue: VecDeque<u32>,
    tasks: Slab<Slot>,
}

struct Slot {
    /// Absent while it is polled.
    running: Option<(Task, Waker)>,
    ticket: Arc<Ticket>,
}

/// What a waker holds.
pub(crate) struct Ticket {
    number: u32,
    is_queued: AtomicBool,
    inbox: Arc<Inbox>,
}

thread_local! {
    static CURRENT: RefCell<Option<Box<Local>>> = const { RefCell::new(None) };
}

/// Puts the tasks of another worker on this thread, and gives back those that were.
pub(crate) fn replace_current(local: Option<Box<Local>>) -> Option<Box<Local>> {
    CURRENT.with(|cell| cell.replace(local))
}

/// Runs `work` on the tasks of this thread's worker, if it drives one and is not already in such a call.
pub(crate) fn with_current<T>(work: impl FnOnce(&mut Local) -> T) -> Option<T> {
    CURRENT.try_with(|cell| cell.try_borrow_mut().ok()?.as_deref_mut().map(work)).ok()?
}

impl Ticket {
    /// A waker for task `number` of the worker with that inbox.
    pub(crate) fn new(inbox: &Arc<Inbox>, number: u32) -> Arc<Self> {
        Arc::new(Self { number, is_queued: AtomicBool::new(false), inbox: Arc::clone(inbox) })
    }

    /// The poll that follows sees all that was done before the wakes until now.
    pub(crate) fn take(&self) {
        self.is_queued.swap(false, Ordering::SeqCst);
    }
}

impl Wake for Ticket {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_queued.swap(true, Ordering::SeqCst) {
            return;
        }
        let is_here = with_current(|local| {
            let is_here = local.is_of(&self.inbox);
            if is_here {
                local.queue.push_back(self.number);
            }
            is_here
        });
        if is_here != Some(true) {
            self.inbox.send(Message::Wake(self.number));
        }
    }
}

impl Local {
    pub(crate) fn new(inbox: Arc<Inbox>) -> Self {
        Self { inbox, queue: VecDeque::new(), tasks: Slab::new() }
    }

    /// Whether these are the tasks of the worker with that inbox.
    pub(crate) fn is_of(&self, inbox: &Arc<Inbox>) -> bool {
        Arc::ptr_eq(&self.inbox, inbox)
    }

    pub(crate) fn next(&mut self) -> Option<u32> {
        self.queue.pop_front()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) fn queue(&mut self, number: u32) {
        self.queue.push_back(number);
    }

    pub(crate) fn has_tasks(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// Takes a task in and queues it.
    pub(crate) fn insert(&mut self, task: Task) {
        let entry = self.tasks.vacant_entry();
        let number = u32::try_from(entry.key()).unwrap_or(MAIN);
        assert!(number != MAIN, "four thousand million tasks on one worker");
        let ticket = Ticket::new(&self.inbox, number);
        ticket.is_queued.store(true, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&ticket));
        entry.insert(Slot { running: Some((task, waker)), ticket });
        self.queue.push_back(number);
    }

    fn start(&mut self, number: u32) -> Option<(Task, Waker)> {
        let slot = self.tasks.get_mut(number as usize)?;
        slot.ticket.take();
        slot.running.take()
    }

    fn put_back(&mut self, number: u32, task: Task, waker: Waker) {
        if let Some(slot) = self.tasks.get_mut(number as usize) {
            slot.running = Some((task, waker));
        }
    }
}

/// Polls one task of this thread's worker. A panic ends that task only.
pub(crate) fn run_task(number: u32) {
    let Some((mut task, waker)) = with_current(|local| local.start(number)).flatten() else { return };
    let is_pending =
        catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()));
    if let Ok(true) = is_pending {
        with_current(|local| local.put_back(number, task, waker));
    } else {
        let slot = with_current(|local| local.tasks.try_remove(number as usize));
        drop_caught((task, slot));
    }
}

/// Drops all tasks of this thread's worker, and those that they start meanwhile.
pub(crate) fn drop_tasks() {
    while let Some(tasks) = with_current(|local| std::mem::take(&mut local.tasks))
        && !tasks.is_empty()
    {
        for (_, slot) in tasks {
            drop_caught(slot);
        }
        with_current(|local| local.queue.clear());
    }
}

/// Drops user values; a panic in there stays in there.
fn drop_caught<T>(value: T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
}
