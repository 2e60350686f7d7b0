//! The server's side of a connection: one request at a time, pipelined ones wait in the caller's input in their order.
//!
//! `receive` takes input, `respond` has the commands; the joint rules (keep-alive, close, upgrade) are in `settle`.

mod receive;
mod respond;

use alloc::boxed::Box;
use alloc::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::write_watch::WriteWatch;
use crate::{BodyLength, ExchangeId, Headers, Instant, Limits, Protocol, SendQueue, Status, Version};

pub(super) use receive::take_head;

use super::body::Body;
use super::inbound::Pace;
use super::outbound::SendBody;
use super::scan::Scan;
use super::{CloseReason, ReceiveError, RequestHead};

/// The server's side of an HTTP/1.1 or 1.0 connection (RFC 9112).
///
/// Feed it as [`Protocol`] says; answer each [`ServerEvent::Request`] with [`respond`](Self::respond),
/// [`send_data`](Self::send_data) and [`finish`](Self::finish). The next pipelined request is reported when the answer
/// is complete. See the [module](super) for an example.
#[derive(Debug)]
pub struct ServerConnection {
    limits: Arc<Limits>,
    queue: SendQueue,
    watch: WriteWatch,
    receive: Receive,
    send: Send,
    exchange: Exchange,
    /// The one event that waits to be polled.
    pending: Option<ServerEvent>,
    /// Events that carry nothing, due after `pending`.
    end_due: bool,
    upgraded_due: bool,
    /// 101 is sent, or 2xx to CONNECT: the stream is handed over when the request is complete.
    is_switching: bool,
    closed_due: bool,
    /// Bytes of input that wait behind the exchange in progress.
    unread: usize,
    input_ended: bool,
    draining: bool,
    close: Option<CloseReason>,
}

/// What a server connection reports.
#[derive(Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a box would cost an allocation per request")]
pub enum ServerEvent {
    /// A request's head. Answer it with [`ServerConnection::respond`].
    Request {
        /// The exchange that this opens.
        exchange: ExchangeId,
        /// The head.
        head: RequestHead,
        /// Whether `Data` and `End` follow: not for `Empty`.
        body: BodyLength,
        /// The client waits for 100 before it sends the body (RFC 9110 §10.1.1): `inform` it, or answer finally.
        expects_continue: bool,
    },
    /// A part of the request's body, cut from the input without a copy.
    Data {
        /// The exchange.
        exchange: ExchangeId,
        /// The bytes, never empty.
        data: Bytes,
    },
    /// The request's body is complete.
    End {
        /// The exchange.
        exchange: ExchangeId,
        /// The trailer section, if there was one.
        trailers: Option<Box<Headers>>,
    },
    /// The peer broke the protocol, a limit or a deadline. The connection ends.
    Failed {
        /// The exchange in progress, or a new one that stands for the request that could not be read.
        exchange: ExchangeId,
        /// What was wrong.
        error: ReceiveError,
        /// Whether `respond` may still be called, best with `error.status()`. Otherwise nothing more is sent.
        answerable: bool,
    },
    /// 101, or 2xx to CONNECT, is queued. Once `outgoing` is drained the stream and the unread input belong to
    /// another protocol.
    Upgraded {
        /// The exchange.
        exchange: ExchangeId,
    },
    /// The peer has half-closed while its request is in progress. It may still read the answer.
    Closed,
}

/// The head of a response to send.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// The status: final, or 101.
    pub status: Status,
    /// The fields. Those that frame the message or close the connection are written by the machine;
    /// `Connection: close` here closes it, and `Content-Length` here counts where a body is forbidden (HEAD, 304).
    pub headers: &'a Headers,
    /// The value of `Date` (RFC 9110 §6.6.1): an origin server with a clock sends it.
    pub date: Option<&'a [u8; 29]>,
}

/// The receiving half.
#[derive(Debug)]
enum Receive {
    /// Between requests.
    Idle { since: Instant },
    /// Inside a head that came in pieces.
    Head { scan: Box<Scan>, since: Instant },
    /// Inside a body. `discard`: the host does not want it; so many bytes more are thrown away for the connection's
    /// sake.
    Body { body: Body, pace: Pace, discard: Option<u64> },
    /// The request is complete; its exchange is not.
    Ended,
    /// Nothing more is read; the answer ends the connection.
    Stopped,
    /// We have half-closed and read on, so that the peer can read our answer (RFC 9112 §9.6).
    Linger { until: Instant, left: u64 },
    /// Another protocol reads now.
    HandedOver,
    /// Over.
    Finished,
}

/// The sending half.
#[derive(Debug)]
enum Send {
    /// No exchange is open.
    Idle,
    /// A request waits for its answer.
    Awaiting,
    /// The head is sent.
    Body(SendBody),
    /// The answer is complete; the request may not be.
    Done,
}

/// What must be remembered of the request in progress.
#[derive(Clone, Copy, Debug)]
struct Exchange {
    id: ExchangeId,
    version: Version,
    is_head: bool,
    is_connect: bool,
    wants_upgrade: bool,
    keep_alive: bool,
    /// The client waits for 100 and has sent nothing of the body.
    continue_due: bool,
}

impl ServerConnection {
    /// A connection that was accepted at `now`.
    pub fn new(limits: Arc<Limits>, now: Instant) -> Self {
        Self {
            limits,
            queue: SendQueue::default(),
            watch: WriteWatch::new(now),
            receive: Receive::Idle { since: now },
            send: Send::Idle,
            exchange: Exchange::none(),
            pending: None,
            end_due: false,
            upgraded_due: false,
            is_switching: false,
            closed_due: false,
            unread: 0,
            input_ended: false,
            draining: false,
            close: None,
        }
    }

    /// Whether nothing is in progress, not even half a head.
    pub fn is_idle(&self) -> bool {
        matches!((&self.receive, &self.send), (Receive::Idle { .. }, Send::Idle))
    }

    /// Why the connection ends, once that is decided.
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.close
    }

    /// Exchanges begun so far.
    pub fn exchanges(&self) -> u64 {
        self.exchange.id.0.wrapping_add(1)
    }

    /// The event with content that [`poll_event`](Protocol::poll_event) gives next, where it lies. A head is large: a
    /// host that only looks at it need not move it, and goes on by [`skip_event`](Self::skip_event).
    #[inline]
    pub const fn pending_event(&self) -> Option<&ServerEvent> {
        self.pending.as_ref()
    }

    /// Drops the event that [`pending_event`](Self::pending_event) shows.
    #[inline]
    pub fn skip_event(&mut self) {
        self.pending = None;
    }

    /// What the receiving and the sending half are doing, in a word each: for logs, and for the tables of the states.
    pub fn states(&self) -> [&'static str; 2] {
        let receive = match &self.receive {
            Receive::Idle { .. } => "idle",
            Receive::Head { .. } => "head",
            Receive::Body { discard: None, .. } => "body",
            Receive::Body { discard: Some(_), .. } => "discarding",
            Receive::Ended => "ended",
            Receive::Stopped => "stopped",
            Receive::Linger { .. } => "lingering",
            Receive::HandedOver => "handed over",
            Receive::Finished => "finished",
        };
        let send = match &self.send {
            Send::Idle => "idle",
            Send::Awaiting => "awaiting",
            Send::Body(_) => "body",
            Send::Done => "done",
        };
        [receive, send]
    }

    /// The joint rules, after every step of either half: what follows when the answer is complete.
    fn settle(&mut self, now: Instant) {
        if !matches!(self.send, Send::Done) {
            return;
        }
        match &mut self.receive {
            Receive::Ended if self.is_switching => self.hand_over(),
            Receive::Body { .. } if self.is_switching => {}
            Receive::Ended if !self.exchange.keep_alive || self.draining => {
                self.begin_close(CloseReason::WeAsked, now);
            }
            Receive::Ended if self.input_ended && self.unread == 0 => self.begin_close(CloseReason::PeerClosed, now),
            Receive::Ended => {
                self.send = Send::Idle;
                self.receive = Receive::Idle { since: now };
            }
            Receive::Stopped => self.begin_close(CloseReason::ProtocolError, now),
            // RFC 9112 §9.3: read the rest of the body or close; a long or unasked-for rest is not worth reading.
            Receive::Body { body, discard, .. } => {
                let budget = discard.get_or_insert(self.limits.discard_bytes);
                let is_long = body.left().is_some_and(|left| left > *budget);
                self.drop_body_event();
                if is_long || self.exchange.continue_due || !self.exchange.keep_alive {
                    self.begin_close(CloseReason::BodyUnfinished, now);
                }
            }
            _ => {}
        }
    }

    /// Half-closes and lingers: a close with bytes unread would reset the connection and destroy our answer.
    fn begin_close(&mut self, reason: CloseReason, now: Instant) {
        self.close.get_or_insert(reason);
        self.drop_body_event();
        self.receive = if self.input_ended {
            Receive::Finished
        } else {
            Receive::Linger { until: now + self.limits.linger_timeout, left: self.limits.linger_bytes }
        };
    }

    /// Forgets a part of the body that nobody will read.
    fn drop_body_event(&mut self) {
        if matches!(self.pending, Some(ServerEvent::Data { .. } | ServerEvent::End { .. })) {
            self.pending = None;
        }
        self.end_due = false;
    }
}

impl Exchange {
    /// Before the first request. Its successor is number 0.
    fn none() -> Self {
        Self {
            id: ExchangeId(u64::MAX),
            version: Version::Http11,
            is_head: false,
            is_connect: false,
            wants_upgrade: false,
            keep_alive: true,
            continue_due: false,
        }
    }

    fn next_id(&self) -> ExchangeId {
        ExchangeId(self.id.0.wrapping_add(1))
    }
}

impl Protocol for ServerConnection {
    type Event = ServerEvent;

    fn handle_input(&mut self, input: &mut BytesMut, now: Instant) {
        self.receive_input(input, now);
    }

    fn handle_end_of_input(&mut self, now: Instant) {
        self.input_ended = true;
        self.receive_end(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.receive_timeout(now);
    }

    fn poll_event(&mut self) -> Option<ServerEvent> {
        // `take` would copy the whole slot, of which only a head needs all: even if it is empty.
        match &mut self.pending {
            Some(ServerEvent::Data { exchange, data }) => {
                let event = ServerEvent::Data { exchange: *exchange, data: core::mem::take(data) };
                self.pending = None;
                return Some(event);
            }
            Some(_) => return self.pending.take(),
            None => {}
        }
        let exchange = self.exchange.id;
        if core::mem::take(&mut self.end_due) {
            return Some(ServerEvent::End { exchange, trailers: None });
        }
        if core::mem::take(&mut self.upgraded_due) {
            return Some(ServerEvent::Upgraded { exchange });
        }
        core::mem::take(&mut self.closed_due).then_some(ServerEvent::Closed)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let limits = &*self.limits;
        let receive = match &self.receive {
            Receive::Idle { since } => Some(*since + self.idle_timeout()),
            Receive::Head { since, .. } => Some(*since + limits.head_timeout),
            Receive::Body { pace, .. } if !self.is_host_slow() => Some(pace.deadline(limits)),
            Receive::Linger { until, .. } => Some(*until),
            _ => None,
        };
        match (receive, self.watch.deadline(&self.queue, limits.write_timeout)) {
            (Some(first), Some(second)) => Some(first.min(second)),
            (first, second) => first.or(second),
        }
    }

    fn outgoing(&mut self) -> &mut SendQueue {
        &mut self.queue
    }

    fn wants_input(&self) -> bool {
        match &self.receive {
            Receive::Idle { .. } | Receive::Head { .. } | Receive::Linger { .. } => true,
            Receive::Body { .. } => self.pending.is_none(),
            // Read on while the handler works, to see the peer leave, within a bound.
            Receive::Ended => self.unread < self.limits.receive_buffer,
            Receive::Stopped | Receive::HandedOver | Receive::Finished => false,
        }
    }

    fn wants_half_close(&self) -> bool {
        matches!(self.receive, Receive::Linger { .. } | Receive::Finished)
    }

    fn is_finished(&self) -> bool {
        matches!(self.receive, Receive::Finished)
    }
}
