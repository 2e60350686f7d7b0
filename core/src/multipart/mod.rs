//! Multipart bodies, read and written (RFC 2046 §5.1, RFC 7578).
//!
//! The [`Reader`] is a machine: pieces of the body go in, parts come out, their data cut from the input without a
//! copy; [`Parts`] gives them one after the other. The [`Writer`] turns parts into segments of bytes, with the streams
//! that belong between them.
//!
//! What could be read in two ways is refused, not guessed: lines end in CRLF and never in a bare LF, what follows a
//! delimiter on its line may only be white space, a field that decides what a part is stands once.

mod boundary;
mod delimiter;
mod error;
mod head;
mod limits;
mod parts;
mod reader;
mod transfer;
mod writer;

pub use boundary::{Boundary, InvalidBoundary};
pub use error::MultipartError;
pub use head::PartHead;
pub use limits::MultipartLimits;
pub use parts::{PartError, Parts};
pub use reader::{Event, Reader};
pub use transfer::TransferEncoding;
pub use writer::{InvalidPart, Part, Segment, Writer};
