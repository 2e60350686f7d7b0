//! Scenarios: whole exchanges between a client and a server.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use callboard_core::http1::{ClientEvent, CloseReason, Request, Response, ServerConnection, ServerEvent};
use callboard_core::{BodyLength, Headers, Instant, Limits, Method, Protocol, Status, Version};

use super::pair::{Pair, fields, seeds};

fn host() -> Headers {
    fields(&[("Host", "a")])
}

#[test]
fn get_and_its_answer_twice_on_one_connection() {
    seeds(&Limits::default(), |pair| {
        for round in 0..2 {
            let sent = pair.send(&Method::Get, "/a?b", &fields(&[("Host", "a"), ("X", "1")]), BodyLength::Empty);
            pair.run();
            let (exchange, head, body, expects_continue) = pair.request();
            assert_eq!((sent.0, exchange.0, body, expects_continue), (round, round, BodyLength::Empty, false));
            assert_eq!((head.method, head.target.as_str(), head.version), (Method::Get, "/a?b", Version::Http11));
            assert_eq!(head.headers, fields(&[("Host", "a"), ("X", "1")]));
            pair.respond(exchange, Status::OK, &fields(&[("Y", "2")]), b"hello");
            pair.run();
            let (head, body) = pair.response();
            assert_eq!((head.status, &head.reason[..], body), (Status::OK, &b"OK"[..], BodyLength::Known(5)));
            assert_eq!(head.headers, fields(&[("Y", "2"), ("Content-Length", "5")]));
            assert_eq!(pair.response_body(), (b"hello".to_vec(), None));
            pair.assert_quiet();
            assert_eq!(pair.client.is_reusable(), Ok(()));
            assert!(pair.server.is_idle());
        }
    });
}

#[test]
fn a_request_may_be_looked_at_where_it_lies_and_skipped() {
    let mut server = ServerConnection::new(Arc::default(), Instant::EPOCH);
    let mut input = BytesMut::from("GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(server.pending_event(), None);
    for path in ["/first", "/second"] {
        server.handle_input(&mut input, Instant::EPOCH);
        let Some(ServerEvent::Request { exchange, head, .. }) = server.pending_event() else { panic!("no request") };
        assert_eq!(head.target.path(), path);
        let (exchange, headers) = (*exchange, Headers::new());
        server.skip_event();
        assert_eq!(server.pending_event(), None);
        assert_eq!(server.poll_event(), None);
        let response = Response { status: Status::NO_CONTENT, headers: &headers, date: None };
        server.answer(exchange, &response, Bytes::new(), Instant::EPOCH).unwrap();
    }
    assert!(server.is_idle() && input.is_empty());
}

#[test]
fn bodies_of_known_length_arrive_whole_both_ways() {
    let body: Vec<u8> = (0..300_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    for seed in 0..5 {
        let pair = &mut Pair::new(&Limits::default(), seed);
        let sent = pair.send(&Method::Post, "/", &host(), BodyLength::Known(body.len() as u64));
        for part in body.chunks(70_000) {
            pair.client.send_data(sent, Bytes::copy_from_slice(part), pair.now).unwrap();
            pair.run();
        }
        pair.client.finish(sent, None, pair.now).unwrap();
        pair.run();
        let (exchange, _, length, _) = pair.request();
        assert_eq!(length, BodyLength::Known(300_000));
        assert!(pair.request_body() == (body.clone(), None));
        pair.respond(exchange, Status::CREATED, &Headers::new(), &body);
        pair.run();
        assert_eq!(pair.response().1, BodyLength::Known(300_000));
        assert!(pair.response_body() == (body.clone(), None));
        pair.assert_quiet();
    }
}

#[test]
fn chunked_bodies_and_trailers_arrive_both_ways() {
    seeds(&Limits::default(), |pair| {
        let sent = pair.send(&Method::Put, "/", &host(), BodyLength::Unknown);
        let parts: [&[u8]; 4] = [b"one ", b"", b"two ", &[b'x'; 9_000]];
        for part in parts {
            pair.client.send_data(sent, Bytes::copy_from_slice(part), pair.now).unwrap();
            pair.run();
        }
        // Fields that frame or route a message are left out of trailers.
        let trailers = fields(&[("X-Sum", "7"), ("Content-Length", "9"), ("Host", "b"), ("Transfer-Encoding", "x")]);
        pair.client.finish(sent, Some(&trailers), pair.now).unwrap();
        pair.run();
        let (exchange, head, length, _) = pair.request();
        assert_eq!((length, head.headers.text("transfer-encoding")), (BodyLength::Unknown, Some("chunked")));
        let received = pair.request_body();
        assert!(received == (parts.concat(), Some(fields(&[("X-Sum", "7")]))));

        let response = Response { status: Status::OK, headers: &Headers::new(), date: None };
        pair.server.respond(exchange, &response, BodyLength::Unknown, pair.now).unwrap();
        pair.run();
        assert_eq!(pair.response().1, BodyLength::Unknown);
        for part in parts {
            pair.server.send_data(exchange, Bytes::copy_from_slice(part), pair.now).unwrap();
            pair.run();
        }
        pair.server.finish(exchange, Some(&fields(&[("X-End", "")])), pair.now).unwrap();
        pair.run();
        assert!(pair.response_body() == (parts.concat(), Some(fields(&[("X-End", "")]))));
        assert_eq!(pair.client.is_reusable(), Ok(()));
    });
}

#[test]
fn answers_to_head_and_bodiless_statuses_have_no_body_on_the_wire() {
    let cases = [
        (Method::Head, Status::OK, Some("5")),
        (Method::Get, Status::NO_CONTENT, None),
        (Method::Get, Status::NOT_MODIFIED, Some("5")),
    ];
    for (method, status, length) in cases {
        seeds(&Limits::default(), |pair| {
            pair.send(&method, "/", &host(), BodyLength::Empty);
            pair.run();
            let exchange = pair.request().0;
            // The host does not know or care that the body is left out.
            pair.respond(exchange, status, &Headers::new(), b"hello");
            pair.run();
            let (head, body) = pair.response();
            assert_eq!((head.status, body), (status, BodyLength::Empty));
            assert_eq!(head.headers.text("content-length"), length, "{method} {status}");
            pair.assert_quiet();
            assert_eq!(pair.client.is_reusable(), Ok(()));
            pair.get();
        });
    }
}

#[test]
fn a_length_that_the_host_names_is_kept_where_a_body_is_forbidden() {
    let mut pair = Pair::new(&Limits::default(), 1);
    pair.send(&Method::Head, "/", &host(), BodyLength::Empty);
    pair.run();
    let exchange = pair.request().0;
    let headers = fields(&[("Content-Length", "12345")]);
    let response = Response { status: Status::OK, headers: &headers, date: None };
    pair.server.respond(exchange, &response, BodyLength::Empty, pair.now).unwrap();
    pair.run();
    assert_eq!(pair.response().0.headers, headers);
    assert_eq!(pair.client.is_reusable(), Ok(()));
}

#[test]
fn a_length_that_the_host_names_is_not_written_twice() {
    for (method, body) in [(Method::Get, BodyLength::Empty), (Method::Head, BodyLength::Known(5))] {
        let mut pair = Pair::new(&Limits::default(), 1);
        pair.send(&method, "/", &host(), BodyLength::Empty);
        pair.run();
        let exchange = pair.request().0;
        let headers = fields(&[("Content-Length", "9")]);
        let response = Response { status: Status::OK, headers: &headers, date: None };
        pair.server.respond(exchange, &response, body, pair.now).unwrap();
        pair.server.finish(exchange, None, pair.now).unwrap();
        pair.run();
        let length = if method == Method::Head { "5" } else { "0" };
        assert_eq!(pair.response().0.headers, fields(&[("Content-Length", length)]));
    }
}

#[test]
fn the_date_is_written_and_framing_fields_of_the_host_are_not() {
    let mut pair = Pair::new(&Limits::default(), 1);
    let exchange = pair.get();
    let headers = fields(&[("Content-Length", "9"), ("Transfer-Encoding", "gzip"), ("Connection", "x"), ("X", "1")]);
    let date = callboard_core::date::http_date(0);
    let response = Response { status: Status::NOT_FOUND, headers: &headers, date: Some(&date) };
    pair.server.respond(exchange, &response, BodyLength::Known(0), pair.now).unwrap();
    pair.server.finish(exchange, None, pair.now).unwrap();
    pair.run();
    let expected = fields(&[("X", "1"), ("Content-Length", "0"), ("Date", "Thu, 01 Jan 1970 00:00:00 GMT")]);
    assert_eq!(pair.response().0.headers, expected);
}

#[test]
fn interim_responses_come_before_the_final_one() {
    seeds(&Limits::default(), |pair| {
        let exchange = pair.get();
        pair.server.inform(exchange, Status::EARLY_HINTS, &fields(&[("Link", "</a>")]), pair.now).unwrap();
        pair.server.inform(exchange, Status::PROCESSING, &Headers::new(), pair.now).unwrap();
        // Nobody waits for 100, so it is not sent.
        pair.server.inform(exchange, Status::CONTINUE, &Headers::new(), pair.now).unwrap();
        pair.respond(exchange, Status::OK, &Headers::new(), b"x");
        pair.run();
        for status in [Status::EARLY_HINTS, Status::PROCESSING] {
            let event = pair.client_events.pop_front();
            let Some(ClientEvent::Informational { head, .. }) = event else { panic!("{event:?}") };
            let link = (status == Status::EARLY_HINTS).then_some("</a>");
            assert_eq!((head.status, head.headers.text("link")), (status, link));
        }
        assert_eq!(pair.response().0.status, Status::OK);
    });
}

#[test]
fn the_body_waits_for_100_and_comes_after_it() {
    seeds(&Limits::default(), |pair| {
        let headers = fields(&[("Host", "a"), ("Expect", "100-continue")]);
        let sent = pair.send(&Method::Post, "/", &headers, BodyLength::Known(2));
        assert!(!pair.client.wants_body());
        pair.run();
        let (exchange, _, _, expects_continue) = pair.request();
        assert!(expects_continue);
        // Said twice, it is sent once.
        pair.server.inform(exchange, Status::CONTINUE, &Headers::new(), pair.now).unwrap();
        pair.server.inform(exchange, Status::CONTINUE, &Headers::new(), pair.now).unwrap();
        pair.run();
        assert!(matches!(pair.client_events.pop_front(), Some(ClientEvent::Informational { .. })));
        pair.assert_quiet();
        assert!(pair.client.wants_body());
        pair.client.send_data(sent, Bytes::from_static(b"ok"), pair.now).unwrap();
        pair.client.finish(sent, None, pair.now).unwrap();
        pair.run();
        assert_eq!(pair.request_body().0, b"ok");
        pair.respond(exchange, Status::OK, &Headers::new(), b"");
        pair.run();
        pair.response();
        assert_eq!(pair.client.is_reusable(), Ok(()));
    });
}

#[test]
fn a_caller_may_give_up_waiting_for_100() {
    seeds(&Limits::default(), |pair| {
        let headers = fields(&[("Host", "a"), ("Expect", "100-continue")]);
        let sent = pair.send(&Method::Post, "/", &headers, BodyLength::Known(2));
        pair.run();
        let exchange = pair.request().0;
        pair.client.send_data(sent, Bytes::from_static(b"o"), pair.now).unwrap();
        assert!(pair.client.wants_body());
        pair.client.send_data(sent, Bytes::from_static(b"k"), pair.now).unwrap();
        pair.client.finish(sent, None, pair.now).unwrap();
        pair.run();
        assert_eq!(pair.request_body().0, b"ok");
        pair.respond(exchange, Status::OK, &Headers::new(), b"");
        pair.run();
        pair.response();
        assert_eq!((pair.client.is_reusable(), pair.server.close_reason()), (Ok(()), None));
    });
}

#[test]
fn an_answer_after_100_keeps_the_connection_for_the_body_that_comes() {
    seeds(&Limits::default(), |pair| {
        let headers = fields(&[("Host", "a"), ("Expect", "100-continue")]);
        let sent = pair.send(&Method::Post, "/", &headers, BodyLength::Known(2));
        pair.run();
        let exchange = pair.request().0;
        pair.server.inform(exchange, Status::CONTINUE, &Headers::new(), pair.now).unwrap();
        pair.respond(exchange, Status::OK, &Headers::new(), b"");
        assert_eq!(pair.server.close_reason(), None);
        pair.run();
        pair.client_events.clear();
        pair.client.send_data(sent, Bytes::from_static(b"ok"), pair.now).unwrap();
        pair.client.finish(sent, None, pair.now).unwrap();
        pair.run();
        assert_eq!(pair.client.is_reusable(), Ok(()));
    });
}

#[test]
fn a_refusal_in_place_of_100_ends_the_connection() {
    seeds(&Limits::default(), |pair| {
        let headers = fields(&[("Host", "a"), ("Expect", "100-continue")]);
        pair.send(&Method::Post, "/", &headers, BodyLength::Known(2));
        pair.run();
        let exchange = pair.request().0;
        pair.respond(exchange, Status::UNAUTHORIZED, &Headers::new(), b"no");
        pair.run();
        let (head, _) = pair.response();
        // Whether the client sends the body now cannot be known, so what follows could be misread.
        assert_eq!(head.headers.text("connection"), Some("close"));
        assert_eq!(pair.response_body().0, b"no");
        assert!(pair.client.is_reusable().is_err());
    });
}

#[test]
fn a_client_that_does_not_wait_for_100_is_understood() {
    seeds(&Limits::default(), |pair| {
        pair.inject(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok");
        let exchange = pair.request().0;
        assert_eq!(pair.request_body().0, b"ok");
        // The body is here: no 100, and the connection lives on.
        pair.server.inform(exchange, Status::CONTINUE, &Headers::new(), pair.now).unwrap();
        assert!(pair.server.outgoing().is_empty());
        pair.respond(exchange, Status::OK, &Headers::new(), b"");
        assert_eq!(pair.server.close_reason(), None);
    });
}

#[test]
fn a_client_counts_the_bytes_of_each_exchange_as_they_come() {
    seeds(&Limits::default(), |pair| {
        for _ in 0..2 {
            let exchange = pair.get();
            assert_eq!(pair.client.bytes_received(), 0);
            pair.inject_to_client(b"HTTP/1.1 102 \r\n");
            assert_eq!(pair.client.bytes_received(), 15);
            pair.inject_to_client(b"\r\n");
            assert_eq!(pair.client.bytes_received(), 17);
            pair.client_events.clear();
            let response = Response { status: Status::OK, headers: &Headers::new(), date: None };
            pair.server.respond(exchange, &response, BodyLength::Empty, pair.now).unwrap();
            let length = pair.server.outgoing().len() as u64;
            pair.run();
            pair.response();
            assert_eq!(pair.client.bytes_received(), 17 + length);
        }
    });
}

#[test]
fn a_client_of_http_1_0_gets_a_body_until_close_and_no_interim_response() {
    seeds(&Limits::default(), |pair| {
        let request = Request { method: &Method::Get, target: "/", version: Version::Http10, headers: &Headers::new() };
        pair.client.send_request(&request, BodyLength::Empty, pair.now).unwrap();
        pair.run();
        let (exchange, head, ..) = pair.request();
        assert_eq!(head.version, Version::Http10);
        pair.server.inform(exchange, Status::EARLY_HINTS, &Headers::new(), pair.now).unwrap();
        let response = Response { status: Status::OK, headers: &Headers::new(), date: None };
        pair.server.respond(exchange, &response, BodyLength::Unknown, pair.now).unwrap();
        pair.server.send_data(exchange, Bytes::from_static(b"until close"), pair.now).unwrap();
        pair.run();
        pair.server.finish(exchange, Some(&fields(&[("X", "lost")])), pair.now).unwrap();
        pair.run();
        let (head, body) = pair.response();
        assert_eq!((body, head.headers.text("connection")), (BodyLength::Unknown, Some("close")));
        assert!(!head.headers.contains("transfer-encoding"));
        assert_eq!(pair.response_body(), (b"until close".to_vec(), None));
        assert!(pair.client.is_finished());
        pair.run();
        assert!(pair.server.is_finished());
    });
}

#[test]
fn a_client_of_http_1_0_that_keeps_the_connection_loses_it_to_a_body_of_unknown_length() {
    seeds(&Limits::default(), |pair| {
        let headers = fields(&[("Connection", "keep-alive")]);
        let request = Request { method: &Method::Get, target: "/", version: Version::Http10, headers: &headers };
        pair.client.send_request(&request, BodyLength::Empty, pair.now).unwrap();
        pair.run();
        let exchange = pair.request().0;
        let response = Response { status: Status::OK, headers: &Headers::new(), date: None };
        pair.server.respond(exchange, &response, BodyLength::Unknown, pair.now).unwrap();
        assert_eq!(pair.server.close_reason(), Some(CloseReason::BodyUntilClose));
        pair.server.finish(exchange, None, pair.now).unwrap();
        pair.run();
        assert_eq!(pair.response().0.headers.text("connection"), Some("close"));
        assert!(pair.server.is_finished());
    });
}
