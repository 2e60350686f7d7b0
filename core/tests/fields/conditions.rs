//! Conditional requests (RFC 9110 §13): each step of §13.2.2, and what precedes what.

use callboard_core::fields::{Conditions, ContentRange, Decision, EntityTag, Representation};
use callboard_core::{Method, Status};

use super::support::{NOW, headers};

/// When the representation was changed, and the seconds around it.
const CHANGED: u64 = 783_497_774;
const SAME: &str = "Sun, 30 Oct 1994 06:16:14 GMT";
const BEFORE: &str = "Sun, 30 Oct 1994 06:16:13 GMT";
const AFTER: &str = "Sat, 29 Oct 2022 19:43:31 GMT";

/// The decision on a representation of 100 bytes with the tag `"now"`.
fn decide(method: &Method, fields: &[(&str, &str)]) -> Decision {
    let tag = EntityTag::strong("now").unwrap();
    let known = Representation { entity_tag: Some(&tag), last_modified: Some(CHANGED), length: Some(100) };
    Conditions::new(method, &headers(fields), NOW).decide(Some(&known))
}

fn codes(method: &Method, table: &[(&[(&str, &str)], u16)]) {
    for (fields, code) in table {
        assert_eq!(decide(method, fields).status().code(), *code, "{method:?} {fields:?}");
    }
}

#[test]
fn each_condition_alone_on_get_and_head() {
    for method in [Method::Get, Method::Head] {
        codes(
            &method,
            &[
                (&[], 200),
                (&[("If-Match", "\"now\"")], 200),
                (&[("If-Match", "\"old\", \"now\"")], 200),
                (&[("If-Match", "\"old\""), ("if-match", "\"now\"")], 200),
                (&[("If-Match", "*")], 200),
                (&[("If-Match", "W/\"now\"")], 412),
                (&[("If-Match", "\"old\"")], 412),
                (&[("If-Match", "now")], 412),
                (&[("If-Match", "")], 412),
                (&[("If-Match", "\"now\", now")], 412),
                (&[("If-Unmodified-Since", SAME)], 200),
                (&[("If-Unmodified-Since", AFTER)], 200),
                (&[("If-Unmodified-Since", BEFORE)], 412),
                (&[("If-Unmodified-Since", "yesterday")], 200),
                (&[("If-Unmodified-Since", BEFORE), ("If-Unmodified-Since", BEFORE)], 200),
                (&[("If-None-Match", "\"now\"")], 304),
                (&[("If-None-Match", "W/\"now\"")], 304),
                (&[("If-None-Match", "\"old\", \"now\"")], 304),
                (&[("If-None-Match", "\"old\""), ("If-None-Match", "\"now\"")], 304),
                (&[("If-None-Match", "*")], 304),
                (&[("If-None-Match", "\"old\"")], 200),
                (&[("If-None-Match", "now")], 200),
                (&[("If-None-Match", "*, \"now\"")], 200),
                (&[("If-Modified-Since", SAME)], 304),
                (&[("If-Modified-Since", AFTER)], 304),
                (&[("If-Modified-Since", "Sunday, 30-Oct-94 06:16:14 GMT")], 304),
                (&[("If-Modified-Since", BEFORE)], 200),
                (&[("If-Modified-Since", "0")], 200),
                (&[("If-Modified-Since", SAME), ("If-Modified-Since", SAME)], 200),
            ],
        );
    }
}

#[test]
fn the_order_of_the_rfc() {
    codes(
        &Method::Get,
        &[
            // If-Match speaks, so If-Unmodified-Since is not heard.
            (&[("If-Match", "\"now\""), ("If-Unmodified-Since", BEFORE)], 200),
            (&[("If-Match", "\"old\""), ("If-Unmodified-Since", SAME)], 412),
            // Both hold, and on to step 3.
            (&[("If-Match", "\"now\""), ("If-None-Match", "\"now\"")], 304),
            (&[("If-Match", "\"old\""), ("If-None-Match", "\"now\"")], 412),
            (&[("If-Unmodified-Since", SAME), ("If-None-Match", "\"now\"")], 304),
            (&[("If-Unmodified-Since", BEFORE), ("If-None-Match", "\"now\"")], 412),
            (&[("If-Unmodified-Since", AFTER), ("If-Modified-Since", SAME)], 304),
            // If-None-Match speaks, so If-Modified-Since is not heard.
            (&[("If-None-Match", "\"old\""), ("If-Modified-Since", SAME)], 200),
            (&[("If-None-Match", "old"), ("If-Modified-Since", SAME)], 200),
            (&[("If-None-Match", "\"now\""), ("If-Modified-Since", BEFORE)], 304),
            // Ranges come last.
            (&[("If-None-Match", "\"now\""), ("Range", "bytes=0-1")], 304),
            (&[("If-Match", "\"old\""), ("Range", "bytes=0-1")], 412),
            (&[("If-Match", "\"now\""), ("Range", "bytes=0-1")], 206),
            (&[("If-Modified-Since", SAME), ("Range", "bytes=500-")], 304),
        ],
    );
}

#[test]
fn methods_that_change_something() {
    for method in [Method::Put, Method::Delete, Method::Patch, Method::Post, Method::from_bytes(b"MOVE").unwrap()] {
        codes(
            &method,
            &[
                (&[("If-Match", "\"now\"")], 200),
                (&[("If-Match", "\"old\"")], 412),
                (&[("If-Unmodified-Since", BEFORE)], 412),
                (&[("If-Unmodified-Since", SAME)], 200),
                (&[("If-None-Match", "\"now\"")], 412),
                (&[("If-None-Match", "*")], 412),
                (&[("If-None-Match", "\"old\"")], 200),
                // What cannot be understood does not let through what it should have stopped.
                (&[("If-None-Match", "old")], 412),
                // For GET and HEAD only.
                (&[("If-Modified-Since", SAME)], 200),
                (&[("Range", "bytes=0-1")], 200),
                (&[("Range", "bytes=500-")], 200),
            ],
        );
    }
    for method in [Method::Options, Method::Connect, Method::Trace] {
        codes(
            &method,
            &[
                (&[("If-Match", "\"old\"")], 200),
                (&[("If-None-Match", "*")], 200),
                (&[("If-Unmodified-Since", BEFORE)], 200),
            ],
        );
    }
}

#[test]
fn what_does_not_exist_yet() {
    let decide = |fields: &[(&str, &str)]| Conditions::new(&Method::Put, &headers(fields), NOW).decide(None).status();
    assert_eq!(decide(&[("If-None-Match", "*")]), Status::OK);
    assert_eq!(decide(&[("If-None-Match", "\"a\"")]), Status::OK);
    assert_eq!(decide(&[("If-Match", "*")]), Status::PRECONDITION_FAILED);
    assert_eq!(decide(&[("If-Match", "\"a\"")]), Status::PRECONDITION_FAILED);
    assert_eq!(decide(&[("If-Unmodified-Since", BEFORE)]), Status::OK);
}

#[test]
fn without_validators_dates_are_ignored_and_tags_never_match() {
    let known = Representation { length: Some(100), ..Representation::default() };
    let decide = |fields: &[(&str, &str)]| {
        Conditions::new(&Method::Get, &headers(fields), NOW).decide(Some(&known)).status().code()
    };
    assert_eq!(decide(&[("If-Unmodified-Since", BEFORE)]), 200);
    assert_eq!(decide(&[("If-Modified-Since", AFTER)]), 200);
    assert_eq!(decide(&[("If-Match", "\"now\"")]), 412);
    assert_eq!(decide(&[("If-Match", "*")]), 200);
    assert_eq!(decide(&[("If-None-Match", "\"now\"")]), 200);
    assert_eq!(decide(&[("If-None-Match", "*")]), 304);
    assert_eq!(decide(&[("If-Range", "\"now\""), ("Range", "bytes=0-1")]), 200);
    assert_eq!(decide(&[("If-Range", SAME), ("Range", "bytes=0-1")]), 200);
    assert_eq!(decide(&[("Range", "bytes=0-1")]), 206);
}

#[test]
fn ranges_and_if_range() {
    codes(
        &Method::Get,
        &[
            (&[("Range", "bytes=0-1")], 206),
            (&[("Range", "bytes=100-")], 416),
            (&[("Range", "bytes=2-1")], 200),
            (&[("Range", "lines=0-1")], 200),
            (&[("Range", "bytes=0-1"), ("If-Range", "\"now\"")], 206),
            (&[("Range", "bytes=0-1"), ("If-Range", "\"old\"")], 200),
            (&[("Range", "bytes=0-1"), ("If-Range", "W/\"now\"")], 200),
            (&[("Range", "bytes=0-1"), ("If-Range", "\"now\", \"old\"")], 200),
            (&[("Range", "bytes=0-1"), ("If-Range", "\"now\""), ("If-Range", "\"now\"")], 200),
            (&[("Range", "bytes=0-1"), ("If-Range", "*")], 200),
            (&[("Range", "bytes=0-1"), ("If-Range", SAME)], 206),
            (&[("Range", "bytes=0-1"), ("If-Range", AFTER)], 200),
            (&[("Range", "bytes=0-1"), ("If-Range", BEFORE)], 200),
            (&[("Range", "bytes=0-1"), ("If-Range", "junk")], 200),
            // A range that cannot be met, of something else than was meant.
            (&[("Range", "bytes=100-"), ("If-Range", "\"now\"")], 416),
            (&[("Range", "bytes=100-"), ("If-Range", "\"old\"")], 200),
            (&[("If-Range", "\"old\"")], 200),
        ],
    );
    codes(&Method::Head, &[(&[("Range", "bytes=0-1")], 200), (&[("Range", "bytes=100-")], 200)]);
}

#[test]
fn weak_validators_do_not_put_parts_together() {
    let tag = EntityTag::weak("now").unwrap();
    let fields = headers(&[("Range", "bytes=0-1"), ("If-Range", "W/\"now\"")]);
    let known = Representation { entity_tag: Some(&tag), last_modified: Some(CHANGED), length: Some(100) };
    assert_eq!(Conditions::new(&Method::Get, &fields, NOW).decide(Some(&known)), Decision::Proceed);
    // A date is strong once its second is over (§8.8.2.2).
    let fields = headers(&[("Range", "bytes=0-1"), ("If-Range", SAME)]);
    for (now, code) in [(CHANGED - 1, 200), (CHANGED, 200), (CHANGED + 1, 206)] {
        let decision = Conditions::new(&Method::Get, &fields, now).decide(Some(&known));
        assert_eq!(decision.status().code(), code, "{now}");
    }
}

#[test]
fn the_answer_has_its_content_range() {
    let range = |fields: &[(&str, &str)]| decide(&Method::Get, fields).content_range();
    let part = ContentRange::Bytes { first: 10, last: 19, complete: Some(100) };
    assert_eq!(range(&[("Range", "bytes=10-19")]), Some(part));
    assert_eq!(range(&[("Range", "bytes=100-")]), Some(ContentRange::Unsatisfied { complete: 100 }));
    assert_eq!(range(&[("Range", "bytes=0-0,99-99")]), None);
    assert_eq!(range(&[]), None);
    let decision = decide(&Method::Get, &[("Range", "bytes=100-")]);
    assert_eq!(decision, Decision::RangeNotSatisfiable { length: 100 });
    let unknown = Representation::default();
    let fields = headers(&[("Range", "bytes=0-1")]);
    assert_eq!(Conditions::new(&Method::Get, &fields, NOW).decide(Some(&unknown)), Decision::Proceed);
}
