//! What only a worker's own thread touches: its tasks and their run queue.
//!
//! While a thread drives a worker, the worker's `Local` lies in a thread-local; a task's waker that is used there
//! pushes a number to the queue and nothing else: no atomic, since whether a number is in the queue is known to this
//! thread alone. Wakers hold the number of a task, never the task: so tasks are polled and dropped by this thread
//! alone. A number may be stale; the poll that it then causes is one too many, and harmless.
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
const MAIN: u32 = u32::MAX;
/// Numbers of tasks are below this.
pub(crate) const TASK_LIMIT: u32 = u32::MAX - 2;

/// A worker's tasks, and which are to be polled.
pub(crate) struct Local {
    /// Where other threads ask this worker. It tells workers apart.
    inbox: Arc<Inbox>,
    /// Each number once.
    queue: VecDeque<u32>,
    tasks: Slab<Slot>,
    /// The task that was taken last.
    latest: u32,
    main: Arc<Ticket>,
    is_main_queued: bool,
}

struct Slot {
    /// Absent while it is polled.
    resting: Option<(Task, Waker)>,
    ticket: Arc<Ticket>,
    is_queued: bool,
}

/// Whose turn it is.
pub(crate) enum Next {
    Main,
    Task(Taken),
}

/// A task to be polled, out of its slot.
pub(crate) struct Taken {
    number: u32,
    task: Task,
    waker: Waker,
}

/// What a waker holds.
pub(crate) struct Ticket {
    number: u32,
    /// A message from another thread is under way.
    is_called: AtomicBool,
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
    fn new(inbox: &Arc<Inbox>, number: u32) -> Arc<Self> {
        Arc::new(Self { number, is_called: AtomicBool::new(false), inbox: Arc::clone(inbox) })
    }
}

impl Wake for Ticket {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let is_here = with_current(|local| {
            let is_here = local.is_of(&self.inbox);
            if is_here {
                local.call(self.number);
            }
            is_here
        });
        if is_here != Some(true) && !self.is_called.swap(true, Ordering::SeqCst) {
            self.inbox.send(Message::Wake(self.number));
        }
    }
}

impl Local {
    pub(crate) fn new(inbox: Arc<Inbox>) -> Self {
        let main = Ticket::new(&inbox, MAIN);
        Self { inbox, queue: VecDeque::new(), tasks: Slab::new(), latest: MAIN, main, is_main_queued: false }
    }

    /// Whether these are the tasks of the worker with that inbox.
    pub(crate) fn is_of(&self, inbox: &Arc<Inbox>) -> bool {
        Arc::ptr_eq(&self.inbox, inbox)
    }

    /// The waker of the future that `block_on` was given.
    pub(crate) fn main_waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.main))
    }

    /// Whose turn it is. Its poll sees all that was done before the calls until now.
    pub(crate) fn next(&mut self) -> Option<Next> {
        loop {
            let number = self.queue.pop_front()?;
            if number == MAIN {
                self.is_main_queued = false;
                return Some(Next::Main);
            }
            let Some(slot) = self.tasks.get_mut(number as usize) else { continue };
            slot.is_queued = false;
            if let Some((task, waker)) = slot.resting.take() {
                self.latest = number;
                return Some(Next::Task(Taken { number, task, waker }));
            }
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// A task is to be polled.
    pub(crate) fn call(&mut self, number: u32) {
        let is_queued = match self.tasks.get_mut(number as usize) {
            Some(slot) => &mut slot.is_queued,
            None if number == MAIN => &mut self.is_main_queued,
            None => return,
        };
        if !std::mem::replace(is_queued, true) {
            self.queue.push_back(number);
        }
    }

    /// The same for a message from another thread. From here on the next wake there sends another.
    pub(crate) fn answer(&mut self, number: u32) {
        let ticket = match self.tasks.get(number as usize) {
            Some(slot) => &slot.ticket,
            None if number == MAIN => &self.main,
            None => return,
        };
        ticket.is_called.swap(false, Ordering::SeqCst);
        self.call(number);
    }

    pub(crate) fn has_tasks(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// Takes a task in and queues it.
    pub(crate) fn insert(&mut self, task: Task) {
        let entry = self.tasks.vacant_entry();
        let number = u32::try_from(entry.key()).unwrap_or(MAIN);
        assert!(number < TASK_LIMIT, "four thousand million tasks on one worker");
        let ticket = Ticket::new(&self.inbox, number);
        let waker = Waker::from(Arc::clone(&ticket));
        entry.insert(Slot { resting: Some((task, waker)), ticket, is_queued: true });
        self.queue.push_back(number);
    }

    /// The number of the task that was taken last, if `waker` is its own.
    fn number_of(&self, waker: &Waker) -> Option<u32> {
        let ticket = &self.tasks.get(self.latest as usize)?.ticket;
        Waker::from(Arc::clone(ticket)).will_wake(waker).then_some(self.latest)
    }

    fn put_back(&mut self, number: u32, task: Task, waker: Waker) {
        if let Some(slot) = self.tasks.get_mut(number as usize) {
            slot.resting = Some((task, waker));
        }
    }
}

/// The number of the task of the worker with that inbox which this thread polls, if `waker` is that task's own.
pub(crate) fn number_of(inbox: &Arc<Inbox>, waker: &Waker) -> Option<u32> {
    with_current(|local| local.is_of(inbox).then(|| local.number_of(waker))).flatten().flatten()
}

/// Polls one task of this thread's worker. A panic ends that task only.
pub(crate) fn run_task(taken: Taken) {
    let Taken { number, mut task, waker } = taken;
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
