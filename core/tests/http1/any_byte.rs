//! Any byte at any place of a line: a head that comes whole is read in one pass where its lines are of the usual
//! shape, and one that comes byte by byte never is. Both must say the same, word for word.

use std::sync::Arc;

use callboard_core::http1::RequestHead;
use callboard_core::{Limits, Random};

use super::feed::Feed;
use super::{client_run, server_run};

fn assert_same_for_server(input: &[u8], limits: &Arc<Limits>) -> String {
    let whole = server_run::run(input, false, limits, Feed::Whole).listing;
    let in_bytes = server_run::run(input, false, limits, Feed::Bytes).listing;
    assert_eq!(whole, in_bytes, "{}", input.escape_ascii());
    whole
}

/// Lengths around those that are looked at together.
const LENGTHS: [usize; 6] = [1, 2, 15, 16, 17, 33];

#[test]
fn any_byte_at_any_place_of_a_field() {
    let limits = Arc::new(Limits::default());
    let mut accepted = 0;
    for byte in 0..=255_u8 {
        for name in LENGTHS {
            for value in [0, 1, 35] {
                let line = [b"N".repeat(name), b": ".to_vec(), b"v".repeat(value), b"\r\n".to_vec()].concat();
                for place in [0, 1, name / 2, name - 1, name, name + 1, name + 2, line.len() - 3, line.len() - 1] {
                    let mut line = line.clone();
                    line[place] = byte;
                    let input = [b"GET / HTTP/1.1\r\nHost: a\r\n", line.as_slice(), b"Last: 1\r\n\r\n"].concat();
                    accepted += u32::from(!assert_same_for_server(&input, &limits).contains("failed"));
                }
            }
        }
    }
    // The cases are not all of one kind.
    assert!((10_000..35_000).contains(&accepted), "{accepted}");
}

#[test]
fn any_byte_at_any_place_of_a_request_line() {
    let limits = Arc::new(Limits::default());
    for line in ["GET / HTTP/1.1", "PROPFIND /a/long/path?and=a+query HTTP/1.0", "GET http://example.org/a HTTP/1.1"] {
        for place in 0..line.len() + 2 {
            for byte in 0..=255 {
                let mut input = [line.as_bytes(), b"\r\nHost: example.org\r\n\r\n"].concat();
                input[place] = byte;
                assert_same_for_server(&input, &limits);
            }
        }
    }
}

#[test]
fn any_byte_at_any_place_of_a_response_and_of_trailers() {
    let limits = Arc::new(Limits::default());
    let response = b"HTTP/1.1 200 OK\r\nName: value\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: value\r\n\r\n";
    for place in 0..response.len() {
        for byte in 0..=255 {
            let mut input = response.to_vec();
            input[place] = byte;
            let run = |feed| client_run::run("GET", &input, false, &limits, feed).listing;
            assert_eq!(run(Feed::Whole), run(Feed::Bytes), "{}", input.escape_ascii());
        }
    }
}

/// Limits are judged line by line, so a head that breaks one must break it at the same line however it comes.
#[test]
fn any_limit_is_the_same_for_a_whole_head() {
    let head = b"GET /a/path HTTP/1.1\r\nHost: a\r\nOne: 1\r\nTwo: 22\r\nThree: 333\r\n\r\n";
    for limit in 0..head.len() + 3 {
        let of = |limits| assert_same_for_server(head, &Arc::new(limits));
        let verdicts = [
            of(Limits { head: limit, ..Limits::default() }),
            of(Limits { start_line: limit, ..Limits::default() }),
            of(Limits { header_count: limit, ..Limits::default() }),
        ];
        let is_taken = verdicts.map(|verdict| !verdict.contains("failed"));
        assert_eq!(is_taken, [limit >= head.len(), limit >= "GET /a/path HTTP/1.1".len(), limit >= 4], "{limit}");
    }
}

/// Names that bear on framing are told from others while the line is read; what is kept is what was sent.
#[test]
fn names_keep_their_spelling_in_any_case() {
    let names = ["host", "expect", "upgrade", "connection", "content-length", "accept-charset", "x-anything-at-all-1"];
    let mut random = Random::from_seed(3);
    for _ in 0..200 {
        let mut wire = b"GET / HTTP/1.0\r\n".to_vec();
        let mut spelled = Vec::new();
        for name in names {
            let name: String = name
                .chars()
                .map(|letter| if random.below(2) == 0 { letter } else { letter.to_ascii_uppercase() })
                .collect();
            let value = match name.len() {
                6 => "100-Continue",
                14 if name.eq_ignore_ascii_case("content-length") => "17",
                10 => "Keep-Alive",
                _ => "a",
            };
            wire.extend(format!("{name}: {value}\r\n").bytes());
            spelled.push((name, value.as_bytes().to_vec()));
        }
        wire.extend_from_slice(b"\r\n");
        let head = RequestHead::take(&mut wire.as_slice().into(), &Limits::default()).unwrap().unwrap();
        let read: Vec<_> = head.headers.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
        assert_eq!(read, spelled);
        let (whole, twice) = (wire.clone(), [&wire[..wire.len() - 2], b"CONTENT-LENGTH: 17\r\n\r\n"].concat());
        assert!(assert_same_for_server(&whole, &Arc::default()).contains("17"), "the length was recognised");
        assert!(assert_same_for_server(&twice, &Arc::default()).contains("ContentLengthRepeated"));
    }
}

/// Sizes are read in one pass, too, where no extension follows.
#[test]
fn any_byte_at_any_place_of_a_chunk_size() {
    let failed = |line: &[u8], data: usize, limits: &Arc<Limits>| {
        let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice();
        let input = [head, line, &b"x".repeat(data), b"\r\n0\r\n\r\n"].concat();
        assert_same_for_server(&input, limits).contains("failed")
    };
    for place in 0..5 {
        for byte in 0..=255_u8 {
            let mut line = *b"1aF\r\n";
            line[place] = byte;
            let text = line.strip_suffix(b"\r\n").and_then(|digits| str::from_utf8(digits).ok());
            // A semicolon begins an extension.
            let digits = text.map(|text| text.split_once(';').map_or(text, |(digits, _)| digits));
            let size = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let size = size.and_then(|digits| usize::from_str_radix(digits, 16).ok());
            assert_eq!(failed(&line, size.unwrap_or(5), &Arc::default()), size.is_none(), "{}", line.escape_ascii());
        }
    }
    assert!(!failed(b"000000000000000a\r\n", 10, &Arc::default()), "sixteen digits");
    assert!(!failed(b"0000000000000000a\r\n", 10, &Arc::default()), "more zeros");
    assert!(failed(b"1000000000000000a\r\n", 10, &Arc::default()), "more than 64 bits");
    for (limit, is_too_long) in [(4, true), (5, false)] {
        let limits = Arc::new(Limits { chunk_line: limit, ..Limits::default() });
        assert_eq!(failed(b"00a\r\n", 10, &limits), is_too_long, "{limit}");
    }
}
