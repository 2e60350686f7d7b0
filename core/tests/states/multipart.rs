//! The reader of multipart bodies: preamble, delimiter lines, heads and data.

use bytes::Bytes;
use callboard_core::multipart::{Boundary, Event, MultipartLimits, Reader};

use crate::table::{Harness, Step, Table, situations};

/// A reader, and what it told since the last look.
struct Host {
    reader: Reader,
    heard: Vec<String>,
    has_failed: bool,
}

const HEAD: &str = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";

/// How each state comes about.
const SITUATIONS: [Step<Host>; 14] = [
    ("nothing has come", |_| {}),
    ("the first bytes are no delimiter", |host| host.give("nothing")),
    ("after the boundary", |host| host.give("--B")),
    ("a hyphen after the boundary", |host| host.give("--B-")),
    ("white space after the boundary", |host| host.give("--B ")),
    ("a CR after the boundary", |host| host.give("--B\r")),
    ("before the first field", |host| host.give("--B\r\n")),
    ("inside a field", |host| host.give("--B\r\nContent-Type: te")),
    ("before the data", |host| host.give(HEAD)),
    ("inside the data", |host| {
        host.give(HEAD);
        host.give("data");
    }),
    ("at what may be a delimiter", |host| {
        host.give(HEAD);
        host.give("data\r\n--");
    }),
    ("two hyphens after the boundary", |host| {
        host.give(HEAD);
        host.give("data\r\n--B--");
    }),
    ("complete", |host| host.give("--B\r\n\r\n\r\n--B--\r\n")),
    ("failed", |host| host.give("--Bx")),
];

/// What can come.
const EVENTS: [Step<Host>; 17] = [
    ("text", |host| host.give("text")),
    ("CR", |host| host.give("\r")),
    ("LF", |host| host.give("\n")),
    ("CRLF", |host| host.give("\r\n")),
    ("CRLF CRLF", |host| host.give("\r\n\r\n")),
    ("a hyphen", |host| host.give("-")),
    ("two hyphens", |host| host.give("--")),
    ("the boundary", |host| host.give("B")),
    ("a delimiter", |host| host.give("\r\n--B\r\n")),
    ("a delimiter with white space", |host| host.give("\r\n--B \t\r\n")),
    ("a closing delimiter", |host| host.give("\r\n--B--\r\n")),
    ("a boundary with more", |host| host.give("\r\n--Bo\r\n")),
    ("a field", |host| host.give("X: y\r\n")),
    ("a line without a colon", |host| host.give("no field\r\n")),
    ("a head with base64, and data", |host| host.give("Content-Transfer-Encoding: base64\r\n\r\naGk=")),
    ("more than the limit", |host| host.give(&"x".repeat(2_000))),
    ("the end", |host| host.reader.handle_end_of_input()),
];

impl Host {
    fn new() -> Self {
        let limits =
            MultipartLimits { parts: 2, part: 500, total: 1_000, header_line: 100, ..MultipartLimits::default() };
        let reader = Reader::with_boundary(&Boundary::new("B").unwrap(), true, limits);
        Self { reader, heard: Vec::new(), has_failed: false }
    }

    fn give(&mut self, text: &str) {
        self.reader.handle_input(Bytes::copy_from_slice(text.as_bytes()));
        self.poll();
    }

    fn poll(&mut self) {
        loop {
            match self.reader.poll_event() {
                Ok(None) => return,
                Ok(Some(Event::Part(head))) => self.heard.push(format!("Part {:?}", head.name())),
                Ok(Some(Event::Data(data))) => self.heard.push(format!("Data {:?}", shorten(&data))),
                Ok(Some(event)) => self.heard.push(format!("{event:?}")),
                Err(error) => {
                    if !self.has_failed {
                        self.heard.push(format!("{error:?}, answer {}", error.status().code()));
                    }
                    self.has_failed = true;
                    return;
                }
            }
        }
    }
}

fn shorten(data: &[u8]) -> String {
    let text = String::from_utf8_lossy(data);
    if text.len() < 20 { text.into_owned() } else { format!("{} bytes", text.len()) }
}

impl Harness for Host {
    fn state(&self) -> String {
        self.reader.state().to_owned()
    }

    fn heard(&mut self) -> &mut Vec<String> {
        &mut self.heard
    }

    fn settle(&mut self) {
        self.poll();
    }
}

pub(crate) fn table() -> Table {
    Table {
        name: "multipart",
        title: "The reader of multipart bodies (RFC 2046 section 5.1, RFC 7578)",
        about: "A form with the boundary B; two parts, 500 bytes a part, 100 bytes a line and 1,000 bytes in all are \
            accepted. Events are polled as they come.",
        parts: &["The reader"],
        situations: situations(Host::new, &SITUATIONS, &EVENTS),
    }
}
