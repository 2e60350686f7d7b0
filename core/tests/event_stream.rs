//! Server-sent events: the examples of the HTML standard, each rule as a row, and any pieces.

use std::time::Duration;

use callboard_core::Random;
use callboard_core::event_stream::{Event, EventError, EventLimits, EventReader, EventStreamError, comment};

/// The events in `pieces`, as (name, data, id), and the reader at the end.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<(String, String, String)>, EventReader) {
    let mut reader = EventReader::new(EventLimits::default());
    let mut events = Vec::new();
    for mut piece in pieces {
        while !piece.is_empty() {
            reader.handle_input(&mut piece).unwrap();
            let Some(event) = reader.poll_event() else { continue };
            assert!(reader.poll_event().is_none());
            events.push((event.name().to_owned(), event.data().to_owned(), event.id().unwrap_or_default().to_owned()));
        }
    }
    (events, reader)
}

/// A stream, and name, data and id of its events.
type Row = (&'static [u8], Vec<(&'static str, &'static str, &'static str)>);

fn rows() -> Vec<Row> {
    let one = |data: &'static str| vec![("message", data, "")];
    vec![
        (b"data: a\n\n", one("a")),
        (b"data:a\r\n\r\n", one("a")),
        (b"data:  a\r\r", one(" a")),
        (b"data\n\n", one("")),
        (b"data\ndata\n\n", one("\n")),
        (b"data:\n\n", one("")),
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", one("YHOO\n+2\n10")),
        (b"data: a\n", vec![]),
        (b"data: a\n\ndata: cut", one("a")),
        (b"\n\n\r\n\r\n\n", vec![]),
        (b": comment\n\ndata: a\n\n", one("a")),
        (b":\ndata: a\n:\n\n", one("a")),
        (b"\xef\xbb\xbfdata: a\n\n", one("a")),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", vec![]),
        (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", one("a")),
        (b"Data: a\n\n data: b\n\nfoo: c\n\ndata : d\n\n", vec![]),
        (b"event: add\ndata: 1\n\ndata: 2\n\n", vec![("add", "1", ""), ("message", "2", "")]),
        (b"event: add\n\ndata: 2\n\n", vec![("message", "2", "")]),
        (b"event: a\nevent:\ndata: 2\n\n", vec![("message", "2", "")]),
        (b"event: a\nevent: b\ndata\n\n", vec![("b", "", "")]),
        (
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
            vec![("message", "first event", "1"), ("message", "second event", ""), ("message", " third event", "")],
        ),
        (b"id: 1\n\ndata: a\n\nid: 2", vec![("message", "a", "1")]),
        (b"id: 1\ndata: a\n\nid: 2\x003\ndata: b\n\n", vec![("message", "a", "1"), ("message", "b", "1")]),
        (b"data: a\xffb\xe2\x82\xac\n\n", one("a\u{fffd}b\u{20ac}")),
        (b"data: \xf0\x9f\x94\n\n", one("\u{fffd}")),
        (b"data: \xe2\x82\ndata: x\n\n", one("\u{fffd}\nx")),
        (b"data: a\x00b\n\n", one("a\0b")),
        (b"data: a: b\n\n", one("a: b")),
    ]
}

#[test]
fn streams_whole_and_in_any_pieces() {
    let mut random = Random::from_seed(8);
    for (stream, expected) in rows() {
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, data, id)| (String::from(*name), String::from(*data), String::from(*id)))
            .collect();
        let shown = stream.escape_ascii();
        assert_eq!(read([stream]).0, expected, "{shown}");
        assert_eq!(read(stream.chunks(1)).0, expected, "{shown} byte by byte");
        for _ in 0..20 {
            let mut pieces = Vec::new();
            let mut rest = stream;
            while !rest.is_empty() {
                let length = usize::try_from(random.below(rest.len() as u64 + 1)).unwrap();
                let (piece, after) = rest.split_at(length);
                pieces.push(piece);
                rest = after;
            }
            assert_eq!(read(pieces.iter().copied()).0, expected, "{shown} as {pieces:?}");
        }
    }
}

#[test]
fn a_return_ends_its_line_at_once() {
    let (events, _) = read([&b"data: a\r\r"[..]]);
    assert_eq!(events.len(), 1);
    let (events, _) = read([&b"data: a\r\n\r"[..], b"\ndata: b\n\r\n"]);
    assert_eq!(events.len(), 2);
}

#[test]
fn retries_are_digits_only() {
    let rows = [
        ("retry: 3000", Some(3000)),
        ("retry:0", Some(0)),
        ("retry: 007", Some(7)),
        ("retry: ", None),
        ("retry", None),
        ("retry: 1.5", None),
        ("retry: -1", None),
        ("retry: +1", None),
        ("retry:  1", None),
        ("retry: 1 ", None),
        ("retry: 0x1", None),
        ("retry: 99999999999999999999", None),
    ];
    for (line, expected) in rows {
        let (_, mut reader) = read([format!("{line}\n").as_bytes()]);
        let expected = expected.map(Duration::from_millis);
        assert_eq!(reader.retry(), expected, "{line}");
        for expected in [expected, None] {
            reader.handle_input(&mut &b"data: a\n\n"[..]).unwrap();
            assert_eq!(reader.poll_event().unwrap().retry(), expected, "{line}");
        }
    }
}

#[test]
fn the_last_id_is_that_of_whole_events() {
    let mut reader = EventReader::new(EventLimits::default()).with_last_event_id("start");
    let mut expect = |stream: &str, expected: &str| {
        reader.handle_input(&mut stream.as_bytes()).unwrap();
        reader.poll_event();
        assert_eq!(reader.last_event_id(), expected, "{stream}");
    };
    expect("data: a\n\n", "start");
    expect("id: 1\n", "start");
    expect("\n", "1");
    expect("id: 2\ndata: cu", "1");
    expect("t\n\n", "2");
    expect("id\n\n", "");
}

#[test]
fn an_event_waits_and_holds_the_rest_back() {
    let mut reader = EventReader::new(EventLimits::default());
    let mut input = &b"data: a\n\ndata: b\n\n"[..];
    assert!(reader.wants_input());
    reader.handle_input(&mut input).unwrap();
    assert_eq!((input.len(), reader.wants_input()), (9, false));
    reader.handle_input(&mut input).unwrap();
    assert_eq!((input.len(), reader.poll_event().unwrap().data()), (9, "a"));
    reader.handle_input(&mut input).unwrap();
    assert_eq!((input.len(), reader.poll_event().unwrap().data()), (0, "b"));
}

#[test]
fn limits_hold_and_an_error_stays() {
    let limits = EventLimits { line: 10, event: 12 };
    let rows: [(&str, Result<(), EventStreamError>); 6] = [
        ("data:12345\n\n", Ok(())),
        ("data:123456", Err(EventStreamError::LineTooLong)),
        (":1234567890", Err(EventStreamError::LineTooLong)),
        ("data:12345\ndata:12345\n\n", Ok(())),
        ("data:12345\ndata:12345\ndata:\n", Ok(())),
        ("data:12345\ndata:12345\ndata:1\n", Err(EventStreamError::EventTooLong)),
    ];
    for (stream, expected) in rows {
        for piece in [1, stream.len()] {
            let mut reader = EventReader::new(limits);
            let mut result = Ok(());
            for mut piece in stream.as_bytes().chunks(piece) {
                result = result.and(reader.handle_input(&mut piece));
            }
            assert_eq!(result, expected, "{stream}");
            if expected.is_err() {
                assert!(!reader.wants_input());
                assert_eq!(reader.handle_input(&mut &b"\n\ndata: a\n\n"[..]), expected);
                assert!(reader.poll_event().is_none());
            }
        }
    }
    let mut reader = EventReader::new(limits);
    for _ in 0..1_000 {
        let result = reader.handle_input(&mut &b"data:\n"[..]);
        if result.is_err() {
            return assert_eq!(result, Err(EventStreamError::EventTooLong));
        }
    }
    panic!("empty lines add up without limit");
}

/// A stream says a long id once, and every short event after that has it.
#[test]
fn events_share_their_id() {
    let stream = [b"id: ".to_vec(), vec![b'x'; 100_000], b"\n".to_vec(), b"data\n\n".repeat(1_000)].concat();
    let mut events = Vec::with_capacity(1_000);
    let memory = allocation_counter::measure(|| {
        let mut reader = EventReader::new(EventLimits::default());
        let mut input = &stream[..];
        while !input.is_empty() {
            reader.handle_input(&mut input).unwrap();
            events.extend(reader.poll_event());
        }
    });
    assert!(events.len() == 1_000 && events.iter().all(|event| event.id().is_some_and(|id| id.len() == 100_000)));
    assert!(memory.bytes_total < 500_000, "{} bytes for a stream of {}", memory.bytes_total, stream.len());
}

#[test]
fn any_event_is_read_back_as_written() {
    let mut random = Random::from_seed(11);
    let text = |random: &mut Random, letters: &[&str]| -> String {
        let count = random.below(12);
        (0..count).map(|_| letters[usize::try_from(random.below(letters.len() as u64)).unwrap()]).collect()
    };
    for _ in 0..3_000 {
        let line = [" ", ":", "a", "\u{e9}", "\u{feff}", "data", "\t"];
        let data = text(&mut random, &[" ", ":", "a", "\u{1f511}", "\u{feff}", "\r", "\n", "\r\n", "\0"]);
        let mut event = Event::new(data.as_str()).with_name(&text(&mut random, &line)).unwrap();
        event = event.with_id(&text(&mut random, &line)).unwrap();
        if random.below(2) == 0 {
            event = event.with_retry(Duration::from_millis(random.below(100_000)));
        }
        let mut stream = comment(&data);
        event.write(&mut stream);
        let mut reader = EventReader::new(EventLimits::default());
        reader.handle_input(&mut &stream[..]).unwrap();
        let got = reader.poll_event().unwrap();
        assert_eq!(got.data(), data.replace("\r\n", "\n").replace('\r', "\n"));
        assert_eq!((got.name(), got.retry()), (event.name(), event.retry()));
        assert_eq!(got.id().unwrap_or_default(), event.id().unwrap_or_default());
        let mut again = Vec::new();
        got.write(&mut again);
        let mut reader = EventReader::new(EventLimits::default());
        reader.handle_input(&mut &again[..]).unwrap();
        assert_eq!(reader.poll_event(), Some(got));
    }
}

#[test]
fn nothing_can_be_smuggled_into_a_stream() {
    for bad in ["a\nb", "a\rb", "\r\n"] {
        assert_eq!(Event::new("").with_name(bad).err(), Some(EventError::LineEnd));
        assert_eq!(Event::new("").with_id(bad).err(), Some(EventError::LineEnd));
    }
    assert_eq!(Event::new("").with_id("a\0").err(), Some(EventError::Nul));
    assert_eq!(comment("a\r\ndata: b\rdata: c\n"), b": a\n: data: b\n: data: c\n:\n\n");
    assert_eq!(comment(""), b":\n\n");
    let mut stream = Vec::new();
    Event::new("a\revent: x\n\nid: y").with_retry(Duration::from_secs(3)).write(&mut stream);
    assert_eq!(stream, b"retry: 3000\ndata: a\ndata: event: x\ndata:\ndata: id: y\n\n");
}
