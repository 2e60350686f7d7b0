//! A stream of parts, read in other pieces than it came in: up to a separator, or by count.
//!
//! Parts are cut anywhere, so a separator may lie across any number of them; what is found never depends on the cuts.
//! A piece that lies in one part is cut from it without a copy; else its parts are joined. No more is held than the
//! limit of a search and the part that exceeded it.

use bytes::{Bytes, BytesMut};
use memchr::memmem::Finder;

use crate::reasons::reasons;

reasons! {
    /// Why a piece is not given.
    PieceError {
        /// The piece would be longer than its limit.
        TooLong => "there is no separator within the limit",
    }
}

/// A search for the end of one piece. It remembers how far it has looked, so that each byte is looked at once however
/// small the parts are. Use a fresh one for each piece.
#[derive(Debug)]
pub struct Search<'a> {
    separator: Finder<'a>,
    limit: usize,
    searched: usize,
}

impl<'a> Search<'a> {
    /// For a piece of at most `limit` bytes with its separator. An empty separator is found nowhere.
    pub fn new(separator: &'a [u8], limit: usize) -> Self {
        Self { separator: Finder::new(separator), limit, searched: 0 }
    }
}

/// The bytes that have come and were not taken.
///
/// ```
/// use callboard_core::pieces::{Pieces, Search};
///
/// let mut pieces = Pieces::new();
/// pieces.feed("one\r".into());
/// let mut search = Search::new(b"\r\n", 80);
/// assert_eq!(pieces.until(&mut search), Ok(None));
/// pieces.feed("\ntwo".into());
/// assert_eq!(pieces.until(&mut search), Ok(Some("one\r\n".into())));
/// assert_eq!(pieces.held(), b"two");
/// ```
#[derive(Debug, Default)]
pub struct Pieces {
    /// A part as it came. Of this and `joined`, one is empty.
    part: Bytes,
    joined: BytesMut,
}

impl Pieces {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a part.
    pub fn feed(&mut self, part: Bytes) {
        if self.held().is_empty() {
            self.joined = BytesMut::new();
            self.part = part;
            return;
        }
        self.joined.extend_from_slice(&core::mem::take(&mut self.part));
        self.joined.extend_from_slice(&part);
    }

    /// What is there.
    pub fn held(&self) -> &[u8] {
        if self.joined.is_empty() { &self.part } else { &self.joined }
    }

    /// Takes all up to and with the separator; `None` if it has not come yet. An error takes nothing: the bytes may be
    /// searched again with a higher limit, or taken in another way.
    pub fn until(&mut self, search: &mut Search<'_>) -> Result<Option<Bytes>, PieceError> {
        let held = self.held();
        let length = search.separator.needle().len();
        let within = &held[..held.len().min(search.limit)];
        if length > 0 && search.searched < within.len() {
            if let Some(at) = search.separator.find(&within[search.searched..]) {
                let end = search.searched + at + length;
                search.searched = 0;
                return Ok(Some(self.split(end)));
            }
            // A separator may have begun in the last bytes.
            search.searched = (within.len() + 1).saturating_sub(length);
        }
        if held.len() > search.limit { Err(PieceError::TooLong) } else { Ok(None) }
    }

    /// Takes that many bytes; `None` if fewer have come.
    pub fn exactly(&mut self, count: usize) -> Option<Bytes> {
        (self.held().len() >= count).then(|| self.split(count))
    }

    /// Takes what is there, at most that many bytes.
    pub fn up_to(&mut self, count: usize) -> Bytes {
        self.split(self.held().len().min(count))
    }

    /// Drops that many bytes, or as many as there are.
    pub fn skip(&mut self, count: usize) {
        drop(self.up_to(count));
    }

    fn split(&mut self, count: usize) -> Bytes {
        if self.joined.is_empty() { self.part.split_to(count) } else { self.joined.split_to(count).freeze() }
    }
}

/// A line without its end: `\n` or `\r\n`.
pub fn without_line_end(mut line: Bytes) -> Bytes {
    let length = match &*line {
        [text @ .., b'\r', b'\n'] | [text @ .., b'\n'] => text.len(),
        all => all.len(),
    };
    line.truncate(length);
    line
}
