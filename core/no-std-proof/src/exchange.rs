//! What the proof runs: two requests on one kept connection, through the server machine and back.

use alloc::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use callboard_core::http1::{Response, ServerConnection, ServerEvent};
use callboard_core::{BodyLength, Headers, Instant, Limits, Protocol, Status, header};

const REQUESTS: &[u8] = b"GET /one HTTP/1.1\r\nHost: a\r\n\r\n\
    POST /two HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";

const ANSWERS: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n/one\
    HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

/// Whether all went as it should.
pub fn succeeds() -> bool {
    let now = Instant::EPOCH;
    let mut server = ServerConnection::new(Arc::new(Limits::default()), now);
    let mut input = BytesMut::from(REQUESTS);
    for _ in 0..8 {
        server.handle_input(&mut input, now);
        while let Some(event) = server.poll_event() {
            if answer(&mut server, event, now).is_none() {
                return false;
            }
        }
    }
    let queue = server.outgoing();
    let sent = queue.copy_to_bytes(queue.remaining());
    sent == ANSWERS && input.is_empty() && server.wants_half_close()
}

/// Answers a request without a body with its path, and a body with itself. `None`: something is wrong.
fn answer(server: &mut ServerConnection, event: ServerEvent, now: Instant) -> Option<()> {
    let mut headers = Headers::new();
    headers.append(header::CONTENT_TYPE, "text/plain").ok()?;
    let response = Response { status: Status::OK, headers: &headers, date: None };
    match event {
        ServerEvent::Request { exchange, head, body: BodyLength::Empty, .. } => {
            let path = Bytes::copy_from_slice(head.target.path().as_bytes());
            server.respond(exchange, &response, BodyLength::Known(path.len() as u64), now).ok()?;
            server.send_data(exchange, path, now).ok()?;
            server.finish(exchange, None, now).ok()
        }
        ServerEvent::Request { .. } => Some(()),
        ServerEvent::Data { exchange, data } => {
            server.respond(exchange, &response, BodyLength::Known(data.len() as u64), now).ok()?;
            server.send_data(exchange, data, now).ok()
        }
        ServerEvent::End { exchange, .. } => server.finish(exchange, None, now).ok(),
        _ => None,
    }
}
