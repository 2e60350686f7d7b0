//! Beside tungstenite: what one writes the other reads, with messages of all sizes both ways, and the same verdict on
//! damaged input.

use std::io::{self, Read, Write};

use callboard_core::Random;
use callboard_core::websocket::{Event, Role};
use tungstenite::protocol::{Role as PeerRole, WebSocketConfig};
use tungstenite::{Message as PeerMessage, WebSocket as Peer};

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
