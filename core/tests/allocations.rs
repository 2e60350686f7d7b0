//! What the vocabulary promises not to allocate, counted. Warm means: the same work was done once before.

use allocation_counter::measure;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use callboard_core::http1::{Response, ServerConnection, ServerEvent};
use callboard_core::{BodyLength, Headers, Instant, Limits, Method, Protocol, SendQueue, Status, Target, header};

/// The fields of a typical response: 16 at most, 96 bytes of names and values.
fn typical_response() -> Headers {
    let mut headers = Headers::new();
    headers.append(header::CONTENT_TYPE, "text/plain; charset=utf-8").unwrap();
    headers.set(header::CACHE_CONTROL, "no-store").unwrap();
    headers.append(header::ETAG, "\"abc\"").unwrap();
    headers.append(header::VARY, "Accept").unwrap();
    headers
}

#[test]
fn headers_of_a_typical_response_allocate_nothing() {
    let info = measure(|| {
        let headers = typical_response();
        assert_eq!(headers.text("content-type"), Some("text/plain; charset=utf-8"));
        let mut copy = headers.clone();
        assert!(copy.remove("vary"));
        assert!(copy != headers);
    });
    assert_eq!(info.count_total, 0);
}

#[test]
fn sixteen_short_fields_allocate_nothing_and_more_do() {
    let build = |count: usize| {
        measure(|| {
            let mut headers = Headers::new();
            (0..count).for_each(|_| headers.append("a", "b").unwrap());
            assert_eq!(headers.len(), count);
        })
    };
    assert_eq!(build(16).count_total, 0);
    assert!(build(17).count_total > 0, "the counter does not count");
}

#[test]
fn cleared_headers_keep_their_memory_for_the_next() {
    let mut headers = Headers::new();
    let fill = |headers: &mut Headers| {
        headers.clear();
        (0..30).for_each(|_| headers.append("name-of-a-field", "and its value").unwrap());
    };
    fill(&mut headers);
    assert_eq!(measure(|| fill(&mut headers)).count_total, 0);
}

#[test]
fn known_methods_statuses_and_targets_allocate_nothing() {
    let raw = Bytes::from_static(b"http://example.org/path?query");
    let info = measure(|| {
        for name in ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"] {
            assert_eq!(Method::from_bytes(name.as_bytes()).unwrap().as_str(), name);
        }
        let target = Target::parse(raw.clone(), &Method::Get).unwrap();
        assert_eq!(target.clone().query(), Some("query"));
        assert_eq!(Status::new(200), Ok(Status::OK));
    });
    assert_eq!(info.count_total, 0);
}

#[test]
fn a_warm_send_queue_allocates_nothing_for_small_and_large_blocks() {
    let small = Bytes::from(vec![1; 100]);
    let large = Bytes::from(vec![2; 100_000]);
    let mut queue = SendQueue::new();
    let mut turn = || {
        for _ in 0..8 {
            queue.put_slice(b"HTTP/1.1 200 OK\r\nContent-Length: ");
            queue.put_decimal(100_100);
            queue.put_bytes(small.clone());
            queue.put_bytes(large.clone());
        }
        while queue.has_remaining() {
            queue.advance(queue.chunk().len());
        }
    };
    turn();
    assert_eq!(measure(turn).count_total, 0);
}

#[test]
fn removed_bytes_do_not_pile_up() {
    let mut headers = Headers::new();
    headers.append("A", "first").unwrap();
    let info = measure(|| {
        for _ in 0..10_000 {
            headers.set("Date", "Thu, 01 Jan 1970 00:00:00 GMT").unwrap();
        }
    });
    assert!(info.bytes_max < 4096, "{} bytes for two fields", info.bytes_max);
}

#[test]
fn a_warm_connection_answers_a_hello_without_allocating() {
    let now = Instant::EPOCH;
    let mut server = ServerConnection::new(Arc::new(Limits::default()), now);
    let mut input = BytesMut::with_capacity(4096);
    let mut turn = || {
        input.extend_from_slice(b"GET /hello HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n");
        server.handle_input(&mut input, now);
        let Some(ServerEvent::Request { exchange, head, .. }) = server.poll_event() else { panic!("no request") };
        assert_eq!(head.target.path(), "/hello");
        let headers = typical_response();
        let response = Response { status: Status::OK, headers: &headers, date: None };
        server.respond(exchange, &response, BodyLength::Known(5), now).unwrap();
        server.send_data(exchange, Bytes::from_static(b"hello"), now).unwrap();
        server.finish(exchange, None, now).unwrap();
        let queue = server.outgoing();
        queue.advance(queue.len());
    };
    turn();
    let info = measure(|| (0..1000).for_each(|_| turn()));
    assert_eq!(info.count_total, 0);
}
