//! Server-sent events (the HTML standard, §9.2 "Server-sent events"), both ways.
//!
//! * [`EventReader`] takes the bytes of a `text/event-stream` in any pieces and gives [`Event`]s, one at a time.
//! * [`Event::write`] and [`comment`] write the same format. What is read back is what was written, but for the kind of
//!   line end in data.

mod event;
mod reader;

pub use event::{Event, EventError, comment};
pub use reader::{EventLimits, EventReader, EventStreamError};

/// The media type of an event stream.
pub const MEDIA_TYPE: &str = "text/event-stream";
