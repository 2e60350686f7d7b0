//! Any bytes into a decoder of any coding, cut in any way: the same outcome, declared errors only, no more than the
//! limit; and any body through an encoder and back.
//!
//! The last byte of the input picks the coding and the cuts. Run it with `cargo +nightly fuzz run coding`.
#![no_main]

#[path = "../../core/tests/coding/run.rs"]
mod run;

use callboard_core::coding::{Coding, DecodeLimits, Encoder, Level};
use callboard_core::{Headers, Random, header};
use libfuzzer_sys::fuzz_target;
use run::{Feed, decode, encode};

/// Decoded bytes that are let through.
const OUTPUT: u64 = 256 * 1024;
/// Codings beyond those of [`Coding::ALL`].
const LISTS: [&str; 4] = ["identity", "gzip, br", "deflate, gzip", "br, gzip, deflate"];

fuzz_target!(|bytes: &[u8]| {
    let Some((&control, input)) = bytes.split_last() else { return };
    let random = Random::from_seed(u64::from(control));
    // The ratio is judged at steps, which the cuts make.
    let limits = DecodeLimits { output: OUTPUT, ratio: u64::MAX, members: 8, ..DecodeLimits::default() };
    let choice = usize::from(control) % (Coding::ALL.len() + LISTS.len());
    let name = Coding::ALL.get(choice).map_or_else(|| LISTS[choice - Coding::ALL.len()], |coding| coding.name());
    let mut headers = Headers::new();
    headers.append(header::CONTENT_ENCODING, name).expect("it is a field value");
    let codings = callboard_core::coding::Codings::read(&headers).expect("they are known");

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
    let coded = encode(&mut Encoder::new(coding, Level::Exact(control % 10)), input, &mut random.clone());
    let back = decode(coding, &DecodeLimits { output: u64::MAX, ..limits }, &coded, Feed::Random(random, 3000));
    assert!(back.output == input && back.end == Ok(()), "{coding}: {:?}", back.end);
});
