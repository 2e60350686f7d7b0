//! What comes out of compressed messages: the same at any cut, refused where it ends in the middle, bounded in size, in
//! ratio and in the memory that is kept.

use std::io::Write;

use allocation_counter::measure;
use callboard_core::Random;
use callboard_core::websocket::{Compression, Event, Message, Opcode, ReceiveError, Role, Settings};

use super::deflate::{agreed, answer, compressed, compressing, pair};
use super::side::{Side, below, error_of, frame, text};

/// Raw deflate of all parts, each in blocks of its own; the last block of a part is marked as such or flushed.
fn deflated(part: &[u8], is_last_block: bool) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(part).unwrap();
    if is_last_block {
        return encoder.finish().unwrap();
    }
    encoder.flush().unwrap();
    encoder.get_ref().clone()
}

/// A payload that is mostly legal, and now and then a bomb, cut off, damaged, or no UTF-8.
fn payload(random: &mut Random) -> Vec<u8> {
    let mut payload = Vec::new();
    for _ in 0..=random.below(3) {
        let length = 1 << random.below(15);
        let part: Vec<u8> = match random.below(6) {
            0 => vec![b'0'; length],
            1 => b"words, words, and words; ".iter().copied().cycle().take(length).collect(),
            2 => [&vec![b'a'; length][..], b"\xff", &vec![b'b'; length][..]].concat(),
            3 => "\u{20ac}".bytes().cycle().take(length).collect(),
            _ => (0..length).map(|_| b'a' + u8::try_from(random.below(26)).unwrap()).collect(),
        };
        payload.extend(deflated(&part, random.below(3) == 0));
    }
    match random.below(4) {
        0 => {
            let place = below(random, payload.len() as u64);
            payload[place] ^= 1 << random.below(8);
        }
        1 => payload.truncate(below(random, payload.len() as u64)),
        _ if payload.ends_with(&[0, 0, 0xff, 0xff]) => payload.truncate(payload.len() - 4),
        _ => payload.push(0),
    }
    payload
}

fn strict() -> Settings {
    let compression = Compression { ratio: 20, ratio_grace: 3_000, ..Compression::default() };
    Settings { max_message: 12_000, ..compressing(compression) }
}

fn run(wire: &[u8], mut piece: impl FnMut() -> usize) -> Vec<Event> {
    let settings = strict();
    let (_, agreement) = answer("permessage-deflate", &settings);
    let mut server = Side::agreed(Role::Server, settings, &agreement);
    let (mut events, mut rest) = (Vec::new(), wire);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(piece().clamp(1, rest.len()));
        events.extend(server.give(now));
        rest = later;
    }
    events
}

#[test]
fn any_cut_of_what_is_compressed_gives_the_same_events() {
    let mut errors = Vec::new();
    for seed in 0..300 {
        let mut random = Random::from_seed(seed);
        let mut wire = compressed(&payload(&mut random), true);
        wire.extend(compressed(&payload(&mut random), true));
        let whole = run(&wire, || usize::MAX);
        assert_eq!(run(&wire, || 1), whole, "seed {seed}");
        assert_eq!(run(&wire, || below(&mut random, 200)), whole, "seed {seed}");
        if let Some(Event::Closed(closure)) = whole.last() {
            errors.extend(closure.error);
        }
    }
    // Each way to go wrong was among them.
    for error in [
        ReceiveError::TextInvalid,
        ReceiveError::MessageTooBig,
        ReceiveError::RatioTooHigh,
        ReceiveError::CompressionInvalid,
    ] {
        assert!(errors.contains(&error), "{error:?}");
    }
}

/// A stream that ends inside of a message, and another after it, are one message all the same.
#[test]
fn the_ratio_is_that_of_the_whole_message() {
    let settings = Settings {
        max_message: 100_000_000,
        ..compressing(Compression { ratio: 50, ratio_grace: 100_000, ..Compression::default() })
    };
    let part = deflated(&vec![b'0'; 90_000], true);
    let (_, agreement) = answer("permessage-deflate", &settings);
    let mut server = Side::agreed(Role::Server, settings, &agreement);
    let events = server.give(&compressed(&part.repeat(100), true));
    assert_eq!(error_of(&events), Some(ReceiveError::RatioTooHigh));
}

/// What the next message says must not depend on what the one before left open.
#[test]
fn a_message_that_ends_inside_a_block_is_refused() {
    let whole = deflated(b"some words that are compressed", false);
    let whole = &whole[..whole.len() - 4];
    let stored = b"\x00\x05\x00\xfa\xffHello\x00";
    for payload in [whole, stored] {
        for cut in 2..payload.len() - 1 {
            let events = agreed().give(&compressed(&payload[..cut], true));
            assert_eq!(error_of(&events), Some(ReceiveError::CompressionInvalid), "{cut} of {payload:x?}");
        }
    }
}

/// RFC 7692 §7.2.3.5 asks for one more byte behind a last block, and §7.2.3.6 for one in an empty message. Without it
/// there is no doubt what was meant.
#[test]
fn a_last_block_and_nothing_may_stand_alone() {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    for lone in [&b"\xf3\x48\xcd\xc9\xc9\x07\x00"[..], b""] {
        let expected = if lone.is_empty() { "" } else { "Hello" };
        let mut server = agreed();
        for _ in 0..2 {
            assert_eq!(server.give(&compressed(lone, true)), [text(expected)]);
            assert_eq!(server.give(&compressed(hello, true)), [text("Hello")]);
        }
    }
    // In fragments, of which some are empty.
    let mut server = agreed();
    let wire = [compressed(b"", false), frame(Role::Client, true, Opcode::Continuation, b"")].concat();
    assert_eq!(server.give(&wire), [text("")]);
    assert_eq!(server.give(&compressed(hello, true)), [text("Hello")]);
}

/// What is kept between messages, on each side, is what was agreed to be kept.
#[test]
fn only_kept_windows_keep_memory() {
    let kept = |takeover: bool| {
        let compression = || Compression { our_takeover: takeover, peer_takeover: takeover, ..Compression::default() };
        let mut sides = None;
        let before = measure(|| sides = Some(pair(compression(), compression()))).bytes_current;
        let message = Message::from("words, words, and words; ".repeat(1000));
        let after = measure(|| {
            let Some((client, server)) = &mut sides else { return };
            for _ in 0..3 {
                client.machine.send(message.clone(), client.now).unwrap();
                let wire = client.sent();
                assert_eq!(server.give(&wire).len(), 1);
                server.input = bytes::BytesMut::new();
                server.machine.send(message.clone(), server.now).unwrap();
                let wire = server.sent();
                assert_eq!(client.give(&wire).len(), 1);
                client.input = bytes::BytesMut::new();
            }
        });
        (before, after.bytes_current)
    };
    // What the settings say, and what two sides keep beside it.
    let (most, rest) = (2 * (384 + 52) * 1024, 4 * 1024);
    let (agreed, used) = kept(true);
    assert!(agreed <= rest, "two sides that have said nothing keep {agreed} bytes");
    assert!(used <= most + rest, "two sides that have talked keep {used} bytes");
    let (agreed, used) = kept(false);
    assert!(agreed <= rest && used <= rest, "{agreed} and {used} bytes");
}
