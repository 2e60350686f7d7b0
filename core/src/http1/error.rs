//! What can go wrong, by fault: the peer's ([`ReceiveError`], with the status to answer with) or ours
//! ([`SendError`]); and why a connection ends ([`CloseReason`]), as data.

use crate::Status;
use crate::reasons::reasons;

reasons! {
    /// The peer broke the protocol, a limit or a deadline.
    ReceiveError {
        /// RFC 9112 §3, §4: not a request line or status line.
        StartLineInvalid => "the start line is malformed",
        /// The bytes look like a TLS handshake.
        TlsOnPlainPort => "the peer speaks TLS where plain HTTP is spoken",
        /// [`Limits::start_line`](crate::Limits::start_line).
        StartLineTooLong => "the start line is longer than the limit",
        /// RFC 9110 §9.1.
        MethodInvalid => "the method is not a token",
        /// RFC 9112 §3.2.
        TargetInvalid => "the request target is malformed",
        /// RFC 9110 §2.5: another major version.
        VersionUnsupported => "the HTTP version is not supported",
        /// RFC 9112 §2.2: a line that does not end in CRLF.
        LineEndInvalid => "a line does not end in CRLF",
        /// RFC 9112 §5: no colon, space before the colon, or not a token.
        FieldNameInvalid => "a field name is malformed",
        /// RFC 9110 §5.5: a control byte.
        FieldValueInvalid => "a field value holds a control byte",
        /// RFC 9112 §5.2.
        ObsoleteFold => "a field value is folded over lines",
        /// [`Limits::header_count`](crate::Limits::header_count).
        TooManyFields => "there are more fields than the limit",
        /// [`Limits::head`](crate::Limits::head).
        HeadTooLong => "the head is longer than the limit",
        /// RFC 9112 §3.2: every HTTP/1.1 request has one.
        HostMissing => "the Host field is missing",
        /// RFC 9112 §3.2.
        HostRepeated => "there is more than one Host field",
        /// RFC 9110 §7.2.
        HostInvalid => "the Host field is malformed",
        /// RFC 9112 §6.2: not one decimal number that fits.
        ContentLengthInvalid => "Content-Length is not a single decimal number",
        /// RFC 9112 §6.3.
        ContentLengthRepeated => "there is more than one Content-Length",
        /// RFC 9112 §6.1: request smuggling.
        LengthAndCoding => "both Content-Length and Transfer-Encoding are there",
        /// RFC 9112 §6.1: chunked is not the last coding, repeated, or malformed.
        TransferEncodingInvalid => "Transfer-Encoding does not end in a single chunked",
        /// RFC 9112 §6.1: a coding before chunked that is not known.
        TransferEncodingUnsupported => "Transfer-Encoding names a coding that is not supported",
        /// RFC 9112 §6.1: HTTP/1.0 has no Transfer-Encoding.
        TransferEncodingInOldVersion => "Transfer-Encoding is used in HTTP/1.0",
        /// RFC 9112 §7.1.
        ChunkSizeInvalid => "a chunk size is malformed",
        /// RFC 9112 §7.1.1.
        ChunkExtensionInvalid => "a chunk extension is malformed",
        /// [`Limits::chunk_line`](crate::Limits::chunk_line).
        ChunkLineTooLong => "a chunk-size line is longer than the limit",
        /// [`Limits::chunk_extensions`](crate::Limits::chunk_extensions).
        ChunkExtensionsTooLong => "the chunk extensions together are longer than the limit",
        /// RFC 9112 §7.1: chunk data is followed by CRLF.
        ChunkEndInvalid => "chunk data is not followed by CRLF",
        /// [`Limits::trailers`](crate::Limits::trailers).
        TrailersTooLong => "the trailer section is longer than the limit",
        /// RFC 9110 §10.1.1.
        ExpectationUnknown => "the expectation is not known",
        /// RFC 9112 §8: the peer ended the connection inside a head.
        HeadCut => "the connection ended inside a head",
        /// RFC 9112 §8: the peer ended the connection inside a body.
        BodyCut => "the connection ended inside a body",
        /// The peer ended the connection before the first byte of a response.
        NoResponse => "the connection ended before a response",
        /// [`Limits::informational`](crate::Limits::informational).
        TooManyInformational => "there are more interim responses than the limit",
        /// RFC 9110 §15.2.2: 101 to a request that asked for no upgrade.
        UpgradeUnasked => "the server switched protocols without being asked",
        /// [`Limits::head_timeout`](crate::Limits::head_timeout).
        HeadTimedOut => "the head did not arrive in time",
        /// [`Limits::body_timeout`](crate::Limits::body_timeout).
        BodyTimedOut => "the body fell silent for too long",
        /// [`Limits::minimum_rate`](crate::Limits::minimum_rate).
        BodyTooSlow => "the body arrived slower than the minimum rate",
        /// [`Limits::write_timeout`](crate::Limits::write_timeout).
        WriteTimedOut => "the peer took nothing for too long",
    }
}

impl ReceiveError {
    /// The status that a server answers with.
    pub const fn status(self) -> Status {
        match self {
            Self::StartLineTooLong => Status::URI_TOO_LONG,
            Self::HeadTooLong | Self::TooManyFields | Self::TrailersTooLong => Status::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::VersionUnsupported => Status::HTTP_VERSION_NOT_SUPPORTED,
            Self::TransferEncodingUnsupported => Status::NOT_IMPLEMENTED,
            Self::ExpectationUnknown => Status::EXPECTATION_FAILED,
            Self::HeadTimedOut | Self::BodyTimedOut | Self::BodyTooSlow => Status::REQUEST_TIMEOUT,
            _ => Status::BAD_REQUEST,
        }
    }

    /// Whether a deadline or the minimum rate was missed.
    pub const fn is_timeout(self) -> bool {
        matches!(self, Self::HeadTimedOut | Self::BodyTimedOut | Self::BodyTooSlow | Self::WriteTimedOut)
    }
}

reasons! {
    /// The caller asked for what the protocol or the state does not allow. The machine is unchanged.
    SendError {
        /// The exchange is over, or never was.
        UnknownExchange => "there is no such exchange in progress",
        /// A second response or request where one is under way.
        AlreadyStarted => "this message was already started",
        /// Data before the head.
        NotStarted => "the head was not sent yet",
        /// Interim statuses go through `inform`, final ones through `respond`.
        StatusMisplaced => "the status does not fit this call",
        /// A switch of protocols behind a body that is longer than what is thrown away.
        BodyUnread => "the protocol cannot be switched behind so long an unread body",
        /// More bytes than `BodyLength::Known` said.
        BodyTooLong => "the body is longer than its Content-Length",
        /// Fewer bytes than `BodyLength::Known` said.
        BodyTooShort => "the body is shorter than its Content-Length",
        /// RFC 9112 §6.3: a request of HTTP/1.0 must know its length.
        LengthRequired => "a body of unknown length needs HTTP/1.1",
        /// The connection takes no further message.
        Closed => "the connection is closing",
        /// The target holds a byte that would end it.
        TargetInvalid => "the request target holds a space or a control byte",
    }
}

reasons! {
    /// Why a connection ends after this exchange, or cannot be used again.
    CloseReason {
        /// `Connection: close` from the peer, or HTTP/1.0 without keep-alive.
        PeerAsked => "the peer asked to close",
        /// `Connection: close` from us.
        WeAsked => "we asked to close",
        /// The body ends with the connection.
        BodyUntilClose => "the body is delimited by the end of the connection",
        /// The response came before the request body was sent, or a body was left unread.
        BodyUnfinished => "a body was left unfinished",
        /// The other side broke the protocol.
        ProtocolError => "the protocol was broken",
        /// The idle deadline passed.
        IdleTimedOut => "the connection was idle for too long",
        /// [`Limits::exchanges`](crate::Limits::exchanges).
        ExchangesUsedUp => "the connection has served its number of exchanges",
        /// The peer half-closed.
        PeerClosed => "the peer closed the connection",
        /// Bytes came that no request asked for.
        StrayBytes => "bytes came that answer no request",
        /// An exchange is still in progress.
        Busy => "an exchange is in progress",
        /// The connection speaks another protocol now.
        Upgraded => "the connection was handed to another protocol",
        /// `abort` was called.
        Aborted => "the connection was aborted",
    }
}
