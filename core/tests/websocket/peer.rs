//! Beside tungstenite: what one writes the other reads, with messages of all sizes both ways, and the same verdict on
//! damaged input.

use std::io::{self, Read, Write};

use callboard_core::Random;
use callboard_core::websocket::{Event, Message, ReceiveError, Role};
use tungstenite::protocol::{Role as PeerRole, WebSocketConfig};
use tungstenite::{Error as PeerError, Message as PeerMessage, WebSocket as Peer};

use super::side::{Side, below};

/// A stream in memory: what the peer reads, and what it wrote.
#[derive(Default)]
struct Pipe {
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = target.len().min(self.input.len());
        target[..count].copy_from_slice(&self.input[..count]);
        self.input.drain(..count);
        Ok(count)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn peer(role: PeerRole) -> Peer<Pipe> {
    Peer::from_raw_socket(Pipe::default(), role, Some(WebSocketConfig::default()))
}

#[test]
fn messages_cross_both_ways() {
    for (ours, theirs) in [(Role::Server, PeerRole::Client), (Role::Client, PeerRole::Server)] {
        let mut side = Side::new(ours, callboard_core::websocket::Settings::default());
        let mut peer = peer(theirs);
        let mut random = Random::from_seed(5);
        for round in 0..300_u32 {
            let bits = random.below(18);
            let length = below(&mut random, 1 << bits);
            if round % 2 == 0 {
                let text = "\u{20ac}uro ".repeat(length / 8);
                peer.write(PeerMessage::text(&*text)).unwrap();
                side.machine.send((&*text).into(), side.now).unwrap();
            } else {
                let bytes = vec![round.to_le_bytes()[0]; length];
                peer.write(PeerMessage::binary(bytes.clone())).unwrap();
                side.machine.send(bytes.into(), side.now).unwrap();
            }
            peer.flush().unwrap();
            let wire = std::mem::take(&mut peer.get_mut().output);
            let events = side.give(&wire);
            peer.get_mut().input.extend(side.sent());
            let read = peer.read().unwrap();
            let [Event::Message(message)] = &events[..] else { panic!("{events:?}") };
            assert_eq!(message.as_bytes()[..], read.into_data()[..], "round {round}");
        }
    }
}

#[test]
fn the_closing_handshake_is_understood() {
    let mut side = Side::server();
    let mut peer = peer(PeerRole::Client);
    peer.close(None).unwrap();
    let wire = std::mem::take(&mut peer.get_mut().output);
    assert!(matches!(&side.give(&wire)[..], [Event::Closing(None), Event::Closed(closure)] if closure.is_clean));
    peer.get_mut().input.extend(side.sent());
    assert!(matches!(peer.read(), Ok(PeerMessage::Close(None))));
}

/// What a side hears: messages and control frames, then how it ended.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    frames: Vec<(char, Vec<u8>)>,
    has_failed: bool,
}

/// What tungstenite hears of bytes, and of their end.
fn theirs(role: PeerRole, wire: &[u8]) -> (Heard, String) {
    let mut peer = peer(role);
    peer.get_mut().input.extend_from_slice(wire);
    let mut heard = Heard::default();
    loop {
        let message = match peer.read() {
            Ok(message) => message,
            Err(PeerError::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return (heard, String::new()),
            // What comes behind a close frame is an error to it, and nothing to us.
            Err(_) if heard.frames.last().is_some_and(|(kind, _)| *kind == 'c') => return (heard, String::new()),
            Err(error) => {
                heard.has_failed = true;
                return (heard, error.to_string());
            }
        };
        let kind = match &message {
            PeerMessage::Text(_) => 't',
            PeerMessage::Binary(_) => 'b',
            PeerMessage::Ping(_) => 'p',
            PeerMessage::Pong(_) => 'q',
            PeerMessage::Close(close) => {
                let code = close.as_ref().map_or(1005, |close| close.code.into());
                heard.frames.push(('c', code.to_be_bytes().to_vec()));
                continue;
            }
            PeerMessage::Frame(_) => panic!("a frame is not read"),
        };
        heard.frames.push((kind, message.into_data().to_vec()));
    }
}

/// What we hear of them.
fn ours(role: Role, wire: &[u8]) -> (Heard, Option<ReceiveError>) {
    let mut side = Side::new(role, callboard_core::websocket::Settings::default());
    let (mut heard, mut error) = (Heard::default(), None);
    for event in side.give(wire) {
        heard.frames.push(match event {
            Event::Message(Message::Text(text)) => ('t', text.as_bytes().to_vec()),
            Event::Message(Message::Binary(bytes)) => ('b', bytes.to_vec()),
            Event::Ping(payload) => ('p', payload.to_vec()),
            Event::Pong(payload) => ('q', payload.to_vec()),
            Event::Closing(close) => ('c', close.map_or(1005, |close| close.code.code()).to_be_bytes().to_vec()),
            Event::Closed(closure) => {
                (error, heard.has_failed) = (closure.error, closure.error.is_some());
                continue;
            }
        });
    }
    (heard, error)
}

/// Frames of a peer, right and nearly right: all opcodes, masks where none belongs, lengths in longer forms, reserved
/// bits, fragments out of order, text that is not UTF-8, and a bit flipped somewhere.
fn frames(from: Role, random: &mut Random) -> Vec<u8> {
    let mut wire = Vec::new();
    let mut is_open = false;
    for _ in 0..=random.below(6) {
        let is_odd = random.below(12) == 0;
        let opcode = match random.below(8) {
            _ if is_odd => below(random, 16),
            0 => 9,
            1 => 10,
            2 if random.below(3) == 0 => 8,
            _ if is_open => 0,
            count => 1 + usize::from(count > 4),
        };
        let payload = match random.below(6) {
            _ if opcode == 8 => [&b""[..], b"\x03\xe8", b"\x03\xe9bye", b"\x0f\xa0"][below(random, 4)].to_vec(),
            0 if opcode < 8 => "\u{20ac}".repeat(below(random, 60)).into_bytes(),
            1 if is_odd => b"\xe2\x82".to_vec(),
            2 if opcode < 8 => vec![b'x'; [125, 126, 127, 300, 300, 70_000][below(random, 6)]],
            _ => vec![b'a'; below(random, 8)],
        };
        let is_final = opcode >= 8 || random.below(3) > 0;
        if opcode < 8 {
            is_open = !is_final;
        }
        let reserved = if random.below(40) == 0 { 0x10 << random.below(3) } else { 0 };
        let mask = ((from == Role::Client) != (random.below(40) == 0)).then_some([9, 8, 7, 6]);
        wire.push(u8::from(is_final) << 7 | reserved | u8::try_from(opcode).unwrap());
        let (bit, length) = (u8::from(mask.is_some()) << 7, payload.len());
        match length {
            0..126 => wire.push(bit | u8::try_from(length).unwrap()),
            126..65_536 => {
                wire.push(bit + 126);
                wire.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
            }
            _ => {
                wire.push(bit + 127);
                wire.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        wire.extend_from_slice(&mask.unwrap_or_default()[..mask.map_or(0, |mask| mask.len())]);
        let mask = mask.unwrap_or_default();
        wire.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    }
    if random.below(6) == 0 {
        let place = below(random, wire.len() as u64);
        wire[place] ^= 1 << random.below(8);
    }
    wire
}

#[test]
fn frames_are_judged_as_tungstenite_judges_them() {
    let (mut accepted, mut refused, mut early) = (0, 0, 0);
    for (role, other, from) in
        [(Role::Server, PeerRole::Server, Role::Client), (Role::Client, PeerRole::Client, Role::Server)]
    {
        for seed in 0..3_000 {
            let wire = frames(from, &mut Random::from_seed(seed));
            let ((ours, error), (mut theirs, reason)) = (ours(role, &wire), theirs(other, &wire));
            // It looks at the reason first, and reports a code that may not be sent as a close with 1002.
            if error == Some(ReceiveError::CloseCodeInvalid) && !theirs.has_failed {
                assert_eq!(theirs.frames.pop(), Some(('c', b"\x03\xea".to_vec())), "seed {seed}");
                theirs.has_failed = true;
            }
            // A frame that is not all there is judged by its head here, and waited for there.
            let is_early = ours.has_failed && !theirs.has_failed && ours.frames == theirs.frames;
            let same = ours == theirs || is_early;
            assert!(same, "seed {seed}: {}\n{error:?} {ours:?}\n{reason} {theirs:?}", wire.escape_ascii());
            match (is_early, ours.has_failed) {
                (true, _) => early += 1,
                (false, true) => refused += 1,
                (false, false) => accepted += 1,
            }
        }
    }
    let counts = format!("{accepted} accepted, {refused} refused, {early} refused early");
    assert!(accepted > 2_000 && refused > 1_000 && early < 300, "{counts}");
}
