//! Any bytes into a WebSocket machine, cut in any way, with and without permessage-deflate, on both sides: the same
//! events and answers, declared errors only, bounded memory (counted); and what one side writes the other reads. Any
//! fields into the handshake of both sides: what a server accepts its client confirms, and both then understand.
//!
//! The first byte of the input picks the side, the limits and the cuts; the rest is what the peer sends.
#![no_main]

#[path = "../memory.rs"]
mod memory;

use std::sync::Arc;

use bytes::{Buf, BytesMut};
use callboard_core::websocket::handshake::{ClientHandshake, ServerHandshake};
use callboard_core::websocket::{Agreement, Compression, Connection, Event, Message, Role, Settings};
use callboard_core::{Headers, Instant, Method, Protocol, Random, Status, Version, header};
use libfuzzer_sys::fuzz_target;
use memory::{hold_at_most, stream};

/// The longest piece that a random cut makes.
const PIECE: u64 = 300;

fn settings(is_small: bool) -> Settings {
    let compression = Some(Compression { threshold: 0, ratio_grace: 2_000, ratio: 50, ..Compression::default() });
    let settings = Settings { compression, ..Settings::default() };
    if is_small { Settings { max_message: 200, max_frame: 150, max_fragments: 5, ..settings } } else { settings }
}

/// Bytes that a machine with small limits may hold at once: two windows and tables of zlib, the queue of answers to
/// pings, the input at hand, and little else. A message is no part of it.
const MEMORY: usize = 1_500_000;

/// What the handshake of both sides agrees on.
fn agreements(settings: &Settings) -> (Agreement, Agreement) {
    let client = ClientHandshake::new([1, 2], &[], settings);
    let server = ServerHandshake::read(&Method::Get, Version::Http11, client.headers()).expect("our own request");
    let (headers, theirs) = server.accept(None, settings);
    (client.check(Status::SWITCHING_PROTOCOLS, &headers).expect("our own answer"), theirs)
}

struct Run {
    events: Vec<Event>,
    sent: Vec<u8>,
}

fn run(role: Role, settings: &Arc<Settings>, agreement: &Agreement, bytes: &[u8], mut cut: Option<Random>) -> Run {
    let now = Instant::EPOCH;
    let mut machine = Connection::new(role, settings.clone(), agreement, [3, 4], now);
    let (mut input, mut events, mut sent, mut rest) = (BytesMut::new(), Vec::new(), Vec::new(), bytes);
    let mut total = 0;
    loop {
        let most = cut.as_mut().map_or(u64::MAX, |random| random.below(PIECE) + 1);
        let count = usize::try_from(most).unwrap_or(usize::MAX).min(rest.len());
        input.extend_from_slice(&rest[..count]);
        rest = &rest[count..];
        let is_end = rest.is_empty();
        loop {
            machine.handle_input(&mut input, now);
            match machine.poll_event() {
                Some(event) => {
                    if let Event::Message(message) = &event {
                        assert!(message.len() <= settings.max_message);
                        total += message.len();
                        let _ = machine.send(message.clone(), now);
                    }
                    events.push(event);
                }
                None => break,
            }
            let queue = machine.outgoing();
            let length = queue.len();
            sent.extend_from_slice(&queue.copy_to_bytes(length));
        }
        assert!(input.len() <= settings.max_frame + 14, "{} bytes wait", input.len());
        let queue = machine.outgoing();
        let length = queue.len();
        sent.extend_from_slice(&queue.copy_to_bytes(length));
        if is_end {
            break;
        }
    }
    machine.handle_end_of_input(now);
    while let Some(event) = machine.poll_event() {
        events.push(event);
    }
    assert!(machine.is_finished());
    assert!(matches!(events.last(), Some(Event::Closed(_))), "an end without a report");
    assert!(total <= 64 * 1024 * 1024);
    Run { events, sent }
}

/// What a machine holds at most, whatever comes, while its answers are taken.
fn hold(role: Role, agreement: &Agreement, bytes: &[u8]) {
    let settings = Arc::new(settings(true));
    hold_at_most(MEMORY, || {
        let now = Instant::EPOCH;
        let mut machine = Connection::new(role, settings.clone(), agreement, [3, 4], now);
        let mut input = BytesMut::new();
        for piece in bytes.chunks(200) {
            input.extend_from_slice(piece);
            machine.handle_input(&mut input, now);
            while machine.poll_event().is_some() {
                machine.handle_input(&mut input, now);
            }
            let length = machine.outgoing().len();
            machine.outgoing().advance(length);
        }
    });
}

/// The input as the extensions and subprotocols of a client and of a server.
fn shake_hands(bytes: &[u8]) {
    let settings = settings(false);
    let client = ClientHandshake::new([1, 2], &["chat", "super.chat"], &settings);
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let (extensions, protocols) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let mut asked = client.headers().clone();
    if asked.set(header::SEC_WEBSOCKET_EXTENSIONS, extensions).is_err()
        || asked.set(header::SEC_WEBSOCKET_PROTOCOL, protocols).is_err()
    {
        return;
    }
    if let Ok(server) = ServerHandshake::read(&Method::Get, Version::Http11, &asked) {
        let protocol = server.protocols().next().map(str::to_owned);
        let (headers, agreement) = server.accept(protocol.as_deref(), &settings);
        assert_eq!(agreement.protocol.as_deref(), protocol.as_deref());
        assert_eq!(agreement.is_compressed(), headers.contains(header::SEC_WEBSOCKET_EXTENSIONS));
    }
    // The same as the answer of a server: nothing is agreed on that was not offered.
    let server = ServerHandshake::read(&Method::Get, Version::Http11, client.headers()).expect("our own request");
    let (good, _) = server.accept(None, &settings);
    let mut answered: Headers = good.clone();
    let _ = answered.set(header::SEC_WEBSOCKET_EXTENSIONS, extensions);
    let _ = answered.set(header::SEC_WEBSOCKET_PROTOCOL, protocols);
    if let Ok(agreement) = client.check(Status::SWITCHING_PROTOCOLS, &answered) {
        assert!(agreement.protocol.is_none_or(|protocol| ["chat", "super.chat"].contains(&&*protocol)));
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&control, input)) = bytes.split_first() else { return };
    shake_hands(input);
    let settings = Arc::new(settings(control & 1 == 1));
    let role = if control & 2 == 2 { Role::Client } else { Role::Server };
    let (client, server) = agreements(&settings);
    let plain = Agreement::default();
    let agreed = if role == Role::Client { &client } else { &server };
    let agreement = if control & 4 == 4 { agreed } else { &plain };
    let whole = run(role, &settings, agreement, input, None);
    for seed in 0..3 {
        let cut = run(role, &settings, agreement, input, Some(Random::from_seed(seed * 256 + u64::from(control))));
        assert_eq!(cut.events, whole.events);
        assert_eq!(cut.sent, whole.sent);
    }

    if let Some(stream) = stream(input, control) {
        hold(role, agreement, &stream);
    }

    // What the other side writes, this one reads.
    let other = if role == Role::Client { Role::Server } else { Role::Client };
    let (theirs, limits) = (if other == Role::Client { &client } else { &server }, Arc::new(self::settings(false)));
    let now = Instant::EPOCH;
    let mut writer = Connection::new(other, limits.clone(), theirs, [5, 6], now);
    let messages: Vec<Message> = input.chunks(1 + usize::from(control)).map(|part| part.to_vec().into()).collect();
    let mut wire = Vec::new();
    for message in &messages {
        let _ = writer.send(message.clone(), now);
        let length = writer.outgoing().len();
        wire.extend_from_slice(&writer.outgoing().copy_to_bytes(length));
    }
    let read = run(role, &limits, agreed, &wire, Some(Random::from_seed(u64::from(control))));
    let got = read.events.iter().filter_map(|event| match event {
        Event::Message(message) => Some(message),
        _ => None,
    });
    assert!(got.eq(messages.iter()), "what was written was read as something else");
});
