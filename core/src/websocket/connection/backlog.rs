//! What waits behind the queue, while anything does: control frames pass messages, and our close frame comes last.

use alloc::collections::VecDeque;

use bytes::Bytes;

use super::super::Opcode;

/// What a message that waits costs beside its payload.
const WAITING_COST: usize = 64;

/// Messages and control frames that found no room in the queue.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// Messages, or the rest of one.
    messages: VecDeque<Frame>,
    /// Bytes of their payloads.
    bytes: usize,
    /// Control frames of our user.
    controls: VecDeque<(Opcode, Bytes)>,
    /// The newest ping that is not answered yet: older ones need no answer (RFC 6455 §5.5.3).
    pong: Option<Bytes>,
    /// Our close frame, behind everything.
    close: Option<Bytes>,
}

/// A frame to be written.
#[derive(Debug)]
pub(super) struct Frame {
    /// `Continuation` for what is left of a message when its first fragment is written.
    pub(super) opcode: Opcode,
    pub(super) is_final: bool,
    pub(super) is_compressed: bool,
    pub(super) payload: Bytes,
}

impl Frame {
    pub(super) fn control(opcode: Opcode, payload: Bytes) -> Self {
        Self { opcode, is_final: true, is_compressed: false, payload }
    }
}

impl Backlog {
    pub(super) fn push_message(&mut self, frame: Frame) {
        self.bytes += frame.payload.len();
        self.messages.push_back(frame);
    }

    pub(super) fn push_control(&mut self, opcode: Opcode, payload: Bytes) {
        self.controls.push_back((opcode, payload));
    }

    pub(super) fn set_pong(&mut self, payload: Bytes) {
        self.pong = Some(payload);
    }

    pub(super) fn set_close(&mut self, payload: Bytes) {
        self.close = Some(payload);
    }

    /// Control frames of our user that wait.
    pub(super) fn controls(&self) -> usize {
        self.controls.len()
    }

    /// Bytes of the messages that wait.
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// What the messages that wait take of the room for them.
    #[inline]
    pub(super) fn cost(&self) -> usize {
        self.bytes + self.messages.len() * WAITING_COST
    }

    /// The next frame: of a message at most `fragment` bytes.
    pub(super) fn next(&mut self, fragment: usize) -> Option<Frame> {
        if let Some(payload) = self.pong.take() {
            return Some(Frame::control(Opcode::Pong, payload));
        }
        if let Some((opcode, payload)) = self.controls.pop_front() {
            return Some(Frame::control(opcode, payload));
        }
        if let Some(frame) = self.next_fragment(fragment.max(1)) {
            self.bytes -= frame.payload.len();
            return Some(frame);
        }
        self.close.take().map(|payload| Frame::control(Opcode::Close, payload))
    }

    fn next_fragment(&mut self, fragment: usize) -> Option<Frame> {
        let front = self.messages.front_mut()?;
        if front.payload.len() <= fragment {
            return self.messages.pop_front();
        }
        let payload = front.payload.split_to(fragment);
        let first = Frame { opcode: front.opcode, is_final: false, is_compressed: front.is_compressed, payload };
        front.opcode = Opcode::Continuation;
        front.is_compressed = false;
        Some(first)
    }
}
