//! Any bytes into a multipart reader, cut in any way: the same parts and the same error, no panic, bounded memory
//! (counted). And what is written is read, with any data in it.
//!
//! The last byte of the input picks the kind, the limits and the cuts. Run it with
//! `cargo +nightly fuzz run multipart -- -dict=fuzz/multipart.dict`.
#![no_main]

#[path = "../memory.rs"]
mod memory;
#[path = "../../core/tests/multipart/run.rs"]
mod run;

use bytes::Bytes;
use callboard_core::Random;
use callboard_core::media_type::MediaType;
use callboard_core::multipart::{Boundary, InvalidPart, MultipartLimits, Part, Reader, TransferEncoding, Writer};
use libfuzzer_sys::fuzz_target;
use memory::{hold_at_most, stream};
use run::{Cut, check_parts, run};

/// The longest piece of what is counted.
const PIECE: usize = 512;

/// A reader holds the piece at hand, decoded too, and the fields of one part: as bytes in a buffer that doubled, and as
/// what is read of them. The data of a part, and what was before, are no part of it.
fn hold(media_type: &MediaType, stream: Vec<u8>) {
    let (part, total) = (u64::MAX, u64::MAX);
    let limits =
        MultipartLimits { parts: 1024, part, total, header_line: 500, head: 1_000, header_count: 10, depth: 0 };
    let bound = 4 * (limits.head + limits.header_line) + 2 * PIECE + 4 * 1024;
    let body = Bytes::from(stream);
    hold_at_most(bound, || {
        let mut reader = Reader::new(media_type, limits).expect("its boundary is good");
        for start in (0..body.len()).step_by(PIECE) {
            reader.handle_input(body.slice(start..body.len().min(start + PIECE)));
            while let Ok(Some(_)) = reader.poll_event() {}
        }
    });
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&control, input)) = bytes.split_last() else { return };
    let random = Random::from_seed(u64::from(control));
    let kind = if control & 1 == 0 { "form-data" } else { "mixed" };
    let media_type: MediaType = format!("multipart/{kind}; boundary=B").parse().expect("a media type");
    let mut limits = MultipartLimits::default();
    if control & 2 == 2 {
        limits =
            MultipartLimits { parts: 3, part: 20, total: 200, header_line: 50, head: 80, header_count: 2, depth: 0 };
    }
    let whole = run(&media_type, &limits, input, Cut::Whole);
    let room = if whole.parts.len() > limits.parts { 0 } else { limits.part };
    assert!(whole.parts.iter().all(|part| part.data.len() as u64 <= room));
    for cut in [Cut::Bytes, Cut::At(input.len() / 2), Cut::Random(random.clone()), Cut::Eager(random)] {
        assert_eq!(run(&media_type, &limits, input, cut), whole);
    }
    check_parts(&media_type, &limits, input, control, &whole);
    if let Some(stream) = stream(input, control) {
        hold(&media_type, stream);
    }

    let encoding = match control >> 2 & 3 {
        0 => TransferEncoding::Base64,
        1 => TransferEncoding::QuotedPrintable,
        _ => TransferEncoding::Identity,
    };
    let mut writer: Writer = Writer::mixed(Boundary::random([u64::from(control), 1]));
    let part = Part::bytes(input.to_vec()).with_transfer_encoding(encoding).expect("plain bytes");
    // The fuzzer learns the boundary from the comparisons that look for it.
    match writer.add(part) {
        Err(InvalidPart::BoundaryInContent) => return,
        added => added.expect("a part"),
    }
    let media_type = writer.content_type();
    let size = writer.size();
    let body = writer.into_bytes();
    assert_eq!(size, Some(body.len() as u64));
    let read = run(&media_type, &MultipartLimits::default(), &body, Cut::Whole);
    assert_eq!((read.error, &read.parts[0].data[..]), (None, input));
});
