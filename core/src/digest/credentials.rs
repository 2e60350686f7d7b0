//! The credentials that a client sends (RFC 7616 §3.4), as text.

use alloc::format;
use alloc::vec::Vec;

use super::challenge::DigestChallenge;
use super::response::Proof;
use crate::quoted::append_quoted;

/// The value of `Authorization` (RFC 7616 §3.4): which values stand in quotes is part of the rules.
pub(super) fn render(user: &str, challenge: &DigestChallenge, proof: &Proof<'_>, response: &str) -> Vec<u8> {
    let mut field = b"Digest ".to_vec();
    write_user(user, challenge, &mut field);
    let mut quoted = |name: &str, value: &[u8]| {
        field.extend_from_slice(b", ");
        field.extend_from_slice(name.as_bytes());
        field.push(b'=');
        append_quoted(&mut field, value);
    };
    quoted("realm", &challenge.realm);
    quoted("nonce", &challenge.nonce);
    quoted("uri", proof.target);
    quoted("response", response.as_bytes());
    if let Some(opaque) = &challenge.opaque {
        quoted("opaque", opaque);
    }
    if proof.quality.is_some() || challenge.algorithm.is_session {
        quoted("cnonce", proof.client_nonce);
    }
    let mut plain = |name: &str, value: &[u8]| {
        field.extend_from_slice(b", ");
        field.extend_from_slice(name.as_bytes());
        field.push(b'=');
        field.extend_from_slice(value);
    };
    if let Some(name) = &challenge.algorithm_name {
        plain("algorithm", name);
    }
    if let Some(quality) = proof.quality {
        plain("qop", quality.name().as_bytes());
        plain("nc", proof.nonce_count);
    }
    if challenge.is_user_hashed {
        plain("userhash", b"true");
    }
    field
}

/// As a hash if the server wants that; a name beyond ASCII in the extended notation if the server says that it knows
/// UTF-8 (RFC 7616 §3.4.4), and else as it is.
fn write_user(user: &str, challenge: &DigestChallenge, field: &mut Vec<u8>) {
    if !challenge.is_user_hashed && challenge.is_utf8 && !user.is_ascii() {
        field.extend_from_slice(b"username*=UTF-8''");
        for &byte in user.as_bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                field.push(byte);
            } else {
                field.extend_from_slice(format!("%{byte:02X}").as_bytes());
            }
        }
        return;
    }
    field.extend_from_slice(b"username=");
    if challenge.is_user_hashed {
        let hashed = challenge.algorithm.hash.of(&[user.as_bytes(), &challenge.realm]);
        append_quoted(field, hashed.as_bytes());
    } else {
        append_quoted(field, user.as_bytes());
    }
}
