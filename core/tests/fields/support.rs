//! Small helpers of these tests.

use callboard_core::{Headers, Random};

/// The time that tests without another call now: 2023-11-14 22:13:20.
pub(crate) const NOW: u64 = 1_700_000_000;

/// Headers out of names and values.
pub(crate) fn headers(fields: &[(&str, &str)]) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in fields {
        headers.append(name, value).unwrap();
    }
    headers
}

/// One of `pool`.
pub(crate) fn pick<'a, T: ?Sized>(random: &mut Random, pool: &[&'a T]) -> &'a T {
    pool[usize::try_from(random.below(pool.len() as u64)).unwrap()]
}

/// Up to `most` pieces of `pool`, one after the other.
pub(crate) fn soup(random: &mut Random, pool: &[&str], most: u64) -> Vec<u8> {
    (0..random.below(most)).flat_map(|_| pick(random, pool).as_bytes().to_vec()).collect()
}
