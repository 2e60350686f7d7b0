//! The reader of a stream of parts: what each way of reading gives, at the end, after errors and when it is dropped.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use callboard_runtime::{ReadError, Reader};
use futures_lite::future::{block_on, poll_once};
use futures_lite::{AsyncBufReadExt, AsyncReadExt, Stream, StreamExt};

/// Gives its parts, is pending at each `None`, and panics when it is asked after its end.
struct Parts(VecDeque<Option<io::Result<Bytes>>>, bool);

impl Stream for Parts {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        assert!(!self.1, "asked again after its end");
        match self.0.pop_front() {
            Some(Some(part)) => Poll::Ready(Some(part)),
            Some(None) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            None => {
                self.1 = true;
                Poll::Ready(None)
            }
        }
    }
}

fn reader(parts: &[&'static str]) -> Reader<Parts> {
    let parts = parts.iter().map(|part| match *part {
        "..." => None,
        "!" => Some(Err(io::ErrorKind::BrokenPipe.into())),
        part => Some(Ok(Bytes::from_static(part.as_bytes()))),
    });
    Reader::new(Parts(parts.collect(), false))
}

#[test]
fn lines_come_without_their_ends_and_the_last_needs_none() {
    let mut reader = reader(&["one\n", "...", "two\r", "\n\n", "last"]);
    for line in [Some("one"), Some("two"), Some(""), Some("last"), None, None] {
        assert_eq!(block_on(reader.line(6)).unwrap(), line.map(Bytes::from));
    }
}

#[test]
fn lines_are_a_stream_that_ends_with_its_error() {
    let lines: Vec<_> = block_on(reader(&["a\nbb", "b\nlong", "er\nc\n"]).lines(5).collect());
    assert_eq!(lines.len(), 3);
    assert_eq!((lines[0].as_ref().unwrap(), lines[1].as_ref().unwrap()), (&"a".into(), &"bbb".into()));
    assert!(matches!(lines[2], Err(ReadError::TooLong { limit: 5 })));
}

#[test]
fn a_line_beyond_its_limit_is_an_error_that_takes_nothing() {
    let mut reader = reader(&["0123", "456789\nend"]);
    assert!(matches!(block_on(reader.line(5)), Err(ReadError::TooLong { limit: 5 })));
    assert_eq!(block_on(reader.line(11)).unwrap().unwrap(), "0123456789");
}

#[test]
fn a_separator_of_any_length_is_found_across_parts() {
    let mut reader = reader(&["a-", "--", "-b", "--", "--c"]);
    assert_eq!(block_on(reader.until(b"----", 9)).unwrap().unwrap(), "a----");
    assert_eq!(block_on(reader.until(b"----", 9)).unwrap().unwrap(), "b----");
    assert_eq!(block_on(reader.until(b"----", 9)).unwrap().unwrap(), "c");
    assert_eq!(block_on(reader.until(b"----", 9)).unwrap(), None);
}

#[test]
fn a_count_is_given_whole_or_what_there_is_with_an_error() {
    let mut reader = reader(&["ab", "...", "cdef", "g"]);
    assert_eq!(block_on(reader.exactly(3)).unwrap(), "abc");
    assert_eq!(block_on(reader.exactly(0)).unwrap(), "");
    let Err(ReadError::Ended { part }) = block_on(reader.exactly(5)) else { panic!("there were four") };
    assert_eq!(part, "defg");
    assert!(matches!(block_on(reader.exactly(1)), Err(ReadError::Ended { part }) if part.is_empty()));
}

#[test]
fn a_future_that_is_dropped_loses_nothing() {
    let mut reader = reader(&["on", "...", "e\ntw", "...", "o\n"]);
    assert!(block_on(poll_once(reader.line(9))).is_none());
    assert_eq!(reader.buffered(), b"on");
    assert_eq!(block_on(reader.line(9)).unwrap().unwrap(), "one");
    assert!(block_on(poll_once(reader.exactly(4))).is_none());
    assert_eq!(block_on(reader.chunk()).unwrap().unwrap(), "tw");
    assert_eq!(block_on(reader.chunk()).unwrap().unwrap(), "o\n");
    assert_eq!(block_on(reader.chunk()).unwrap(), None);
}

#[test]
fn a_failure_comes_after_what_was_asked_for_and_once() {
    let mut reader = reader(&["one\ntw", "!", "never"]);
    assert_eq!(block_on(reader.line(9)).unwrap().unwrap(), "one");
    assert!(
        matches!(block_on(reader.line(9)), Err(ReadError::Source(error)) if error.kind() == io::ErrorKind::BrokenPipe)
    );
    assert_eq!(reader.buffered(), b"tw");
    assert_eq!(block_on(reader.chunk()).unwrap().unwrap(), "tw");
    assert_eq!(block_on(reader.chunk()).unwrap(), None);
}

#[test]
fn nothing_is_asked_for_before_it_is_needed() {
    let mut reader = reader(&["a\nb\n", "c\n"]);
    for _ in 0..2 {
        block_on(reader.line(9)).unwrap();
        assert_eq!(reader.source().0.len(), 1, "the second part is not needed yet");
    }
}

#[test]
fn it_is_an_async_reader_of_bytes() {
    block_on(async {
        let mut text = String::new();
        reader(&["", "ab", "...", "", "c"]).read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "abc");
        let mut small = [0; 2];
        let mut reader = reader(&["abc", "def"]);
        assert_eq!((reader.read(&mut small).await.unwrap(), &small), (2, b"ab"));
        assert_eq!((reader.read(&mut small).await.unwrap(), small[0]), (1, b'c'));
        assert_eq!(reader.fill_buf().await.unwrap(), b"def");
        reader.consume(2);
        assert_eq!(reader.fill_buf().await.unwrap(), b"f");
        reader.consume(1);
        assert_eq!(reader.fill_buf().await.unwrap(), b"");
        let error = self::reader(&["!"]).read_to_string(&mut String::new()).await.unwrap_err();
        assert!(matches!(error.get_ref().unwrap().downcast_ref(), Some(ReadError::<io::Error>::Source(_))));
    });
}
