//! What the trace is made of: typed events. A timeline, a coverage count or a shrinker reads these, never the text.

use std::fmt;

use callboard_runtime::{Endpoint, SignalKind};

use crate::digest::Digest;
use crate::fault::Fault;

/// An end of a connection. The same number names the attempt to connect that it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    /// The connection.
    pub connection: u64,
    /// Which end.
    pub side: Side,
}

/// Which end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The end that connected.
    Client,
    /// The end that was accepted.
    Server,
}

impl Side {
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Client => 0,
            Self::Server => 1,
        }
    }

    /// The other side.
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Client => "client",
            Side::Server => "server",
        };
        write!(f, "connection {} ({side})", self.connection)
    }
}

/// Something that happened. Which host it happened on is in the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceEvent {
    /// A task was spawned.
    Spawned {
        /// Its number; 0 is the future of `block_on`.
        task: u64,
    },
    /// A task is polled.
    Polled {
        /// Its number.
        task: u64,
    },
    /// A task became ready.
    Woken {
        /// Its number.
        task: u64,
    },
    /// A task came to its end.
    Ended {
        /// Its number.
        task: u64,
    },
    /// A task was dropped before its end.
    Cancelled {
        /// Its number.
        task: u64,
    },
    /// A task panicked.
    Panicked {
        /// Its number.
        task: u64,
        /// What the panic said.
        message: String,
    },
    /// A timer's deadline came.
    TimerFired,
    /// A name was looked up.
    Resolved {
        /// The name.
        name: String,
        /// Whether a host has it.
        found: bool,
    },
    /// A listener opened.
    Listening {
        /// Its number.
        listener: u64,
        /// Where.
        endpoint: Endpoint,
    },
    /// A listener was dropped.
    Unlistened {
        /// Its number.
        listener: u64,
    },
    /// An attempt to connect began.
    Connecting {
        /// Its number.
        connection: u64,
        /// Where to.
        to: Endpoint,
    },
    /// The backlog was full; the attempt is made again a second later.
    Postponed {
        /// Its number.
        connection: u64,
    },
    /// The client knows that it is connected.
    Connected {
        /// Its number.
        connection: u64,
    },
    /// The client knows that it was refused.
    Refused {
        /// Its number.
        connection: u64,
    },
    /// The client gave up before an answer came.
    Abandoned {
        /// Its number.
        connection: u64,
    },
    /// A listener gave the connection out.
    Accepted {
        /// Its number.
        connection: u64,
    },
    /// Bytes were written.
    Sent {
        /// By whom.
        end: End,
        /// How many.
        bytes: usize,
        /// A hash of them.
        digest: u64,
    },
    /// Bytes arrived.
    Delivered {
        /// At whom.
        end: End,
        /// How many.
        bytes: usize,
    },
    /// Bytes were read.
    Received {
        /// By whom.
        end: End,
        /// How many.
        bytes: usize,
    },
    /// An end said that it will write no more.
    HalfClosed {
        /// Which.
        end: End,
    },
    /// An end learned that the other will write no more.
    EndArrived {
        /// Which.
        end: End,
    },
    /// An end sent a reset.
    Aborted {
        /// Which.
        end: End,
    },
    /// An end was reset.
    Reset {
        /// Which.
        end: End,
        /// Unread bytes that this destroyed.
        discarded: usize,
    },
    /// The stream was dropped.
    Closed {
        /// Which end.
        end: End,
    },
    /// A signal was delivered.
    Signalled(SignalKind),
    /// The network changed.
    Fault(Fault),
    /// A remark of the program or the test.
    Note(String),
}

impl fmt::Display for TraceEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spawned { task } => write!(f, "task {task} spawned"),
            Self::Polled { task } => write!(f, "task {task} polled"),
            Self::Woken { task } => write!(f, "task {task} woken"),
            Self::Ended { task } => write!(f, "task {task} ended"),
            Self::Cancelled { task } => write!(f, "task {task} cancelled"),
            Self::Panicked { task, message } => write!(f, "task {task} panicked: {message}"),
            Self::TimerFired => f.write_str("timer fired"),
            Self::Resolved { name, found: true } => write!(f, "name \"{name}\" resolved"),
            Self::Resolved { name, found: false } => write!(f, "name \"{name}\" not found"),
            Self::Listening { listener, endpoint } => write!(f, "listener {listener} on {endpoint}"),
            Self::Unlistened { listener } => write!(f, "listener {listener} closed"),
            Self::Connecting { connection, to } => write!(f, "connection {connection} to {to}"),
            Self::Postponed { connection } => write!(f, "connection {connection} postponed: the backlog is full"),
            Self::Connected { connection } => write!(f, "connection {connection} connected"),
            Self::Refused { connection } => write!(f, "connection {connection} refused"),
            Self::Abandoned { connection } => write!(f, "connection {connection} abandoned"),
            Self::Accepted { connection } => write!(f, "connection {connection} accepted"),
            Self::Sent { end, bytes, .. } => write!(f, "{end} sent {bytes} bytes"),
            Self::Delivered { end, bytes } => write!(f, "{end} got {bytes} bytes"),
            Self::Received { end, bytes } => write!(f, "{end} read {bytes} bytes"),
            Self::HalfClosed { end } => write!(f, "{end} half-closed"),
            Self::EndArrived { end } => write!(f, "{end} saw the peer's end"),
            Self::Aborted { end } => write!(f, "{end} sent a reset"),
            Self::Reset { end, discarded: 0 } => write!(f, "{end} was reset"),
            Self::Reset { end, discarded } => write!(f, "{end} was reset, {discarded} unread bytes lost"),
            Self::Closed { end } => write!(f, "{end} closed"),
            Self::Signalled(SignalKind::Interrupt) => f.write_str("signal: interrupt"),
            Self::Signalled(SignalKind::Terminate) => f.write_str("signal: terminate"),
            Self::Fault(fault) => write!(f, "fault: {fault}"),
            Self::Note(text) => write!(f, "note: {text}"),
        }
    }
}

impl TraceEvent {
    /// Feeds the event to a hash: its kind and all its fields.
    pub(crate) fn digest(&self, digest: &mut Digest) {
        match self {
            Self::Spawned { task } => words(digest, [1, *task]),
            Self::Polled { task } => words(digest, [2, *task]),
            Self::Woken { task } => words(digest, [3, *task]),
            Self::Ended { task } => words(digest, [4, *task]),
            Self::Cancelled { task } => words(digest, [5, *task]),
            Self::Panicked { task, message } => text(digest, [6, *task], message),
            Self::TimerFired => digest.word(7),
            Self::Resolved { name, found } => text(digest, [8, u64::from(*found)], name),
            Self::Listening { listener, endpoint } => text(digest, [9, *listener], &endpoint.to_string()),
            Self::Unlistened { listener } => words(digest, [10, *listener]),
            Self::Connecting { connection, to } => text(digest, [11, *connection], &to.to_string()),
            Self::Postponed { connection } => words(digest, [12, *connection]),
            Self::Connected { connection } => words(digest, [13, *connection]),
            Self::Refused { connection } => words(digest, [14, *connection]),
            Self::Abandoned { connection } => words(digest, [15, *connection]),
            Self::Accepted { connection } => words(digest, [16, *connection]),
            Self::Sent { end: at, bytes, digest: content } => end(digest, 17, *at, [*bytes as u64, *content]),
            Self::Delivered { end: at, bytes } => end(digest, 18, *at, [*bytes as u64]),
            Self::Received { end: at, bytes } => end(digest, 19, *at, [*bytes as u64]),
            Self::HalfClosed { end: at } => end(digest, 20, *at, []),
            Self::EndArrived { end: at } => end(digest, 21, *at, []),
            Self::Aborted { end: at } => end(digest, 22, *at, []),
            Self::Reset { end: at, discarded } => end(digest, 23, *at, [*discarded as u64]),
            Self::Closed { end: at } => end(digest, 24, *at, []),
            Self::Signalled(SignalKind::Interrupt) => digest.word(25),
            Self::Signalled(SignalKind::Terminate) => digest.word(26),
            Self::Fault(fault) => text(digest, [27], &fault.to_string()),
            Self::Note(note) => text(digest, [28], note),
        }
    }
}

fn words<const N: usize>(digest: &mut Digest, words: [u64; N]) {
    for word in words {
        digest.word(word);
    }
}

fn text<const N: usize>(digest: &mut Digest, before: [u64; N], text: &str) {
    words(digest, before);
    digest.bytes(text.as_bytes());
}

fn end<const N: usize>(digest: &mut Digest, kind: u64, end: End, after: [u64; N]) {
    words(digest, [kind, end.connection, end.side.index() as u64]);
    words(digest, after);
}
