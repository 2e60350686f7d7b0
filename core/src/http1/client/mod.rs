//! The client's side of a connection: one request at a time, no pipelining.
//!
//! `receive` takes input; the commands and the joint rules are here.

mod receive;

use alloc::boxed::Box;
use alloc::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::write_watch::WriteWatch;
use crate::{BodyLength, ExchangeId, Headers, Instant, Limits, Method, Protocol, SendQueue, Version, header};

use super::body::Body;
use super::inbound::Pace;
use super::outbound::SendBody;
use super::scan::Scan;
use super::{CloseReason, ReceiveError, ResponseHead, SendError, encode};

/// The client's side of an HTTP/1.1 or 1.0 connection (RFC 9112).
///
/// ```
/// use callboard_core::http1::{ClientConnection, ClientEvent, Request};
/// use callboard_core::{BodyLength, Headers, Instant, Limits, Method, Protocol, Status, Version, header};
/// use bytes::BytesMut;
/// use std::sync::Arc;
///
/// let now = Instant::EPOCH;
/// let mut client = ClientConnection::new(Arc::new(Limits::default()), now);
/// let mut headers = Headers::new();
/// headers.append(header::HOST, "example.org").unwrap();
/// let request =
///     Request { method: &Method::Get, target: "/", version: Version::Http11, headers: &headers };
/// client.send_request(&request, BodyLength::Empty, now).unwrap();
///
/// let mut input = BytesMut::from("HTTP/1.1 204 No Content\r\n\r\n");
/// client.handle_input(&mut input, now);
/// let Some(ClientEvent::Response { head, .. }) = client.poll_event() else { panic!() };
/// assert_eq!(head.status, Status::NO_CONTENT);
/// assert!(client.is_reusable().is_ok());
/// ```
#[derive(Debug)]
pub struct ClientConnection {
    limits: Arc<Limits>,
    queue: SendQueue,
    watch: WriteWatch,
    receive: Receive,
    send: Send,
    exchange: Exchange,
    /// The one event that waits to be polled.
    pending: Option<ClientEvent>,
    /// The end of a body by length, due after `pending`.
    end_due: bool,
    /// Bytes of input that wait behind `pending`.
    unread: usize,
    input_ended: bool,
    close: Option<CloseReason>,
    /// Bytes of this exchange's response taken, and seen of a head that is not whole.
    taken: u64,
    partial: u64,
}

/// What a client connection reports.
#[derive(Debug, PartialEq)]
pub enum ClientEvent {
    /// An interim response but 101 (RFC 9110 §15.2). The final one follows.
    Informational {
        /// The exchange.
        exchange: ExchangeId,
        /// Its head.
        head: ResponseHead,
    },
    /// The final response's head.
    Response {
        /// The exchange.
        exchange: ExchangeId,
        /// Its head.
        head: ResponseHead,
        /// Whether `Data` and `End` follow: not for `Empty`.
        body: BodyLength,
    },
    /// A part of the response's body, cut from the input without a copy.
    Data {
        /// The exchange.
        exchange: ExchangeId,
        /// The bytes, never empty.
        data: Bytes,
    },
    /// The response's body is complete.
    End {
        /// The exchange.
        exchange: ExchangeId,
        /// The trailer section, if there was one.
        trailers: Option<Box<Headers>>,
    },
    /// The peer broke the protocol, a limit or a deadline. The connection is over.
    Failed {
        /// What was wrong.
        error: ReceiveError,
    },
    /// 101, or 2xx to CONNECT: the stream and the unread input belong to another protocol now.
    Upgraded {
        /// The exchange.
        exchange: ExchangeId,
        /// The head of the response.
        head: ResponseHead,
    },
}

/// The head of a request to send.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a Method,
    /// The target as it goes on the wire (RFC 9112 §3.2): `/path?query`, or another form.
    pub target: &'a str,
    /// The version to speak.
    pub version: Version,
    /// The fields, `Host` among them. `Content-Length` and `Transfer-Encoding` are written by the machine.
    pub headers: &'a Headers,
}

/// The receiving half.
#[derive(Debug)]
enum Receive {
    /// No exchange is open.
    Idle,
    /// No byte of the response yet. The clock runs once the request is sent.
    Awaiting { since: Option<Instant> },
    /// Inside a head that came in pieces.
    Head { scan: Box<Scan>, since: Instant },
    /// Inside a body.
    Body { body: Body, pace: Pace },
    /// The response is complete; the request is not.
    Ended,
    /// Another protocol reads now.
    HandedOver,
    /// Over.
    Finished,
}

/// The sending half.
#[derive(Debug)]
enum Send {
    Idle,
    /// The head is sent.
    Body(SendBody),
    Done,
}

/// What must be remembered of the request in progress.
#[derive(Debug)]
struct Exchange {
    /// Of the next exchange; the one in progress is one less.
    next: u64,
    method: Method,
    wants_upgrade: bool,
    asked_close: bool,
    /// The request waits for 100 (RFC 9110 §10.1.1).
    continue_due: bool,
    informational: usize,
}

impl ClientConnection {
    /// A connection that was opened at `now`.
    pub fn new(limits: Arc<Limits>, now: Instant) -> Self {
        Self {
            limits,
            queue: SendQueue::default(),
            watch: WriteWatch::new(now),
            receive: Receive::Idle,
            send: Send::Idle,
            exchange: Exchange {
                next: 0,
                method: Method::Get,
                wants_upgrade: false,
                asked_close: false,
                continue_due: false,
                informational: 0,
            },
            pending: None,
            end_due: false,
            unread: 0,
            input_ended: false,
            close: None,
            taken: 0,
            partial: 0,
        }
    }

    /// Queues a request's head, and opens an exchange. `Empty` ends the request here; otherwise
    /// [`finish`](Self::finish) does, after [`send_data`](Self::send_data).
    pub fn send_request(
        &mut self,
        request: &Request<'_>,
        body: BodyLength,
        now: Instant,
    ) -> Result<ExchangeId, SendError> {
        self.is_reusable().map_err(|reason| match reason {
            CloseReason::Busy => SendError::AlreadyStarted,
            _ => SendError::Closed,
        })?;
        if request.target.is_empty() || request.target.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return Err(SendError::TargetInvalid);
        }
        if body == BodyLength::Unknown && request.version == Version::Http10 {
            return Err(SendError::LengthRequired);
        }
        self.begin_exchange(request);
        self.watch.note(&self.queue, now);
        let send = self.write_head(request, body);
        let is_whole = body == BodyLength::Empty;
        self.exchange.continue_due &= !is_whole;
        self.send = if is_whole { Send::Done } else { Send::Body(send) };
        self.receive = Receive::Awaiting { since: is_whole.then_some(now) };
        Ok(self.exchange_id())
    }

    /// Sends a part of the request's body. Wait while `outgoing` holds more than `Limits::send_buffer`, and while
    /// [`wants_body`](Self::wants_body) is false.
    pub fn send_data(&mut self, exchange: ExchangeId, data: Bytes, now: Instant) -> Result<(), SendError> {
        let Send::Body(body) = &mut self.send else { return Err(SendError::NotStarted) };
        if exchange.0 + 1 != self.exchange.next {
            return Err(SendError::UnknownExchange);
        }
        if matches!(self.receive, Receive::Finished) {
            return Err(SendError::Closed);
        }
        self.exchange.continue_due = false;
        self.watch.note(&self.queue, now);
        body.send(data, &mut self.queue)
    }

    /// Ends the request's body, with trailers if it is chunked. Harmless when it has ended, or the connection has.
    pub fn finish(&mut self, exchange: ExchangeId, trailers: Option<&Headers>, now: Instant) -> Result<(), SendError> {
        let Send::Body(body) = self.send else {
            return if exchange.0 < self.exchange.next { Ok(()) } else { Err(SendError::UnknownExchange) };
        };
        if matches!(self.receive, Receive::Finished) {
            return Ok(());
        }
        self.watch.note(&self.queue, now);
        body.finish(trailers, &mut self.queue)?;
        self.send = Send::Done;
        if let Receive::Awaiting { since } = &mut self.receive {
            *since = Some(now);
        }
        self.settle();
        Ok(())
    }

    /// Whether the body may be sent now: a request with `Expect: 100-continue` waits for 100 or a final response. How
    /// long to wait is the caller's choice; `send_data` ends the wait.
    pub fn wants_body(&self) -> bool {
        matches!(self.send, Send::Body(_)) && !self.exchange.continue_due
    }

    /// Whether the request is wholly queued.
    pub fn is_request_complete(&self) -> bool {
        matches!(self.send, Send::Idle | Send::Done)
    }

    /// Whether another request can be sent, and if not, why.
    pub fn is_reusable(&self) -> Result<(), CloseReason> {
        match (self.close, &self.receive, &self.send) {
            (Some(reason), ..) => Err(reason),
            (None, Receive::Idle, Send::Idle) => Ok(()),
            _ => Err(CloseReason::Busy),
        }
    }

    /// Bytes received in this exchange, those of an unfinished head included.
    pub fn bytes_received(&self) -> u64 {
        self.taken + self.partial
    }

    /// Other limits, from the next request on: a silence that only one request bears, say.
    pub fn set_limits(&mut self, limits: Arc<Limits>) {
        self.limits = limits;
    }

    /// Requests sent so far.
    pub fn exchanges(&self) -> u64 {
        self.exchange.next
    }

    /// What the receiving and the sending half are doing, in a word each: for logs, and for the tables of the states.
    pub fn states(&self) -> [&'static str; 2] {
        let receive = match &self.receive {
            Receive::Idle => "idle",
            Receive::Awaiting { .. } => "awaiting",
            Receive::Head { .. } => "head",
            Receive::Body { .. } => "body",
            Receive::Ended => "ended",
            Receive::HandedOver => "handed over",
            Receive::Finished => "finished",
        };
        let send = match &self.send {
            Send::Idle => "idle",
            Send::Body(_) => "body",
            Send::Done => "done",
        };
        [receive, send]
    }

    /// Ends the connection at once.
    pub fn abort(&mut self) {
        self.close.get_or_insert(CloseReason::Aborted);
        self.queue.clear();
        self.pending = None;
        self.end_due = false;
        self.receive = Receive::Finished;
    }

    fn exchange_id(&self) -> ExchangeId {
        ExchangeId(self.exchange.next.wrapping_sub(1))
    }

    fn begin_exchange(&mut self, request: &Request<'_>) {
        let headers = request.headers;
        self.exchange = Exchange {
            next: self.exchange.next + 1,
            method: request.method.clone(),
            wants_upgrade: headers.contains(header::UPGRADE),
            asked_close: headers.has_token(header::CONNECTION, "close"),
            continue_due: request.version == Version::Http11 && headers.has_token(header::EXPECT, "100-continue"),
            informational: 0,
        };
        self.taken = 0;
        self.partial = 0;
    }

    fn write_head(&mut self, request: &Request<'_>, body: BodyLength) -> SendBody {
        let queue = &mut self.queue;
        queue.put_slice(request.method.as_str().as_bytes());
        queue.put_slice(b" ");
        queue.put_slice(request.target.as_bytes());
        queue.put_slice(match request.version {
            Version::Http11 => b" HTTP/1.1\r\n",
            Version::Http10 => b" HTTP/1.0\r\n",
        });
        encode::fields(queue, request.headers, |name| {
            encode::is_framing(name) && name.len() != header::CONNECTION.len()
        });
        let send = match body {
            // RFC 9110 §8.6: methods that anticipate content say that there is none.
            BodyLength::Empty => {
                if matches!(request.method, Method::Post | Method::Put | Method::Patch) {
                    encode::content_length(queue, 0);
                }
                SendBody::Length(0)
            }
            BodyLength::Known(length) => {
                encode::content_length(queue, length);
                SendBody::Length(length)
            }
            BodyLength::Unknown => {
                queue.put_slice(b"Transfer-Encoding: chunked\r\n");
                SendBody::Chunked
            }
        };
        queue.put_slice(b"\r\n");
        send
    }

    /// The joint rules: an exchange is over when both halves are.
    fn settle(&mut self) {
        if matches!((&self.receive, &self.send), (Receive::Ended, Send::Done)) {
            self.send = Send::Idle;
            self.receive = if self.close.is_some() { Receive::Finished } else { Receive::Idle };
        }
    }
}

impl Protocol for ClientConnection {
    type Event = ClientEvent;

    fn handle_input(&mut self, input: &mut BytesMut, now: Instant) {
        self.receive_input(input, now);
    }

    fn handle_end_of_input(&mut self, _now: Instant) {
        self.input_ended = true;
        self.receive_end();
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.receive_timeout(now);
    }

    fn poll_event(&mut self) -> Option<ClientEvent> {
        // `take` would copy the whole slot even if it is empty.
        if self.pending.is_some() {
            return self.pending.take();
        }
        let exchange = self.exchange_id();
        core::mem::take(&mut self.end_due).then_some(ClientEvent::End { exchange, trailers: None })
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let limits = &*self.limits;
        let receive = match &self.receive {
            Receive::Awaiting { since: Some(since) } | Receive::Head { since, .. } => {
                Some(*since + limits.head_timeout)
            }
            Receive::Body { pace, .. } if self.pending.is_none() => Some(pace.deadline(limits)),
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
            Receive::Body { .. } => self.pending.is_none(),
            Receive::HandedOver | Receive::Finished => false,
            _ => true,
        }
    }

    fn wants_half_close(&self) -> bool {
        false
    }

    fn is_finished(&self) -> bool {
        matches!(self.receive, Receive::Finished)
    }
}
