//! The server's commands: interim and final responses, data, and the ways to end.

use bytes::Bytes;

use crate::headers::lists;
use crate::http1::outbound::SendBody;
use crate::http1::{CloseReason, SendError, encode};
use crate::{BodyLength, ExchangeId, Headers, Instant, Status, Version, header};

use super::{Receive, Response, Send, ServerConnection};

impl ServerConnection {
    /// Sends an interim response: 100 or another 1xx but 101 (RFC 9110 §15.2).
    ///
    /// Nothing is sent to a client of HTTP/1.0, and 100 only to a client that waits for it.
    pub fn inform(
        &mut self,
        exchange: ExchangeId,
        status: Status,
        headers: &Headers,
        now: Instant,
    ) -> Result<(), SendError> {
        self.check_awaiting(exchange)?;
        if !status.is_informational() || status == Status::SWITCHING_PROTOCOLS {
            return Err(SendError::StatusMisplaced);
        }
        let is_continue = status == Status::CONTINUE;
        if self.exchange.version == Version::Http10 || (is_continue && !self.exchange.continue_due) {
            return Ok(());
        }
        if is_continue {
            self.exchange.continue_due = false;
            if let Receive::Body { pace, .. } = &mut self.receive {
                pace.resume(now);
            }
        }
        self.watch.note(&self.queue, now);
        encode::status_line(&mut self.queue, status);
        encode::fields(&mut self.queue, headers, encode::is_framing);
        self.queue.put_slice(b"\r\n");
        Ok(())
    }

    /// Starts the final response, or switches protocols (101, or 2xx to CONNECT). A switch waits for the end of the
    /// request's body, which must have been read or be discarded.
    ///
    /// `Empty` ends the response here. Otherwise [`finish`](Self::finish) does, after
    /// [`send_data`](Self::send_data); for HEAD, 204 and 304 the data is left out of the wire.
    pub fn respond(
        &mut self,
        exchange: ExchangeId,
        response: &Response<'_>,
        body: BodyLength,
        now: Instant,
    ) -> Result<(), SendError> {
        let Some(send) = self.send_head(exchange, response, body, now)? else { return Ok(()) };
        self.send = match body {
            BodyLength::Empty => Send::Done,
            _ => Send::Body(send),
        };
        self.settle(now);
        Ok(())
    }

    /// Sends a whole response of which the body is at hand: [`respond`](Self::respond), [`send_data`](Self::send_data)
    /// and [`finish`](Self::finish) in one step.
    pub fn answer(
        &mut self,
        exchange: ExchangeId,
        response: &Response<'_>,
        body: Bytes,
        now: Instant,
    ) -> Result<(), SendError> {
        let length = BodyLength::Known(body.len() as u64);
        let Some(send) = self.send_head(exchange, response, length, now)? else { return Ok(()) };
        if send != SendBody::Suppressed {
            self.queue.put_bytes(body);
        }
        self.send = Send::Done;
        self.settle(now);
        Ok(())
    }

    /// Queues the head of a response. `None`: the protocol was switched.
    #[inline]
    fn send_head(
        &mut self,
        exchange: ExchangeId,
        response: &Response<'_>,
        body: BodyLength,
        now: Instant,
    ) -> Result<Option<SendBody>, SendError> {
        self.check_awaiting(exchange)?;
        let status = response.status;
        if self.is_switch(status) {
            return self.switch(response, now).map(|()| None);
        }
        if status.is_informational() {
            return Err(SendError::StatusMisplaced);
        }
        // A client that still waits for 100 may never send its body: the connection cannot be told apart from here.
        if self.exchange.continue_due || self.leaves_too_much() {
            self.exchange.keep_alive = false;
            self.close.get_or_insert(CloseReason::BodyUnfinished);
        }
        self.watch.note(&self.queue, now);
        encode::status_line(&mut self.queue, status);
        let send = self.frame(response, body);
        self.write_connection();
        encode::date_and_end(&mut self.queue, response.date);
        Ok(Some(send))
    }

    /// Sends a part of the response's body. Wait while `outgoing` holds more than `Limits::send_buffer`.
    pub fn send_data(&mut self, exchange: ExchangeId, data: Bytes, now: Instant) -> Result<(), SendError> {
        self.check_exchange(exchange)?;
        let Send::Body(body) = &mut self.send else { return Err(SendError::NotStarted) };
        self.watch.note(&self.queue, now);
        body.send(data, &mut self.queue)
    }

    /// Ends the response's body, with trailers if it is chunked. Harmless on an exchange that is over.
    pub fn finish(&mut self, exchange: ExchangeId, trailers: Option<&Headers>, now: Instant) -> Result<(), SendError> {
        if self.is_over(exchange) {
            return Ok(());
        }
        let Send::Body(body) = self.send else { return Err(SendError::NotStarted) };
        self.watch.note(&self.queue, now);
        body.finish(trailers, &mut self.queue)?;
        self.send = Send::Done;
        self.settle(now);
        Ok(())
    }

    /// The host will not read the rest of the request's body: it is thrown away, within `Limits::discard_bytes` for
    /// the connection to be kept.
    pub fn discard_body(&mut self, exchange: ExchangeId) {
        if self.exchange.id == exchange
            && let Receive::Body { discard, .. } = &mut self.receive
        {
            discard.get_or_insert(self.limits.discard_bytes);
            self.drop_body_event();
        }
    }

    /// Whether the host does not want the rest of the body, and it is known to be too long to be read for nothing.
    fn leaves_too_much(&self) -> bool {
        let Receive::Body { body, discard: Some(budget), .. } = &self.receive else { return false };
        body.left().is_some_and(|left| left > *budget)
    }

    /// Ends the connection at once: what is queued is dropped, and the peer sees a cut.
    pub fn abort(&mut self) {
        self.close.get_or_insert(CloseReason::Aborted);
        self.pending = None;
        self.stop();
    }

    /// Ends the connection gracefully: now if it is idle, else with the answer to the request in progress.
    pub fn drain(&mut self, now: Instant) {
        self.draining = true;
        if matches!(self.receive, Receive::Idle { .. }) {
            self.begin_close(CloseReason::WeAsked, now);
        } else if matches!(self.send, Send::Awaiting | Send::Body(_)) {
            self.exchange.keep_alive = false;
            self.close.get_or_insert(CloseReason::WeAsked);
        }
    }

    /// Writes the fields that the caller gave and those that frame the body (RFC 9112 §6).
    fn frame(&mut self, response: &Response<'_>, body: BodyLength) -> SendBody {
        let queue = &mut self.queue;
        let is_suppressed = self.exchange.is_head || response.status.forbids_body();
        // Where no body may follow, a length says what GET would have got; 204 has none (RFC 9110 §8.6).
        let keeps_length = is_suppressed && body == BodyLength::Empty && response.status != Status::NO_CONTENT;
        for (name, value) in response.headers.fields() {
            if !encode::is_framing(name) || (keeps_length && name.len() == header::CONTENT_LENGTH.len()) {
                queue.put_field(name, value);
            } else if name.len() == header::CONNECTION.len() && lists(value, b"close") {
                self.exchange.keep_alive = false;
                self.close.get_or_insert(CloseReason::WeAsked);
            }
        }
        match body {
            BodyLength::Known(length) if is_suppressed => {
                if response.status != Status::NO_CONTENT {
                    encode::content_length(queue, length);
                }
                SendBody::Suppressed
            }
            _ if is_suppressed => SendBody::Suppressed,
            BodyLength::Empty => {
                encode::content_length(queue, 0);
                SendBody::Length(0)
            }
            BodyLength::Known(length) => {
                encode::content_length(queue, length);
                SendBody::Length(length)
            }
            BodyLength::Unknown if self.exchange.version == Version::Http11 => {
                queue.put_slice(b"Transfer-Encoding: chunked\r\n");
                SendBody::Chunked
            }
            BodyLength::Unknown => {
                self.exchange.keep_alive = false;
                self.close.get_or_insert(CloseReason::BodyUntilClose);
                SendBody::UntilClose
            }
        }
    }

    /// RFC 9112 §9.3: silence means the version's default.
    fn write_connection(&mut self) {
        match (self.exchange.keep_alive, self.exchange.version) {
            (false, _) => self.queue.put_slice(b"Connection: close\r\n"),
            (true, Version::Http10) => self.queue.put_slice(b"Connection: keep-alive\r\n"),
            (true, Version::Http11) => {}
        }
    }

    fn is_switch(&self, status: Status) -> bool {
        status == Status::SWITCHING_PROTOCOLS || (self.exchange.is_connect && status.is_success())
    }

    /// RFC 9110 §7.8 and §9.3.6: from here on the stream is another protocol's.
    fn switch(&mut self, response: &Response<'_>, now: Instant) -> Result<(), SendError> {
        let is_asked = self.exchange.wants_upgrade || self.exchange.is_connect;
        let is_body_over = match self.receive {
            Receive::Ended => true,
            Receive::Body { discard: Some(_), .. } if !self.exchange.continue_due => false,
            _ => return Err(SendError::StatusMisplaced),
        };
        if !is_asked {
            return Err(SendError::StatusMisplaced);
        }
        if self.leaves_too_much() {
            return Err(SendError::BodyUnread);
        }
        self.watch.note(&self.queue, now);
        encode::status_line(&mut self.queue, response.status);
        encode::fields(&mut self.queue, response.headers, |name| {
            encode::is_framing(name) && name.len() != header::CONNECTION.len()
        });
        encode::date_and_end(&mut self.queue, response.date);
        self.send = Send::Done;
        self.is_switching = true;
        if is_body_over {
            self.hand_over();
        }
        Ok(())
    }

    /// The request is complete and its answer says 101: what follows is not ours.
    pub(super) fn hand_over(&mut self) {
        self.receive = Receive::HandedOver;
        self.close = Some(CloseReason::Upgraded);
        self.upgraded_due = true;
    }

    fn check_exchange(&self, exchange: ExchangeId) -> Result<(), SendError> {
        if exchange == self.exchange.id && !matches!(self.send, Send::Idle | Send::Done) {
            Ok(())
        } else {
            Err(SendError::UnknownExchange)
        }
    }

    fn check_awaiting(&self, exchange: ExchangeId) -> Result<(), SendError> {
        self.check_exchange(exchange)?;
        if matches!(self.send, Send::Awaiting) { Ok(()) } else { Err(SendError::AlreadyStarted) }
    }

    fn is_over(&self, exchange: ExchangeId) -> bool {
        let begun = self.exchanges();
        exchange.0 < begun && (exchange.0 + 1 < begun || matches!(self.send, Send::Idle | Send::Done))
    }
}
