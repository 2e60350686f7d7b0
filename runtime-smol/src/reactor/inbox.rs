//! What other threads ask of a worker, and its wait, which they interrupt: only one that really sleeps.
//!
//! Wakers hold an inbox and not its worker, so that one which outlives the runtime keeps nothing else alive.

use std::io;
use std::os::fd::AsFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use callboard_runtime::Task;

use super::lock;
use super::poller::{Events, Poller};

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

/// The messages to one worker, and where it waits for them and for sockets.
pub(crate) struct Inbox {
    poller: Poller,
    messages: Mutex<Vec<Message>>,
    has_messages: AtomicBool,
    /// The worker sleeps, or is about to: a message must interrupt it.
    is_asleep: AtomicBool,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self {
            poller: Poller::new(),
            messages: Mutex::default(),
            has_messages: AtomicBool::new(false),
            is_asleep: AtomicBool::new(false),
        }
    }

    /// Adds a socket to what the wait is for.
    pub(crate) fn add(&self, file: impl AsFd, token: u64) -> io::Result<()> {
        self.poller.add(file, token)
    }

    pub(crate) fn send(&self, message: Message) {
        lock(&self.messages).push(message);
        self.has_messages.store(true, Ordering::SeqCst);
        self.interrupt();
    }

    /// Ends the wait under way, if there is one.
    pub(crate) fn interrupt(&self) {
        if self.is_asleep.swap(false, Ordering::SeqCst) {
            self.poller.interrupt();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.messages).is_empty()
    }

    /// Moves what was sent to `messages`, which is empty.
    pub(crate) fn take(&self, messages: &mut Vec<Message>) {
        if self.has_messages.load(Ordering::SeqCst) {
            self.has_messages.store(false, Ordering::SeqCst);
            std::mem::swap(&mut *lock(&self.messages), messages);
        }
    }

    /// One wait. Asleep only around one that may block: wakes from the worker's thread never write to the eventfd.
    ///
    /// `sleep_time` is asked when it is said that the worker sleeps: whoever changes the answer later interrupts.
    pub(crate) fn wait(&self, events: &mut Events, is_idle: bool, sleep_time: impl FnOnce() -> Option<Duration>) {
        let timeout = if is_idle {
            self.is_asleep.store(true, Ordering::SeqCst);
            if self.has_messages.load(Ordering::SeqCst) { Some(Duration::ZERO) } else { sleep_time() }
        } else {
            Some(Duration::ZERO)
        };
        self.poller.wait(events, timeout);
        self.is_asleep.store(false, Ordering::SeqCst);
    }
}
