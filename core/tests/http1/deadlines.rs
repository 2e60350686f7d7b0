//! Scenarios: the server's deadlines of `Limits`, on virtual time. Each comes when it is due, no sooner, and says so.

use std::time::Duration;

use bytes::Bytes;
use callboard_core::http1::{CloseReason, ReceiveError, Response, ServerEvent};
use callboard_core::{BodyLength, Headers, Limits, Protocol, Status};

use super::pair::{Pair, seeds};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// Just before `duration` has passed.
pub(crate) fn just_before(duration: Duration) -> Duration {
    duration.checked_sub(Duration::from_nanos(1)).unwrap()
}

/// The next event at the server must be this failure; it is answered with its status.
fn answer_failure(pair: &mut Pair, expected: ReceiveError) {
    let Some(ServerEvent::Failed { exchange, error, answerable }) = pair.server_events.pop_front() else {
        panic!("no failure")
    };
    assert_eq!((error, answerable), (expected, true));
    let response = Response { status: error.status(), headers: &Headers::new(), date: None };
    pair.server.respond(exchange, &response, BodyLength::Empty, pair.now).unwrap();
    assert_eq!(pair.server.close_reason(), Some(CloseReason::ProtocolError));
}

#[test]
fn a_connection_without_a_request_is_closed_after_the_time_of_a_head() {
    seeds(&Limits::default(), |pair| {
        pair.pass(just_before(30 * SECOND));
        assert!(!pair.server.is_finished());
        pair.pass(SECOND);
        assert!(pair.server.is_finished());
        assert_eq!(pair.server.close_reason(), Some(CloseReason::IdleTimedOut));
        pair.assert_quiet();
    });
}

#[test]
fn a_head_that_trickles_in_is_answered_with_408() {
    seeds(&Limits::default(), |pair| {
        pair.play_client();
        pair.inject(b"GET / HT");
        // Neither bytes nor early calls move the deadline.
        for _ in 0..29 {
            pair.pass(SECOND);
            pair.inject(b"T");
        }
        pair.assert_quiet();
        pair.pass(SECOND);
        answer_failure(pair, ReceiveError::HeadTimedOut);
        assert_eq!(ReceiveError::HeadTimedOut.status(), Status::REQUEST_TIMEOUT);
    });
}

#[test]
fn the_head_of_a_later_request_has_its_time_from_its_first_byte() {
    seeds(&Limits::default(), |pair| {
        let exchange = pair.get();
        pair.respond(exchange, Status::OK, &Headers::new(), b"");
        pair.run();
        pair.client_events.clear();
        pair.pass(50 * SECOND);
        pair.inject(b"G");
        pair.pass(just_before(30 * SECOND));
        pair.assert_quiet();
        pair.pass(SECOND);
        answer_failure(pair, ReceiveError::HeadTimedOut);
    });
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    seeds(&Limits::default(), |pair| {
        pair.pass(10 * SECOND);
        let exchange = pair.get();
        pair.pass(5 * SECOND);
        pair.respond(exchange, Status::OK, &Headers::new(), b"");
        pair.run();
        pair.client_events.clear();
        pair.pass(just_before(75 * SECOND));
        assert_eq!((pair.client.is_reusable(), pair.server.is_finished()), (Ok(()), false));
        pair.pass(SECOND);
        pair.assert_quiet();
        assert_eq!(pair.server.close_reason(), Some(CloseReason::IdleTimedOut));
        assert_eq!(pair.client.is_reusable(), Err(CloseReason::PeerClosed));
    });
}

#[test]
fn a_body_that_falls_silent_is_answered_with_408() {
    let limits = Limits { minimum_rate: 0, ..Limits::default() };
    seeds(&limits, |pair| {
        pair.play_client();
        pair.inject(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345");
        pair.request();
        pair.pass(just_before(60 * SECOND));
        pair.inject(b"6");
        pair.pass(just_before(60 * SECOND));
        pair.server_events.retain(|event| !matches!(event, ServerEvent::Data { .. }));
        pair.assert_quiet();
        pair.pass(SECOND);
        answer_failure(pair, ReceiveError::BodyTimedOut);
    });
}

#[test]
fn a_body_slower_than_the_minimum_rate_is_answered_with_408() {
    // 64 bytes a second, after 30 seconds.
    seeds(&Limits::default(), |pair| {
        pair.play_client();
        pair.inject(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
        pair.request();
        for _ in 0..29 {
            pair.pass(SECOND);
            pair.inject(b"x");
        }
        pair.server_events.retain(|event| !matches!(event, ServerEvent::Data { .. }));
        pair.assert_quiet();
        pair.pass(2 * SECOND);
        answer_failure(pair, ReceiveError::BodyTooSlow);
    });
}

#[test]
fn a_body_at_the_minimum_rate_goes_on() {
    seeds(&Limits::default(), |pair| {
        pair.play_client();
        pair.inject(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 13000\r\n\r\n");
        let exchange = pair.request().0;
        for _ in 0..200 {
            pair.inject(&[b'x'; 65]);
            pair.pass(SECOND);
        }
        assert_eq!(pair.request_body().0.len(), 13_000);
        pair.respond(exchange, Status::OK, &Headers::new(), b"");
        assert_eq!(pair.server.close_reason(), None);
    });
}

#[test]
fn the_time_of_a_slow_host_is_not_the_clients() {
    seeds(&Limits::default(), |pair| {
        pair.play_client();
        pair.inject(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
        pair.request();
        pair.is_host_slow = true;
        pair.inject(b"12345");
        pair.pass(3600 * SECOND);
        pair.is_host_slow = false;
        pair.run();
        assert!(matches!(pair.server_events.pop_front(), Some(ServerEvent::Data { .. })));
        // The rest has its time from when the host came back.
        pair.pass(just_before(30 * SECOND));
        pair.inject(b"67890");
        pair.server_events.retain(|event| !matches!(event, ServerEvent::Data { .. }));
        assert!(matches!(pair.server_events.pop_front(), Some(ServerEvent::End { .. })));
    });
}

#[test]
fn a_handler_may_take_its_time() {
    seeds(&Limits::default(), |pair| {
        let exchange = pair.get();
        let client_patience = Limits::default().head_timeout;
        pair.pass(just_before(client_patience));
        pair.respond(exchange, Status::OK, &Headers::new(), b"late");
        pair.run();
        pair.response();
        assert_eq!(pair.response_body().0, b"late");
    });
}

#[test]
fn a_client_that_waits_for_100_is_not_timed_while_the_host_thinks() {
    seeds(&Limits::default(), |pair| {
        pair.play_client();
        pair.inject(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
        let exchange = pair.request().0;
        pair.pass(3600 * SECOND);
        pair.assert_quiet();
        pair.server.inform(exchange, Status::CONTINUE, &Headers::new(), pair.now).unwrap();
        pair.pass(just_before(30 * SECOND));
        pair.assert_quiet();
        pair.pass(SECOND);
        answer_failure(pair, ReceiveError::BodyTooSlow);
    });
}

#[test]
fn a_peer_that_takes_nothing_loses_the_connection() {
    seeds(&Limits::default(), |pair| {
        let exchange = pair.get();
        pair.stall_client();
        pair.play_client();
        // The clock runs from when there is something to take.
        pair.pass(50 * SECOND);
        pair.respond(exchange, Status::OK, &Headers::new(), &[0; 10_000]);
        pair.pass(just_before(60 * SECOND));
        assert!(pair.server_events.iter().all(|event| !matches!(event, ServerEvent::Failed { .. })));
        pair.pass(120 * SECOND);
        let failed = pair.server_events.iter().find(|event| matches!(event, ServerEvent::Failed { .. }));
        let Some(ServerEvent::Failed { error, answerable, .. }) = failed else { panic!("no failure") };
        assert_eq!((*error, *answerable), (ReceiveError::WriteTimedOut, false));
        assert!(pair.server.is_finished() && pair.server.outgoing().is_empty());
    });
}

#[test]
fn the_time_of_a_write_runs_from_when_there_is_something_to_take() {
    // Each step comes after a pause in which nothing was queued.
    for steps in 0..4 {
        let pair = &mut Pair::new(&Limits::default(), steps);
        let exchange = pair.get();
        pair.play_client();
        let response = Response { status: Status::OK, headers: &Headers::new(), date: None };
        for step in 0..=steps {
            pair.pass(50 * SECOND);
            if step == steps {
                pair.stall_client();
            }
            match step {
                0 => pair.server.inform(exchange, Status::PROCESSING, &Headers::new(), pair.now),
                1 => pair.server.respond(exchange, &response, BodyLength::Unknown, pair.now),
                2 => pair.server.send_data(exchange, Bytes::from_static(b"x"), pair.now),
                _ => pair.server.finish(exchange, None, pair.now),
            }
            .unwrap();
        }
        pair.pass(just_before(60 * SECOND));
        pair.assert_quiet();
        pair.pass(SECOND);
        assert_eq!(pair.server_events.len(), 1, "step {steps}");
        assert!(matches!(pair.server_events[0], ServerEvent::Failed { error: ReceiveError::WriteTimedOut, .. }));
    }
}

#[test]
fn a_peer_that_takes_little_at_a_time_keeps_the_connection() {
    seeds(&Limits::default(), |pair| {
        let exchange = pair.get();
        pair.stall_client();
        pair.play_client();
        pair.respond(exchange, Status::OK, &Headers::new(), &[0; 10_000]);
        for _ in 0..20 {
            pair.pass(50 * SECOND);
            pair.take_at_client(10);
        }
        pair.assert_quiet();
        assert!(!pair.server.is_finished());
        pair.pass(200 * SECOND);
        assert!(pair.server.is_finished());
    });
}

#[test]
fn lingering_ends_with_its_time() {
    seeds(&Limits::default(), |pair| {
        pair.play_client();
        pair.inject(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let exchange = pair.request().0;
        pair.respond(exchange, Status::OK, &Headers::new(), b"");
        pair.run();
        pair.pass(just_before(5 * SECOND));
        pair.inject(b"and more");
        assert!(pair.server.wants_half_close() && !pair.server.is_finished());
        pair.pass(SECOND);
        assert!(pair.server.is_finished());
        assert_eq!(pair.server.close_reason(), Some(CloseReason::PeerAsked));
    });
}

#[test]
fn the_nearest_of_two_deadlines_counts_at_the_server_too() {
    for (body, write, error) in [(20, 60, ReceiveError::BodyTimedOut), (90, 60, ReceiveError::WriteTimedOut)] {
        let limits =
            Limits { body_timeout: body * SECOND, write_timeout: write * SECOND, minimum_rate: 0, ..Limits::default() };
        seeds(&limits, |pair| {
            pair.play_client();
            pair.inject(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345");
            let exchange = pair.request().0;
            pair.server_events.clear();
            pair.stall_client();
            let response = Response { status: Status::OK, headers: &Headers::new(), date: None };
            pair.server.respond(exchange, &response, BodyLength::Known(9), pair.now).unwrap();
            let first = body.min(write) * SECOND;
            assert_eq!(pair.server.poll_timeout(), Some(pair.now + first));
            pair.pass(first);
            let failed = ServerEvent::Failed { exchange, error, answerable: false };
            assert_eq!(pair.server_events.pop_front(), Some(failed));
        });
    }
}
