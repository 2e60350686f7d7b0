//! The machine of an open WebSocket, the same for both sides.
//!
//! `receive` takes input apart, `send` has the commands and the queue, `backlog` what waits behind it. The machine
//! holds one event: the next frame is taken when it was polled, which is the back pressure. What it does when is the
//! table in `close`.

mod backlog;
mod receive;
mod send;

use alloc::boxed::Box;
use alloc::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::write_watch::WriteWatch;
use crate::{Instant, Protocol, SendQueue};

use super::assembly::Assembly;
use super::close::{Action, Happening, State};
use super::deflate::{Deflater, Inflater};
use super::mask::MaskKeys;
use super::utf8::Utf8;
use super::{Agreement, Close, CloseCode, FrameHead, Message, Opcode, ReceiveError, Role, Settings};
use backlog::Backlog;

/// An open WebSocket (RFC 6455), client or server. See the [module](super) for an example.
///
/// Feed it as [`Protocol`] says. Pings and close frames are answered here; the events tell of them.
#[derive(Debug)]
pub struct Connection {
    role: Role,
    settings: Arc<Settings>,
    state: State,
    queue: SendQueue,
    watch: WriteWatch,
    /// What waits behind the queue. Boxed: mostly nothing does.
    backlog: Option<Box<Backlog>>,
    keys: Option<Box<MaskKeys>>,
    deflater: Option<Box<Deflater>>,
    inflater: Option<Box<Inflater>>,
    is_compressed: bool,
    /// The frame that is being received, and how much of its payload was looked at.
    frame: Option<(FrameHead, u64)>,
    utf8: Utf8,
    assembly: Option<Box<Assembly>>,
    event: Option<Event>,
    input_ended: bool,
    closing_due: bool,
    closed_due: bool,
    closure: Option<Box<Closure>>,
    ours: Option<Box<Close>>,
    /// Bytes of input that were there after the last call.
    seen: usize,
    last_input: Instant,
    pinged_at: Option<Instant>,
    close_deadline: Option<Instant>,
}

/// What a WebSocket reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A whole message.
    Message(Message),
    /// A ping came; it is answered already.
    Ping(Bytes),
    /// A pong came.
    Pong(Bytes),
    /// The peer's close frame came, empty if `None`; it is answered already.
    Closing(Option<Close>),
    /// It is over: the last event, once. Boxed, because messages are what moves.
    Closed(Box<Closure>),
}

/// How a WebSocket ended.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Closure {
    /// The close frame that we sent, if any.
    pub ours: Option<Close>,
    /// The close frame that the peer sent, if any with a code.
    pub theirs: Option<Close>,
    /// Whether both close frames were exchanged (RFC 6455 §7.1.4).
    pub is_clean: bool,
    /// What went wrong.
    pub error: Option<ReceiveError>,
}

impl Closure {
    /// The code as an application sees it (§7.1.5): the peer's, 1005 if its close frame had none, 1006 if none came.
    pub fn code(&self) -> CloseCode {
        match &self.theirs {
            Some(close) => close.code,
            None if self.is_clean => CloseCode::NO_STATUS,
            None => CloseCode::ABNORMAL,
        }
    }
}

impl Connection {
    /// A WebSocket whose handshake is done. `seed` makes the mask keys of a client: take it from real entropy.
    pub fn new(role: Role, settings: Arc<Settings>, agreement: &Agreement, seed: [u64; 2], now: Instant) -> Self {
        #[cfg(feature = "compression")]
        let (deflater, inflater) = match &agreement.deflate {
            None => (None, None),
            Some(deflate) => (Some(Box::new(Deflater::new(deflate, role))), Some(Inflater::new(deflate, role))),
        };
        #[cfg(not(feature = "compression"))]
        let (deflater, inflater) = (None, None);
        Self {
            role,
            settings,
            state: State::Open,
            queue: SendQueue::new(),
            watch: WriteWatch::new(now),
            backlog: None,
            keys: (role == Role::Client).then(|| Box::new(MaskKeys::new(seed))),
            deflater,
            inflater,
            is_compressed: agreement.is_compressed(),
            frame: None,
            utf8: Utf8::default(),
            assembly: None,
            event: None,
            input_ended: false,
            closing_due: false,
            closed_due: false,
            closure: None,
            ours: None,
            seen: 0,
            last_input: now,
            pinged_at: None,
            close_deadline: None,
        }
    }

    /// Which side this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Where it is in its life.
    pub fn state(&self) -> State {
        self.state
    }

    /// Where it is in its life, and what it is receiving, in a word or two each: for logs, and for the tables of the
    /// states.
    pub fn states(&self) -> [&'static str; 2] {
        let life = match self.state {
            State::Open => "open",
            State::CloseSent => "close sent",
            State::Closed => "closed",
            State::Failed => "failed",
            State::Finished => "finished",
        };
        let receiving = match (self.frame, self.assembly.is_some()) {
            _ if !self.state.is_receiving() => "nothing",
            (None, false) => "between messages",
            (None, true) => "between fragments",
            (Some((head, _)), false) if head.opcode.is_control() => "control frame",
            (Some((head, _)), true) if head.opcode.is_control() => "control frame between fragments",
            (Some(_), false) => "frame",
            (Some(_), true) => "fragment",
        };
        [life, receiving]
    }

    /// Whether messages can still be sent.
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// How it ended, once it has.
    pub fn closure(&self) -> Option<&Closure> {
        self.closure.as_deref()
    }

    /// Whether there is an event to poll.
    #[inline]
    pub fn has_event(&self) -> bool {
        self.event.is_some() || self.closing_due || self.closed_due
    }

    /// The next event, if it is a message: as [`poll_event`](Protocol::poll_event) gives it, for callers who have no
    /// use for another here. Others stay.
    #[inline]
    pub fn poll_message(&mut self) -> Option<Message> {
        match self.event.take() {
            Some(Event::Message(message)) => {
                self.note_taken();
                Some(message)
            }
            other => {
                self.event = other;
                None
            }
        }
    }

    /// An event was taken. Behind the last one of the input comes its end.
    #[inline]
    fn note_taken(&mut self) {
        if self.input_ended && self.seen == 0 {
            self.end_input(self.last_input);
        }
    }

    /// Carries out what the table says. Errors go with `Violation`, `EndOfInput`, `CloseTimeout` and `Unresponsive`;
    /// the close frame with `PeerClose`.
    fn happen(&mut self, happening: Happening, error: Option<ReceiveError>, theirs: Option<Close>, now: Instant) {
        let (state, action) = self.state.step(happening);
        self.state = state;
        match action {
            Action::Ignore | Action::Deliver | Action::SendClose | Action::Refuse => {}
            Action::AnswerClose => {
                self.ours.clone_from(&theirs.clone().map(Box::new));
                self.put_close_now(theirs.as_ref(), now);
                self.report(true, None, theirs, now);
            }
            Action::ReportClose => self.report(true, None, theirs, now),
            Action::Fail => {
                let error = error.unwrap_or(ReceiveError::ConnectionLost);
                let close = Close::new(error.close_code(), error.explain());
                self.put_close_now(Some(&close), now);
                self.ours = Some(Box::new(close));
                self.report(false, Some(error), None, now);
            }
            Action::Lose => {
                self.drop_output();
                self.report(false, error, None, now);
            }
            // Our close frame may still be on its way: it has until the close deadline.
            Action::End if happening == Happening::EndOfInput => {}
            Action::End => self.drop_output(),
        }
    }

    /// The peer has ended its side, and all that came before was taken.
    fn end_input(&mut self, now: Instant) {
        self.happen(Happening::EndOfInput, Some(ReceiveError::ConnectionLost), None, now);
    }

    /// Nothing more is sent.
    fn drop_output(&mut self) {
        self.backlog = None;
        self.queue.clear();
    }

    /// Keeps how it ended; what is left of the connection has until the close deadline.
    fn report(&mut self, is_clean: bool, error: Option<ReceiveError>, theirs: Option<Close>, now: Instant) {
        let ours = self.ours.take().map(|close| *close);
        self.closing_due = is_clean;
        self.closed_due = true;
        self.closure = Some(Box::new(Closure { ours, theirs, is_clean, error }));
        self.close_deadline = Some(now + self.settings.close_timeout);
        self.frame = None;
        self.assembly = None;
        self.deflater = None;
        self.inflater = None;
    }
}

impl Protocol for Connection {
    type Event = Event;

    #[inline]
    fn handle_input(&mut self, input: &mut BytesMut, now: Instant) {
        if input.is_empty() && !self.input_ended {
            self.seen = 0;
            return;
        }
        if input.len() > self.seen {
            self.last_input = now;
            self.pinged_at = None;
        }
        self.receive(input, now);
        self.seen = input.len();
        if self.input_ended && self.event.is_none() {
            self.end_input(now);
        }
    }

    fn handle_end_of_input(&mut self, now: Instant) {
        self.input_ended = true;
        // Behind an event that was not polled, a close frame may still lie in the input.
        if self.event.is_none() {
            self.end_input(now);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if !self.is_finished() && self.watch.has_expired(&self.queue, now, self.settings.write_timeout) {
            return self.happen(Happening::Unresponsive, Some(ReceiveError::WriteTimedOut), None, now);
        }
        if self.close_deadline.is_some_and(|deadline| deadline <= now) {
            if self.is_finished() {
                return self.drop_output();
            }
            return self.happen(Happening::CloseTimeout, Some(ReceiveError::CloseTimedOut), None, now);
        }
        match self.liveness_deadline() {
            Some(deadline) if deadline <= now => {}
            _ => return,
        }
        if self.event.is_some() {
            // Our host does not take what came: it is not the peer who is silent.
            self.last_input = now;
            self.pinged_at = None;
        } else if self.pinged_at.is_some() {
            self.happen(Happening::Unresponsive, Some(ReceiveError::PongTimedOut), None, now);
        } else {
            self.pinged_at = Some(now);
            self.put_control(Opcode::Ping, Bytes::new(), now);
        }
    }

    #[inline]
    fn poll_event(&mut self) -> Option<Event> {
        if let Some(event) = self.event.take() {
            self.note_taken();
            return Some(event);
        }
        if self.closing_due {
            self.closing_due = false;
            return Some(Event::Closing(self.closure.as_ref().and_then(|closure| closure.theirs.clone())));
        }
        if self.closed_due {
            self.closed_due = false;
            return self.closure.clone().map(Event::Closed);
        }
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let due = self.liveness_deadline();
        if self.queue.is_empty() && self.close_deadline.is_none() {
            return due;
        }
        if self.is_finished() {
            // What is left to send has no longer than the peer had to end the connection.
            return self.close_deadline.filter(|_| self.queued() > 0);
        }
        let write = self.watch.deadline(&self.queue, self.settings.write_timeout);
        [write, self.close_deadline, due].into_iter().flatten().min()
    }

    #[inline]
    fn outgoing(&mut self) -> &mut SendQueue {
        self.top_up();
        &mut self.queue
    }

    fn wants_input(&self) -> bool {
        self.event.is_none() && self.state != State::Finished
    }

    fn wants_half_close(&self) -> bool {
        // A server ends the connection first (§7.1.1); one who was wronged need not wait either.
        match self.state {
            State::Closed => self.role == Role::Server,
            State::Failed | State::Finished => true,
            State::Open | State::CloseSent => false,
        }
    }

    fn is_finished(&self) -> bool {
        self.state == State::Finished
    }
}
