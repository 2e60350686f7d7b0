//! permessage-deflate: negotiation (RFC 7692 §5, §7.1), the examples of §7.2.3, windows, and bombs.

use std::io::Write;

use callboard_core::websocket::handshake::{ClientHandshake, HandshakeError, ServerHandshake};
use callboard_core::websocket::{
    Agreement, Compression, Event, FrameHead, Message, Opcode, ReceiveError, Role, Settings,
};
use callboard_core::{Headers, Method, Random, Status, Version};

use super::side::{Side, below, binary, error_of, frames, text, wire};

pub(crate) fn compressing(mut compression: Compression) -> Settings {
    compression.threshold = 0;
    Settings { compression: Some(compression), ..Settings::default() }
}

/// The server's answer to an offer, if it takes it, and the agreement.
pub(crate) fn answer(offer: &str, settings: &Settings) -> (Option<String>, Agreement) {
    let mut request = ClientHandshake::new([1, 2], &[], &Settings::default()).headers().clone();
    request.append("Sec-WebSocket-Extensions", offer).unwrap();
    let server = ServerHandshake::read(&Method::Get, Version::Http11, &request).unwrap();
    let (headers, agreement) = server.accept(None, settings);
    (headers.text("Sec-WebSocket-Extensions").map(str::to_owned), agreement)
}

#[test]
fn a_server_takes_the_first_offer_that_it_can_meet() {
    let full = compressing(Compression::default());
    let cases = [
        ("permessage-deflate", Some("permessage-deflate")),
        ("Permessage-Deflate", Some("permessage-deflate")),
        ("permessage-deflate; client_max_window_bits", Some("permessage-deflate")),
        ("permessage-deflate; client_max_window_bits=10", Some("permessage-deflate; client_max_window_bits=10")),
        ("permessage-deflate; server_max_window_bits=10", Some("permessage-deflate; server_max_window_bits=10")),
        ("permessage-deflate; server_max_window_bits=\"10\"", Some("permessage-deflate; server_max_window_bits=10")),
        ("permessage-deflate; server_max_window_bits=8", Some("permessage-deflate; server_max_window_bits=8")),
        ("permessage-deflate; server_no_context_takeover", Some("permessage-deflate; server_no_context_takeover")),
        ("permessage-deflate; client_no_context_takeover", Some("permessage-deflate; client_no_context_takeover")),
        ("x-other, permessage-deflate", Some("permessage-deflate")),
        (
            "permessage-deflate; server_max_window_bits=16, permessage-deflate; server_max_window_bits=9",
            Some("permessage-deflate; server_max_window_bits=9"),
        ),
        ("permessage-deflate; server_max_window_bits", None),
        ("permessage-deflate; server_max_window_bits=7", None),
        ("permessage-deflate; server_max_window_bits=010", None),
        ("permessage-deflate; server_max_window_bits=+9", None),
        ("permessage-deflate; client_max_window_bits=0", None),
        ("permessage-deflate; server_no_context_takeover=1", None),
        ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", None),
        ("permessage-deflate; unknown", None),
        ("x-webkit-deflate-frame", None),
    ];
    for (offer, expected) in cases {
        let (answered, agreement) = answer(offer, &full);
        assert_eq!(answered.as_deref(), expected, "{offer}");
        assert_eq!(agreement.is_compressed(), expected.is_some(), "{offer}");
        assert_eq!(answer(offer, &Settings::default()).0, None, "not wanted");
    }
    let modest = Compression {
        our_window: 10,
        peer_window: 11,
        our_takeover: false,
        peer_takeover: false,
        ..Compression::default()
    };
    let (answered, _) = answer("permessage-deflate; client_max_window_bits", &compressing(modest));
    let expected = "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
                    server_max_window_bits=10; client_max_window_bits=11";
    assert_eq!(answered.as_deref(), Some(expected));
}

#[test]
fn a_client_refuses_an_answer_to_another_offer() {
    let settings = compressing(Compression { peer_window: 12, peer_takeover: false, ..Compression::default() });
    let client = ClientHandshake::new([1, 2], &[], &settings);
    let offer = client.headers().text("Sec-WebSocket-Extensions").unwrap();
    let expected = "permessage-deflate; server_no_context_takeover; server_max_window_bits=12; client_max_window_bits";
    assert_eq!(offer, expected);
    let server = ServerHandshake::read(&Method::Get, Version::Http11, client.headers()).unwrap();
    let check = |extensions: &str| {
        let (mut headers, _): (Headers, _) = server.accept(None, &Settings::default());
        headers.set("Sec-WebSocket-Extensions", extensions).unwrap();
        client.check(Status::SWITCHING_PROTOCOLS, &headers)
    };
    let good = "permessage-deflate; server_no_context_takeover; server_max_window_bits=12";
    assert!(check(good).unwrap().is_compressed());
    assert!(check(&format!("{good}; client_max_window_bits=9")).unwrap().is_compressed());
    for bad in [
        "permessage-deflate",
        "permessage-deflate; server_no_context_takeover; server_max_window_bits=13",
        "permessage-deflate; server_max_window_bits=12",
        &format!("{good}; client_max_window_bits"),
        &format!("{good}; unknown"),
        &format!("{good}, permessage-deflate"),
        "x-other",
    ] {
        assert_eq!(check(bad), Err(HandshakeError::ExtensionUnasked), "{bad}");
    }
}

/// Both sides with what the real handshake between them agreed on.
pub(crate) fn pair(client: Compression, server: Compression) -> (Side, Side) {
    let (client, server) = (compressing(client), compressing(server));
    let asks = ClientHandshake::new([1, 2], &[], &client);
    let (headers, theirs) =
        ServerHandshake::read(&Method::Get, Version::Http11, asks.headers()).unwrap().accept(None, &server);
    let ours = asks.check(Status::SWITCHING_PROTOCOLS, &headers).unwrap();
    assert!(ours.is_compressed() && theirs.is_compressed());
    (Side::agreed(Role::Client, client, &ours), Side::agreed(Role::Server, server, &theirs))
}

pub(crate) fn agreed() -> Side {
    let settings = compressing(Compression::default());
    let (_, agreement) = answer("permessage-deflate", &settings);
    Side::agreed(Role::Server, settings, &agreement)
}

pub(crate) fn compressed(payload: &[u8], is_final: bool) -> Vec<u8> {
    let head = FrameHead {
        is_final,
        is_compressed: true,
        opcode: Opcode::Text,
        mask: Some([1, 2, 3, 4]),
        length: payload.len() as u64,
    };
    wire(head, payload)
}

/// RFC 7692 §7.2.3.1 to §7.2.3.5.
#[test]
fn examples_of_the_rfc_are_read() {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    let mut server = agreed();
    assert_eq!(server.give(&compressed(hello, true)), [text("Hello")]);
    // Sharing the window with the message before.
    assert_eq!(server.give(&compressed(b"\xf2\x00\x11\x00\x00", true)), [text("Hello")]);
    // In two fragments.
    let rest = wire(
        FrameHead {
            is_final: true,
            is_compressed: false,
            opcode: Opcode::Continuation,
            mask: Some([5, 6, 7, 8]),
            length: 4,
        },
        b"\xc9\xc9\x07\x00",
    );
    let mut server = agreed();
    assert_eq!(server.give(&[compressed(b"\xf2\x48\xcd", false), rest].concat()), [text("Hello")]);
    // A stored block, a last block, and two blocks.
    assert_eq!(agreed().give(&compressed(b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", true)), [text("Hello")]);
    let mut server = agreed();
    assert_eq!(server.give(&compressed(b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", true)), [text("Hello")]);
    assert_eq!(server.give(&compressed(hello, true)), [text("Hello")], "after a last block");
    let two = b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00";
    assert_eq!(agreed().give(&compressed(two, true)), [text("Hello")]);
    // Empty (§7.2.3.6), and not compressed at all.
    assert_eq!(agreed().give(&compressed(b"\x00", true)), [text("")]);
    assert_eq!(agreed().give(b"\x81\x82\0\0\0\0ok"), [text("ok")]);
}

#[test]
fn all_windows_and_takeovers_carry_messages_both_ways() {
    for window in 9..=15 {
        for takeover in [false, true] {
            let asks = Compression {
                our_window: window,
                peer_window: 24 - window,
                our_takeover: takeover,
                ..Compression::default()
            };
            let (mut client, mut server) =
                pair(asks, Compression { peer_takeover: !takeover, ..Compression::default() });
            let mut random = Random::from_seed(u64::from(window));
            for round in 0..30 {
                let message = sample(&mut random, round);
                client.machine.send(message.clone(), client.now).unwrap();
                assert_eq!(server.give(&client.sent()), [Event::Message(message.clone())]);
                server.machine.send(message.clone(), server.now).unwrap();
                assert_eq!(client.give(&server.sent()), [Event::Message(message)]);
            }
        }
    }
}

fn sample(random: &mut Random, round: u32) -> Message {
    let bits = random.below(17);
    let length = below(random, 1 << bits);
    match round % 3 {
        0 => Message::from("na\u{ef}ve words, again and again; ".repeat(length / 32)),
        1 => Message::from(vec![0; length]),
        _ => {
            let mut noise = vec![0; length];
            random.fill(&mut noise);
            Message::from(noise)
        }
    }
}

#[test]
fn a_kept_window_makes_the_second_message_smaller() {
    let long = (0..500).map(|index| format!("{index} bottles; ")).collect::<Vec<_>>().concat();
    let sizes = |takeover: bool| {
        let (mut client, _) =
            pair(Compression { our_takeover: takeover, ..Compression::default() }, Compression::default());
        [(); 2].map(|()| {
            client.machine.send((&*long).into(), client.now).unwrap();
            client.sent().len()
        })
    };
    let [first, second] = sizes(true);
    assert!(second < first / 5, "{first} then {second}");
    let [first, second] = sizes(false);
    assert_eq!(first, second);
}

#[test]
fn small_messages_leave_as_they_are() {
    let (mut client, _) = pair(Compression::default(), Compression::default());
    let settings = Settings { compression: Some(Compression::default()), ..Settings::default() };
    let (_, agreement) = answer("permessage-deflate", &settings);
    let mut server = Side::agreed(Role::Server, settings, &agreement);
    server.machine.send("short".into(), server.now).unwrap();
    server.machine.send("x".repeat(64).into(), server.now).unwrap();
    let sent = frames(&server.sent());
    assert_eq!((sent[0].0.is_compressed, sent[1].0.is_compressed), (false, true));
    client.machine.send("short".into(), client.now).unwrap();
    assert!(frames(&client.sent())[0].0.is_compressed, "a threshold of 0");
}

fn bomb(length: usize) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b'0'; length]).unwrap();
    encoder.flush().unwrap();
    let mut bytes = encoder.get_ref().clone();
    assert!(bytes.ends_with(&[0, 0, 0xff, 0xff]));
    bytes.truncate(bytes.len() - 4);
    bytes
}

#[test]
fn bombs_are_refused_before_they_grow() {
    let refused = |max_message: usize, ratio: u32, length: usize| {
        let settings = Settings {
            max_message,
            ..compressing(Compression { ratio, ratio_grace: 10_000, ..Compression::default() })
        };
        let (_, agreement) = answer("permessage-deflate", &settings);
        let mut server = Side::agreed(Role::Server, settings, &agreement);
        let payload = compressed(&bomb(length), true);
        let mut error = None;
        let counted = allocation_counter::measure(|| error = server.give(&payload).last().cloned());
        let error = error.map(|event| error_of(&[event]));
        (error, counted.bytes_max)
    };
    let (error, most) = refused(100_000, 10_000, 50_000_000);
    assert_eq!(error, Some(Some(ReceiveError::MessageTooBig)));
    assert!(most < 600_000, "{most} bytes");
    let (error, most) = refused(100_000_000, 100, 50_000_000);
    assert_eq!(error, Some(Some(ReceiveError::RatioTooHigh)));
    assert!(most < 600_000, "{most} bytes");
}

#[test]
fn the_limit_is_on_what_comes_out() {
    for (length, is_fine) in [(100_000, true), (100_001, false)] {
        let settings = Settings { max_message: 100_000, ..compressing(Compression::default()) };
        let (_, agreement) = answer("permessage-deflate", &settings);
        let mut server = Side::agreed(Role::Server, settings, &agreement);
        let events = server.give(&compressed(&bomb(length), true));
        assert_eq!(matches!(&events[..], [Event::Message(message)] if message.len() == length), is_fine);
    }
    // What does not shrink is longer on the wire than it is.
    let stored = [&b"\x00\xc8\x00\x37\xff"[..], &[7; 200], b"\x00"].concat();
    let settings = Settings { max_message: 200, ..compressing(Compression::default()) };
    let (_, agreement) = answer("permessage-deflate", &settings);
    let mut server = Side::agreed(Role::Server, settings, &agreement);
    assert_eq!(server.give(&compressed(&stored, true)), [text(&"\x07".repeat(200))]);
}

#[test]
fn what_does_not_decode_is_refused() {
    // A reserved block type, a stored block whose lengths disagree, and a copy from before the beginning.
    for bad in [&b"\xff\xff\xff"[..], b"\x06", b"\x00\x05\x00\x00\x00Hello", b"\xf2\x00\x11\x00\x00"] {
        let events = agreed().give(&compressed(bad, true));
        assert_eq!(error_of(&events), Some(ReceiveError::CompressionInvalid), "{bad:x?}");
    }
    // RSV1 on a continuation, and on a control frame.
    let mut server = agreed();
    server.give(&compressed(b"\xf2", false));
    assert_eq!(error_of(&server.give(b"\xc0\x80\0\0\0\0")), Some(ReceiveError::ReservedBitSet));
    assert_eq!(error_of(&agreed().give(b"\xc9\x80\0\0\0\0")), Some(ReceiveError::ReservedBitSet));
    // Text that is not UTF-8 once it is out.
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(b"ok \xff").unwrap();
    encoder.flush().unwrap();
    let bytes = encoder.get_ref().clone();
    let events = agreed().give(&compressed(&bytes[..bytes.len() - 4], true));
    assert_eq!(error_of(&events), Some(ReceiveError::TextInvalid));
}

#[test]
fn large_compressed_messages_are_cut_into_fragments() {
    let settings = Settings { fragment: 1000, ..compressing(Compression::default()) };
    let (_, agreement) = answer("permessage-deflate", &settings);
    let mut server = Side::agreed(Role::Server, settings, &agreement);
    let mut noise = vec![0; 20_000];
    Random::from_seed(1).fill(&mut noise);
    server.machine.send(Message::from(noise.clone()), server.now).unwrap();
    let wire = server.sent();
    let sent = frames(&wire);
    assert!(sent.len() > 10 && sent[0].0.is_compressed && !sent[1].0.is_compressed);
    let asks = ClientHandshake::new([1, 2], &[], &compressing(Compression::default()));
    let accepted = ServerHandshake::read(&Method::Get, Version::Http11, asks.headers()).unwrap();
    let (headers, _) = accepted.accept(None, &compressing(Compression::default()));
    let agreement = asks.check(Status::SWITCHING_PROTOCOLS, &headers).unwrap();
    let mut client = Side::agreed(Role::Client, compressing(Compression::default()), &agreement);
    assert_eq!(client.give(&wire), [binary(&noise)]);
}
