//! For all seeds: the split does not show, and no bytes do more than end in a declared error.

use callboard_core::Random;
use callboard_core::coding::{Coding, DecodeLimits, Encoder, Level};

use crate::bodies::body;
use crate::run::{Feed, Outcome, decode, encode};

fn limits() -> DecodeLimits {
    // The ratio is judged at steps, which the split makes.
    DecodeLimits { ratio: u64::MAX, output: 200_000, ..DecodeLimits::default() }
}

/// Two outcomes of one input, cut in two ways. Faulty data may show its fault before or after more of what came before.
fn agree(one: &Outcome, other: &Outcome) -> bool {
    let (shorter, longer) = if one.output.len() < other.output.len() { (one, other) } else { (other, one) };
    one.end == other.end && longer.output.starts_with(&shorter.output) && (one.end.is_err() || one == other)
}

#[test]
fn the_split_does_not_show() {
    for seed in 0..60 {
        let mut random = Random::from_seed(seed);
        let length = usize::try_from(random.below(30_000)).unwrap();
        let text = body(&mut random, length);
        for &coding in Coding::ALL {
            let coded = encode(&mut Encoder::new(coding, Level::Fastest), &text, &mut random);
            let whole = decode(coding, &limits(), &coded, Feed::Whole);
            assert!(whole.output == text && whole.end == Ok(()), "{coding} seed {seed}");
            for most in [3, 200, 5000] {
                let outcome = decode(coding, &limits(), &coded, Feed::Random(random.fork(), most));
                assert!(outcome == whole, "{coding} seed {seed} most {most}: {:?}", outcome.end);
            }
            if seed < 6 {
                assert!(decode(coding, &limits(), &coded, Feed::Bytes) == whole, "{coding} seed {seed}");
            }
        }
    }
}

#[test]
fn damaged_streams_end_alike_at_any_split() {
    let mut failed = 0;
    for seed in 0..300 {
        let mut random = Random::from_seed(seed);
        let length = usize::try_from(random.below(3000)).unwrap();
        let text = body(&mut random, length);
        for &coding in Coding::ALL {
            let mut coded = encode(&mut Encoder::new(coding, Level::Default), &text, &mut random);
            for _ in 0..=random.below(3) {
                let place = usize::try_from(random.below(coded.len() as u64)).unwrap();
                coded[place] ^= 1 << random.below(8);
            }
            let whole = decode(coding, &limits(), &coded, Feed::Whole);
            failed += u32::from(whole.end.is_err());
            for feed in [Feed::Bytes, Feed::Random(random.fork(), 300)] {
                let outcome = decode(coding, &limits(), &coded, feed.clone());
                assert!(
                    agree(&outcome, &whole),
                    "{coding} seed {seed} {feed:?}: {:?} {} and {:?} {}",
                    outcome.end,
                    outcome.output.len(),
                    whole.end,
                    whole.output.len()
                );
            }
        }
    }
    assert!(failed > 500, "only {failed} of the streams were damaged");
}

#[test]
fn noise_ends_in_a_declared_error() {
    for seed in 0..2000 {
        let mut random = Random::from_seed(seed);
        let mut noise = vec![0; usize::try_from(random.below(300) + 1).unwrap()];
        random.fill(&mut noise);
        for &coding in Coding::ALL {
            let outcome = decode(coding, &limits(), &noise, Feed::Whole);
            assert!(outcome.end.is_err() || coding == Coding::Brotli || coding == Coding::Deflate);
            let status = outcome.end.map_or_else(|error| error.status().code(), |()| 400);
            assert!(status == 400 || status == 413);
        }
    }
}
