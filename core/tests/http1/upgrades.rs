//! Scenarios: the connection is handed to another protocol, and no byte is lost on the way.

use bytes::Buf;
use callboard_core::http1::{ClientEvent, CloseReason, Response, SendError, ServerEvent};
use callboard_core::{BodyLength, Headers, Limits, Method, Protocol, Status};

use super::pair::{fields, seeds};

fn upgrade_request() -> Headers {
    fields(&[("Host", "a"), ("Connection", "Upgrade"), ("Upgrade", "test")])
}

#[test]
fn an_upgrade_hands_over_the_bytes_that_follow_on_both_sides() {
    seeds(&Limits::default(), |pair| {
        pair.send(&Method::Get, "/", &upgrade_request(), BodyLength::Empty);
        pair.run();
        pair.inject(b"early client bytes");
        let exchange = pair.request().0;
        let headers = fields(&[("Connection", "Upgrade"), ("Upgrade", "test")]);
        let response = Response { status: Status::SWITCHING_PROTOCOLS, headers: &headers, date: None };
        pair.server.respond(exchange, &response, BodyLength::Empty, pair.now).unwrap();
        pair.run();
        assert_eq!(pair.server_events.pop_front(), Some(ServerEvent::Upgraded { exchange }));
        // The exchange is over: what would follow in its name is no more HTTP.
        pair.server.finish(exchange, None, pair.now).unwrap();
        let late = pair.server.send_data(exchange, bytes::Bytes::from_static(b"late"), pair.now);
        assert_eq!(late, Err(SendError::UnknownExchange));
        pair.inject_to_client(b"server bytes");
        let Some(ClientEvent::Upgraded { head, .. }) = pair.client_events.pop_front() else { panic!("no upgrade") };
        assert_eq!((head.status, head.headers), (Status::SWITCHING_PROTOCOLS, headers));
        pair.assert_quiet();
        assert!(b"early client bytes".starts_with(&pair.server_input[..]));
        assert!(!pair.server.wants_input() && !pair.client.wants_input(), "the bytes are the next protocol's to read");
        assert!(b"server bytes".starts_with(&pair.client_input[..]));
        assert_eq!(pair.client.is_reusable(), Err(CloseReason::Upgraded));
        assert_eq!(pair.server.close_reason(), Some(CloseReason::Upgraded));
        assert_eq!((pair.server.poll_timeout(), pair.client.poll_timeout()), (None, None));
    });
}

#[test]
fn connect_opens_a_tunnel_without_a_body() {
    seeds(&Limits::default(), |pair| {
        pair.send(&Method::Connect, "b:443", &fields(&[("Host", "b:443")]), BodyLength::Empty);
        pair.run();
        let (exchange, head, body, _) = pair.request();
        assert_eq!((head.target.authority(), body), (Some("b:443"), BodyLength::Empty));
        let response = Response { status: Status::OK, headers: &Headers::new(), date: None };
        pair.server.respond(exchange, &response, BodyLength::Known(5), pair.now).unwrap();
        pair.run();
        assert_eq!(pair.server_events.pop_front(), Some(ServerEvent::Upgraded { exchange }));
        let Some(ClientEvent::Upgraded { head, .. }) = pair.client_events.pop_front() else { panic!("no tunnel") };
        assert!(!head.headers.contains("content-length") && !head.headers.contains("transfer-encoding"));
        pair.assert_quiet();
    });
}

#[test]
fn a_refused_tunnel_or_upgrade_is_an_ordinary_exchange() {
    seeds(&Limits::default(), |pair| {
        for (method, target) in [(Method::Connect, "b:443"), (Method::Get, "/")] {
            pair.send(&method, target, &upgrade_request(), BodyLength::Empty);
            pair.run();
            let exchange = pair.request().0;
            pair.respond(exchange, Status::FORBIDDEN, &Headers::new(), b"no");
            pair.run();
            assert_eq!(pair.response().0.status, Status::FORBIDDEN);
            assert_eq!(pair.response_body().0, b"no");
            assert_eq!(pair.client.is_reusable(), Ok(()));
        }
    });
}

#[test]
fn an_upgrade_that_nobody_asked_for_is_refused_to_the_host() {
    seeds(&Limits::default(), |pair| {
        let exchange = pair.get();
        let response = Response { status: Status::SWITCHING_PROTOCOLS, headers: &Headers::new(), date: None };
        let refused = pair.server.respond(exchange, &response, BodyLength::Empty, pair.now);
        assert_eq!(refused, Err(SendError::StatusMisplaced));
        pair.respond(exchange, Status::OK, &Headers::new(), b"");
    });
}

#[test]
fn an_upgrade_waits_for_the_body_of_its_request() {
    seeds(&Limits::default(), |pair| {
        let sent = pair.send(&Method::Post, "/", &upgrade_request(), BodyLength::Known(4));
        pair.run();
        let exchange = pair.request().0;
        let headers = fields(&[("Connection", "Upgrade"), ("Upgrade", "test")]);
        let response = Response { status: Status::SWITCHING_PROTOCOLS, headers: &headers, date: None };
        let early = pair.server.respond(exchange, &response, BodyLength::Empty, pair.now);
        assert_eq!(early, Err(SendError::StatusMisplaced));
        pair.client.send_data(sent, bytes::Bytes::from_static(b"body"), pair.now).unwrap();
        pair.client.finish(sent, None, pair.now).unwrap();
        pair.run();
        assert_eq!(pair.request_body().0, b"body");
        pair.server.respond(exchange, &response, BodyLength::Empty, pair.now).unwrap();
        pair.run();
        assert!(matches!(pair.client_events.pop_front(), Some(ClientEvent::Upgraded { .. })));
        assert!(!pair.client_input.has_remaining());
    });
}
