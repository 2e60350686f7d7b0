//! One event, and how it is written.
//!
//! Data may have lines, ended in any of the three ways; each goes out in a field of its own. Names and ids are one
//! line, which is checked when they are set, so that nothing can be smuggled into the stream.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::reasons::reasons;

reasons! {
    /// Why a field cannot be sent.
    EventError {
        /// A name or an id has a line end, which would end the field.
        LineEnd => "a name or id of an event holds a line end",
        /// An id has a NUL, for which readers drop it.
        Nul => "an id of an event holds a NUL",
    }
}

/// An event: text, a name, an id to go on from after a break, and how long to wait after one.
///
/// ```
/// use callboard_core::event_stream::Event;
///
/// let event = Event::new("two\nlines").with_name("note")?.with_id("7")?;
/// let mut text = Vec::new();
/// event.write(&mut text);
/// assert_eq!(text, b"event: note\nid: 7\ndata: two\ndata: lines\n\n");
/// # Ok::<(), callboard_core::event_stream::EventError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    pub(super) name: Option<Box<str>>,
    pub(super) data: String,
    /// Shared: a stream says it once, and every event after that has it.
    pub(super) id: Option<Arc<str>>,
    pub(super) retry: Option<Duration>,
}

impl Event {
    /// An event with data. Readers call it `message` unless it has a name.
    pub fn new(data: impl Into<String>) -> Self {
        Self { data: data.into(), ..Self::default() }
    }

    /// Sets the name: any text of one line. An empty one is none.
    pub fn with_name(mut self, name: &str) -> Result<Self, EventError> {
        check_line(name)?;
        self.name = (!name.is_empty()).then(|| name.into());
        Ok(self)
    }

    /// Sets the id, which a reader sends as `Last-Event-ID` when it connects again: any text of one line without NUL.
    /// An empty one makes the reader forget the last.
    pub fn with_id(mut self, id: &str) -> Result<Self, EventError> {
        check_line(id)?;
        if id.contains('\0') {
            return Err(EventError::Nul);
        }
        self.id = Some(id.into());
        Ok(self)
    }

    /// Sets how long a reader is to wait before it connects again, in whole milliseconds.
    pub const fn with_retry(mut self, retry: Duration) -> Self {
        self.retry = Some(retry);
        self
    }

    /// The name: `message` if none was sent.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("message")
    }

    /// The data, its lines ended by `\n`, without one at its end.
    pub fn data(&self) -> &str {
        &self.data
    }

    /// The data alone.
    pub fn into_data(self) -> String {
        self.data
    }

    /// The id. Of an event that was read: the last id that the stream has sent up to here.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// How long to wait before connecting again, if that was said since the event before.
    pub const fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Adds it to a stream.
    pub fn write(&self, stream: &mut Vec<u8>) {
        stream.reserve(self.data.len() + 64);
        if let Some(name) = &self.name {
            field("event", name, stream);
        }
        if let Some(id) = &self.id {
            field("id", id, stream);
        }
        if let Some(retry) = self.retry {
            stream.extend_from_slice(alloc::format!("retry: {}\n", retry.as_millis()).as_bytes());
        }
        for line in lines(&self.data) {
            field("data", line, stream);
        }
        stream.push(b'\n');
    }
}

/// A comment, which readers skip: written now and then it keeps proxies from ending a silent connection. Empty is fine.
///
/// ```
/// assert_eq!(callboard_core::event_stream::comment("still here"), b": still here\n\n");
/// ```
pub fn comment(text: &str) -> Vec<u8> {
    let mut stream = Vec::with_capacity(text.len() + 4);
    for line in lines(text) {
        field("", line, &mut stream);
    }
    stream.push(b'\n');
    stream
}

/// The space keeps a space that the value begins with.
fn field(name: &str, value: &str, stream: &mut Vec<u8>) {
    stream.extend_from_slice(name.as_bytes());
    stream.push(b':');
    if !value.is_empty() {
        stream.push(b' ');
        stream.extend_from_slice(value.as_bytes());
    }
    stream.push(b'\n');
}

fn check_line(text: &str) -> Result<(), EventError> {
    if text.contains(['\r', '\n']) { Err(EventError::LineEnd) } else { Ok(()) }
}

/// The lines of a text that end in CR, LF or CRLF; at least one.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    core::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\r', '\n']) else { return rest.take() };
        let (line, after) = text.split_at(end);
        rest = Some(after.strip_prefix("\r\n").unwrap_or(&after[1..]));
        Some(line)
    })
}
