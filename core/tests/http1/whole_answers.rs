//! An answer sent in one step is the answer sent in three, byte for byte, for every kind of request and status.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use callboard_core::http1::{Response, SendError, ServerConnection, ServerEvent};
use callboard_core::{BodyLength, ExchangeId, Headers, Instant, Limits, Protocol, Status};

const NOW: Instant = Instant::EPOCH;

/// A server that was asked.
fn asked(request: &str) -> (ServerConnection, ExchangeId) {
    let mut server = ServerConnection::new(Arc::new(Limits::default()), NOW);
    server.handle_input(&mut BytesMut::from(request), NOW);
    let Some(ServerEvent::Request { exchange, .. }) = server.poll_event() else { panic!("no request: {request:?}") };
    (server, exchange)
}

fn sent(server: &mut ServerConnection) -> Bytes {
    let queue = server.outgoing();
    queue.copy_to_bytes(queue.remaining())
}

/// What three steps send, and whether the connection goes on.
fn in_steps(request: &str, response: &Response<'_>, body: &Bytes) -> (Bytes, bool) {
    let (mut server, exchange) = asked(request);
    server.respond(exchange, response, BodyLength::Known(body.len() as u64), NOW).unwrap();
    server.send_data(exchange, body.clone(), NOW).unwrap();
    server.finish(exchange, None, NOW).unwrap();
    (sent(&mut server), server.is_idle())
}

#[test]
fn one_step_sends_what_three_steps_send() {
    let mut closing = Headers::new();
    closing.append("Content-Type", "text/plain").unwrap();
    closing.append("Connection", "keep-alive, Close").unwrap();
    closing.append("Content-Length", "77").unwrap();
    let requests = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    ];
    let date = callboard_core::date::http_date(0);
    for request in requests {
        for status in [Status::OK, Status::NO_CONTENT, Status::NOT_MODIFIED, Status::NOT_FOUND] {
            for headers in [&Headers::new(), &closing] {
                for length in [0, 1, 9, 10, 99, 100, 999, 1000, 70_000] {
                    let body = Bytes::from(vec![b'.'; length]);
                    let response = Response { status, headers, date: Some(&date) };
                    let (mut server, exchange) = asked(request);
                    server.answer(exchange, &response, body.clone(), NOW).unwrap();
                    let whole = (sent(&mut server), server.is_idle());
                    assert_eq!(whole, in_steps(request, &response, &body), "{request:?} {status} {length}");
                }
            }
        }
    }
}

#[test]
fn an_answer_that_fails_changes_nothing() {
    let (mut server, exchange) = asked("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let headers = Headers::new();
    let interim = Response { status: Status::CONTINUE, headers: &headers, date: None };
    assert_eq!(server.answer(exchange, &interim, Bytes::new(), NOW), Err(SendError::StatusMisplaced));
    let response = Response { status: Status::OK, headers: &headers, date: None };
    let other = ExchangeId(7);
    assert_eq!(server.answer(other, &response, Bytes::new(), NOW), Err(SendError::UnknownExchange));
    assert!(sent(&mut server).is_empty());
    server.answer(exchange, &response, Bytes::from_static(b"x"), NOW).unwrap();
    assert_eq!(sent(&mut server), "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
}
