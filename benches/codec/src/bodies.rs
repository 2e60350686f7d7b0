//! Bodies in chunks, read in place: httparse's size parser in a loop, and callboard's whole connection.
//!
//! The connection reports every chunk as an event of its own, with a share of the buffer. `pieces` is the same without
//! chunk heads: as many events of a body by length, so the difference is what a chunk head adds.

use std::hint::black_box;
use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use callboard_core::http1::{Response, ServerConnection, ServerEvent};
use callboard_core::{BodyLength, Headers, Instant, Limits, Protocol, Status};

/// How many chunks, of how many bytes.
#[derive(Clone, Copy)]
pub struct Shape {
    count: usize,
    size: usize,
}

/// 1 MiB in chunks of 16 KiB.
pub const LARGE: Shape = Shape { count: 64, size: 16 * 1024 };
/// 64 KiB in chunks of 64 bytes.
pub const SMALL: Shape = Shape { count: 1024, size: 64 };

fn chunked(shape: Shape) -> Vec<u8> {
    let mut body = Vec::new();
    for _ in 0..shape.count {
        body.extend_from_slice(format!("{:x}\r\n", shape.size).as_bytes());
        body.resize(body.len() + shape.size, b'x');
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"0\r\n\r\n");
    body
}

/// Steps from head to head.
pub fn httparse_sizes(shape: Shape) -> Box<dyn FnMut()> {
    let body = chunked(shape);
    Box::new(move || {
        let (mut place, mut total) = (0, 0);
        loop {
            let status = httparse::parse_chunk_size(black_box(&body[place..])).expect("a valid head");
            let httparse::Status::Complete((head, size)) = status else { panic!("a whole head") };
            if size == 0 {
                break;
            }
            total += size;
            place += head + usize::try_from(size).expect("a short chunk") + 2;
        }
        black_box(total);
    })
}

/// A connection that reads and answers one request after the other.
struct Host {
    connection: ServerConnection,
    headers: Headers,
    pieces: usize,
}

impl Host {
    fn new() -> Self {
        let connection = ServerConnection::new(Arc::new(Limits::default()), Instant::EPOCH);
        Self { connection, headers: Headers::new(), pieces: 0 }
    }

    fn read(&mut self, input: &mut BytesMut) {
        loop {
            self.connection.handle_input(input, Instant::EPOCH);
            let Some(event) = self.connection.poll_event() else { return };
            self.take(event);
        }
    }

    fn take(&mut self, event: ServerEvent) {
        match event {
            ServerEvent::Data { data, .. } => {
                self.pieces += 1;
                black_box(data);
            }
            ServerEvent::End { exchange, .. } => {
                let response = Response { status: Status::OK, headers: &self.headers, date: None };
                let answered = self.connection.respond(exchange, &response, BodyLength::Empty, Instant::EPOCH);
                answered.expect("an open exchange");
                self.connection.outgoing().clear();
            }
            ServerEvent::Request { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

/// All chunks are at hand, as one read of a large buffer brings them.
pub fn callboard_chunks(shape: Shape) -> Box<dyn FnMut()> {
    let mut wire = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    wire.extend(chunked(shape));
    let mut host = Host::new();
    let mut input = BytesMut::with_capacity(2 * wire.len());
    Box::new(move || {
        refill(&mut input, &wire);
        host.pieces = 0;
        host.read(&mut input);
        while let Some(event) = host.connection.poll_event() {
            host.take(event);
        }
        assert_eq!(host.pieces, shape.count);
    })
}

/// The same bytes of body by length, fed one piece at a time from the same buffer.
pub fn callboard_pieces(shape: Shape) -> Box<dyn FnMut()> {
    let mut wire = Vec::new();
    let length = shape.count * shape.size;
    wire.extend(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n").bytes());
    let head = wire.len();
    wire.resize(head + length, b'x');
    let mut host = Host::new();
    let mut input = BytesMut::with_capacity(2 * wire.len());
    Box::new(move || {
        refill(&mut input, &wire);
        host.pieces = 0;
        let mut first = input.split_to(head);
        host.read(&mut first);
        for _ in 0..shape.count {
            let mut piece = input.split_to(shape.size);
            host.read(&mut piece);
        }
        assert_eq!(host.pieces, shape.count);
    })
}

/// Everything that was cut off is dropped by now, so the room is found again without an allocation.
fn refill(input: &mut BytesMut, wire: &[u8]) {
    input.clear();
    input.reserve(wire.len());
    input.put_slice(wire);
}
