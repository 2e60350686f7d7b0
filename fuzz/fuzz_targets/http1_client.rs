//! Any bytes into a client machine that has sent requests, cut in any way: the same events, no panic, bounded memory
//! (counted).
//!
//! The last byte of the input picks the cuts, the limits, the requests and whether the connection ends; the rest is
//! what the peer sends. The host's part is played by the test support of `core/tests/http1`. Run it with
//! `cargo +nightly fuzz run http1_client -- -dict=fuzz/http1.dict`.
#![no_main]

#[path = "../../core/tests/http1/client_run.rs"]
mod client_run;
#[path = "../../core/tests/http1/feed.rs"]
mod feed;
#[path = "../../core/tests/http1/listing.rs"]
mod listing;
#[path = "../memory.rs"]
mod memory;
#[path = "../../core/tests/http1/text.rs"]
mod text;
#[path = "../tight.rs"]
mod tight;

use std::sync::Arc;

use bytes::{Buf, BytesMut};
use callboard_core::http1::{ClientConnection, Request};
use callboard_core::{BodyLength, Headers, Instant, Limits, Method, Protocol, Random, Version};
use feed::Feed;
use libfuzzer_sys::fuzz_target;
use listing::events;
use memory::{hold_at_most, stream};
use tight::HELD_PIECE;

/// The longest piece that a random cut makes.
const PIECE: usize = 2_000;

/// What the client asks for, a request per line.
const REQUESTS: [&str; 4] = [
    "GET / HTTP/1.1; Host: a\nGET /2 HTTP/1.1; Host: a\nGET /3 HTTP/1.1; Host: a",
    "HEAD / HTTP/1.1; Host: a\nGET / HTTP/1.1; Host: a; Connection: upgrade; Upgrade: test",
    "POST / HTTP/1.1; Host: a; Expect: 100-continue; body 5\nPOST / HTTP/1.1; Host: a; body chunked",
    "CONNECT b:1 HTTP/1.1; Host: b:1",
];

/// What a machine holds while a host asks as often as it can, reads as long as it is told to, and drops what comes.
fn hold(stream: &[u8]) {
    let (limits, bound) = tight::limits();
    let (now, limits, headers) = (Instant::EPOCH, Arc::new(limits), Headers::new());
    let request = Request { method: &Method::Get, target: "/", version: Version::Http11, headers: &headers };
    hold_at_most(bound, || {
        let mut client = ClientConnection::new(limits, now);
        let mut input = BytesMut::new();
        for piece in stream.chunks(HELD_PIECE) {
            if client.is_reusable().is_ok() {
                client.send_request(&request, BodyLength::Empty, now).expect("it can be used again");
            }
            let queue = client.outgoing();
            queue.advance(queue.remaining());
            if !client.wants_input() || client.is_finished() {
                break;
            }
            input.extend_from_slice(piece);
            client.handle_input(&mut input, now);
            while client.poll_event().is_some() {
                client.handle_input(&mut input, now);
            }
        }
    });
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&control, input)) = bytes.split_last() else { return };
    let (ends, is_small, random) = (control & 1 == 1, control & 2 == 2, Random::from_seed(u64::from(control)));
    let requests = REQUESTS[usize::from(control >> 2 & 3)];
    let mut limits = Limits::default();
    if is_small {
        (limits.start_line, limits.head, limits.header_count, limits.exchanges) = (40, 120, 4, 3);
        (limits.chunk_line, limits.chunk_extensions, limits.trailers, limits.receive_buffer) = (12, 20, 30, 100);
        limits.informational = 2;
    }
    let waits = limits.head.max(limits.trailers).max(limits.receive_buffer) + PIECE;
    let limits = Arc::new(limits);
    let whole = client_run::run(requests, input, ends, &limits, Feed::Whole).listing;
    for feed in [Feed::Bytes, Feed::Random(random.clone()), Feed::Shuffled(random)] {
        let outcome = client_run::run(requests, input, ends, &limits, feed);
        assert_eq!(outcome.listing, whole);
        assert!(outcome.waiting <= waits, "{} bytes wait", outcome.waiting);
    }
    let early = client_run::run(requests, input, ends, &limits, Feed::EndFirst).listing;
    assert_eq!(events(&early), events(&whole));
    if let Some(stream) = stream(input, control) {
        hold(&stream);
    }
});
