//! Any bytes into a decoder of any coding, cut in any way: the same outcome, declared errors only, no more than the
//! limit; any body through an encoder and back; and neither holds more memory than is stated (counted).
//!
//! The last byte of the input picks the coding and the cuts. Run it with `cargo +nightly fuzz run coding`.
#![no_main]

#[path = "../memory.rs"]
mod memory;
#[path = "../../core/tests/coding/run.rs"]
mod run;

use callboard_core::coding::{Coding, Codings, DecodeLimits, Decoder, Encoder, Level};
use callboard_core::{Headers, Random, header};
use libfuzzer_sys::fuzz_target;
use memory::{hold_at_most, stream};
use run::{Feed, decode, encode};

/// Decoded bytes that are let through.
const OUTPUT: u64 = 256 * 1024;
/// Codings beyond those of [`Coding::ALL`].
const LISTS: [&str; 4] = ["identity", "gzip, br", "deflate, gzip", "br, gzip, deflate"];

/// The largest window of what is counted.
const WINDOW: usize = 256 * 1024;
/// Bytes of what is coded at once.
const PIECE: usize = 4 * 1024;

/// What a decoder holds, as [`DecodeLimits`] states it; with a block between each two of a chain. The memory of zstd is
/// the library's own, and not counted.
fn hold_decoder(codings: &Codings, coded: &[u8]) {
    let bound = codings.as_slice().iter().map(|coding| match coding {
        Coding::Gzip | Coding::Deflate => 64 * 1024,
        Coding::Brotli => 2 * WINDOW + 4 * 1024 * 1024,
        _ => 1024,
    });
    let bound = bound.map(|bytes| bytes + 8 * 1024 + 512).sum::<usize>();
    let limits = DecodeLimits { output: OUTPUT, window: WINDOW as u64, ..DecodeLimits::default() };
    let mut block = vec![0; PIECE];
    hold_at_most(bound, || {
        let mut decoder = Decoder::new(codings.clone(), &limits);
        for mut piece in coded.chunks(PIECE) {
            while let Ok(progress) = decoder.decode(piece, &mut block) {
                piece = &piece[progress.read..];
                if progress.written == 0 {
                    break;
                }
            }
        }
    });
}

/// What an encoder holds, as [`Level`] states it, while what it writes is taken.
fn hold_encoder(coding: Coding, control: u8, body: &[u8]) {
    let is_fast = control & 128 == 0;
    let (level, bound) = match coding {
        Coding::Gzip | Coding::Deflate => (Level::Exact(control % 10), 400 * 1024),
        Coding::Brotli if is_fast => (Level::Fastest, 400 * 1024),
        Coding::Brotli => (Level::Default, 6 * 1024 * 1024),
        _ => (Level::Fastest, 1024),
    };
    let mut coded = Vec::with_capacity(4 * body.len());
    hold_at_most(bound, || {
        let mut encoder = Encoder::new(coding, level);
        for piece in body.chunks(PIECE) {
            encoder.encode(piece, &mut coded).expect("it goes on");
            coded.clear();
        }
        encoder.finish(&mut coded).expect("it ends once");
    });
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&control, input)) = bytes.split_last() else { return };
    let random = Random::from_seed(u64::from(control));
    // The ratio is judged at steps, which the cuts make.
    let limits = DecodeLimits { output: OUTPUT, ratio: u64::MAX, members: 8, ..DecodeLimits::default() };
    let choice = usize::from(control) % (Coding::ALL.len() + LISTS.len());
    let name = Coding::ALL.get(choice).map_or_else(|| LISTS[choice - Coding::ALL.len()], |coding| coding.name());
    let mut headers = Headers::new();
    headers.append(header::CONTENT_ENCODING, name).expect("it is a field value");
    let codings = Codings::read(&headers).expect("they are known");

    let whole = decode(codings.clone(), &limits, input, Feed::Whole);
    assert!(whole.output.len() as u64 <= OUTPUT);
    for feed in [Feed::Bytes, Feed::Random(random.clone(), 700)] {
        let outcome = decode(codings.clone(), &limits, input, feed);
        // In a chain it is the cuts that say which of two faults is met first.
        let is_chain = codings.as_slice().len() > 1;
        assert!(outcome.end == whole.end || is_chain && outcome.end.is_err() && whole.end.is_err());
        let (shorter, longer) =
            if outcome.output.len() < whole.output.len() { (&outcome, &whole) } else { (&whole, &outcome) };
        assert!(longer.output.starts_with(&shorter.output));
        assert!(whole.end.is_err() || outcome.output == whole.output);
    }

    let coding = Coding::ALL[usize::from(control) % Coding::ALL.len()];
    if let Some(stream) = stream(input, control) {
        hold_decoder(&codings, &stream);
        hold_encoder(coding, control, &stream);
    }
    let coded = encode(&mut Encoder::new(coding, Level::Exact(control % 10)), input, &mut random.clone());
    let back = decode(coding, &DecodeLimits { output: u64::MAX, ..limits }, &coded, Feed::Random(random, 3000));
    assert!(back.output == input && back.end == Ok(()), "{coding}: {:?}", back.end);
});
