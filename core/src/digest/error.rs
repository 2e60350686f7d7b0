//! Why a challenge is not answered, an answer not believed, or a request not let in.

use crate::Status;
use crate::reasons::reasons;

reasons! {
    /// Why a client does not answer a challenge.
    ChallengeError {
        /// The user name holds a colon: its end could not be told (RFC 7616 §3.4.2).
        ColonInUser => "the user name holds a colon",
        /// The user name holds a control character (RFC 7616 §3.4).
        ControlCharacter => "the user name holds a control character",
        /// No challenge is of the scheme Digest.
        NoDigest => "the server does not ask for Digest authentication",
        /// The server is neither the one that the password is for nor one that it has named (RFC 7616 §3.3).
        OtherOrigin => "the challenge is of a server that the password is not for",
        /// The challenge was answered once for this request: the password is wrong, then.
        AlreadyAnswered => "the server does not accept the user name and password",
        /// The challenge has no realm (RFC 7616 §3.3).
        RealmMissing => "the challenge has no realm",
        /// The challenge has no nonce, or an empty one (RFC 7616 §3.3).
        NonceMissing => "the challenge has no nonce",
        /// The algorithm is not known here (RFC 7616 §3.3).
        AlgorithmUnknown => "the challenge asks for an unknown algorithm",
        /// No quality of protection is known here (RFC 7616 §3.3).
        QualityUnknown => "the challenge asks for an unknown quality of protection",
        /// Only `auth-int` is accepted, but the body is not known before it is sent (RFC 7616 §3.4.3).
        BodyUnknown => "the challenge asks for a hash of a body that is a stream",
    }
}

reasons! {
    /// What is wrong with the proof that a server gives of knowing the password (RFC 7616 §3.5).
    ProofError {
        /// The field is malformed.
        Malformed => "Authentication-Info is malformed",
        /// It is about another request: its `cnonce` or `nc` differ.
        OtherRequest => "Authentication-Info is about another request",
        /// The proof is wrong: the server does not know the password, or the answer was changed.
        Wrong => "the server does not prove that it knows the password",
    }
}

reasons! {
    /// Why a server does not let a request in.
    DigestError {
        /// The request has no credentials.
        Missing => "the request has no credentials",
        /// The credentials are of another scheme.
        OtherScheme => "the credentials are not of the scheme Digest",
        /// The credentials are malformed, or lack a parameter (RFC 7616 §3.4).
        Malformed => "the credentials are malformed",
        /// They are for another request target (RFC 7616 §3.4.6).
        OtherTarget => "the credentials are for another request target",
        /// They are for another realm.
        OtherRealm => "the credentials are for another realm",
        /// The algorithm was not offered.
        AlgorithmNotOffered => "the algorithm was not offered",
        /// The quality of protection was not offered.
        QualityNotOffered => "the quality of protection was not offered",
        /// `auth-int`, but the body was not handed in (RFC 7616 §3.4.3).
        BodyUnknown => "the body is needed to verify the credentials",
        /// The user name or password is wrong.
        Wrong => "the user name or password is wrong",
        /// The nonce has expired, or is not of this server; the password is right (RFC 7616 §3.3, `stale`).
        Stale => "the nonce has expired",
        /// The nonce count was used before, or is too old to tell (RFC 7616 §3.4).
        Replayed => "the nonce count was used before",
    }
}

impl DigestError {
    /// What to answer with: 400 for what is no proper request, else 401 with
    /// [`DigestServer::challenges`](super::DigestServer::challenges).
    pub const fn status(self) -> Status {
        match self {
            Self::Malformed | Self::OtherTarget => Status::BAD_REQUEST,
            _ => Status::UNAUTHORIZED,
        }
    }

    /// Whether the challenge is to say `stale`: the password was right, so the client need not ask for another.
    pub const fn is_stale(self) -> bool {
        matches!(self, Self::Stale | Self::Replayed)
    }
}
