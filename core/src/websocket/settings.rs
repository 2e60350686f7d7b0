//! Everything that bounds one WebSocket, in one place, each finite by default.

use core::time::Duration;

/// The limits and habits of one WebSocket. All are live: none can be set and stay inert.
///
/// ```
/// use callboard_core::websocket::Settings;
///
/// let settings = Settings { max_message: 64 * 1024, ..Settings::default() };
/// assert_eq!(settings.max_fragments, 128 * 1024);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Bytes of a received message, decompressed. Past it: close 1009. Default 4 MiB.
    pub max_message: usize,
    /// Bytes of one received frame on the wire, refused by its head, before any is kept. Past it: 1009. Default 4 MiB.
    pub max_frame: usize,
    /// Frames of one received message. Past it: 1008. Default 131,072.
    pub max_fragments: u32,
    /// Bytes above which an outgoing message leaves as fragments, so that control frames can pass. Default 1 MiB.
    pub fragment: usize,
    /// Bytes that wait to be sent above which `can_send` is false; a message that waits counts for 64 more, so that
    /// many small ones are bounded as well. One message may overshoot it. Default 1 MiB.
    pub send_buffer: usize,
    /// Silence of the peer after which it is pinged; `None` for never. Default 20 s.
    pub ping_interval: Option<Duration>,
    /// Silence after such a ping after which the peer counts as gone; any byte breaks it. Default 20 s.
    pub pong_timeout: Duration,
    /// How long the peer has to answer our close frame, and then to end the connection. Default 10 s.
    pub close_timeout: Duration,
    /// The longest time in which the peer takes nothing of what waits. May last up to twice as long. Default 60 s.
    pub write_timeout: Duration,
    /// permessage-deflate (RFC 7692), offered or accepted if there; `None` by default.
    #[cfg(feature = "compression")]
    pub compression: Option<Compression>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_message: 4 * 1024 * 1024,
            max_frame: 4 * 1024 * 1024,
            max_fragments: 128 * 1024,
            fragment: 1024 * 1024,
            send_buffer: 1024 * 1024,
            ping_interval: Some(Duration::from_secs(20)),
            pong_timeout: Duration::from_secs(20),
            close_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(60),
            #[cfg(feature = "compression")]
            compression: None,
        }
    }
}

/// What we offer or accept of permessage-deflate (RFC 7692 §7.1), and what bounds it.
#[cfg(feature = "compression")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compression {
    /// 0 (store) to 9 (smallest). Default 3.
    pub level: u8,
    /// The largest window of our compressor, as a power of two: 9 to 15. Default 15.
    pub our_window: u8,
    /// The largest window that we ask the peer to keep to: 9 to 15. Default 15.
    pub peer_window: u8,
    /// Whether our compressor keeps its window between messages, if the peer allows. From the first compressed message
    /// on it then keeps up to 384 KiB of memory: 264 KiB with a window of 12 bits, 250 KiB with one of 9. Default true.
    pub our_takeover: bool,
    /// Whether the peer's compressor may. From its first compressed message on our decompressor then keeps up to
    /// 52 KiB. Default true.
    pub peer_takeover: bool,
    /// Messages below this many bytes leave uncompressed. Default 64.
    pub threshold: usize,
    /// Decompressed bytes per compressed byte, once `ratio_grace` has come out of a message; asked at each 128
    /// compressed bytes, and at the end. Past it: 1009. Default 256.
    pub ratio: u32,
    /// Decompressed bytes of a message that no ratio is asked of. Default 1 MiB.
    pub ratio_grace: usize,
}

#[cfg(feature = "compression")]
impl Default for Compression {
    fn default() -> Self {
        Self {
            level: 3,
            our_window: 15,
            peer_window: 15,
            our_takeover: true,
            peer_takeover: true,
            threshold: 64,
            ratio: 256,
            ratio_grace: 1024 * 1024,
        }
    }
}
