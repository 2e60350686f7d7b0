//! A worker: one reactor, one set of tasks. What every thread may use of it; `seat.rs` has the loop that drives it.
//!
//! A worker that nobody drives gets a thread of its own when something on it first needs to be driven.
//!
//! `now` is read afresh each time, not once per turn: a task that computes for long would otherwise measure nothing,
//! and its timers would fire early. A read costs some twenty nanoseconds; for what is counted in seconds the time of
//! the turn is kept as well.

use std::cell::{Cell, RefCell};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use callboard_runtime::Task;
use slab::Slab;

use super::inbox::{Inbox, Message};
use super::local::{Local, with_current};
use super::lock;
use super::poller::Events;
use super::source::{Source, Woken};
use super::timers::{NEVER, TimerKey, Timers};

thread_local! {
    /// The worker that this thread drives.
    static HERE: RefCell<Option<Arc<Worker>>> = const { RefCell::new(None) };
    /// Of which set that worker is, and when its turn began.
    static TURN: Cell<(u64, u64)> = const { Cell::new(NO_TURN) };
}

/// No set of workers comes to that number.
const NO_TURN: (u64, u64) = (u64::MAX, 0);

/// Puts another worker on this thread, and gives back which it was.
pub(crate) fn replace_here(worker: Option<Arc<Worker>>) -> Option<Arc<Worker>> {
    TURN.set(NO_TURN);
    HERE.with(|cell| cell.replace(worker))
}

/// The part of a worker that every thread may use.
pub(crate) struct Worker {
    pub(crate) inbox: Arc<Inbox>,
    /// Which set of workers it belongs to.
    group: u64,
    index: usize,
    timers: Timers,
    epoch: Instant,
    /// What a thread of its own runs.
    drive: fn(&Arc<Worker>),
    sources: Mutex<Slab<Arc<Source>>>,
    generation: AtomicU32,
    /// Somebody sits in the seat, or is on the way to it.
    is_driven: AtomicBool,
    /// The last handle is gone.
    is_closing: AtomicBool,
    /// The local part while nobody drives.
    seat: Mutex<Option<Box<Local>>>,
}

impl Worker {
    pub(crate) fn new(group: u64, index: usize, epoch: Instant, drive: fn(&Arc<Self>)) -> Arc<Self> {
        let inbox = Arc::new(Inbox::new());
        let local = Box::new(Local::new(Arc::clone(&inbox)));
        Arc::new(Self {
            inbox,
            group,
            index,
            timers: Timers::new(),
            epoch,
            drive,
            sources: Mutex::default(),
            generation: AtomicU32::new(0),
            is_driven: AtomicBool::new(false),
            is_closing: AtomicBool::new(false),
            seat: Mutex::new(Some(local)),
        })
    }

    /// Nanoseconds since the runtime's epoch.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(NEVER)
    }

    /// When the calling thread last looked for events, if it drives a worker of the same set.
    #[inline]
    pub(crate) fn turn(&self) -> Option<u64> {
        let (group, began) = TURN.try_with(Cell::get).unwrap_or(NO_TURN);
        (group == self.group).then_some(began)
    }

    /// Whether the calling thread drives this worker.
    pub(crate) fn is_here(&self) -> bool {
        with_current(|local| local.is_of(&self.inbox)) == Some(true)
    }

    /// The worker of the same set that the calling thread drives, or else this one.
    pub(crate) fn nearest(self: &Arc<Self>) -> Arc<Self> {
        let of_same_set = |here: &&Arc<Self>| here.group == self.group;
        let here = HERE.try_with(|here| here.borrow().as_ref().filter(of_same_set).cloned());
        here.ok().flatten().unwrap_or_else(|| Arc::clone(self))
    }

    pub(crate) fn spawn(self: &Arc<Self>, task: Task) {
        if self.is_here() {
            with_current(|local| local.insert(task));
        } else {
            self.inbox.send(Message::Spawn(task));
            // Without a thread the task waits for the next `block_on`, or the next that asks for one.
            let _ = self.ensure_driven();
        }
    }

    /// Puts a source into the table, for a [`Registration`](super::Registration).
    pub(crate) fn insert(&self, is_writable: bool) -> io::Result<Arc<Source>> {
        let generation = self.generation.fetch_add(1, Ordering::Relaxed);
        let mut sources = lock(&self.sources);
        let entry = sources.vacant_entry();
        // The system has fewer files.
        let index = u32::try_from(entry.key()).map_err(io::Error::other)?;
        let source = Arc::new(Source::new(index, generation, is_writable));
        entry.insert(Arc::clone(&source));
        Ok(source)
    }

    /// Takes a source out. The close of its socket, which follows, ends the events.
    pub(crate) fn remove(&self, source: u32) {
        let removed = lock(&self.sources).try_remove(source as usize);
        drop(removed);
        self.look_if_closing();
    }

    /// How many sockets are registered.
    pub(crate) fn sources(&self) -> usize {
        lock(&self.sources).len()
    }

    /// Takes the seat, if nobody has it.
    pub(crate) fn take_seat(&self) -> Option<Box<Local>> {
        let mut seat = lock(&self.seat);
        let local = seat.take()?;
        self.is_driven.store(true, Ordering::SeqCst);
        Some(local)
    }

    /// Gives the seat back.
    pub(crate) fn leave_seat(&self, local: Box<Local>) {
        let mut seat = lock(&self.seat);
        *seat = Some(local);
        self.is_driven.store(false, Ordering::SeqCst);
    }

    /// Makes sure that somebody drives this worker: if nobody does, a thread of its own from now on.
    #[inline]
    pub(crate) fn ensure_driven(self: &Arc<Self>) -> io::Result<()> {
        if self.is_driven.load(Ordering::SeqCst) { Ok(()) } else { self.start_thread() }
    }

    #[cold]
    fn start_thread(self: &Arc<Self>) -> io::Result<()> {
        let seat = lock(&self.seat);
        if seat.is_none() || self.is_driven.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        drop(seat);
        let worker = Arc::clone(self);
        let started =
            thread::Builder::new().name(format!("callboard-{}", self.index)).spawn(move || (worker.drive)(&worker));
        if started.is_err() {
            self.is_driven.store(false, Ordering::SeqCst);
        }
        started.map(drop)
    }

    /// The last handle is gone: whoever drives this worker ends with its tasks, streams and timers.
    pub(crate) fn begin_close(&self) {
        self.is_closing.store(true, Ordering::SeqCst);
    }

    /// Ready at `deadline`; until then the timer at `key` stands there, for `waker`.
    pub(crate) fn poll_timer(self: &Arc<Self>, key: &mut Option<TimerKey>, deadline: u64, waker: &Waker) -> Poll<()> {
        if deadline == NEVER || self.now() >= deadline {
            self.disarm(key);
            return if deadline == NEVER { Poll::Pending } else { Poll::Ready(()) };
        }
        if self.timers.arm(key, deadline, waker) {
            // A wait under way is too long now. (From this worker's own thread there is none.)
            self.inbox.interrupt();
        }
        // Without a thread the timer waits for the next `block_on`, or the next that asks for one.
        let _ = self.ensure_driven();
        Poll::Pending
    }

    /// Takes a timer away.
    pub(crate) fn disarm(&self, key: &mut Option<TimerKey>) {
        if let Some(key) = key.take() {
            self.timers.disarm(key);
            self.look_if_closing();
        }
    }

    /// A closing worker ends with its last stream or timer.
    fn look_if_closing(&self) {
        if self.is_closing() {
            self.inbox.send(Message::Look);
        }
    }

    /// Whether anything but its tasks needs somebody to drive it.
    pub(crate) fn has_work(&self) -> bool {
        !self.inbox.is_empty() || self.timers.earliest() != NEVER || self.sources() != 0
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::SeqCst)
    }

    /// One wait, without sleep unless idle, and what it brings.
    pub(crate) fn wait(&self, events: &mut Events, woken: &mut Woken, is_idle: bool) {
        self.inbox.wait(events, is_idle, || self.sleep_time());
        let sources = lock(&self.sources);
        for event in events.iter() {
            #[expect(clippy::cast_possible_truncation, reason = "the two halves of the token")]
            let (index, generation) = (event.token as u32 as usize, (event.token >> 32) as u32);
            if let Some(source) = sources.get(index).filter(|source| source.generation == generation) {
                source.note(event, woken);
            }
        }
        drop(sources);
        let now = self.now();
        TURN.set((self.group, now));
        if self.timers.earliest() <= now {
            self.timers.take_due(now, &mut woken.wakers);
        }
        with_current(|local| woken.tasks.drain(..).for_each(|number| local.call(number)));
        for waker in woken.wakers.drain(..) {
            // A foreign waker that panics must not take the reactor with it.
            let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
    }

    /// How long it is until the next timer.
    fn sleep_time(&self) -> Option<Duration> {
        match self.timers.earliest() {
            NEVER => None,
            deadline => Some(Duration::from_nanos(deadline.saturating_sub(self.now()))),
        }
    }

    /// Does what other threads have asked.
    pub(crate) fn take_messages(&self, messages: &mut Vec<Message>) {
        self.inbox.take(messages);
        for message in messages.drain(..) {
            let task = match message {
                Message::Spawn(task) => task,
                Message::Make(make) => match catch_unwind(AssertUnwindSafe(make)) {
                    Ok(task) => task,
                    Err(_) => continue,
                },
                Message::Wake(number) => {
                    with_current(|local| local.answer(number));
                    continue;
                }
                Message::Look => continue,
            };
            with_current(|local| local.insert(task));
        }
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("index", &self.index).finish_non_exhaustive()
    }
}
