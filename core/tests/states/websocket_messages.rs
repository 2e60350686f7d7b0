//! How a WebSocket puts messages together: frames, fragments, compressed frames, and control frames between them.

use callboard_core::websocket::handshake::{ClientHandshake, ServerHandshake};
use callboard_core::websocket::{Compression, FrameHead, Opcode, Role, Settings};
use callboard_core::{Method, Version};

use crate::table::{Step, Table, situations};
use crate::websocket::Side;

/// "Hello" as RFC 7692 section 7.2.3.1 has it.
const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\x00";

/// What has come of a message.
const SITUATIONS: [Step<Side>; 11] = [
    ("nothing", |_| {}),
    ("the head of a frame, in part", |side| side.receive_bytes(b"\x81")),
    ("half of a message in one frame", |side| side.receive_part(Opcode::Text, b"abcd", 8)),
    ("the first fragment of a text", |side| side.receive(false, Opcode::Text, b"abcd")),
    ("a first fragment that ends inside a character", |side| side.receive(false, Opcode::Text, b"abc\xe2")),
    ("the first fragment of bytes", |side| side.receive(false, Opcode::Binary, b"abcd")),
    ("three fragments, the most that are accepted", |side| {
        side.receive(false, Opcode::Text, b"abcd");
        side.receive(false, Opcode::Continuation, b"abcd");
        side.receive(false, Opcode::Continuation, b"abcd");
    }),
    ("half of the last fragment", |side| {
        side.receive(false, Opcode::Text, b"abcd");
        side.receive_part(Opcode::Continuation, b"abcd", 8);
    }),
    ("half of a ping", |side| side.receive_part(Opcode::Ping, b"abcd", 8)),
    ("half of a ping between fragments", |side| {
        side.receive(false, Opcode::Text, b"abcd");
        side.receive_part(Opcode::Ping, b"abcd", 8);
    }),
    ("the first fragment of a compressed text", |side| side.receive_compressed(false, Opcode::Text, &HELLO[..3])),
];

/// What can come next.
const EVENTS: [Step<Side>; 22] = [
    ("text", |side| side.receive(true, Opcode::Text, b"abcd")),
    ("an empty text", |side| side.receive(true, Opcode::Text, b"")),
    ("a first fragment of text", |side| side.receive(false, Opcode::Text, b"abcd")),
    ("bytes", |side| side.receive(true, Opcode::Binary, b"\xff\xff\xff\xff")),
    ("a first fragment of bytes", |side| side.receive(false, Opcode::Binary, b"\xff\xff\xff\xff")),
    ("a fragment", |side| side.receive(false, Opcode::Continuation, b"abcd")),
    ("the last fragment", |side| side.receive(true, Opcode::Continuation, b"abcd")),
    ("an empty last fragment", |side| side.receive(true, Opcode::Continuation, b"")),
    ("a last fragment that completes a character", |side| side.receive(true, Opcode::Continuation, b"\x82\xac")),
    ("a last fragment that is no UTF-8", |side| side.receive(true, Opcode::Continuation, b"\xff")),
    ("a compressed text", |side| side.receive_compressed(true, Opcode::Text, HELLO)),
    ("a first fragment of compressed text", |side| side.receive_compressed(false, Opcode::Text, &HELLO[..3])),
    ("the rest of a compressed text", |side| side.receive(true, Opcode::Continuation, &HELLO[3..])),
    ("a compressed fragment", |side| side.receive_compressed(true, Opcode::Continuation, HELLO)),
    ("a compressed text that does not decode", |side| side.receive_compressed(true, Opcode::Text, b"\xff\xff\xff\xff")),
    ("the head of a message too big", |side| side.receive_head(announce(Opcode::Binary, 21))),
    ("the head of a frame too big", |side| side.receive_head(announce(Opcode::Continuation, 31))),
    ("the head of a fragment that makes it too big", |side| side.receive_head(announce(Opcode::Continuation, 17))),
    ("4 bytes", |side| side.receive_masked(b"efgh")),
    ("a ping", |side| side.receive(true, Opcode::Ping, b"p")),
    ("a fragmented ping", |side| side.receive(false, Opcode::Ping, b"p")),
    ("close 1000", |side| side.receive(true, Opcode::Close, b"\x03\xe8")),
];

fn announce(opcode: Opcode, length: u64) -> FrameHead {
    FrameHead { is_final: true, is_compressed: false, opcode, mask: None, length }
}

fn new() -> Side {
    let compression = Some(Compression::default());
    let settings = Settings { max_message: 20, max_frame: 30, max_fragments: 3, compression, ..Settings::default() };
    let client = ClientHandshake::new([1, 2], &[], &settings);
    let server = ServerHandshake::read(&Method::Get, Version::Http11, client.headers()).unwrap();
    let (_, agreement) = server.accept(None, &settings);
    Side::new(Role::Server, settings, &agreement)
}

pub(crate) fn table() -> Table {
    Table {
        name: "websocket_messages",
        title: "WebSocket, how messages are put together (RFC 6455 section 5.4, RFC 7692 section 6)",
        about: "A server with permessage-deflate that accepts messages of 20 bytes, frames of 30 and three fragments. \
            Inside of a frame, all that comes is its payload.",
        parts: &["The life of the connection", "What is received"],
        situations: situations(new, &SITUATIONS, &EVENTS),
    }
}
