//! A connection as data: two halves, each with what it has sent and what has arrived at it.

use std::collections::VecDeque;
use std::task::Waker;

use bytes::BytesMut;
use callboard_core::Instant;
use callboard_runtime::{Endpoint, StreamInfo};

use crate::event::Side;
use crate::queue::DueKey;
use crate::trace::HostId;

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) halves: [Half; 2],
}

impl Connection {
    pub(crate) fn half(&mut self, side: Side) -> &mut Half {
        &mut self.halves[side.index()]
    }

    /// The half at `side` and the one opposite.
    pub(crate) fn both(&mut self, side: Side) -> (&mut Half, &mut Half) {
        let [client, server] = &mut self.halves;
        match side {
            Side::Client => (client, server),
            Side::Server => (server, client),
        }
    }

    pub(crate) fn info(&self, side: Side) -> StreamInfo {
        let (local, peer) = (&self.halves[side.index()].local, &self.halves[side.other().index()].local);
        StreamInfo { local: local.clone(), peer: peer.clone(), tls: None }
    }
}

/// One end.
#[derive(Debug)]
pub(crate) struct Half {
    pub(crate) host: HostId,
    pub(crate) local: Endpoint,
    /// The stream was dropped, or nobody will ever have it.
    pub(crate) gone: bool,
    /// Dropping resets.
    pub(crate) abort: bool,
    /// Arrived and not read.
    pub(crate) arrived: VecDeque<BytesMut>,
    pub(crate) arrived_bytes: usize,
    /// The peer's half-close has arrived.
    pub(crate) input_ended: bool,
    /// We have half-closed, or sent a reset: nothing may follow.
    pub(crate) output_ended: bool,
    /// A reset has arrived.
    pub(crate) reset: Option<ResetState>,
    /// On its way to the peer. Only the first can arrive, so order is kept.
    pub(crate) sent: VecDeque<Segment>,
    pub(crate) sent_bytes: usize,
    /// Nothing of ours arrives before: the server's bytes come behind the answer to the connect.
    pub(crate) not_before: Instant,
    /// The arrival that is scheduled, of the first of `sent`.
    pub(crate) key: Option<DueKey>,
    pub(crate) reader: Option<Waker>,
    pub(crate) writer: Option<Waker>,
}

/// Whether the program knows of the reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResetState {
    Unreported,
    Reported,
}

/// Something on its way.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) arrives: Instant,
    pub(crate) content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    Bytes(BytesMut),
    End,
    Reset,
}

impl Half {
    pub(crate) fn new(host: HostId, local: Endpoint) -> Self {
        Self {
            host,
            local,
            gone: false,
            abort: false,
            arrived: VecDeque::new(),
            arrived_bytes: 0,
            input_ended: false,
            output_ended: false,
            reset: None,
            sent: VecDeque::new(),
            sent_bytes: 0,
            not_before: Instant::EPOCH,
            key: None,
            reader: None,
            writer: None,
        }
    }

    /// Forgets what has arrived and was not read. How many bytes that was.
    pub(crate) fn forget_arrived(&mut self) -> usize {
        self.arrived = VecDeque::new();
        std::mem::take(&mut self.arrived_bytes)
    }

    /// Forgets what is on its way.
    pub(crate) fn forget_sent(&mut self) {
        self.sent = VecDeque::new();
        self.sent_bytes = 0;
    }
}
