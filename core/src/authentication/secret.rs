//! Comparing secrets.

use core::hint::black_box;

/// Whether two secrets are the same. The time it takes depends on their lengths only, so that it does not tell a
/// guesser how much of a guess was right.
///
/// ```
/// use callboard_core::authentication::is_same_secret;
///
/// assert!(is_same_secret(b"open sesame", b"open sesame"));
/// assert!(!is_same_secret(b"open sesame", b"open barley"));
/// ```
pub fn is_same_secret(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let difference = one.iter().zip(other).fold(0, |difference, (one, other)| black_box(difference | (one ^ other)));
    black_box(difference) == 0
}
