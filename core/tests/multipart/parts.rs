//! Parts one after the other, however the body is cut.

use std::task::Poll;

use bytes::Bytes;
use callboard_core::Random;
use callboard_core::media_type::MediaType;
use callboard_core::multipart::{MultipartError, MultipartLimits, PartError, PartHead, Parts};

/// Hands a body to the machine when something is pending.
struct Source<'a> {
    parts: Parts,
    body: &'a [u8],
    random: Random,
}

impl<'a> Source<'a> {
    fn new(media_type: &str, body: &'a [u8], seed: u64) -> Self {
        let media_type: MediaType = media_type.parse().expect("a media type");
        let parts = Parts::new(&media_type, MultipartLimits::default()).expect("parts");
        Self { parts, body, random: Random::from_seed(seed) }
    }

    fn wait<T>(&mut self, step: impl Fn(&mut Parts) -> Result<Poll<T>, PartError>) -> Result<T, PartError> {
        loop {
            if let Poll::Ready(value) = step(&mut self.parts)? {
                return Ok(value);
            }
            let length = usize::try_from(self.random.below(12)).expect("small").min(self.body.len());
            let (piece, rest) = self.body.split_at(length);
            self.body = rest;
            self.parts.handle_input(Bytes::copy_from_slice(piece));
            if rest.is_empty() {
                self.parts.handle_end_of_input();
            }
        }
    }

    fn next(&mut self) -> Result<Option<Box<PartHead>>, PartError> {
        self.wait(Parts::poll_part)
    }

    fn rest(&mut self, limit: usize) -> Result<Bytes, PartError> {
        self.wait(|parts| parts.poll_rest(limit))
    }
}

const MIXED: &str = "multipart/mixed; boundary=B";

#[test]
fn what_is_not_read_of_a_part_is_skipped() {
    let body = b"--B\r\nA: 1\r\n\r\none\r\n--B\r\nA: 2\r\n\r\n\r\n--B\r\nA: 3\r\n\r\nthree\r\n--B--\r\nepilogue";
    for seed in 0..200 {
        let mut source = Source::new(MIXED, body, seed);
        let mut found = Vec::new();
        for number in 0..3 {
            let head = source.next().unwrap().expect("a part");
            assert_eq!(head.headers().text("A").unwrap(), (number + 1).to_string());
            // Which parts are read, and how, follows from the seed.
            match (seed >> number) % 3 {
                0 => {}
                1 => drop(source.wait(Parts::poll_data).unwrap()),
                _ => found.push((number, source.rest(5).unwrap())),
            }
        }
        assert_eq!(source.next(), Ok(None), "seed {seed}");
        assert_eq!(source.next(), Ok(None), "seed {seed}");
        assert_eq!(source.wait(Parts::poll_data), Ok(None));
        let expected = [&b"one"[..], b"", b"three"];
        assert!(found.iter().all(|(number, data)| data == expected[*number]), "seed {seed}: {found:?}");
    }
}

#[test]
fn a_limit_is_exact_and_the_next_part_can_be_read() {
    let body = b"--B\r\n\r\n12345\r\n--B\r\n\r\nnext\r\n--B--";
    for seed in 0..50 {
        let mut source = Source::new(MIXED, body, seed);
        source.next().unwrap();
        assert_eq!(source.rest(4), Err(PartError::TooLong { limit: 4 }), "seed {seed}");
        source.next().unwrap();
        assert_eq!(source.rest(4).unwrap(), "next");
        assert_eq!(source.rest(4).unwrap(), "", "it was taken");
    }
}

#[test]
fn a_body_that_is_cut_is_an_error_again_and_again() {
    for seed in 0..50 {
        let mut source = Source::new(MIXED, b"--B\r\n\r\n123", seed);
        source.next().unwrap();
        let error = Err(PartError::Multipart(MultipartError::CutInPart));
        assert_eq!(source.rest(100), error);
        assert_eq!(source.wait(Parts::poll_data).map(drop), error.clone().map(|_: Bytes| ()));
        assert_eq!(source.next().map(drop), error.map(|_| ()));
    }
}

#[test]
fn text_is_in_the_charset_of_the_part_or_of_the_form() {
    let body = b"--B\r\nContent-Disposition: form-data; name=_charset_\r\n\r\nlatin1\r\n\
        --B\r\nContent-Disposition: form-data; name=a\r\n\r\n\xe9\r\n\
        --B\r\nContent-Disposition: form-data; name=b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xe9\r\n\
        --B\r\nContent-Disposition: form-data; name=b\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\nx\r\n--B--";
    let mut source = Source::new("multipart/form-data; boundary=B", body, 1);
    source.next().unwrap();
    let mut texts = Vec::new();
    while let Some(head) = source.next().unwrap() {
        let data = source.rest(10).unwrap();
        texts.push(source.parts.text(&head, &data));
    }
    assert_eq!(texts, [Ok("\u{e9}".to_owned()), Err(PartError::Text), Err(PartError::Charset("koi8-r".to_owned()))]);
    assert_eq!(texts[1].as_ref().unwrap_err().status().code(), 400);
    assert_eq!(texts[2].as_ref().unwrap_err().status().code(), 415);
}

#[cfg(feature = "compression")]
mod coded {
    use callboard_core::coding::{Coding, CodingsError, DecodeError, DecodeLimits, Level};
    use callboard_core::multipart::{Boundary, InvalidPart, Part, Writer};

    use super::*;

    fn body(coding: Coding) -> Vec<u8> {
        let mut writer: Writer = Writer::mixed(Boundary::new("B").unwrap());
        let part = |text: String| Part::bytes(text).with_content_coding(coding, Level::Default).unwrap();
        let whole = part("text ".repeat(5000));
        assert_eq!(whole.headers().text("Content-Encoding"), Some(coding.name()));
        writer.add(whole).unwrap();
        writer.add(Part::bytes("plain").with_header("Content-Encoding", "identity").unwrap()).unwrap();
        writer.add(part(String::new())).unwrap();
        writer.into_bytes()
    }

    #[test]
    fn codings_of_parts_are_undone() {
        for coding in Coding::ALL {
            let body = body(*coding);
            assert!(body.len() < 5000, "the part of 25,000 bytes was compressed");
            for seed in 0..20 {
                let mut source = Source::new(MIXED, &body, seed);
                let mut texts = Vec::new();
                while source.next().unwrap().is_some() {
                    texts.push(source.rest(25_000).unwrap());
                }
                assert_eq!(texts, [Bytes::from("text ".repeat(5000)), "plain".into(), "".into()], "{coding:?}");
            }
        }
    }

    #[test]
    fn a_part_that_cannot_be_decoded_is_an_error_of_its_own() {
        let body = b"--B\r\nContent-Encoding: gzip\r\n\r\nno gzip\r\n--B\r\nContent-Encoding: aws-chunked\r\n\r\nx\r\n\
            --B\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\r\n--B\r\n\r\nplain\r\n--B--";
        for seed in 0..50 {
            let mut source = Source::new(MIXED, body, seed);
            for expected in [
                PartError::Decoding(DecodeError::HeaderInvalid),
                PartError::Codings(CodingsError::Unknown),
                PartError::Decoding(DecodeError::Truncated),
            ] {
                source.next().unwrap();
                assert_eq!(source.rest(100), Err(expected.clone()));
                assert_eq!(source.wait(Parts::poll_data).map(drop), Err(expected), "an error is no end");
            }
            source.next().unwrap();
            assert_eq!(source.rest(100).unwrap(), "plain");
            // Nobody who skips them is concerned.
            let mut source = Source::new(MIXED, body, seed);
            for _ in 0..4 {
                source.next().unwrap();
            }
            assert_eq!(source.rest(100).unwrap(), "plain");
        }
    }

    #[test]
    fn a_bomb_in_a_part_meets_the_limits() {
        let body = body(Coding::Gzip);
        let mut source = Source::new(MIXED, &body, 3);
        source.parts.decode(DecodeLimits { output: 20_000, ..DecodeLimits::default() });
        source.next().unwrap();
        assert_eq!(source.rest(100_000), Err(PartError::Decoding(DecodeError::TooLarge)));
        source.next().unwrap();
        assert_eq!(source.rest(100).unwrap(), "plain");
    }

    /// RFC 7578 §4.8: in a form the field means nothing.
    #[test]
    fn forms_and_those_who_want_it_raw_have_no_codings() {
        let body = b"--B\r\nContent-Disposition: form-data; name=a\r\nContent-Encoding: gzip\r\n\r\nraw\r\n--B--";
        let mut form = Source::new("multipart/form-data; boundary=B", body, 1);
        form.next().unwrap();
        assert_eq!(form.rest(100).unwrap(), "raw");
        let mut raw = Source::new(MIXED, body, 1);
        raw.parts.decode(None);
        raw.next().unwrap();
        assert_eq!(raw.rest(100).unwrap(), "raw");
        let part = Part::<()>::stream((), None).with_content_coding(Coding::Gzip, Level::Fastest);
        assert_eq!(part.err(), Some(InvalidPart::NotEncodable));
        let mut writer: Writer = Writer::form_data(Boundary::new("B").unwrap());
        let part = Part::field("a", "x").unwrap().with_content_coding(Coding::Gzip, Level::Fastest).unwrap();
        assert_eq!(writer.add(part), Err(InvalidPart::NotInForm));
    }
}
