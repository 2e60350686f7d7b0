//! A Digest challenge as a client reads it, and which of several it answers.

use alloc::string::String;
use alloc::vec::Vec;

use super::algorithm::Algorithm;
use super::error::ChallengeError;
use super::response::Quality;
use crate::authentication::{Challenge, Parameters};

/// Bytes of a `domain` that are looked at.
const DOMAIN: usize = 16 * 1024;

/// A challenge that can be answered, if the body of the request is known in case that it asks for that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestChallenge {
    pub(super) realm: Vec<u8>,
    pub(super) nonce: Vec<u8>,
    pub(super) opaque: Option<Vec<u8>>,
    pub(super) algorithm: Algorithm,
    /// As spelled; echoed so, since servers compare it byte by byte.
    pub(super) algorithm_name: Option<Vec<u8>>,
    pub(super) qualities: Qualities,
    pub(super) domain: String,
    pub(super) is_stale: bool,
    pub(super) is_user_hashed: bool,
    pub(super) is_utf8: bool,
}

/// Which qualities of protection a challenge lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Qualities {
    /// No list: the form of RFC 2069.
    Unlisted,
    Authentication,
    Integrity,
    Both,
}

impl DigestChallenge {
    /// Reads a challenge.
    pub fn from_challenge(challenge: &Challenge) -> Result<Self, ChallengeError> {
        let Some(parameters) = challenge.parameters().filter(|_| challenge.is("Digest")) else {
            return Err(if challenge.is("Digest") { ChallengeError::RealmMissing } else { ChallengeError::NoDigest });
        };
        let nonce = parameters.get("nonce").filter(|nonce| !nonce.is_empty()).ok_or(ChallengeError::NonceMissing)?;
        let algorithm_name = parameters.get("algorithm").filter(|name| !name.is_empty());
        let algorithm = match algorithm_name {
            Some(name) => Algorithm::from_name(name).ok_or(ChallengeError::AlgorithmUnknown)?,
            None => Algorithm::MD5,
        };
        let says = |name: &str, text: &str| parameters.text(name).is_some_and(|value| value.eq_ignore_ascii_case(text));
        let domain = parameters.text("domain").filter(|domain| domain.len() <= DOMAIN).unwrap_or_default();
        Ok(Self {
            realm: parameters.get("realm").ok_or(ChallengeError::RealmMissing)?.to_vec(),
            nonce: nonce.to_vec(),
            opaque: parameters.get("opaque").map(<[u8]>::to_vec),
            algorithm,
            algorithm_name: algorithm_name.map(<[u8]>::to_vec),
            qualities: qualities(parameters)?,
            domain: domain.into(),
            is_stale: says("stale", "true"),
            is_user_hashed: says("userhash", "true"),
            is_utf8: says("charset", "UTF-8"),
        })
    }

    /// The realm.
    pub fn realm(&self) -> &[u8] {
        &self.realm
    }

    /// The nonce; not empty.
    pub fn nonce(&self) -> &[u8] {
        &self.nonce
    }

    /// The algorithm; MD5 if the challenge names none.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether the server says that only the nonce was wrong.
    pub const fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// Whether counts and the secret of a session go on under the other challenge.
    pub(super) fn is_same_session(&self, other: &Self) -> bool {
        self.nonce == other.nonce && self.realm == other.realm && self.algorithm == other.algorithm
    }

    /// The quality to answer with: the body is protected if it is known.
    pub(super) fn quality(&self, has_body: bool) -> Result<Option<Quality>, ChallengeError> {
        match self.qualities {
            Qualities::Unlisted => Ok(None),
            Qualities::Both | Qualities::Integrity if has_body => Ok(Some(Quality::Integrity)),
            Qualities::Authentication | Qualities::Both => Ok(Some(Quality::Authentication)),
            Qualities::Integrity => Err(ChallengeError::BodyUnknown),
        }
    }
}

fn qualities(parameters: &Parameters) -> Result<Qualities, ChallengeError> {
    let Some(list) = parameters.get("qop").filter(|list| !list.trim_ascii().is_empty()) else {
        return Ok(Qualities::Unlisted);
    };
    let lists = |quality: Quality| {
        list.split(|&byte| byte == b',').any(|name| Quality::from_name(name.trim_ascii()) == Some(quality))
    };
    match (lists(Quality::Authentication), lists(Quality::Integrity)) {
        (true, true) => Ok(Qualities::Both),
        (true, false) => Ok(Qualities::Authentication),
        (false, true) => Ok(Qualities::Integrity),
        (false, false) => Err(ChallengeError::QualityUnknown),
    }
}

/// The challenge to answer among those of a response: the one with the strongest algorithm, the first among equals.
/// `has_body` says whether the body of the request is known, which the quality `auth-int` asks for.
///
/// ```
/// use callboard_core::authentication::parse_challenges;
/// use callboard_core::digest::{Algorithm, choose};
///
/// let field = br#"Digest realm="a", nonce="b", algorithm=MD5, Digest realm="a", nonce="c", algorithm=SHA-256"#;
/// let chosen = choose(&parse_challenges(field).unwrap(), true).unwrap();
/// assert_eq!(chosen.algorithm(), Algorithm::SHA_256);
/// ```
pub fn choose(challenges: &[Challenge], has_body: bool) -> Result<DigestChallenge, ChallengeError> {
    let mut best: Result<DigestChallenge, ChallengeError> = Err(ChallengeError::NoDigest);
    for challenge in challenges.iter().filter(|challenge| challenge.is("Digest")) {
        let read = DigestChallenge::from_challenge(challenge).and_then(|read| read.quality(has_body).map(|_| read));
        best = match (best, read) {
            (Ok(best), Ok(read)) if read.algorithm.hash > best.algorithm.hash => Ok(read),
            (Ok(best), _) => Ok(best),
            (Err(ChallengeError::NoDigest), read) => read,
            (Err(first), read) => read.map_err(|_| first),
        };
    }
    best
}
