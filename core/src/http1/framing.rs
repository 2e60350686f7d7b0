//! Where a message's body ends: RFC 9112 §6.3, each side's rules in one function, which refuses ambiguity.

use crate::{Method, Status, Version};

use super::ReceiveError;
use super::lines::{Coding, Expect, Facts};

/// How the end of a received body is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Framing {
    Empty,
    Length(u64),
    Chunked,
    UntilClose,
}

/// The body of a request.
pub(super) fn request_framing(version: Version, facts: &Facts) -> Result<Framing, ReceiveError> {
    // RFC 9112 §3.2: HTTP/1.1 has exactly one Host, HTTP/1.0 at most one.
    match (facts.hosts, version) {
        (0, Version::Http11) => return Err(ReceiveError::HostMissing),
        (0 | 1, _) => {}
        _ => return Err(ReceiveError::HostRepeated),
    }
    if facts.host_invalid {
        return Err(ReceiveError::HostInvalid);
    }
    let framing = match coded(version, facts)? {
        Some(framing) => framing,
        // §6.3 rule 6, and rule 7: a request without either has no body.
        None => facts.content_length.map_or(Framing::Empty, sized),
    };
    // RFC 9110 §10.1.1: an expectation that is not understood is 417.
    if facts.expect == Expect::Unknown {
        return Err(ReceiveError::ExpectationUnknown);
    }
    Ok(framing)
}

/// The body of a final response to `method`.
pub(super) fn response_framing(
    method: &Method,
    status: Status,
    version: Version,
    facts: &Facts,
) -> Result<Framing, ReceiveError> {
    // §6.3 rules 1 and 2: whatever the fields say.
    if *method == Method::Head || status.forbids_body() || (*method == Method::Connect && status.is_success()) {
        return Ok(Framing::Empty);
    }
    match coded(version, facts)? {
        Some(framing) => Ok(framing),
        // Rules 6 and 8.
        None => Ok(facts.content_length.map_or(Framing::UntilClose, sized)),
    }
}

fn sized(length: u64) -> Framing {
    if length == 0 { Framing::Empty } else { Framing::Length(length) }
}

/// §6.1 and §6.3 rules 3 and 4: what `Transfer-Encoding` says, for both sides. A response in an unknown coding could
/// be read until close, but not understood: it is refused too.
fn coded(version: Version, facts: &Facts) -> Result<Option<Framing>, ReceiveError> {
    match facts.coding {
        Coding::None => Ok(None),
        _ if version == Version::Http10 => Err(ReceiveError::TransferEncodingInOldVersion),
        Coding::Malformed | Coding::Other => Err(ReceiveError::TransferEncodingInvalid),
        Coding::OtherThenChunked => Err(ReceiveError::TransferEncodingUnsupported),
        Coding::Chunked if facts.content_length.is_some() => Err(ReceiveError::LengthAndCoding),
        Coding::Chunked => Ok(Some(Framing::Chunked)),
    }
}

/// RFC 9112 §9.3: whether the connection persists after this message, as far as its sender is concerned.
pub(super) fn persists(version: Version, facts: &Facts) -> bool {
    match version {
        _ if facts.close => false,
        Version::Http11 => true,
        Version::Http10 => facts.keep_alive,
    }
}
