//! Properties over many seeds: any bytes do no harm, what is written is read back, and decisions agree with models.

use callboard_core::fields::forwarded::{Convention, Proxies, Trust};
use callboard_core::fields::{
    Accept, AcceptEncoding, AcceptLanguage, Allow, Byteranges, CacheControl, ContentRange, EntityTag, Field, Forwarded,
    Links, Part, Range, RetryAfter, Satisfied, Vary, date,
};
use callboard_core::multipart::Boundary;
use callboard_core::{Headers, Random};

use super::support::{NOW, pick, soup};

/// What lines are put together of: what the grammars know, and what they do not.
const PIECES: &[&str] = &[
    ",",
    ";",
    "=",
    "\"",
    "\\",
    " ",
    "\t",
    "*",
    "/",
    "<",
    ">",
    "-",
    "0",
    "1",
    "999999999999999999999",
    ".",
    "q=",
    "q=0.5",
    "bytes=",
    "bytes ",
    "0-1",
    "5-",
    "-7",
    "W/",
    "\"a\"",
    "a",
    "text",
    "html",
    "gzip",
    "identity",
    "en-US",
    "for=",
    "by=",
    "host=",
    "proto=",
    "unknown",
    "_x",
    "[::1]",
    ":80",
    "192.0.2.1",
    "10.0.0.1",
    "max-age=",
    "no-cache",
    "private=",
    "rel=",
    "title*=",
    "UTF-8''",
    "%c3%a4",
    "%",
    "anchor",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "\u{e4}",
    "GET",
    "120",
];

fn reads_back<F: Field + PartialEq + std::fmt::Debug>(line: &[u8]) {
    let mut fields = Headers::new();
    if fields.append(F::NAME, line).is_err() {
        return;
    }
    let Some(read) = F::read(&fields) else { return };
    let mut written = Headers::new();
    // Only text that came percent-encoded can hold what a field cannot.
    read.write(&mut written).unwrap_or_else(|error| panic!("{error}: {read:?}"));
    assert_eq!(F::read(&written).as_ref(), Some(&read), "{:?} of {:?}", written.get(F::NAME), line.escape_ascii());
}

#[test]
fn what_is_read_is_written_so_that_it_reads_the_same() {
    for seed in 0..30_000 {
        let mut random = Random::from_seed(seed);
        let line = soup(&mut random, PIECES, 14);
        reads_back::<Accept>(&line);
        reads_back::<AcceptEncoding>(&line);
        reads_back::<AcceptLanguage>(&line);
        reads_back::<Allow>(&line);
        reads_back::<CacheControl>(&line);
        reads_back::<ContentRange>(&line);
        reads_back::<EntityTag>(&line);
        reads_back::<Forwarded>(&line);
        reads_back::<Links>(&line);
        reads_back::<Range>(&line);
        reads_back::<Vary>(&line);
    }
}

#[test]
fn any_bytes_do_no_harm() {
    for seed in 0..20_000 {
        let mut random = Random::from_seed(seed);
        let mut line = soup(&mut random, PIECES, 10);
        let mut noise = vec![0; usize::try_from(random.below(6)).unwrap()];
        random.fill(&mut noise);
        let place = usize::try_from(random.below(line.len() as u64 + 1)).unwrap();
        line.splice(place..place, noise);
        let _ = Accept::parse([&line[..]]).choose(&["text/html", "a/b;c=d"]);
        let _ = AcceptEncoding::parse([&line[..]]).choose(&["gzip", "br"]);
        let _ = AcceptLanguage::parse([&line[..]]).lookup(&["en", "en-US"]);
        let _ = CacheControl::parse([&line[..]]).to_string();
        let _ = Links::parse([&line[..]]).to_string();
        let _ = ContentRange::parse(&line);
        let _ = RetryAfter::parse(&line, random.next_u64()).map(|after| after.delay(NOW));
        let _ = Range::parse(&line).map(|range| range.satisfy(random.next_u64()));
        let mut fields = Headers::new();
        for name in ["Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "Date"] {
            let _ = fields.append(name, &line);
        }
        let _ = date(&fields, "Date", random.next_u64());
        for convention in [Convention::Forwarded, Convention::XForwarded] {
            let hops = usize::try_from(random.below(5)).unwrap();
            let client = Proxies { trust: Trust::Hops(hops), convention }.client(None, &fields);
            assert!(client.hops <= hops);
        }
    }
}

/// What the ranges ask for, byte by byte; `None` if the field is malformed.
fn wanted(range: &Range, length: u64) -> Vec<bool> {
    let mut wanted = vec![false; usize::try_from(length).unwrap()];
    for part in range.ranges() {
        for (place, is_wanted) in (0..length).zip(&mut wanted) {
            *is_wanted |= part.on(length).is_some_and(|part| part.contains(&place));
        }
    }
    wanted
}

#[test]
fn ranges_hold_every_byte_that_was_asked_for_once() {
    let mut several = 0;
    for seed in 0..4_000 {
        let mut random = Random::from_seed(seed);
        let length = random.below(1_500);
        let count = 1 + random.below(6);
        let mut parts = Vec::new();
        for _ in 0..count {
            let (first, more) = (random.below(1_600), random.below(40));
            parts.push(match random.below(6) {
                0 => format!("-{more}"),
                1 => format!("{first}-"),
                _ => format!("{first}-{}", first + more),
            });
        }
        let range = Range::parse(format!("bytes={}", parts.join(",")).as_bytes()).unwrap();
        let wanted = wanted(&range, length);
        match range.satisfy(length) {
            Satisfied::Unsatisfiable => assert!(!wanted.contains(&true), "{range}"),
            Satisfied::Whole => assert_eq!(length, 0),
            Satisfied::Partial(partial) => {
                let mut sent = vec![0; wanted.len()];
                for part in partial.ranges() {
                    assert!(!part.is_empty());
                    part.clone().for_each(|place| sent[usize::try_from(place).unwrap()] += 1);
                }
                assert!(sent.iter().all(|&times| times <= 1), "{range}");
                assert!(wanted.iter().zip(&sent).all(|(&wanted, &sent)| !wanted || sent == 1), "{range}");
                several += u32::from(partial.single().is_none());
                check_plan(&partial, &mut random);
            }
        }
    }
    assert!(several > 500, "{several} had several parts");
}

/// The stated length is that of what is sent, and each part says which bytes it has.
fn check_plan(partial: &callboard_core::fields::Partial, random: &mut Random) {
    let content_type = pick(random, &["text/plain", "a/b; c=\"d\""]);
    let boundary = Boundary::random([random.next_u64(), random.next_u64()]);
    let plan = Byteranges::new(partial, Some(content_type), boundary);
    let (mut length, mut stated) = (0, None);
    for part in plan.parts() {
        match part {
            Part::Text(text) => {
                length += text.len() as u64;
                let line = text.lines().find_map(|line| line.strip_prefix("Content-Range: "));
                stated = line.and_then(|line| ContentRange::parse(line.as_bytes()));
            }
            Part::Slice(slice) => {
                length += slice.end - slice.start;
                assert_eq!(stated, ContentRange::new(&slice, partial.complete_length()));
            }
        }
    }
    assert_eq!(length, plan.length());
}

#[test]
fn a_spoofed_start_never_changes_who_is_found() {
    // However long the list that a client makes up, what one's own proxies add decides.
    let trust = Trust::Networks(vec!["10.0.0.0/8".parse().unwrap()]);
    for seed in 0..5_000 {
        let mut random = Random::from_seed(seed);
        let start = String::from_utf8(soup(&mut random, PIECES, 12)).unwrap();
        let start: String = start.chars().filter(|&character| character != '"').collect();
        for (convention, name, end) in [
            (Convention::Forwarded, "Forwarded", "for=203.0.113.9;proto=https, for=10.0.0.2"),
            (Convention::XForwarded, "X-Forwarded-For", "203.0.113.9, 10.0.0.2"),
        ] {
            let mut fields = Headers::new();
            fields.append(name, format!("{start}, {end}")).unwrap();
            let client = Proxies { trust: trust.clone(), convention }.client("10.0.0.1".parse().ok(), &fields);
            assert_eq!(client.address, "203.0.113.9".parse().ok(), "{start}");
            assert_eq!(client.hops, 2);
        }
    }
}
