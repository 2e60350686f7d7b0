//! Digest authentication (RFC 7616): proof of a password without sending it.
//!
//! * [`DigestClient`] answers challenges, counts nonces, and checks that the server knows the password too.
//! * [`DigestServer`] makes challenges whose nonces it recognises without keeping them, and verifies what comes back.
//! * [`response`] is the calculation alone (RFC 7616 §3.4.1), for those who bring their own policy.
//!
//! Digest protects neither the request nor the answer from being read: it does not replace TLS. MD5 and SHA-1 are here
//! since servers in the field offer nothing else; whenever there is a choice, the strongest algorithm is taken.

mod algorithm;
mod challenge;
mod client;
mod credentials;
mod error;
mod nonce;
mod response;
mod server;
mod space;

pub use algorithm::{Algorithm, Hash};
pub use challenge::{DigestChallenge, choose};
pub use client::{Attempt, DigestClient, DigestRequest, ServerProof};
pub use error::{ChallengeError, DigestError, ProofError};
pub use response::{PasswordHash, Proof, Quality, response};
pub use server::{Claim, DigestServer, ReceivedRequest, Verified};
