//! Truncation, members, several codings, and no coding.

use callboard_core::coding::{Coding, Codings, DecodeError, DecodeLimits, Decoder, Level};
use callboard_core::{Headers, Random, header};

use crate::bodies::{body, encode_whole};
use crate::run::{Feed, decode};
use crate::vectors::{TEXT, VECTORS, bytes};

fn listed(value: &str) -> Codings {
    let mut headers = Headers::new();
    headers.append(header::CONTENT_ENCODING, value).unwrap();
    Codings::read(&headers).unwrap()
}

#[test]
fn a_stream_cut_at_any_byte_is_truncated() {
    for &(name, coding, stream, expected) in VECTORS {
        let stream = bytes(stream);
        for cut in 1..stream.len() {
            // Behind a skippable frame the body may end.
            let is_whole = name.contains("skippable") && cut == 10;
            let outcome = decode(coding, &DecodeLimits::default(), &stream[..cut], Feed::Whole);
            let end = if is_whole { Ok(()) } else { Err(DecodeError::Truncated) };
            assert_eq!(outcome.end, end, "{name} cut at {cut}");
            assert!(expected.starts_with(&outcome.output), "{name} cut at {cut}");
        }
    }
}

#[test]
fn no_bytes_are_the_empty_body_of_every_coding() {
    for &coding in Coding::ALL {
        assert_eq!(Decoder::new(coding, &DecodeLimits::default()).finish(), Ok(()));
    }
}

#[test]
fn what_comes_before_a_cut_is_given_as_far_as_it_can_be() {
    let text = body(&mut Random::from_seed(1), 400_000);
    for &coding in Coding::ALL {
        let coded = encode_whole(coding, Level::Default, &text);
        let outcome = decode(coding, &DecodeLimits::default(), &coded[..coded.len() - 1], Feed::Whole);
        assert_eq!(outcome.end, Err(DecodeError::Truncated), "{coding}");
        assert!(text.starts_with(&outcome.output) && outcome.output.len() > text.len() / 4, "{coding}");
    }
}

/// Codings that can be concatenated.
fn with_members() -> Vec<Coding> {
    Coding::ALL.iter().copied().filter(|&coding| !matches!(coding, Coding::Brotli | Coding::Deflate)).collect()
}

#[test]
fn members_follow_one_another() {
    for coding in with_members() {
        let one = encode_whole(coding, Level::Default, TEXT);
        let coded = [one.as_slice(), &encode_whole(coding, Level::Best, b""), &one].concat();
        for feed in [Feed::Whole, Feed::Bytes] {
            let outcome = decode(coding, &DecodeLimits::default(), &coded, feed);
            assert_eq!((outcome.output, outcome.end), ([TEXT, TEXT].concat(), Ok(())), "{coding}");
        }
    }
}

#[test]
fn members_are_counted() {
    for coding in with_members() {
        let one = encode_whole(coding, Level::Default, b"");
        for feed in [Feed::Whole, Feed::Bytes] {
            let coded = one.repeat(1024);
            assert_eq!(decode(coding, &DecodeLimits::default(), &coded, feed.clone()).end, Ok(()), "{coding}");
            let coded = one.repeat(1025);
            let outcome = decode(coding, &DecodeLimits::default(), &coded, feed);
            assert_eq!(outcome.end, Err(DecodeError::TooManyMembers), "{coding}");
        }
    }
}

#[test]
fn zeros_after_gzip_are_padding() {
    let mut coded = encode_whole(Coding::Gzip, Level::Default, TEXT);
    coded.resize(coded.len() + 1000, 0);
    let outcome = decode(Coding::Gzip, &DecodeLimits::default(), &coded, Feed::Bytes);
    assert_eq!((outcome.output.as_slice(), outcome.end), (TEXT, Ok(())));
    // There is none before.
    assert_eq!(
        decode(Coding::Gzip, &DecodeLimits::default(), &[0; 20], Feed::Bytes).end,
        Err(DecodeError::HeaderInvalid)
    );
}

#[test]
fn several_codings_are_undone_from_the_last() {
    let text = body(&mut Random::from_seed(2), 60_000);
    for (value, order) in [
        ("gzip, br", [Coding::Gzip, Coding::Brotli]),
        ("br, deflate", [Coding::Brotli, Coding::Deflate]),
        ("deflate, gzip", [Coding::Deflate, Coding::Gzip]),
    ] {
        let coded = order.iter().fold(text.clone(), |text, &coding| encode_whole(coding, Level::Fastest, &text));
        for feed in [Feed::Whole, Feed::Bytes, Feed::Random(Random::from_seed(3), 5000)] {
            let outcome = decode(listed(value), &DecodeLimits::default(), &coded, feed.clone());
            assert!(outcome.output == text && outcome.end == Ok(()), "{value}, {feed:?}: {:?}", outcome.end);
        }
        let outcome = decode(listed(value), &DecodeLimits::default(), &coded[..coded.len() - 1], Feed::Whole);
        assert_eq!(outcome.end, Err(DecodeError::Truncated), "{value}");
    }
}

#[test]
fn an_inner_coding_that_is_cut_is_truncated_although_the_outer_is_whole() {
    let inner = encode_whole(Coding::Gzip, Level::Default, TEXT);
    let coded = encode_whole(Coding::Brotli, Level::Default, &inner[..inner.len() - 1]);
    assert_eq!(
        decode(listed("gzip, br"), &DecodeLimits::default(), &coded, Feed::Whole).end,
        Err(DecodeError::Truncated)
    );
}

#[test]
fn identity_passes_within_the_limit() {
    let limits = DecodeLimits { output: 5, ..DecodeLimits::default() };
    for feed in [Feed::Whole, Feed::Bytes] {
        let outcome = decode(Codings::default(), &limits, b"12345", feed.clone());
        assert_eq!((outcome.output.as_slice(), outcome.end), (&b"12345"[..], Ok(())));
    }
    let mut decoder = Decoder::new(listed("identity"), &limits);
    let mut block = [0; 10];
    assert_eq!(decoder.decode(b"123456", &mut block).unwrap().written, 5);
    assert_eq!(decoder.decode(b"", &mut block), Err(DecodeError::TooLarge));
}
