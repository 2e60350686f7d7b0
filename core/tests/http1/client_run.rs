//! Runs a client machine over some input and lists what it reports and sends.
//!
//! The requests are given as text, one per line: `POST /x HTTP/1.1; Host: a; body 5` (or `body chunked`). The next one
//! is sent as soon as the one before is over and the connection can be used again.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use callboard_core::http1::{ClientConnection, ClientEvent, CloseReason, Request, ResponseHead};
use callboard_core::{BodyLength, ExchangeId, Headers, Instant, Limits, Method, Protocol, Random, Version};

use super::feed::Feed;
use super::listing::Listing;
use super::text::{escape, quote};

/// What came out.
pub(crate) struct Outcome {
    pub(crate) listing: String,
    /// The most bytes that waited in the input, after the machine had taken what it wanted.
    pub(crate) waiting: usize,
}

struct Run<'a> {
    machine: ClientConnection,
    input: BytesMut,
    listing: Listing,
    sent: Vec<u8>,
    requests: VecDeque<&'a str>,
    /// The body that waits to be sent.
    body: Option<(ExchangeId, BodyLength)>,
    waiting: usize,
}

const NOW: Instant = Instant::from_nanos(1_000_000_000);

/// The listing of a connection on which `requests` were sent and `input` came, cut as `feed` says, and then its end
/// if `ends`.
pub(crate) fn run(requests: &str, input: &[u8], ends: bool, limits: &Arc<Limits>, mut feed: Feed) -> Outcome {
    let mut run = Run {
        machine: ClientConnection::new(Arc::clone(limits), NOW),
        input: BytesMut::new(),
        listing: Listing::default(),
        sent: Vec::new(),
        requests: requests.lines().collect(),
        body: None,
        waiting: 0,
    };
    run.send_next();
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

impl Run<'_> {
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
            if !reported && self.input.len() == before {
                break;
            }
        }
        self.waiting = self.waiting.max(self.input.len());
    }

    /// Calls that must not matter, in any order.
    fn shuffled_calls(&mut self, random: &mut Random) {
        for _ in 0..random.below(8) {
            match random.below(5) {
                0 => self.machine.handle_timeout(NOW),
                1 => self.machine.handle_input(&mut self.input, NOW),
                2 => assert_eq!(self.machine.poll_timeout(), self.machine.poll_timeout()),
                3 => _ = (self.machine.wants_input(), self.machine.is_reusable(), self.machine.is_finished()),
                _ => {
                    if let Some(event) = self.machine.poll_event() {
                        self.react(event);
                    }
                }
            }
        }
    }

    /// At once after each command: a failure throws away what is still queued.
    fn take_outgoing(&mut self) {
        let queue = self.machine.outgoing();
        let count = queue.remaining();
        self.sent.extend_from_slice(&queue.copy_to_bytes(count));
    }

    fn send_next(&mut self) {
        if self.machine.is_reusable().is_err() {
            return;
        }
        let Some(request) = self.requests.pop_front() else { return };
        let mut parts = request.split("; ");
        let mut line = parts.next().unwrap_or_default().split(' ');
        let method = Method::from_bytes(line.next().unwrap_or_default().as_bytes()).unwrap();
        let target = line.next().unwrap_or("/");
        let version = if line.next() == Some("HTTP/1.0") { Version::Http10 } else { Version::Http11 };
        let mut headers = Headers::new();
        let mut body = BodyLength::Empty;
        for part in parts {
            match (part.strip_prefix("body "), part.split_once(": ")) {
                (Some("chunked"), _) => body = BodyLength::Unknown,
                (Some(length), _) => body = BodyLength::Known(length.parse().unwrap()),
                (_, Some((name, value))) => headers.append(name, value).unwrap(),
                _ => panic!("not a part of a request: {part}"),
            }
        }
        let request = Request { method: &method, target, version, headers: &headers };
        let exchange = self.machine.send_request(&request, body, NOW).unwrap();
        self.body = (body != BodyLength::Empty).then_some((exchange, body));
        self.take_outgoing();
        self.send_body();
    }

    /// Sends the body when the machine lets it.
    fn send_body(&mut self) {
        if !self.machine.wants_body() {
            return;
        }
        let Some((exchange, body)) = self.body.take() else { return };
        let length = if let BodyLength::Known(length) = body { usize::try_from(length).unwrap() } else { 5 };
        self.machine.send_data(exchange, Bytes::from(vec![b'x'; length]), NOW).unwrap();
        self.machine.finish(exchange, None, NOW).unwrap();
        self.take_outgoing();
    }

    fn react(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Informational { exchange, head } => {
                self.list_head("informational", exchange, &head, "");
                self.send_body();
            }
            ClientEvent::Response { exchange, head, body } => {
                self.list_head("response", exchange, &head, &format!(" body {body:?}"));
                if body == BodyLength::Empty {
                    self.send_next();
                }
            }
            ClientEvent::Data { data, .. } => self.listing.data(&data),
            ClientEvent::End { exchange, trailers } => {
                self.listing.line(format_args!("end {}", exchange.0));
                if let Some(trailers) = trailers {
                    self.listing.fields(&trailers);
                }
                self.send_next();
            }
            ClientEvent::Failed { error } => self.listing.line(format_args!("failed {error:?}")),
            ClientEvent::Upgraded { exchange, head } => self.list_head("upgraded", exchange, &head, ""),
        }
    }

    fn list_head(&mut self, what: &str, exchange: ExchangeId, head: &ResponseHead, body: &str) {
        let ResponseHead { status, reason, version, headers } = head;
        let (code, reason) = (status.code(), escape(reason));
        self.listing.line(format_args!("{what} {} {version} {code} \"{reason}\"{body}", exchange.0));
        self.listing.fields(headers);
    }

    fn conclude(mut self, rest: &[u8]) -> Outcome {
        let over = if self.machine.is_finished() { "over" } else { "open" };
        match self.machine.is_reusable() {
            Ok(()) => self.listing.line(format_args!("{over}, reusable")),
            Err(reason) => self.listing.line(format_args!("{over}, not reusable: {reason:?}")),
        }
        if self.machine.is_reusable() == Err(CloseReason::Upgraded) {
            let unread = [&self.input[..], rest].concat();
            self.listing.line(format_args!("unread {}", quote(&unread)));
        }
        self.listing.sent(&self.sent);
        Outcome { listing: self.listing.into_text(), waiting: self.waiting }
    }
}
