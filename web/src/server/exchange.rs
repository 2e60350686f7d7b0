//! One exchange of a connection: its handler, its request's body on the way in, its answer on the way out.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use callboard_core::http1::{Response as ResponseHead, SendError, ServerConnection};
use callboard_core::{BodyLength, ExchangeId, Headers, Method, Protocol, Status};
use callboard_runtime::Driver;

use super::connection::Connection;
use super::date;
use crate::body::{Body, BodyError, Feed};
use crate::fate::Notice;
use crate::link::Order;
use crate::response::{IntoResponse, Takeover};
use crate::running::Running;
use crate::{Fate, Response};

/// A request and its answer.
pub(super) struct Exchange {
    pub(super) id: ExchangeId,
    pub(super) answer: Answer,
    pub(super) fate: Fate,
    pub(super) notice: Option<Arc<Notice>>,
    /// The request's body, while it is incomplete and wanted.
    feed: Option<Feed>,
    /// The methods that change what an answer is: HEAD has no body, a tunnel follows CONNECT.
    is_head: bool,
    is_connect: bool,
    /// The client waits for `100 Continue`.
    continue_due: bool,
    /// The answer is to be polled: something happened that may let it go on.
    pub(super) is_due: bool,
    pub(super) is_upgraded: bool,
}

/// How far the answer is.
pub(super) enum Answer {
    /// There is none yet, and nobody at it.
    None,
    Running(Running),
    Sending(Body),
    Upgrading(Takeover),
}

impl Exchange {
    pub(super) fn new(id: ExchangeId, method: &Method, feed: Option<Feed>, continue_due: bool) -> Self {
        Self {
            id,
            answer: Answer::None,
            fate: Fate::Finish,
            notice: None,
            feed,
            is_head: *method == Method::Head,
            is_connect: *method == Method::Connect,
            continue_due,
            is_due: true,
            is_upgraded: false,
        }
    }

    /// One that stands for a request that could not be read.
    pub(super) fn refused(id: ExchangeId) -> Self {
        Self::new(id, &Method::Get, None, false)
    }

    /// Whether the next event can be taken. Also passes on what the reader of the body wants.
    pub(super) fn has_room(&mut self, driver: &mut Driver<ServerConnection>, waker: &Waker) -> bool {
        let Some(feed) = &self.feed else { return true };
        if feed.is_abandoned() {
            self.feed = None;
            driver.machine_unlent().discard_body(self.id);
            return true;
        }
        let has_room = feed.has_room(waker);
        if self.continue_due {
            self.continue_if_wanted(driver);
        }
        has_room
    }

    /// Sends `100 Continue` once the body is asked for.
    fn continue_if_wanted(&mut self, driver: &mut Driver<ServerConnection>) {
        if self.feed.as_ref().is_some_and(Feed::is_wanted) {
            self.send_continue(driver);
        }
    }

    fn send_continue(&mut self, driver: &mut Driver<ServerConnection>) {
        if std::mem::take(&mut self.continue_due) {
            let now = driver.now();
            // It fails only when the answer has begun, and then it is not needed.
            let _ = driver.machine().inform(self.id, Status::CONTINUE, &Headers::new(), now);
        }
    }

    /// A part of the request's body came.
    pub(super) fn put(&mut self, data: Bytes) {
        if let Some(feed) = &self.feed {
            feed.put(data);
            self.is_due = true;
        }
    }

    /// The request's body is complete.
    pub(super) fn complete(&mut self, trailers: Option<Box<Headers>>) {
        if let Some(feed) = self.feed.take() {
            feed.complete(trailers);
            self.is_due = true;
        }
    }

    /// The request's body will not be complete.
    pub(super) fn fail(&mut self, error: BodyError) {
        if let Some(feed) = self.feed.take() {
            feed.fail(error);
            self.is_due = true;
        }
    }

    /// Tells the handler that its peer went away.
    pub(super) fn notify(&mut self) {
        if let Some(notice) = &self.notice {
            notice.tell();
            self.is_due = true;
        }
    }

    /// The peer is gone: whether the handler runs on.
    pub(super) fn outlives_peer(&mut self) -> bool {
        self.fail(BodyError::Cut);
        self.notify();
        self.is_due = true;
        matches!(self.answer, Answer::Running(_)) && self.fate != Fate::Cancel
    }

    pub(super) fn is_cancelled_with_peer(&self) -> bool {
        self.fate == Fate::Cancel || !matches!(self.answer, Answer::Running(_))
    }
}

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
                Ok(Poll::Ready(Some(Err(_)))) | Err(_) => {
                    self.lose();
                    return true;
                }
            };
            if sent.is_err() {
                self.lose();
                return true;
            }
            has_progressed = true;
        }
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
        if self.link.ordered() == Order::Drain {
            machine.drain(now);
        }
        match machine.respond(exchange.id, &head, length, now) {
            Ok(()) => {}
            Err(SendError::StatusMisplaced) => return self.respond_misplaced(),
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
