//! What can go wrong, by fault: the peer's ([`ReceiveError`], with the close code that says so) or ours
//! ([`SendError`]).

use crate::reasons::reasons;

use super::CloseCode;

reasons! {
    /// The peer broke the protocol, a limit or a deadline, or is gone.
    ReceiveError {
        /// RFC 6455 §5.2: RSV2 or RSV3, or RSV1 where no extension gave it a meaning.
        ReservedBitSet => "a reserved bit is set",
        /// RFC 6455 §5.2.
        OpcodeUnknown => "the opcode is not known",
        /// RFC 6455 §5.2: not the shortest form, or the highest bit is set.
        LengthInvalid => "the payload length is not in its shortest form",
        /// RFC 6455 §5.1: a client masks every frame.
        MaskMissing => "a frame from a client is not masked",
        /// RFC 6455 §5.1: a server masks none.
        MaskForbidden => "a frame from a server is masked",
        /// RFC 6455 §5.5.
        ControlFragmented => "a control frame is fragmented",
        /// RFC 6455 §5.5: more than 125 bytes.
        ControlTooLong => "a control frame is longer than 125 bytes",
        /// RFC 6455 §5.4.
        ContinuationStray => "a continuation frame continues nothing",
        /// RFC 6455 §5.4.
        ContinuationMissing => "a new message began inside a fragmented one",
        /// RFC 6455 §8.1.
        TextInvalid => "a text message is not UTF-8",
        /// RFC 6455 §5.5.1: a body of one byte.
        CloseCut => "the body of a close frame is one byte long",
        /// RFC 6455 §7.4.
        CloseCodeInvalid => "the close code may not be sent",
        /// RFC 6455 §5.5.1.
        CloseReasonInvalid => "the close reason is not UTF-8",
        /// [`Settings::max_frame`](super::Settings::max_frame).
        FrameTooBig => "a frame is larger than the limit",
        /// [`Settings::max_message`](super::Settings::max_message).
        MessageTooBig => "a message is larger than the limit",
        /// [`Settings::max_fragments`](super::Settings::max_fragments).
        TooManyFragments => "a message has more fragments than the limit",
        /// RFC 7692 §7.2.2.
        CompressionInvalid => "a compressed message does not decode",
        /// `Compression::ratio`: a bomb.
        RatioTooHigh => "a compressed message grows beyond the ratio limit",
        /// [`Settings::pong_timeout`](super::Settings::pong_timeout).
        PongTimedOut => "nothing came after a ping for too long",
        /// [`Settings::close_timeout`](super::Settings::close_timeout).
        CloseTimedOut => "the peer did not answer the close frame in time",
        /// [`Settings::write_timeout`](super::Settings::write_timeout).
        WriteTimedOut => "the peer took nothing for too long",
        /// RFC 6455 §7.1.5: no close frame came.
        ConnectionLost => "the connection ended without a close frame",
    }
}

impl ReceiveError {
    /// The code of the close frame that tells the peer (RFC 6455 §7.4.1); 1006 where none can be sent.
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::TextInvalid | Self::CloseReasonInvalid | Self::CompressionInvalid => CloseCode::INVALID_DATA,
            Self::FrameTooBig | Self::MessageTooBig | Self::RatioTooHigh => CloseCode::TOO_BIG,
            Self::TooManyFragments => CloseCode::POLICY,
            Self::PongTimedOut | Self::CloseTimedOut | Self::WriteTimedOut | Self::ConnectionLost => {
                CloseCode::ABNORMAL
            }
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }

    /// Whether a deadline was missed.
    pub const fn is_timeout(self) -> bool {
        matches!(self, Self::PongTimedOut | Self::CloseTimedOut | Self::WriteTimedOut)
    }
}

reasons! {
    /// The caller asked for what the protocol or the state does not allow. The machine is unchanged.
    SendError {
        /// A close frame was sent or received; nothing may follow (RFC 6455 §5.5.1).
        Closed => "the WebSocket is closing",
        /// [`Settings::send_buffer`](super::Settings::send_buffer) is full: wait until `can_send`.
        QueueFull => "too much waits to be sent",
        /// RFC 6455 §5.5: more than 125 bytes.
        ControlTooLong => "a ping or pong carries more than 125 bytes",
        /// RFC 6455 §7.4.2.
        CodeInvalid => "the close code may not be sent",
        /// More than 123 bytes.
        ReasonTooLong => "the close reason is longer than 123 bytes",
    }
}
