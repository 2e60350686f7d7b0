//! Runs a server machine over some input and lists what it reports and sends.
//!
//! The host's part is fixed: a request is answered when it is complete, 100 is given to whom waits for it, an upgrade
//! is taken, and a failure is answered with its status.

use std::sync::Arc;

use bytes::{Buf, BytesMut};
use callboard_core::http1::{RequestHead, Response, ServerConnection, ServerEvent};
use callboard_core::{BodyLength, ExchangeId, Headers, Instant, Limits, Protocol, Random, Status, header};

use super::feed::Feed;
use super::listing::Listing;

/// What came out.
pub(crate) struct Outcome {
    pub(crate) listing: String,
    /// The most bytes that waited in the input, after the machine had taken what it wanted.
    pub(crate) waiting: usize,
}

struct Run {
    machine: ServerConnection,
    input: BytesMut,
    listing: Listing,
    sent: Vec<u8>,
    /// Whether the request in progress asks for a tunnel or another protocol.
    switch: Option<Status>,
    waiting: usize,
}

const NOW: Instant = Instant::from_nanos(1_000_000_000);

/// The listing of a connection on which `input` came, cut as `feed` says, and then its end if `ends`.
pub(crate) fn run(input: &[u8], ends: bool, limits: &Arc<Limits>, mut feed: Feed) -> Outcome {
    let mut run = Run {
        machine: ServerConnection::new(Arc::clone(limits), NOW),
        input: BytesMut::new(),
        listing: Listing::default(),
        sent: Vec::new(),
        switch: None,
        waiting: 0,
    };
    let (mut rest, mut is_told) = (input, false);
    while !rest.is_empty() && run.machine.wants_input() {
        let piece;
        (piece, rest) = rest.split_at(feed.next(rest.len()));
        run.input.extend_from_slice(piece);
        if ends && rest.is_empty() && feed.tells_end_first() {
            run.machine.handle_input(&mut run.input, NOW);
            run.machine.handle_end_of_input(NOW);
            is_told = true;
        }
        run.turn(&mut feed);
    }
    if ends && !is_told && run.machine.wants_input() {
        run.machine.handle_end_of_input(NOW);
        run.turn(&mut feed);
    }
    run.conclude(rest)
}

impl Run {
    /// Goes on until nothing more follows from what has come.
    fn turn(&mut self, feed: &mut Feed) {
        loop {
            let before = self.input.len();
            if let Some(random) = feed.shuffle() {
                self.shuffled_calls(random);
            }
            self.machine.handle_input(&mut self.input, NOW);
            let mut reported = false;
            while let Some(event) = self.machine.poll_event() {
                reported = true;
                self.react(event);
            }
            self.take_outgoing(usize::MAX);
            if !reported && self.input.len() == before {
                break;
            }
        }
        self.waiting = self.waiting.max(self.input.len());
    }

    /// Calls that must not matter, in any order.
    fn shuffled_calls(&mut self, random: &mut Random) {
        for _ in 0..random.below(8) {
            match random.below(6) {
                0 => self.machine.handle_timeout(NOW),
                1 => self.machine.handle_input(&mut self.input, NOW),
                2 => self.take_outgoing(usize::try_from(random.below(20)).unwrap_or_default()),
                3 => assert_eq!(self.machine.poll_timeout(), self.machine.poll_timeout()),
                4 => _ = (self.machine.wants_input(), self.machine.is_idle(), self.machine.is_finished()),
                _ => {
                    if let Some(event) = self.machine.poll_event() {
                        self.react(event);
                    }
                }
            }
        }
    }

    fn take_outgoing(&mut self, most: usize) {
        let queue = self.machine.outgoing();
        let count = most.min(queue.remaining());
        self.sent.extend_from_slice(&queue.copy_to_bytes(count));
    }

    fn react(&mut self, event: ServerEvent) {
        match event {
            ServerEvent::Request { exchange, head, body, expects_continue } => {
                self.list_request(exchange, &head, body, expects_continue);
                self.switch = switch_of(&head);
                if expects_continue {
                    self.machine.inform(exchange, Status::CONTINUE, &Headers::new(), NOW).unwrap();
                }
                if body == BodyLength::Empty {
                    self.answer(exchange);
                }
            }
            ServerEvent::Data { data, .. } => self.listing.data(&data),
            ServerEvent::End { exchange, trailers } => {
                self.listing.line(format_args!("end {}", exchange.0));
                if let Some(trailers) = trailers {
                    self.listing.fields(&trailers);
                }
                self.answer(exchange);
            }
            ServerEvent::Failed { exchange, error, answerable } => {
                let how = if answerable { "answerable" } else { "cut" };
                self.listing.line(format_args!("failed {} {error:?} {} {how}", exchange.0, error.status().code()));
                if answerable {
                    self.respond(exchange, error.status());
                }
            }
            ServerEvent::Upgraded { exchange } => self.listing.line(format_args!("upgraded {}", exchange.0)),
            ServerEvent::Closed => self.listing.line("closed"),
        }
    }

    fn list_request(&mut self, exchange: ExchangeId, head: &RequestHead, body: BodyLength, expects_continue: bool) {
        let RequestHead { method, target, version, headers } = head;
        let expects = if expects_continue { " expects 100" } else { "" };
        self.listing.line(format_args!("request {} {method} {target} {version} body {body:?}{expects}", exchange.0));
        self.listing.fields(headers);
    }

    fn answer(&mut self, exchange: ExchangeId) {
        match self.switch.take() {
            Some(status) => self.respond(exchange, status),
            None => self.respond(exchange, Status::OK),
        }
    }

    fn respond(&mut self, exchange: ExchangeId, status: Status) {
        let mut headers = Headers::new();
        if status == Status::SWITCHING_PROTOCOLS {
            headers.append(header::CONNECTION, "upgrade").unwrap();
            headers.append(header::UPGRADE, "test").unwrap();
        }
        let response = Response { status, headers: &headers, date: None };
        let answered = self.machine.respond(exchange, &response, BodyLength::Empty, NOW);
        if answered.is_err() && status == Status::SWITCHING_PROTOCOLS {
            return self.respond(exchange, Status::OK);
        }
        answered.unwrap();
    }

    fn conclude(mut self, rest: &[u8]) -> Outcome {
        self.take_outgoing(usize::MAX);
        let machine = &self.machine;
        let state = match (machine.is_finished(), machine.wants_half_close(), machine.is_idle()) {
            (true, ..) => "over",
            (_, true, _) => "lingers",
            (.., true) => "idle",
            _ => "busy",
        };
        match machine.close_reason() {
            Some(reason) => self.listing.line(format_args!("{state} {reason:?}")),
            None => self.listing.line(state),
        }
        if machine.close_reason() == Some(callboard_core::http1::CloseReason::Upgraded) {
            let unread = [&self.input[..], rest].concat();
            self.listing.line(format_args!("unread {}", super::text::quote(&unread)));
        }
        self.listing.sent(&self.sent);
        Outcome { listing: self.listing.into_text(), waiting: self.waiting }
    }
}

/// What the host answers to a request that asks for another protocol.
fn switch_of(head: &RequestHead) -> Option<Status> {
    if head.method == callboard_core::Method::Connect {
        return Some(Status::OK);
    }
    let asks = head.headers.contains(header::UPGRADE) && head.headers.has_token(header::CONNECTION, "upgrade");
    asks.then_some(Status::SWITCHING_PROTOCOLS)
}
