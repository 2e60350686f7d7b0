//! Any bytes into a server machine, cut in any way: the same events and the same answers, no panic, bounded memory
//! (counted).
//!
//! The last byte of the input picks the cuts, the limits and whether the connection ends; the rest is what the peer
//! sends. The host's part is played by the test support of `core/tests/http1`. Run it with
//! `cargo +nightly fuzz run http1_server -- -dict=fuzz/http1.dict`.
#![no_main]

#[path = "../../core/tests/http1/feed.rs"]
mod feed;
#[path = "../../core/tests/http1/listing.rs"]
mod listing;
#[path = "../memory.rs"]
mod memory;
#[path = "../../core/tests/http1/server_run.rs"]
mod server_run;
#[path = "../../core/tests/http1/text.rs"]
mod text;
#[path = "../tight.rs"]
mod tight;

use std::sync::Arc;

use bytes::{Buf, BytesMut};
use callboard_core::http1::{Response, ServerConnection, ServerEvent};
use callboard_core::{BodyLength, Headers, Instant, Limits, Protocol, Random, Status};
use feed::Feed;
use libfuzzer_sys::fuzz_target;
use listing::events;
use memory::{hold_at_most, stream};
use tight::HELD_PIECE;

/// The longest piece that a random cut makes.
const PIECE: usize = 2_000;

/// What a machine holds while a host reads as long as it is asked to, answers, and drops what is reported.
fn hold(stream: &[u8]) {
    let (limits, bound) = tight::limits();
    let (now, limits) = (Instant::EPOCH, Arc::new(limits));
    hold_at_most(bound, || {
        let mut server = ServerConnection::new(limits, now);
        let mut input = BytesMut::new();
        for piece in stream.chunks(HELD_PIECE) {
            if !server.wants_input() {
                break;
            }
            input.extend_from_slice(piece);
            loop {
                server.handle_input(&mut input, now);
                let Some(event) = server.poll_event() else { break };
                let answer = match event {
                    ServerEvent::Request { exchange, body: BodyLength::Empty, .. }
                    | ServerEvent::End { exchange, .. } => Some((exchange, Status::OK)),
                    ServerEvent::Failed { exchange, error, answerable: true } => Some((exchange, error.status())),
                    _ => None,
                };
                if let Some((exchange, status)) = answer {
                    let response = Response { status, headers: &Headers::new(), date: None };
                    server.respond(exchange, &response, BodyLength::Empty, now).expect("it waits for an answer");
                }
                let queue = server.outgoing();
                queue.advance(queue.remaining());
            }
        }
    });
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&control, input)) = bytes.split_last() else { return };
    let (ends, is_small, random) = (control & 1 == 1, control & 2 == 2, Random::from_seed(u64::from(control)));
    // How much is read while lingering depends on what a failure had already thrown away: no event tells.
    let mut limits = Limits { linger_bytes: u64::MAX, ..Limits::default() };
    if is_small {
        (limits.start_line, limits.head, limits.header_count, limits.exchanges) = (40, 120, 4, 3);
        (limits.chunk_line, limits.chunk_extensions, limits.trailers, limits.receive_buffer) = (12, 20, 30, 100);
    }
    let waits = limits.head.max(limits.trailers).max(limits.receive_buffer) + PIECE;
    let limits = Arc::new(limits);
    let whole = server_run::run(input, ends, &limits, Feed::Whole).listing;
    for feed in [Feed::Bytes, Feed::Random(random.clone()), Feed::Shuffled(random)] {
        let outcome = server_run::run(input, ends, &limits, feed);
        assert_eq!(outcome.listing, whole);
        assert!(outcome.waiting <= waits, "{} bytes wait", outcome.waiting);
    }
    let early = server_run::run(input, ends, &limits, Feed::EndFirst).listing;
    assert_eq!(events(&early), events(&whole));
    if let Some(stream) = stream(input, control) {
        hold(&stream);
    }
});
