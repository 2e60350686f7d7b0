//! What a machine reported, as lines of text that people can read and tests can compare.
//!
//! Adjacent parts of a body are one line, however they were cut: that is what split independence means.

use std::fmt::{Display, Write};

use callboard_core::Headers;

use super::text::{escape, quote};

/// Lines, and the part of a body that is not a line yet.
#[derive(Default)]
pub(crate) struct Listing {
    lines: String,
    data: Vec<u8>,
}

impl Listing {
    pub(crate) fn line(&mut self, line: impl Display) {
        self.flush();
        writeln!(self.lines, "{line}").unwrap();
    }

    pub(crate) fn data(&mut self, data: &[u8]) {
        assert!(!data.is_empty(), "a machine reports no empty data");
        self.data.extend_from_slice(data);
    }

    pub(crate) fn fields(&mut self, headers: &Headers) {
        for (name, value) in headers {
            self.line(format_args!("  {name}: {}", escape(value)));
        }
    }

    /// The bytes that were sent, a line for each of theirs.
    pub(crate) fn sent(&mut self, sent: &[u8]) {
        self.line("--- sent");
        for line in sent.split_inclusive(|&byte| byte == b'\n') {
            self.line(quote(line));
        }
    }

    pub(crate) fn into_text(mut self) -> String {
        self.flush();
        self.lines
    }

    fn flush(&mut self) {
        if !self.data.is_empty() {
            let data = std::mem::take(&mut self.data);
            writeln!(self.lines, "data {}", quote(&data)).unwrap();
        }
    }
}

/// What was reported, without how the connection ended: an end that is known earlier is answered differently.
pub(crate) fn events(listing: &str) -> Vec<&str> {
    let mut events: Vec<&str> = listing.lines().take_while(|line| *line != "--- sent").collect();
    events.pop();
    // Nor is another request sent to a peer whose end is known.
    events.retain(|event| !["closed", "failed NoResponse"].contains(event));
    events
}
