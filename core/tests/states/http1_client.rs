//! The client's side of an HTTP/1 connection: its receiving and its sending half.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use callboard_core::http1::{ClientConnection, ClientEvent, CloseReason, Request, SendError};
use callboard_core::{BodyLength, ExchangeId, Headers, Instant, Limits, Method, Protocol, Version};

use crate::table::{Harness, Step, Table, situations};

const NOW: Instant = Instant::from_nanos(1_000_000_000);

/// A machine, and what was heard of it since the last look.
struct Client {
    machine: ClientConnection,
    input: BytesMut,
    exchange: ExchangeId,
    heard: Vec<String>,
    /// The server takes nothing of what is sent.
    stalled: bool,
    /// The host polls nothing until the next event.
    slow: bool,
}

const NO_BODY: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const WHOLE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
const SIX: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n";

/// How each state comes about.
const SITUATIONS: [Step<Client>; 18] = [
    ("a new connection", |_| {}),
    ("a request without a body is sent", |client| client.send(&[], BodyLength::Empty)),
    ("a request whose body of 3 bytes is to be sent", |client| client.send(&[], BodyLength::Known(3))),
    ("a request whose body waits for 100", |client| {
        client.send(&[("Expect", "100-continue")], BodyLength::Known(3));
    }),
    ("half of the response's head has come", |client| {
        client.send(&[], BodyLength::Empty);
        client.receive("HTTP/1.1 20");
    }),
    ("a response with a body of 6 bytes", |client| {
        client.send(&[], BodyLength::Empty);
        client.receive(SIX);
    }),
    ("a part of the body waits to be polled", |client| {
        client.send(&[], BodyLength::Empty);
        client.receive(SIX);
        client.give("abc");
        client.slow = true;
    }),
    ("a response whose body ends with the connection", |client| {
        client.send(&[], BodyLength::Empty);
        client.receive("HTTP/1.1 200 OK\r\n\r\n");
    }),
    ("the response has begun before the body is sent", |client| {
        client.send(&[], BodyLength::Known(3));
        client.receive(SIX);
    }),
    ("the response is complete before the body is sent", |client| {
        client.send(&[], BodyLength::Known(3));
        client.receive(WHOLE);
    }),
    ("the response refuses a body that waited for 100", |client| {
        client.send(&[("Expect", "100-continue")], BodyLength::Known(3));
        client.receive(WHOLE);
    }),
    ("a request that is to be the last", |client| client.send(&[("Connection", "close")], BodyLength::Empty)),
    ("a request that asks for another protocol", |client| {
        client.send(&[("Connection", "upgrade"), ("Upgrade", "x")], BodyLength::Empty);
    }),
    ("a request that the server does not take", |client| {
        client.stalled = true;
        client.send(&[], BodyLength::Empty);
    }),
    ("a connection kept after an exchange", |client| {
        client.send(&[], BodyLength::Empty);
        client.receive(WHOLE);
    }),
    ("a response after which the server closes", |client| {
        client.send(&[], BodyLength::Known(3));
        client.receive("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc");
    }),
    ("another protocol has the stream", |client| {
        client.send(&[("Connection", "upgrade"), ("Upgrade", "x")], BodyLength::Empty);
        client.receive("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    }),
    ("over", |client| client.machine.abort()),
];

/// What can happen.
const EVENTS: [Step<Client>; 18] = [
    ("half a head comes", |client| client.receive("HTTP/1.1 20")),
    ("a response without a body comes", |client| client.receive(NO_BODY)),
    ("a response of 3 bytes comes", |client| client.receive(WHOLE)),
    ("the head of 6 bytes comes", |client| client.receive(SIX)),
    ("100 comes", |client| client.receive("HTTP/1.1 100 Continue\r\n\r\n")),
    ("103 comes", |client| client.receive("HTTP/1.1 103 Early Hints\r\n\r\n")),
    ("101 comes", |client| client.receive("HTTP/1.1 101 Switching Protocols\r\n\r\n")),
    ("nonsense comes", |client| client.receive("\x01\r\n\r\n")),
    ("3 bytes come", |client| client.receive("abc")),
    ("6 bytes come", |client| client.receive("abcdef")),
    ("the server half-closes", |client| client.machine.handle_end_of_input(NOW)),
    ("the deadline passes", |client| match client.machine.poll_timeout() {
        Some(due) => client.machine.handle_timeout(due),
        None => client.heard.push("no deadline runs".to_owned()),
    }),
    ("send a request", |client| client.try_send(&[], BodyLength::Empty)),
    ("send a request with a body", |client| client.try_send(&[], BodyLength::Known(3))),
    ("send 3 bytes", |client| {
        let sent = client.machine.send_data(client.exchange, Bytes::from_static(b"abc"), NOW);
        client.note_refusal(sent);
    }),
    ("send 3 bytes and finish", |client| {
        let sent = client.machine.send_data(client.exchange, Bytes::from_static(b"abc"), NOW);
        client.note_refusal(sent);
        let finished = client.machine.finish(client.exchange, None, NOW);
        client.note_refusal(finished);
    }),
    ("finish", |client| {
        let finished = client.machine.finish(client.exchange, None, NOW);
        client.note_refusal(finished);
    }),
    ("abort", |client| client.machine.abort()),
];

impl Client {
    fn new() -> Self {
        let machine = ClientConnection::new(Arc::new(Limits::default()), NOW);
        let (input, exchange) = (BytesMut::new(), ExchangeId(0));
        Self { machine, input, exchange, heard: Vec::new(), stalled: false, slow: false }
    }

    fn receive(&mut self, text: &str) {
        self.give(text);
        self.poll();
    }

    fn give(&mut self, text: &str) {
        self.input.extend_from_slice(text.as_bytes());
        self.machine.handle_input(&mut self.input, NOW);
    }

    fn poll(&mut self) {
        while let Some(event) = self.machine.poll_event() {
            self.heard.push(match event {
                ClientEvent::Informational { head, .. } => format!("Informational {}", head.status.code()),
                ClientEvent::Response { head, body, .. } => format!("Response {} (body {body:?})", head.status.code()),
                ClientEvent::Data { data, .. } => format!("Data ({} bytes)", data.len()),
                ClientEvent::End { .. } => "End".to_owned(),
                ClientEvent::Failed { error } => format!("Failed {error:?}"),
                ClientEvent::Upgraded { .. } => "Upgraded".to_owned(),
            });
            self.machine.handle_input(&mut self.input, NOW);
        }
    }

    fn request(&mut self, fields: &[(&str, &str)], body: BodyLength) -> Result<(), SendError> {
        let mut headers = Headers::new();
        for (name, value) in fields {
            headers.append(name, value).unwrap();
        }
        let method = if body == BodyLength::Empty { Method::Get } else { Method::Post };
        let request = Request { method: &method, target: "/", version: Version::Http11, headers: &headers };
        self.exchange = self.machine.send_request(&request, body, NOW)?;
        Ok(())
    }

    fn send(&mut self, fields: &[(&str, &str)], body: BodyLength) {
        self.request(fields, body).unwrap();
        self.take_outgoing();
    }

    fn try_send(&mut self, fields: &[(&str, &str)], body: BodyLength) {
        let sent = self.request(fields, body);
        self.note_refusal(sent);
    }

    fn note_refusal(&mut self, result: Result<(), SendError>) {
        if let Err(error) = result {
            self.heard.push(format!("refused, {error:?}"));
        }
    }

    /// Takes what waits to be sent, unless the server takes nothing.
    fn take_outgoing(&mut self) -> String {
        let queue = self.machine.outgoing();
        let count = if self.stalled { 0 } else { queue.remaining() };
        String::from_utf8(queue.copy_to_bytes(count).to_vec()).unwrap()
    }

    /// Why it closes, if it does.
    fn close_reason(&self) -> Option<CloseReason> {
        self.machine.is_reusable().err().filter(|reason| *reason != CloseReason::Busy)
    }
}

impl Harness for Client {
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
        let (reason, waiting) = (self.close_reason(), self.input.len());
        step(self);
        self.machine.handle_input(&mut self.input, NOW);
        self.poll();
        let sent = self.take_outgoing();
        if !sent.is_empty() {
            self.heard.push(format!("sends {}", sent.replace("\r\n", "|")));
        }
        if let Some(reason) = self.close_reason().filter(|now| Some(*now) != reason) {
            self.heard.push(format!("to close: {reason:?}"));
        }
        if self.input.len() > waiting {
            self.heard.push(format!("{} bytes wait", self.input.len()));
        }
    }
}

pub(crate) fn table() -> Table {
    Table {
        name: "http1_client",
        title: "HTTP/1, the client's side of a connection",
        about: "A state is what the receiving half does, and what the sending half does. The host polls every event at \
            once, and the server takes what is sent at once, where nothing else is said. A line end that is sent is \
            shown as a bar.",
        parts: &["The receiving half", "The sending half"],
        situations: situations(Client::new, &SITUATIONS, &EVENTS),
    }
}
