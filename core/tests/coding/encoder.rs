//! The encoder: flush points, levels, determinism, and independent decoders.

use std::io::Read;

use callboard_core::Random;
use callboard_core::coding::{Coding, DecodeLimits, Decoder, EncodeError, Encoder, Level};

use crate::bodies::{body, encode_whole};
use crate::run::{Feed, decode, encode};

const LEVELS: [Level; 5] = [Level::Exact(0), Level::Fastest, Level::Default, Level::Exact(7), Level::Best];

/// What an independent reader makes of it.
fn read_elsewhere(coding: Coding, coded: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    let read = match coding {
        Coding::Gzip => flate2::read::MultiGzDecoder::new(coded).read_to_end(&mut body),
        Coding::Deflate => flate2::read::ZlibDecoder::new(coded).read_to_end(&mut body),
        Coding::Brotli => brotli::Decompressor::new(coded, 4096).read_to_end(&mut body),
        _ => return decode(coding, &DecodeLimits::default(), coded, Feed::Whole).output,
    };
    read.unwrap();
    body
}

#[test]
fn what_is_encoded_decodes_here_and_elsewhere() {
    for seed in 0..12 {
        let mut random = Random::from_seed(seed);
        let length = usize::try_from(random.below(60_000)).unwrap() * usize::from(seed != 0);
        let text = body(&mut random, length);
        for &coding in Coding::ALL {
            let level = LEVELS[usize::try_from(random.below(LEVELS.len() as u64)).unwrap()];
            let coded = encode(&mut Encoder::new(coding, level), &text, &mut random);
            let outcome = decode(coding, &DecodeLimits::default(), &coded, Feed::Whole);
            assert!(outcome.output == text && outcome.end == Ok(()), "{coding} {level:?} seed {seed}");
            assert!(read_elsewhere(coding, &coded) == text, "{coding} {level:?} seed {seed}");
        }
    }
}

#[test]
fn everything_up_to_a_flush_is_decodable() {
    for &coding in Coding::ALL {
        for level in LEVELS {
            let mut encoder = Encoder::new(coding, level);
            let mut decoder = Decoder::new(coding, &DecodeLimits::default());
            let mut block = [0; 256];
            for number in 0..20 {
                let event = format!("data: event {number} {}\n\n", "x".repeat(number * 7));
                let mut coded = Vec::new();
                encoder.encode(event.as_bytes(), &mut coded).unwrap();
                encoder.flush(&mut coded).unwrap();
                let (mut read, mut text) = (0, Vec::new());
                loop {
                    let progress = decoder.decode(&coded[read..], &mut block).unwrap();
                    read += progress.read;
                    text.extend_from_slice(&block[..progress.written]);
                    if progress.written == 0 {
                        break;
                    }
                }
                assert_eq!(text, event.as_bytes(), "{coding} {level:?} event {number}");
            }
            let mut rest = Vec::new();
            encoder.finish(&mut rest).unwrap();
            assert_eq!(decoder.decode(&rest, &mut block).map(|progress| progress.written), Ok(0), "{coding}");
            assert_eq!(decoder.finish(), Ok(()), "{coding} {level:?}");
        }
    }
}

/// Stated at `Level`. What zstd holds is the library's own, and is weighed beside its source.
#[test]
fn memory_does_not_grow_with_what_is_encoded() {
    const MIB: u64 = 1024 * 1024;
    let text = body(&mut Random::from_seed(1), 4 << 20);
    for (coding, level, bound) in [
        (Coding::Gzip, Level::Best, MIB / 2),
        (Coding::Deflate, Level::Best, MIB / 2),
        (Coding::Brotli, Level::Fastest, MIB / 2),
        (Coding::Brotli, Level::Default, 3 * MIB),
        (Coding::Brotli, Level::Best, 44 * MIB),
    ] {
        let length = if level == Level::Best { 1 << 17 } else { text.len() };
        let mut coded = Vec::with_capacity(2 * text.len());
        let memory = allocation_counter::measure(|| {
            let mut encoder = Encoder::new(coding, level);
            for piece in text[..length].chunks(8 * 1024) {
                encoder.encode(piece, &mut coded).unwrap();
                encoder.flush(&mut coded).unwrap();
            }
            encoder.finish(&mut coded).unwrap();
        });
        assert!(memory.bytes_max < bound, "{coding} {level:?}: {} bytes", memory.bytes_max);
        assert!(memory.bytes_max > 50_000, "the counter does not count");
    }
}

#[test]
fn flushes_without_input_do_no_harm() {
    for &coding in Coding::ALL {
        let (mut encoder, mut coded) = (Encoder::new(coding, Level::Default), Vec::new());
        for _ in 0..3 {
            encoder.flush(&mut coded).unwrap();
        }
        encoder.encode(b"text", &mut coded).unwrap();
        for _ in 0..3 {
            encoder.flush(&mut coded).unwrap();
        }
        encoder.finish(&mut coded).unwrap();
        assert!(coded.len() < 120, "{coding}: {}", coded.len());
        assert_eq!(read_elsewhere(coding, &coded), b"text", "{coding}");
    }
}

#[test]
fn the_same_calls_give_the_same_bytes() {
    let text = body(&mut Random::from_seed(9), 80_000);
    for &coding in Coding::ALL {
        for level in [Level::Fastest, Level::Default] {
            let run = || encode(&mut Encoder::new(coding, level), &text, &mut Random::from_seed(4));
            assert!(run() == run(), "{coding} {level:?}");
        }
    }
    // No time, no name, no system: RFC 1952 §2.3.
    let gzip = encode_whole(Coding::Gzip, Level::Default, b"");
    assert_eq!(gzip, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn deflate_is_sent_in_the_zlib_format() {
    let coded = encode_whole(Coding::Deflate, Level::Default, b"text");
    assert_eq!(coded[0] & 0x0f, 8);
    assert!(u16::from_be_bytes([coded[0], coded[1]]).is_multiple_of(31));
}

#[test]
fn a_higher_level_is_smaller() {
    let text = body(&mut Random::from_seed(11), 100_000);
    for &coding in Coding::ALL {
        let sizes = [Level::Fastest, Level::Best].map(|level| encode_whole(coding, level, &text).len());
        assert!(sizes[1] < sizes[0], "{coding}: {sizes:?}");
    }
    // Past the range is the end of the range.
    assert_eq!(encode_whole(Coding::Gzip, Level::Exact(200), &text), encode_whole(Coding::Gzip, Level::Best, &text));
}

#[test]
fn a_finished_encoder_takes_no_more() {
    for &coding in Coding::ALL {
        let (mut encoder, mut coded) = (Encoder::new(coding, Level::Default), Vec::new());
        encoder.finish(&mut coded).unwrap();
        let length = coded.len();
        assert_eq!(encoder.encode(b"more", &mut coded), Err(EncodeError::Finished));
        assert_eq!(encoder.flush(&mut coded), Err(EncodeError::Finished));
        assert_eq!(encoder.finish(&mut coded), Err(EncodeError::Finished));
        assert_eq!(coded.len(), length);
    }
}

/// What [`Level`] states, for text of few letters without repeats, which is what costs brotli most. The memory of zstd
/// is the library's own.
#[test]
fn an_encoder_holds_what_is_stated() {
    const KIB: u64 = 1024;
    let mut random = Random::from_seed(3);
    let text: Vec<u8> = (0..1 << 20).map(|_| b"etaonsr "[usize::try_from(random.below(8)).unwrap()]).collect();
    let rows = [
        (Coding::Gzip, Level::Fastest, text.len(), 400 * KIB),
        (Coding::Gzip, Level::Best, text.len(), 400 * KIB),
        (Coding::Deflate, Level::Default, text.len(), 400 * KIB),
        (Coding::Brotli, Level::Fastest, text.len(), 400 * KIB),
        (Coding::Brotli, Level::Default, 64 * 1024, 3 * 1024 * KIB),
        (Coding::Brotli, Level::Default, text.len(), 6 * 1024 * KIB),
    ];
    for (coding, level, length, bound) in rows {
        let mut coded = Vec::with_capacity(2 * text.len());
        let held = allocation_counter::measure(|| {
            let mut encoder = Encoder::new(coding, level);
            for piece in text[..length].chunks(32 * 1024) {
                encoder.encode(piece, &mut coded).unwrap();
            }
            encoder.finish(&mut coded).unwrap();
        });
        assert!((bound / 16..=bound).contains(&held.bytes_max), "{coding} {level:?} {length}: {held:?}");
    }
}
