//! Which responses a coding may be applied to.

use callboard_core::{Headers, Status, header};

use crate::Response;

/// Fields that say something of the bytes as they are: an encoded body would belie them.
const DIGESTS: [&str; 4] = ["Content-Digest", "Repr-Digest", "Digest", "Content-MD5"];

/// Types beyond `text/…`, `…+json`, `…+xml` and `…+text` that are not compressed in themselves.
const TYPES: [&str; 17] = [
    "application/json",
    "application/javascript",
    "application/ecmascript",
    "application/xml",
    "application/xml-dtd",
    "application/wasm",
    "application/x-ndjson",
    "application/jsonl",
    "application/rtf",
    "application/sql",
    "application/graphql",
    "application/x-www-form-urlencoded",
    "application/vnd.ms-fontobject",
    "font/ttf",
    "font/otf",
    "image/bmp",
    "image/x-icon",
];

/// Whether a body may be encoded, its size apart.
pub(super) fn is_eligible(response: &Response) -> bool {
    let (status, headers) = (response.status(), response.headers());
    // RFC 9110 §14.4: a range is one of the encoded representation.
    let is_partial = status == Status::PARTIAL_CONTENT || headers.contains(header::CONTENT_RANGE);
    let is_coded = headers.contains(header::CONTENT_ENCODING);
    // RFC 9111 §5.2.2.6.
    let is_fixed = headers.has_token(header::CACHE_CONTROL, "no-transform");
    let has_digest = DIGESTS.iter().any(|name| headers.contains(name));
    !(status.forbids_body() || status.is_informational() || response.has_takeover())
        && !(is_partial || is_coded || is_fixed || has_digest)
        && headers.text(header::CONTENT_TYPE).is_some_and(is_compressible)
}

/// Server-sent events have to arrive as they are sent.
pub(super) fn is_event_stream(headers: &Headers) -> bool {
    headers.text(header::CONTENT_TYPE).is_some_and(|value| essence(value).eq_ignore_ascii_case("text/event-stream"))
}

fn is_compressible(content_type: &str) -> bool {
    let essence = essence(content_type).to_ascii_lowercase();
    let is_text = essence.starts_with("text/") || ["+json", "+xml", "+text"].iter().any(|end| essence.ends_with(end));
    is_text || TYPES.contains(&essence.as_str())
}

/// The type without its parameters.
fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}
