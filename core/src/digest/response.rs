//! The calculation of RFC 7616 §3.4.1 to §3.4.3, and of the server's proof (§3.5). No policy here.

use alloc::string::String;
use core::fmt;

use super::algorithm::{Algorithm, Hash};

/// What is protected (RFC 7616 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quality {
    /// `auth`: method and target.
    Authentication,
    /// `auth-int`: the body as well.
    Integrity,
}

impl Quality {
    /// `auth` or `auth-int`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authentication => "auth",
            Self::Integrity => "auth-int",
        }
    }

    /// The quality of that name, whatever its case.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        [Self::Authentication, Self::Integrity]
            .into_iter()
            .find(|quality| name.eq_ignore_ascii_case(quality.name().as_bytes()))
    }
}

/// The hash of user, realm and password: all of a password that a server has to keep. It is as good as the password for
/// this realm, so it is a secret too.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    hash: Hash,
    text: String,
}

impl PasswordHash {
    /// Of a password that is known.
    pub fn new(hash: Hash, user: &[u8], realm: &[u8], password: &[u8]) -> Self {
        Self { hash, text: hash.of(&[user, realm, password]) }
    }

    /// As kept in hexadecimal, like a line of `htdigest`. None if it has not as many digits as the hash gives.
    pub fn from_hexadecimal(hash: Hash, text: &str) -> Option<Self> {
        let is_hash = text.len() == hash.digits() && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_hash.then(|| Self { hash, text: text.to_ascii_lowercase() })
    }

    /// In lower-case hexadecimal.
    pub fn as_hexadecimal(&self) -> &str {
        &self.text
    }

    /// The hash function that it was made with.
    pub const fn hash(&self) -> Hash {
        self.hash
    }

    /// The secret of a session (RFC 7616 §3.4.2).
    pub(super) fn of_session(&self, nonce: &[u8], client_nonce: &[u8]) -> Self {
        Self { hash: self.hash, text: self.hash.of(&[self.text.as_bytes(), nonce, client_nonce]) }
    }
}

/// It is a secret.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHash").field("hash", &self.hash).finish_non_exhaustive()
    }
}

/// What is hashed together with the password. Texts as they are between the quotes, escapes undone.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    /// The server's nonce.
    pub nonce: &'a [u8],
    /// The client's nonce: not hashed for the form without quality, but for `-sess`.
    pub client_nonce: &'a [u8],
    /// Eight hexadecimal digits.
    pub nonce_count: &'a [u8],
    /// None: the form of RFC 2069, without client nonce and count.
    pub quality: Option<Quality>,
    /// The request's method; empty in the server's proof (RFC 7616 §3.5).
    pub method: &'a str,
    /// The target as in the request line.
    pub target: &'a [u8],
    /// The body, without transfer coding; looked at for `auth-int` only.
    pub body: &'a [u8],
}

/// The proof, in lower-case hexadecimal.
///
/// ```
/// use callboard_core::digest::{Algorithm, PasswordHash, Proof, Quality, response};
///
/// // RFC 2617 §3.5.
/// let algorithm = Algorithm::MD5;
/// let secret = PasswordHash::new(algorithm.hash, b"Mufasa", b"testrealm@host.com", b"Circle Of Life");
/// let proof = Proof {
///     nonce: b"dcd98b7102dd2f0e8b11d0f600bfb0c093",
///     client_nonce: b"0a4f113b",
///     nonce_count: b"00000001",
///     quality: Some(Quality::Authentication),
///     method: "GET",
///     target: b"/dir/index.html",
///     body: b"",
/// };
/// assert_eq!(response(algorithm, &secret, &proof), "6629fae49393a05397450978507c4ef1");
/// ```
pub fn response(algorithm: Algorithm, secret: &PasswordHash, proof: &Proof<'_>) -> String {
    if algorithm.is_session {
        return of_secret(&secret.of_session(proof.nonce, proof.client_nonce), proof);
    }
    of_secret(secret, proof)
}

/// The same with the secret of a session, if it is one.
pub(super) fn of_secret(secret: &PasswordHash, proof: &Proof<'_>) -> String {
    let hash = secret.hash;
    let (method, target) = (proof.method.as_bytes(), proof.target);
    let what = match proof.quality {
        Some(Quality::Integrity) => hash.of(&[method, target, hash.of(&[proof.body]).as_bytes()]),
        _ => hash.of(&[method, target]),
    };
    let (secret, what) = (secret.text.as_bytes(), what.as_bytes());
    match proof.quality {
        None => hash.of(&[secret, proof.nonce, what]),
        Some(quality) => {
            let quality = quality.name().as_bytes();
            hash.of(&[secret, proof.nonce, proof.nonce_count, proof.client_nonce, quality, what])
        }
    }
}
