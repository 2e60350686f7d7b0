//! What a machine holds, counted: shared by the targets whose machines state a bound. The allocator that counts is that
//! of `allocation-counter`.

use allocation_counter::measure;

/// Bytes of a stream: several times what the machines may hold.
const LENGTH: usize = 64 * 1024;

/// Runs a machine that may hold `bound` bytes at a time and no more.
pub fn hold_at_most(bound: usize, run: impl FnOnce()) {
    let held = measure(run);
    assert!(held.bytes_max <= bound as u64, "more than {bound} bytes: {held:?}");
}

/// A long stream: the beginning of the input, then the rest of it again and again. What a machine keeps of each round
/// adds up, so that short inputs find it. One input of sixteen has one: it takes as long as many short runs.
pub fn stream(input: &[u8], control: u8) -> Option<Vec<u8>> {
    if input.is_empty() || !input.len().is_multiple_of(16) {
        return None;
    }
    let (first, again) = input.split_at(input.len() * usize::from(control) / 256);
    let mut rounds = again.to_vec();
    while rounds.len() < LENGTH {
        rounds.extend_from_within(..);
    }
    rounds.truncate(LENGTH);
    Some([first, &rounds].concat())
}
