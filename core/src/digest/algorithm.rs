//! The algorithms of Digest: a hash, and whether its secret is made once for a session (RFC 7616 §3.3).

use alloc::string::String;
use core::fmt::Write as _;

use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha512, Sha512_256};

/// A hash function, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Hash {
    /// MD5: what servers of before 2015 know. Broken as a hash.
    Md5,
    /// SHA-1: not registered, but offered in the field as `SHA`. Broken as a hash.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512/256: SHA-512 with initial values of its own, cut to 256 bits.
    Sha512Short,
    /// SHA-512: not registered, but offered in the field.
    Sha512,
}

impl Hash {
    /// The hash of `parts` with a colon between two, in lower-case hexadecimal.
    pub(super) fn of(self, parts: &[&[u8]]) -> String {
        match self {
            Self::Md5 => hexadecimal::<Md5>(parts),
            Self::Sha1 => hexadecimal::<Sha1>(parts),
            Self::Sha256 => hexadecimal::<Sha256>(parts),
            Self::Sha512Short => hexadecimal::<Sha512_256>(parts),
            Self::Sha512 => hexadecimal::<Sha512>(parts),
        }
    }

    /// How many hexadecimal digits a hash has.
    pub const fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha1 => 40,
            Self::Sha256 | Self::Sha512Short => 64,
            Self::Sha512 => 128,
        }
    }
}

fn hexadecimal<D: Digest>(parts: &[&[u8]]) -> String {
    let mut digest = D::new();
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            digest.update(b":");
        }
        digest.update(part);
    }
    hexadecimal_of(&digest.finalize())
}

pub(super) fn hexadecimal_of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// An algorithm as challenges name it.
///
/// ```
/// use callboard_core::digest::{Algorithm, Hash};
///
/// let algorithm = Algorithm::from_name(b"sha-256-SESS").unwrap();
/// assert_eq!(algorithm, Algorithm { hash: Hash::Sha256, is_session: true });
/// assert_eq!(algorithm.name(), "SHA-256-sess");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Algorithm {
    /// The hash function.
    pub hash: Hash,
    /// `-sess`: the secret is hashed together with the nonces of the session's first request (RFC 7616 §3.4.2).
    pub is_session: bool,
}

const NAMES: [(Hash, &str, &str); 5] = [
    (Hash::Md5, "MD5", "MD5-sess"),
    (Hash::Sha1, "SHA", "SHA-sess"),
    (Hash::Sha256, "SHA-256", "SHA-256-sess"),
    (Hash::Sha512Short, "SHA-512-256", "SHA-512-256-sess"),
    (Hash::Sha512, "SHA-512", "SHA-512-sess"),
];

impl Algorithm {
    /// What is meant if a challenge names none (RFC 7616 §3.3).
    pub const MD5: Self = Self { hash: Hash::Md5, is_session: false };
    /// What every server since 2015 is to offer.
    pub const SHA_256: Self = Self { hash: Hash::Sha256, is_session: false };

    /// The algorithm of that name, whatever its case.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        if is("SHA-1") || is("SHA-1-sess") {
            return Some(Self { hash: Hash::Sha1, is_session: is("SHA-1-sess") });
        }
        let (hash, plain, _) = NAMES.into_iter().find(|(_, plain, session)| is(plain) || is(session))?;
        Some(Self { hash, is_session: !is(plain) })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        let name = NAMES.into_iter().find(|(hash, ..)| *hash == self.hash);
        name.map_or("", |(_, plain, session)| if self.is_session { session } else { plain })
    }
}
