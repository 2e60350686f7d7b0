//! For any input, cut in any way: the same events and the same answers; no panic; what waits is bounded.

use callboard_core::websocket::{Agreement, Event, Opcode, Role, Settings};
use callboard_core::{Protocol, Random};

use super::side::{Side, below, frame};

fn settings() -> Settings {
    Settings { max_message: 5_000, max_frame: 4_000, max_fragments: 20, ..Settings::default() }
}

/// A stream of frames of a client, mostly legal, with damage now and then.
fn stream(random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut is_open = false;
    for _ in 0..random.below(20) {
        let opcode = match random.below(12) {
            0 => Opcode::Ping,
            1 => Opcode::Pong,
            2 if random.below(8) == 0 => Opcode::Close,
            _ if is_open => Opcode::Continuation,
            3..7 => Opcode::Text,
            _ => Opcode::Binary,
        };
        let length = if opcode.is_control() { below(random, 126) } else { 1 << random.below(13) };
        let payload: Vec<u8> = match random.below(3) {
            0 => "\u{20ac}".bytes().cycle().take(length / 3 * 3).collect(),
            1 => vec![b'a'; length],
            _ if opcode == Opcode::Close => vec![3, 0xe8, b'b', b'y', b'e'],
            _ => (b'a'..=b'z').cycle().take(length).collect(),
        };
        let is_final = opcode.is_control() || random.below(3) > 0;
        if !opcode.is_control() {
            is_open = !is_final;
        }
        bytes.extend(frame(Role::Client, is_final, opcode, &payload));
    }
    if random.below(3) == 0 && !bytes.is_empty() {
        let at = below(random, bytes.len() as u64);
        bytes[at] ^= 1 << random.below(8);
    }
    bytes
}

struct Run {
    events: Vec<Event>,
    sent: Vec<u8>,
}

/// `piece` says how much comes next; events are taken at once or late.
fn run(bytes: &[u8], mut piece: impl FnMut() -> usize, mut is_late: impl FnMut() -> bool) -> Run {
    let mut side = Side::agreed(Role::Server, settings(), &Agreement::default());
    let (mut events, mut sent, mut rest) = (Vec::new(), Vec::new(), bytes);
    while !rest.is_empty() {
        let count = piece().clamp(1, rest.len());
        side.input.extend_from_slice(&rest[..count]);
        rest = &rest[count..];
        side.machine.handle_input(&mut side.input, side.now);
        side.machine.handle_timeout(side.now);
        let _ = (side.machine.poll_timeout(), side.machine.wants_input(), side.machine.is_finished());
        sent.extend(side.sent());
        if !is_late() {
            events.extend(side.drain());
            sent.extend(side.sent());
            assert!(side.input.len() <= 4_014, "{} bytes wait", side.input.len());
        }
    }
    events.extend(side.drain());
    sent.extend(side.sent());
    events.extend(side.end());
    sent.extend(side.sent());
    Run { events, sent }
}

#[test]
fn any_cut_and_any_order_of_calls_gives_the_same_events() {
    for seed in 0..1_000 {
        let mut random = Random::from_seed(seed);
        let bytes = stream(&mut random);
        let whole = run(&bytes, || usize::MAX, || false);
        let single = run(&bytes, || 1, || false);
        let mut sizes = random.fork();
        let mut late = random.fork();
        let cut = run(&bytes, || below(&mut sizes, 700), || late.below(3) == 0);
        for other in [single, cut] {
            assert_eq!(other.events, whole.events, "seed {seed}");
            assert_eq!(other.sent, whole.sent, "seed {seed}");
        }
    }
}

#[test]
fn every_run_ends_with_one_report() {
    for seed in 0..1_000 {
        let bytes = stream(&mut Random::from_seed(seed));
        let events = run(&bytes, || usize::MAX, || false).events;
        let ends = events.iter().filter(|event| matches!(event, Event::Closed(_))).count();
        assert!(ends == 1 && matches!(events.last(), Some(Event::Closed(_))), "seed {seed}: {events:?}");
    }
}
