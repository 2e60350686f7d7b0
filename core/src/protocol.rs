//! The contract of every connection machine.
//!
//! Verbs carry it: `handle_*` takes input, `poll_*` hands out, bare verbs are commands, `wants_*` and `is_*` ask.

use bytes::BytesMut;

use crate::{Instant, SendQueue};

/// A connection machine: `http1` server and client, and what comes later.
///
/// A driver loops: read into `input`, call [`handle_input`](Self::handle_input), drain
/// [`poll_event`](Self::poll_event), write [`outgoing`](Self::outgoing), and call
/// [`handle_timeout`](Self::handle_timeout) when [`poll_timeout`](Self::poll_timeout) has passed. Any order of these
/// calls is correct, and calling one twice is harmless.
pub trait Protocol {
    /// What the machine reports.
    type Event;

    /// Takes what it can from the front of `input` and leaves the rest there. The caller appends to `input` and
    /// never changes its front. Call again, without new bytes, after a command or a drained event made room.
    fn handle_input(&mut self, input: &mut BytesMut, now: Instant);

    /// The peer has half-closed: no more input will come. Give `handle_input` all bytes that were read first, and call
    /// it again, with an empty input too, as events are polled: what it leaves still counts as received before the end.
    fn handle_end_of_input(&mut self, now: Instant);

    /// A deadline may have passed. An early call is harmless.
    fn handle_timeout(&mut self, now: Instant);

    /// The next event, or `None` until more input, time or commands arrive.
    fn poll_event(&mut self) -> Option<Self::Event>;

    /// When `handle_timeout` is due, if ever.
    fn poll_timeout(&self) -> Option<Instant>;

    /// The bytes to send, in order.
    fn outgoing(&mut self) -> &mut SendQueue;

    /// Whether to read more from the peer: back pressure.
    fn wants_input(&self) -> bool;

    /// Whether the write side is to be shut down once `outgoing` is drained.
    fn wants_half_close(&self) -> bool;

    /// Whether the connection is over once `outgoing` is drained: drop the stream.
    fn is_finished(&self) -> bool;
}

/// Names one request and its response on a connection. Ids of a connection start at 0 and count up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ExchangeId(pub u64);

/// What is known of a body's length before it is sent or received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyLength {
    /// There is no body, and nothing about one in the head.
    Empty,
    /// Exactly this many bytes. `Known(0)` sends `Content-Length: 0`.
    Known(u64),
    /// Not known in advance: chunked in HTTP/1.1, until close in HTTP/1.0.
    Unknown,
}
