//! The server's side of an HTTP/1 connection: its receiving and its sending half.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use callboard_core::http1::{Response, SendError, ServerConnection, ServerEvent};
use callboard_core::{BodyLength, ExchangeId, Headers, Instant, Limits, Protocol, Status};

use crate::table::{Harness, Step, Table, situations};

const NOW: Instant = Instant::from_nanos(1_000_000_000);

/// A machine, and what was heard of it since the last look.
struct Server {
    machine: ServerConnection,
    input: BytesMut,
    exchange: ExchangeId,
    heard: Vec<String>,
    /// The client takes nothing of what is sent.
    stalled: bool,
    /// The host polls nothing until the next event.
    slow: bool,
}

/// How each state comes about.
const SITUATIONS: [Step<Server>; 20] = [
    ("a new connection", |_| {}),
    ("half of a request's head has come", |server| server.receive("GET / HT")),
    ("a request without a body", |server| server.receive(GET)),
    ("a request with a body of 6 bytes", |server| server.receive(POST)),
    ("a part of the body waits to be polled", |server| {
        server.receive(POST);
        server.give("abc");
        server.slow = true;
    }),
    ("a request with a body whose client waits for 100", |server| {
        server.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n");
    }),
    ("a body that the host does not want", |server| {
        server.receive(POST);
        server.machine.discard_body(server.exchange);
    }),
    ("the answer has begun", |server| {
        server.receive(GET);
        server.respond(Status::OK, BodyLength::Known(3)).unwrap();
    }),
    ("the answer has begun before the body has come", |server| {
        server.receive(POST);
        server.respond(Status::OK, BodyLength::Unknown).unwrap();
    }),
    ("the answer is complete before the body has come", |server| {
        server.receive(POST);
        server.respond(Status::OK, BodyLength::Empty).unwrap();
    }),
    ("a request that is to be the last", |server| {
        server.receive("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    }),
    ("a request after which the client has half-closed", |server| {
        server.receive(GET);
        server.machine.handle_end_of_input(NOW);
    }),
    ("a request during which the server was told to drain", |server| {
        server.receive(GET);
        server.machine.drain(NOW);
    }),
    ("a request that asks for another protocol", |server| {
        server.receive("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
    }),
    ("a request that could not be read", |server| server.receive("\x01\r\n\r\n")),
    ("a connection kept after an exchange", |server| {
        server.receive(GET);
        server.respond(Status::OK, BodyLength::Empty).unwrap();
    }),
    ("a kept connection whose client has not taken the answer", |server| {
        server.receive(GET);
        server.respond(Status::OK, BodyLength::Empty).unwrap();
        server.stalled = true;
    }),
    ("the last answer is sent, and the client's end awaited", |server| {
        server.receive("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        server.respond(Status::OK, BodyLength::Empty).unwrap();
    }),
    ("another protocol has the stream", |server| {
        server.receive("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
        server.respond(Status::SWITCHING_PROTOCOLS, BodyLength::Empty).unwrap();
    }),
    ("over", |server| server.machine.abort()),
];

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n";

/// What can happen.
const EVENTS: [Step<Server>; 19] = [
    ("half a head comes", |server| server.receive("GET / HT")),
    ("a request comes", |server| server.receive(GET)),
    ("a request with a body comes", |server| server.receive(POST)),
    ("nonsense comes", |server| server.receive("\x01\r\n\r\n")),
    ("3 bytes come", |server| server.receive("abc")),
    ("6 bytes come", |server| server.receive("abcdef")),
    ("the client half-closes", |server| server.machine.handle_end_of_input(NOW)),
    ("the deadline passes", |server| match server.machine.poll_timeout() {
        Some(due) => server.machine.handle_timeout(due),
        None => server.heard.push("no deadline runs".to_owned()),
    }),
    ("inform 100", |server| server.inform(Status::CONTINUE)),
    ("inform 103", |server| server.inform(Status::EARLY_HINTS)),
    ("respond without a body", |server| server.try_respond(Status::OK, BodyLength::Empty)),
    ("respond with 3 bytes to come", |server| server.try_respond(Status::OK, BodyLength::Known(3))),
    ("respond with unknown length", |server| server.try_respond(Status::OK, BodyLength::Unknown)),
    ("respond 101", |server| server.try_respond(Status::SWITCHING_PROTOCOLS, BodyLength::Empty)),
    ("send 3 bytes", |server| {
        let sent = server.machine.send_data(server.exchange, Bytes::from_static(b"abc"), NOW);
        server.note_refusal(sent);
    }),
    ("finish", |server| {
        let finished = server.machine.finish(server.exchange, None, NOW);
        server.note_refusal(finished);
    }),
    ("discard the body", |server| server.machine.discard_body(server.exchange)),
    ("drain", |server| server.machine.drain(NOW)),
    ("abort", |server| server.machine.abort()),
];

impl Server {
    fn new() -> Self {
        let machine = ServerConnection::new(Arc::new(Limits::default()), NOW);
        Self {
            machine,
            input: BytesMut::new(),
            exchange: ExchangeId(0),
            heard: Vec::new(),
            stalled: false,
            slow: false,
        }
    }

    /// Bytes come; what they lead to is polled.
    fn receive(&mut self, text: &str) {
        self.give(text);
        self.poll();
    }

    /// Bytes come, and nothing is polled.
    fn give(&mut self, text: &str) {
        self.input.extend_from_slice(text.as_bytes());
        self.machine.handle_input(&mut self.input, NOW);
    }

    fn poll(&mut self) {
        while let Some(event) = self.machine.poll_event() {
            self.heard.push(match event {
                ServerEvent::Request { exchange, body, expects_continue, .. } => {
                    self.exchange = exchange;
                    let expects = if expects_continue { ", expects 100" } else { "" };
                    format!("Request {} (body {body:?}{expects})", exchange.0)
                }
                ServerEvent::Data { data, .. } => format!("Data ({} bytes)", data.len()),
                ServerEvent::End { .. } => "End".to_owned(),
                ServerEvent::Failed { exchange, error, answerable } => {
                    self.exchange = exchange;
                    let how = if answerable { format!("answer {}", error.status().code()) } else { "cut".to_owned() };
                    format!("Failed {error:?} ({how})")
                }
                ServerEvent::Upgraded { .. } => "Upgraded".to_owned(),
                ServerEvent::Closed => "Closed".to_owned(),
            });
            self.machine.handle_input(&mut self.input, NOW);
        }
    }

    fn respond(&mut self, status: Status, body: BodyLength) -> Result<(), SendError> {
        let response = Response { status, headers: &Headers::new(), date: None };
        self.machine.respond(self.exchange, &response, body, NOW)
    }

    fn try_respond(&mut self, status: Status, body: BodyLength) {
        let responded = self.respond(status, body);
        self.note_refusal(responded);
    }

    fn inform(&mut self, status: Status) {
        let informed = self.machine.inform(self.exchange, status, &Headers::new(), NOW);
        self.note_refusal(informed);
    }

    fn note_refusal(&mut self, result: Result<(), SendError>) {
        if let Err(error) = result {
            self.heard.push(format!("refused, {error:?}"));
        }
    }

    /// Takes what waits to be sent, unless the client takes nothing.
    fn take_outgoing(&mut self) -> String {
        let queue = self.machine.outgoing();
        let count = if self.stalled { 0 } else { queue.remaining() };
        String::from_utf8(queue.copy_to_bytes(count).to_vec()).unwrap()
    }
}

impl Harness for Server {
    fn state(&self) -> String {
        self.machine.states().join(" / ")
    }

    fn heard(&mut self) -> &mut Vec<String> {
        &mut self.heard
    }

    fn settle(&mut self) {
        if !self.slow {
            self.poll();
        }
        self.take_outgoing();
    }

    fn happen(&mut self, step: fn(&mut Self)) {
        let (reason, waiting) = (self.machine.close_reason(), self.input.len());
        step(self);
        self.machine.handle_input(&mut self.input, NOW);
        self.poll();
        let sent = self.take_outgoing();
        if !sent.is_empty() {
            self.heard.push(format!("sends {}", sent.replace("\r\n", "|")));
        }
        if let Some(reason) = self.machine.close_reason().filter(|now| Some(*now) != reason) {
            self.heard.push(format!("to close: {reason:?}"));
        }
        if self.input.len() > waiting {
            self.heard.push(format!("{} bytes wait", self.input.len()));
        }
    }
}

pub(crate) fn table() -> Table {
    Table {
        name: "http1_server",
        title: "HTTP/1, the server's side of a connection",
        about: "A state is what the receiving half does, and what the sending half does. The host polls every event at \
            once, and the client takes what is sent at once, where nothing else is said. A line end that is sent is \
            shown as a bar.",
        parts: &["The receiving half", "The sending half"],
        situations: situations(Server::new, &SITUATIONS, &EVENTS),
    }
}
