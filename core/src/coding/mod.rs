//! Content codings as streaming machines: gzip, deflate, br and zstd (RFC 9110 §8.4.1).
//!
//! * [`Codings`] is what a `Content-Encoding` says; [`Coding`] is one of them.
//! * [`Decoder`] undoes them step by step into a slice of the caller's: nothing it holds grows with what it decodes.
//! * [`Encoder`] applies one; [`Encoder::flush`] makes all that went in decodable, as a streamed response needs it.
//!
//! A machine of one coding is a file here; `decode` knows the limits and the chain, and no format.

mod brotli;
mod decode;
mod deflate;
mod encode;
mod gzip;
mod limits;
mod parts;
#[cfg(feature = "zstd")]
mod zstd;

use alloc::vec::Vec;
use core::fmt;

use crate::reasons::reasons;
use crate::{Headers, Status, header};

pub use decode::{Decoder, Progress};
pub use encode::{EncodeError, Encoder, Level};
pub use limits::{DecodeError, DecodeLimits};
pub use parts::DecodedParts;

/// Codings that one body may have been through. More is no use and only costs who undoes them.
const CODINGS: usize = 3;

/// One content coding.
///
/// ```
/// use callboard_core::coding::Coding;
///
/// assert_eq!(Coding::from_name("X-GZip"), Some(Coding::Gzip));
/// assert_eq!(Coding::Brotli.name(), "br");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Coding {
    /// `gzip`, also read as `x-gzip` (RFC 1952, RFC 9110 §8.4.1.3).
    Gzip,
    /// `deflate`: the zlib format of RFC 1950. Raw deflate (RFC 1951), which some send under this name, is read too.
    Deflate,
    /// `br` (RFC 7932).
    Brotli,
    /// `zstd` (RFC 8878, with the window of RFC 9659).
    #[cfg(feature = "zstd")]
    Zstd,
}

impl Coding {
    /// All that are compiled in, the preferred first: zstd, br, gzip, deflate.
    pub const ALL: &'static [Self] = &[
        #[cfg(feature = "zstd")]
        Self::Zstd,
        Self::Brotli,
        Self::Gzip,
        Self::Deflate,
    ];

    /// [`ALL`](Self::ALL) as the value of an `Accept-Encoding`.
    #[cfg(feature = "zstd")]
    pub const ACCEPT: &'static str = "zstd, br, gzip, deflate";
    /// [`ALL`](Self::ALL) as the value of an `Accept-Encoding`.
    #[cfg(not(feature = "zstd"))]
    pub const ACCEPT: &'static str = "br, gzip, deflate";

    /// The coding of that name, in any case (RFC 9110 §8.4.1); `None` where it is not known or not compiled in.
    pub fn from_name(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("x-gzip") {
            return Some(Self::Gzip);
        }
        Self::ALL.iter().copied().find(|coding| name.eq_ignore_ascii_case(coding.name()))
    }

    /// The name that is registered for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            #[cfg(feature = "zstd")]
            Self::Zstd => "zstd",
        }
    }
}

impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

reasons! {
    /// Why the codings of a body cannot be undone.
    CodingsError {
        /// A coding that is not known, or not compiled in (RFC 9110 §8.4).
        Unknown => "the content coding is not known here (zstd needs the feature `zstd`)",
        /// More than three codings, one over the other.
        TooMany => "the body has been through too many content codings",
    }
}

impl CodingsError {
    /// The status to answer a request with: 415, with an `Accept-Encoding` of what is known (RFC 9110 §15.5.16).
    pub const fn status(self) -> Status {
        Status::UNSUPPORTED_MEDIA_TYPE
    }
}

/// The codings of a body, in the order in which they were applied. `identity` is none.
///
/// ```
/// use callboard_core::Headers;
/// use callboard_core::coding::{Coding, Codings, CodingsError};
///
/// let mut headers = Headers::new();
/// headers.append("Content-Encoding", "gzip, BR")?;
/// assert_eq!(Codings::read(&headers).unwrap().as_slice(), [Coding::Gzip, Coding::Brotli]);
/// headers.append("Content-Encoding", "aws-chunked")?;
/// assert_eq!(Codings::read(&headers), Err(CodingsError::Unknown));
/// # Ok::<(), callboard_core::InvalidHeader>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Codings(Vec<Coding>);

impl Codings {
    /// What the `Content-Encoding` fields say, all of them as one list (RFC 9110 §5.3, §8.4). Empty elements are
    /// ignored (§5.6.1.2).
    pub fn read(headers: &Headers) -> Result<Self, CodingsError> {
        let mut codings = Vec::new();
        for value in headers.get_all(header::CONTENT_ENCODING) {
            let value = core::str::from_utf8(value).map_err(|_| CodingsError::Unknown)?;
            for name in value.split(',').map(|name| name.trim_matches([' ', '\t'])) {
                if name.is_empty() || name.eq_ignore_ascii_case("identity") {
                    continue;
                }
                let coding = Coding::from_name(name).ok_or(CodingsError::Unknown)?;
                if codings.len() == CODINGS {
                    return Err(CodingsError::TooMany);
                }
                codings.push(coding);
            }
        }
        Ok(Self(codings))
    }

    /// Whether the body is as it is.
    pub fn is_identity(&self) -> bool {
        self.0.is_empty()
    }

    /// The codings in the order in which they were applied.
    pub fn as_slice(&self) -> &[Coding] {
        &self.0
    }
}

impl From<Coding> for Codings {
    fn from(coding: Coding) -> Self {
        Self(alloc::vec![coding])
    }
}

/// What a machine reads from and writes to in one step. What was moved counts even if the step ends in an error.
struct Flow<'a> {
    input: &'a [u8],
    read: usize,
    output: &'a mut [u8],
    written: usize,
}

impl<'a> Flow<'a> {
    fn new(input: &'a [u8], output: &'a mut [u8]) -> Self {
        Self { input, read: 0, output, written: 0 }
    }

    /// The next byte of the input, taken.
    fn take_byte(&mut self) -> Option<u8> {
        let byte = *self.input.get(self.read)?;
        self.read += 1;
        Some(byte)
    }

    fn has_input(&self) -> bool {
        self.read < self.input.len()
    }

    fn has_room(&self) -> bool {
        self.written < self.output.len()
    }
}
