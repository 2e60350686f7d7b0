//! The machine of an open WebSocket, as a server and as a client: what its host and its peer can do at each point of
//! its life.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use callboard_core::websocket::{
    Agreement, Close, CloseCode, Closure, Connection, Event, FrameHead, Message, Opcode, Role, SendError, Settings,
    apply_mask,
};
use callboard_core::{Instant, Protocol};

use crate::table::{Harness, Step, Table, situations};

/// A machine, and what was heard of it since the last look.
pub(crate) struct Side {
    pub(crate) machine: Connection,
    role: Role,
    input: BytesMut,
    now: Instant,
    heard: Vec<String>,
    /// The peer takes nothing of what is sent.
    stalled: bool,
    /// The host polls nothing until the next event.
    pub(crate) slow: bool,
}

/// How each state comes about.
const SITUATIONS: [Step<Side>; 15] = [
    ("a new connection", |_| {}),
    ("the peer was pinged because it was silent", |side| side.time_out()),
    ("half of a message has come", |side| side.receive_part(Opcode::Text, b"abcd", 8)),
    ("half of a close frame has come", |side| side.receive_part(Opcode::Close, b"\x03\xe8", 3)),
    ("a message waits to be polled", |side| {
        side.give(true, Opcode::Text, b"one");
        side.slow = true;
    }),
    ("a close frame waits behind a message that was not polled", |side| {
        side.give(true, Opcode::Text, b"one");
        side.give(true, Opcode::Close, b"\x03\xe9");
        side.slow = true;
    }),
    ("the peer takes nothing, and a large message waits", |side| {
        side.stalled = true;
        side.send(100_000);
        side.send(100_000);
    }),
    ("our close frame is sent", |side| side.close(CloseCode::NORMAL)),
    ("our close frame waits behind a message that the peer does not take", |side| {
        side.stalled = true;
        side.send(100_000);
        side.close(CloseCode::NORMAL);
    }),
    ("the peer has closed, and was answered", |side| side.receive(true, Opcode::Close, b"\x03\xe9")),
    ("the peer has closed, and does not take the answer", |side| {
        side.stalled = true;
        side.receive(true, Opcode::Close, b"\x03\xe9");
    }),
    ("our close frame is answered", |side| {
        side.close(CloseCode::NORMAL);
        side.take_outgoing();
        side.receive(true, Opcode::Close, b"\x03\xe8");
    }),
    ("the peer has broken the protocol, and was told", |side| side.receive_bytes(b"\xff")),
    ("the peer has broken the protocol after our close frame", |side| {
        side.close(CloseCode::NORMAL);
        side.take_outgoing();
        side.receive_bytes(b"\xff");
    }),
    ("over", |side| side.machine.abort(side.now)),
];

/// What can happen.
const EVENTS: [Step<Side>; 25] = [
    ("a message comes", |side| side.receive(true, Opcode::Text, b"abcd")),
    ("4 bytes of a frame come", |side| {
        side.receive_masked(b"abcd");
    }),
    ("a ping comes", |side| side.receive(true, Opcode::Ping, b"p")),
    ("a pong comes", |side| side.receive(true, Opcode::Pong, b"p")),
    ("close 1001 comes", |side| side.receive(true, Opcode::Close, b"\x03\xe9bye")),
    ("an empty close comes", |side| side.receive(true, Opcode::Close, b"")),
    ("close 1005 comes", |side| side.receive(true, Opcode::Close, b"\x03\xed")),
    ("a reserved bit comes", |side| side.receive_bytes(b"\xff")),
    ("a frame masked as ours comes", |side| side.receive_as(side.role, true, Opcode::Text, b"a")),
    ("a frame too big comes", |side| side.receive_head(FrameHead { length: 2_000, ..head(Opcode::Binary) })),
    ("text that is not UTF-8 comes", |side| side.receive(true, Opcode::Text, b"\xff")),
    ("the peer half-closes", |side| side.machine.handle_end_of_input(side.now)),
    ("the peer half-closes behind a message", |side| {
        side.give(true, Opcode::Text, b"last");
        side.machine.handle_end_of_input(side.now);
    }),
    ("nothing comes until the deadline", |side| side.time_out()),
    ("nothing comes, but not for long", |side| side.machine.handle_timeout(side.now + Duration::from_millis(1))),
    ("send a message", |side| {
        let sent = side.machine.send(Message::from("hi"), side.now);
        side.note_refusal(sent);
    }),
    ("ping", |side| {
        let sent = side.machine.ping(Bytes::from_static(b"p"), side.now);
        side.note_refusal(sent);
    }),
    ("pong", |side| {
        let sent = side.machine.pong(Bytes::from_static(b"p"), side.now);
        side.note_refusal(sent);
    }),
    ("ping with 126 bytes", |side| {
        let sent = side.machine.ping(Bytes::from_static(&[0; 126]), side.now);
        side.note_refusal(sent);
    }),
    ("close 1000", |side| side.close(CloseCode::NORMAL)),
    ("close 1005", |side| side.close(CloseCode::NO_STATUS)),
    ("close with 124 bytes", |side| {
        let closed = side.machine.close(Close::new(CloseCode::NORMAL, "x".repeat(124)), side.now);
        side.note_refusal(closed);
    }),
    ("the peer takes all that waits", |side| side.stalled = false),
    ("all deadlines pass", |side| {
        side.now = side.now + Duration::from_secs(100);
        side.machine.handle_timeout(side.now);
    }),
    ("abort", |side| side.machine.abort(side.now)),
];

fn head(opcode: Opcode) -> FrameHead {
    FrameHead { is_final: true, is_compressed: false, opcode, mask: None, length: 0 }
}

impl Side {
    pub(crate) fn new(role: Role, settings: Settings, agreement: &Agreement) -> Self {
        let now = Instant::from_nanos(1_000_000_000);
        Self {
            machine: Connection::new(role, Arc::new(settings), agreement, [1, 2], now),
            role,
            input: BytesMut::new(),
            now,
            heard: Vec::new(),
            stalled: false,
            slow: false,
        }
    }

    fn peer(&self) -> Role {
        if self.role == Role::Client { Role::Server } else { Role::Client }
    }

    fn give_as(&mut self, from: Role, head: FrameHead, payload: &[u8]) {
        let mask = (from == Role::Client).then_some([1, 2, 3, 4]);
        let mut buffer = [0; 14];
        let size = FrameHead { mask, ..head }.write(&mut buffer);
        let mut payload = payload.to_vec();
        apply_mask(&mut payload, mask.unwrap_or_default(), 0);
        self.input.extend_from_slice(&buffer[..size]);
        self.input.extend_from_slice(&payload);
        self.machine.handle_input(&mut self.input, self.now);
    }

    /// A frame comes, and nothing is polled.
    pub(crate) fn give(&mut self, is_final: bool, opcode: Opcode, payload: &[u8]) {
        let head = FrameHead { is_final, length: payload.len() as u64, ..head(opcode) };
        self.give_as(self.peer(), head, payload);
    }

    /// A frame comes; what it leads to is polled.
    pub(crate) fn receive(&mut self, is_final: bool, opcode: Opcode, payload: &[u8]) {
        self.receive_as(self.peer(), is_final, opcode, payload);
    }

    fn receive_as(&mut self, from: Role, is_final: bool, opcode: Opcode, payload: &[u8]) {
        let head = FrameHead { is_final, length: payload.len() as u64, ..head(opcode) };
        self.give_as(from, head, payload);
        self.poll();
    }

    /// The head of a frame comes, and nothing of its payload.
    pub(crate) fn receive_head(&mut self, head: FrameHead) {
        self.give_as(self.peer(), head, b"");
        self.poll();
    }

    /// A frame of that payload in all comes in part.
    pub(crate) fn receive_part(&mut self, opcode: Opcode, part: &[u8], length: u64) {
        self.give_as(self.peer(), FrameHead { length, ..head(opcode) }, part);
        self.poll();
    }

    /// A compressed frame comes.
    pub(crate) fn receive_compressed(&mut self, is_final: bool, opcode: Opcode, payload: &[u8]) {
        let head = FrameHead { is_final, is_compressed: true, length: payload.len() as u64, ..head(opcode) };
        self.give_as(self.peer(), head, payload);
        self.poll();
    }

    /// Bytes of a payload come, at a multiple of four in it.
    pub(crate) fn receive_masked(&mut self, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        if self.peer() == Role::Client {
            apply_mask(&mut bytes, [1, 2, 3, 4], 0);
        }
        self.receive_bytes(&bytes);
    }

    pub(crate) fn receive_bytes(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        self.machine.handle_input(&mut self.input, self.now);
        self.poll();
    }

    fn send(&mut self, length: usize) {
        let sent = self.machine.send(Message::from(vec![b'x'; length]), self.now);
        self.note_refusal(sent);
    }

    fn close(&mut self, code: CloseCode) {
        let closed = self.machine.close(code.into(), self.now);
        self.note_refusal(closed);
    }

    /// Time passes until the next deadline.
    fn time_out(&mut self) {
        match self.machine.poll_timeout() {
            None => self.heard.push("no deadline runs".to_owned()),
            Some(due) => {
                self.heard.push(format!("after {:?}", due - self.now));
                self.now = due;
                self.machine.handle_timeout(due);
            }
        }
    }

    fn note_refusal(&mut self, result: Result<(), SendError>) {
        if let Err(error) = result {
            self.heard.push(format!("refused, {error:?}"));
        }
    }

    fn poll(&mut self) {
        while let Some(event) = self.machine.poll_event() {
            self.heard.push(match event {
                Event::Message(Message::Text(text)) => format!("Text {:?}", text.as_str()),
                Event::Message(Message::Binary(bytes)) => format!("Binary ({} bytes)", bytes.len()),
                Event::Ping(_) => "Ping".to_owned(),
                Event::Pong(_) => "Pong".to_owned(),
                Event::Closing(close) => format!("Closing {}", name(close.as_ref())),
                Event::Closed(closure) => describe(&closure),
            });
            self.machine.handle_input(&mut self.input, self.now);
        }
    }

    /// Takes what waits to be sent, unless the peer takes nothing, and names the frames.
    fn take_outgoing(&mut self) -> Vec<String> {
        let (mut bytes, mut frames) = (Vec::new(), Vec::new());
        while !self.stalled && self.machine.outgoing().has_remaining() {
            let queue = self.machine.outgoing();
            let count = queue.remaining();
            bytes.extend_from_slice(&queue.copy_to_bytes(count));
        }
        let mut rest = &bytes[..];
        while let Ok(Some((head, size))) = FrameHead::read(rest) {
            let length = usize::try_from(head.length).unwrap();
            let mut payload = rest[size..size + length].to_vec();
            apply_mask(&mut payload, head.mask.unwrap_or_default(), 0);
            rest = &rest[size + length..];
            assert_eq!(head.mask.is_some(), self.role == Role::Client);
            let what = match (head.opcode, payload.split_first_chunk()) {
                (Opcode::Close, Some((code, _))) => u16::from_be_bytes(*code).to_string(),
                (Opcode::Close, None) => "without a code".to_owned(),
                _ => format!("of {length} bytes"),
            };
            frames.push(format!("{:?} {what}", head.opcode));
        }
        assert!(rest.is_empty(), "not a frame: {rest:?}");
        frames
    }
}

impl Harness for Side {
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
        let (waiting, half_closes) = (self.input.len(), self.machine.wants_half_close());
        let takes = self.machine.wants_input();
        step(self);
        self.machine.handle_input(&mut self.input, self.now);
        self.poll();
        let sent = self.take_outgoing();
        if !sent.is_empty() {
            self.heard.push(format!("sends {}", sent.join(", ")));
        }
        if self.machine.wants_half_close() && !half_closes {
            self.heard.push("to half-close".to_owned());
        }
        if self.input.len() > waiting && !(takes && self.machine.wants_input()) {
            self.heard.push(format!("{} bytes wait", self.input.len()));
        }
        let unsent = self.machine.queued();
        if unsent > 0 {
            let runs = if self.machine.poll_timeout().is_some() { "" } else { " without a deadline" };
            self.heard.push(format!("{unsent} bytes wait to be sent{runs}"));
        }
    }
}

fn name(close: Option<&Close>) -> String {
    close.map_or_else(|| "without a code".to_owned(), |close| close.code.to_string())
}

fn describe(closure: &Closure) -> String {
    let how = if closure.is_clean { "cleanly" } else { "not cleanly" };
    let error = closure.error.map(|error| format!(", {error:?}")).unwrap_or_default();
    format!("Closed {how} with {}{error}", closure.code())
}

fn new(role: Role) -> Side {
    let settings = Settings { max_frame: 1_000, ..Settings::default() };
    Side::new(role, settings, &Agreement::default())
}

const ABOUT: &str = "A state is where the WebSocket is in its life, and what it is receiving. The host polls \
    every event at once, and the peer takes what is sent at once, where nothing else is said. \
    Frames of up to 1,000 bytes are accepted; the rest is as by default.";

pub(crate) fn server() -> Table {
    Table {
        name: "websocket_server",
        title: "WebSocket, the server's machine",
        about: ABOUT,
        parts: &["The life of the connection", "What is received"],
        situations: situations(|| new(Role::Server), &SITUATIONS, &EVENTS),
    }
}

pub(crate) fn client() -> Table {
    Table {
        name: "websocket_client",
        title: "WebSocket, the client's machine",
        about: ABOUT,
        parts: &["The life of the connection", "What is received"],
        situations: situations(|| new(Role::Client), &SITUATIONS, &EVENTS),
    }
}
