//! Any bytes as an event stream, cut in any way: the same events or the same error, bounded memory, and each event is
//! read again from what is written of it.
#![no_main]

use callboard_core::Random;
use callboard_core::event_stream::{Event, EventLimits, EventReader, EventStreamError, comment};
use libfuzzer_sys::fuzz_target;

/// The events of a stream in pieces of up to `longest` bytes, the end of the reading, and the last id.
fn read(
    bytes: &[u8],
    limits: EventLimits,
    mut length: impl FnMut() -> usize,
) -> (Vec<Event>, Result<(), EventStreamError>, String) {
    let mut reader = EventReader::new(limits);
    let (mut events, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let (mut piece, after) = rest.split_at(length().min(rest.len()));
        rest = after;
        while !piece.is_empty() {
            let result = reader.handle_input(&mut piece);
            if let Some(event) = reader.poll_event() {
                assert!(event.data().len() <= limits.event + 1);
                events.push(event);
            }
            if result.is_err() {
                return (events, result, reader.last_event_id().to_owned());
            }
        }
    }
    (events, Ok(()), reader.last_event_id().to_owned())
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&control, input)) = bytes.split_last() else { return };
    let is_small = control & 1 == 1;
    let limits = if is_small { EventLimits { line: 20, event: 40 } } else { EventLimits::default() };
    let mut random = Random::from_seed(u64::from(control));
    let whole = read(input, limits, || usize::MAX);
    assert_eq!(read(input, limits, || 1), whole);
    assert_eq!(read(input, limits, || 1 + usize::try_from(random.below(9)).unwrap_or(0)), whole);
    let mut stream = comment(&String::from_utf8_lossy(input));
    for event in &whole.0 {
        event.write(&mut stream);
    }
    let (again, result, _) = read(&stream, EventLimits { line: usize::MAX, event: usize::MAX }, || usize::MAX);
    assert_eq!(result, Ok(()));
    // An id that was cleared in between is not written again, so only what each event says by itself is compared.
    let said = |events: &[Event]| -> Vec<_> {
        events.iter().map(|event| (event.name().to_owned(), event.data().to_owned(), event.retry())).collect()
    };
    assert_eq!(said(&again), said(&whole.0));
});
