//! Scenarios: the client's deadlines of `Limits`, on virtual time.

use bytes::Bytes;
use callboard_core::http1::{ClientEvent, ReceiveError};
use callboard_core::{BodyLength, Limits, Method, Protocol};

use super::deadlines::{SECOND, just_before};
use super::pair::{Pair, fields, seeds};

fn client_failure(pair: &mut Pair) -> Option<ReceiveError> {
    pair.client_events.iter().find_map(|event| match event {
        ClientEvent::Failed { error } => Some(*error),
        _ => None,
    })
}

#[test]
fn a_response_that_does_not_begin_or_end_its_head_in_time_fails() {
    for start in [&b""[..], b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"] {
        seeds(&Limits::default(), |pair| {
            pair.get();
            pair.play_server();
            pair.inject_to_client(start);
            pair.pass(just_before(30 * SECOND));
            assert_eq!(client_failure(pair), None);
            pair.pass(SECOND);
            assert_eq!(client_failure(pair), Some(ReceiveError::HeadTimedOut));
            assert!(pair.client.is_finished());
        });
    }
}

#[test]
fn the_response_has_its_time_from_the_end_of_the_request() {
    seeds(&Limits { minimum_rate: 0, ..Limits::default() }, |pair| {
        let sent = pair.send(&Method::Post, "/", &fields(&[("Host", "a")]), BodyLength::Known(2));
        pair.pass(45 * SECOND);
        pair.client.send_data(sent, Bytes::from_static(b"o"), pair.now).unwrap();
        pair.pass(45 * SECOND);
        pair.client.send_data(sent, Bytes::from_static(b"k"), pair.now).unwrap();
        pair.client.finish(sent, None, pair.now).unwrap();
        pair.pass(just_before(30 * SECOND));
        assert_eq!(client_failure(pair), None);
        pair.pass(SECOND);
        assert_eq!(client_failure(pair), Some(ReceiveError::HeadTimedOut));
    });
}

#[test]
fn a_response_body_that_falls_silent_or_trickles_fails() {
    for (rate, error) in [(0, ReceiveError::BodyTimedOut), (64, ReceiveError::BodyTooSlow)] {
        seeds(&Limits { minimum_rate: rate, ..Limits::default() }, |pair| {
            pair.get();
            pair.play_server();
            pair.inject_to_client(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx");
            pair.pass(29 * SECOND);
            assert_eq!(client_failure(pair), None);
            pair.pass(32 * SECOND);
            assert_eq!(client_failure(pair), Some(error));
        });
    }
}

#[test]
fn a_response_body_at_the_minimum_rate_goes_on() {
    seeds(&Limits::default(), |pair| {
        pair.get();
        pair.play_server();
        pair.inject_to_client(b"HTTP/1.1 200 OK\r\nContent-Length: 13000\r\n\r\n");
        for _ in 0..200 {
            pair.inject_to_client(&[b'x'; 65]);
            pair.pass(SECOND);
        }
        pair.response();
        assert_eq!(pair.response_body().0.len(), 13_000);
        assert_eq!(pair.client.is_reusable(), Ok(()));
    });
}

#[test]
fn the_time_of_a_slow_caller_is_not_the_servers() {
    seeds(&Limits::default(), |pair| {
        pair.get();
        pair.play_server();
        pair.is_caller_slow = true;
        pair.inject_to_client(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
        pair.pass(3600 * SECOND);
        pair.is_caller_slow = false;
        pair.run();
        pair.response();
        // Held again, now with a part of the body.
        pair.is_caller_slow = true;
        pair.inject_to_client(b"678");
        pair.pass(3600 * SECOND);
        pair.is_caller_slow = false;
        pair.pass(just_before(30 * SECOND));
        pair.inject_to_client(b"90");
        assert_eq!(pair.response_body().0, b"1234567890");
    });
}

#[test]
fn the_time_of_a_write_runs_from_when_there_is_something_to_take() {
    for steps in 0..3 {
        let pair = &mut Pair::new(&Limits { minimum_rate: 0, ..Limits::default() }, steps);
        pair.play_server();
        pair.pass(10 * SECOND);
        let mut sent = None;
        for step in 0..=steps {
            if step == steps {
                pair.stall_server();
            }
            match (step, sent) {
                (1, Some(sent)) => pair.client.send_data(sent, Bytes::from_static(b"x"), pair.now).unwrap(),
                (2, Some(sent)) => pair.client.finish(sent, None, pair.now).unwrap(),
                _ => sent = Some(pair.send(&Method::Post, "/", &fields(&[("Host", "a")]), BodyLength::Unknown)),
            }
            pair.pass(if step == steps { just_before(60 * SECOND) } else { 50 * SECOND });
            if step == 2 {
                // A request that is whole waits for its response no longer than for its head.
                assert_eq!(client_failure(pair), Some(ReceiveError::HeadTimedOut));
                return;
            }
        }
        assert_eq!(client_failure(pair), None, "step {steps}");
        pair.pass(SECOND);
        assert_eq!(client_failure(pair), Some(ReceiveError::WriteTimedOut), "step {steps}");
    }
}

#[test]
fn the_nearest_of_two_deadlines_counts() {
    for (head, write, error) in [(20, 60, ReceiveError::HeadTimedOut), (90, 60, ReceiveError::WriteTimedOut)] {
        let limits = Limits { head_timeout: head * SECOND, write_timeout: write * SECOND, ..Limits::default() };
        seeds(&limits, |pair| {
            pair.stall_server();
            pair.play_server();
            pair.send(&Method::Get, "/", &fields(&[("Host", "a")]), BodyLength::Empty);
            let first = head.min(write) * SECOND;
            assert_eq!(pair.client.poll_timeout(), Some(pair.now + first));
            pair.pass(first);
            assert_eq!(client_failure(pair), Some(error));
        });
    }
}

#[test]
fn a_failed_write_withdraws_the_end_of_a_response_that_was_not_taken() {
    let pair = &mut Pair::new(&Limits::default(), 1);
    let sent = pair.send(&Method::Post, "/", &fields(&[("Host", "a")]), BodyLength::Known(50_000));
    pair.run();
    pair.stall_server();
    pair.play_server();
    pair.client.send_data(sent, Bytes::from(vec![0; 40_000]), pair.now).unwrap();
    pair.inject_to_client(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    pair.response();
    pair.is_caller_slow = true;
    pair.inject_to_client(b"ok");
    pair.pass(120 * SECOND);
    pair.is_caller_slow = false;
    pair.run();
    assert_eq!(client_failure(pair), Some(ReceiveError::WriteTimedOut));
    assert_eq!(pair.client_events.len(), 1);
}

#[test]
fn a_server_that_takes_nothing_of_the_request_fails_it() {
    seeds(&Limits::default(), |pair| {
        pair.stall_server();
        pair.play_server();
        pair.pass(50 * SECOND);
        let sent = pair.send(&Method::Post, "/", &fields(&[("Host", "a")]), BodyLength::Known(50_000));
        pair.client.send_data(sent, Bytes::from(vec![0; 50_000]), pair.now).unwrap();
        pair.pass(just_before(60 * SECOND));
        assert_eq!(client_failure(pair), None);
        pair.pass(SECOND);
        assert_eq!(client_failure(pair), Some(ReceiveError::WriteTimedOut));
        // Nothing is left to write, so the stream can be dropped now, and no deadline comes again.
        assert!(pair.client.is_finished() && pair.client.outgoing().is_empty());
        assert_eq!(pair.client.poll_timeout(), None);
    });
}
