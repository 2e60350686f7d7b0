//! One machine with its input and its clock, as a driver would hold it; and two of them wired together.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use callboard_core::websocket::{Agreement, Connection, Event, FrameHead, Message, Opcode, Role, Settings, apply_mask};
use callboard_core::{Instant, Protocol, Random};

/// A machine, what was read for it, and the time.
pub(crate) struct Side {
    pub(crate) machine: Connection,
    pub(crate) input: BytesMut,
    pub(crate) now: Instant,
}

impl Side {
    pub(crate) fn new(role: Role, settings: Settings) -> Self {
        Self::agreed(role, settings, &Agreement::default())
    }

    pub(crate) fn agreed(role: Role, settings: Settings, agreement: &Agreement) -> Self {
        let machine = Connection::new(role, Arc::new(settings), agreement, [11, 22], Instant::EPOCH);
        Self { machine, input: BytesMut::new(), now: Instant::EPOCH }
    }

    pub(crate) fn server() -> Self {
        Self::new(Role::Server, Settings::default())
    }

    pub(crate) fn client() -> Self {
        Self::new(Role::Client, Settings::default())
    }

    /// Gives bytes, and takes all events that follow.
    pub(crate) fn give(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.input.extend_from_slice(bytes);
        self.drain()
    }

    pub(crate) fn drain(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            self.machine.handle_input(&mut self.input, self.now);
            match self.machine.poll_event() {
                Some(event) => events.push(event),
                None => return events,
            }
        }
    }

    /// Ends the input, and takes all events that follow.
    pub(crate) fn end(&mut self) -> Vec<Event> {
        self.machine.handle_end_of_input(self.now);
        self.drain()
    }

    /// Lets time pass, and takes all events that follow.
    pub(crate) fn pass(&mut self, time: Duration) -> Vec<Event> {
        self.now = self.now + time;
        self.machine.handle_timeout(self.now);
        self.drain()
    }

    /// All that waits to be sent.
    pub(crate) fn sent(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.machine.outgoing().has_remaining() {
            let count = self.machine.outgoing().remaining();
            bytes.extend_from_slice(&self.machine.outgoing().copy_to_bytes(count));
        }
        bytes
    }

    /// The same as frames, unmasked.
    pub(crate) fn sent_frames(&mut self) -> Vec<(FrameHead, Vec<u8>)> {
        frames(&self.sent())
    }
}

/// Frames one after the other, unmasked; all whole.
pub(crate) fn frames(mut bytes: &[u8]) -> Vec<(FrameHead, Vec<u8>)> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (head, size) = FrameHead::read(bytes).expect("a frame").expect("a whole head");
        let end = size + usize::try_from(head.length).unwrap();
        let mut payload = bytes[size..end].to_vec();
        if let Some(key) = head.mask {
            apply_mask(&mut payload, key, 0);
        }
        bytes = &bytes[end..];
        frames.push((head, payload));
    }
    frames
}

/// A frame on the wire; masked if from a client.
pub(crate) fn frame(from: Role, is_final: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mask = (from == Role::Client).then_some([0x37, 0xfa, 0x21, 0x3d]);
    wire(FrameHead { is_final, is_compressed: false, opcode, mask, length: payload.len() as u64 }, payload)
}

/// A head with its payload, masked as the head says.
pub(crate) fn wire(head: FrameHead, payload: &[u8]) -> Vec<u8> {
    let mut buffer = [0; 14];
    let size = head.write(&mut buffer);
    let mut payload = payload.to_vec();
    if let Some(key) = head.mask {
        apply_mask(&mut payload, key, 0);
    }
    [&buffer[..size], &payload].concat()
}

pub(crate) fn text(text: &str) -> Event {
    Event::Message(Message::from(text))
}

pub(crate) fn binary(bytes: &[u8]) -> Event {
    Event::Message(Message::from(bytes.to_vec()))
}

/// The error of the last event, which must be the end.
pub(crate) fn error_of(events: &[Event]) -> Option<callboard_core::websocket::ReceiveError> {
    match events.last() {
        Some(Event::Closed(closure)) => closure.error,
        other => panic!("not closed, but {other:?}"),
    }
}

/// A length or place below `bound`.
pub(crate) fn below(random: &mut Random, bound: u64) -> usize {
    usize::try_from(random.below(bound)).unwrap()
}
