//! Streams made by other programs: Python's zlib and gzip, Node's brotli, the zstd program; and by hand from the RFCs.

use callboard_core::coding::Coding::{self, Brotli, Deflate, Gzip};
use callboard_core::coding::DecodeLimits;

use crate::run::{Feed, decode};

pub(crate) const TEXT: &[u8] = b"callboard callboard callboard\n";

/// Bytes of a hexadecimal text.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    assert_eq!(digits.len() % 2, 0, "{text}");
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// Name, coding, stream, decoded.
pub(crate) const VECTORS: &[(&str, Coding, &str, &[u8])] = &[
    ("gzip", Gzip, "1f8b0800000000000203 4b4eccc949ca4f2c4a5148c664710100 6f321c21 1e000000", TEXT),
    (
        "gzip with a name and a time",
        Gzip,
        "1f8b080800f1536502ff 6e6f7465732e74787400 4b4eccc949ca4f2c4a5148c664710100 6f321c21 1e000000",
        TEXT,
    ),
    (
        "gzip with text flag, extra field, name, comment and header CRC",
        Gzip,
        "1f8b081f010203040203 0400 41420000 6e616d6500 636f6d6d656e7400 1b7f \
         4b4eccc949ca4f2c4a5148c664710100 6f321c21 1e000000",
        TEXT,
    ),
    ("gzip of nothing", Gzip, "1f8b0800000000000003 0300 00000000 00000000", b""),
    ("zlib", Deflate, "789c 4b4eccc949ca4f2c4a5148c664710100 b27c0b37", TEXT),
    ("zlib with a window of 512 bytes", Deflate, "1895 4b4eccc949ca4f2c4a5148c664710100 b27c0b37", TEXT),
    (
        "zlib, stored",
        Deflate,
        "7801 01 1e00e1ff 63616c6c626f6172642063616c6c626f6172642063616c6c626f6172640a b27c0b37",
        TEXT,
    ),
    ("zlib of nothing", Deflate, "789c 0300 00000001", b""),
    ("raw deflate, fixed codes", Deflate, "4b4eccc949ca4f2c4a5148c664710100", TEXT),
    (
        "raw deflate, dynamic codes",
        Deflate,
        "05c1850100200800b05bc5003bb0f07a3705da5887e4434cb9d4d607cfb5cf95a7401beb907c882997dafae0b9f6b9f21468\
         631d920f31e5525b1f3cd73e579e026dac43f221a65c6aeb83e7dae7cafb",
        b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    ),
    ("raw deflate, stored", Deflate, "01 0300fcff 616263", b"abc"),
    ("raw deflate of nothing", Deflate, "0300", b""),
    ("brotli, quality 0", Brotli, "8b0e80 63616c6c626f6172642063616c6c626f6172642063616c6c626f6172640a 03", TEXT),
    ("brotli, quality 5", Brotli, "1b1d00000436c6be67b96fd00f4a431459a714d4347ecbab00", TEXT),
    ("brotli, quality 11", Brotli, "1b1d00f88d946ede441536966c200aa9c828cb940227146f02", TEXT),
    ("brotli, the largest window", Brotli, "1f1d00f88d946ede441536966c200aa9c828cb940227146f02", TEXT),
    ("brotli of nothing", Brotli, "06", b""),
    #[cfg(feature = "zstd")]
    ("zstd", Coding::Zstd, "28b52ffd 0058 8d0000 5863616c6c626f617264200a01004d0a12", TEXT),
    #[cfg(feature = "zstd")]
    ("zstd with checksum", Coding::Zstd, "28b52ffd 241e 8d0000 5863616c6c626f617264200a01004d0a12 6357b139", TEXT),
    #[cfg(feature = "zstd")]
    ("zstd, one raw block", Coding::Zstd, "28b52ffd 00 00 190000 616263", b"abc"),
    #[cfg(feature = "zstd")]
    ("zstd, one repeated byte", Coding::Zstd, "28b52ffd 00 00 2b0000 61", b"aaaaa"),
    #[cfg(feature = "zstd")]
    ("zstd, a skippable frame before", Coding::Zstd, "502a4d18 02000000 ffff 28b52ffd 00 00 190000 616263", b"abc"),
];

#[test]
fn streams_of_other_programs_decode() {
    for &(name, coding, stream, expected) in VECTORS {
        for feed in [Feed::Whole, Feed::Bytes] {
            let outcome = decode(coding, &DecodeLimits::default(), &bytes(stream), feed.clone());
            assert_eq!((outcome.output.as_slice(), outcome.end), (expected, Ok(())), "{name}, {feed:?}");
        }
    }
}
