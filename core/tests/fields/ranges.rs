//! Ranges (RFC 9110 §14): reading, what they come to, and the plan of an answer with several parts.
#![expect(clippy::single_range_in_vec_init, reason = "many a list of parts has one")]

use callboard_core::fields::{ByteRange, Byteranges, ContentRange, Field, Part, Partial, Range, Satisfied};
use callboard_core::media_type::MediaType;
use callboard_core::multipart::{Boundary, Event, MultipartLimits, Reader};
use callboard_core::{Headers, header};

use super::support::headers;

fn satisfied(value: &str, length: u64) -> Option<Satisfied> {
    Some(Range::parse(value.as_bytes())?.satisfy(length))
}

fn partial(value: &str, length: u64) -> Partial {
    match satisfied(value, length) {
        Some(Satisfied::Partial(partial)) => partial,
        other => panic!("{value} of {length}: {other:?}"),
    }
}

#[test]
fn the_examples_of_the_rfc() {
    // RFC 9110 §14.1.2, on a representation of 10000 bytes.
    let table: &[(&str, &[std::ops::Range<u64>])] = &[
        ("bytes=0-499", &[0..500]),
        ("bytes=500-999", &[500..1_000]),
        ("bytes=-500", &[9_500..10_000]),
        ("bytes=9500-", &[9_500..10_000]),
        ("bytes=0-0,-1", &[0..1, 9_999..10_000]),
        ("bytes= 0-999, 4500-5499, -1000", &[0..1_000, 4_500..5_500, 9_000..10_000]),
        // Two that are the second 500 bytes in other words: one part of each.
        ("bytes=500-600,601-999", &[500..1_000]),
        ("bytes=500-700,601-999", &[500..1_000]),
    ];
    for (value, expected) in table {
        assert_eq!(partial(value, 10_000).ranges(), *expected, "{value}");
    }
}

#[test]
fn what_must_be_ignored_is_no_range() {
    let table = [
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes= , ",
        "bytes=-",
        "bytes=--1",
        "bytes=1-0",
        "bytes=0-1,5-4",
        "bytes=a-b",
        "bytes=0-x",
        "bytes=0x0-1",
        "bytes=+1-2",
        "bytes=1 - 2",
        "bytes= 1- 2",
        "bytes=1-2-3",
        "bytes=1",
        "bytes =0-1",
        "bytes:0-1",
        "items=0-1",
        "none=",
        "bytes=0-1;2-3",
        "bytes=0-1 2-3",
        "bytes=\"0-1\"",
        "bytes=\u{661}-",
        "seconds=1-2",
        "=0-1",
        "0-1",
        "bytes=0-1, junk",
    ];
    for value in table {
        assert_eq!(Range::parse(value.as_bytes()), None, "{value:?}");
    }
    assert_eq!(Range::parse(b"bytes=\xb2-"), None);
    assert_eq!(Range::read(&headers(&[("Range", "bytes=0-1"), ("Range", "bytes=2-3")])), None);
    assert_eq!(Range::read(&headers(&[("Range", "bytes=0-1")])).unwrap().ranges(), [ByteRange::Between(0, 1)]);
    assert_eq!(Range::new(vec![]), None);
    assert_eq!(Range::new(vec![ByteRange::Between(2, 1)]), None);
}

#[test]
fn odd_ranges_that_are_valid() {
    let table: &[(&str, u64, &[std::ops::Range<u64>])] = &[
        ("BYTES=0-0", 1, &[0..1]),
        ("bytes=,,0-0, ,", 1, &[0..1]),
        ("bytes=0-", 1, &[0..1]),
        ("bytes=0-999", 10, &[0..10]),
        ("bytes=-999", 10, &[0..10]),
        ("bytes=9-9", 10, &[9..10]),
        ("bytes=000-001", 10, &[0..2]),
        ("bytes=0-18446744073709551615", 10, &[0..10]),
        ("bytes=0-99999999999999999999999", 10, &[0..10]),
        ("bytes=-99999999999999999999999", 10, &[0..10]),
        ("bytes=0-0,10-20", 10, &[0..1]),
        ("bytes=-0,0-0", 10, &[0..1]),
        ("bytes=18446744073709551614-", u64::MAX, &[18_446_744_073_709_551_614..u64::MAX]),
        ("bytes=0-18446744073709551615", u64::MAX, &[0..u64::MAX]),
    ];
    for (value, length, expected) in table {
        let partial = partial(value, *length);
        assert_eq!((partial.ranges(), partial.complete_length()), (*expected, *length), "{value}");
    }
}

#[test]
fn ranges_without_a_byte_are_unsatisfiable() {
    for (value, length) in [
        ("bytes=10-", 10),
        ("bytes=10-20", 10),
        ("bytes=-0", 10),
        ("bytes=11-,12-13,-0", 10),
        ("bytes=0-", 0),
        ("bytes=0-0", 0),
        ("bytes=-0", 0),
        ("bytes=99999999999999999999-", 10),
        ("bytes=18446744073709551615-", u64::MAX),
    ] {
        assert_eq!(satisfied(value, length), Some(Satisfied::Unsatisfiable), "{value} of {length}");
    }
    // The last bytes of nothing are all of it; no Content-Range says that.
    assert_eq!(satisfied("bytes=-1", 0), Some(Satisfied::Whole));
}

#[test]
fn no_byte_is_sent_twice_and_the_order_is_kept() {
    let table: &[(&str, &[std::ops::Range<u64>])] = &[
        ("bytes=0-0,0-0,0-0", &[0..1]),
        ("bytes=0-,0-,0-,0-", &[0..10_000]),
        ("bytes=-1,0-0", &[9_999..10_000, 0..1]),
        ("bytes=5000-5009,0-9,9000-9009", &[5_000..5_010, 0..10, 9_000..9_010]),
        // 80 bytes between are merged, 81 are not.
        ("bytes=0-9,90-99", &[0..100]),
        ("bytes=0-9,91-99", &[0..10, 91..100]),
        // What closes a gap joins all: at the place of the first.
        ("bytes=9000-9009,300-399,0-99,100-299", &[9_000..9_010, 0..400]),
        ("bytes=300-399,9000-9009,0-99,100-299", &[0..400, 9_000..9_010]),
        ("bytes=0-4999,10-19,7000-7009", &[0..5_000, 7_000..7_010]),
    ];
    for (value, expected) in table {
        assert_eq!(partial(value, 10_000).ranges(), *expected, "{value}");
    }
}

#[test]
fn a_flood_of_ranges_is_ignored() {
    let many = |count: u64, step: u64| {
        let ranges: Vec<_> = (0..count).map(|place| format!("{0}-{0}", place * step)).collect();
        format!("bytes={}", ranges.join(","))
    };
    assert!(matches!(satisfied(&many(Range::MOST as u64, 1), 10_000), Some(Satisfied::Partial(_))));
    assert_eq!(satisfied(&many(Range::MOST as u64 + 1, 1), 10_000), None);
    let most = Range::MOST_PARTS as u64;
    assert_eq!(partial(&many(most, 100), 100_000).ranges().len(), Range::MOST_PARTS);
    assert_eq!(satisfied(&many(most + 1, 100), 100_000), Some(Satisfied::Whole));
    // The attack of CVE-2011-3192.
    let overlapping: Vec<_> = (0..Range::MOST - 1).map(|place| format!("5-{}", place + 5)).collect();
    assert_eq!(partial(&format!("bytes=0-,{}", overlapping.join(",")), 10_000).ranges(), [0..10_000]);
}

#[test]
fn content_ranges_of_the_rfc_and_odd_ones() {
    let bytes = |first, last, complete| Some(ContentRange::Bytes { first, last, complete });
    let table: &[(&str, Option<ContentRange>)] = &[
        // RFC 9110 §14.4.
        ("bytes 42-1233/1234", bytes(42, 1_233, Some(1_234))),
        ("bytes 42-1233/*", bytes(42, 1_233, None)),
        ("bytes */1234", Some(ContentRange::Unsatisfied { complete: 1_234 })),
        ("bytes 0-499/1234", bytes(0, 499, Some(1_234))),
        ("bytes 500-999/1234", bytes(500, 999, Some(1_234))),
        ("bytes 734-1233/1234", bytes(734, 1_233, Some(1_234))),
        ("BYTES 0-0/1", bytes(0, 0, Some(1))),
        ("bytes */0", Some(ContentRange::Unsatisfied { complete: 0 })),
        ("bytes 0-18446744073709551614/18446744073709551615", bytes(0, u64::MAX - 1, Some(u64::MAX))),
        ("bytes 1-0/5", None),
        ("bytes 0-5/5", None),
        ("bytes 0-5/4", None),
        ("bytes */*", None),
        ("bytes 0-/5", None),
        ("bytes -5/5", None),
        ("bytes 0-4", None),
        ("bytes=0-4/5", None),
        ("bytes  0-4/5", None),
        ("items 0-4/5", None),
        ("bytes 0-18446744073709551616/*", None),
        ("bytes 0-4/5/6", None),
        ("bytes", None),
        ("", None),
    ];
    for (value, expected) in table {
        assert_eq!(ContentRange::parse(value.as_bytes()), *expected, "{value}");
        if let Some(range) = expected {
            assert_eq!(range.to_string(), value.to_lowercase());
        }
    }
    assert_eq!(ContentRange::new(&(0..5), 5), bytes(0, 4, Some(5)));
    assert_eq!(ContentRange::new(&(0..6), 5), None);
    assert_eq!(ContentRange::new(&(3..3), 5), None);
    assert_eq!(ContentRange::new(&(0..5), 5).unwrap().length(), 5);
    let mut fields = Headers::new();
    ContentRange::Unsatisfied { complete: 47_022 }.write(&mut fields).unwrap();
    assert_eq!(fields.text(header::CONTENT_RANGE), Some("bytes */47022"));
}

/// The content that a plan gives, of a representation of the bytes 0, 1, 2 and so on.
fn content(plan: &Byteranges) -> String {
    let mut content = String::new();
    for part in plan.parts() {
        match part {
            Part::Text(text) => content += &text,
            Part::Slice(slice) => content.extend(slice.map(|place| char::from(b'a' + (place % 26) as u8))),
        }
    }
    content
}

#[test]
fn several_parts_make_a_multipart_of_the_stated_length() {
    // The shape of the example in RFC 9110 §15.3.7.2.
    let partial = partial("bytes=500-504,7000-7003", 8_000);
    let plan = Byteranges::new(&partial, Some("application/pdf"), Boundary::new("THIS_STRING_SEPARATES").unwrap());
    assert_eq!(plan.content_type(), "multipart/byteranges; boundary=THIS_STRING_SEPARATES");
    let expected = "--THIS_STRING_SEPARATES\r\nContent-Type: application/pdf\r\n\
                    Content-Range: bytes 500-504/8000\r\n\r\n\
                    ghijk\r\n--THIS_STRING_SEPARATES\r\nContent-Type: application/pdf\r\n\
                    Content-Range: bytes 7000-7003/8000\r\n\r\nghij\r\n--THIS_STRING_SEPARATES--\r\n";
    assert_eq!(content(&plan), expected);
    assert_eq!(plan.length(), expected.len() as u64);
}

#[test]
fn a_plan_writes_nothing_that_would_break_its_parts() {
    let partial = partial("bytes=0-0,500-", 1_000);
    for content_type in [None, Some(""), Some("a/b\r\nX: y"), Some("a\u{7f}b")] {
        let plan = Byteranges::new(&partial, content_type, Boundary::new("x").unwrap());
        assert!(!content(&plan).contains("Content-Type"));
    }
}

/// RFC 2046 section 5.1.1: what is no boundary makes no plan, and every boundary makes one that is read as meant.
#[test]
fn a_plan_has_a_boundary_that_its_reader_takes() {
    let partial = partial("bytes=0-1,500-501", 1_000);
    for bad in
        [String::new(), "a".repeat(71), "a ".to_owned(), " ".to_owned(), "a\"".to_owned(), "a\r\nX: y".to_owned()]
    {
        assert!(Boundary::new(bad.clone()).is_err(), "{bad:?}");
    }
    for good in ["a", "a b", " a", "'()+_,-./:=?", &"a".repeat(70)] {
        let plan = Byteranges::new(&partial, None, Boundary::new(good).unwrap());
        let media_type: MediaType = plan.content_type().parse().unwrap();
        let mut reader = Reader::new(&media_type, MultipartLimits::default()).unwrap();
        reader.handle_input(content(&plan).into());
        reader.handle_end_of_input();
        let mut found = Vec::new();
        while let Some(event) = reader.poll_event().unwrap() {
            match event {
                Event::Part(head) => found.push((ContentRange::read(head.headers()).unwrap(), String::new())),
                Event::Data(data) => found.last_mut().unwrap().1 += std::str::from_utf8(&data).unwrap(),
                _ => {}
            }
        }
        let part = |start: u64, data: &str| (ContentRange::new(&(start..start + 2), 1_000).unwrap(), data.to_owned());
        assert_eq!(found, [part(0, "ab"), part(500, "gh")], "{good:?}");
    }
}
