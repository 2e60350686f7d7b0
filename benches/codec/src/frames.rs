//! WebSocket frames of a client, each a whole binary message: read and unmasked.
//!
//! All readers get the same bytes and copy them in once. `in_place` reads heads and unmasks where the bytes lie, as
//! the machine of a connection does inside; the connection reports every message as an event with a share of the
//! buffer.

use std::hint::black_box;
use std::io::{self, Read, Write};
use std::sync::Arc;

use bytes::BytesMut;
use callboard_core::websocket::{Agreement, Connection, Event, FrameHead, Opcode, Role, Settings, apply_mask};
use callboard_core::{Instant, Protocol};

/// How many frames, of how many bytes.
#[derive(Clone, Copy)]
pub struct Shape {
    pub count: usize,
    size: usize,
}

/// Frames as of a chat.
pub const SMALL: Shape = Shape { count: 256, size: 32 };
/// Frames of a page.
pub const LARGE: Shape = Shape { count: 256, size: 4096 };

fn wire(shape: Shape) -> Vec<u8> {
    let mask = Some([0x37, 0xfa, 0x21, 0x3d]);
    let length = u64::try_from(shape.size).expect("a short frame");
    let head = FrameHead { is_final: true, is_compressed: false, opcode: Opcode::Binary, mask, length };
    let mut buffer = [0; 14];
    let size = head.write(&mut buffer);
    let mut wire = Vec::new();
    for _ in 0..shape.count {
        wire.extend_from_slice(&buffer[..size]);
        wire.resize(wire.len() + shape.size, 0x55);
    }
    wire
}

/// callboard's head and mask, in place.
pub fn in_place(shape: Shape) -> Box<dyn FnMut()> {
    let wire = wire(shape);
    let mut input = vec![0; wire.len()];
    Box::new(move || {
        input.copy_from_slice(black_box(&wire));
        let mut rest = input.as_mut_slice();
        let mut count = 0;
        while let Some((head, size)) = FrameHead::read(rest).expect("a valid head") {
            let length = usize::try_from(head.length).expect("a short frame");
            let (frame, after) = rest.split_at_mut(size + length);
            if let Some(key) = head.mask {
                apply_mask(&mut frame[size..], key, 0);
            }
            (rest, count) = (after, count + 1);
        }
        assert_eq!(count, shape.count);
        black_box(&input);
    })
}

/// callboard's machine.
pub fn connection(shape: Shape) -> Box<dyn FnMut()> {
    let wire = wire(shape);
    let settings = Arc::new(Settings { ping_interval: None, ..Settings::default() });
    let mut machine = Connection::new(Role::Server, settings, &Agreement::default(), [1, 2], Instant::EPOCH);
    let mut input = BytesMut::with_capacity(2 * wire.len());
    Box::new(move || {
        input.clear();
        input.reserve(wire.len());
        input.extend_from_slice(black_box(&wire));
        let mut count = 0;
        loop {
            machine.handle_input(&mut input, Instant::EPOCH);
            let Some(event) = machine.poll_event() else { break };
            assert!(matches!(event, Event::Message(_)), "{event:?}");
            black_box(event);
            count += 1;
        }
        assert_eq!(count, shape.count);
    })
}

/// A stream that gives all bytes and takes none.
struct Source<'a>(&'a [u8]);

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Source<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// tungstenite, on one connection for each call: it owns its stream.
pub fn tungstenite(shape: Shape) -> Box<dyn FnMut()> {
    use tungstenite::protocol::{Role, WebSocket};

    let wire = wire(shape);
    Box::new(move || {
        let mut socket = WebSocket::from_raw_socket(Source(black_box(&wire)), Role::Server, None);
        for _ in 0..shape.count {
            black_box(socket.read().expect("a message"));
        }
    })
}

/// fastwebsockets, the same.
pub fn fastwebsockets(shape: Shape) -> Box<dyn FnMut()> {
    use fastwebsockets::{Role, WebSocket};

    let wire = wire(shape);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    Box::new(move || {
        runtime.block_on(async {
            let stream = tokio::io::join(black_box(&wire[..]), tokio::io::sink());
            let mut socket = WebSocket::after_handshake(stream, Role::Server);
            for _ in 0..shape.count {
                black_box(socket.read_frame().await.expect("a frame"));
            }
        });
    })
}
