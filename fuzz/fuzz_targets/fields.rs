//! Any bytes as the value of any field: no panic, what is read is written so that it reads the same, ranges stay inside
//! the representation and hold no byte twice, and no more proxies are believed than are trusted.
//!
//! The first byte picks the field, the next eight are a number (a length, a time); the rest is the value, in which a
//! line feed begins another line of the field. Run it with `cargo +nightly fuzz run fields`.
#![no_main]

use std::fmt::Debug;

use callboard_core::date::{http_date, parse_http_date};
use callboard_core::fields::forwarded::{Convention, Hop, Node, Proxies, Trust};
use callboard_core::fields::{
    Accept, AcceptCharset, AcceptEncoding, AcceptLanguage, Allow, Byteranges, CacheControl, Conditions,
    ContentLanguage, ContentRange, Decision, EntityTag, EntityTags, Field, Forwarded, Links, Part, Partial, Range,
    Representation, RetryAfter, Satisfied, Vary,
};
use callboard_core::multipart::Boundary;
use callboard_core::{Headers, Method};
use libfuzzer_sys::fuzz_target;

/// All lines as one field, as far as they may be values.
fn lines(name: &str, value: &[u8]) -> Headers {
    let mut headers = Headers::new();
    for line in value.split(|&byte| byte == b'\n') {
        let _ = headers.append(name, line);
    }
    headers
}

fn reads_back<F: Field + PartialEq + Debug>(value: &[u8]) -> Option<F> {
    let read = F::read(&lines(F::NAME, value))?;
    let mut written = Headers::new();
    read.write(&mut written).expect("what was read can be written");
    assert_eq!(F::read(&written).as_ref(), Some(&read));
    Some(read)
}

fn check_partial(partial: &Partial, length: u64) {
    let mut ranges = partial.ranges().to_vec();
    assert!(!ranges.is_empty() && ranges.len() <= Range::MOST_PARTS);
    ranges.sort_by_key(|range| range.start);
    assert!(ranges.iter().all(|range| range.start < range.end && range.end <= length));
    assert!(ranges.windows(2).all(|pair| pair[0].end + Range::GAP < pair[1].start));
    let plan = Byteranges::new(partial, Some("text/plain"), Boundary::random([length, 1]));
    let lengths = plan.parts().map(|part| match part {
        Part::Text(text) => text.len() as u64,
        Part::Slice(slice) => slice.end - slice.start,
    });
    assert_eq!(lengths.fold(0, u64::saturating_add), plan.length());
    for range in partial.ranges() {
        let stated = ContentRange::new(range, length).expect("it is inside");
        assert_eq!(ContentRange::parse(stated.to_string().as_bytes()), Some(stated));
        assert_eq!(stated.length(), range.end - range.start);
    }
}

fn ranges(value: &[u8], length: u64) {
    let Some(range) = reads_back::<Range>(value) else { return };
    assert!((1..=Range::MOST).contains(&range.ranges().len()));
    match range.satisfy(length) {
        Satisfied::Partial(partial) => check_partial(&partial, length),
        Satisfied::Unsatisfiable => assert!(range.ranges().iter().all(|range| range.on(length).is_none())),
        Satisfied::Whole => {}
    }
}

/// The value as each of the conditions, and as all of them.
fn conditions(value: &[u8], length: u64) {
    const NAMES: [&str; 6] =
        ["If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range"];
    let mut parts = value.split(|&byte| byte == b'\n');
    let mut headers = Headers::new();
    for (name, part) in NAMES.iter().zip(&mut parts) {
        if !part.is_empty() {
            let _ = headers.append(name, part);
        }
    }
    let tag = EntityTag::strong("a").expect("a tag");
    let known = Representation { entity_tag: Some(&tag), last_modified: Some(784_111_777), length: Some(length) };
    for method in [Method::Get, Method::Head, Method::Put] {
        for known in [Some(&known), None] {
            match Conditions::new(&method, &headers, length).decide(known) {
                Decision::Partial(partial) => {
                    assert_eq!(method, Method::Get);
                    check_partial(&partial, length);
                }
                Decision::NotModified => assert_ne!(method, Method::Put),
                Decision::RangeNotSatisfiable { length: stated } => {
                    assert_eq!((&method, stated), (&Method::Get, length))
                }
                Decision::PreconditionFailed | Decision::Proceed => {}
            }
        }
    }
    if let Some(tags) = EntityTags::parse(value.split(|&byte| byte == b'\n')) {
        assert_eq!(EntityTags::parse([tags.to_string().as_bytes()]), Some(tags));
    }
}

fn dates(value: &[u8], now: u64) {
    if let Some(seconds) = parse_http_date(value, now) {
        assert_eq!(parse_http_date(&http_date(seconds), 0), Some(seconds));
    }
    if let Some(after) = RetryAfter::parse(value, now) {
        assert_eq!(RetryAfter::parse(after.to_string().as_bytes(), 0), Some(after));
        let _ = after.delay(now);
    }
    assert_eq!(parse_http_date(&http_date(now), 0), Some(now.min(253_402_300_799)));
}

fn proxies(value: &[u8], number: u64) {
    reads_back::<Forwarded>(value);
    if let Some(hop) = Hop::parse(value) {
        assert_eq!(Hop::parse(hop.to_string().as_bytes()), Some(hop));
    }
    if let Some(node) = core::str::from_utf8(value).ok().and_then(Node::parse_loosely) {
        assert_eq!(Node::parse(&node.to_string()), Some(node));
    }
    let most = (number % 8) as usize;
    let networks = vec!["10.0.0.0/8".parse().expect("a network"), "::1".parse().expect("a network")];
    let mut headers = lines("Forwarded", value);
    for name in ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port"] {
        headers.extend(&lines(name, value));
    }
    for convention in [Convention::Forwarded, Convention::XForwarded] {
        let client = Proxies { trust: Trust::Hops(most), convention }.client(None, &headers);
        assert!(client.hops <= most);
        let peer = "10.0.0.1".parse().expect("an address");
        let client = Proxies { trust: Trust::Networks(networks.clone()), convention }.client(Some(peer), &headers);
        assert!(client.hops >= 1);
        let client = Proxies { trust: Trust::Nobody, convention }.client(Some(peer), &headers);
        assert_eq!((client.address, client.hops, client.protocol), (Some(peer), 0, None));
    }
}

fn preferences(value: &[u8]) {
    const TYPES: [&str; 3] = ["text/html", "text/plain;format=flowed", "image/png"];
    if let Some(accept) = reads_back::<Accept>(value) {
        let chosen =
            accept.choose(&TYPES).map_or(callboard_core::fields::Quality::ZERO, |place| accept.quality(TYPES[place]));
        assert!(TYPES.iter().all(|media_type| accept.quality(media_type) <= chosen));
    }
    if let Some(accept) = reads_back::<AcceptEncoding>(value) {
        match accept.choose(&["br", "gzip"]) {
            Some(coding) => assert!(!accept.quality(coding).is_zero()),
            None => assert!(["br", "gzip", "identity"].iter().all(|coding| accept.quality(coding).is_zero())),
        }
    }
    if let Some(accept) = reads_back::<AcceptLanguage>(value) {
        let tags = ["en", "en-US", "de-Latn-DE"];
        assert!(accept.filter(&tags).iter().all(|&place| !accept.quality(tags[place]).is_zero()));
        let _ = accept.lookup(&tags);
    }
    reads_back::<AcceptCharset>(value);
    reads_back::<ContentLanguage>(value);
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&[kind, ref number @ ..], value)) = bytes.split_first_chunk::<9>() else { return };
    let number = u64::from_le_bytes(*number);
    match kind % 7 {
        0 => ranges(value, number),
        1 => conditions(value, number),
        2 => dates(value, number),
        3 => proxies(value, number),
        4 => preferences(value),
        5 => {
            reads_back::<Links>(value);
            reads_back::<EntityTag>(value);
            reads_back::<ContentRange>(value);
        }
        _ => {
            reads_back::<CacheControl>(value);
            reads_back::<Allow>(value);
            if reads_back::<Vary>(value).is_some() {
                let mut headers = lines("Vary", value);
                Vary::add(&mut headers, "Accept").expect("a name");
                assert!(matches!(Vary::read(&headers), Some(Vary::Any)) || headers.has_token("Vary", "accept"));
            }
        }
    }
});
