//! Little that claims to be much: memory stays within the stated bound, and the limits end it.

use allocation_counter::measure;
use callboard_core::coding::{Coding, Codings, DecodeError, DecodeLimits, Decoder, Encoder, Level};
use callboard_core::{Headers, header};

use crate::run::{Feed, decode};

const MIB: usize = 1024 * 1024;

/// That many MiB of zeros, coded.
fn bomb(coding: Coding, mebibytes: usize) -> Vec<u8> {
    let (mut encoder, mut coded, block) = (Encoder::new(coding, Level::Default), Vec::new(), vec![0; MIB]);
    for _ in 0..mebibytes {
        encoder.encode(&block, &mut coded).unwrap();
    }
    encoder.finish(&mut coded).unwrap();
    coded
}

/// Bytes that decoding takes at most, the block of the caller's apart, and how it ends.
fn weigh(codings: &Codings, limits: &DecodeLimits, coded: &[u8]) -> (u64, u64, Result<(), DecodeError>) {
    let mut block = vec![0; 16 * 1024];
    let (mut given, mut end) = (0, Ok(()));
    let info = measure(|| {
        let mut decoder = Decoder::new(codings.clone(), limits);
        let mut read = 0;
        end = loop {
            match decoder.decode(&coded[read..], &mut block) {
                Ok(progress) if progress.written == 0 => break decoder.finish(),
                Ok(progress) => read += progress.read,
                Err(error) => break Err(error),
            }
        };
        given = decoder.given();
    });
    (info.bytes_max, given, end)
}

#[test]
fn memory_does_not_grow_with_what_is_decoded() {
    let limits = DecodeLimits { ratio: u64::MAX, ..DecodeLimits::default() };
    // Stated at `DecodeLimits`. The memory of zstd is the library's own and is weighed beside its source.
    for (coding, bound) in [(Coding::Gzip, 64 * 1024), (Coding::Deflate, 64 * 1024), (Coding::Brotli, 3 * MIB)] {
        let coded = bomb(coding, 64);
        let (memory, given, end) = weigh(&coding.into(), &limits, &coded);
        assert_eq!((given, end), (64 * MIB as u64, Ok(())), "{coding}");
        assert!(memory < bound as u64, "{coding}: {memory} bytes");
        assert!(memory > 0, "the counter does not count");
    }
}

#[test]
fn the_largest_window_of_brotli_is_within_the_stated_bound() {
    // WBITS 24, then 32 uncompressed metablocks of 1 MiB, then the end.
    let mut coded = vec![];
    // In bits from the lowest: WBITS 24, ISLAST 0, MNIBBLES 5, MLEN - 1 in 20 bits, ISUNCOMPRESSED 1.
    let first: u64 = 0b1111 | 0b01 << 5 | 0xf_ffff << 7 | 1 << 27;
    coded.extend_from_slice(&first.to_le_bytes()[..4]);
    coded.resize(coded.len() + MIB, b'x');
    let next: u64 = 0b01 << 1 | 0xf_ffff << 3 | 1 << 23;
    for _ in 1..40 {
        coded.extend_from_slice(&next.to_le_bytes()[..3]);
        coded.resize(coded.len() + MIB, b'x');
    }
    coded.push(0x03);
    let (memory, given, end) = weigh(&Coding::Brotli.into(), &DecodeLimits::default(), &coded);
    assert_eq!((given, end), (40 * MIB as u64, Ok(())));
    assert!((16 * MIB as u64..33 * MIB as u64).contains(&memory), "{memory} bytes");
}

/// Bits as RFC 7932 §1.5.1 packs them: the first is the lowest.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn push(&mut self, value: u32, width: usize) {
        for place in 0..width {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= u8::from(value >> place & 1 == 1) << (self.count % 8);
            self.count += 1;
        }
    }

    /// A prefix code with one symbol (§3.4), for an alphabet of that many bits.
    fn push_code(&mut self, alphabet: usize, symbol: u32) {
        self.push(1, 4);
        self.push(symbol, alphabet);
    }

    /// A metablock of one byte with 256 block types of each kind and 256 trees of each kind (§9.2).
    fn push_metablock(&mut self) {
        const MOST: u32 = 0b111_1111_1111;
        // ISLAST 0, MNIBBLES 4, MLEN 1, compressed.
        self.push(0, 20);
        for _ in 0..3 {
            self.push(MOST, 11);
            self.push_code(9, 0);
            self.push_code(5, 0);
            self.push(0, 2);
        }
        // NPOSTFIX, NDIRECT, then the context modes.
        self.push(0, 6);
        (0..256).for_each(|_| self.push(0, 2));
        for _ in 0..2 {
            // Trees, no run lengths, one symbol for all of the map, no move to front.
            self.push(MOST, 11);
            self.push(0, 1);
            self.push_code(8, 0);
            self.push(0, 1);
        }
        // All literals are the same; the only command inserts one and copies nothing, as the metablock is over then.
        (0..256).for_each(|_| self.push_code(8, u32::from(b'x')));
        (0..256).for_each(|_| self.push_code(10, 8));
        (0..256).for_each(|_| self.push_code(6, 0));
    }
}

/// Each kilobyte asks for 3.3 MiB of tables: they are within the stated bound, and not taken anew each time.
#[test]
fn the_most_tables_of_brotli_are_taken_once() {
    let mut bits = Bits::default();
    // WBITS 16.
    bits.push(0, 1);
    (0..50).for_each(|_| bits.push_metablock());
    // ISLAST, ISLASTEMPTY.
    bits.push(0b11, 2);
    let (mut output, mut end) = ([0; 1024], Err(DecodeError::Truncated));
    let memory = measure(|| {
        let mut decoder = Decoder::new(Coding::Brotli, &DecodeLimits::default());
        let written = decoder.decode(&bits.bytes, &mut output).map(|progress| progress.written);
        end = written.and_then(|written| decoder.finish().map(|()| written));
    });
    assert_eq!((end, &output[..50]), (Ok(50), &[b'x'; 50][..]));
    assert!(bits.bytes.len() < 50 * 1300);
    let (least, most) = (3 * MIB as u64, 4 * MIB as u64);
    assert!((least..most).contains(&memory.bytes_max), "{} bytes", memory.bytes_max);
    assert!(memory.bytes_total < 3 * most, "{} bytes in all", memory.bytes_total);
}

#[test]
fn the_ratio_ends_a_bomb_of_every_coding() {
    for &coding in Coding::ALL {
        let coded = bomb(coding, 64);
        for feed in [Feed::Whole, Feed::Random(callboard_core::Random::from_seed(1), 20_000)] {
            let outcome = decode(coding, &DecodeLimits::default(), &coded, feed);
            assert_eq!(outcome.end, Err(DecodeError::RatioExceeded), "{coding}");
            let given = outcome.output.len();
            assert!((16 * MIB..17 * MIB).contains(&given), "{coding}: {given} bytes");
        }
        // Within the grace it is let through.
        let limits = DecodeLimits { ratio_grace: 64 * MIB as u64, ..DecodeLimits::default() };
        assert_eq!(decode(coding, &limits, &coded, Feed::Whole).end, Ok(()), "{coding}");
        // And a body of little repetition passes at any size.
        let limits = DecodeLimits { ratio: 2, ratio_grace: 0, ..DecodeLimits::default() };
        let noise = crate::bodies::body(&mut callboard_core::Random::from_seed(5), 10);
        let coded = crate::bodies::encode_whole(coding, Level::Default, &noise);
        assert_eq!(decode(coding, &limits, &coded, Feed::Bytes).end, Ok(()), "{coding}");
    }
    assert_eq!(DecodeError::RatioExceeded.status().code(), 413);
}

#[test]
fn the_size_ends_a_bomb_at_its_byte() {
    for &coding in Coding::ALL {
        let coded = bomb(coding, 1);
        for (output, end) in [
            (0, Err(DecodeError::TooLarge)),
            (1, Err(DecodeError::TooLarge)),
            (MIB as u64 - 1, Err(DecodeError::TooLarge)),
            (MIB as u64, Ok(())),
        ] {
            let limits = DecodeLimits { output, ..DecodeLimits::default() };
            let outcome = decode(coding, &limits, &coded, Feed::Whole);
            assert_eq!((outcome.output.len() as u64, outcome.end), (output, end), "{coding}");
        }
        let limits = DecodeLimits { output: 3, ..DecodeLimits::default() };
        assert_eq!(decode(coding, &limits, &coded, Feed::Bytes).end, Err(DecodeError::TooLarge), "{coding}");
    }
    assert_eq!(DecodeError::TooLarge.status().code(), 413);
}

#[test]
fn a_bomb_in_a_bomb_is_judged_by_what_was_sent() {
    let mut headers = Headers::new();
    headers.append(header::CONTENT_ENCODING, "gzip, br").unwrap();
    let codings = Codings::read(&headers).unwrap();
    let inner = bomb(Coding::Gzip, 64);
    let coded = crate::bodies::encode_whole(Coding::Brotli, Level::Default, &inner);
    assert!(coded.len() < 8 * 1024);
    let (memory, given, end) = weigh(&codings, &DecodeLimits::default(), &coded);
    assert_eq!(end, Err(DecodeError::RatioExceeded));
    assert!(given < 17 * MIB as u64 && memory < 3 * MIB as u64, "{given} bytes given, {memory} taken");
}

#[test]
fn an_outer_bomb_that_gives_nothing_ends_too() {
    // 64 MiB of padding behind a member of gzip, hidden by brotli: the end gives 30 bytes, the middle all of it.
    let mut inner = crate::bodies::encode_whole(Coding::Gzip, Level::Default, crate::vectors::TEXT);
    inner.resize(inner.len() + 64 * MIB, 0);
    let coded = crate::bodies::encode_whole(Coding::Brotli, Level::Default, &inner);
    let mut headers = Headers::new();
    headers.append(header::CONTENT_ENCODING, "gzip, br").unwrap();
    let (_, given, end) = weigh(&Codings::read(&headers).unwrap(), &DecodeLimits::default(), &coded);
    assert_eq!((given, end), (30, Err(DecodeError::RatioExceeded)));
}
