//! Everything that bounds one connection, in one place, each finite by default.

use core::time::Duration;

/// The limits of one connection, server or client. All are live: none can be set and stay inert.
///
/// ```
/// use callboard_core::Limits;
/// use core::time::Duration;
///
/// let limits = Limits { head_timeout: Duration::from_secs(5), ..Limits::default() };
/// assert_eq!(limits.header_count, 128);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request line or status line. Past it: 414 (or 400). Default 16 KiB.
    pub start_line: usize,
    /// Bytes of a whole head, start line included. Past it: 431. Default 64 KiB.
    pub head: usize,
    /// Fields of a head, and of trailers. Past it: 431. Default 128.
    pub header_count: usize,
    /// Bytes of one chunk-size line with its extensions. Past it: 400. Default 1 KiB.
    pub chunk_line: usize,
    /// Bytes of chunk extensions over a whole body. Past it: 400. Default 64 KiB.
    pub chunk_extensions: usize,
    /// Bytes of a trailer section. Past it: 431. Default 16 KiB.
    pub trailers: usize,
    /// Interim (1xx) responses before a final one, on a client. Default 32.
    pub informational: usize,
    /// Bytes of events that wait for `poll_event` before `wants_input` turns false. Default 64 KiB.
    pub receive_buffer: usize,
    /// Bytes in `outgoing` above which a sender should wait. Default 256 KiB: a stream is then written in few calls.
    pub send_buffer: usize,
    /// Bytes of an unread body that are read and thrown away so that the connection can be kept. Default 256 KiB.
    pub discard_bytes: u64,
    /// Bytes sent after our last answer that are read and thrown away, so that the answer reaches a peer that is
    /// still sending (lingering close). Default 64 MiB: `linger_timeout` is the tighter bound.
    pub linger_bytes: u64,
    /// How long lingering lasts. Default 5 s.
    pub linger_timeout: Duration,
    /// From the first byte of a head (on a new connection: from its start) to its end; on a client, from the end of
    /// the request to the end of the response head. Past it: 408. Default 30 s.
    pub head_timeout: Duration,
    /// The longest silence while a body is being received. Past it: 408. Default 60 s.
    pub body_timeout: Duration,
    /// The longest time in which the peer takes nothing of what waits in `outgoing`. What it took before is noticed
    /// when this passes, so it may last up to twice as long. Default 60 s.
    pub write_timeout: Duration,
    /// How long a kept connection may be idle between exchanges. Default 75 s.
    pub idle_timeout: Duration,
    /// The least bytes per second of a body being received, averaged from its start, once
    /// `minimum_rate_grace` has passed. 0 turns it off. Default 64.
    pub minimum_rate: u64,
    /// How long a body may be slower than `minimum_rate`. Default 30 s.
    pub minimum_rate_grace: Duration,
    /// Exchanges on one connection before it is closed. Default: no bound.
    pub exchanges: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            start_line: 16 * 1024,
            head: 64 * 1024,
            header_count: 128,
            chunk_line: 1024,
            chunk_extensions: 64 * 1024,
            trailers: 16 * 1024,
            informational: 32,
            receive_buffer: 64 * 1024,
            send_buffer: 256 * 1024,
            discard_bytes: 256 * 1024,
            linger_bytes: 64 * 1024 * 1024,
            linger_timeout: Duration::from_secs(5),
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(75),
            minimum_rate: 64,
            minimum_rate_grace: Duration::from_secs(30),
            exchanges: u64::MAX,
        }
    }
}
