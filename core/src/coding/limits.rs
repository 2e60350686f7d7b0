//! What bounds a decoder, and what ends it: one enum for all codings, since who reads a body does not care which.

use crate::Status;
use crate::reasons::reasons;

/// What a [`Decoder`](super::Decoder) accepts. Each is finite by default and each is in force.
///
/// The memory of a decoder does not depend on these but for `window`: for gzip and deflate it is about 50 KiB; for zstd
/// the window that the stream asks for and some 200 KiB; for br the window, up to twice that while it grows, and tables
/// as the stream asks for: 200 KiB for what encoders make, and never more than 4 MiB.
///
/// ```
/// use callboard_core::coding::DecodeLimits;
///
/// let limits = DecodeLimits { output: 10 * 1024 * 1024, ..DecodeLimits::default() };
/// assert_eq!(limits.members, 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Decoded bytes in all. Past it: [`DecodeError::TooLarge`]. Default 1 GiB.
    pub output: u64,
    /// Decoded bytes for each byte that went in, over the whole body so far. Past it, and past `ratio_grace`:
    /// [`DecodeError::RatioExceeded`]. Default 250; text is at 3 to 20, gzip cannot exceed 1,032.
    pub ratio: u64,
    /// Decoded bytes before `ratio` counts. Default 16 MiB.
    pub ratio_grace: u64,
    /// Gzip members (RFC 1952 §2.2) or zstd frames (RFC 8878 §3), skippable ones included. Past it:
    /// [`DecodeError::TooManyMembers`]. Default 1,024.
    pub members: u32,
    /// Bytes of the window of br and zstd, rounded down to a power of two. Past it: [`DecodeError::WindowTooLarge`].
    /// Default 16 MiB, which is all that RFC 7932 §9.1 has; zstd is held to 8 MiB in any case (RFC 9659 §3).
    pub window: u64,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self {
            output: 1024 * 1024 * 1024,
            ratio: 250,
            ratio_grace: 16 * 1024 * 1024,
            members: 1024,
            window: 16 * 1024 * 1024,
        }
    }
}

impl DecodeLimits {
    /// The largest window as a power of two.
    pub(super) const fn window_bits(&self) -> u32 {
        if self.window == 0 { 0 } else { self.window.ilog2() }
    }
}

reasons! {
    /// What ends the decoding of a body.
    DecodeError {
        /// The start is not one of this coding (RFC 1952 §2.3, RFC 1950 §2.2, RFC 8878 §3.1.1).
        HeaderInvalid => "the body does not begin as its content coding says",
        /// The header of a gzip member is longer than 128 KiB (RFC 1952 §2.3 sets no bound).
        HeaderTooLong => "the gzip header is too long",
        /// The compressed data breaks the rules of its format (RFC 1951 §3, RFC 7932 §9, RFC 8878 §3.1.1).
        DataInvalid => "the compressed data is invalid",
        /// What was decoded is not what was encoded: CRC-32, Adler-32 or XXH64 (RFC 1952 §2.3.1, RFC 1950 §2.2,
        /// RFC 8878 §3.1.1).
        ChecksumMismatch => "the decoded data does not match its checksum",
        /// The length at the end of a gzip member is another (RFC 1952 §2.3.1, ISIZE).
        LengthMismatch => "the decoded data does not match its length",
        /// The stream was made with a dictionary, which content codings have none of (RFC 1950 §2.2, RFC 8878 §5).
        DictionaryRequired => "the compressed data needs a dictionary",
        /// The window is larger than allowed (`DecodeLimits::window`), or is of "large window brotli", which is not
        /// RFC 7932.
        WindowTooLarge => "the compressed data needs a larger window than is allowed",
        /// More gzip members or zstd frames than allowed (`DecodeLimits::members`).
        TooManyMembers => "the body has too many compressed members",
        /// Something follows the end of the compressed data. Zeros after a gzip member are padding and pass.
        TrailingData => "the body goes on after the end of the compressed data",
        /// The body ended inside the compressed data.
        Truncated => "the body ended inside the compressed data",
        /// The data inflates beyond what is plausible (`DecodeLimits::ratio`).
        RatioExceeded => "the body inflates beyond the allowed ratio",
        /// There is more than is wanted (`DecodeLimits::output`).
        TooLarge => "the decoded body is too large",
    }
}

impl DecodeError {
    /// The status to answer a request with: 413 where a limit of size is passed, else 400.
    pub const fn status(self) -> Status {
        match self {
            Self::TooLarge | Self::RatioExceeded => Status::CONTENT_TOO_LARGE,
            _ => Status::BAD_REQUEST,
        }
    }
}
