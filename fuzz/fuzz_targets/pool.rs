//! Any sequence of operations on the pool machine: the answers and events of its rules, stated plainly.
//!
//! Each byte of the input is a choice; an input that is used up ends the run. The rules are those of
//! `core/tests/pool_model`.
#![no_main]

#[path = "../../core/tests/pool_model/rules.rs"]
mod rules;

use libfuzzer_sys::fuzz_target;
use rules::Both;

fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes.iter();
    let choose = &mut |bound: usize| rest.next().map_or(0, |byte| usize::from(*byte) % bound);
    let mut both = Both::new(choose);
    for turn in 0..bytes.len() / 3 {
        both.step(choose);
        both.compare(&format!("turn {turn}"));
    }
});
