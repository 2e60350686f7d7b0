//! Scenarios: the connection is handed to another protocol, and no byte is lost on the way.

use bytes::{Buf, BytesMut};
use callboard_core::http1::{ClientEvent, CloseReason, Response, SendError, ServerConnection, ServerEvent};
use callboard_core::{BodyLength, Headers, Instant, Limits, Method, Protocol, Status};

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

const OPENING: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: test\r\n";

/// A server that was asked for another protocol with this body, does not want it, and answers 101.
fn switching(limits: Limits, input: &mut BytesMut) -> (ServerConnection, Result<(), SendError>) {
    let now = Instant::EPOCH;
    let mut server = ServerConnection::new(limits.into(), now);
    server.handle_input(input, now);
    let Some(ServerEvent::Request { exchange, .. }) = server.poll_event() else { panic!("no request") };
    server.discard_body(exchange);
    let headers = fields(&[("Connection", "Upgrade"), ("Upgrade", "test")]);
    let response = Response { status: Status::SWITCHING_PROTOCOLS, headers: &headers, date: None };
    let answered = server.respond(exchange, &response, BodyLength::Empty, now);
    (server, answered)
}

#[test]
fn a_body_that_nobody_wants_is_thrown_away_before_the_switch() {
    let now = Instant::EPOCH;
    for body in ["Content-Length: 4\r\n\r\nbody", "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"] {
        let whole = format!("{OPENING}{body}theirs");
        // However it is cut behind the head, only what follows the body is the other protocol's.
        let head = whole.find("\r\n\r\n").unwrap() + 4;
        for cut in head..whole.len() {
            let (first, rest) = whole.split_at(cut);
            let mut input = BytesMut::from(first);
            let (mut server, answered) = switching(Limits::default(), &mut input);
            assert_eq!(answered, Ok(()));
            // A drain does not end it: the protocol to come decides for itself.
            server.drain(now);
            for byte in rest.bytes() {
                input.extend_from_slice(&[byte]);
                server.handle_input(&mut input, now);
            }
            assert!(matches!(server.poll_event(), Some(ServerEvent::Upgraded { .. })), "{body:?} cut at {cut}");
            assert_eq!(server.poll_event(), None);
            assert_eq!(server.close_reason(), Some(CloseReason::Upgraded));
            assert_eq!(input, "theirs", "{body:?} cut at {cut}");
            assert!(!server.wants_half_close());
        }
    }
}

#[test]
fn a_switch_behind_too_long_a_body_is_refused_or_ends_the_connection() {
    let limits = || Limits { discard_bytes: 3, ..Limits::default() };
    let mut input = BytesMut::from(&*format!("{OPENING}Content-Length: 4\r\n\r\n"));
    let (mut server, answered) = switching(limits(), &mut input);
    assert_eq!(answered, Err(SendError::BodyUnread));
    assert!(server.outgoing().is_empty(), "nothing of a 101 was said");
    // Its length shows only when it is too late to say so.
    let mut input = BytesMut::from(&*format!("{OPENING}Transfer-Encoding: chunked\r\n\r\n"));
    let (mut server, answered) = switching(limits(), &mut input);
    assert_eq!(answered, Ok(()));
    input.extend_from_slice(b"4\r\nbody\r\n0\r\n\r\n");
    server.handle_input(&mut input, Instant::EPOCH);
    assert_eq!(server.poll_event(), None);
    assert!(server.wants_half_close());
    assert_eq!(server.close_reason(), Some(CloseReason::BodyUnfinished));
}

/// Only the field of that name names a protocol: one of the same length and first letter does not.
#[test]
fn a_connection_option_without_its_field_asks_for_nothing() {
    for (name, expected) in [("Upgrade", Ok(())), ("Upgrad3", Err(SendError::StatusMisplaced))] {
        let now = Instant::EPOCH;
        let mut server = ServerConnection::new(Limits::default().into(), now);
        let text = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n{name}: b\r\n\r\n");
        server.handle_input(&mut BytesMut::from(text.as_str()), now);
        let Some(ServerEvent::Request { exchange, .. }) = server.poll_event() else { panic!("no request") };
        let response = Response { status: Status::SWITCHING_PROTOCOLS, headers: &Headers::new(), date: None };
        assert_eq!(server.respond(exchange, &response, BodyLength::Empty, now), expected, "{name}");
    }
}
