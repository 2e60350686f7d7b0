//! What separates parts: 1 to 70 characters of a small alphabet, of which the last is no space (RFC 2046 §5.1.1).

use alloc::string::String;
use core::fmt::{self, Write as _};

use crate::Random;
use crate::reasons::reasons;
use crate::syntax::table;

/// RFC 2046 §5.1.1, `bchars`.
const CHARACTERS: [bool; 256] = table(b"'()+_,-./:=? ");
/// The most characters.
const LONGEST: usize = 70;

/// A checked boundary.
///
/// ```
/// use callboard_core::multipart::Boundary;
///
/// assert_eq!(Boundary::new("gc0y0pkb9ex")?.as_str(), "gc0y0pkb9ex");
/// assert!(Boundary::new("no\r\nway").is_err());
/// assert_eq!(Boundary::random([7, 11]), Boundary::random([7, 11]));
/// # Ok::<(), callboard_core::multipart::InvalidBoundary>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Boundary(String);

impl Boundary {
    /// Checks a boundary.
    pub fn new(boundary: impl Into<String>) -> Result<Self, InvalidBoundary> {
        let boundary = boundary.into();
        if boundary.is_empty() || boundary.len() > LONGEST {
            return Err(InvalidBoundary::Length);
        }
        if boundary.ends_with(' ') || !boundary.bytes().all(|byte| CHARACTERS[usize::from(byte)]) {
            return Err(InvalidBoundary::Character);
        }
        Ok(Self(boundary))
    }

    /// A boundary of 128 bits that follow from `seed`. Draw the seed from entropy: who can guess the boundary can
    /// write content that ends a part.
    pub fn random(seed: [u64; 2]) -> Self {
        let [high, low] = seed.map(|seed| Random::from_seed(seed).next_u64());
        let mut boundary = String::from("----callboard-");
        // Writing to a string cannot fail.
        let _ = write!(boundary, "{high:016x}{low:016x}");
        Self(boundary)
    }

    /// The boundary, without the two hyphens that a delimiter puts before it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

reasons! {
    /// Why text is no boundary.
    InvalidBoundary {
        /// Not 1 to 70 characters (RFC 2046 §5.1.1).
        Length => "a boundary must have 1 to 70 characters",
        /// A character that may not stand there, or a space at the end (RFC 2046 §5.1.1).
        Character => "a boundary has a character that it may not have",
    }
}
