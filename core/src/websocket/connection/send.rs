//! Commands, and the queue: messages wait behind a small window of bytes on their way, so that control frames pass
//! them; a large message is cut into fragments for the same reason (RFC 6455 §5.4).

use bytes::{Bytes, BytesMut};

use crate::Instant;

use super::super::close::{Action, Happening};
use super::super::{CONTROL_LIMIT, Close, FrameHead, HEAD_LIMIT, Message, Opcode, SendError, apply_mask};
use super::Connection;
use super::backlog::{Backlog, Frame};

/// Bytes in the queue behind which messages wait: what a control frame may have in front of it, but for one fragment.
const WINDOW: usize = 64 * 1024;
/// Control frames of our user that wait.
const CONTROLS: usize = 16;
/// Payloads up to this length are masked in the queue's own memory; larger ones keep their block.
const COPY_LIMIT: usize = 4 * 1024;

impl Connection {
    /// Queues a message.
    ///
    /// # Errors
    /// `Closed` once a close frame was sent or received; `QueueFull` if [`can_send`](Self::can_send) is false.
    #[inline]
    pub fn send(&mut self, message: Message, now: Instant) -> Result<(), SendError> {
        if !self.is_open() {
            return Err(SendError::Closed);
        }
        if !self.can_send() {
            return Err(SendError::QueueFull);
        }
        let (opcode, payload) = match message {
            Message::Text(text) => (Opcode::Text, text.into_bytes()),
            Message::Binary(bytes) => (Opcode::Binary, bytes),
        };
        let compressed = self.deflater.as_mut().and_then(|deflater| deflater.compress(&payload));
        let is_compressed = compressed.is_some();
        let payload = compressed.unwrap_or(payload);
        self.watch.note(&self.queue, now);
        let fits = payload.len() <= self.settings.fragment && self.queue.len() < WINDOW;
        let frame = Frame { opcode, is_final: true, is_compressed, payload };
        if fits && self.backlog.is_none() {
            self.put_frame(frame);
        } else {
            self.backlog_mut().push_message(frame);
            self.fill_window();
        }
        Ok(())
    }

    /// Sends a ping with up to 125 bytes; it passes waiting messages.
    pub fn ping(&mut self, payload: Bytes, now: Instant) -> Result<(), SendError> {
        self.send_control(Opcode::Ping, payload, now)
    }

    /// Sends a pong that answers nothing: a one-way heartbeat (RFC 6455 §5.5.3).
    pub fn pong(&mut self, payload: Bytes, now: Instant) -> Result<(), SendError> {
        self.send_control(Opcode::Pong, payload, now)
    }

    /// Queues a close frame behind what was sent before. The peer has [`Settings::close_timeout`] to answer.
    ///
    /// [`Settings::close_timeout`]: super::super::Settings::close_timeout
    pub fn close(&mut self, close: Close, now: Instant) -> Result<(), SendError> {
        close.check()?;
        let (state, action) = self.state.step(Happening::Close);
        if action != Action::SendClose {
            return Err(SendError::Closed);
        }
        self.state = state;
        self.watch.note(&self.queue, now);
        self.backlog_mut().set_close(close.write());
        self.ours = Some(close.into());
        self.close_deadline = Some(now + self.settings.close_timeout);
        self.fill_window();
        Ok(())
    }

    /// Ends at once: the peer sees a cut.
    pub fn abort(&mut self, now: Instant) {
        self.happen(Happening::Abort, None, None, now);
    }

    /// Whether there is room for another message.
    #[inline]
    pub fn can_send(&self) -> bool {
        let cost = self.backlog.as_ref().map_or(0, |backlog| backlog.cost());
        self.queue.len() + cost <= self.settings.send_buffer
    }

    /// Bytes that wait to be sent: frames in the queue, and payloads of messages behind it.
    #[inline]
    pub fn queued(&self) -> usize {
        self.queue.len() + self.backlog.as_ref().map_or(0, |backlog| backlog.bytes())
    }

    fn send_control(&mut self, opcode: Opcode, payload: Bytes, now: Instant) -> Result<(), SendError> {
        match () {
            () if !self.is_open() => return Err(SendError::Closed),
            () if payload.len() > CONTROL_LIMIT => return Err(SendError::ControlTooLong),
            () if self.backlog.as_ref().is_some_and(|backlog| backlog.controls() >= CONTROLS) => {
                return Err(SendError::QueueFull);
            }
            () => {}
        }
        self.put_control(opcode, payload, now);
        Ok(())
    }

    pub(super) fn put_control(&mut self, opcode: Opcode, payload: Bytes, now: Instant) {
        self.watch.note(&self.queue, now);
        if self.queue.len() < WINDOW {
            self.put_frame(Frame::control(opcode, payload));
        } else {
            self.backlog_mut().push_control(opcode, payload);
        }
    }

    /// Answers a ping; of those that cannot be answered at once only the newest is.
    pub(super) fn answer_ping(&mut self, payload: Bytes, now: Instant) {
        self.watch.note(&self.queue, now);
        if self.queue.len() < WINDOW {
            self.put_frame(Frame::control(Opcode::Pong, payload));
        } else {
            self.backlog_mut().set_pong(payload);
        }
    }

    /// Sends a close frame behind what is on its way, and nothing after it.
    pub(super) fn put_close_now(&mut self, close: Option<&Close>, now: Instant) {
        self.backlog = None;
        self.watch.note(&self.queue, now);
        let payload = close.map(Close::write).unwrap_or_default();
        self.put_frame(Frame::control(Opcode::Close, payload));
    }

    fn backlog_mut(&mut self) -> &mut Backlog {
        self.backlog.get_or_insert_default()
    }

    /// Fills the window, if anything waits before it.
    #[inline]
    pub(super) fn top_up(&mut self) {
        if self.backlog.is_some() {
            self.fill_window();
        }
    }

    #[cold]
    fn fill_window(&mut self) {
        let Some(mut backlog) = self.backlog.take() else { return };
        while self.queue.len() < WINDOW {
            let Some(frame) = backlog.next(self.settings.fragment) else { return };
            self.put_frame(frame);
        }
        self.backlog = Some(backlog);
    }

    #[inline]
    fn put_frame(&mut self, frame: Frame) {
        let Frame { opcode, is_final, is_compressed, payload } = frame;
        let mask = self.keys.as_mut().map(|keys| keys.next_key());
        let head = FrameHead { is_final, is_compressed, opcode, mask, length: payload.len() as u64 };
        let mut buffer = [0; HEAD_LIMIT];
        let size = head.write(&mut buffer);
        self.queue.put_slice(&buffer[..size]);
        match mask {
            None => self.queue.put_bytes(payload),
            Some(key) if payload.len() <= COPY_LIMIT => {
                self.queue.put_changed(&payload, |copy| apply_mask(copy, key, 0));
            }
            Some(key) => {
                let mut payload = payload.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
                apply_mask(&mut payload, key, 0);
                self.queue.put_bytes(payload.freeze());
            }
        }
    }

    /// When the peer is pinged, or counts as gone.
    pub(super) fn liveness_deadline(&self) -> Option<Instant> {
        let interval = self.settings.ping_interval.filter(|_| self.is_open())?;
        Some(match self.pinged_at {
            Some(pinged) => pinged + self.settings.pong_timeout,
            None => self.last_input + interval,
        })
    }
}
