//! Which deadline of an exchange comes next.
//!
//! An exchange goes through [`Step`]s. A table says which deadlines run in which: the total in all of them, over
//! redirections and repeated attempts too; that for a connection from the queue to the end of TLS; one of the step
//! itself. The earliest that is due is the one that is reported; of two at the same time, the wider.
//! Time during which the caller does not read does not count as the server's silence.

use core::fmt;
use core::time::Duration;

use crate::Instant;
use crate::reasons::reasons;

/// The deadlines of an exchange, each finite by default, but for what [`Limits`](crate::Limits) bounds already.
/// `Duration::MAX` is 584 years: it turns one off.
///
/// ```
/// use callboard_core::deadlines::{InvalidTimeouts, Timeouts};
/// use core::time::Duration;
///
/// let timeouts = Timeouts { total: Duration::from_secs(30), ..Timeouts::default() };
/// assert_eq!(timeouts.check(), Ok(()));
/// let none = Timeouts { total: Duration::ZERO, ..timeouts };
/// assert_eq!(none.check(), Err(InvalidTimeouts::TotalIsZero));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the start of a request to the end of its response's body, redirections and repeated attempts included.
    /// Default 300 s. Zero is refused.
    pub total: Duration,
    /// For a connection: the queue and all steps of connecting together. It does not run if an idle connection is
    /// there. Default `Duration::MAX`, since the queue and each step have a deadline of their own. Zero is refused.
    pub acquire: Duration,
    /// Waiting for a connection of the pool, when a limit of connections is reached. Default 300 s. Zero: not at all.
    pub queue: Duration,
    /// Each step of connecting: the look-up of the name, each address, the TLS handshake. Default 10 s. Zero is
    /// refused.
    pub connect: Duration,
    /// How long a body waits for `100 Continue` before it is sent anyway (RFC 9110 §10.1.1). Default 1 s.
    pub expect: Duration,
    /// The longest silence of the server: from the end of the request, and between parts of the response. Default
    /// `Duration::MAX`, since [`Limits::head_timeout`](crate::Limits::head_timeout) and
    /// [`Limits::body_timeout`](crate::Limits::body_timeout) hold anyway. Zero is refused.
    pub read: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let minutes = Duration::from_secs(300);
        Self {
            total: minutes,
            acquire: Duration::MAX,
            queue: minutes,
            connect: Duration::from_secs(10),
            expect: Duration::from_secs(1),
            read: Duration::MAX,
        }
    }
}

reasons! {
    /// Timeouts under which no request could succeed. Zero is no way to turn one off: `Duration::MAX` is.
    InvalidTimeouts {
        /// [`Timeouts::total`].
        TotalIsZero => "the total timeout is zero",
        /// [`Timeouts::acquire`].
        AcquireIsZero => "the timeout for a connection is zero",
        /// [`Timeouts::connect`].
        ConnectIsZero => "the timeout to connect is zero",
        /// [`Timeouts::read`].
        ReadIsZero => "the timeout for the server's silence is zero",
    }
}

impl Timeouts {
    /// Whether a request could succeed under them.
    pub const fn check(&self) -> Result<(), InvalidTimeouts> {
        match self {
            Self { total: Duration::ZERO, .. } => Err(InvalidTimeouts::TotalIsZero),
            Self { acquire: Duration::ZERO, .. } => Err(InvalidTimeouts::AcquireIsZero),
            Self { connect: Duration::ZERO, .. } => Err(InvalidTimeouts::ConnectIsZero),
            Self { read: Duration::ZERO, .. } => Err(InvalidTimeouts::ReadIsZero),
            _ => Ok(()),
        }
    }

    /// What a deadline allows.
    pub const fn limit(&self, deadline: Deadline) -> Duration {
        match deadline {
            Deadline::Total => self.total,
            Deadline::Acquire => self.acquire,
            Deadline::Queue => self.queue,
            Deadline::Connect => self.connect,
            Deadline::Expect => self.expect,
            Deadline::Read => self.read,
        }
    }
}

/// What an exchange is waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Until it is repeated: the wait of [`retry`](crate::retry).
    Backoff,
    /// A connection of the pool.
    Queue,
    /// The addresses of a name.
    Resolve,
    /// The transport to one address.
    Connect,
    /// The TLS handshake.
    Secure,
    /// `100 Continue`, before the body is sent.
    Continue,
    /// The peer takes the request. [`Limits::write_timeout`](crate::Limits::write_timeout) bounds it.
    Send,
    /// The head of the response.
    Head,
    /// The next part of the body.
    Body,
    /// The caller, who does not read now.
    Caller,
}

impl Step {
    /// All of them, in the order in which an exchange goes through them.
    pub const ALL: [Self; 10] = [
        Self::Backoff,
        Self::Queue,
        Self::Resolve,
        Self::Connect,
        Self::Secure,
        Self::Continue,
        Self::Send,
        Self::Head,
        Self::Body,
        Self::Caller,
    ];

    /// Whether it is on the way to a connection.
    pub const fn acquires(self) -> bool {
        matches!(self, Self::Queue | Self::Resolve | Self::Connect | Self::Secure)
    }

    /// The deadline of the step itself.
    pub const fn deadline(self) -> Option<Deadline> {
        match self {
            Self::Queue => Some(Deadline::Queue),
            Self::Resolve | Self::Connect | Self::Secure => Some(Deadline::Connect),
            Self::Continue => Some(Deadline::Expect),
            Self::Head | Self::Body => Some(Deadline::Read),
            Self::Backoff | Self::Send | Self::Caller => None,
        }
    }
}

/// What can come too late, the widest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Deadline {
    /// From the start of the request to the end of the response's body.
    Total,
    /// For a connection: the queue, and all steps of connecting together.
    Acquire,
    /// For a place in the pool.
    Queue,
    /// For one step of connecting: the look-up, one address, or the TLS handshake.
    Connect,
    /// For `100 Continue`. Past it the body is sent: it is no failure.
    Expect,
    /// For the next bytes of the server.
    Read,
}

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Total => "total",
            Self::Acquire => "acquire",
            Self::Queue => "queue",
            Self::Connect => "connect",
            Self::Expect => "expect",
            Self::Read => "read",
        })
    }
}

/// A deadline that has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired {
    /// Which.
    pub deadline: Deadline,
    /// The time since it began to run.
    pub elapsed: Duration,
    /// What was allowed.
    pub limit: Duration,
}

/// The clocks of one exchange.
///
/// ```
/// use callboard_core::Instant;
/// use callboard_core::deadlines::{Deadline, Deadlines, Step, Timeouts};
/// use core::time::Duration;
///
/// let second = Duration::from_secs(1);
/// let timeouts = Timeouts { total: 30 * second, connect: 10 * second, ..Timeouts::default() };
/// let mut deadlines = Deadlines::new(Instant::EPOCH);
/// deadlines.enter(Step::Connect, Instant::EPOCH + 25 * second);
/// assert_eq!(deadlines.next(&timeouts), (Deadline::Total, Instant::EPOCH + 30 * second));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    began: Instant,
    acquire_began: Instant,
    step_began: Instant,
    step: Step,
}

impl Deadlines {
    /// For a request that begins at `now`, in [`Step::Caller`].
    pub const fn new(now: Instant) -> Self {
        Self { began: now, acquire_began: now, step_began: now, step: Step::Caller }
    }

    /// A step begins. The same step again (the next address) begins anew.
    pub fn enter(&mut self, step: Step, now: Instant) {
        if step.acquires() && !self.step.acquires() {
            self.acquire_began = now;
        }
        self.step = step;
        self.step_began = now;
    }

    /// Something came, or went: the clock of the step begins anew if it is one of silence.
    pub fn note_progress(&mut self, now: Instant) {
        if self.step.deadline() == Some(Deadline::Read) {
            self.step_began = now;
        }
    }

    /// What the exchange waits for.
    pub const fn step(&self) -> Step {
        self.step
    }

    /// When the request began.
    pub const fn began(&self) -> Instant {
        self.began
    }

    /// When the request as a whole is due.
    pub fn total(&self, timeouts: &Timeouts) -> Instant {
        self.began + timeouts.total
    }

    /// The deadline that passes first, and when.
    pub fn next(&self, timeouts: &Timeouts) -> (Deadline, Instant) {
        let mut first = (Deadline::Total, self.total(timeouts));
        for deadline in self.running().into_iter().flatten() {
            let due = self.since(deadline) + timeouts.limit(deadline);
            if due < first.1 {
                first = (deadline, due);
            }
        }
        first
    }

    /// The deadline that has passed, if any: the first one.
    pub fn expired(&self, timeouts: &Timeouts, now: Instant) -> Option<Expired> {
        let (deadline, due) = self.next(timeouts);
        let elapsed = now - self.since(deadline);
        (due <= now).then(|| Expired { deadline, elapsed, limit: timeouts.limit(deadline) })
    }

    /// The table: those that run in this step beside the total, the wider first.
    fn running(&self) -> [Option<Deadline>; 2] {
        [self.step.acquires().then_some(Deadline::Acquire), self.step.deadline()]
    }

    fn since(&self, deadline: Deadline) -> Instant {
        match deadline {
            Deadline::Total => self.began,
            Deadline::Acquire => self.acquire_began,
            Deadline::Queue | Deadline::Connect | Deadline::Expect | Deadline::Read => self.step_began,
        }
    }
}
