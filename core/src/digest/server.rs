//! The server's side: makes challenges and verifies what comes back.
//!
//! Whether the password is right is decided first, and only then whether the nonce is: so `stale` tells a client
//! something only if it knows the password. An unknown user costs the same hashes as a wrong password.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::algorithm::Algorithm;
use super::error::DigestError;
use super::nonce::Nonces;
use super::response::{PasswordHash, Proof, Quality, of_secret};
use crate::authentication::{AuthenticationError, Challenge, Content, Credentials, Parameters, is_same_secret};
use crate::media_type::Charset;
use crate::syntax::is_field_value;
use crate::{Instant, extended, percent};

/// Asks for Digest credentials and verifies them.
///
/// ```
/// use callboard_core::digest::{Claim, DigestError, DigestServer, PasswordHash, ReceivedRequest};
/// use callboard_core::Instant;
///
/// let mut server = DigestServer::new("files", [1, 2, 3, 4])?;
/// let now = Instant::EPOCH;
/// let request = ReceivedRequest { authorization: None, method: "GET", target: "/", body: None };
/// let verified = server.verify(&request, now, |claim| {
///     let is_known = claim.is("Mufasa");
///     is_known.then(|| PasswordHash::new(claim.hash(), b"Mufasa", b"files", b"Circle of Life"))
/// });
/// assert_eq!(verified.unwrap_err(), DigestError::Missing);
/// let challenges = server.challenges(DigestError::Missing.is_stale(), now)?;   // one `WWW-Authenticate` each
/// assert_eq!(challenges.len(), 2);
/// # Ok::<(), callboard_core::authentication::AuthenticationError>(())
/// ```
#[derive(Clone)]
pub struct DigestServer {
    realm: Box<str>,
    algorithms: Vec<Algorithm>,
    qualities: Vec<Quality>,
    lifetime: Duration,
    is_user_hashed: bool,
    takes_unqualified: bool,
    nonces: Nonces,
}

/// What a server knows of a request.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedRequest<'a> {
    /// The value of `Authorization`.
    pub authorization: Option<&'a [u8]>,
    /// The method.
    pub method: &'a str,
    /// The target as in the request line.
    pub target: &'a str,
    /// The body, without transfer coding. None if it is not known: `auth-int` is then denied.
    pub body: Option<&'a [u8]>,
}

/// Who a request claims to come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim<'a> {
    user: Vec<u8>,
    is_hashed: bool,
    realm: &'a str,
    algorithm: Algorithm,
}

impl Claim<'_> {
    /// The user name, if it is not hashed and is UTF-8.
    pub fn user(&self) -> Option<&str> {
        if self.is_hashed { None } else { core::str::from_utf8(&self.user).ok() }
    }

    /// Whether it is this user, hashed or not (RFC 7616 §3.4.4).
    pub fn is(&self, user: &str) -> bool {
        if self.is_hashed {
            let hashed = self.hash().of(&[user.as_bytes(), self.realm.as_bytes()]);
            return self.user.eq_ignore_ascii_case(hashed.as_bytes());
        }
        self.user == user.as_bytes()
    }

    /// The hash function that the [`PasswordHash`] is to be made with.
    pub const fn hash(&self) -> super::Hash {
        self.algorithm.hash
    }
}

/// A request that proved its user.
pub struct Verified {
    /// The name that was claimed, if it is not hashed and is UTF-8.
    pub user: Option<String>,
    secret: PasswordHash,
    nonce: Vec<u8>,
    client_nonce: Vec<u8>,
    nonce_count: Vec<u8>,
    quality: Option<Quality>,
    target: String,
}

/// The parameters of credentials that are hashed.
struct Answer<'a> {
    nonce: &'a [u8],
    client_nonce: &'a [u8],
    nonce_count: &'a [u8],
    count: u32,
    quality: Option<Quality>,
    algorithm: Algorithm,
    response: &'a [u8],
}

impl DigestServer {
    /// For a realm. Offers SHA-256 and then MD5, both qualities, and nonces of five minutes. `seed` is entropy: whoever
    /// knows it can make nonces.
    pub fn new(realm: &str, seed: [u64; 4]) -> Result<Self, AuthenticationError> {
        if !is_field_value(realm.as_bytes()) {
            return Err(AuthenticationError::ControlByte);
        }
        Ok(Self {
            realm: realm.into(),
            algorithms: [Algorithm::SHA_256, Algorithm::MD5].into(),
            qualities: [Quality::Authentication, Quality::Integrity].into(),
            lifetime: Duration::from_secs(300),
            is_user_hashed: false,
            takes_unqualified: false,
            nonces: Nonces::new(seed),
        })
    }

    /// The algorithms to offer, the preferred first: one challenge each.
    pub fn algorithms(mut self, algorithms: &[Algorithm]) -> Self {
        self.algorithms = algorithms.into();
        self
    }

    /// The qualities of protection to offer.
    pub fn qualities(mut self, qualities: &[Quality]) -> Self {
        self.qualities = qualities.into();
        self
    }

    /// How long a nonce is good for.
    pub const fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Whether clients are asked to hash the user name (RFC 7616 §3.4.4). Default false.
    pub const fn user_hash(mut self, is_user_hashed: bool) -> Self {
        self.is_user_hashed = is_user_hashed;
        self
    }

    /// Whether the form of RFC 2069 is taken, which has no nonce count and so can be replayed while the nonce lasts.
    /// Default false.
    pub const fn unqualified(mut self, takes_unqualified: bool) -> Self {
        self.takes_unqualified = takes_unqualified;
        self
    }

    /// The challenges to answer 401 with, a field `WWW-Authenticate` each. See [`DigestError::is_stale`].
    pub fn challenges(&mut self, is_stale: bool, now: Instant) -> Result<Vec<Challenge>, AuthenticationError> {
        let qualities: Vec<&str> = self.qualities.iter().map(|quality| quality.name()).collect();
        let qualities = qualities.join(", ");
        let mut challenges = Vec::with_capacity(self.algorithms.len());
        for algorithm in &self.algorithms {
            let mut parameters = Parameters::new();
            parameters.append("realm", &*self.realm)?;
            parameters.append("qop", &qualities)?;
            parameters.append_token("algorithm", algorithm.name())?;
            parameters.append("nonce", self.nonces.make(now))?;
            parameters.append_token("charset", "UTF-8")?;
            if is_stale {
                parameters.append_token("stale", "true")?;
            }
            if self.is_user_hashed {
                parameters.append_token("userhash", "true")?;
            }
            challenges.push(Challenge::new("Digest", Content::Parameters(parameters))?);
        }
        Ok(challenges)
    }

    /// Lets a request in, or not. `look_up` gives the secret of the user that it claims to come from.
    pub fn verify(
        &mut self,
        request: &ReceivedRequest<'_>,
        now: Instant,
        look_up: impl FnOnce(&Claim<'_>) -> Option<PasswordHash>,
    ) -> Result<Verified, DigestError> {
        let credentials = Credentials::parse(request.authorization.ok_or(DigestError::Missing)?);
        let credentials = credentials.map_err(|_| DigestError::Malformed)?;
        if !credentials.is("Digest") {
            return Err(DigestError::OtherScheme);
        }
        let parameters = credentials.parameters().ok_or(DigestError::Malformed)?;
        let answer = self.read(parameters, request)?;
        let claim = self.claim(parameters, answer.algorithm)?;
        let known = look_up(&claim).filter(|secret| secret.hash() == answer.algorithm.hash);
        let is_known = known.is_some();
        let secret = known.unwrap_or_else(|| PasswordHash::new(answer.algorithm.hash, &claim.user, b"", b""));
        let is_session = answer.algorithm.is_session;
        let secret = if is_session { secret.of_session(answer.nonce, answer.client_nonce) } else { secret };
        let body = request.body.unwrap_or_default();
        let proof = answer.proof(request.method, request.target, body);
        let expected = of_secret(&secret, &proof);
        let is_right = is_same_secret(expected.as_bytes(), &answer.response.to_ascii_lowercase());
        if !is_right || !is_known {
            return Err(DigestError::Wrong);
        }
        let user = claim.user().map(Into::into);
        let serial = self.nonces.recognise(answer.nonce, self.lifetime, now).ok_or(DigestError::Stale)?;
        if answer.quality.is_some() && !self.nonces.spend(serial, answer.count) {
            return Err(DigestError::Replayed);
        }
        Ok(Verified {
            user,
            secret,
            nonce: answer.nonce.into(),
            client_nonce: answer.client_nonce.into(),
            nonce_count: answer.nonce_count.into(),
            quality: answer.quality,
            target: request.target.into(),
        })
    }

    fn read<'a>(&self, parameters: &'a Parameters, request: &ReceivedRequest<'_>) -> Result<Answer<'a>, DigestError> {
        let get = |name: &str| parameters.get(name).ok_or(DigestError::Malformed);
        if get("realm")? != self.realm.as_bytes() {
            return Err(DigestError::OtherRealm);
        }
        if get("uri")? != request.target.as_bytes() {
            return Err(DigestError::OtherTarget);
        }
        let algorithm = parameters.get("algorithm").map_or(Some(Algorithm::MD5), Algorithm::from_name);
        let algorithm = algorithm.filter(|algorithm| self.algorithms.contains(algorithm));
        let quality = match parameters.get("qop") {
            None if self.takes_unqualified => None,
            None => return Err(DigestError::QualityNotOffered),
            Some(name) => {
                let quality = Quality::from_name(name).filter(|quality| self.qualities.contains(quality));
                Some(quality.ok_or(DigestError::QualityNotOffered)?)
            }
        };
        if quality == Some(Quality::Integrity) && request.body.is_none() {
            return Err(DigestError::BodyUnknown);
        }
        let nonce_count = if quality.is_some() { get("nc")? } else { b"" };
        Ok(Answer {
            nonce: get("nonce")?,
            client_nonce: if quality.is_some() { get("cnonce")? } else { parameters.get("cnonce").unwrap_or_default() },
            nonce_count,
            count: if quality.is_some() { count(nonce_count).ok_or(DigestError::Malformed)? } else { 0 },
            quality,
            algorithm: algorithm.ok_or(DigestError::AlgorithmNotOffered)?,
            response: get("response")?,
        })
    }

    /// Who is claimed: `username`, or `username*` in the one charset that it may be in (RFC 7616 §3.4).
    fn claim(&self, parameters: &Parameters, algorithm: Algorithm) -> Result<Claim<'_>, DigestError> {
        let is_hashed = parameters.text("userhash").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let user = match (parameters.get("username"), parameters.text("username*")) {
            (Some(user), None) => user.to_vec(),
            (None, Some(value)) if !is_hashed => {
                let (charset, text) = extended::charset(value.as_bytes()).ok_or(DigestError::Malformed)?;
                if charset != Charset::Utf8 {
                    return Err(DigestError::Malformed);
                }
                percent::decode_strictly(text).ok_or(DigestError::Malformed)?
            }
            _ => return Err(DigestError::Malformed),
        };
        Ok(Claim { user, is_hashed, realm: &self.realm, algorithm })
    }
}

/// Eight hexadecimal digits (RFC 7616 §3.4).
fn count(digits: &[u8]) -> Option<u32> {
    let is_count = digits.len() == 8 && digits.iter().all(u8::is_ascii_hexdigit);
    is_count.then(|| u32::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok())?
}

impl<'a> Answer<'a> {
    fn proof(&self, method: &'a str, target: &'a str, body: &'a [u8]) -> Proof<'a> {
        Proof {
            nonce: self.nonce,
            client_nonce: self.client_nonce,
            nonce_count: self.nonce_count,
            quality: self.quality,
            method,
            target: target.as_bytes(),
            body,
        }
    }
}

impl Verified {
    /// The value of `Authentication-Info` (RFC 7616 §3.5), which proves to the client that the server knows the
    /// password too. `body` is that of the answer; without it, `auth-int` is answered with `auth`. None for the form of
    /// RFC 2069.
    pub fn authentication_info(&self, body: Option<&[u8]>) -> Option<Vec<u8>> {
        let quality = if body.is_some() { self.quality? } else { self.quality.map(|_| Quality::Authentication)? };
        let proof = Proof {
            nonce: &self.nonce,
            client_nonce: &self.client_nonce,
            nonce_count: &self.nonce_count,
            quality: Some(quality),
            method: "",
            target: self.target.as_bytes(),
            body: body.unwrap_or_default(),
        };
        let mut parameters = Parameters::new();
        parameters.append("rspauth", of_secret(&self.secret, &proof)).ok()?;
        parameters.append("cnonce", &self.client_nonce).ok()?;
        parameters.append_token("nc", &self.nonce_count).ok()?;
        parameters.append_token("qop", quality.name()).ok()?;
        Some(parameters.to_field())
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Without its secret.
impl fmt::Debug for DigestServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestServer").field("realm", &self.realm).finish_non_exhaustive()
    }
}
