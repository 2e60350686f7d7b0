//! A reader of any stream of parts: by part, by line, up to a separator, by count, or as `AsyncRead`.
//!
//! Bodies of requests and of responses are read with it. It asks its source for no part before all that came is taken,
//! so back pressure reaches the peer. A future of it that is dropped loses nothing: what has come stays in the reader.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use callboard_core::pieces::{Pieces, Search, without_line_end};
use futures_io::{AsyncBufRead, AsyncRead};
use futures_lite::Stream;

/// Reads a stream of parts in pieces of other sizes.
///
/// ```
/// use callboard_runtime::Reader;
///
/// # futures_lite::future::block_on(async {
/// let parts = ["one\r", "\ntwo\nth", "ree"].map(|part| Ok::<_, std::io::Error>(part.into()));
/// let mut reader = Reader::new(futures_lite::stream::iter(parts));
/// assert_eq!(reader.line(80).await.unwrap().unwrap(), "one");
/// assert_eq!(reader.exactly(2).await.unwrap(), "tw");
/// assert_eq!(reader.until(b"o\nt", 80).await.unwrap().unwrap(), "o\nt");
/// assert_eq!(reader.line(80).await.unwrap().unwrap(), "hree");
/// assert!(reader.line(80).await.unwrap().is_none());
/// # });
/// ```
pub struct Reader<S> {
    source: S,
    pieces: Pieces,
    has_ended: bool,
}

/// Why a [`Reader`] does not give what was asked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError<E> {
    /// The source failed.
    Source(E),
    /// There is no separator within the limit. Nothing was taken: what came is still to be read.
    TooLong {
        /// What was accepted, bytes with the separator.
        limit: usize,
    },
    /// The source ended before the count was reached.
    Ended {
        /// What there was.
        part: Bytes,
    },
}

impl<S> Reader<S> {
    /// A reader of a source of which all is still to come.
    pub fn new(source: S) -> Self {
        Self { source, pieces: Pieces::new(), has_ended: false }
    }

    /// The source. What it gave and was not read yet is [`buffered`](Self::buffered).
    pub fn source(&self) -> &S {
        &self.source
    }

    /// The source alone. What is [`buffered`](Self::buffered) is lost.
    pub fn into_source(self) -> S {
        self.source
    }

    /// What came and was not read yet.
    pub fn buffered(&self) -> &[u8] {
        self.pieces.held()
    }
}

impl<S, E> Reader<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    /// Whatever comes next, or `None` at the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, ReadError<E>> {
        std::future::poll_fn(|context| self.poll_any(context)).await?;
        let part = self.pieces.up_to(usize::MAX);
        Ok((!part.is_empty()).then_some(part))
    }

    /// All up to and with the separator, at most `limit` bytes; at the end what is left without one, or `None`.
    pub async fn until(&mut self, separator: &[u8], limit: usize) -> Result<Option<Bytes>, ReadError<E>> {
        let mut search = Search::new(separator, limit);
        std::future::poll_fn(|context| self.poll_until(context, &mut search, limit)).await
    }

    /// The next line without its `\n` or `\r\n`, or `None` at the end. The limit is on the line with its end.
    pub async fn line(&mut self, limit: usize) -> Result<Option<Bytes>, ReadError<E>> {
        Ok(self.until(b"\n", limit).await?.map(without_line_end))
    }

    /// All lines that are left, each of at most `limit` bytes with its end. The stream ends after an error.
    pub fn lines(self, limit: usize) -> Lines<S> {
        Lines { reader: self, search: Search::new(b"\n", limit), limit, has_failed: false }
    }

    /// That many bytes; [`ReadError::Ended`] with the rest if there are fewer. Memory grows with what comes, not with
    /// the count.
    pub async fn exactly(&mut self, count: usize) -> Result<Bytes, ReadError<E>> {
        std::future::poll_fn(|context| self.poll_exactly(context, count)).await
    }

    /// One more part of the source; false at its end, and ever after.
    fn poll_feed(&mut self, context: &mut Context<'_>) -> Poll<Result<bool, ReadError<E>>> {
        if self.has_ended {
            return Poll::Ready(Ok(false));
        }
        let part = ready!(Pin::new(&mut self.source).poll_next(context));
        self.has_ended = !matches!(part, Some(Ok(_)));
        Poll::Ready(match part {
            Some(Ok(part)) => {
                self.pieces.feed(part);
                Ok(true)
            }
            Some(Err(error)) => Err(ReadError::Source(error)),
            None => Ok(false),
        })
    }

    /// Until something is there or nothing will be.
    fn poll_any(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ReadError<E>>> {
        while self.pieces.held().is_empty() {
            if !ready!(self.poll_feed(context))? {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_until(
        &mut self,
        context: &mut Context<'_>,
        search: &mut Search<'_>,
        limit: usize,
    ) -> Poll<Result<Option<Bytes>, ReadError<E>>> {
        loop {
            match self.pieces.until(search) {
                Ok(Some(piece)) => return Poll::Ready(Ok(Some(piece))),
                Ok(None) => {}
                Err(_) => return Poll::Ready(Err(ReadError::TooLong { limit })),
            }
            if !ready!(self.poll_feed(context))? {
                let rest = self.pieces.up_to(usize::MAX);
                return Poll::Ready(Ok((!rest.is_empty()).then_some(rest)));
            }
        }
    }

    fn poll_exactly(&mut self, context: &mut Context<'_>, count: usize) -> Poll<Result<Bytes, ReadError<E>>> {
        loop {
            if let Some(piece) = self.pieces.exactly(count) {
                return Poll::Ready(Ok(piece));
            }
            if !ready!(self.poll_feed(context))? {
                return Poll::Ready(Err(ReadError::Ended { part: self.pieces.up_to(usize::MAX) }));
            }
        }
    }
}

/// The lines of a [`Reader`]: see [`Reader::lines`].
pub struct Lines<S> {
    reader: Reader<S>,
    search: Search<'static>,
    limit: usize,
    has_failed: bool,
}

impl<S, E> Stream for Lines<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Item = Result<Bytes, ReadError<E>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.has_failed {
            return Poll::Ready(None);
        }
        let line = ready!(this.reader.poll_until(context, &mut this.search, this.limit));
        this.has_failed = line.is_err();
        Poll::Ready(line.map(|line| line.map(without_line_end)).transpose())
    }
}

impl<S, E> AsyncRead for Reader<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::error::Error + Send + Sync + 'static,
{
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_any(context)).map_err(io::Error::other)?;
        let held = this.pieces.held();
        let count = held.len().min(buffer.len());
        buffer[..count].copy_from_slice(&held[..count]);
        this.pieces.skip(count);
        Poll::Ready(Ok(count))
    }
}

impl<S, E> AsyncBufRead for Reader<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::error::Error + Send + Sync + 'static,
{
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        ready!(this.poll_any(context)).map_err(io::Error::other)?;
        Poll::Ready(Ok(this.pieces.held()))
    }

    fn consume(self: Pin<&mut Self>, count: usize) {
        self.get_mut().pieces.skip(count);
    }
}

impl<E: fmt::Display> fmt::Display for ReadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => error.fmt(f),
            Self::TooLong { limit } => write!(f, "there is no separator within {limit} bytes"),
            Self::Ended { part } => write!(f, "the source ended after {} bytes of what was asked for", part.len()),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for ReadError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Source(error) => Some(error),
            Self::TooLong { .. } | Self::Ended { .. } => None,
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Reader<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("source", &self.source)
            .field("buffered", &self.buffered().len())
            .finish_non_exhaustive()
    }
}

impl<S: fmt::Debug> fmt::Debug for Lines<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("reader", &self.reader).field("limit", &self.limit).finish_non_exhaustive()
    }
}
