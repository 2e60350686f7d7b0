//! The client's side: answers challenges for one user of one server.
//!
//! The password belongs to the first server that a request goes to. Another server gets an answer only if the first
//! has named it in `domain`. One request is sent twice at most. Within the protection space further requests carry
//! credentials at once, each with the next count of the nonce.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use url::{Position, Url};

use super::algorithm::Hash;
use super::challenge::{DigestChallenge, choose};
use super::credentials::render;
use super::error::{ChallengeError, ProofError};
use super::response::{PasswordHash, Proof, Quality, of_secret};
use super::space::{Space, is_same_origin};
use crate::authentication::{Parameters, challenges, is_same_secret};
use crate::{Headers, Method, header};

/// Answers the Digest challenges of one server for one user.
///
/// ```
/// use callboard_core::digest::{DigestClient, DigestRequest};
/// use callboard_core::{Headers, Method};
///
/// let mut client = DigestClient::new("Mufasa", "Circle of Life", [1, 2])?;
/// let url = url::Url::parse("http://example.org/dir/index.html").unwrap();
/// let request = DigestRequest { method: &Method::Get, url: &url, body: Some(b"") };
/// let mut attempt = client.begin(&request);
/// assert!(attempt.authorization().is_none());            // nothing is known of the server yet: send without
/// // The server answers 401 and
/// let mut headers = Headers::new();
/// headers.append("WWW-Authenticate", r#"Digest realm="a", nonce="b", qop="auth", algorithm=SHA-256"#).unwrap();
/// client.handle_unauthorized(&mut attempt, &request, &headers)?;
/// assert!(attempt.authorization().unwrap().starts_with(b"Digest username=\"Mufasa\", realm=\"a\""));
/// // Send once more with that as `Authorization`. The next request carries it at once:
/// assert!(client.begin(&request).authorization().is_some());
/// # Ok::<(), callboard_core::digest::ChallengeError>(())
/// ```
#[derive(Clone)]
pub struct DigestClient {
    user: Box<str>,
    password: Box<str>,
    seed: [u64; 2],
    drawn: u64,
    is_preemptive: bool,
    origin: Option<Url>,
    known: Option<Known>,
}

/// What is known of the server.
#[derive(Clone)]
struct Known {
    challenge: DigestChallenge,
    space: Space,
    count: u32,
    /// The nonces that the secret of a session was made with (RFC 7616 §3.4.2).
    session: Option<(Vec<u8>, String)>,
}

/// A request that may have to prove who sends it.
#[derive(Clone, Copy, Debug)]
pub struct DigestRequest<'a> {
    /// The method.
    pub method: &'a Method,
    /// The URL; its path and query are the request target.
    pub url: &'a Url,
    /// The body: empty if there is none, None if it is not known before it is sent.
    pub body: Option<&'a [u8]>,
}

/// One request on its way: what it carried.
pub struct Attempt {
    authorization: Option<Vec<u8>>,
    sent: Option<Sent>,
    is_second: bool,
}

/// What the server's proof is checked against.
struct Sent {
    secret: PasswordHash,
    nonce: Vec<u8>,
    client_nonce: String,
    nonce_count: String,
    quality: Option<Quality>,
    target: String,
}

/// Whether a server has proven that it knows the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerProof {
    /// It has.
    Proven,
    /// It has not tried.
    Absent,
    /// It has tried, but the answer's body is needed to check it.
    Unchecked,
}

impl Attempt {
    /// The value of `Authorization` to send with. None: without.
    pub fn authorization(&self) -> Option<&[u8]> {
        self.authorization.as_deref()
    }
}

impl DigestClient {
    /// For a user. `seed` is entropy, from which the client's nonces follow. A name with a colon or a control character
    /// is refused.
    pub fn new(user: &str, password: &str, seed: [u64; 2]) -> Result<Self, ChallengeError> {
        if user.contains(':') {
            return Err(ChallengeError::ColonInUser);
        }
        if user.chars().any(char::is_control) {
            return Err(ChallengeError::ControlCharacter);
        }
        let (user, password) = (user.into(), password.into());
        Ok(Self { user, password, seed, drawn: 0, is_preemptive: true, origin: None, known: None })
    }

    /// Binds the password to the server of `url` now, instead of to that of the first request.
    pub fn for_origin(mut self, url: &Url) -> Self {
        self.origin = Some(url.clone());
        self
    }

    /// Whether requests carry credentials at once where a challenge is known to cover them. Default true.
    pub const fn preemptive(mut self, is_preemptive: bool) -> Self {
        self.is_preemptive = is_preemptive;
        self
    }

    /// Begins a request: what it carries follows from what is known.
    pub fn begin(&mut self, request: &DigestRequest<'_>) -> Attempt {
        if self.origin.is_none() {
            self.origin = Some(request.url.clone());
        }
        let mut attempt = Attempt { authorization: None, sent: None, is_second: false };
        let is_covered = self.known.as_ref().is_some_and(|known| known.space.covers(request.url));
        if self.is_preemptive && is_covered {
            // Without an answer the request goes out without credentials, and the server says what it wants.
            let _ = self.answer(&mut attempt, request);
        }
        attempt
    }

    /// The server answered 401 with these fields. Ok: send the request once more, with what the attempt now carries.
    /// Err: the response is final.
    pub fn handle_unauthorized(
        &mut self,
        attempt: &mut Attempt,
        request: &DigestRequest<'_>,
        headers: &Headers,
    ) -> Result<(), ChallengeError> {
        if !self.is_trusted(request.url) {
            return Err(ChallengeError::OtherOrigin);
        }
        if attempt.is_second {
            return Err(ChallengeError::AlreadyAnswered);
        }
        let challenge = choose(&challenges(headers, header::WWW_AUTHENTICATE), request.body.is_some())?;
        let is_same_nonce = attempt.sent.as_ref().is_some_and(|sent| sent.nonce == challenge.nonce);
        if is_same_nonce && !challenge.is_stale {
            return Err(ChallengeError::AlreadyAnswered);
        }
        attempt.is_second = true;
        let space = match &self.known {
            // A server that the first one has named has no say in who else is trusted.
            Some(known) if !self.is_own(request.url) => known.space.clone(),
            _ => Space::new(request.url, &challenge.domain),
        };
        // The same nonce again, by a request that went out before it was known: its counts go on (RFC 7616 §3.4).
        let (count, session) = match self.known.take() {
            Some(known) if known.challenge.is_same_session(&challenge) => (known.count, known.session),
            _ => (0, None),
        };
        self.known = Some(Known { challenge, space, count, session });
        self.answer(attempt, request)
    }

    /// The server let the request in, and answered with these fields, and this body if it is known. Takes up the next
    /// nonce if there is one, and checks the server's proof (RFC 7616 §3.5).
    pub fn handle_answer(
        &mut self,
        attempt: &Attempt,
        headers: &Headers,
        body: Option<&[u8]>,
    ) -> Result<ServerProof, ProofError> {
        let Some(sent) = &attempt.sent else { return Ok(ServerProof::Absent) };
        let Some(field) = headers.get(header::AUTHENTICATION_INFO) else { return Ok(ServerProof::Absent) };
        let info = Parameters::parse(field).map_err(|_| ProofError::Malformed)?;
        let proof = sent.check(&info, body)?;
        if let (Some(next), Some(known)) = (info.get("nextnonce").filter(|next| !next.is_empty()), &mut self.known)
            && known.challenge.nonce == sent.nonce
        {
            known.challenge.nonce = next.to_vec();
            known.count = 0;
        }
        Ok(proof)
    }

    /// Whether it would answer a challenge of this URL's server.
    pub fn is_for(&self, url: &Url) -> bool {
        self.origin.is_none() || self.is_trusted(url)
    }

    fn is_own(&self, url: &Url) -> bool {
        self.origin.as_ref().is_some_and(|origin| is_same_origin(origin, url))
    }

    fn is_trusted(&self, url: &Url) -> bool {
        self.is_own(url) || self.known.as_ref().is_some_and(|known| known.space.names(url))
    }

    /// Puts credentials for the known challenge on the attempt.
    fn answer(&mut self, attempt: &mut Attempt, request: &DigestRequest<'_>) -> Result<(), ChallengeError> {
        let fresh = self.client_nonce();
        let Some(known) = &mut self.known else { return Err(ChallengeError::NoDigest) };
        let challenge = &known.challenge;
        let quality = challenge.quality(request.body.is_some())?;
        // A nonce whose counts are used up is forgotten with its last request refused.
        known.count = known.count.checked_add(1).ok_or(ChallengeError::NonceMissing)?;
        let hash = challenge.algorithm.hash;
        let plain = PasswordHash::new(hash, self.user.as_bytes(), &challenge.realm, self.password.as_bytes());
        let (secret, client_nonce) = if challenge.algorithm.is_session {
            let (nonce, first) = known.session.get_or_insert_with(|| (challenge.nonce.clone(), fresh));
            (plain.of_session(nonce, first.as_bytes()), first.clone())
        } else {
            (plain, fresh)
        };
        let sent = Sent {
            secret,
            nonce: challenge.nonce.clone(),
            client_nonce,
            nonce_count: format!("{:08x}", known.count),
            quality,
            target: request.url[Position::BeforePath..Position::AfterQuery].into(),
        };
        let proof = sent.proof(request.method.as_str(), request.body.unwrap_or_default());
        let response = of_secret(&sent.secret, &proof);
        attempt.authorization = Some(render(&self.user, challenge, &proof, &response));
        attempt.sent = Some(sent);
        Ok(())
    }

    /// A nonce that cannot be told from the ones before it.
    fn client_nonce(&mut self) -> String {
        self.drawn += 1;
        let [one, other] = self.seed.map(u64::to_be_bytes);
        let mut nonce = Hash::Sha256.of(&[&one, &other, &self.drawn.to_be_bytes()]);
        nonce.truncate(32);
        nonce
    }
}

impl Sent {
    fn proof<'a>(&'a self, method: &'a str, body: &'a [u8]) -> Proof<'a> {
        Proof {
            nonce: &self.nonce,
            client_nonce: self.client_nonce.as_bytes(),
            nonce_count: self.nonce_count.as_bytes(),
            quality: self.quality,
            method,
            target: self.target.as_bytes(),
            body,
        }
    }

    fn check(&self, info: &Parameters, body: Option<&[u8]>) -> Result<ServerProof, ProofError> {
        let differs = |name: &str, sent: &str| info.get(name).is_some_and(|value| value != sent.as_bytes());
        if differs("cnonce", &self.client_nonce) || differs("nc", &self.nonce_count) {
            return Err(ProofError::OtherRequest);
        }
        let Some(claimed) = info.get("rspauth") else { return Ok(ServerProof::Absent) };
        let quality = match info.get("qop") {
            Some(name) => Some(Quality::from_name(name).ok_or(ProofError::Malformed)?),
            None => self.quality,
        };
        if quality == Some(Quality::Integrity) && body.is_none() {
            return Ok(ServerProof::Unchecked);
        }
        let proof = Proof { quality, ..self.proof("", body.unwrap_or_default()) };
        let expected = of_secret(&self.secret, &proof);
        let is_right = is_same_secret(expected.as_bytes(), &claimed.to_ascii_lowercase());
        if is_right { Ok(ServerProof::Proven) } else { Err(ProofError::Wrong) }
    }
}

/// Neither the password nor what follows from it.
impl fmt::Debug for DigestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestClient").field("user", &self.user).finish_non_exhaustive()
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").field("is_second", &self.is_second).finish_non_exhaustive()
    }
}
