//! Bytes, ends and resets between the two halves of a connection.
//!
//! TCP's rules as a program sees them: order is kept; a half-close lets the other direction go on; dropping with unread
//! bytes, or receiving bytes after the drop, resets the peer; a reset is reported once, and writes then find a broken
//! pipe.

use std::io;
use std::task::{Poll, Waker};

use bytes::{Buf, BytesMut};

use crate::chooser::ChoiceKind;
use crate::clockwork::Clockwork;
use crate::digest::Digest;
use crate::event::{End, TraceEvent};
use crate::queue::Due;

use super::Fabric;
use super::connection::{Content, ResetState, Segment};

impl Fabric {
    /// Takes what there is room for, or less, from the front of `parts`.
    pub(crate) fn poll_write(
        &mut self,
        clock: &mut Clockwork,
        end: End,
        parts: &[&[u8]],
        waker: &Waker,
    ) -> Poll<io::Result<usize>> {
        let Some(connection) = self.connections.get_mut(&end.connection) else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        let (half, peer) = connection.both(end.side);
        match &mut half.reset {
            Some(state @ ResetState::Unreported) => {
                *state = ResetState::Reported;
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            Some(ResetState::Reported) => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            None if half.output_ended => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            None => {}
        }
        let wanted: usize = parts.iter().map(|part| part.len()).sum();
        if wanted == 0 {
            return Poll::Ready(Ok(0));
        }
        let room = clock.options.buffer.saturating_sub(half.sent_bytes + peer.arrived_bytes);
        if room == 0 {
            clock.effects.register(&mut half.writer, waker);
            return Poll::Pending;
        }
        let count = clock.cut(wanted.min(room));
        let mut bytes = BytesMut::with_capacity(count);
        for part in parts {
            let taken = part.len().min(count - bytes.len());
            bytes.extend_from_slice(&part[..taken]);
        }
        let mut digest = Digest::new();
        digest.bytes(&bytes);
        half.sent_bytes += count;
        let host = half.host;
        clock.record(host, TraceEvent::Sent { end, bytes: count, digest: digest.value() });
        self.send(clock, end, Content::Bytes(bytes));
        Poll::Ready(Ok(count))
    }

    /// Sends something on its way, behind what is on its way already.
    fn send(&mut self, clock: &mut Clockwork, end: End, content: Content) {
        let Some(connection) = self.connections.get_mut(&end.connection) else { return };
        let (half, peer) = connection.both(end.side);
        let latency = self.conditions.latency(clock, half.host, peer.host);
        let arrives = half.not_before.max(clock.now + latency);
        let percent = clock.options.coalesce;
        match (half.sent.back_mut(), content) {
            (Some(Segment { arrives: earlier, content: Content::Bytes(before) }), Content::Bytes(bytes))
                if clock.chooser.chance(ChoiceKind::Coalesce, percent) =>
            {
                before.extend_from_slice(&bytes);
                *earlier = arrives;
            }
            (_, content) => half.sent.push_back(Segment { arrives, content }),
        }
        self.arm(clock, end);
    }

    /// Schedules the next arrival of what `end` sent, unless it is scheduled.
    fn arm(&mut self, clock: &mut Clockwork, end: End) {
        let Some(connection) = self.connections.get_mut(&end.connection) else { return };
        let half = connection.half(end.side);
        if let (Some(first), None) = (half.sent.front(), half.key) {
            half.key = Some(clock.schedule(first.arrives.max(clock.now), Due::Arrival(end)));
        }
    }

    /// Sends on what a partition stopped.
    pub(super) fn resume(&mut self, clock: &mut Clockwork, end: End) {
        let Some(connection) = self.connections.get_mut(&end.connection) else { return };
        let (half, peer) = connection.both(end.side);
        // What is behind the first cannot overtake it.
        if let (Some(first), None) = (half.sent.front_mut(), half.key) {
            first.arrives = clock.now + self.conditions.latency(clock, half.host, peer.host);
            self.arm(clock, end);
        }
    }

    /// What `end` sent would arrive at the other end now.
    pub(crate) fn handle_arrival(&mut self, clock: &mut Clockwork, end: End) {
        let to = End { connection: end.connection, side: end.side.other() };
        let Some(connection) = self.connections.get_mut(&end.connection) else { return };
        let (half, peer) = connection.both(end.side);
        half.key = None;
        if self.conditions.is_partitioned(half.host, peer.host) {
            return;
        }
        let mut answer_with_reset = false;
        let mut was_reset = false;
        while half.sent.front().is_some_and(|segment| segment.arrives <= clock.now) {
            let Some(segment) = half.sent.pop_front() else { break };
            match segment.content {
                Content::Bytes(bytes) => {
                    half.sent_bytes -= bytes.len();
                    if peer.gone || peer.reset.is_some() {
                        // Nobody is there to read it: the sender is told.
                        answer_with_reset |= peer.gone && peer.reset.is_none();
                    } else {
                        clock.record(peer.host, TraceEvent::Delivered { end: to, bytes: bytes.len() });
                        peer.arrived_bytes += bytes.len();
                        peer.arrived.push_back(bytes);
                    }
                }
                Content::End => {
                    peer.input_ended = true;
                    clock.record(peer.host, TraceEvent::EndArrived { end: to });
                }
                Content::Reset => was_reset = true,
            }
        }
        clock.effects.wake(&mut peer.reader);
        if was_reset {
            self.reset(clock, to);
        } else if answer_with_reset {
            self.send_reset(clock, to);
        }
        self.arm(clock, end);
    }

    /// Sends a reset, once.
    fn send_reset(&mut self, clock: &mut Clockwork, end: End) {
        let Some(connection) = self.connections.get_mut(&end.connection) else { return };
        let half = connection.half(end.side);
        if half.sent.iter().any(|segment| matches!(segment.content, Content::Reset)) {
            return;
        }
        half.output_ended = true;
        let host = half.host;
        clock.record(host, TraceEvent::Aborted { end });
        self.send(clock, end, Content::Reset);
    }

    /// An end is reset: what it sent and was not delivered is lost, and so, if the seed says so, is what it has not
    /// read.
    pub(super) fn reset(&mut self, clock: &mut Clockwork, end: End) {
        let Some(connection) = self.connections.get_mut(&end.connection) else { return };
        let half = connection.half(end.side);
        if half.reset.is_some() {
            return;
        }
        half.reset = Some(ResetState::Unreported);
        half.forget_sent();
        clock.cancel(&mut half.key);
        let percent = clock.options.reset_discards;
        let discards = half.arrived_bytes > 0 && clock.chooser.chance(ChoiceKind::ResetDiscards, percent);
        let discarded = if discards { half.forget_arrived() } else { 0 };
        clock.effects.wake(&mut half.reader);
        clock.effects.wake(&mut half.writer);
        let host = half.host;
        clock.record(host, TraceEvent::Reset { end, discarded });
    }

    /// Gives up to `room` bytes of what has arrived to `take`, piece by piece. Zero is the peer's end.
    pub(crate) fn poll_read(
        &mut self,
        clock: &mut Clockwork,
        end: End,
        room: usize,
        waker: &Waker,
        take: &mut dyn FnMut(&[u8]),
    ) -> Poll<io::Result<usize>> {
        match self.poll_readable(clock, end, waker) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
        let Some(connection) = self.connections.get_mut(&end.connection) else { return Poll::Ready(Ok(0)) };
        let (half, peer) = connection.both(end.side);
        let most = half.arrived_bytes.min(room).min(clock.options.read_limit);
        if most == 0 {
            return Poll::Ready(Ok(0));
        }
        let count = clock.cut(most);
        let mut left = count;
        while let Some(first) = half.arrived.front_mut().filter(|_| left > 0) {
            let taken = first.len().min(left);
            take(&first[..taken]);
            first.advance(taken);
            left -= taken;
            if first.is_empty() {
                half.arrived.pop_front();
            }
        }
        half.arrived_bytes -= count;
        clock.effects.wake(&mut peer.writer);
        clock.record(half.host, TraceEvent::Received { end, bytes: count });
        Poll::Ready(Ok(count))
    }

    /// Ready when a read would not wait. A reset is an error once all that it left has been read.
    pub(crate) fn poll_readable(&mut self, clock: &mut Clockwork, end: End, waker: &Waker) -> Poll<io::Result<()>> {
        let Some(connection) = self.connections.get_mut(&end.connection) else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        let half = connection.half(end.side);
        if half.arrived_bytes > 0 {
            Poll::Ready(Ok(()))
        } else if half.reset.is_some() {
            half.reset = Some(ResetState::Reported);
            Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
        } else if half.input_ended {
            Poll::Ready(Ok(()))
        } else {
            clock.effects.register(&mut half.reader, waker);
            Poll::Pending
        }
    }

    /// Half-closes. Twice is once.
    pub(crate) fn finish(&mut self, clock: &mut Clockwork, end: End) -> io::Result<()> {
        let Some(connection) = self.connections.get_mut(&end.connection) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let half = connection.half(end.side);
        if half.reset.is_some() {
            return Err(io::ErrorKind::NotConnected.into());
        }
        if !half.output_ended {
            half.output_ended = true;
            let host = half.host;
            clock.record(host, TraceEvent::HalfClosed { end });
            self.send(clock, end, Content::End);
        }
        Ok(())
    }

    /// Makes the drop of an end a reset.
    pub(crate) fn abort_on_drop(&mut self, end: End) {
        if let Some(connection) = self.connections.get_mut(&end.connection) {
            connection.half(end.side).abort = true;
        }
    }

    /// An end is dropped: the peer sees its end, or a reset. When both are dropped the connection is gone at once.
    pub(crate) fn drop_end(&mut self, clock: &mut Clockwork, end: End) {
        let Some(connection) = self.connections.get_mut(&end.connection) else { return };
        let (half, peer) = connection.both(end.side);
        half.gone = true;
        let (reader, writer) = (half.reader.take(), half.writer.take());
        clock.effects.discard(reader);
        clock.effects.discard(writer);
        let unread = half.forget_arrived();
        clock.record(half.host, TraceEvent::Closed { end });
        if peer.gone {
            clock.cancel(&mut half.key);
            clock.cancel(&mut peer.key);
            self.connections.remove(&end.connection);
            return;
        }
        if half.reset.is_some() {
            return;
        }
        if half.abort || unread > 0 {
            self.send_reset(clock, end);
        } else if let Err(error) = self.finish(clock, end) {
            debug_assert_eq!(error.kind(), io::ErrorKind::NotConnected);
        }
    }
}
