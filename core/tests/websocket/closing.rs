//! The closing handshake from both sides, the end of the connection, and what is refused after.

use std::time::Duration;

use callboard_core::Protocol;
use callboard_core::websocket::{
    Close, CloseCode, Closure, Event, Message, Opcode, ReceiveError, Role, SendError, Settings, State,
};

use super::side::{Side, error_of, frame, text};

fn close_frame(from: Role, code: u16, reason: &str) -> Vec<u8> {
    frame(from, true, Opcode::Close, &[&code.to_be_bytes(), reason.as_bytes()].concat())
}

#[test]
fn the_peers_close_is_answered_with_its_code() {
    let mut server = Side::server();
    let bye = Close::new(CloseCode::GOING_AWAY, "bye");
    let events = server.give(&close_frame(Role::Client, 1001, "bye"));
    let closure = Closure { ours: Some(bye.clone()), theirs: Some(bye.clone()), is_clean: true, error: None };
    assert_eq!(events, [Event::Closing(Some(bye)), Event::Closed(closure.clone().into())]);
    assert_eq!(closure.code(), CloseCode::GOING_AWAY);
    assert_eq!(server.sent(), b"\x88\x05\x03\xe9bye");
    assert!(server.machine.wants_half_close() && !server.machine.is_finished());
    assert_eq!(server.end(), []);
    assert!(server.machine.is_finished());
    assert_eq!(server.machine.poll_timeout(), None);
}

#[test]
fn an_empty_close_is_answered_by_an_empty_one() {
    let mut server = Side::server();
    let events = server.give(&frame(Role::Client, true, Opcode::Close, b""));
    assert_eq!(events[0], Event::Closing(None));
    assert_eq!(server.machine.closure().map(Closure::code), Some(CloseCode::NO_STATUS));
    assert_eq!(server.sent(), b"\x88\x00");
}

#[test]
fn our_close_waits_for_the_answer_and_messages_still_count() {
    let mut client = Side::client();
    client.machine.close(Close::NORMAL, client.now).unwrap();
    assert_eq!(client.sent_frames()[0].1, 1000_u16.to_be_bytes());
    assert_eq!(client.give(&frame(Role::Server, true, Opcode::Text, b"late")), [text("late")]);
    // A ping that came after our close frame gets no answer: nothing may follow it.
    client.give(&frame(Role::Server, true, Opcode::Ping, b"x"));
    assert_eq!(client.sent(), b"");
    let events = client.give(&close_frame(Role::Server, 1000, ""));
    let closure = Closure { ours: Some(Close::NORMAL), theirs: Some(Close::NORMAL), is_clean: true, error: None };
    assert_eq!(events.last(), Some(&Event::Closed(closure.into())));
    assert_eq!(client.sent(), b"");
    // The server ends the connection first (§7.1.1).
    assert!(!client.machine.wants_half_close());
    assert_eq!(client.pass(Duration::from_secs(10)), []);
    assert!(client.machine.is_finished());
}

#[test]
fn a_close_that_is_not_answered_ends_in_time() {
    let mut server = Side::server();
    server.machine.close(Close::NORMAL, server.now).unwrap();
    server.sent();
    server.give(&frame(Role::Client, true, Opcode::Text, b"still here"));
    let due = server.machine.poll_timeout().unwrap();
    assert_eq!(due.as_nanos(), 10_000_000_000);
    assert_eq!(server.pass(Duration::from_secs(9)), []);
    let events = server.pass(Duration::from_secs(1));
    assert_eq!(error_of(&events), Some(ReceiveError::CloseTimedOut));
    assert_eq!(server.machine.closure().map(Closure::code), Some(CloseCode::ABNORMAL));
    assert!(server.machine.is_finished());
}

#[test]
fn an_end_without_a_close_frame_is_abnormal() {
    for (before, expected) in [(&b""[..], 0), (&b"\x81\x83\0\0\0\0abc"[..], 1), (&b"\x81\x83\0\0\0\0ab"[..], 0)] {
        let mut server = Side::server();
        let mut events = server.give(before);
        events.extend(server.end());
        assert_eq!(events.len(), expected + 1, "{events:?}");
        assert_eq!(error_of(&events), Some(ReceiveError::ConnectionLost));
        assert!(server.machine.is_finished());
    }
}

/// The end was seen before the events were taken: what came before it still counts.
#[test]
fn a_close_frame_before_the_end_is_not_lost() {
    let mut server = Side::server();
    server.input.extend_from_slice(&frame(Role::Client, true, Opcode::Text, b"one"));
    server.input.extend_from_slice(&close_frame(Role::Client, 1000, ""));
    server.machine.handle_input(&mut server.input, server.now);
    server.machine.handle_end_of_input(server.now);
    let events = server.drain();
    assert_eq!(events[0], text("one"));
    assert!(matches!(&events[2], Event::Closed(closure) if closure.is_clean), "{events:?}");
    assert!(server.machine.is_finished());
    assert_eq!(server.sent(), b"\x88\x02\x03\xe8");

    // The last message takes the last byte: nobody calls with an empty input.
    let mut server = Side::server();
    server.input.extend_from_slice(&frame(Role::Client, true, Opcode::Text, b"one"));
    server.machine.handle_input(&mut server.input, server.now);
    server.machine.handle_end_of_input(server.now);
    assert_eq!(server.machine.poll_event(), Some(text("one")));
    assert!(matches!(server.machine.poll_event(), Some(Event::Closed(_))));
    assert!(server.machine.is_finished());
}

#[test]
fn nothing_is_sent_or_read_after_a_close() {
    let mut server = Side::server();
    server.give(&close_frame(Role::Client, 4000, ""));
    server.sent();
    assert_eq!(server.machine.send("late".into(), server.now), Err(SendError::Closed));
    assert_eq!(server.machine.ping(b"late"[..].into(), server.now), Err(SendError::Closed));
    assert_eq!(server.machine.close(Close::NORMAL, server.now), Err(SendError::Closed));
    assert_eq!(server.give(&frame(Role::Client, true, Opcode::Text, b"late")), []);
    assert_eq!(server.give(b"garbage\xff\xff\xff"), []);
    assert!(server.input.is_empty(), "what comes after the close is thrown away");
    assert_eq!(server.sent(), b"");
    assert!(server.machine.wants_input(), "the end has to be seen");
}

#[test]
fn close_frames_cross() {
    let mut server = Side::server();
    server.machine.close(Close::from(CloseCode::GOING_AWAY), server.now).unwrap();
    server.sent();
    let events = server.give(&close_frame(Role::Client, 1000, ""));
    assert!(matches!(&events[1], Event::Closed(closure) if closure.is_clean && closure.code() == CloseCode::NORMAL));
    assert_eq!(server.sent(), b"", "a second close frame may not follow");
}

#[test]
fn a_violation_after_our_close_sends_no_second_one() {
    let mut server = Side::server();
    server.machine.close(Close::NORMAL, server.now).unwrap();
    server.sent();
    assert_eq!(error_of(&server.give(b"\xff")), Some(ReceiveError::ReservedBitSet));
    assert_eq!(server.sent(), b"");
    assert_eq!(server.machine.state(), State::Failed);
}

#[test]
fn a_failed_peer_has_until_the_deadline_to_leave() {
    let mut server = Side::server();
    server.give(b"\xff");
    server.sent();
    assert_eq!(server.give(&vec![0; 100_000]), []);
    assert!(server.input.is_empty());
    server.pass(Duration::from_secs(10));
    assert!(server.machine.is_finished());
}

#[test]
fn an_answer_overtakes_what_waits() {
    let mut server = Side::server();
    for _ in 0..10 {
        server.machine.send(Message::from(vec![1; 100_000]), server.now).unwrap();
    }
    server.give(&close_frame(Role::Client, 1000, ""));
    let sent = server.sent_frames();
    assert_eq!(sent.last().unwrap().0.opcode, Opcode::Close);
    assert!(sent.len() < 10, "{} frames", sent.len());
}

#[test]
fn our_close_stands_behind_what_was_sent() {
    let mut server = Side::server();
    for _ in 0..5 {
        server.machine.send(Message::from(vec![1; 100_000]), server.now).unwrap();
    }
    server.machine.close(Close::NORMAL, server.now).unwrap();
    let sent = server.sent_frames();
    assert_eq!(sent.len(), 6);
    assert_eq!(sent[5].0.opcode, Opcode::Close);
}

#[test]
fn only_legal_close_frames_are_sent() {
    let mut server = Side::server();
    let now = server.now;
    for code in [CloseCode::NO_STATUS, CloseCode::ABNORMAL, CloseCode::TLS, CloseCode::new(999), CloseCode::new(5000)] {
        assert_eq!(server.machine.close(code.into(), now), Err(SendError::CodeInvalid));
    }
    let long = Close::new(CloseCode::NORMAL, "x".repeat(124));
    assert_eq!(server.machine.close(long, now), Err(SendError::ReasonTooLong));
    assert!(server.machine.is_open());
    server.machine.close(Close::new(CloseCode::NORMAL, "x".repeat(123)), now).unwrap();
    assert_eq!(server.sent().len(), 2 + 125);
}

#[test]
fn an_abort_ends_at_once() {
    let mut server = Side::new(Role::Server, Settings::default());
    server.machine.send("x".into(), server.now).unwrap();
    server.machine.abort(server.now);
    assert!(server.machine.is_finished());
    assert_eq!(server.sent(), b"");
    assert!(matches!(&server.drain()[..], [Event::Closed(closure)] if !closure.is_clean));
}

/// A peer that says goodbye, ends its side and takes nothing more: what is left to tell it has until the deadline.
#[test]
fn what_a_leaving_peer_does_not_take_is_dropped_in_time() {
    let mut server = Side::server();
    server.machine.send(Message::from(vec![1; 40_000]), server.now).unwrap();
    assert!(matches!(&server.give(&close_frame(Role::Client, 1000, ""))[..], [Event::Closing(_), Event::Closed(_)]));
    server.end();
    assert!(server.machine.is_finished() && server.machine.queued() > 40_000, "the answer is on its way");
    assert_eq!(server.machine.poll_timeout().unwrap().as_nanos(), 10_000_000_000);
    server.pass(Duration::from_secs(9));
    assert!(server.machine.queued() > 40_000);
    server.pass(Duration::from_secs(1));
    assert_eq!((server.machine.queued(), server.machine.poll_timeout()), (0, None));
    assert_eq!(server.sent(), b"");
}

/// The same where both closed at once and our messages still wait before our close frame.
#[test]
fn what_waits_before_our_close_frame_is_dropped_in_time() {
    for ends in [false, true] {
        let mut server = Side::server();
        for _ in 0..5 {
            server.machine.send(Message::from(vec![1; 100_000]), server.now).unwrap();
        }
        server.machine.close(Close::NORMAL, server.now).unwrap();
        server.give(&close_frame(Role::Client, 1000, ""));
        if ends {
            server.end();
        }
        assert!(server.machine.queued() >= 500_000, "what was sent before still counts");
        server.pass(Duration::from_secs(10));
        assert!(server.machine.is_finished());
        assert_eq!((server.machine.queued(), server.machine.poll_timeout()), (0, None));
        assert_eq!(server.sent(), b"");
    }
}

/// A peer that closes, ends its side and takes nothing would otherwise hold the connection for ever.
#[test]
fn the_last_answer_has_a_deadline_after_the_end_too() {
    for (role, from) in [(Role::Server, Role::Client), (Role::Client, Role::Server)] {
        let mut side = Side::new(role, Settings::default());
        side.give(&close_frame(from, 1000, ""));
        side.end();
        assert!(side.machine.is_finished() && side.machine.queued() > 0);
        let due = side.machine.poll_timeout().unwrap();
        assert_eq!(due - side.now, Duration::from_secs(10));
        side.pass(Duration::from_secs(9));
        assert!(side.machine.queued() > 0);
        side.pass(Duration::from_secs(1));
        assert_eq!((side.machine.queued(), side.machine.poll_timeout()), (0, None));
    }
    let mut server = Side::server();
    server.give(&close_frame(Role::Client, 1000, ""));
    server.end();
    server.machine.abort(server.now);
    assert_eq!((server.machine.queued(), server.machine.poll_timeout()), (0, None));
}

/// As `poll_event`, for a host who asks for messages first: what is none stays, and the end comes behind the last.
#[test]
fn messages_can_be_polled_before_other_events() {
    let mut server = Side::server();
    server.input.extend_from_slice(&frame(Role::Client, true, Opcode::Ping, b"?"));
    server.input.extend_from_slice(&frame(Role::Client, true, Opcode::Text, b"last"));
    server.machine.handle_input(&mut server.input, server.now);
    assert_eq!(server.machine.poll_message(), None);
    assert_eq!(server.machine.poll_event(), Some(Event::Ping(b"?"[..].into())));
    server.machine.handle_input(&mut server.input, server.now);
    server.machine.handle_end_of_input(server.now);
    assert_eq!(server.machine.poll_message(), Some(Message::from("last")));
    let end = server.machine.poll_event().unwrap();
    assert_eq!(error_of(&[end]), Some(ReceiveError::ConnectionLost));
    assert_eq!(server.machine.poll_message(), None);
}
