//! What a host may not do is a typed error, and leaves the machine as it was.

use bytes::Bytes;
use callboard_core::http1::{Request, Response, SendError};
use callboard_core::{BodyLength, ExchangeId, Headers, Limits, Method, Protocol, Status, Version};

use super::pair::{Pair, fields};

fn response(headers: &Headers) -> Response<'_> {
    Response { status: Status::OK, headers, date: None }
}

#[test]
fn a_server_answers_each_request_once_and_in_order() {
    let pair = &mut Pair::new(&Limits::default(), 1);
    let (none, now) = (Headers::new(), pair.now);
    let unknown = Err(SendError::UnknownExchange);
    assert_eq!(pair.server.respond(ExchangeId(0), &response(&none), BodyLength::Empty, now), unknown);
    let exchange = pair.get();
    let other = ExchangeId(exchange.0 + 1);
    assert_eq!(pair.server.respond(other, &response(&none), BodyLength::Empty, now), unknown);
    assert_eq!(pair.server.inform(other, Status::PROCESSING, &none, now), unknown);
    assert_eq!(pair.server.send_data(exchange, Bytes::from_static(b"x"), now), Err(SendError::NotStarted));
    assert_eq!(pair.server.finish(exchange, None, now), Err(SendError::NotStarted));
    for status in [Status::OK, Status::SWITCHING_PROTOCOLS] {
        assert_eq!(pair.server.inform(exchange, status, &none, now), Err(SendError::StatusMisplaced));
    }
    let interim = Response { status: Status::PROCESSING, ..response(&none) };
    assert_eq!(pair.server.respond(exchange, &interim, BodyLength::Empty, now), Err(SendError::StatusMisplaced));
    assert!(pair.server.outgoing().is_empty(), "a refused call wrote something");

    pair.server.respond(exchange, &response(&none), BodyLength::Known(3), now).unwrap();
    let started = Err(SendError::AlreadyStarted);
    assert_eq!(pair.server.respond(exchange, &response(&none), BodyLength::Empty, now), started);
    assert_eq!(pair.server.inform(exchange, Status::PROCESSING, &none, now), started);
    assert_eq!(pair.server.send_data(exchange, Bytes::from_static(b"four"), now), Err(SendError::BodyTooLong));
    pair.server.send_data(exchange, Bytes::from_static(b"12"), now).unwrap();
    assert_eq!(pair.server.finish(exchange, None, now), Err(SendError::BodyTooShort));
    pair.server.send_data(exchange, Bytes::from_static(b"3"), now).unwrap();
    pair.server.finish(exchange, None, now).unwrap();
    pair.server.finish(exchange, None, now).unwrap();
    assert_eq!(pair.server.finish(other, None, now), Err(SendError::NotStarted), "there was no such exchange");
    assert_eq!(pair.server.send_data(exchange, Bytes::from_static(b"x"), now), unknown);
    assert_eq!(pair.server.respond(exchange, &response(&none), BodyLength::Empty, now), unknown);
    pair.run();
    pair.response();
    assert_eq!(pair.response_body().0, b"123");
}

#[test]
fn a_client_sends_one_request_at_a_time() {
    let pair = &mut Pair::new(&Limits::default(), 1);
    let (headers, now) = (fields(&[("Host", "a")]), pair.now);
    let request = Request { method: &Method::Post, target: "/", version: Version::Http11, headers: &headers };
    let data = || Bytes::from_static(b"abc");
    assert_eq!(pair.client.send_data(ExchangeId(0), data(), now), Err(SendError::NotStarted));
    assert_eq!(pair.client.finish(ExchangeId(0), None, now), Err(SendError::UnknownExchange));
    for target in ["", "/a b", "/\r\nX: 1", "/\t", "/\0", "/\x7f"] {
        let request = Request { target, ..request };
        let refused = pair.client.send_request(&request, BodyLength::Empty, now);
        assert_eq!(refused, Err(SendError::TargetInvalid), "{target:?}");
    }
    let old = Request { version: Version::Http10, ..request };
    assert_eq!(pair.client.send_request(&old, BodyLength::Unknown, now), Err(SendError::LengthRequired));
    assert!(pair.client.outgoing().is_empty(), "a refused call wrote something");

    let exchange = pair.client.send_request(&request, BodyLength::Known(3), now).unwrap();
    let second = pair.client.send_request(&request, BodyLength::Empty, now);
    assert_eq!(second, Err(SendError::AlreadyStarted));
    assert_eq!(pair.client.send_data(ExchangeId(9), data(), now), Err(SendError::UnknownExchange));
    assert_eq!(pair.client.finish(exchange, None, now), Err(SendError::BodyTooShort));
    pair.client.send_data(exchange, data(), now).unwrap();
    assert_eq!(pair.client.send_data(exchange, data(), now), Err(SendError::BodyTooLong));
    pair.client.finish(exchange, None, now).unwrap();
    pair.client.finish(exchange, None, now).unwrap();
    assert_eq!(pair.client.send_data(exchange, data(), now), Err(SendError::NotStarted));
    pair.run();
    pair.request();
    assert_eq!(pair.request_body().0, b"abc");
}

#[test]
fn a_failed_request_takes_no_more_of_its_body() {
    let pair = &mut Pair::new(&Limits::default(), 1);
    let (headers, now) = (fields(&[("Host", "a")]), pair.now);
    let sent = pair.send(&Method::Post, "/", &headers, BodyLength::Unknown);
    pair.client.send_data(sent, Bytes::from_static(b"abc"), now).unwrap();
    pair.inject_to_client(b"nonsense");
    assert!(pair.client.is_finished());
    assert_eq!(pair.client.send_data(sent, Bytes::from_static(b"def"), now), Err(SendError::Closed));
    pair.client.finish(sent, None, now).unwrap();
    assert!(pair.client.outgoing().is_empty());
}

#[test]
fn commands_after_the_end_do_nothing() {
    let pair = &mut Pair::new(&Limits::default(), 1);
    let (none, now) = (Headers::new(), pair.now);
    let exchange = pair.get();
    pair.server.abort();
    pair.server.abort();
    pair.server.drain(now);
    pair.server.discard_body(exchange);
    assert_eq!(
        pair.server.respond(exchange, &response(&none), BodyLength::Empty, now),
        Err(SendError::UnknownExchange)
    );
    pair.server.handle_end_of_input(now);
    pair.server.handle_timeout(now + std::time::Duration::from_secs(1_000_000));
    pair.server.handle_input(&mut bytes::BytesMut::from("GET / HTTP/1.1\r\n\r\n"), now);
    assert_eq!((pair.server.poll_event(), pair.server.poll_timeout()), (None, None));
    assert!(pair.server.is_finished() && pair.server.outgoing().is_empty());

    pair.client.abort();
    pair.client.abort();
    pair.client.handle_end_of_input(now);
    pair.client.handle_input(&mut bytes::BytesMut::from("HTTP/1.1 200 OK\r\n\r\n"), now);
    assert_eq!((pair.client.poll_event(), pair.client.poll_timeout()), (None, None));
    assert!(pair.client.is_finished());
}
