//! A worker: one reactor, one set of tasks. What every thread may use of it; `seat.rs` has the loop that drives it.
//!
//! A worker that nobody drives gets a thread of its own when something on it first needs to be driven. Other threads
//! interrupt only a wait that really sleeps.
//!
//! Time is read afresh each time, not once per turn: a task that computes for long would otherwise measure nothing, and
//! its timers would fire early. A read costs some twenty nanoseconds.

use std::io;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use callboard_runtime::Task;
use slab::Slab;

use super::local::{Local, with_current};
use super::lock;
use super::poller::{Events, Poller};
use super::seat::Seated;
use super::source::{Registration, Source};
use super::timers::{NEVER, TimerKey, Timers};

/// What another thread asks of a worker.
pub(crate) enum Message {
    /// Take this task in.
    Spawn(Task),
    /// Make a task there and take it in.
    Make(Box<dyn FnOnce() -> Task + Send>),
    /// Poll this task.
    Wake(u32),
    /// Look whether it is time to end.
    Look,
}

/// The part of a worker that every thread may use.
pub(crate) struct Worker {
    /// Which set of workers it belongs to.
    pub(crate) group: u64,
    pub(crate) index: usize,
    pub(crate) timers: Timers,
    epoch: Instant,
    poller: Poller,
    sources: Mutex<Slab<Arc<Source>>>,
    generation: AtomicU32,
    inbox: Mutex<Vec<Message>>,
    has_messages: AtomicBool,
    /// It sleeps, or is about to: a message must interrupt it.
    is_asleep: AtomicBool,
    /// Somebody sits in the seat, or is on the way to it.
    is_driven: AtomicBool,
    /// The last handle is gone.
    is_closing: AtomicBool,
    /// The local part while nobody drives.
    seat: Mutex<Option<Box<Local>>>,
}

impl Worker {
    pub(crate) fn new(group: u64, index: usize, epoch: Instant) -> Arc<Self> {
        Arc::new(Self {
            group,
            index,
            timers: Timers::new(),
            epoch,
            poller: Poller::new(),
            sources: Mutex::default(),
            generation: AtomicU32::new(0),
            inbox: Mutex::default(),
            has_messages: AtomicBool::new(false),
            is_asleep: AtomicBool::new(false),
            is_driven: AtomicBool::new(false),
            is_closing: AtomicBool::new(false),
            seat: Mutex::new(Some(Box::default())),
        })
    }

    /// Nanoseconds since the runtime's epoch.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(NEVER)
    }

    /// Whether the calling thread drives this worker.
    pub(crate) fn is_here(&self) -> bool {
        with_current(|current| std::ptr::eq(&raw const *current.worker, self)) == Some(true)
    }

    /// The worker of the same set that the calling thread drives, or else this one.
    pub(crate) fn nearest(self: &Arc<Self>) -> Arc<Self> {
        with_current(|current| (current.worker.group == self.group).then(|| Arc::clone(&current.worker)))
            .flatten()
            .unwrap_or_else(|| Arc::clone(self))
    }

    pub(crate) fn spawn(self: &Arc<Self>, task: Task) {
        if self.is_here() {
            with_current(|current| current.local.insert(&current.worker, task));
        } else {
            self.send(Message::Spawn(task));
            // Without a thread the task waits for the next `block_on`, or the next that asks for one.
            let _ = self.ensure_driven();
        }
    }

    pub(crate) fn send(&self, message: Message) {
        lock(&self.inbox).push(message);
        self.has_messages.store(true, Ordering::SeqCst);
        self.interrupt();
    }

    /// Ends the wait under way, if there is one.
    pub(crate) fn interrupt(&self) {
        if self.is_asleep.swap(false, Ordering::SeqCst) {
            self.poller.interrupt();
        }
    }

    /// Puts a socket into this worker's reactor.
    pub(crate) fn register(self: &Arc<Self>, file: impl AsFd, is_writable: bool) -> io::Result<Registration> {
        let generation = self.generation.fetch_add(1, Ordering::Relaxed);
        let mut sources = lock(&self.sources);
        let entry = sources.vacant_entry();
        // The system has fewer files.
        let index = u32::try_from(entry.key()).map_err(io::Error::other)?;
        let source = Arc::new(Source::new(Arc::clone(self), index, generation, is_writable));
        entry.insert(Arc::clone(&source));
        drop(sources);
        let registration = Registration(source);
        self.poller.add(file, registration.0.token())?;
        Ok(registration)
    }

    /// Takes a source out. The close of its socket, which follows, ends the events.
    pub(crate) fn deregister(&self, source: &Source) {
        let removed = lock(&self.sources).try_remove(source.index as usize);
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
    pub(crate) fn ensure_driven(self: &Arc<Self>) -> io::Result<()> {
        if self.is_driven.load(Ordering::SeqCst) {
            return Ok(());
        }
        let seat = lock(&self.seat);
        if seat.is_none() || self.is_driven.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        drop(seat);
        let worker = Arc::clone(self);
        let started = thread::Builder::new().name(format!("callboard-{}", self.index)).spawn(move || {
            if let Some(seated) = Seated::take(&worker) {
                seated.drive(None);
            }
        });
        if started.is_err() {
            self.is_driven.store(false, Ordering::SeqCst);
        }
        started.map(drop)
    }

    /// The last handle is gone: tasks end now, the thread when no stream and no timer is left to serve.
    pub(crate) fn close(self: &Arc<Self>) {
        self.is_closing.store(true, Ordering::SeqCst);
        if let Some(seated) = Seated::take(self) {
            seated.end_tasks();
        } else {
            self.send(Message::Look);
        }
    }

    /// Ready at `deadline`; until then the timer at `key` stands there, for `waker`.
    pub(crate) fn poll_timer(self: &Arc<Self>, key: &mut Option<TimerKey>, deadline: u64, waker: &Waker) -> Poll<()> {
        if deadline == NEVER || self.now() >= deadline {
            self.disarm(key);
            return if deadline == NEVER { Poll::Pending } else { Poll::Ready(()) };
        }
        if self.timers.arm(key, deadline, waker) {
            // A wait under way is too long now. (From this worker's own thread there is none.)
            self.interrupt();
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
            self.send(Message::Look);
        }
    }

    /// Whether anything but its tasks needs somebody to drive it.
    pub(crate) fn has_work(&self) -> bool {
        self.has_mail() || self.timers.earliest() != NEVER || self.sources() != 0
    }

    pub(crate) fn has_mail(&self) -> bool {
        !lock(&self.inbox).is_empty()
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::SeqCst)
    }

    /// One wait. Asleep only around one that may block: wakes from this thread never write to the eventfd.
    pub(crate) fn wait(&self, events: &mut Events, woken: &mut Vec<Waker>, is_idle: bool) {
        let timeout = if is_idle { self.sleep_time() } else { Some(Duration::ZERO) };
        self.poller.wait(events, timeout);
        self.is_asleep.store(false, Ordering::SeqCst);
        let sources = lock(&self.sources);
        for event in events.iter() {
            #[expect(clippy::cast_possible_truncation, reason = "the two halves of the token")]
            let (index, generation) = (event.token as u32 as usize, (event.token >> 32) as u32);
            if let Some(source) = sources.get(index).filter(|source| source.generation == generation) {
                source.note(event, woken);
            }
        }
        drop(sources);
        let earliest = self.timers.earliest();
        if earliest != NEVER {
            let now = self.now();
            if earliest <= now {
                self.timers.take_due(now, woken);
            }
        }
        for waker in woken.drain(..) {
            // A foreign waker that panics must not take the reactor with it.
            let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
    }

    /// How long to wait, once it is said that this worker sleeps: whoever comes later interrupts.
    fn sleep_time(&self) -> Option<Duration> {
        self.is_asleep.store(true, Ordering::SeqCst);
        if self.has_messages.load(Ordering::SeqCst) {
            return Some(Duration::ZERO);
        }
        match self.timers.earliest() {
            NEVER => None,
            deadline => Some(Duration::from_nanos(deadline.saturating_sub(self.now()))),
        }
    }

    /// Does what other threads have asked.
    pub(crate) fn take_messages(&self, messages: &mut Vec<Message>) {
        if !self.has_messages.load(Ordering::SeqCst) {
            return;
        }
        self.has_messages.store(false, Ordering::SeqCst);
        std::mem::swap(&mut *lock(&self.inbox), messages);
        for message in messages.drain(..) {
            let task = match message {
                Message::Spawn(task) => task,
                Message::Make(make) => match catch_unwind(AssertUnwindSafe(make)) {
                    Ok(task) => task,
                    Err(_) => continue,
                },
                Message::Wake(number) => {
                    with_current(|current| current.local.queue(number));
                    continue;
                }
                Message::Look => continue,
            };
            with_current(|current| current.local.insert(&current.worker, task));
        }
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("index", &self.index).finish_non_exhaustive()
    }
}
