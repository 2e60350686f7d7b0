//! The queue: fragments, what overtakes what, and where it is full.

use bytes::{Buf, Bytes};
use callboard_core::Protocol;
use callboard_core::websocket::{Event, Message, Opcode, Role, SendError, Settings};

use super::side::{Side, binary, frame, frames, text};

#[test]
fn a_large_message_leaves_in_fragments_that_a_pong_passes() {
    let settings = Settings { fragment: 50_000, ..Settings::default() };
    let mut server = Side::new(Role::Server, settings);
    let large: Vec<u8> = (0..=u8::MAX).cycle().take(400_000).collect();
    server.machine.send(Message::from(large.clone()), server.now).unwrap();
    server.machine.send("after".into(), server.now).unwrap();
    server.give(&frame(Role::Client, true, Opcode::Ping, b"now"));
    server.machine.ping(b"ours"[..].into(), server.now).unwrap();
    let sent = server.sent_frames();
    let opcodes: Vec<_> = sent.iter().map(|(head, _)| head.opcode).collect();
    let pong = opcodes.iter().position(|opcode| *opcode == Opcode::Pong).unwrap();
    assert!(pong <= 2, "the pong is frame {pong} of {}", opcodes.len());
    assert_eq!(opcodes[pong + 1], Opcode::Ping);
    let data: Vec<_> = sent.iter().filter(|(head, _)| !head.opcode.is_control()).collect();
    assert_eq!(data.len(), 9);
    assert_eq!(data[0].0.opcode, Opcode::Binary);
    assert!(data[1..8].iter().all(|(head, _)| head.opcode == Opcode::Continuation));
    assert!(data[..7].iter().all(|(head, _)| !head.is_final) && data[7].0.is_final);
    assert_eq!(data[..8].iter().flat_map(|(_, payload)| payload.clone()).collect::<Vec<_>>(), large);
    assert_eq!(data[8].1, b"after");
}

#[test]
fn the_queue_is_bounded_and_drains() {
    let mut server = Side::new(Role::Server, Settings { send_buffer: 1000, ..Settings::default() });
    let now = server.now;
    let message = || Message::from(vec![1; 600]);
    server.machine.send(message(), now).unwrap();
    assert!(server.machine.can_send());
    server.machine.send(message(), now).unwrap();
    assert!(!server.machine.can_send());
    assert_eq!(server.machine.send(message(), now), Err(SendError::QueueFull));
    server.machine.outgoing().advance(300);
    assert!(server.machine.can_send());
    server.machine.send(message(), now).unwrap();
    let queued = server.machine.queued();
    assert_eq!(server.sent().len(), queued);
    assert_eq!(server.machine.queued(), 0);
}

#[test]
fn control_frames_of_the_user_are_checked_and_bounded() {
    let mut server = Side::server();
    let now = server.now;
    assert_eq!(server.machine.ping(Bytes::from(vec![0; 126]), now), Err(SendError::ControlTooLong));
    assert_eq!(server.machine.pong(Bytes::from(vec![0; 126]), now), Err(SendError::ControlTooLong));
    server.machine.pong(Bytes::from(vec![0; 125]), now).unwrap();
    assert_eq!(server.sent().len(), 127);
    server.machine.send(Message::from(vec![0; 200_000]), now).unwrap();
    let refused = (0..1000).find(|_| server.machine.ping(Bytes::new(), now) == Err(SendError::QueueFull));
    assert_eq!(refused, Some(16));
}

#[test]
fn large_blocks_are_not_copied_by_a_server() {
    let mut server = Side::server();
    let block = Bytes::from(vec![3; 100_000]);
    server.machine.send(Message::from(block.clone()), server.now).unwrap();
    server.machine.outgoing().advance(10);
    assert_eq!(server.machine.outgoing().chunk().as_ptr(), block.as_ptr());
}

#[test]
fn a_client_masks_without_touching_what_others_hold() {
    let mut client = Side::client();
    let shared = Bytes::from(vec![3; 100_000]);
    client.machine.send(Message::from(shared.clone()), client.now).unwrap();
    assert!(shared.iter().all(|byte| *byte == 3));
    let mut server = Side::server();
    assert_eq!(server.give(&client.sent()), [binary(&shared)]);
}

#[test]
fn the_order_of_messages_is_kept_through_every_size() {
    let settings = || Settings { fragment: 1000, send_buffer: 1 << 30, ..Settings::default() };
    let mut client = Side::new(Role::Client, settings());
    let mut server = Side::new(Role::Server, settings());
    let sizes = [0, 1, 999, 1000, 1001, 70_000, 5, 200_000, 0, 64 * 1024, 3];
    for (index, size) in (0_u8..).zip(sizes) {
        client.machine.send(Message::from(vec![index; size]), client.now).unwrap();
    }
    client.machine.send("end".into(), client.now).unwrap();
    let mut expected: Vec<Event> = (0_u8..).zip(sizes).map(|(index, size)| binary(&vec![index; size])).collect();
    expected.push(text("end"));
    let wire = client.sent();
    assert!(frames(&wire).iter().all(|(head, _)| head.length <= 1000));
    assert_eq!(server.give(&wire), expected);
}

#[test]
fn an_event_that_is_not_taken_stops_reading() {
    let mut server = Side::server();
    for _ in 0..3 {
        server.input.extend_from_slice(&frame(Role::Client, true, Opcode::Text, b"x"));
    }
    server.machine.handle_input(&mut server.input, server.now);
    assert!(!server.machine.wants_input());
    assert_eq!(server.input.len(), 14, "two frames wait in the caller's buffer");
    assert_eq!(server.drain().len(), 3);
    assert!(server.machine.wants_input());
}

/// What a message costs beside its payload counts: a peer that has many small ones echoed, or empty ones, and takes
/// none cannot make the queue grow beyond what was set.
#[test]
fn many_small_messages_are_bounded_as_well() {
    for (length, most) in [(0, 20_000), (1, 20_000), (10, 20_000)] {
        let mut server = Side::new(Role::Server, Settings::default());
        let mut count = 0;
        let message = Message::from(vec![7; length]);
        let counted = allocation_counter::measure(|| {
            while server.machine.can_send() && count < 1_000_000 {
                server.machine.send(message.clone(), server.now).unwrap();
                count += 1;
            }
        });
        assert!(count - 64 * 1024 / (2 + length) <= most, "{count} messages of {length}");
        assert!(counted.bytes_max <= 3 * 1024 * 1024, "{} bytes for {count} messages", counted.bytes_max);
        assert_eq!(server.sent_frames().len(), count);
        assert!(server.machine.can_send());
    }
}

#[test]
fn a_queue_that_was_long_gives_its_memory_back() {
    let counted = allocation_counter::measure(|| {
        let mut server = Side::server();
        let before = allocation_counter::measure(|| {
            while server.machine.can_send() {
                server.machine.send(Message::from(Bytes::new()), server.now).unwrap();
            }
            server.sent();
        });
        assert!(before.bytes_current <= 64 * 1024, "{} bytes", before.bytes_current);
    });
    assert!(counted.bytes_max > 0);
}

/// 65,536 bytes on their way, no more and no less, are what everything else waits behind.
#[test]
fn what_waits_stands_behind_a_window() {
    const WINDOW: usize = 64 * 1024;
    let full = || {
        let mut server = Side::server();
        server.machine.send(Message::from(vec![1; WINDOW - 4]), server.now).unwrap();
        assert_eq!(server.machine.outgoing().remaining(), WINDOW, "its head is of 4 bytes");
        server
    };
    let mut server = full();
    server.machine.ping(b"p"[..].into(), server.now).unwrap();
    assert_eq!(server.machine.outgoing().remaining(), WINDOW);
    let sent = server.sent_frames();
    assert_eq!(sent.len(), 2, "a control frame that waits alone is sent when there is room");

    let mut server = full();
    server.give(&frame(Role::Client, true, Opcode::Ping, b"p"));
    server.machine.send("m".into(), server.now).unwrap();
    server.machine.close(callboard_core::websocket::Close::NORMAL, server.now).unwrap();
    assert_eq!(server.machine.outgoing().remaining(), WINDOW);
    let opcodes: Vec<_> = server.sent_frames().iter().map(|(head, _)| head.opcode).collect();
    assert_eq!(opcodes, [Opcode::Binary, Opcode::Pong, Opcode::Text, Opcode::Close]);
    assert_eq!(server.machine.queued(), 0);

    // Below it nothing waits.
    let mut server = Side::server();
    for _ in 0..100 {
        server.machine.send(Message::from(vec![1; 1_000]), server.now).unwrap();
    }
    let under_way = server.machine.outgoing().remaining();
    assert!((WINDOW..WINDOW + 1_004).contains(&under_way), "{under_way} bytes");
    assert_eq!(server.machine.queued(), 100 * 1_000 + 4 * under_way.div_ceil(1_004));

    // Each message taken makes room for one that waits, and counts no more.
    for left in (0..100).rev() {
        server.machine.outgoing().advance(1_004);
        let heads = server.machine.outgoing().remaining().div_ceil(1_004);
        assert_eq!(server.machine.queued(), left * 1_000 + 4 * heads);
    }
}

#[test]
fn control_frames_keep_their_order_where_there_is_room() {
    let mut server = Side::server();
    server.machine.ping(b"p"[..].into(), server.now).unwrap();
    server.machine.send("one".into(), server.now).unwrap();
    server.give(&frame(Role::Client, true, Opcode::Ping, b"q"));
    server.machine.send("two".into(), server.now).unwrap();
    let opcodes: Vec<_> = server.sent_frames().iter().map(|(head, _)| head.opcode).collect();
    assert_eq!(opcodes, [Opcode::Ping, Opcode::Text, Opcode::Pong, Opcode::Text]);
}
