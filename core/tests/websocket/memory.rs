//! What a hostile peer can make the machine hold, counted.

use allocation_counter::measure;
use callboard_core::Protocol;
use callboard_core::websocket::{Event, Message, Opcode, Role, Settings};

use super::side::{Side, frame};

#[test]
fn a_claimed_length_reserves_little() {
    let mut server =
        Side::new(Role::Server, Settings { max_frame: 1 << 30, max_message: 1 << 30, ..Settings::default() });
    let head = b"\x82\xff\x00\x00\x00\x00\x3f\xff\xff\xff\0\0\0\0";
    let counted = measure(|| {
        server.give(head);
        server.give(&[1; 100]);
    });
    assert!(counted.bytes_max <= 256 * 1024, "{counted:?}");
    let counted = measure(|| {
        server.give(&[1; 10_000]);
    });
    assert!(counted.bytes_max <= 3 * 1024 * 1024, "{counted:?}");
}

#[test]
fn tiny_fragments_hold_no_more_than_their_bytes() {
    let mut server = Side::server();
    server.give(&frame(Role::Client, false, Opcode::Binary, b""));
    let counted = measure(|| {
        for _ in 0..100_000 {
            server.give(&frame(Role::Client, false, Opcode::Continuation, b"x"));
        }
    });
    assert!(counted.bytes_max <= 1024 * 1024, "{counted:?}");
}

#[test]
fn a_small_message_allocates_nothing_once_warm() {
    let mut server = Side::server();
    let wire = frame(Role::Client, true, Opcode::Text, b"hello, this is a small message");
    let mut turn = |count: usize| {
        for _ in 0..count {
            server.input.reserve(4096);
            server.input.extend_from_slice(&wire);
            server.machine.handle_input(&mut server.input, server.now);
            let Some(Event::Message(message)) = server.machine.poll_event() else { panic!("no message") };
            server.machine.send(message, server.now).unwrap();
            let count = server.machine.outgoing().len();
            bytes::Buf::advance(server.machine.outgoing(), count);
        }
    };
    turn(300);
    let counted = measure(|| turn(1000));
    assert_eq!(counted.count_total, 0, "{counted:?}");
}

#[test]
fn a_refused_frame_frees_what_was_kept() {
    let mut server = Side::server();
    let payload = vec![0; 1_000_000];
    let counted = measure(|| {
        server.give(&frame(Role::Client, false, Opcode::Binary, &payload));
        server.give(b"\xff");
        server.sent();
        server.input = bytes::BytesMut::new();
    });
    assert!(counted.bytes_current <= 4 * 1024, "{counted:?}");
}

#[test]
fn an_idle_machine_is_small() {
    let counted = measure(|| {
        let mut server = Side::server();
        server.give(&frame(Role::Client, true, Opcode::Text, b"x"));
        server.machine.send(Message::from("y"), server.now).unwrap();
    });
    assert!(counted.bytes_max <= 1024, "{counted:?}");
    assert!(size_of::<callboard_core::websocket::Connection>() <= 640);
}

/// A frame that is under way gets room for what is known to come, up to a mebibyte at a time, so that few reads bring
/// it.
#[test]
fn room_is_made_for_the_rest_of_a_frame() {
    let rows = [(200_000_usize, 200_000), (3 << 20, 1 << 20)];
    for (length, least) in rows {
        let mut server = Side::server();
        server.input.reserve(60_000);
        let wire = frame(Role::Client, true, Opcode::Binary, &vec![1; length]);
        let held = 30_000;
        server.input.extend_from_slice(&wire[..held]);
        server.machine.handle_input(&mut server.input, server.now);
        let room = server.input.capacity() - server.input.len();
        let wanted = least.min(wire.len() - held);
        assert!((wanted..wanted + 30_000).contains(&room), "{room} for {wanted}");
    }
}

#[test]
fn a_message_in_one_frame_is_refused_by_its_head() {
    let settings = || Settings { max_message: 20, ..Settings::default() };
    let mut server = Side::new(Role::Server, settings());
    assert_eq!(server.give(&frame(Role::Client, true, Opcode::Binary, &[1; 20])).len(), 1);
    assert!(server.machine.is_open());
    server.give(&frame(Role::Client, true, Opcode::Binary, &[1; 21])[..6]);
    assert!(!server.machine.is_open(), "what is too big by its head is not waited for");
}
