//! The server: whom it lets in, and what it says to the others.

use std::time::Duration;

use callboard_core::Instant;
use callboard_core::digest::{
    Algorithm, Claim, DigestError, DigestServer, PasswordHash, Proof, Quality, ReceivedRequest, response,
};

const NOW: Instant = Instant::from_nanos(7_000_000_000);

fn server() -> DigestServer {
    DigestServer::new("r", [1, 2, 3, 4]).unwrap()
}

fn look_up(claim: &Claim<'_>) -> Option<PasswordHash> {
    claim.is("u").then(|| PasswordHash::new(claim.hash(), b"u", b"r", b"p"))
}

/// What a client sends; the tests change it.
#[derive(Clone)]
struct Sent {
    user: String,
    password: &'static str,
    realm: &'static str,
    nonce: String,
    count: &'static str,
    target: &'static str,
    algorithm: &'static str,
    quality: Option<Quality>,
    body: &'static [u8],
    more: &'static str,
}

impl Sent {
    fn field(&self) -> String {
        let algorithm = Algorithm::from_name(self.algorithm.as_bytes()).unwrap();
        let secret = PasswordHash::new(algorithm.hash, b"u", self.realm.as_bytes(), self.password.as_bytes());
        let proof = Proof {
            nonce: self.nonce.as_bytes(),
            client_nonce: b"c",
            nonce_count: self.count.as_bytes(),
            quality: self.quality,
            method: "GET",
            target: self.target.as_bytes(),
            body: self.body,
        };
        let quality = self
            .quality
            .map_or(String::new(), |quality| format!(", qop={}, nc={}, cnonce=\"c\"", quality.name(), self.count));
        format!(
            "Digest {}, realm=\"{}\", nonce=\"{}\", uri=\"{}\", algorithm={}, response=\"{}\"{quality}{}",
            self.user,
            self.realm,
            self.nonce,
            self.target,
            self.algorithm,
            response(algorithm, &secret, &proof),
            self.more,
        )
    }
}

/// A right answer to the first challenge.
fn sent(server: &mut DigestServer) -> Sent {
    let challenges = server.challenges(false, NOW).unwrap();
    Sent {
        user: "username=\"u\"".to_owned(),
        password: "p",
        realm: "r",
        nonce: challenges[0].text("nonce").unwrap().to_owned(),
        count: "00000001",
        target: "/x",
        algorithm: "SHA-256",
        quality: Some(Quality::Authentication),
        body: b"",
        more: "",
    }
}

fn verify(server: &mut DigestServer, sent: &Sent, now: Instant) -> Result<Option<String>, DigestError> {
    verify_field(server, &sent.field(), now)
}

fn verify_field(server: &mut DigestServer, field: &str, now: Instant) -> Result<Option<String>, DigestError> {
    let (authorization, method, target) = (Some(field.as_bytes()), "GET", "/x");
    let request = ReceivedRequest { authorization, method, target, body: Some(b"body") };
    server.verify(&request, now, look_up).map(|verified| verified.user)
}

#[test]
fn challenges_say_what_is_offered() {
    let mut server = server().user_hash(true).qualities(&[Quality::Integrity]).algorithms(&[Algorithm::MD5]);
    let challenges = server.challenges(true, NOW).unwrap();
    let field = String::from_utf8(challenges[0].to_field()).unwrap();
    let nonce = challenges[0].text("nonce").unwrap();
    let expected = format!(
        "Digest realm=\"r\", qop=\"auth-int\", algorithm=MD5, nonce=\"{nonce}\", charset=UTF-8, stale=true, \
         userhash=true"
    );
    assert_eq!((field, challenges.len()), (expected, 1));
    let mut server = self::server();
    let nonces: Vec<_> = (0..3).flat_map(|_| server.challenges(false, NOW).unwrap()).collect();
    let nonces: std::collections::BTreeSet<_> = nonces.iter().map(|challenge| challenge.text("nonce")).collect();
    assert_eq!(nonces.len(), 6);
    assert!(DigestServer::new("a\r\nb", [0; 4]).is_err());
}

#[test]
fn a_right_answer_is_let_in_once_per_count() {
    let mut server = server();
    let mut sent = sent(&mut server);
    assert_eq!(verify(&mut server, &sent, NOW), Ok(Some("u".to_owned())));
    assert_eq!(verify(&mut server, &sent, NOW), Err(DigestError::Replayed));
    for (count, expected) in [
        ("00000003", Ok(())),
        ("00000002", Ok(())),
        ("00000002", Err(DigestError::Replayed)),
        ("00000100", Ok(())),
        ("00000004", Err(DigestError::Replayed)),
        ("00000000", Err(DigestError::Replayed)),
        ("000000Ff", Ok(())),
        ("1", Err(DigestError::Malformed)),
        ("0000000g", Err(DigestError::Malformed)),
        ("+0000005", Err(DigestError::Malformed)),
    ] {
        sent.count = count;
        assert_eq!(verify(&mut server, &sent, NOW).map(|_| ()), expected, "{count}");
    }
    assert!(DigestError::Replayed.is_stale());
}

#[test]
fn a_nonce_expires_and_says_so_only_to_who_knows_the_password() {
    let mut server = server().lifetime(Duration::from_secs(10));
    let sent = sent(&mut server);
    let (last, late) = (NOW + Duration::from_secs(10), NOW + Duration::from_secs(10) + Duration::from_nanos(1));
    assert_eq!(verify(&mut server.clone(), &sent, last), Ok(Some("u".to_owned())));
    assert_eq!(verify(&mut server, &sent, late), Err(DigestError::Stale));
    assert_eq!(verify(&mut server, &Sent { password: "wrong", ..sent.clone() }, late), Err(DigestError::Wrong));
    assert!(DigestError::Stale.is_stale() && !DigestError::Wrong.is_stale());
    // A nonce of another server, or of none.
    let other = self::sent(&mut DigestServer::new("r", [1, 2, 3, 5]).unwrap());
    assert_eq!(verify(&mut server, &other, NOW), Err(DigestError::Stale));
    for nonce in ["", "x", &"0".repeat(64), &format!("{}\u{e9}", "0".repeat(62))] {
        assert_eq!(
            verify(&mut server, &Sent { nonce: nonce.to_owned(), ..sent.clone() }, NOW),
            Err(DigestError::Stale)
        );
    }
}

#[test]
fn each_violation_is_named() {
    let mut server = server();
    let right = sent(&mut server);
    let rows = [
        (Sent { password: "q", ..right.clone() }, DigestError::Wrong),
        (Sent { user: "username=\"v\"".to_owned(), ..right.clone() }, DigestError::Wrong),
        (Sent { realm: "s", ..right.clone() }, DigestError::OtherRealm),
        (Sent { target: "/y", ..right.clone() }, DigestError::OtherTarget),
        (Sent { algorithm: "SHA-512", ..right.clone() }, DigestError::AlgorithmNotOffered),
        (Sent { quality: None, ..right.clone() }, DigestError::QualityNotOffered),
        (Sent { user: "user=\"u\"".to_owned(), ..right.clone() }, DigestError::Malformed),
        (Sent { user: "username=\"u\", username*=UTF-8''u".to_owned(), ..right.clone() }, DigestError::Malformed),
        (Sent { user: "username*=latin1''u".to_owned(), ..right.clone() }, DigestError::Malformed),
        (Sent { more: ", realm=\"r\"", ..right.clone() }, DigestError::Malformed),
    ];
    for (sent, expected) in rows {
        assert_eq!(verify(&mut server, &sent, NOW), Err(expected), "{}", sent.field());
    }
    for (field, expected) in [
        ("Basic dTpw", DigestError::OtherScheme),
        ("Digest", DigestError::Malformed),
        ("Digest abc", DigestError::Malformed),
    ] {
        assert_eq!(verify_field(&mut server, field, NOW), Err(expected));
    }
    let field = right.field();
    for name in ["username", "realm", "nonce", "uri", "response", "nc", "cnonce"] {
        let without = field.replace(&format!(" {name}="), " x=");
        assert_eq!(verify_field(&mut server, &without, NOW), Err(DigestError::Malformed), "{name}");
    }
    let request = ReceivedRequest { authorization: None, method: "GET", target: "/x", body: None };
    assert_eq!(server.verify(&request, NOW, look_up).unwrap_err(), DigestError::Missing);
    // After all that, the right one is still let in.
    assert!(verify(&mut server, &right, NOW).is_ok());
    assert_eq!((DigestError::Malformed.status().code(), DigestError::Wrong.status().code()), (400, 401));
}

#[test]
fn the_body_is_verified_if_the_client_protects_it() {
    let mut server = server();
    let sent = Sent { quality: Some(Quality::Integrity), body: b"body", ..sent(&mut server) };
    let field = sent.field();
    let authorization = Some(field.as_bytes());
    for (body, expected) in
        [(None, Err(DigestError::BodyUnknown)), (Some(&b"bodi"[..]), Err(DigestError::Wrong)), (Some(b"body"), Ok(()))]
    {
        let request = ReceivedRequest { authorization, method: "GET", target: "/x", body };
        assert_eq!(server.verify(&request, NOW, look_up).map(|_| ()), expected);
    }
}

#[test]
fn the_form_without_quality_is_taken_only_if_that_is_set() {
    let mut server = server().unqualified(true);
    let sent = Sent { quality: None, ..sent(&mut server) };
    assert!(verify(&mut server, &sent, NOW).is_ok());
    // It cannot be told from a replay.
    assert!(verify(&mut server, &sent, NOW).is_ok());
}
