//! Finds the end of a head in a growing buffer, taking each line apart once, as it completes.
//!
//! Nothing is consumed until the whole head is there, so offsets count from the front of the input. Line ends are CRLF
//! and nothing else (RFC 9112 §2.2 lets a recipient be strict, and bare LF is how requests are smuggled).

use crate::Limits;
use crate::entries::{Entries, Entry};
use crate::syntax::{find, is_field_value, is_token, trim_ows};

use super::ReceiveError;
use super::lines::{Facts, RequestLine, StatusLine, parse_field, parse_request_line, parse_status_line};
use super::one_pass;

/// Empty lines forgiven before a start line (RFC 9112 §2.2 asks for at least one).
const EMPTY_LINES: u8 = 8;

/// Which block is being scanned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Block {
    /// A request head.
    Request,
    /// A response head: folded values are unfolded (RFC 9112 §5.2 asks that of user agents).
    Response,
    /// A trailer section: no start line, and no facts about framing.
    Trailers,
}

/// The start line, when it is complete.
#[derive(Clone, Copy, Debug)]
pub(super) enum StartLine {
    Pending,
    Request(RequestLine),
    Status(StatusLine),
    /// A trailer section has none.
    None,
}

/// A scan in progress.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) start: StartLine,
    pub(super) entries: Entries,
    pub(super) facts: Facts,
    block: Block,
    /// Where the unfinished line begins.
    line: usize,
    /// Everything before was searched for a line end.
    searched: usize,
    /// Leading empty lines skipped.
    skipped: u8,
}

/// What a search for the end of a line came to.
enum Searched {
    /// A line was taken.
    Line,
    /// The empty line that ends the block.
    BlockEnd,
    /// The end is not here.
    InVain,
}

impl Scan {
    pub(super) fn new(block: Block) -> Self {
        let start = if block == Block::Trailers { StartLine::None } else { StartLine::Pending };
        Self { start, entries: Entries::new(), facts: Facts::default(), block, line: 0, searched: 0, skipped: 0 }
    }

    /// Where the start line begins: behind the empty lines that were skipped.
    pub(super) fn start_offset(&self) -> usize {
        2 * usize::from(self.skipped)
    }

    /// Looks at what is new in `input`. `Some(length)`: the block is the first `length` bytes.
    pub(super) fn advance(&mut self, input: &mut [u8], limits: &Limits) -> Result<Option<usize>, ReceiveError> {
        self.check_beginning(input)?;
        loop {
            // Of a line that was searched in vain before, nothing is looked at twice.
            if self.searched == self.line && self.take_usual_lines(input, limits)? {
                return Ok(Some(self.line));
            }
            match self.search_line(input, limits)? {
                Searched::Line => {}
                Searched::BlockEnd => return Ok(Some(self.searched)),
                Searched::InVain => return Ok(None),
            }
        }
    }

    /// Takes the line at hand, whatever it is, if its end is here.
    #[inline(never)]
    fn search_line(&mut self, input: &mut [u8], limits: &Limits) -> Result<Searched, ReceiveError> {
        let Some(found) = find::<b'\n'>(&input[self.searched..]) else {
            self.searched = input.len();
            self.check_limits(input.len(), input.len() - self.line, limits)?;
            return Ok(Searched::InVain);
        };
        let end = self.searched + found;
        self.searched = end + 1;
        self.check_limits(end + 1, end + 1 - self.line, limits)?;
        if end == self.line || input[end - 1] != b'\r' {
            return Err(ReceiveError::LineEndInvalid);
        }
        if self.take_line(input, end - 1, limits)? {
            return Ok(Searched::BlockEnd);
        }
        self.line = end + 1;
        self.check_beginning(input)?;
        Ok(Searched::Line)
    }

    /// Takes complete lines of the usual shape, as far as they go. True if the block has ended: before `line`.
    fn take_usual_lines(&mut self, input: &[u8], limits: &Limits) -> Result<bool, ReceiveError> {
        // A line that ends within the limit breaks none.
        let limit = if self.block == Block::Trailers { limits.trailers } else { limits.head };
        let input = &input[..input.len().min(limit)];
        let mut place = self.line;
        if matches!((self.start, self.block), (StartLine::Pending, Block::Request)) {
            let Some(line) = input.get(place..).and_then(one_pass::request_line) else { return Ok(false) };
            let length = line.target_end + one_pass::BEHIND_TARGET;
            if length > limits.start_line.saturating_add(2) {
                return Ok(false);
            }
            self.start = StartLine::Request(line);
            place += length;
        }
        let has_ended = !matches!(self.start, StartLine::Pending)
            && loop {
                let Some(rest) = input.get(place..) else { break false };
                if rest.starts_with(b"\r\n") {
                    place += 2;
                    break true;
                }
                let Some(line) = one_pass::field(rest).filter(|_| self.entries.len() < limits.header_count) else {
                    break false;
                };
                let name = &rest[..line.name_length];
                if Facts::may_be_framing(name) {
                    self.facts.note(name, &rest[line.value_start..line.value_end])?;
                }
                if !self.entries.push_at(place, line.name_length, place + line.value_start, place + line.value_end) {
                    return Err(ReceiveError::HeadTooLong);
                }
                place += line.value_end + 2;
            };
        (self.line, self.searched) = (place, place);
        Ok(has_ended)
    }

    /// Takes the line that ends before its CRLF at `end`. True if it is the empty line that ends the block.
    fn take_line(&mut self, input: &mut [u8], end: usize, limits: &Limits) -> Result<bool, ReceiveError> {
        let line = &input[self.line..end];
        match (self.start, self.block) {
            (StartLine::Pending, _) if line.is_empty() => {
                self.skipped += 1;
                if self.skipped > EMPTY_LINES { Err(ReceiveError::StartLineInvalid) } else { Ok(false) }
            }
            (StartLine::Pending, Block::Response) => {
                if self.skipped > 0 {
                    return Err(ReceiveError::StartLineInvalid);
                }
                self.start = StartLine::Status(parse_status_line(line)?);
                Ok(false)
            }
            (StartLine::Pending, _) => {
                self.start = StartLine::Request(parse_request_line(line)?);
                Ok(false)
            }
            _ if line.is_empty() => Ok(true),
            _ if matches!(line[0], b' ' | b'\t') => self.take_fold(input, end),
            _ => {
                if self.entries.len() >= limits.header_count {
                    return Err(ReceiveError::TooManyFields);
                }
                parse_field(line, self.line, &mut self.facts, &mut self.entries)?;
                Ok(false)
            }
        }
    }

    /// A line that continues the value before it: refused, but for responses, where the line end becomes spaces.
    fn take_fold(&mut self, input: &mut [u8], end: usize) -> Result<bool, ReceiveError> {
        let place = self.entries.len().wrapping_sub(1);
        let Some(previous) = self.entries.get(place).filter(|_| self.block == Block::Response) else {
            return Err(ReceiveError::ObsoleteFold);
        };
        // Content-Length and the like were judged by their first line: a fold must not change them.
        if Facts::is_framing(previous.name(input)) {
            return Err(ReceiveError::ObsoleteFold);
        }
        input[self.line - 2..self.line].fill(b' ');
        let start = previous.value_start as usize;
        let value = trim_ows(&input[start..end]);
        if !is_field_value(value) {
            return Err(ReceiveError::FieldValueInvalid);
        }
        // A value that was empty before the fold begins later now.
        let leading = input[start..end].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let length = value.len();
        let start = if length == 0 { start } else { start + leading };
        let longer = Entry::new(previous.name_start as usize, usize::from(previous.name_length), start, length);
        self.entries.replace(place, longer.ok_or(ReceiveError::HeadTooLong)?);
        Ok(false)
    }

    /// `total` bytes of the block and `line` bytes of the line at hand are here.
    fn check_limits(&self, total: usize, line: usize, limits: &Limits) -> Result<(), ReceiveError> {
        if matches!(self.start, StartLine::Pending) && line > limits.start_line + 2 {
            return Err(ReceiveError::StartLineTooLong);
        }
        match self.block {
            Block::Trailers if total > limits.trailers => Err(ReceiveError::TrailersTooLong),
            Block::Request | Block::Response if total > limits.head => Err(ReceiveError::HeadTooLong),
            _ => Ok(()),
        }
    }

    /// Refuses at once what can never become a start line, so that a peer that speaks something else gets its answer
    /// now and not at the deadline. Comes before anything else is said of the line: the verdict must not depend on
    /// how much of it is here.
    #[inline]
    fn check_beginning(&self, input: &[u8]) -> Result<(), ReceiveError> {
        let (StartLine::Pending, Some(&first)) = (self.start, input.get(self.line)) else { return Ok(()) };
        match (self.block, first) {
            (_, b'\r') => Ok(()),
            (Block::Request, 0x16) => Err(ReceiveError::TlsOnPlainPort),
            (Block::Request, _) if is_token(&[first]) => Ok(()),
            (Block::Response, _) => {
                let seen = &input[self.line..input.len().min(self.line + 5)];
                if b"HTTP/".starts_with(seen) { Ok(()) } else { Err(ReceiveError::StartLineInvalid) }
            }
            _ => Err(ReceiveError::StartLineInvalid),
        }
    }
}
