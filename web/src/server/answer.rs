//! What a connection does for its exchange: polls what answers, and sends what that gives.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use callboard_core::http1::{Response as ResponseHead, SendError};
use callboard_core::{BodyLength, Protocol, Status};

use super::connection::Connection;
use super::date;
use super::exchange::Answer;
use crate::Response;
use crate::body::{Body, Feed};
use crate::link::Order;
use crate::response::IntoResponse;

impl Connection {
    /// Polls whatever answers. Whether it went on.
    pub(super) fn turn_answer(&mut self, context: &mut Context<'_>) -> bool {
        let Some(exchange) = &mut self.exchange else { return false };
        if !exchange.is_due {
            return false;
        }
        match &mut exchange.answer {
            Answer::Running(running) => {
                exchange.is_due = false;
                let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(running).poll(context)));
                match polled {
                    Ok(Poll::Pending) => return false,
                    Ok(Poll::Ready(response)) => self.answer(response, context),
                    Err(_) => self.respond_to_panic(),
                }
                true
            }
            Answer::Sending(_) => self.turn_body(context),
            Answer::Cut => self.turn_cut(),
            Answer::None | Answer::Upgrading(_) => false,
        }
    }

    /// Sends what the handler gave. A body that is a stream is asked for its first part before the head is sent: then
    /// both leave in one write, a body that fails at once is answered with its status, and a client that waits for
    /// `100 Continue` gets it if the body is its own.
    fn answer(&mut self, mut response: Response, context: &mut Context<'_>) {
        let length = response.body().length();
        let is_bodiless = response.status().forbids_body() || self.exchange.as_ref().is_none_or(|open| open.is_head);
        if !response.body().is_streamed() || is_bodiless || response.has_takeover() {
            return self.respond(response);
        }
        let polled = catch_unwind(AssertUnwindSafe(|| response.body_mut().poll_chunk(context)));
        match polled {
            Ok(Poll::Pending) => {
                if let (Some(driver), Some(exchange)) = (&mut self.driver, &mut self.exchange) {
                    exchange.continue_if_wanted(driver);
                }
                self.respond_sized(response, length);
            }
            Ok(Poll::Ready(Some(Ok(first)))) => {
                self.respond_sized(response, length);
                self.send(first);
            }
            Ok(Poll::Ready(None)) => self.respond_sized(response.with_body(Body::empty()), length),
            Ok(Poll::Ready(Some(Err(error)))) => {
                self.respond(error.into_response());
            }
            Err(_) => self.respond_to_panic(),
        }
    }

    /// Sends a part of the answer's body.
    fn send(&mut self, data: Bytes) {
        let (Some(driver), Some(exchange)) = (&mut self.driver, &self.exchange) else { return };
        let now = driver.now();
        if driver.machine().send_data(exchange.id, data, now).is_err() {
            self.lose();
        }
    }

    /// Sends the next parts of the answer's body, while the peer takes them.
    fn turn_body(&mut self, context: &mut Context<'_>) -> bool {
        let most = self.link.facts().limits.send_buffer;
        let mut has_progressed = false;
        loop {
            let (Some(driver), Some(exchange)) = (&mut self.driver, &mut self.exchange) else { return has_progressed };
            let Answer::Sending(body) = &mut exchange.answer else { return has_progressed };
            if driver.machine_unlent().outgoing().remaining() >= most {
                return has_progressed;
            }
            let polled = catch_unwind(AssertUnwindSafe(|| body.poll_chunk(context)));
            let now = driver.now();
            let sent = match polled {
                Ok(Poll::Pending) => {
                    exchange.is_due = false;
                    return has_progressed;
                }
                Ok(Poll::Ready(Some(Ok(data)))) => driver.machine().send_data(exchange.id, data, now),
                Ok(Poll::Ready(None)) => {
                    let finished = driver.machine().finish(exchange.id, None, now);
                    self.close(finished);
                    return true;
                }
                // The head has promised a body that will not be complete: the peer must see a cut.
                Ok(Poll::Ready(Some(Err(_)))) | Err(_) => Err(SendError::BodyTooShort),
            };
            if sent.is_err() {
                exchange.answer = Answer::Cut;
                return true;
            }
            has_progressed = true;
        }
    }

    /// Cuts the connection once what came before the fault is sent: the peer learns how far the answer went.
    fn turn_cut(&mut self) -> bool {
        let is_sent = self.driver.as_mut().is_none_or(|driver| !driver.machine_unlent().outgoing().has_remaining());
        if is_sent {
            self.lose();
        }
        is_sent
    }

    /// Sends the answer, or as much of it as there is.
    pub(super) fn respond(&mut self, response: Response) {
        let length = response.body().length();
        self.respond_sized(response, length);
    }

    /// The same with the length to announce, which a body that was begun no longer knows.
    fn respond_sized(&mut self, mut response: Response, length: BodyLength) {
        let (Some(driver), Some(exchange)) = (&mut self.driver, &mut self.exchange) else {
            self.exchange = None;
            return;
        };
        if response.has_takeover() {
            // RFC 9110 §7.8: 100 comes before 101, for the body is read all the same.
            exchange.send_continue(driver);
        }
        // Known before the answer, so that its head can say whether the connection goes on.
        if exchange.feed.as_ref().is_some_and(Feed::is_abandoned) {
            exchange.feed = None;
            driver.machine_unlent().discard_body(exchange.id);
        }
        let now = driver.now();
        let shared = &self.registration.shared;
        let date = date::current(shared.number, now, &shared.runtime);
        let mut body = response.take_body();
        let status = response.status();
        let head = ResponseHead { status, headers: response.headers(), date: Some(&date) };
        let machine = driver.machine();
        // An order that came since the round began holds for this answer, too.
        if self.link.orders().ordered() == Order::Drain {
            machine.drain(now);
        }
        // Nearly every answer is whole, and is sent in one step.
        let is_switch = response.has_takeover() || status.is_informational() || exchange.is_connect;
        if let Some(bytes) = if is_switch { None } else { body.take_full() } {
            let answered = machine.answer(exchange.id, &head, bytes, now);
            return self.close(answered);
        }
        match machine.respond(exchange.id, &head, length, now) {
            Ok(()) => {}
            Err(SendError::StatusMisplaced) => return self.respond_misplaced(),
            Err(SendError::BodyUnread) => return self.respond(Response::of_status(Status::CONTENT_TOO_LARGE)),
            Err(_) => return self.lose(),
        }
        if let Some(takeover) = response.take_takeover()
            && (status == Status::SWITCHING_PROTOCOLS || exchange.is_connect && status.is_success())
        {
            exchange.answer = Answer::Upgrading(takeover);
            self.events_due = true;
            return;
        }
        if exchange.is_head || status.forbids_body() {
            let finished = machine.finish(exchange.id, None, now);
            return self.close(finished);
        }
        let Some(bytes) = body.take_whole() else {
            exchange.answer = Answer::Sending(body);
            exchange.is_due = true;
            return;
        };
        let mut sent = Ok(());
        if !bytes.is_empty() {
            sent = machine.send_data(exchange.id, bytes, now);
        }
        let finished = sent.and_then(|()| machine.finish(exchange.id, None, now));
        self.close(finished);
    }

    /// A status that cannot be sent here (1xx, or 101 where nobody asked for it) is our mistake.
    #[cold]
    fn respond_misplaced(&mut self) {
        self.respond(Response::of_status(Status::INTERNAL_SERVER_ERROR));
    }

    /// The answer is complete, or cannot be.
    fn close(&mut self, finished: Result<(), SendError>) {
        self.exchange = None;
        if finished.is_err() {
            self.lose();
        }
    }
}
