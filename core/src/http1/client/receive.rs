//! The client's receiving half: heads, bodies, the end of input, deadlines.

use alloc::boxed::Box;
use core::mem;

use bytes::{Bytes, BytesMut};

use crate::http1::body::{Body, Step};
use crate::http1::framing::{Framing, persists, response_framing};
use crate::http1::inbound::Pace;
use crate::http1::lines::StatusLine;
use crate::http1::scan::{Block, Scan, StartLine};
use crate::http1::{CloseReason, ReceiveError, ResponseHead};
use crate::{BodyLength, Headers, Instant, Method, Status, Version};

use super::{ClientConnection, ClientEvent, Receive, Send};

impl ClientConnection {
    pub(super) fn receive_input(&mut self, input: &mut BytesMut, now: Instant) {
        self.unread = 0;
        if self.pending.is_some() || self.end_due {
            self.unread = input.len();
            return;
        }
        let before = input.len();
        match &mut self.receive {
            // Without input too: the host has taken an event, and the peer's time runs again.
            Receive::Body { .. } => self.receive_body(input, now),
            _ if input.is_empty() => {}
            Receive::Awaiting { .. } | Receive::Head { .. } => self.receive_head(input, now),
            // Bytes that answer nothing: the next response could be forged with them.
            Receive::Idle | Receive::Ended => {
                self.close.get_or_insert(CloseReason::StrayBytes);
                input.clear();
                if matches!(self.receive, Receive::Idle) {
                    self.receive = Receive::Finished;
                }
            }
            Receive::Finished => input.clear(),
            Receive::HandedOver => self.unread = input.len(),
        }
        self.taken += (before - input.len()) as u64;
        self.partial = if matches!(self.receive, Receive::Head { .. }) { input.len() as u64 } else { 0 };
        if self.input_ended {
            self.receive_end();
        }
    }

    fn receive_head(&mut self, input: &mut BytesMut, now: Instant) {
        let (mut kept, since) = match mem::replace(&mut self.receive, Receive::Ended) {
            Receive::Head { scan, since } => (Some(scan), since),
            Receive::Awaiting { since } => (None, since.unwrap_or(now)),
            _ => (None, now),
        };
        let mut fresh = None;
        let scan = match &mut kept {
            Some(scan) => &mut **scan,
            None => fresh.insert(Scan::new(Block::Response)),
        };
        match scan.advance(input, &self.limits) {
            Ok(None) => {
                let Some(scan) = kept.or_else(|| fresh.map(Box::new)) else { return };
                self.receive = Receive::Head { scan, since };
            }
            Ok(Some(length)) => {
                if let Err(error) = self.take_head(scan, length, input, now) {
                    self.fail(error, input);
                }
            }
            Err(error) => self.fail(error, input),
        }
    }

    /// Reports the head that is the first `length` bytes of `input`.
    fn take_head(
        &mut self,
        scan: &mut Scan,
        length: usize,
        input: &mut BytesMut,
        now: Instant,
    ) -> Result<(), ReceiveError> {
        let StartLine::Status(line) = scan.start else { return Err(ReceiveError::StartLineInvalid) };
        let exchange = self.exchange_id();
        let is_interim = line.status.is_informational() && line.status != Status::SWITCHING_PROTOCOLS;
        let is_connected = self.exchange.method == Method::Connect && line.status.is_success();
        if line.status == Status::SWITCHING_PROTOCOLS && !self.exchange.wants_upgrade {
            return Err(ReceiveError::UpgradeUnasked);
        }
        let framing = if is_interim || line.status == Status::SWITCHING_PROTOCOLS {
            Framing::Empty
        } else {
            response_framing(&self.exchange.method, line.status, line.version, &scan.facts)?
        };
        let head = cut_head(scan, line, length, input);
        if is_interim {
            self.exchange.informational += 1;
            if self.exchange.informational > self.limits.informational {
                return Err(ReceiveError::TooManyInformational);
            }
            self.exchange.continue_due &= line.status != Status::CONTINUE;
            self.receive = Receive::Awaiting { since: self.is_request_complete().then_some(now) };
            self.pending = Some(ClientEvent::Informational { exchange, head });
            self.unread = input.len();
            return Ok(());
        }
        if line.status == Status::SWITCHING_PROTOCOLS || is_connected {
            self.close = Some(CloseReason::Upgraded);
            self.receive = Receive::HandedOver;
            self.pending = Some(ClientEvent::Upgraded { exchange, head });
            self.unread = input.len();
            return Ok(());
        }
        self.note_persistence(line.version, scan, framing);
        self.begin_body(head, framing, now);
        self.unread = input.len();
        Ok(())
    }

    /// RFC 9112 §9.3, for both sides together.
    fn note_persistence(&mut self, version: Version, scan: &Scan, framing: Framing) {
        let reason = if !persists(version, &scan.facts) {
            CloseReason::PeerAsked
        } else if self.exchange.asked_close {
            CloseReason::WeAsked
        } else if framing == Framing::UntilClose {
            CloseReason::BodyUntilClose
        } else if self.exchange.continue_due {
            // The head promised a body that will not be sent.
            CloseReason::BodyUnfinished
        } else if self.exchange.next >= self.limits.exchanges {
            CloseReason::ExchangesUsedUp
        } else {
            return;
        };
        self.close.get_or_insert(reason);
    }

    fn begin_body(&mut self, head: ResponseHead, framing: Framing, now: Instant) {
        let exchange = self.exchange_id();
        let body = match framing {
            Framing::Empty => BodyLength::Empty,
            Framing::Length(length) => BodyLength::Known(length),
            Framing::Chunked | Framing::UntilClose => BodyLength::Unknown,
        };
        self.pending = Some(ClientEvent::Response { exchange, head, body });
        if let Some(body) = Body::new(framing) {
            let mut pace = Pace::new(now);
            pace.pause(now);
            self.receive = Receive::Body { body, pace };
        } else {
            self.receive = Receive::Ended;
            self.settle();
        }
    }

    fn receive_body(&mut self, input: &mut BytesMut, now: Instant) {
        let exchange = self.exchange_id();
        let Receive::Body { body, pace } = &mut self.receive else { return };
        pace.resume(now);
        match body.step(input, &self.limits) {
            Ok(Step::NeedInput) => {}
            Ok(Step::Data(data)) => {
                pace.received(data.len(), now);
                pace.pause(now);
                self.pending = Some(ClientEvent::Data { exchange, data });
                if body.left() == Some(0) {
                    self.end_due = true;
                    self.receive = Receive::Ended;
                    self.settle();
                }
                self.unread = input.len();
            }
            Ok(Step::End(trailers)) => {
                self.pending = Some(ClientEvent::End { exchange, trailers });
                self.receive = Receive::Ended;
                self.settle();
                self.unread = input.len();
            }
            Err(error) => self.fail(error, input),
        }
    }

    /// The peer has half-closed. What it had sent before is dealt with first.
    pub(super) fn receive_end(&mut self) {
        if self.unread > 0 {
            return;
        }
        let error = match &self.receive {
            Receive::Idle | Receive::Ended => {
                self.close.get_or_insert(CloseReason::PeerClosed);
                if matches!(self.send, Send::Idle) {
                    self.receive = Receive::Finished;
                }
                return;
            }
            // What was reported comes first; `handle_input` comes here again.
            Receive::Awaiting { .. } | Receive::Body { .. } if self.pending.is_some() => return,
            Receive::Awaiting { .. } => ReceiveError::NoResponse,
            Receive::Head { .. } => ReceiveError::HeadCut,
            Receive::Body { body, .. } if body.ends_with_connection() => {
                self.pending = Some(ClientEvent::End { exchange: self.exchange_id(), trailers: None });
                self.receive = Receive::Ended;
                self.settle();
                return;
            }
            Receive::Body { .. } => ReceiveError::BodyCut,
            Receive::HandedOver | Receive::Finished => return,
        };
        self.report_failure(error);
    }

    /// The peer's fault: poisons the connection.
    fn fail(&mut self, error: ReceiveError, input: &mut BytesMut) {
        input.clear();
        self.report_failure(error);
    }

    fn report_failure(&mut self, error: ReceiveError) {
        self.close =
            Some(if error == ReceiveError::NoResponse { CloseReason::PeerClosed } else { CloseReason::ProtocolError });
        self.end_due = false;
        // The rest of the request has no reader.
        self.queue.clear();
        self.receive = Receive::Finished;
        self.pending = Some(ClientEvent::Failed { error });
    }

    pub(super) fn receive_timeout(&mut self, now: Instant) {
        if self.watch.has_expired(&self.queue, now, self.limits.write_timeout) {
            return self.report_failure(ReceiveError::WriteTimedOut);
        }
        let is_host_slow = self.pending.is_some();
        match &mut self.receive {
            Receive::Awaiting { since: Some(since) } | Receive::Head { since, .. }
                if now >= *since + self.limits.head_timeout =>
            {
                self.report_failure(ReceiveError::HeadTimedOut);
            }
            Receive::Body { pace, .. } if !is_host_slow => {
                pace.resume(now);
                if let Err(error) = pace.check(now, &self.limits) {
                    self.report_failure(error);
                }
            }
            _ => {}
        }
    }
}

/// Takes a complete head out of the input.
fn cut_head(scan: &mut Scan, line: StatusLine, length: usize, input: &mut BytesMut) -> ResponseHead {
    let block: Bytes = input.split_to(length).freeze();
    let reason = block.slice(line.reason_start..line.reason_end);
    let headers = Headers::from_received(block, scan.entries.take());
    ResponseHead { status: line.status, reason, version: line.version, headers }
}
