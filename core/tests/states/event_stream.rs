//! The reader of event streams: where in a line it is, what of an event it has.

use callboard_core::event_stream::{EventLimits, EventReader};

use crate::table::{Harness, Step, Table, situations};

/// A reader, and what it told since the last look.
struct Host {
    reader: EventReader,
    /// What was given and not taken.
    input: Vec<u8>,
    heard: Vec<String>,
    slow: bool,
}

/// How each state comes about.
const SITUATIONS: [Step<Host>; 9] = [
    ("the start of a stream", |_| {}),
    ("inside the first line", |host| host.give("dat")),
    ("after a line", |host| host.give("data: one\n")),
    ("after a CR", |host| host.give("data: one\r")),
    ("inside a field of an event that has data", |host| host.give("data: one\ndata")),
    ("a name and an id, but no data", |host| host.give("event: note\nid: 7\n")),
    ("after an event with an id", |host| host.give("id: 7\ndata: one\n\n")),
    ("an event waits to be polled", |host| {
        host.slow = true;
        host.give("data: one\n\n");
    }),
    ("failed", |host| host.give("data: a line far too long for what is accepted")),
];

/// What can come.
const EVENTS: [Step<Host>; 20] = [
    ("LF", |host| host.give("\n")),
    ("CR", |host| host.give("\r")),
    ("CRLF", |host| host.give("\r\n")),
    ("LF LF", |host| host.give("\n\n")),
    ("data: x, LF", |host| host.give("data: x\n")),
    ("data:x, LF LF", |host| host.give("data:x\n\n")),
    ("data, LF LF", |host| host.give("data\n\n")),
    ("two lines of data", |host| host.give("data: x\ndata: y\n\n")),
    ("a comment", |host| host.give(": x\n")),
    ("a field that is not known", |host| host.give("other: x\n")),
    ("event: e, data, end", |host| host.give("event: e\ndata: x\n\n")),
    ("id: 9, end", |host| host.give("id: 9\n\n")),
    ("id with NUL, data, end", |host| host.give("id: a\0b\ndata: x\n\n")),
    ("id cleared, data, end", |host| host.give("id\ndata: x\n\n")),
    ("retry: 10, data, end", |host| host.give("retry: 10\ndata: x\n\n")),
    ("retry: 1s, data, end", |host| host.give("retry: 1s\ndata: x\n\n")),
    ("byte order mark and data", |host| host.give("\u{feff}data: x\n\n")),
    ("bytes that are no UTF-8", |host| host.give_bytes(b"data: \xff\n\n")),
    ("a line too long", |host| host.give("data: 0123456789012345678901234567890")),
    ("an event too long", |host| host.give("data: 0123456789\ndata: 0123456789\ndata: 0123456789\n")),
];

impl Host {
    fn new() -> Self {
        let reader = EventReader::new(EventLimits { line: 30, event: 30 });
        Self { reader, input: Vec::new(), heard: Vec::new(), slow: false }
    }

    fn give(&mut self, text: &str) {
        self.give_bytes(text.as_bytes());
    }

    fn give_bytes(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        self.take();
        if !self.slow {
            self.poll();
        }
    }

    fn take(&mut self) {
        let mut rest = &self.input[..];
        let result = self.reader.handle_input(&mut rest);
        self.input = rest.to_vec();
        if let Err(error) = result
            && self.heard.last().is_none_or(|last| !last.starts_with("refused"))
        {
            self.heard.push(format!("refused, {error:?}"));
        }
    }

    fn poll(&mut self) {
        while let Some(event) = self.reader.poll_event() {
            let id = event.id().map(|id| format!(", id {id}")).unwrap_or_default();
            let retry = event.retry().map(|retry| format!(", retry {retry:?}")).unwrap_or_default();
            self.heard.push(format!("{} {:?}{id}{retry}", event.name(), event.data()));
            self.take();
        }
    }
}

impl Harness for Host {
    fn state(&self) -> String {
        self.reader.states().join(" / ")
    }

    fn heard(&mut self) -> &mut Vec<String> {
        &mut self.heard
    }

    fn happen(&mut self, step: fn(&mut Self)) {
        let id = self.reader.last_event_id().to_owned();
        self.slow = false;
        step(self);
        self.poll();
        if self.reader.last_event_id() != id {
            self.heard.push(format!("the last id is {:?}", self.reader.last_event_id()));
        }
    }
}

pub(crate) fn table() -> Table {
    Table {
        name: "event_stream",
        title: "The reader of event streams",
        about: "A state is where in a line the reader is, and what it has of an event. Lines of 30 bytes and events \
            of 30 bytes are accepted. Events are polled as they come, where nothing else is said.",
        parts: &["Where in a line", "What there is of an event"],
        situations: situations(Host::new, &SITUATIONS, &EVENTS),
    }
}
