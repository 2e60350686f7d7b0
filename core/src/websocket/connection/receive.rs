//! Input: frames are taken from its front; a whole frame of a whole message is unmasked where it lies and cut out.

use bytes::{Buf, Bytes, BytesMut};

use crate::Instant;

use super::super::assembly::Assembly;
use super::super::close::{Happening, State};
use super::super::{Close, FrameHead, Message, Opcode, ReceiveError, Role, Text, apply_mask};
use super::{Connection, Event, Utf8};

/// Room that is made at most at a time for a frame whose head announced it, once `SHOWN` bytes of it have come.
const ROOM: u64 = 1024 * 1024;
/// Bytes by which a peer shows that it sends what it announced.
const SHOWN: u64 = 4 * 1024;
/// Room beyond that, so that the read of its end is a short one, which tells that nothing is left.
const SPARE: u64 = 16 * 1024;
/// Room that suffices for the next read.
const LEAST_ROOM: u64 = 64 * 1024;

/// Whether the loop goes on.
enum Progress {
    More,
    Wait,
}

impl Connection {
    /// Takes frames until one is reported or input runs out.
    pub(super) fn receive(&mut self, input: &mut BytesMut, now: Instant) {
        match self.receive_short(input) {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => self.happen(Happening::Violation, Some(error), None, now),
        }
        while self.event.is_none() {
            if !self.state.is_receiving() {
                // After both close frames, or a violation, nothing that comes has a meaning (§5.5.1, §7.1.7).
                input.clear();
                return;
            }
            let progress = match self.frame.take() {
                None => self.receive_frame(input, now),
                Some((head, done)) => self.receive_payload(head, done, input, now),
            };
            match progress {
                Ok(Progress::More) => {}
                Ok(Progress::Wait) => return,
                Err(error) => self.happen(Happening::Violation, Some(error), None, now),
            }
        }
    }

    /// The most usual frame, without the questions that others need: a message of up to 125 bytes that is all there.
    /// False, and nothing is taken, if it is of another kind or its head is wrong in any way.
    #[inline]
    fn receive_short(&mut self, input: &mut BytesMut) -> Result<bool, ReceiveError> {
        let [first @ (0x81 | 0x82), second, ..] = input[..] else { return Ok(false) };
        let length = usize::from(second & 0x7f);
        let is_masked = second & 0x80 != 0;
        let size = if is_masked { 6 } else { 2 };
        let is_between = self.event.is_none() && self.frame.is_none() && self.assembly.is_none();
        let is_expected = is_masked == (self.role == Role::Server) && is_between && self.state.is_receiving();
        let is_short = length < 126 && length <= self.settings.max_frame.min(self.settings.max_message);
        if !is_expected || !is_short || input.len() < size + length {
            return Ok(false);
        }
        let opcode = if first == 0x81 { Opcode::Text } else { Opcode::Binary };
        let mask = if is_masked { input[2..].first_chunk().copied() } else { None };
        self.receive_whole(opcode, mask, input.split_to(size + length), size)?;
        Ok(true)
    }

    /// A frame that is a message and is all there, behind a head of `size` bytes: unmasked where it lies.
    #[inline]
    fn receive_whole(
        &mut self,
        opcode: Opcode,
        mask: Option<[u8; 4]>,
        mut frame: BytesMut,
        size: usize,
    ) -> Result<(), ReceiveError> {
        frame.advance(size);
        if let Some(key) = mask {
            apply_mask(&mut frame, key, 0);
        }
        if opcode == Opcode::Text && str::from_utf8(&frame).is_err() {
            return Err(ReceiveError::TextInvalid);
        }
        self.deliver(opcode, frame.freeze());
        Ok(())
    }

    /// A head, and in the same go its payload if all of it is there.
    #[inline]
    fn receive_frame(&mut self, input: &mut BytesMut, now: Instant) -> Result<Progress, ReceiveError> {
        let (head, size) = match FrameHead::read(input) {
            Ok(Some(found)) => found,
            other => {
                self.check_cut(input)?;
                return other.map(|_| Progress::Wait);
            }
        };
        self.check_start(head.opcode, head.is_compressed, Some(head.mask.is_some()))?;
        self.check_size(&head)?;
        let is_whole_message = head.is_final && !head.is_compressed && self.assembly.is_none();
        let length = usize::try_from(head.length).map_err(|_| ReceiveError::FrameTooBig)?;
        if is_whole_message && !head.opcode.is_control() && input.len() - size >= length {
            self.receive_whole(head.opcode, head.mask, input.split_to(size + length), size)?;
            return Ok(Progress::More);
        }
        input.advance(size);
        self.begin(&head)?;
        self.receive_payload(head, 0, input, now)
    }

    /// What is wrong already with a head that is not whole, or wrong behind its second byte: an error must not depend
    /// on how the head is cut.
    #[cold]
    fn check_cut(&self, head: &[u8]) -> Result<(), ReceiveError> {
        let Some(first) = head.first() else { return Ok(()) };
        let opcode = FrameHead::opcode(*first)?;
        self.check_start(opcode, first & 0x40 != 0, head.get(1).map(|second| second & 0x80 != 0))
    }

    /// What the first two bytes of a head can get wrong in this place, in their order.
    #[inline]
    fn check_start(&self, opcode: Opcode, is_compressed: bool, is_masked: Option<bool>) -> Result<(), ReceiveError> {
        if is_compressed && !self.is_compressed {
            return Err(ReceiveError::ReservedBitSet);
        }
        match (opcode, self.assembly.is_some()) {
            (Opcode::Text | Opcode::Binary, true) => return Err(ReceiveError::ContinuationMissing),
            (Opcode::Continuation, false) => return Err(ReceiveError::ContinuationStray),
            _ => {}
        }
        match (self.role, is_masked) {
            (Role::Server, Some(false)) => Err(ReceiveError::MaskMissing),
            (Role::Client, Some(true)) => Err(ReceiveError::MaskForbidden),
            _ => Ok(()),
        }
    }

    /// Whether the payload that a head announces is within the limits.
    #[inline]
    fn check_size(&self, head: &FrameHead) -> Result<(), ReceiveError> {
        if head.opcode.is_control() {
            return Ok(());
        }
        if head.length > self.settings.max_frame as u64 {
            return Err(ReceiveError::FrameTooBig);
        }
        let is_alone = head.opcode != Opcode::Continuation && !head.is_compressed;
        if is_alone && head.length > self.settings.max_message as u64 {
            return Err(ReceiveError::MessageTooBig);
        }
        Ok(())
    }

    /// A data frame whose payload is not all there, or is a part of a message, begins.
    fn begin(&mut self, head: &FrameHead) -> Result<(), ReceiveError> {
        if head.opcode.is_control() {
            return Ok(());
        }
        self.utf8 = Utf8::default();
        if head.opcode != Opcode::Continuation && (head.is_compressed || !head.is_final) {
            let inflater = if head.is_compressed { self.inflater.take() } else { None };
            self.assembly = Some(Assembly::new(head.opcode == Opcode::Text, inflater).into());
        }
        match &mut self.assembly {
            None => Ok(()),
            Some(assembly) => assembly.begin_frame(head.length, &self.settings),
        }
    }

    /// More of the payload of a frame of which `done` bytes were looked at.
    fn receive_payload(
        &mut self,
        head: FrameHead,
        done: u64,
        input: &mut BytesMut,
        now: Instant,
    ) -> Result<Progress, ReceiveError> {
        if head.opcode.is_control() {
            return self.receive_control(head, input, now);
        }
        if self.assembly.is_some() {
            return self.receive_piece(head, done, input);
        }
        // The frame is the message: it stays in the input, unmasked and checked as it grows.
        let end = (input.len() as u64).min(head.length);
        let (from, to) = (to_index(done), to_index(end));
        // A caller that took bytes away meanwhile breaks its message, but meets no panic.
        let fresh = input.get_mut(from..to).unwrap_or_default();
        if let Some(key) = head.mask {
            apply_mask(fresh, key, from);
        }
        if head.opcode == Opcode::Text && self.utf8.push(fresh).is_err() {
            return Err(ReceiveError::TextInvalid);
        }
        if end < head.length {
            self.frame = Some((head, end));
            make_room(input, end, head.length - end);
            return Ok(Progress::Wait);
        }
        if head.opcode == Opcode::Text && self.utf8.finish().is_err() {
            return Err(ReceiveError::TextInvalid);
        }
        self.deliver(head.opcode, input.split_to(to).freeze());
        Ok(Progress::More)
    }

    /// A piece of a message in fragments or compressed: taken out of the input at once.
    fn receive_piece(&mut self, head: FrameHead, done: u64, input: &mut BytesMut) -> Result<Progress, ReceiveError> {
        let Some(assembly) = &mut self.assembly else { return Ok(Progress::More) };
        let count = to_index((head.length - done).min(input.len() as u64));
        let piece = &mut input[..count];
        if let Some(key) = head.mask {
            apply_mask(piece, key, to_index(done % 4));
        }
        assembly.push(piece, &self.settings)?;
        input.advance(count);
        let done = done + count as u64;
        if done < head.length {
            self.frame = Some((head, done));
            return Ok(Progress::Wait);
        }
        if head.is_final
            && let Some(assembly) = self.assembly.take()
        {
            let (message, inflater) = assembly.finish()?;
            self.inflater = inflater.or(self.inflater.take());
            self.event = Some(Event::Message(message));
        }
        Ok(Progress::More)
    }

    fn receive_control(
        &mut self,
        head: FrameHead,
        input: &mut BytesMut,
        now: Instant,
    ) -> Result<Progress, ReceiveError> {
        let length = to_index(head.length);
        if input.len() < length {
            self.frame = Some((head, 0));
            return Ok(Progress::Wait);
        }
        let mut payload = input.split_to(length);
        if let Some(key) = head.mask {
            apply_mask(&mut payload, key, 0);
        }
        // Copied: a few bytes must not keep a whole read buffer alive.
        let payload = Bytes::copy_from_slice(&payload);
        match head.opcode {
            Opcode::Ping => {
                if self.state == State::Open {
                    self.answer_ping(payload.clone(), now);
                }
                self.event = Some(Event::Ping(payload));
            }
            Opcode::Pong => self.event = Some(Event::Pong(payload)),
            _ => {
                let close = Close::read(&payload)?;
                self.happen(Happening::PeerClose, None, close, now);
            }
        }
        Ok(Progress::More)
    }

    /// A whole message out of one frame.
    #[inline]
    fn deliver(&mut self, opcode: Opcode, payload: Bytes) {
        self.event = Some(Event::Message(match opcode {
            Opcode::Text => Message::Text(Text::from_checked(payload)),
            _ => Message::Binary(payload),
        }));
    }
}

/// Room for what is known to come, so that few reads bring it; little of it, until the peer has shown that it comes.
fn make_room(input: &mut BytesMut, come: u64, left: u64) {
    let room = (input.capacity() - input.len()) as u64;
    if room < left.min(LEAST_ROOM) {
        let most = if come < SHOWN { LEAST_ROOM } else { ROOM };
        input.reserve(to_index(left.min(most) + SPARE));
    }
}

/// A length that was checked against a limit of type `usize`.
fn to_index(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
