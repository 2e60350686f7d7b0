//! What the RFCs demand of each format, one violation a row, whole and byte by byte.

use callboard_core::coding::Coding::{self, Brotli, Deflate, Gzip};
use callboard_core::coding::{DecodeError, DecodeLimits};

use crate::run::{Feed, decode};
use crate::vectors::{TEXT, bytes};

/// What, coding, stream, error.
const WRONG: &[(&str, Coding, &str, DecodeError)] = &[
    ("gzip, first magic byte", Gzip, "1e8b0800000000000003 0300 00000000 00000000", DecodeError::HeaderInvalid),
    ("gzip, second magic byte", Gzip, "1f8c0800000000000003 0300 00000000 00000000", DecodeError::HeaderInvalid),
    ("gzip, method", Gzip, "1f8b0700000000000003 0300 00000000 00000000", DecodeError::HeaderInvalid),
    ("gzip, reserved flag", Gzip, "1f8b0820000000000003 0300 00000000 00000000", DecodeError::HeaderInvalid),
    ("gzip, header CRC", Gzip, "1f8b0802000000000003 ffff 0300 00000000 00000000", DecodeError::ChecksumMismatch),
    (
        "gzip, CRC32",
        Gzip,
        "1f8b0800000000000203 4b4eccc949ca4f2c4a5148c664710100 6f321c22 1e000000",
        DecodeError::ChecksumMismatch,
    ),
    (
        "gzip, ISIZE",
        Gzip,
        "1f8b0800000000000203 4b4eccc949ca4f2c4a5148c664710100 6f321c21 1e000001",
        DecodeError::LengthMismatch,
    ),
    ("gzip, reserved block type", Gzip, "1f8b0800000000000003 07", DecodeError::DataInvalid),
    ("gzip, something behind", Gzip, "1f8b0800000000000003 0300 00000000 00000000 41", DecodeError::TrailingData),
    (
        "gzip, something behind padding",
        Gzip,
        "1f8b0800000000000003 0300 00000000 00000000 0000 1f",
        DecodeError::TrailingData,
    ),
    ("gzip, a bad second member", Gzip, "1f8b0800000000000003 0300 00000000 00000000 1f00", DecodeError::HeaderInvalid),
    ("zlib, Adler-32", Deflate, "789c 4b4eccc949ca4f2c4a5148c664710100 b27c0b38", DecodeError::ChecksumMismatch),
    ("zlib, preset dictionary", Deflate, "78bb 121903a5 4b863114b0b0b800 b27c0b37", DecodeError::DictionaryRequired),
    ("zlib, something behind", Deflate, "789c 0300 00000001 00", DecodeError::TrailingData),
    ("zlib, distance too far back", Deflate, "789c 4b04a2 000000", DecodeError::DataInvalid),
    ("raw deflate, reserved block type", Deflate, "0700", DecodeError::DataInvalid),
    ("raw deflate, stored length", Deflate, "01 0300fcfe 616263", DecodeError::DataInvalid),
    // A stored block whose padding is not zero: its first bytes are a zlib header, and as such they are read.
    ("raw deflate that begins as zlib does", Deflate, "7801 00feff 61 010000ffff", DecodeError::DataInvalid),
    ("raw deflate, something behind", Deflate, "0300 00", DecodeError::TrailingData),
    ("brotli, reserved bit of a metablock", Brotli, "3c00000000000000", DecodeError::DataInvalid),
    ("brotli, something behind", Brotli, "06 00", DecodeError::TrailingData),
    (
        "brotli, large window",
        Brotli,
        "115c7400e03752ba791355d858b28128a422a32c530a3841f126",
        DecodeError::WindowTooLarge,
    ),
    #[cfg(feature = "zstd")]
    ("zstd, magic", Coding::Zstd, "28b52ffe 00 00 190000 616263", DecodeError::HeaderInvalid),
    #[cfg(feature = "zstd")]
    ("zstd, reserved bit", Coding::Zstd, "28b52ffd 08 00 190000 616263", DecodeError::DataInvalid),
    #[cfg(feature = "zstd")]
    ("zstd, reserved block type", Coding::Zstd, "28b52ffd 00 00 1f0000 616263", DecodeError::DataInvalid),
    #[cfg(feature = "zstd")]
    ("zstd, dictionary", Coding::Zstd, "28b52ffd 01 00 07 190000 616263", DecodeError::DictionaryRequired),
    #[cfg(feature = "zstd")]
    ("zstd, window of 16 MiB", Coding::Zstd, "28b52ffd 00 70 190000 616263", DecodeError::WindowTooLarge),
    #[cfg(feature = "zstd")]
    ("zstd, something behind", Coding::Zstd, "28b52ffd 00 00 190000 616263 41424344", DecodeError::TrailingData),
    #[cfg(feature = "zstd")]
    (
        "zstd, checksum",
        Coding::Zstd,
        "28b52ffd 241e 8d0000 5863616c6c626f617264200a01004d0a12 6357b13a",
        DecodeError::ChecksumMismatch,
    ),
];

#[test]
fn each_violation_has_its_error() {
    for &(name, coding, stream, expected) in WRONG {
        for feed in [Feed::Whole, Feed::Bytes] {
            let outcome = decode(coding, &DecodeLimits::default(), &bytes(stream), feed.clone());
            assert_eq!(outcome.end, Err(expected), "{name}, {feed:?}");
            assert_eq!(expected.status().code(), 400);
        }
    }
}

#[test]
fn data_before_a_wrong_checksum_is_handed_out_first() {
    let stream = bytes("1f8b0800000000000203 4b4eccc949ca4f2c4a5148c664710100 00000000 1e000000");
    assert_eq!(decode(Gzip, &DecodeLimits::default(), &stream, Feed::Whole).output, TEXT);
}

/// RFC 1952 §2.3.1: each set of fields, each as short and as long as it comes, whole and byte by byte.
#[test]
fn every_set_of_gzip_header_fields() {
    for flags in 0..0x20_u8 {
        for length in [0, 1, 300_u16] {
            let text = vec![b'x'; usize::from(length)];
            let mut stream = vec![0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 2, 3];
            if flags & 4 != 0 {
                stream.extend(length.to_le_bytes());
                stream.extend(&text);
            }
            for flag in [8, 16] {
                if flags & flag != 0 {
                    stream.extend(&text);
                    stream.push(0);
                }
            }
            if flags & 2 != 0 {
                let mut checksum = flate2::Crc::new();
                checksum.update(&stream);
                stream.extend(&checksum.sum().to_le_bytes()[..2]);
            }
            let header = stream.len();
            stream.extend(bytes("4b4eccc949ca4f2c4a5148c664710100 6f321c21 1e000000"));
            for feed in [Feed::Whole, Feed::Bytes] {
                let outcome = decode(Gzip, &DecodeLimits::default(), &stream, feed);
                assert_eq!((outcome.output.as_slice(), outcome.end), (TEXT, Ok(())), "flags {flags:#x}, {length}");
            }
            for cut in 1..=header {
                let outcome = decode(Gzip, &DecodeLimits::default(), &stream[..cut], Feed::Whole);
                assert_eq!(outcome.end, Err(DecodeError::Truncated), "flags {flags:#x}, {length}, cut at {cut}");
            }
            if flags & 2 != 0 {
                stream[header - 1] ^= 1;
                let outcome = decode(Gzip, &DecodeLimits::default(), &stream, Feed::Bytes);
                assert_eq!(outcome.end, Err(DecodeError::ChecksumMismatch), "flags {flags:#x}, {length}");
            }
        }
    }
}

#[test]
fn an_endless_gzip_header_ends() {
    for flag in [0x08, 0x10] {
        let mut stream = vec![0x1f, 0x8b, 8, flag, 0, 0, 0, 0, 0, 3];
        stream.resize(1 << 18, b'a');
        let outcome = decode(Gzip, &DecodeLimits::default(), &stream, Feed::Whole);
        assert_eq!(outcome.end, Err(DecodeError::HeaderTooLong));
    }
    // The longest extra field is no more than that.
    let mut stream = vec![0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 3, 0xff, 0xff];
    stream.resize(12 + 0xffff, b'a');
    stream.extend([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(decode(Gzip, &DecodeLimits::default(), &stream, Feed::Whole).end, Ok(()));
}

#[test]
fn a_length_counts_modulo_two_to_the_32_only() {
    // ISIZE of one member, not of all: two members of 30 bytes each say 30.
    let one = bytes("1f8b0800000000000203 4b4eccc949ca4f2c4a5148c664710100 6f321c21 1e000000");
    let two = [one.clone(), one].concat();
    assert_eq!(decode(Gzip, &DecodeLimits::default(), &two, Feed::Whole).end, Ok(()));
}

#[test]
fn the_window_of_brotli_can_be_narrowed() {
    let stream = bytes("1b1d00f88d946ede441536966c200aa9c828cb940227146f02");
    let limits = |window| DecodeLimits { window, ..DecodeLimits::default() };
    assert_eq!(decode(Brotli, &limits(1 << 22), &stream, Feed::Bytes).end, Ok(()));
    assert_eq!(decode(Brotli, &limits((1 << 22) - 1), &stream, Feed::Bytes).end, Err(DecodeError::WindowTooLarge));
    assert_eq!(decode(Brotli, &limits(0), &stream, Feed::Bytes).end, Err(DecodeError::WindowTooLarge));
}
