//! Hostile streams against the HTTP/1 machines, with an allocator that counts: the memory that a connection takes is
//! below the bound that its limits state, however long the stream is.
//!
//! A caller reads 4 KiB at a time and only while the machine wants input, polls what is reported, drops it, and takes
//! what is to be sent, as a driver does. The input buffer counts too.

use std::sync::Arc;

use allocation_counter::measure;
use bytes::{Buf, BytesMut};
use callboard_core::http1::{
    ClientConnection, ClientEvent, ReceiveError, Request, Response, ServerConnection, ServerEvent,
};
use callboard_core::{BodyLength, Headers, Instant, Limits, Method, Protocol, Status, Version};

const NOW: Instant = Instant::from_nanos(1_000_000_000);
/// What is read at once.
const PIECE: usize = 4 * 1024;
/// Of each hostile stream: several times what may be held.
const LENGTH: usize = 1024 * 1024;

fn limits() -> Arc<Limits> {
    Arc::new(Limits::default())
}

/// A head or trailers at their limit: as bytes, a buffer that doubled, the offsets of the fields, a copy to read from.
fn bound(limits: &Limits) -> u64 {
    let largest = limits.head.max(limits.trailers).max(limits.receive_buffer) + PIECE;
    (4 * largest + 16 * 1024) as u64
}

/// Endless input: what comes first, then the same again and again.
struct Stream<'a> {
    first: &'a [u8],
    again: &'a [u8],
    given: usize,
}

impl Stream<'_> {
    fn read(&mut self, input: &mut BytesMut) {
        input.reserve(PIECE);
        for _ in 0..PIECE {
            let after = self.given.checked_sub(self.first.len());
            input.extend_from_slice(&[
                after.map_or_else(|| self.first[self.given], |at| self.again[at % self.again.len()])
            ]);
            self.given += 1;
        }
    }
}

/// What became of a connection.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    requests: usize,
    data: usize,
    failure: Option<ReceiveError>,
    read: usize,
}

fn serve(first: &str, again: &str, limits: &Arc<Limits>) -> Outcome {
    let mut server = ServerConnection::new(Arc::clone(limits), NOW);
    let mut input = BytesMut::new();
    let mut stream = Stream { first: first.as_bytes(), again: again.as_bytes(), given: 0 };
    let mut outcome = Outcome::default();
    while stream.given < LENGTH && server.wants_input() {
        stream.read(&mut input);
        loop {
            server.handle_input(&mut input, NOW);
            let Some(event) = server.poll_event() else { break };
            let answer = match event {
                ServerEvent::Request { exchange, body, .. } => {
                    outcome.requests += 1;
                    (body == BodyLength::Empty).then_some((exchange, Status::OK))
                }
                ServerEvent::Data { data, .. } => {
                    outcome.data += data.len();
                    None
                }
                ServerEvent::End { exchange, .. } => Some((exchange, Status::OK)),
                ServerEvent::Failed { exchange, error, answerable } => {
                    outcome.failure = Some(error);
                    answerable.then_some((exchange, error.status()))
                }
                ServerEvent::Upgraded { .. } | ServerEvent::Closed => None,
            };
            if let Some((exchange, status)) = answer {
                let response = Response { status, headers: &Headers::new(), date: None };
                server.respond(exchange, &response, BodyLength::Empty, NOW).unwrap();
            }
            let queue = server.outgoing();
            queue.advance(queue.remaining());
        }
    }
    outcome.read = stream.given;
    outcome
}

fn ask(first: &str, again: &str, limits: &Arc<Limits>) -> Outcome {
    let mut client = ClientConnection::new(Arc::clone(limits), NOW);
    let headers = Headers::new();
    let request = Request { method: &Method::Get, target: "/", version: Version::Http11, headers: &headers };
    client.send_request(&request, BodyLength::Empty, NOW).unwrap();
    let mut input = BytesMut::new();
    let mut stream = Stream { first: first.as_bytes(), again: again.as_bytes(), given: 0 };
    let mut outcome = Outcome::default();
    while stream.given < LENGTH && client.wants_input() && !client.is_finished() {
        stream.read(&mut input);
        loop {
            client.handle_input(&mut input, NOW);
            match client.poll_event() {
                None => break,
                Some(ClientEvent::Informational { .. } | ClientEvent::Response { .. }) => outcome.requests += 1,
                Some(ClientEvent::Data { data, .. }) => outcome.data += data.len(),
                Some(ClientEvent::Failed { error }) => outcome.failure = Some(error),
                Some(ClientEvent::End { .. } | ClientEvent::Upgraded { .. }) => {}
            }
        }
        let queue = client.outgoing();
        queue.advance(queue.remaining());
    }
    outcome.read = stream.given;
    outcome
}

/// Runs a connection and asserts its peak.
fn within(what: &str, limits: &Limits, run: impl FnOnce() -> Outcome) -> Outcome {
    let mut outcome = Outcome::default();
    let info = measure(|| outcome = run());
    let bound = bound(limits);
    assert!(info.bytes_max <= bound, "{what}: {} bytes, more than {bound}; {outcome:?}", info.bytes_max);
    outcome
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n";
const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn hostile_requests() {
    use ReceiveError::{
        ChunkExtensionsTooLong, ChunkLineTooLong, HeadTooLong, StartLineTooLong, TooManyFields, TrailersTooLong,
    };
    let long = format!("x: {}\r\n", "v".repeat(2_000));
    let chunk_lines = format!("1;{}\r\nx\r\n", "e".repeat(900));
    let first_chunk = format!("{CHUNKED}1\r\nx\r\n0\r\n");
    // What, first, again, the failure.
    let rows: [(&str, &str, &str, Option<ReceiveError>); 12] = [
        ("an endless method", "", "A", Some(StartLineTooLong)),
        ("an endless target", "GET /", "a", Some(StartLineTooLong)),
        ("an endless value", "GET / HTTP/1.1\r\nHost: a\r\nx: ", "v", Some(HeadTooLong)),
        ("an endless name", "GET / HTTP/1.1\r\nHost: a\r\n", "n", Some(HeadTooLong)),
        ("endless short fields", GET, "a:\r\n", Some(TooManyFields)),
        ("endless long fields", GET, &long, Some(HeadTooLong)),
        ("an endless chunk extension", &format!("{CHUNKED}5;"), "e", Some(ChunkLineTooLong)),
        ("many chunk extensions", CHUNKED, &chunk_lines, Some(ChunkExtensionsTooLong)),
        ("endless trailers", &first_chunk, "a: b\r\n", Some(TooManyFields)),
        ("an endless trailer", &format!("{first_chunk}a: "), "b", Some(TrailersTooLong)),
        ("endless tiny chunks", CHUNKED, "1\r\nx\r\n", None),
        ("a chunk without end", &format!("{CHUNKED}fffffffffffffff\r\n"), "x", None),
    ];
    let limits = limits();
    for (what, first, again, failure) in rows {
        let outcome = within(what, &limits, || serve(first, again, &limits));
        assert_eq!(outcome.failure, failure, "{what}");
        if failure.is_none() {
            assert!(outcome.read >= LENGTH && outcome.data > LENGTH / 10, "{what}: {outcome:?}");
        }
    }
}

#[test]
fn a_flood_of_pipelined_requests() {
    let limits = limits();
    let get = format!("{GET}\r\n");
    let outcome = within("pipelined requests", &limits, || serve("", &get, &limits));
    assert!(outcome.failure.is_none() && outcome.requests > LENGTH / get.len() - 2, "{outcome:?}");
    let empty = within("empty lines before requests", &limits, || serve("", "\r\n", &limits));
    assert!(empty.requests == 0, "{empty:?}");
}

#[test]
fn requests_behind_one_that_is_not_answered_wait_within_the_receive_buffer() {
    let limits = limits();
    let mut server = ServerConnection::new(Arc::clone(&limits), NOW);
    let mut input = BytesMut::new();
    let get = format!("{GET}\r\n");
    let mut stream = Stream { first: b"", again: get.as_bytes(), given: 0 };
    let info = measure(|| {
        while stream.given < LENGTH && server.wants_input() {
            stream.read(&mut input);
            server.handle_input(&mut input, NOW);
            drop(server.poll_event());
        }
    });
    assert!(stream.given <= limits.receive_buffer + 2 * PIECE, "{} bytes were read", stream.given);
    assert!(info.bytes_max <= bound(&limits), "{} bytes", info.bytes_max);
}

#[test]
fn hostile_responses() {
    use ReceiveError::{ChunkLineTooLong, HeadTooLong, StartLineTooLong, TooManyFields, TooManyInformational};
    let head = "HTTP/1.1 200 OK\r\n";
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
    let interim = format!("HTTP/1.1 103 Early Hints\r\nLink: {}\r\n\r\n", "l".repeat(1_000));
    let rows: [(&str, &str, &str, Option<ReceiveError>); 8] = [
        ("an endless reason", "HTTP/1.1 200 ", "r", Some(StartLineTooLong)),
        ("an endless value", &format!("{head}x: "), "v", Some(HeadTooLong)),
        ("endless short fields", head, "a:\r\n", Some(TooManyFields)),
        ("endless interim responses", "", &interim, Some(TooManyInformational)),
        ("an endless chunk extension", &format!("{chunked}5;"), "e", Some(ChunkLineTooLong)),
        ("endless tiny chunks", &chunked, "1\r\nx\r\n", None),
        ("endless trailers", &format!("{chunked}0\r\n"), "a: b\r\n", Some(TooManyFields)),
        ("a body without end", &format!("{head}\r\n"), "x", None),
    ];
    let limits = limits();
    for (what, first, again, failure) in rows {
        let outcome = within(what, &limits, || ask(first, again, &limits));
        assert_eq!(outcome.failure, failure, "{what}");
        if failure.is_none() {
            assert!(outcome.read >= LENGTH && outcome.data > LENGTH / 10, "{what}: {outcome:?}");
        }
    }
}

#[test]
fn smaller_limits_take_less_memory() {
    let small = Arc::new(Limits {
        head: 2_048,
        start_line: 1_024,
        trailers: 1_024,
        receive_buffer: 2_048,
        ..Limits::default()
    });
    for (first, again) in [("", "A"), (GET, "a: bbbbbbbbbbbbbbbb\r\n"), (CHUNKED, "1\r\nx\r\n")] {
        within("small limits", &small, || serve(first, again, &small));
    }
    let info = measure(|| {
        serve("GET / HTTP/1.1\r\nHost: a\r\nx: ", "v", &limits());
    });
    assert!(info.bytes_max > bound(&small), "the bound of small limits would not notice large ones");
}

#[test]
fn a_connection_that_waits_holds_nothing() {
    let limits = limits();
    let mut kept = None;
    let info = measure(|| kept = Some(ServerConnection::new(Arc::clone(&limits), NOW)));
    assert_eq!((info.count_current, info.bytes_current), (0, 0), "a new connection");
    drop(kept);
}
