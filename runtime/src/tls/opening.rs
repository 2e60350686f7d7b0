//! The peer's first bytes, looked at before TLS gets them: plain HTTP deserves a better answer than an alert.

use std::future::poll_fn;
use std::io;

use bytes::BytesMut;

use crate::{Buffers, Stream};

/// The longest text that is taken for a method.
const LONGEST_METHOD: usize = 24;

/// What the peer's first bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// A TLS record.
    Tls,
    /// HTTP.
    Http,
    /// Something else.
    Other,
    /// Nothing.
    Closed,
}

/// Reads just enough for `judge` to tell; what was read is in `seen`.
pub(super) async fn read_opening(
    stream: &mut dyn Stream,
    seen: &mut BytesMut,
    judge: fn(&[u8]) -> Option<Opening>,
) -> io::Result<Opening> {
    loop {
        if let Some(opening) = judge(seen) {
            return Ok(opening);
        }
        poll_fn(|context| stream.poll_readable(context)).await?;
        if seen.capacity() == 0 {
            *seen = Buffers::take();
        }
        Buffers::make_room(seen);
        if poll_fn(|context| stream.poll_fill(context, seen)).await? == 0 {
            return Ok(if seen.is_empty() { Opening::Closed } else { Opening::Other });
        }
    }
}

/// Judges what a client sent; `None` if more bytes are needed.
///
/// A method is upper case letters here. No other protocol whose greeting is such a word and a space deserves a better
/// answer than HTTP's.
pub(super) fn judge_client(seen: &[u8]) -> Option<Opening> {
    // RFC 8446 §5.1: a record of type handshake.
    if *seen.first()? == 22 {
        return Some(Opening::Tls);
    }
    let method = seen.iter().take_while(|byte| byte.is_ascii_uppercase() || **byte == b'-').count();
    match seen.get(method) {
        Some(b' ') if method >= 3 => Some(Opening::Http),
        None if method < LONGEST_METHOD => None,
        _ => Some(Opening::Other),
    }
}

/// Judges what a server answered; `None` if more bytes are needed.
pub(super) fn judge_server(seen: &[u8]) -> Option<Opening> {
    const VERSION: &[u8] = b"HTTP/";
    // RFC 8446 §5.1: record types are 20 to 24.
    if matches!(seen.first()?, 20..=24) {
        Some(Opening::Tls)
    } else if seen.starts_with(VERSION) {
        Some(Opening::Http)
    } else if VERSION.starts_with(seen) {
        None
    } else {
        Some(Opening::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::{Opening, judge_client, judge_server};

    #[test]
    fn clients_are_told_apart_as_early_as_can_be() {
        let cases: [(&[u8], Option<Opening>); 11] = [
            (b"", None),
            (b"\x16", Some(Opening::Tls)),
            (b"\x16\x03\x01", Some(Opening::Tls)),
            (b"GET", None),
            (b"GET ", Some(Opening::Http)),
            (b"PROPFIND /x", Some(Opening::Http)),
            (b"M-SEARCH *", Some(Opening::Http)),
            (b"SSH-2.0-x", Some(Opening::Other)),
            (b"GE /", Some(Opening::Other)),
            (b"\x80", Some(Opening::Other)),
            (b"ABCDEFGHIJKLMNOPQRSTUVWX", Some(Opening::Other)),
        ];
        for (bytes, opening) in cases {
            assert_eq!(judge_client(bytes), opening, "{bytes:?}");
        }
    }

    #[test]
    fn servers_are_told_apart_as_early_as_can_be() {
        let cases: [(&[u8], Option<Opening>); 7] = [
            (b"", None),
            (b"\x15\x03", Some(Opening::Tls)),
            (b"\x16", Some(Opening::Tls)),
            (b"HTTP", None),
            (b"HTTP/1.1 400", Some(Opening::Http)),
            (b"HTML", Some(Opening::Other)),
            (b"SSH-2.0-x", Some(Opening::Other)),
        ];
        for (bytes, opening) in cases {
            assert_eq!(judge_server(bytes), opening, "{bytes:?}");
        }
    }
}
