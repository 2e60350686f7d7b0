//! The server's receiving half: heads, bodies, the end of input, deadlines.

use alloc::boxed::Box;
use core::mem;
use core::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::http1::body::{Body, Step};
use crate::http1::framing::{Framing, persists, request_framing};
use crate::http1::inbound::Pace;
use crate::http1::lines::Expect;
use crate::http1::scan::{Block, Scan, StartLine};
use crate::http1::{CloseReason, ReceiveError, RequestHead};
use crate::{BodyLength, Headers, Instant, Limits, Method, Target, Version};

use super::{Exchange, Receive, Send, ServerConnection, ServerEvent};

impl ServerConnection {
    pub(super) fn receive_input(&mut self, input: &mut BytesMut, now: Instant) {
        self.unread = 0;
        if self.pending.is_some() || self.end_due {
            self.unread = input.len();
            return;
        }
        match &mut self.receive {
            Receive::Idle { .. } | Receive::Head { .. } if input.is_empty() => {}
            Receive::Idle { .. } | Receive::Head { .. } => self.receive_head(input, now),
            Receive::Body { .. } => self.receive_body(input, now),
            Receive::Linger { left, .. } => {
                *left = left.saturating_sub(input.len() as u64);
                if *left == 0 {
                    self.receive = Receive::Finished;
                }
                input.clear();
            }
            Receive::Stopped | Receive::Finished => input.clear(),
            Receive::Ended | Receive::HandedOver => self.unread = input.len(),
        }
        if self.input_ended {
            self.receive_end(now);
        }
    }

    fn receive_head(&mut self, input: &mut BytesMut, now: Instant) {
        match mem::replace(&mut self.receive, Receive::Ended) {
            Receive::Head { mut scan, since } => match scan.advance(input, &self.limits) {
                Ok(None) => self.receive = Receive::Head { scan, since },
                Ok(Some(length)) => self.take_head(&mut scan, length, input, now),
                Err(error) => self.fail(error, now),
            },
            // A head that is whole needs no allocation; the deadline of a first head began with the connection.
            state => {
                let since = match state {
                    Receive::Idle { since } if self.exchanges() == 0 => since,
                    _ => now,
                };
                let mut scan = Scan::new(Block::Request);
                match scan.advance(input, &self.limits) {
                    Ok(None) => self.receive = Receive::Head { scan: Box::new(scan), since },
                    Ok(Some(length)) => self.take_head(&mut scan, length, input, now),
                    Err(error) => self.fail(error, now),
                }
            }
        }
        if matches!(self.receive, Receive::Stopped) {
            input.clear();
        }
        if matches!(self.receive, Receive::Ended) {
            self.unread = input.len();
        }
    }

    /// Opens an exchange with the head that is the first `length` bytes of `input`.
    fn take_head(&mut self, scan: &mut Scan, length: usize, input: &mut BytesMut, now: Instant) {
        let start = match read_start(scan, length, input) {
            Ok(start) => start,
            Err(error) => return self.fail(error, now),
        };
        let (facts, framing, version) = (&scan.facts, start.framing, start.version);
        self.exchange = Exchange {
            id: self.exchange.next_id(),
            version,
            is_head: start.method == Method::Head,
            is_connect: start.method == Method::Connect,
            // RFC 9110 §7.8: Upgrade counts only if Connection lists it, and not in HTTP/1.0.
            wants_upgrade: facts.upgrade && facts.connection_upgrade && version == Version::Http11,
            keep_alive: persists(version, facts),
            continue_due: facts.expect == Expect::Continue && framing != Framing::Empty && version == Version::Http11,
        };
        self.note_last_exchange();
        self.begin_body(framing, now);
        // Built where it will be read from: a head is large, and is moved as seldom as possible.
        self.pending = Some(ServerEvent::Request {
            exchange: self.exchange.id,
            body: match framing {
                Framing::Empty => BodyLength::Empty,
                Framing::Length(length) => BodyLength::Known(length),
                Framing::Chunked | Framing::UntilClose => BodyLength::Unknown,
            },
            expects_continue: self.exchange.continue_due,
            head: start.with_fields(scan),
        });
    }

    /// Decides whether this exchange is the last, as far as is known now.
    fn note_last_exchange(&mut self) {
        let reason = if !self.exchange.keep_alive {
            CloseReason::PeerAsked
        } else if self.draining {
            CloseReason::WeAsked
        } else if self.exchanges() >= self.limits.exchanges {
            CloseReason::ExchangesUsedUp
        } else {
            return;
        };
        self.exchange.keep_alive = false;
        self.close.get_or_insert(reason);
    }

    fn begin_body(&mut self, framing: Framing, now: Instant) {
        self.send = Send::Awaiting;
        self.receive = match Body::new(framing) {
            None => Receive::Ended,
            Some(body) => {
                let mut pace = Pace::new(now);
                if self.exchange.continue_due {
                    pace.pause(now);
                }
                Receive::Body { body, pace, discard: None }
            }
        };
    }

    fn receive_body(&mut self, input: &mut BytesMut, now: Instant) {
        let Receive::Body { body, pace, discard } = &mut self.receive else { return };
        if !input.is_empty() {
            self.exchange.continue_due = false;
        }
        if !self.exchange.continue_due {
            pace.resume(now);
        }
        let exchange = self.exchange.id;
        loop {
            match body.step(input, &self.limits) {
                Ok(Step::NeedInput) => return,
                Ok(Step::Data(data)) => {
                    pace.received(data.len(), now);
                    let Some(budget) = discard else {
                        pace.pause(now);
                        self.pending = Some(ServerEvent::Data { exchange, data });
                        // A body by length needs no further byte to be complete.
                        if body.left() == Some(0) {
                            self.end_due = true;
                            self.receive = Receive::Ended;
                        }
                        self.unread = input.len();
                        return;
                    };
                    let Some(left) = budget.checked_sub(data.len() as u64) else {
                        self.exchange.keep_alive = false;
                        self.close.get_or_insert(CloseReason::BodyUnfinished);
                        self.receive = Receive::Stopped;
                        input.clear();
                        break;
                    };
                    *budget = left;
                }
                Ok(Step::End(trailers)) => {
                    if discard.is_none() {
                        self.pending = Some(ServerEvent::End { exchange, trailers });
                    }
                    self.receive = Receive::Ended;
                    self.unread = input.len();
                    break;
                }
                Err(error) => {
                    input.clear();
                    self.fail(error, now);
                    return;
                }
            }
        }
        self.settle(now);
    }

    /// The peer has half-closed. What it had sent before is dealt with first.
    pub(super) fn receive_end(&mut self, now: Instant) {
        if self.unread > 0 {
            return;
        }
        match &self.receive {
            Receive::Idle { .. } => {
                self.close.get_or_insert(CloseReason::PeerClosed);
                self.receive = Receive::Finished;
            }
            Receive::Head { .. } => {
                self.close.get_or_insert(CloseReason::PeerClosed);
                self.receive = Receive::Finished;
                self.report_failure(self.exchange.next_id(), ReceiveError::HeadCut, false);
            }
            Receive::Body { .. } if self.pending.is_none() => self.fail(ReceiveError::BodyCut, now),
            Receive::Ended if !matches!(self.close, Some(CloseReason::PeerClosed)) => {
                self.close = Some(CloseReason::PeerClosed);
                self.exchange.keep_alive = false;
                self.closed_due = true;
                self.settle(now);
            }
            Receive::Linger { .. } => self.receive = Receive::Finished,
            _ => {}
        }
    }

    /// The peer's fault: poisons the connection. It is answered if no answer has begun.
    pub(super) fn fail(&mut self, error: ReceiveError, now: Instant) {
        self.close = Some(CloseReason::ProtocolError);
        self.exchange.keep_alive = false;
        self.drop_body_event();
        self.receive = Receive::Stopped;
        match self.send {
            Send::Idle => {
                self.exchange = Exchange { id: self.exchange.next_id(), keep_alive: false, ..Exchange::none() };
                self.send = Send::Awaiting;
                self.report_failure(self.exchange.id, error, true);
            }
            Send::Awaiting => self.report_failure(self.exchange.id, error, true),
            // An answer cut short must look cut short, whatever the host still does.
            Send::Body(_) => {
                self.send = Send::Done;
                self.receive = Receive::Finished;
                self.report_failure(self.exchange.id, error, false);
            }
            Send::Done => {
                self.report_failure(self.exchange.id, error, false);
                self.settle(now);
            }
        }
    }

    fn report_failure(&mut self, exchange: crate::ExchangeId, error: ReceiveError, answerable: bool) {
        self.pending = Some(ServerEvent::Failed { exchange, error, answerable });
    }

    pub(super) fn receive_timeout(&mut self, now: Instant) {
        if self.watch.has_expired(&self.queue, now, self.limits.write_timeout) {
            self.stop();
            self.report_failure(self.exchange.id, ReceiveError::WriteTimedOut, false);
            return;
        }
        let is_host_slow = self.is_host_slow();
        let idle_timeout = self.idle_timeout();
        match &mut self.receive {
            // A peer that still takes the last answer is not idle; the write deadline watches it.
            Receive::Idle { since } if now >= *since + idle_timeout && !self.queue.is_empty() => *since = now,
            Receive::Idle { since } if now >= *since + idle_timeout => {
                self.close = Some(CloseReason::IdleTimedOut);
                self.receive = Receive::Finished;
            }
            Receive::Head { since, .. } if now >= *since + self.limits.head_timeout => {
                self.fail(ReceiveError::HeadTimedOut, now);
            }
            Receive::Body { pace, .. } if !is_host_slow => {
                pace.resume(now);
                if let Err(error) = pace.check(now, &self.limits) {
                    self.fail(error, now);
                }
            }
            Receive::Linger { until, .. } if now >= *until => self.receive = Receive::Finished,
            _ => {}
        }
    }

    /// Whether the next move is ours, so that the peer's deadline stands still.
    pub(super) fn is_host_slow(&self) -> bool {
        self.pending.is_some() || self.exchange.continue_due
    }

    /// A connection that never sent a request is given the time of a head.
    pub(super) fn idle_timeout(&self) -> Duration {
        if self.exchanges() == 0 { self.limits.head_timeout } else { self.limits.idle_timeout }
    }

    /// Ends everything now; what is queued is dropped.
    pub(super) fn stop(&mut self) {
        self.queue.clear();
        self.drop_body_event();
        self.receive = Receive::Finished;
        self.send = Send::Done;
    }
}

/// A head at the front of `input`, if it is complete.
pub(in crate::http1) fn take_head(input: &mut BytesMut, limits: &Limits) -> Result<Option<RequestHead>, ReceiveError> {
    let mut scan = Scan::new(Block::Request);
    match scan.advance(input, limits)? {
        Some(length) => Ok(Some(read_start(&scan, length, input)?.with_fields(&mut scan))),
        None => Ok(None),
    }
}

/// A head without its fields: all of it that is small.
struct Start {
    block: Bytes,
    method: Method,
    target: Target,
    version: Version,
    framing: Framing,
}

/// Takes a complete head out of the input.
fn read_start(scan: &Scan, length: usize, input: &mut BytesMut) -> Result<Start, ReceiveError> {
    let StartLine::Request(line) = scan.start else { return Err(ReceiveError::StartLineInvalid) };
    let base = scan.start_offset();
    let block = input.split_to(length).freeze();
    let method = Method::from_bytes(&block[base..base + line.method_end]).map_err(|_| ReceiveError::MethodInvalid)?;
    let target = block.slice(base + line.target_start..base + line.target_end);
    let target = if line.is_visible { Target::of_visible(target, &method) } else { Target::parse(target, &method) };
    let target = target.map_err(|_| ReceiveError::TargetInvalid)?;
    let framing = request_framing(line.version, &scan.facts)?;
    Ok(Start { block, method, target, version: line.version, framing })
}

impl Start {
    #[inline]
    fn with_fields(self, scan: &mut Scan) -> RequestHead {
        let headers = Headers::from_received(self.block, scan.entries.take());
        RequestHead { method: self.method, target: self.target, version: self.version, headers }
    }
}
