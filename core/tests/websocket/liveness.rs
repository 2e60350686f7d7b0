//! Pings, pongs and deadlines.

use std::time::Duration;

use bytes::Buf;
use callboard_core::Protocol;
use callboard_core::websocket::{Event, Message, Opcode, ReceiveError, Role, Settings};

use super::side::{Side, error_of, frame};

const SECOND: Duration = Duration::from_secs(1);

fn short() -> Settings {
    Settings { ping_interval: Some(10 * SECOND), pong_timeout: 3 * SECOND, ..Settings::default() }
}

#[test]
fn a_silent_peer_is_pinged_and_then_given_up() {
    let mut server = Side::new(Role::Server, short());
    assert_eq!(server.machine.poll_timeout().unwrap().as_nanos(), 10_000_000_000);
    assert_eq!(server.pass(9 * SECOND), []);
    assert_eq!(server.sent(), b"");
    assert_eq!(server.pass(SECOND), []);
    assert_eq!(server.sent(), b"\x89\x00");
    assert_eq!(server.pass(2 * SECOND), []);
    let events = server.pass(SECOND);
    assert_eq!(error_of(&events), Some(ReceiveError::PongTimedOut));
    assert!(server.machine.is_finished());
}

#[test]
fn any_byte_counts_as_a_sign_of_life() {
    let mut server = Side::new(Role::Server, short());
    let slow = frame(Role::Client, true, Opcode::Binary, &[1; 300]);
    for byte in &slow[..200] {
        server.give(&[*byte]);
        assert_eq!(server.pass(2 * SECOND), []);
    }
    assert_eq!(server.sent(), b"", "no ping while something comes");
    server.pass(10 * SECOND);
    assert_eq!(server.sent(), b"\x89\x00");
    server.give(&slow[200..201]);
    assert_eq!(server.pass(4 * SECOND), [], "one byte in the middle of a frame is an answer");
    assert!(server.machine.is_open());
}

#[test]
fn no_ping_is_sent_where_none_is_wanted() {
    let mut server = Side::new(Role::Server, Settings { ping_interval: None, ..short() });
    assert_eq!(server.machine.poll_timeout(), None);
    server.pass(1_000_000 * SECOND);
    assert_eq!(server.sent(), b"");
}

#[test]
fn an_early_timeout_is_harmless() {
    let mut server = Side::new(Role::Server, short());
    for _ in 0..5 {
        server.machine.handle_timeout(server.now);
    }
    assert_eq!(server.sent(), b"");
    server.pass(10 * SECOND);
    server.machine.handle_timeout(server.now);
    assert_eq!(server.sent(), b"\x89\x00", "one ping, not two");
}

#[test]
fn a_peer_that_takes_nothing_is_given_up() {
    let settings = Settings { ping_interval: None, write_timeout: 5 * SECOND, ..Settings::default() };
    let mut server = Side::new(Role::Server, settings);
    server.machine.send(Message::from(vec![0; 10]), server.now).unwrap();
    server.pass(4 * SECOND);
    server.machine.outgoing().advance(3);
    assert_eq!(server.pass(SECOND), [], "it took some");
    assert_eq!(server.pass(4 * SECOND), []);
    assert_eq!(error_of(&server.pass(SECOND)), Some(ReceiveError::WriteTimedOut));
    assert_eq!(server.sent(), b"", "what it will not take is dropped");
}

#[test]
fn pings_are_answered_and_a_flood_of_them_is_bounded() {
    let mut server = Side::server();
    assert_eq!(server.give(&frame(Role::Client, true, Opcode::Ping, b"a")), [Event::Ping(b"a"[..].into())]);
    assert_eq!(server.sent(), b"\x8a\x01a");
    let ping = frame(Role::Client, true, Opcode::Ping, &[7; 125]);
    for index in 0..20_000_u32 {
        let ping = if index == 19_999 { frame(Role::Client, true, Opcode::Ping, b"last") } else { ping.clone() };
        server.give(&ping);
        assert!(server.machine.queued() <= 64 * 1024 + 127, "{} bytes", server.machine.queued());
    }
    assert_eq!(server.sent_frames().last().unwrap().1, b"last", "the newest is answered");
}

/// A driver calls often, and with half a frame in the input: only what is new is a sign of life.
#[test]
fn bytes_count_once() {
    let mut server = Side::new(Role::Server, short());
    let half = &frame(Role::Client, true, Opcode::Binary, &[1; 100])[..50];
    let due = |server: &Side| server.machine.poll_timeout().unwrap() - callboard_core::Instant::EPOCH;
    for (turn, byte) in (1..).zip(half) {
        server.now = server.now + SECOND;
        server.input.extend_from_slice(&[*byte]);
        server.machine.handle_input(&mut server.input, server.now);
        assert_eq!(due(&server), (10 + turn) * SECOND);
        server.machine.handle_input(&mut server.input, server.now + SECOND / 2);
        assert_eq!(due(&server), (10 + turn) * SECOND);
    }
}
