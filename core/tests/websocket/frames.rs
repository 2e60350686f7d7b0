//! Frames and messages: the RFC's examples, what is refused and with what code, limits.

use callboard_core::Protocol;
use callboard_core::websocket::ReceiveError as E;
use callboard_core::websocket::{CloseCode, Event, FrameHead, Opcode, Role, Settings, State, apply_mask};

use super::side::{Side, binary, error_of, frame, frames, text, wire};

/// RFC 6455 §5.7: "Hello" unmasked and masked, in fragments, a ping and its pong, 256 bytes and 64 KiB.
#[test]
fn examples_of_the_rfc_are_read() {
    assert_eq!(Side::client().give(b"\x81\x05Hello"), [text("Hello")]);
    assert_eq!(Side::server().give(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), [text("Hello")]);
    assert_eq!(Side::client().give(b"\x01\x03Hel\x80\x02lo"), [text("Hello")]);
    assert_eq!(Side::client().give(b"\x89\x05Hello"), [Event::Ping(b"Hello"[..].into())]);
    let mut server = Side::server();
    let pong = server.give(b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    assert_eq!(pong, [Event::Pong(b"Hello"[..].into())]);
    assert_eq!(Side::client().give(&[b"\x82\x7e\x01\x00", &[7; 256][..]].concat()), [binary(&[7; 256])]);
    let payload = vec![9; 65536];
    let long = [b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", &payload[..]].concat();
    assert_eq!(Side::client().give(&long), [binary(&payload)]);
}

/// What is wrong is found at the byte that shows it, whole or byte by byte, and told by the code that the RFC asks for.
#[test]
fn violations_are_refused_with_their_code() {
    let text_start = b"\x01\x80\0\0\0\0";
    let cases: &[(&[u8], E)] = &[
        (b"\xc1", E::ReservedBitSet),
        (b"\xa1", E::ReservedBitSet),
        (b"\x91", E::ReservedBitSet),
        (b"\xc9", E::ReservedBitSet),
        (b"\x83", E::OpcodeUnknown),
        (b"\x87", E::OpcodeUnknown),
        (b"\x8b", E::OpcodeUnknown),
        (b"\x8f", E::OpcodeUnknown),
        (b"\x81\x05", E::MaskMissing),
        (b"\x81\x7e", E::MaskMissing),
        (b"\x81\x7f", E::MaskMissing),
        (b"\x81\xfe\x00\x7d", E::LengthInvalid),
        (b"\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff", E::LengthInvalid),
        (b"\x81\xff\x80\x00\x00\x00\x00\x01\x00\x00", E::LengthInvalid),
        (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff", E::LengthInvalid),
        (b"\x09", E::ControlFragmented),
        (b"\x08", E::ControlFragmented),
        (b"\x0a", E::ControlFragmented),
        (b"\x89\xfe", E::ControlTooLong),
        (b"\x88\xff", E::ControlTooLong),
        (b"\x80", E::ContinuationStray),
        (b"\x00", E::ContinuationStray),
        (&[&text_start[..], b"\x81"].concat(), E::ContinuationMissing),
        (&[&text_start[..], b"\x02"].concat(), E::ContinuationMissing),
        (&[&text_start[..], b"\xc0"].concat(), E::ReservedBitSet),
        (b"\x81\x81\0\0\0\0\xff", E::TextInvalid),
        (b"\x81\x81\0\0\0\0\xc3", E::TextInvalid),
        (b"\x88\x81\0\0\0\0\x03", E::CloseCut),
        (b"\x88\x82\0\0\0\0\x03\xed", E::CloseCodeInvalid),
        (b"\x88\x83\0\0\0\0\x03\xe8\xff", E::CloseReasonInvalid),
        (b"\x82\xff\x00\x00\x00\x00\x00\x40\x00\x01\0\0\0\0", E::FrameTooBig),
        (b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", E::FrameTooBig),
        // Of two errors the one that shows first, in one piece as well.
        (b"\x81\x7e\x00\x7d", E::MaskMissing),
        (b"\x80\x05", E::ContinuationStray),
        (b"\xc1\x05", E::ReservedBitSet),
        (b"\x89\x7e", E::MaskMissing),
    ];
    for (input, error) in cases {
        let mut whole = Side::server();
        assert_eq!(error_of(&whole.give(input)), Some(*error), "{input:x?}");
        let mut cut = Side::server();
        let events: Vec<_> = input.iter().flat_map(|byte| cut.give(&[*byte])).collect();
        assert_eq!(error_of(&events), Some(*error), "{input:x?} byte by byte");
        let (last, before) = input.split_last().unwrap();
        let is_of_two = matches!(input, [0x80 | 0xc1, 5] | [0x81, 0x7e, ..]);
        let mut early = Side::server();
        assert!(early.give(before).is_empty() || is_of_two, "{input:x?} is refused before {last:x}");
        for side in [&mut whole, &mut cut] {
            let sent = side.sent_frames();
            let code = u16::from_be_bytes(sent[0].1[..2].try_into().unwrap());
            assert_eq!(
                (sent.len(), sent[0].0.opcode, code),
                (1, Opcode::Close, error.close_code().code()),
                "{error:?}"
            );
            assert_eq!(side.machine.state(), State::Failed);
            assert!(side.machine.wants_half_close() && !side.machine.is_finished());
        }
    }
}

#[test]
fn a_client_refuses_masks() {
    for masked in [&b"\x81\x80\0\0\0\0"[..], b"\x81\x80", b"\x81\xfe", b"\x89\xff"] {
        assert_eq!(error_of(&Side::client().give(masked)), Some(E::MaskForbidden), "{masked:x?}");
    }
}

/// A text that cannot become UTF-8 is refused before its frame, or message, is complete.
#[test]
fn invalid_text_is_refused_at_once() {
    let announced = wire_head(Opcode::Text, true, 100);
    let mut server = Side::server();
    assert_eq!(server.give(&announced), []);
    assert_eq!(server.give(&masked(b"ok \xf4", 0)), []);
    assert_eq!(error_of(&server.give(&masked(b"\x90", 4))), Some(E::TextInvalid));

    let mut server = Side::server();
    server.give(&frame(Role::Client, false, Opcode::Text, b"\xce\xba\xe1"));
    assert_eq!(error_of(&server.give(&frame(Role::Client, false, Opcode::Continuation, b"z"))), Some(E::TextInvalid));
}

#[test]
fn characters_may_be_cut_by_fragments() {
    let word = "\u{1f600}\u{e9}\u{20ac}";
    for first in 0..word.len() {
        for second in first..word.len() {
            let mut server = Side::server();
            let bytes = word.as_bytes();
            server.give(&frame(Role::Client, false, Opcode::Text, &bytes[..first]));
            server.give(&frame(Role::Client, false, Opcode::Continuation, &bytes[first..second]));
            let events = server.give(&frame(Role::Client, true, Opcode::Continuation, &bytes[second..]));
            assert_eq!(events, [text(word)]);
        }
    }
}

#[test]
fn control_frames_stand_between_fragments() {
    let mut server = Side::server();
    let mut wire = frame(Role::Client, false, Opcode::Binary, b"ab");
    wire.extend(frame(Role::Client, true, Opcode::Ping, b"?"));
    wire.extend(frame(Role::Client, false, Opcode::Continuation, b""));
    wire.extend(frame(Role::Client, true, Opcode::Pong, b"!"));
    wire.extend(frame(Role::Client, true, Opcode::Continuation, b"cd"));
    let expected = [Event::Ping(b"?"[..].into()), Event::Pong(b"!"[..].into()), binary(b"abcd")];
    assert_eq!(server.give(&wire), expected);
    assert_eq!(server.sent(), b"\x8a\x01?");
}

#[test]
fn a_message_is_bounded_however_it_is_cut() {
    let settings = || Settings { max_message: 10, max_frame: 8, max_fragments: 3, ..Settings::default() };
    let cases: [(&[usize], Option<E>); 7] = [
        (&[8], None),
        (&[9], Some(E::FrameTooBig)),
        (&[5, 5], None),
        (&[5, 6], Some(E::MessageTooBig)),
        (&[0, 8, 2], None),
        (&[0, 0, 0, 0], Some(E::TooManyFragments)),
        (&[8, 1, 2], Some(E::MessageTooBig)),
    ];
    for (lengths, error) in cases {
        let mut server = Side::new(Role::Server, settings());
        let mut events = Vec::new();
        for (index, length) in lengths.iter().enumerate() {
            let opcode = if index == 0 { Opcode::Binary } else { Opcode::Continuation };
            let is_last = index + 1 == lengths.len();
            // Only the head of the last: it is refused before a byte of its payload is there.
            let bytes = frame(Role::Client, is_last, opcode, &vec![1; *length]);
            let count = if is_last && error.is_some() { bytes.len() - length } else { bytes.len() };
            events = server.give(&bytes[..count]);
        }
        match error {
            None => assert_eq!(events, [binary(&vec![1; lengths.iter().sum()])], "{lengths:?}"),
            Some(error) => assert_eq!(error_of(&events), Some(error), "{lengths:?}"),
        }
    }
}

/// Where the frame is there as a whole, too, with a length of each form.
#[test]
fn a_message_in_one_frame_is_bounded_as_any_other() {
    for limit in [10, 125, 126, 200, 70_000] {
        let large = 100_000;
        for (max_message, max_frame, error) in [(limit, large, E::MessageTooBig), (large, limit, E::FrameTooBig)] {
            let mut server = Side::new(Role::Server, Settings { max_message, max_frame, ..Settings::default() });
            let events = server.give(&frame(Role::Client, true, Opcode::Binary, &vec![1; limit]));
            assert_eq!(events, [binary(&vec![1; limit])]);
            let events = server.give(&frame(Role::Client, true, Opcode::Binary, &vec![1; limit + 1]));
            assert_eq!(error_of(&events), Some(error));
        }
    }
}

#[test]
fn close_codes_are_legal_or_refused() {
    for code in 0..=u16::MAX {
        let is_legal = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
        let code_of = CloseCode::new(code);
        assert_eq!(code_of.may_be_sent(), is_legal, "{code}");
        if code % 97 == 0 || (990..1020).contains(&code) || (2990..3010).contains(&code) || (4990..5010).contains(&code)
        {
            let mut server = Side::server();
            let events = server.give(&frame(Role::Client, true, Opcode::Close, &code.to_be_bytes()));
            let error = (!is_legal).then_some(E::CloseCodeInvalid);
            assert_eq!(error_of(&events), error, "{code}");
        }
    }
}

#[test]
fn heads_survive_writing_and_reading() {
    for length in [0, 1, 125, 126, 127, 65535, 65536, 1 << 40, (1 << 63) - 1] {
        for mask in [None, Some([1, 2, 3, 4])] {
            for (opcode, is_final) in [(Opcode::Text, false), (Opcode::Binary, true), (Opcode::Continuation, false)] {
                let head = FrameHead { is_final, is_compressed: opcode == Opcode::Text, opcode, mask, length };
                let mut buffer = [0; 14];
                let size = head.write(&mut buffer);
                assert_eq!(FrameHead::read(&buffer[..size]), Ok(Some((head, size))));
                for cut in 0..size {
                    assert_eq!(FrameHead::read(&buffer[..cut]), Ok(None), "{head:?} at {cut}");
                }
            }
        }
    }
}

#[test]
fn masking_is_the_same_at_any_offset() {
    let plain: Vec<u8> = (0..100).collect();
    let key = [0xa1, 0x52, 0xc3, 0x14];
    let slow: Vec<u8> = plain.iter().enumerate().map(|(index, byte)| byte ^ key[index % 4]).collect();
    for from in 0..20 {
        for to in from..plain.len() {
            let mut part = plain[from..to].to_vec();
            apply_mask(&mut part, key, from);
            assert_eq!(part, slow[from..to], "{from}..{to}");
        }
    }
}

#[test]
fn a_whole_frame_is_cut_from_the_input_without_a_copy() {
    let mut server = Side::server();
    server.input.extend_from_slice(&frame(Role::Client, true, Opcode::Binary, &[5; 1000]));
    let place = server.input.as_ptr();
    let events = server.drain();
    let Event::Message(message) = &events[0] else { panic!("{events:?}") };
    assert_eq!(message.as_bytes().as_ptr() as usize - place as usize, 8);
}

/// What has come of a payload stays at the front of the input, and may look like a frame of its own.
#[test]
fn a_payload_that_looks_like_frames_is_none() {
    for (ours, theirs, mask) in [(Role::Server, Role::Client, Some([0; 4])), (Role::Client, Role::Server, None)] {
        let payload = frame(theirs, true, Opcode::Binary, b"inner").repeat(8);
        for opcode in [Opcode::Binary, Opcode::Ping] {
            let head = FrameHead { is_final: true, is_compressed: false, opcode, mask, length: payload.len() as u64 };
            let bytes = wire(head, &payload);
            let start = bytes.len() - payload.len();
            for cut in start..bytes.len() {
                let mut side = Side::new(ours, Settings::default());
                assert_eq!(side.give(&bytes[..cut]), [], "{cut}");
                assert_eq!(side.give(b""), [], "{cut}");
                let expected = match opcode {
                    Opcode::Ping => Event::Ping(payload.clone().into()),
                    _ => binary(&payload),
                };
                assert_eq!(side.give(&bytes[cut..]), [expected], "{cut}");
            }
        }
    }
}

/// A head whose payload is still to come, as a client masks it with zeros.
fn wire_head(opcode: Opcode, is_final: bool, length: u64) -> Vec<u8> {
    wire(FrameHead { is_final, is_compressed: false, opcode, mask: Some([9, 8, 7, 6]), length }, b"")
}

fn masked(bytes: &[u8], offset: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    apply_mask(&mut bytes, [9, 8, 7, 6], offset);
    bytes
}

#[test]
fn what_a_client_sends_is_masked_afresh_each_time() {
    let mut client = Side::client();
    for _ in 0..50 {
        client.machine.send("same".into(), client.now).unwrap();
    }
    let sent = frames(&client.sent());
    let mut keys: Vec<_> = sent.iter().map(|(head, _)| head.mask.expect("masked")).collect();
    assert!(sent.iter().all(|(_, payload)| payload == b"same"));
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 50);
}
