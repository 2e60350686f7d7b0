//! The chunked coding at its borders (RFC 9112 section 7.1): sizes, lines and extensions at their limits.

use std::sync::Arc;

use bytes::BytesMut;
use callboard_core::http1::{ClientConnection, ClientEvent, ReceiveError, Request};
use callboard_core::{BodyLength, Headers, Instant, Limits, Method, Protocol, Version};

/// What a client makes of a chunked body: its bytes, and how it ended if it did.
fn read(body: &str, limits: &Limits) -> (String, Option<Result<(), ReceiveError>>) {
    let now = Instant::EPOCH;
    let mut client = ClientConnection::new(Arc::new(limits.clone()), now);
    let headers = Headers::new();
    let request = Request { method: &Method::Get, target: "/", version: Version::Http11, headers: &headers };
    client.send_request(&request, BodyLength::Empty, now).unwrap();
    let mut input = BytesMut::from(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}").as_bytes());
    let (mut text, mut end) = (String::new(), None);
    loop {
        client.handle_input(&mut input, now);
        match client.poll_event() {
            None => return (text, end),
            Some(ClientEvent::Data { data, .. }) => text.push_str(std::str::from_utf8(&data).unwrap()),
            Some(ClientEvent::End { .. }) => end = Some(Ok(())),
            Some(ClientEvent::Failed { error }) => end = Some(Err(error)),
            Some(_) => {}
        }
    }
}

fn end(body: &str, limits: &Limits) -> Option<Result<(), ReceiveError>> {
    read(body, limits).1
}

#[test]
fn extensions_may_fill_their_limit_and_no_more() {
    let limits = Limits { chunk_extensions: 10, ..Limits::default() };
    let body = |first: &str, second: &str| format!("1{first}\r\na\r\n1{second}\r\nb\r\n0\r\n\r\n");
    assert_eq!(read(&body(";four", ";four"), &limits), ("ab".to_owned(), Some(Ok(()))));
    let too_long = Some(Err(ReceiveError::ChunkExtensionsTooLong));
    assert_eq!(end(&body(";four", ";five5"), &limits), too_long);
    assert_eq!(end(&body("", ";0123456789"), &limits), too_long);
    assert_eq!(end(&body(" ;four", ";four"), &limits), too_long, "the space before an extension counts");
}

#[test]
fn a_line_may_fill_its_limit_and_no_more() {
    let limits = Limits { chunk_line: 8, ..Limits::default() };
    assert_eq!(end("1;abcd\r\na\r\n0\r\n\r\n", &limits), Some(Ok(())));
    assert_eq!(end("1;abcde\r\na\r\n0\r\n\r\n", &limits), Some(Err(ReceiveError::ChunkLineTooLong)));
    assert_eq!(end("1;abcde", &limits), None, "seven bytes may still be a line");
    assert_eq!(end("1;abcdef", &limits), Some(Err(ReceiveError::ChunkLineTooLong)), "eight without an end may not");
}

#[test]
fn sizes_are_hexadecimal_and_fit() {
    let limits = Limits::default();
    let invalid = Some(Err(ReceiveError::ChunkSizeInvalid));
    let ten = "0123456789";
    for size in ["a", "A", "0a", "000000000000000000000000a", "a;x", "a ;x", "a\t;x=\"y\""] {
        assert_eq!(read(&format!("{size}\r\n{ten}\r\n0\r\n\r\n"), &limits), (ten.to_owned(), Some(Ok(()))), "{size}");
    }
    for size in ["", " a", "g", "ag", "a g", "0xa", "+a", "-a", "a ", "a,", "\n", ";x", "a\rx"] {
        assert_eq!(end(&format!("{size}\r\n{ten}\r\n0\r\n\r\n"), &limits), invalid, "{size:?}");
    }
    for (size, expected) in [
        ("ffffffffffffffff", None),
        ("0ffffffffffffffff", None),
        ("10000000000000000", invalid),
        ("1ffffffffffffffff", invalid),
        ("fffffffffffffffff", invalid),
    ] {
        assert_eq!(end(&format!("{size}\r\n"), &limits), expected, "{size}");
    }
    assert_eq!(read("12\r\n0123456789abcdefgh\r\n0\r\n\r\n", &limits).0.len(), 0x12);
    assert_eq!(end("a\n", &limits), invalid, "a bare LF");
    assert_eq!(end("a;\u{1}\r\n", &limits), Some(Err(ReceiveError::ChunkExtensionInvalid)));
}

#[test]
fn data_is_followed_by_a_line_end() {
    let limits = Limits::default();
    let invalid = Some(Err(ReceiveError::ChunkEndInvalid));
    for after in ["0\r\n\r\n", "x", "\rx", "\n", "\n\r", "\r\r\n"] {
        assert_eq!(end(&format!("3\r\nabc{after}"), &limits), invalid, "{after:?}");
    }
    for after in ["", "\r", "\r\n", "\r\n0", "\r\n0\r", "\r\n0\r\n", "\r\n0\r\n\r"] {
        assert_eq!(read(&format!("3\r\nabc{after}"), &limits), ("abc".to_owned(), None), "{after:?}");
    }
}
