//! The reader: pieces of a body in, parts out.
//!
//! It holds the piece of input that it was given last, and of what came before no more than the beginning of a
//! delimiter and the fields of one part.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::{Buf, Bytes};
use memchr::memmem::Finder;

use super::delimiter::{Found, LINE_START, Line, LineStart, Scan};
use super::head::{HeadReader, PartHead};
use super::transfer::Decoder;
use super::{Boundary, MultipartError, MultipartLimits};
use crate::media_type::MediaType;

/// RFC 7578 §4.6 gives no bound; no charset has a longer name.
const CHARSET_LENGTH: usize = 31;

/// What a [`Reader`] gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A part begins.
    Part(Box<PartHead>),
    /// Some data of the part, decoded, never empty.
    Data(Bytes),
    /// The part is complete.
    PartEnd,
    /// The body is complete. Whatever follows is thrown away.
    End,
}

/// Reads one multipart body.
///
/// Hand it a piece when [`wants_input`](Self::wants_input) says so, and take events until there is none. Both may be
/// done in any rhythm, and pieces may be cut anywhere: the events are the same.
///
/// ```
/// use bytes::Bytes;
/// use callboard_core::multipart::{Event, MultipartLimits, Reader};
///
/// let body = "--B\r\nContent-Disposition: form-data; name=\"greeting\"\r\n\r\nHello!\r\n--B--\r\n";
/// let media_type = "multipart/form-data; boundary=B".parse()?;
/// let mut reader = Reader::new(&media_type, MultipartLimits::default())?;
/// reader.handle_input(Bytes::from_static(body.as_bytes()));
/// reader.handle_end_of_input();
/// let Some(Event::Part(head)) = reader.poll_event()? else { panic!("a part") };
/// assert_eq!(head.name(), Some("greeting"));
/// assert_eq!(reader.poll_event()?, Some(Event::Data("Hello!".into())));
/// assert_eq!(reader.poll_event()?, Some(Event::PartEnd));
/// assert_eq!(reader.poll_event()?, Some(Event::End));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Reader {
    /// CRLF, two hyphens, the boundary.
    delimiter: Bytes,
    finder: Finder<'static>,
    is_form: bool,
    limits: MultipartLimits,
    state: State,
    /// What was handed in and not looked at.
    input: Bytes,
    has_ended: bool,
    /// More was handed in than the limit allows; the excess was dropped.
    is_over: bool,
    total_left: u64,
    parts: usize,
    charset: CharsetField,
}

#[derive(Debug)]
enum State {
    /// Before the first delimiter. What stands there is no part.
    Preamble(Scan),
    /// After a delimiter, on its line.
    Line(Line),
    Head(Box<HeadReader>),
    Data(Data),
    /// After the closing delimiter.
    Done,
    Failed(MultipartError),
}

#[derive(Debug)]
struct Data {
    scan: Scan,
    decoder: Option<Decoder>,
    /// How many bytes the part may still have.
    room: u64,
    /// How many it must still have.
    missing: Option<u64>,
}

/// The field that names the charset of the others.
#[derive(Debug)]
enum CharsetField {
    Awaited,
    Coming(Vec<u8>),
    Passed(Option<String>),
}

impl Reader {
    /// A reader of a body of that media type.
    pub fn new(media_type: &MediaType, limits: MultipartLimits) -> Result<Self, MultipartError> {
        if media_type.kind() != "multipart" {
            return Err(MultipartError::NotMultipart);
        }
        let mut boundaries = media_type.values("boundary");
        let boundary = boundaries.next().ok_or(MultipartError::BoundaryMissing)?;
        if boundaries.next().is_some() {
            return Err(MultipartError::BoundaryRepeated);
        }
        let boundary = Boundary::new(boundary).map_err(|_| MultipartError::BoundaryInvalid)?;
        Ok(Self::with_boundary(&boundary, media_type.subtype() == "form-data", limits))
    }

    /// A reader of a body whose boundary is known. In a form, names are read as browsers write them, a part's
    /// `Content-Length` means nothing, and the field `_charset_` does.
    pub fn with_boundary(boundary: &Boundary, is_form: bool, limits: MultipartLimits) -> Self {
        let delimiter = Bytes::from([b"\r\n--", boundary.as_str().as_bytes()].concat());
        Self {
            finder: Finder::new(&delimiter).into_owned(),
            delimiter,
            is_form,
            state: State::Preamble(LINE_START),
            input: Bytes::new(),
            has_ended: false,
            is_over: false,
            total_left: limits.total,
            parts: 0,
            charset: CharsetField::Awaited,
            limits,
        }
    }

    /// A reader of a part that is multipart itself, to be fed with the data of the part. It may have as many parts as
    /// this one has left, and one level less; what it reads is not counted here.
    pub fn nested(&self, part: &PartHead) -> Result<Self, MultipartError> {
        let media_type = part.media_type().ok_or(MultipartError::NotMultipart)?;
        let mut limits = self.limits.clone();
        limits.depth = limits.depth.checked_sub(1).ok_or(MultipartError::TooDeep)?;
        limits.parts = limits.parts.saturating_sub(self.parts);
        Self::new(media_type, limits)
    }

    /// Whether this is a form.
    pub fn is_form(&self) -> bool {
        self.is_form
    }

    /// What the field `_charset_` of a form has said so far: the charset of fields that name none (RFC 7578 §4.6).
    pub fn charset(&self) -> Option<&str> {
        match &self.charset {
            CharsetField::Passed(charset) => charset.as_deref(),
            _ => None,
        }
    }

    /// Whether the piece that was handed in last is used up and another one can come.
    pub fn wants_input(&self) -> bool {
        self.input.is_empty() && !self.has_ended && !self.is_over && !self.is_finished()
    }

    /// Whether the body is complete, or has failed.
    pub fn is_finished(&self) -> bool {
        matches!(self.state, State::Done | State::Failed(_))
    }

    /// Where in the body it is, in a word or two: for logs, and for the tables of the states.
    pub fn state(&self) -> &'static str {
        match &self.state {
            State::Preamble(_) => "preamble",
            State::Line(Line { start: LineStart::Closing, .. }) => "closing line",
            State::Line(_) => "delimiter line",
            State::Head(_) => "head",
            State::Data(_) => "data",
            State::Done => "done",
            State::Failed(_) => "failed",
        }
    }

    /// The next piece of the body. If the one before is not used up, both are copied together: ask
    /// [`wants_input`](Self::wants_input) first.
    pub fn handle_input(&mut self, mut piece: Bytes) {
        if self.is_finished() || self.has_ended {
            return;
        }
        let length = piece.len() as u64;
        if length > self.total_left {
            self.is_over = true;
            piece.truncate(usize::try_from(self.total_left).unwrap_or(usize::MAX));
        }
        self.total_left -= piece.len() as u64;
        if self.input.is_empty() {
            self.input = piece;
        } else if !piece.is_empty() {
            self.input = [&self.input[..], &piece[..]].concat().into();
        }
    }

    /// There is no more.
    pub fn handle_end_of_input(&mut self) {
        self.has_ended = true;
    }

    /// The next event, or none if more input is needed, or the body is complete. An error is final and comes again.
    pub fn poll_event(&mut self) -> Result<Option<Event>, MultipartError> {
        loop {
            let step = match &mut self.state {
                State::Done => return Ok(None),
                State::Failed(error) => return Err(*error),
                State::Preamble(_) => Ok(self.turn_preamble()),
                State::Line(_) => self.turn_line(),
                State::Head(_) => self.turn_head(),
                State::Data(_) => self.turn_data(),
            };
            match step {
                Ok(Step::Event(event)) => return Ok(Some(event)),
                Ok(Step::Again) => {}
                Ok(Step::Starved) if self.is_over => return Err(self.fail(MultipartError::BodyTooLarge)),
                Ok(Step::Starved) if self.has_ended => match self.end() {
                    Ok(event) => return Ok(Some(event)),
                    Err(error) => return Err(self.fail(error)),
                },
                Ok(Step::Starved) => return Ok(None),
                Err(error) => return Err(self.fail(error)),
            }
        }
    }

    fn fail(&mut self, error: MultipartError) -> MultipartError {
        self.state = State::Failed(error);
        self.input = Bytes::new();
        error
    }

    /// All input is used up and there is no more.
    fn end(&mut self) -> Result<Event, MultipartError> {
        match self.state {
            State::Line(Line { start: LineStart::Closing, has_return: false, .. }) => {
                self.state = State::Done;
                Ok(Event::End)
            }
            State::Line(Line { start: LineStart::Closing, .. }) => Err(MultipartError::DelimiterInvalid),
            State::Preamble(_) => Err(MultipartError::DelimiterMissing),
            State::Data(_) => Err(MultipartError::CutInPart),
            _ => Err(MultipartError::CutInHead),
        }
    }

    fn turn_preamble(&mut self) -> Step {
        let State::Preamble(scan) = &mut self.state else { return Step::Again };
        match scan.find(&self.delimiter, &self.finder, &mut self.input) {
            Found::Data(_) => {}
            Found::Delimiter => self.state = State::Line(Line::default()),
            Found::Nothing => return Step::Starved,
        }
        Step::Again
    }

    fn turn_line(&mut self) -> Result<Step, MultipartError> {
        let State::Line(line) = &mut self.state else { return Ok(Step::Again) };
        while self.input.has_remaining() {
            let byte = self.input.get_u8();
            if !line.take(byte, self.limits.header_line)? {
                continue;
            }
            if line.start == LineStart::Closing {
                self.state = State::Done;
                self.input = Bytes::new();
                return Ok(Step::Event(Event::End));
            }
            if self.parts == self.limits.parts {
                return Err(MultipartError::TooManyParts);
            }
            self.parts += 1;
            self.state = State::Head(Box::default());
            return Ok(Step::Again);
        }
        Ok(Step::Starved)
    }

    fn turn_head(&mut self) -> Result<Step, MultipartError> {
        let State::Head(reader) = &mut self.state else { return Ok(Step::Again) };
        let mut rest = &self.input[..];
        let head = reader.read(&mut rest, &self.limits, self.is_form)?;
        let taken = self.input.len() - rest.len();
        self.input.advance(taken);
        let Some(head) = head else { return Ok(Step::Starved) };
        if self.is_form && matches!(self.charset, CharsetField::Awaited) && head.name() == Some("_charset_") {
            self.charset = CharsetField::Coming(Vec::new());
        }
        self.state = State::Data(Data {
            scan: LINE_START,
            decoder: head.transfer_encoding().decoder(),
            room: self.limits.part,
            missing: head.length(),
        });
        Ok(Step::Event(Event::Part(Box::new(head))))
    }

    fn turn_data(&mut self) -> Result<Step, MultipartError> {
        let State::Data(data) = &mut self.state else { return Ok(Step::Again) };
        let (mut decoded, mut failure) = match data.scan.find(&self.delimiter, &self.finder, &mut self.input) {
            Found::Nothing => return Ok(Step::Starved),
            Found::Data(bytes) => data.take(bytes),
            Found::Delimiter => return self.end_part(),
        };
        if let CharsetField::Coming(name) = &mut self.charset {
            let room = CHARSET_LENGTH - name.len();
            if decoded.len() > room {
                decoded.truncate(room);
                failure = Some(MultipartError::CharsetInvalid);
            }
            name.extend_from_slice(&decoded);
        }
        match failure {
            Some(error) if decoded.is_empty() => return Err(error),
            // It comes when it is asked for the next event.
            Some(error) => {
                self.fail(error);
            }
            None if decoded.is_empty() => return Ok(Step::Again),
            None => {}
        }
        Ok(Step::Event(Event::Data(decoded)))
    }

    /// The delimiter that ends a part was found.
    fn end_part(&mut self) -> Result<Step, MultipartError> {
        let State::Data(data) = &mut self.state else { return Ok(Step::Again) };
        if data.missing.is_some_and(|missing| missing > 0) {
            return Err(MultipartError::LengthMismatch);
        }
        let mut last = Vec::new();
        if let Some(mut decoder) = data.decoder.take() {
            decoder.finish(&mut last)?;
        }
        if !last.is_empty() {
            // The delimiter is still held: it ends the part in the next turn.
            return Ok(Step::Event(Event::Data(last.into())));
        }
        if let CharsetField::Coming(name) = &mut self.charset {
            let name = String::from_utf8(core::mem::take(name)).map_err(|_| MultipartError::CharsetInvalid)?;
            self.charset = CharsetField::Passed((!name.is_empty()).then_some(name));
        }
        self.state = State::Line(Line::default());
        Ok(Step::Event(Event::PartEnd))
    }
}

enum Step {
    Event(Event),
    /// The state has changed.
    Again,
    Starved,
}

impl Data {
    /// Counts data and decodes it. Beside an error comes what was right before it.
    fn take(&mut self, mut bytes: Bytes) -> (Bytes, Option<MultipartError>) {
        let mut failure = None;
        let mut cut = |room: &mut u64, error| {
            let fits = usize::try_from(*room).unwrap_or(usize::MAX);
            if bytes.len() > fits {
                bytes.truncate(fits);
                failure = Some(error);
            }
        };
        cut(&mut self.room, MultipartError::PartTooLarge);
        if let Some(missing) = &mut self.missing {
            cut(missing, MultipartError::LengthMismatch);
            *missing -= bytes.len() as u64;
        }
        self.room -= bytes.len() as u64;
        let Some(decoder) = &mut self.decoder else { return (bytes, failure) };
        let mut output = Vec::with_capacity(bytes.len());
        let result = decoder.decode(&bytes, &mut output);
        (output.into(), result.err().or(failure))
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("state", &self.state)
            .field("parts", &self.parts)
            .field("waiting", &self.input.len())
            .finish_non_exhaustive()
    }
}
