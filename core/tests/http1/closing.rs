//! Scenarios: how a connection ends, by whom, and what either side is told.

use bytes::Bytes;
use callboard_core::http1::{ClientEvent, CloseReason, ReceiveError, Response, SendError, ServerEvent};
use callboard_core::{BodyLength, ExchangeId, Headers, Limits, Method, Protocol, Status};

use super::pair::{Pair, fields, seeds};

fn exchange_with(pair: &mut Pair, request: &Headers, response: &Headers) {
    pair.send(&Method::Get, "/", request, BodyLength::Empty);
    pair.run();
    let exchange = pair.request().0;
    pair.respond(exchange, Status::OK, response, b"bye");
    pair.run();
    pair.response();
    assert_eq!(pair.response_body().0, b"bye");
}

#[test]
fn close_from_the_client_ends_the_connection_after_the_answer() {
    seeds(&Limits::default(), |pair| {
        exchange_with(pair, &fields(&[("Host", "a"), ("Connection", "close")]), &Headers::new());
        assert!(pair.client.is_reusable().is_err());
        assert_eq!(pair.server.close_reason(), Some(CloseReason::PeerAsked));
        assert!(pair.client.is_finished() && pair.server.is_finished());
    });
}

#[test]
fn close_from_the_servers_host_ends_the_connection_after_the_answer() {
    seeds(&Limits::default(), |pair| {
        exchange_with(pair, &fields(&[("Host", "a")]), &fields(&[("Connection", "close")]));
        assert_eq!(pair.client.is_reusable(), Err(CloseReason::PeerAsked));
        assert_eq!(pair.server.close_reason(), Some(CloseReason::WeAsked));
        assert!(pair.client.is_finished() && pair.server.is_finished());
    });
}

#[test]
fn the_last_allowed_exchange_says_close() {
    seeds(&Limits { exchanges: 2, ..Limits::default() }, |pair| {
        exchange_with(pair, &fields(&[("Host", "a")]), &Headers::new());
        assert_eq!(pair.client.is_reusable(), Ok(()));
        exchange_with(pair, &fields(&[("Host", "a")]), &Headers::new());
        assert!(pair.client.is_reusable().is_err());
        assert_eq!(pair.server.close_reason(), Some(CloseReason::ExchangesUsedUp));
    });
}

#[test]
fn draining_closes_an_idle_connection_at_once() {
    seeds(&Limits::default(), |pair| {
        exchange_with(pair, &fields(&[("Host", "a")]), &Headers::new());
        pair.server.drain(pair.now);
        pair.run();
        assert_eq!(pair.client.is_reusable(), Err(CloseReason::PeerClosed));
        assert!(pair.client.is_finished() && pair.server.is_finished());
    });
}

#[test]
fn draining_lets_a_request_in_progress_finish() {
    seeds(&Limits::default(), |pair| {
        let exchange = pair.get();
        pair.server.drain(pair.now);
        pair.run();
        assert!(!pair.server.is_finished() && !pair.server.wants_half_close());
        pair.respond(exchange, Status::OK, &Headers::new(), b"last");
        pair.run();
        assert_eq!(pair.response().0.headers.text("connection"), Some("close"));
        assert_eq!(pair.response_body().0, b"last");
        assert!(pair.server.is_finished());
        assert_eq!(pair.server.close_reason(), Some(CloseReason::WeAsked));
    });
}

#[test]
fn draining_in_the_middle_of_an_answer_finishes_it() {
    seeds(&Limits::default(), |pair| {
        let exchange = pair.get();
        let response = Response { status: Status::OK, headers: &Headers::new(), date: None };
        pair.server.respond(exchange, &response, BodyLength::Unknown, pair.now).unwrap();
        pair.server.drain(pair.now);
        pair.server.send_data(exchange, Bytes::from_static(b"all"), pair.now).unwrap();
        pair.server.finish(exchange, None, pair.now).unwrap();
        pair.run();
        pair.response();
        assert_eq!(pair.response_body().0, b"all");
        assert!(pair.server.is_finished());
    });
}

#[test]
fn draining_inside_a_head_answers_that_request_with_close() {
    seeds(&Limits::default(), |pair| {
        pair.inject(b"GET / HTTP/1.1\r\nHo");
        pair.server.drain(pair.now);
        pair.inject(b"st: a\r\n\r\n");
        let exchange = pair.request().0;
        pair.server
            .respond(
                exchange,
                &Response { status: Status::OK, headers: &Headers::new(), date: None },
                BodyLength::Empty,
                pair.now,
            )
            .unwrap();
        assert!(pair.server.wants_half_close());
        assert_eq!(pair.server.close_reason(), Some(CloseReason::WeAsked));
    });
}

#[test]
fn a_server_that_aborts_is_seen_as_a_cut() {
    seeds(&Limits::default(), |pair| {
        let exchange = pair.get();
        let response = Response { status: Status::OK, headers: &Headers::new(), date: None };
        pair.server.respond(exchange, &response, BodyLength::Known(100), pair.now).unwrap();
        pair.server.send_data(exchange, Bytes::from_static(b"part"), pair.now).unwrap();
        pair.run();
        let before = pair.server.outgoing().total_sent();
        pair.server.send_data(exchange, Bytes::from_static(b"dropped"), pair.now).unwrap();
        pair.server.abort();
        assert!(pair.server.is_finished() && pair.server.outgoing().is_empty());
        assert_eq!(pair.server.outgoing().total_sent(), before, "what was sent stays sent");
        assert_eq!(pair.server.close_reason(), Some(CloseReason::Aborted));
        pair.run();
        pair.response();
        assert!(matches!(pair.client_events.pop_front(), Some(ClientEvent::Data { .. })));
        pair.client_events.retain(|event| !matches!(event, ClientEvent::Data { .. }));
        assert_eq!(pair.client_events.pop_front(), Some(ClientEvent::Failed { error: ReceiveError::BodyCut }));
        pair.server.finish(exchange, None, pair.now).unwrap();
        assert!(pair.server.outgoing().is_empty());
    });
}

#[test]
fn a_client_that_aborts_keeps_count_of_what_it_sent() {
    seeds(&Limits::default(), |pair| {
        let sent = pair.send(&Method::Post, "/", &fields(&[("Host", "a")]), BodyLength::Known(10));
        pair.run();
        let before = pair.client.outgoing().total_sent();
        assert!(before > 0);
        pair.client.send_data(sent, Bytes::from_static(b"12345"), pair.now).unwrap();
        pair.client.abort();
        assert_eq!((pair.client.outgoing().total_sent(), pair.client.outgoing().len()), (before, 0));
        assert_eq!(pair.client.is_reusable(), Err(CloseReason::Aborted));
        pair.run();
        pair.request();
        let event = pair.server_events.pop_front();
        let error = ReceiveError::BodyCut;
        assert_eq!(event, Some(ServerEvent::Failed { exchange: ExchangeId(0), error, answerable: true }));
    });
}

#[test]
fn an_abort_withdraws_what_was_not_taken_and_keeps_the_first_reason() {
    let pair = &mut Pair::new(&Limits::default(), 1);
    pair.get();
    pair.is_caller_slow = true;
    pair.inject_to_client(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n");
    assert!(pair.client.poll_event().is_some());
    pair.inject_to_client(b"ok");
    pair.client.abort();
    assert_eq!(pair.client.poll_event(), None);
    assert_eq!(pair.client.is_reusable(), Err(CloseReason::PeerAsked));
}

#[test]
fn an_abort_of_the_server_withdraws_what_was_not_taken() {
    let request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\n";
    for taken in 0..2 {
        let pair = &mut Pair::new(&Limits::default(), 1);
        pair.play_client();
        pair.is_host_slow = true;
        pair.inject(request);
        if taken == 1 {
            assert!(matches!(pair.server.poll_event(), Some(ServerEvent::Request { .. })));
        }
        pair.inject(b"ok");
        pair.server.abort();
        assert_eq!(pair.server.poll_event(), None);
        assert_eq!(pair.server.close_reason(), Some(CloseReason::PeerAsked), "the first reason stays");
    }
}

#[test]
fn stray_bytes_do_not_hide_why_the_connection_ends() {
    seeds(&Limits::default(), |pair| {
        pair.play_server();
        let sent = pair.send(&Method::Post, "/", &fields(&[("Host", "a")]), BodyLength::Known(5));
        pair.inject_to_client(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\nmore");
        pair.close_server();
        pair.response();
        assert_eq!(pair.client.is_reusable(), Err(CloseReason::PeerAsked));
        // The request is unfinished; once it is finished, so is the connection.
        assert!(!pair.client.is_finished());
        pair.client.send_data(sent, Bytes::from_static(b"12345"), pair.now).unwrap();
        pair.client.finish(sent, None, pair.now).unwrap();
        assert!(pair.client.is_finished());
    });
}

#[test]
fn the_end_of_an_idle_connection_is_known_at_once() {
    let pair = &mut Pair::new(&Limits::default(), 1);
    pair.server.handle_end_of_input(pair.now);
    assert_eq!((pair.server.is_finished(), pair.server.close_reason()), (true, Some(CloseReason::PeerClosed)));
    pair.client.handle_end_of_input(pair.now);
    assert_eq!((pair.client.is_finished(), pair.client.is_reusable()), (true, Err(CloseReason::PeerClosed)));
}

#[test]
fn a_client_that_half_closes_gets_its_answer() {
    seeds(&Limits::default(), |pair| {
        let exchange = pair.get();
        pair.close_client();
        assert_eq!(pair.server_events.pop_front(), Some(ServerEvent::Closed));
        pair.respond(exchange, Status::OK, &Headers::new(), b"still there");
        pair.run();
        assert_eq!(pair.response().0.headers.text("connection"), Some("close"));
        assert_eq!(pair.response_body().0, b"still there");
        assert!(pair.server.is_finished());
        assert_eq!(pair.server.close_reason(), Some(CloseReason::PeerClosed));
    });
}

#[test]
fn a_server_that_vanishes_is_told_by_phase() {
    let cases: [(&[u8], ReceiveError); 4] = [
        (b"", ReceiveError::NoResponse),
        (b"HTTP/1.1 200", ReceiveError::HeadCut),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", ReceiveError::BodyCut),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", ReceiveError::BodyCut),
    ];
    for (bytes, error) in cases {
        seeds(&Limits::default(), |pair| {
            pair.get();
            pair.inject_to_client(bytes);
            pair.close_server();
            assert_eq!(pair.client_events.pop_back(), Some(ClientEvent::Failed { error }));
            assert!(pair.client.is_finished());
            assert_eq!(pair.client.bytes_received(), bytes.len() as u64);
        });
    }
}

#[test]
fn an_idle_connection_that_the_server_closes_is_not_used_again() {
    seeds(&Limits::default(), |pair| {
        exchange_with(pair, &fields(&[("Host", "a")]), &Headers::new());
        pair.close_server();
        pair.assert_quiet();
        assert_eq!(pair.client.is_reusable(), Err(CloseReason::PeerClosed));
        let headers = fields(&[("Host", "a")]);
        let version = callboard_core::Version::Http11;
        let request = callboard_core::http1::Request { method: &Method::Get, target: "/", version, headers: &headers };
        let refused = pair.client.send_request(&request, BodyLength::Empty, pair.now);
        assert_eq!(refused, Err(SendError::Closed));
    });
}

#[test]
fn bytes_that_answer_nothing_poison_an_idle_connection() {
    seeds(&Limits::default(), |pair| {
        exchange_with(pair, &fields(&[("Host", "a")]), &Headers::new());
        pair.inject_to_client(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        pair.assert_quiet();
        assert_eq!(pair.client.is_reusable(), Err(CloseReason::StrayBytes));
        assert!(pair.client.is_finished());
    });
}

#[test]
fn pipelined_requests_wait_their_turn_and_survive_until_a_half_close() {
    seeds(&Limits::default(), |pair| {
        for number in 0..20 {
            pair.inject(format!("GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        }
        pair.close_client();
        for number in 0..20 {
            let (exchange, head, ..) = pair.request();
            assert_eq!((exchange.0, head.target.path()), (number, &*format!("/{number}")));
            // The next is not even looked at before this one is answered.
            assert!(pair.server_events.iter().all(|event| matches!(event, ServerEvent::Closed)));
            let response = Response { status: Status::OK, headers: &Headers::new(), date: None };
            pair.server.respond(exchange, &response, BodyLength::Empty, pair.now).unwrap();
            pair.run();
        }
        assert!(pair.server.is_finished());
    });
}
