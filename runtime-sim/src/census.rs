//! What is alive in a simulation, counted: the answer to "did anything leak?".

use std::fmt;

/// What is alive. After everything has ended each count is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Tasks spawned and not ended, the future of `block_on` apart.
    pub tasks: usize,
    /// Timers that are set.
    pub timers: usize,
    /// Connection attempts without an answer yet.
    pub connecting: usize,
    /// Ends of connections that are open, those in a backlog included.
    pub streams: usize,
    /// Listeners.
    pub listeners: usize,
    /// Sources of signals.
    pub signals: usize,
    /// Bytes written and not yet read.
    pub bytes_in_flight: usize,
}

impl Census {
    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tasks, timers, connecting, streams, listeners, signals, bytes_in_flight } = self;
        write!(
            f,
            "{tasks} tasks, {timers} timers, {connecting} connecting, {streams} streams, {listeners} listeners, \
             {signals} sources of signals, {bytes_in_flight} bytes in flight"
        )
    }
}
