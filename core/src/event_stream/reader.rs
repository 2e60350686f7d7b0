//! Reads an event stream in any pieces.
//!
//! Lines end in CR, LF or CRLF, wherever the pieces are cut; a CR ends its line at once, and a LF that follows belongs
//! to it. Line ends are ASCII, so each line is decoded alone, which replaces the same bytes as decoding all would.
//! Memory is bounded by the limits: a line that is under way, and the data of one event.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use bytes::Buf;
use memchr::memchr2;

use super::Event;
use crate::reasons::reasons;
use crate::syntax::parse_decimal;

reasons! {
    /// Why a stream cannot be read on.
    EventStreamError {
        /// A line is longer than [`EventLimits::line`].
        LineTooLong => "a line of the event stream is too long",
        /// The data of an event is longer than [`EventLimits::event`].
        EventTooLong => "an event of the event stream is too long",
    }
}

/// What is accepted of a stream, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventLimits {
    /// One line, without its end. Default 1 MiB.
    pub line: usize,
    /// The data of one event. Default 4 MiB.
    pub event: usize,
}

impl Default for EventLimits {
    fn default() -> Self {
        Self { line: 1024 * 1024, event: 4 * 1024 * 1024 }
    }
}

/// Reads an event stream.
///
/// ```
/// use callboard_core::event_stream::{EventLimits, EventReader};
///
/// let mut reader = EventReader::new(EventLimits::default());
/// let mut input = &b": hello\n\ndata: one\n\nid: 2\ndata: t"[..];
/// reader.handle_input(&mut input)?;
/// assert_eq!(reader.poll_event().unwrap().data(), "one");
/// reader.handle_input(&mut input)?;                       // takes the rest, and waits for more
/// assert!(input.is_empty() && reader.poll_event().is_none());
/// reader.handle_input(&mut &b"wo\r\n\r\n"[..])?;
/// assert_eq!(reader.poll_event().unwrap().data(), "two");
/// assert_eq!(reader.last_event_id(), "2");
/// # Ok::<(), callboard_core::event_stream::EventStreamError>(())
/// ```
#[derive(Clone, Debug)]
pub struct EventReader {
    limits: EventLimits,
    state: Result<(), EventStreamError>,
    /// The line under way.
    line: Vec<u8>,
    is_at_start: bool,
    /// The last byte was a CR: a LF would be the rest of that line end.
    is_after_return: bool,
    name: String,
    data: String,
    /// What the stream said last; it counts from the next empty line on.
    id: Arc<str>,
    last_event_id: Arc<str>,
    retry: Option<Duration>,
    /// A retry that no event has told yet.
    new_retry: Option<Duration>,
    ready: Option<Event>,
}

impl EventReader {
    /// A reader at the start of a stream.
    pub fn new(limits: EventLimits) -> Self {
        Self {
            limits,
            state: Ok(()),
            line: Vec::new(),
            is_at_start: true,
            is_after_return: false,
            name: String::new(),
            data: String::new(),
            id: Arc::default(),
            last_event_id: Arc::default(),
            retry: None,
            new_retry: None,
            ready: None,
        }
    }

    /// Goes on where another connection broke: at this id. It is what [`last_event_id`](Self::last_event_id) says until
    /// the stream says something else.
    pub fn with_last_event_id(mut self, id: &str) -> Self {
        self.id = id.into();
        self.last_event_id = Arc::clone(&self.id);
        self
    }

    /// Takes from the front of the input until an event is ready or nothing is left. After an error it takes nothing.
    pub fn handle_input(&mut self, input: &mut impl Buf) -> Result<(), EventStreamError> {
        while self.ready.is_none() && input.has_remaining() {
            self.state?;
            let taken = self.take(input.chunk());
            input.advance(taken);
        }
        self.state
    }

    /// The event that is ready. None: more input is needed.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.ready.take()
    }

    /// Whether input is taken: not while an event waits, and not after an error.
    pub const fn wants_input(&self) -> bool {
        self.ready.is_none() && self.state.is_ok()
    }

    /// Where in a line it is, and whether it has data of an event, in a word or two each: for logs, and for the tables
    /// of the states.
    pub const fn states(&self) -> [&'static str; 2] {
        let place = match self.state {
            Err(_) => "failed",
            Ok(()) if !self.line.is_empty() => "in a line",
            Ok(()) if self.is_after_return => "after a CR",
            Ok(()) => "between lines",
        };
        let event = match (&self.ready, self.data.is_empty()) {
            (Some(_), _) => "event ready",
            (None, true) => "no data",
            (None, false) => "some data",
        };
        [place, event]
    }

    /// The id to send as `Last-Event-ID` when connecting again; empty if there is none. An event that the end of the
    /// stream cut off does not count.
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// How long to wait before connecting again, if the stream said so.
    pub const fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Takes up to the end of a line. How many bytes that were.
    fn take(&mut self, chunk: &[u8]) -> usize {
        if mem::take(&mut self.is_after_return) && chunk.first() == Some(&b'\n') {
            return 1;
        }
        let end = memchr2(b'\r', b'\n', chunk);
        let part = &chunk[..end.unwrap_or(chunk.len())];
        if self.line.len() + part.len() > self.limits.line {
            self.fail(EventStreamError::LineTooLong);
            return chunk.len();
        }
        let Some(end) = end else {
            self.line.extend_from_slice(part);
            return chunk.len();
        };
        self.is_after_return = chunk[end] == b'\r';
        if self.line.is_empty() {
            self.handle_line(part);
        } else {
            let mut line = mem::take(&mut self.line);
            line.extend_from_slice(part);
            self.handle_line(&line);
            line.clear();
            self.line = line;
        }
        end + 1
    }

    fn fail(&mut self, error: EventStreamError) {
        self.state = Err(error);
        (self.line, self.data) = (Vec::new(), String::new());
    }

    fn handle_line(&mut self, line: &[u8]) {
        const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
        let is_at_start = mem::take(&mut self.is_at_start);
        let line = line.strip_prefix(BYTE_ORDER_MARK).filter(|_| is_at_start).unwrap_or(line);
        if line.is_empty() {
            return self.dispatch();
        }
        let (name, value) = match memchr::memchr(b':', line) {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &b""[..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"data" => self.add_data(value),
            b"event" => self.name = String::from_utf8_lossy(value).into_owned(),
            b"id" if !value.contains(&0) => self.id = String::from_utf8_lossy(value).into(),
            b"retry" => {
                if let Some(milliseconds) = parse_decimal(value) {
                    self.retry = Some(Duration::from_millis(milliseconds));
                    self.new_retry = self.retry;
                }
            }
            // A comment has an empty name; other names are for readers to come.
            _ => {}
        }
    }

    fn add_data(&mut self, value: &[u8]) {
        let value = String::from_utf8_lossy(value);
        if self.data.len() + value.len() > self.limits.event {
            return self.fail(EventStreamError::EventTooLong);
        }
        self.data.push_str(&value);
        self.data.push('\n');
    }

    /// An empty line: what has come since the last is an event if it has data.
    fn dispatch(&mut self) {
        self.last_event_id = Arc::clone(&self.id);
        let name = mem::take(&mut self.name);
        let mut data = mem::take(&mut self.data);
        if data.pop().is_none() {
            return;
        }
        self.ready = Some(Event {
            name: (!name.is_empty()).then(|| name.into()),
            data,
            id: (!self.last_event_id.is_empty()).then(|| Arc::clone(&self.last_event_id)),
            retry: self.new_retry.take(),
        });
    }
}
