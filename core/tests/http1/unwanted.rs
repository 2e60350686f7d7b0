//! Scenarios: bodies that the host does not read, reads slowly, or that break: what is thrown away, and what it costs.

use bytes::Bytes;
use callboard_core::http1::{CloseReason, ReceiveError, Response, SendError, ServerEvent};
use callboard_core::{BodyLength, Headers, Limits, Method, Protocol, Status};

use super::pair::{fields, seeds};

fn host() -> Headers {
    fields(&[("Host", "a")])
}

#[test]
fn an_early_answer_reaches_a_client_that_is_still_sending() {
    seeds(&Limits { discard_bytes: 1_000, ..Limits::default() }, |pair| {
        let sent = pair.send(&Method::Post, "/", &host(), BodyLength::Known(1_000_000));
        pair.client.send_data(sent, Bytes::from(vec![0; 5_000]), pair.now).unwrap();
        pair.run();
        let exchange = pair.request().0;
        pair.respond(exchange, Status::CONTENT_TOO_LARGE, &Headers::new(), b"too large");
        pair.run();
        assert_eq!(pair.response().0.status, Status::CONTENT_TOO_LARGE);
        assert_eq!(pair.response_body().0, b"too large");
        assert_eq!(pair.server.close_reason(), Some(CloseReason::BodyUnfinished));
        // The server has half-closed and reads on, so that no reset destroys the answer.
        assert!(pair.server.wants_half_close() && !pair.server.is_finished());
        pair.client.send_data(sent, Bytes::from(vec![0; 50_000]), pair.now).unwrap();
        pair.run();
        assert!(pair.client.is_reusable().is_err());
        pair.close_client();
        assert!(pair.server.is_finished());
    });
}

#[test]
fn a_short_rest_of_a_body_is_read_to_keep_the_connection() {
    seeds(&Limits::default(), |pair| {
        let sent = pair.send(&Method::Post, "/", &host(), BodyLength::Known(5_000));
        pair.client.send_data(sent, Bytes::from(vec![0; 2_000]), pair.now).unwrap();
        pair.run();
        let exchange = pair.request().0;
        pair.server_events.clear();
        pair.respond(exchange, Status::OK, &Headers::new(), b"early");
        pair.run();
        pair.response();
        pair.response_body();
        assert_eq!(pair.client.is_reusable(), Err(CloseReason::Busy));
        pair.client.send_data(sent, Bytes::from(vec![0; 3_000]), pair.now).unwrap();
        pair.client.finish(sent, None, pair.now).unwrap();
        pair.run();
        // The rest was thrown away, and nobody was told.
        pair.assert_quiet();
        assert_eq!(pair.client.is_reusable(), Ok(()));
        assert_eq!(pair.get().0, 1);
    });
}

#[test]
fn a_body_that_the_host_does_not_want_is_thrown_away() {
    seeds(&Limits::default(), |pair| {
        let sent = pair.send(&Method::Post, "/", &host(), BodyLength::Unknown);
        pair.run();
        let exchange = pair.request().0;
        // A part that waits for the host is not wanted either.
        pair.is_host_slow = true;
        pair.client.send_data(sent, Bytes::from(vec![0; 5_000]), pair.now).unwrap();
        pair.run();
        pair.server.discard_body(exchange);
        pair.is_host_slow = false;
        pair.client.send_data(sent, Bytes::from(vec![0; 100_000]), pair.now).unwrap();
        pair.client.finish(sent, Some(&fields(&[("X", "1")])), pair.now).unwrap();
        pair.run();
        pair.respond(exchange, Status::OK, &Headers::new(), b"");
        pair.run();
        pair.response();
        pair.assert_quiet();
        assert_eq!(pair.client.is_reusable(), Ok(()));
    });
}

#[test]
fn a_body_past_the_bound_of_throwing_away_ends_the_connection_after_the_answer() {
    seeds(&Limits { discard_bytes: 10_000, ..Limits::default() }, |pair| {
        let sent = pair.send(&Method::Post, "/", &host(), BodyLength::Unknown);
        pair.run();
        let exchange = pair.request().0;
        pair.server.discard_body(exchange);
        pair.client.send_data(sent, Bytes::from(vec![0; 11_000]), pair.now).unwrap();
        pair.run();
        assert!(!pair.server.wants_input());
        pair.respond(exchange, Status::OK, &Headers::new(), b"x");
        pair.run();
        assert_eq!(pair.response().0.headers.text("connection"), Some("close"));
        assert_eq!(pair.response_body().0, b"x");
        assert_eq!(pair.server.close_reason(), Some(CloseReason::BodyUnfinished));
    });
}

#[test]
fn the_bound_of_throwing_away_counts_from_the_first_byte_thrown_away() {
    let limits = Limits { discard_bytes: 10_000, ..Limits::default() };
    // 4,000 bytes are gone when the answer comes: 6,000 more fit, and no byte more.
    for (length, close) in [(10_000, None), (10_001, Some(CloseReason::BodyUnfinished))] {
        seeds(&limits, |pair| {
            let sent = pair.send(&Method::Post, "/", &host(), BodyLength::Known(length));
            pair.run();
            let exchange = pair.request().0;
            pair.server.discard_body(exchange);
            pair.client.send_data(sent, Bytes::from(vec![0; 4_000]), pair.now).unwrap();
            pair.run();
            pair.server.discard_body(exchange);
            pair.respond(exchange, Status::OK, &Headers::new(), b"x");
            assert_eq!(pair.server.close_reason(), close, "{length} bytes");
            pair.run();
            assert_eq!(pair.response().0.headers.text("connection"), close.map(|_| "close"));
        });
    }
}

#[test]
fn a_part_of_the_body_that_waits_is_dropped_when_the_answer_is_complete() {
    seeds(&Limits::default(), |pair| {
        let sent = pair.send(&Method::Post, "/", &host(), BodyLength::Known(10));
        pair.run();
        let exchange = pair.request().0;
        pair.is_host_slow = true;
        pair.client.send_data(sent, Bytes::from_static(b"hello"), pair.now).unwrap();
        pair.run();
        pair.respond(exchange, Status::OK, &Headers::new(), b"x");
        pair.is_host_slow = false;
        pair.client.send_data(sent, Bytes::from_static(b"world"), pair.now).unwrap();
        pair.client.finish(sent, None, pair.now).unwrap();
        pair.run();
        assert!(pair.server_events.is_empty(), "{:?}", pair.server_events);
        pair.response();
        pair.response_body();
        assert_eq!(pair.get().0, 1);
    });
}

#[test]
fn a_slow_host_stops_the_client() {
    let limits = Limits { receive_buffer: 10_000, ..Limits::default() };
    seeds(&limits, |pair| {
        let sent = pair.send(&Method::Post, "/", &host(), BodyLength::Known(500_000));
        pair.is_host_slow = true;
        for _ in 0..10 {
            pair.client.send_data(sent, Bytes::from(vec![1; 50_000]), pair.now).unwrap();
            pair.run();
        }
        pair.client.finish(sent, None, pair.now).unwrap();
        pair.run();
        // One read may come before the machine says stop.
        assert!(pair.server_input.len() <= 110_000, "{} bytes wait", pair.server_input.len());
        assert!(!pair.server.wants_input());
        pair.is_host_slow = false;
        pair.run();
        pair.request();
        assert_eq!(pair.request_body().0.len(), 500_000);
    });
}

#[test]
fn a_rest_of_a_body_that_breaks_the_protocol_is_reported_and_ends_the_connection() {
    seeds(&Limits::default(), |pair| {
        pair.play_client();
        pair.inject(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        let exchange = pair.request().0;
        pair.respond(exchange, Status::OK, &Headers::new(), b"early");
        pair.inject(b"1\r\nx\r\nzz");
        let error = ReceiveError::ChunkSizeInvalid;
        assert_eq!(pair.server_events.pop_front(), Some(ServerEvent::Failed { exchange, error, answerable: false }));
        pair.assert_quiet();
        assert!(pair.server.wants_half_close() && !pair.server.is_finished());
    });
}

#[test]
fn a_failed_request_body_leaves_a_cut_answer_cut() {
    seeds(&Limits::default(), |pair| {
        pair.inject(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        let exchange = pair.request().0;
        let response = Response { status: Status::OK, headers: &Headers::new(), date: None };
        pair.server.respond(exchange, &response, BodyLength::Unknown, pair.now).unwrap();
        pair.server.send_data(exchange, Bytes::from_static(b"half"), pair.now).unwrap();
        pair.inject(b"xx\r\n");
        let event = pair.server_events.pop_front();
        assert!(matches!(event, Some(ServerEvent::Failed { answerable: false, .. })), "{event:?}");
        // Whatever the host does now, the peer must not take the answer for a whole one.
        assert_eq!(
            pair.server.send_data(exchange, Bytes::from_static(b"more"), pair.now),
            Err(SendError::UnknownExchange)
        );
        pair.server.finish(exchange, None, pair.now).unwrap();
        let mut sent = Vec::new();
        pair.server.outgoing().chunks().for_each(|chunk| sent.extend_from_slice(chunk));
        assert!(!String::from_utf8_lossy(&sent).contains("0\r\n\r\n"));
        assert_eq!(pair.server.close_reason(), Some(CloseReason::ProtocolError));
        assert!(pair.server.is_finished());
    });
}
