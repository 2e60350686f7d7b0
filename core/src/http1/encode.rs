//! What is written: start lines, fields, chunks. Framing fields are the machine's alone, so that a head and its body
//! cannot disagree; the caller's fields of these names are left out.

use bytes::Bytes;

use crate::{Headers, SendQueue, Status};

/// `HTTP/1.1 200 OK`.
pub(super) fn status_line(queue: &mut SendQueue, status: Status) {
    if status == Status::OK {
        return queue.put_slice(b"HTTP/1.1 200 OK\r\n");
    }
    queue.put_slice(b"HTTP/1.1 ");
    queue.put_decimal(u64::from(status.code()));
    queue.put_slice(b" ");
    queue.put_slice(status.reason().as_bytes());
    queue.put_slice(b"\r\n");
}

/// The caller's fields, but those that `is_ours` claims.
#[inline]
pub(super) fn fields(queue: &mut SendQueue, headers: &Headers, is_ours: impl Fn(&[u8]) -> bool) {
    for (name, value) in headers.fields() {
        if !is_ours(name) {
            queue.put_field(name, value);
        }
    }
}

/// Whether the machine writes this field itself.
#[inline]
pub(super) fn is_framing(name: &[u8]) -> bool {
    match name.len() {
        10 => name.eq_ignore_ascii_case(b"connection"),
        14 => name.eq_ignore_ascii_case(b"content-length"),
        17 => name.eq_ignore_ascii_case(b"transfer-encoding"),
        _ => false,
    }
}

/// `Date`, if the caller has a clock, and the empty line.
#[inline]
pub(super) fn date_and_end(queue: &mut SendQueue, date: Option<&[u8; 29]>) {
    if let Some(date) = date {
        queue.put_slice(b"Date: ");
        queue.put_slice(date);
        queue.put_slice(b"\r\n\r\n");
    } else {
        queue.put_slice(b"\r\n");
    }
}

/// `Content-Length: n`.
pub(super) fn content_length(queue: &mut SendQueue, length: u64) {
    queue.put_slice(b"Content-Length: ");
    queue.put_decimal(length);
    queue.put_slice(b"\r\n");
}

/// One chunk (RFC 9112 §7.1).
pub(super) fn chunk(queue: &mut SendQueue, data: Bytes) {
    queue.put_hexadecimal(data.len() as u64);
    queue.put_slice(b"\r\n");
    queue.put_bytes(data);
    queue.put_slice(b"\r\n");
}

/// The last chunk, with trailers. Fields that frame or route a message may not be there (RFC 9110 §6.5.1).
pub(super) fn last_chunk(queue: &mut SendQueue, trailers: Option<&Headers>) {
    let Some(trailers) = trailers else { return queue.put_slice(b"0\r\n\r\n") };
    queue.put_slice(b"0\r\n");
    fields(queue, trailers, |name| is_framing(name) || name.eq_ignore_ascii_case(b"host"));
    queue.put_slice(b"\r\n");
}
