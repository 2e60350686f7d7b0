//! The client: which challenge it answers, with what, where, and how often.

use callboard_core::authentication::{Credentials, parse_challenges};
use callboard_core::digest::{
    Attempt, ChallengeError, DigestClient, DigestRequest, PasswordHash, Proof, ProofError, Quality, ServerProof,
    choose, response,
};
use callboard_core::{Headers, Method};
use url::Url;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn headers(name: &str, fields: &[&str]) -> Headers {
    let mut headers = Headers::new();
    for field in fields {
        headers.append(name, field).unwrap();
    }
    headers
}

fn challenged(fields: &[&str]) -> Headers {
    headers("WWW-Authenticate", fields)
}

fn client() -> DigestClient {
    DigestClient::new("Mufasa", "Circle of Life", [1, 2]).unwrap()
}

fn get(url: &Url) -> DigestRequest<'_> {
    DigestRequest { method: &Method::Get, url, body: Some(b"") }
}

/// A parameter of what the attempt carries.
fn parameter(attempt: &Attempt, name: &str) -> Option<String> {
    let credentials = Credentials::parse(attempt.authorization()?).unwrap();
    Some(String::from_utf8(credentials.parameters()?.get(name)?.to_vec()).unwrap())
}

/// Answers one challenge for a GET of `at`.
fn answered(client: &mut DigestClient, at: &str, field: &str) -> Result<Attempt, ChallengeError> {
    let url = url(at);
    let mut attempt = client.begin(&get(&url));
    client.handle_unauthorized(&mut attempt, &get(&url), &challenged(&[field]))?;
    Ok(attempt)
}

const CHALLENGE: &str = r#"Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256, opaque="o""#;

#[test]
fn the_strongest_challenge_that_can_be_answered_is_chosen() {
    let rows: [(&str, &str); 9] = [
        (r#"Digest realm="r", nonce="n""#, "MD5"),
        (r#"dIGEST realm="r",nonce="n", algorithm=md5"#, "MD5"),
        (r#"Basic realm="x", Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth,auth-int""#, "SHA-256"),
        (r#"Digest realm="a, b=\"c\"", nonce="n,m", qop="auth", algorithm=md5"#, "MD5"),
        (r#"Digest realm="r", nonce="1", algorithm=MD5, Digest realm="r", nonce="2", algorithm=SHA-256"#, "SHA-256"),
        (r#"Digest realm="r", nonce="1", algorithm=SHA-512-256, Digest realm="r", nonce="2""#, "SHA-512-256"),
        (r#"Digest realm="r", nonce="1", algorithm=NEW, Digest realm="r", nonce="2", algorithm=MD5-sess"#, "MD5-sess"),
        (r#"Digest realm="r", nonce="", algorithm=SHA-256, Digest realm="r", nonce="2""#, "MD5"),
        (r#"Digest realm="r", nonce="1", algorithm=SHA-256, qop="auth-x", Digest realm="r", nonce="2""#, "MD5"),
    ];
    for (field, expected) in rows {
        let chosen = choose(&parse_challenges(field.as_bytes()).unwrap(), true);
        assert_eq!(chosen.map(|chosen| chosen.algorithm().name()), Ok(expected), "{field}");
    }
}

#[test]
fn what_cannot_be_answered_is_named() {
    let rows: [(&[&str], ChallengeError); 10] = [
        (&[], ChallengeError::NoDigest),
        (&[r#"Basic realm="r""#, "Negotiate"], ChallengeError::NoDigest),
        (&["Digest"], ChallengeError::RealmMissing),
        (&[r#"Digest nonce="n""#], ChallengeError::RealmMissing),
        (&[r#"Digest realm="r""#], ChallengeError::NonceMissing),
        (&[r#"Digest realm="r", nonce="""#], ChallengeError::NonceMissing),
        (&[r#"Digest realm="r", nonce="n", algorithm=SHA-3"#], ChallengeError::AlgorithmUnknown),
        (&[r#"Digest realm="r", nonce="n", qop="other""#], ChallengeError::QualityUnknown),
        (&[r#"Digest realm="r", nonce="n", nonce="m""#], ChallengeError::NoDigest),
        (&[r#"Digest realm="r", nonce="n"#], ChallengeError::NoDigest),
    ];
    for (fields, expected) in rows {
        let (mut client, url) = (client(), url("http://a/"));
        let mut attempt = client.begin(&get(&url));
        let refused = client.handle_unauthorized(&mut attempt, &get(&url), &challenged(fields));
        assert_eq!((refused, attempt.authorization()), (Err(expected), None), "{fields:?}");
    }
    assert_eq!(DigestClient::new("a:b", "", [0; 2]).unwrap_err(), ChallengeError::ColonInUser);
    assert_eq!(DigestClient::new("a\nb", "", [0; 2]).unwrap_err(), ChallengeError::ControlCharacter);
}

#[test]
fn credentials_echo_the_challenge_and_count() {
    let mut client = client();
    let (field, target) = (CHALLENGE.replace("SHA-256", "sHa-256"), "/a%20b?c=d&e=%26");
    let attempt = answered(&mut client, &format!("http://a{target}#part"), &field).unwrap();
    let client_nonce = parameter(&attempt, "cnonce").unwrap();
    let algorithm = callboard_core::digest::Algorithm::SHA_256;
    let secret = PasswordHash::new(algorithm.hash, b"Mufasa", b"r", b"Circle of Life");
    let proof = Proof {
        nonce: b"n",
        client_nonce: client_nonce.as_bytes(),
        nonce_count: b"00000001",
        quality: Some(Quality::Authentication),
        method: "GET",
        target: target.as_bytes(),
        body: b"",
    };
    let expected = format!(
        "Digest username=\"Mufasa\", realm=\"r\", nonce=\"n\", uri=\"{target}\", response=\"{}\", opaque=\"o\", \
         cnonce=\"{client_nonce}\", algorithm=sHa-256, qop=auth, nc=00000001",
        response(algorithm, &secret, &proof)
    );
    assert_eq!(String::from_utf8(attempt.authorization().unwrap().to_vec()).unwrap(), expected);
    let url = url("http://a/other");
    for count in ["00000002", "00000003"] {
        let next = client.begin(&get(&url));
        assert_eq!(parameter(&next, "nc").as_deref(), Some(count));
        assert_ne!(parameter(&next, "cnonce"), Some(client_nonce.clone()));
    }
    let second = self::client();
    let again = answered(&mut second.clone(), "http://a/", CHALLENGE).unwrap();
    let same = answered(&mut second.clone(), "http://a/", CHALLENGE).unwrap();
    assert_eq!(again.authorization(), same.authorization());
    let mut other = DigestClient::new("Mufasa", "Circle of Life", [1, 3]).unwrap();
    assert_ne!(answered(&mut other, "http://a/", CHALLENGE).unwrap().authorization(), same.authorization());
}

#[test]
fn the_body_is_protected_if_it_is_known() {
    /// More parameters, the body, and the quality.
    type Row = (&'static str, Option<&'static [u8]>, Result<Option<&'static str>, ChallengeError>);
    let rows: [Row; 7] = [
        (r#"qop="auth,auth-int""#, Some(b"x"), Ok(Some("auth-int"))),
        (r#"qop="auth-int , AUTH""#, None, Ok(Some("auth"))),
        (r#"qop="auth""#, Some(b"x"), Ok(Some("auth"))),
        (r#"qop="auth-int""#, Some(b""), Ok(Some("auth-int"))),
        (r#"qop="auth-int""#, None, Err(ChallengeError::BodyUnknown)),
        (r#"qop="""#, Some(b"x"), Ok(None)),
        ("stale=false", Some(b"x"), Ok(None)),
    ];
    for (rest, body, expected) in rows {
        let (mut client, url) = (client(), url("http://a/"));
        let request = DigestRequest { method: &Method::Post, url: &url, body };
        let mut attempt = client.begin(&request);
        let fields = [format!("Digest realm=\"r\", nonce=\"n\", {rest}")];
        let done = client.handle_unauthorized(&mut attempt, &request, &challenged(&[&fields[0]]));
        assert_eq!(done.map(|()| parameter(&attempt, "qop")), expected.map(|name| name.map(str::to_owned)), "{rest}");
        let is_legacy = expected == Ok(None);
        assert!(!is_legacy || parameter(&attempt, "nc").is_none() && parameter(&attempt, "cnonce").is_none());
    }
}

#[test]
fn a_request_is_sent_twice_at_most() {
    let (mut client, url) = (client(), url("http://a/"));
    let stale = challenged(&[r#"Digest realm="r", nonce="m", qop="auth", stale=TRUE"#]);
    let mut attempt = client.begin(&get(&url));
    client.handle_unauthorized(&mut attempt, &get(&url), &challenged(&[CHALLENGE])).unwrap();
    for headers in [&challenged(&[CHALLENGE]), &stale] {
        let refused = client.handle_unauthorized(&mut attempt, &get(&url), headers);
        assert_eq!(refused, Err(ChallengeError::AlreadyAnswered));
    }
    // One that went out with an old nonce gets one more chance, with the new one.
    let mut attempt = client.begin(&get(&url));
    assert_eq!(parameter(&attempt, "nonce").as_deref(), Some("n"));
    client.handle_unauthorized(&mut attempt, &get(&url), &stale).unwrap();
    assert_eq!(parameter(&attempt, "nonce").as_deref(), Some("m"));
    assert_eq!(parameter(&attempt, "nc").as_deref(), Some("00000001"));
    // The same nonce without `stale`: it was the password.
    let mut attempt = client.begin(&get(&url));
    let same = challenged(&[r#"Digest realm="r", nonce="m", qop="auth""#]);
    assert_eq!(client.handle_unauthorized(&mut attempt, &get(&url), &same), Err(ChallengeError::AlreadyAnswered));
}

#[test]
fn the_password_is_for_one_server_and_those_that_it_names() {
    let domain = r#"Digest realm="r", nonce="n", qop="auth", domain="/a http://other/b/ /c/""#;
    let mut client = client();
    answered(&mut client, "http://first/a", domain).unwrap();
    let rows = [
        ("http://first/a", true),
        ("http://first:80/a?query", true),
        ("http://first/a/b", true),
        ("http://first/ab", false),
        ("http://first/", false),
        ("http://first/c/d", true),
        ("http://first/c", false),
        ("https://first/a", false),
        ("http://first:81/a", false),
        ("http://other/b/c", true),
        ("http://other/b", false),
        ("http://other/a", false),
    ];
    for (text, is_covered) in rows {
        assert_eq!(client.begin(&get(&url(text))).authorization().is_some(), is_covered, "{text}");
    }
    let is_for = |client: &DigestClient, text| client.is_for(&url(text));
    assert_eq!(
        ["http://first/any", "http://other/b/c", "http://other/a"].map(|text| is_for(&client, text)),
        [true, true, false]
    );
    assert!(answered(&mut client, "http://other/b/", r#"Digest realm="r", nonce="2""#).is_ok());
    // It has no say in who else is trusted.
    let other = r#"Digest realm="r", nonce="3", domain="http://third/""#;
    assert!(answered(&mut client, "http://other/b/", other).is_ok());
    for text in ["http://other/a", "http://third/", "https://first/a"] {
        assert_eq!(answered(&mut client, text, CHALLENGE).err(), Some(ChallengeError::OtherOrigin), "{text}");
    }
    assert!(answered(&mut client, "http://first/elsewhere", CHALLENGE).is_ok());
    // One that is bound to no server is for the first that it meets.
    assert!(is_for(&self::client(), "http://other/"));
    let mut bound = self::client().for_origin(&url("http://first/"));
    assert!(is_for(&bound, "http://first/") && !is_for(&bound, "http://other/"));
    assert_eq!(answered(&mut bound, "http://other/", CHALLENGE).err(), Some(ChallengeError::OtherOrigin));
}

#[test]
fn without_preemption_each_request_waits_for_its_challenge() {
    let mut client = client().preemptive(false);
    let url = url("http://a/");
    for count in ["00000001", "00000002"] {
        let mut attempt = client.begin(&get(&url));
        assert!(attempt.authorization().is_none());
        client.handle_unauthorized(&mut attempt, &get(&url), &challenged(&[CHALLENGE])).unwrap();
        assert_eq!(parameter(&attempt, "nc").as_deref(), Some(count));
    }
}

#[test]
fn names_beyond_ascii_and_hashed_names() {
    let name = "J\u{e4}s\u{f8}n Doe";
    let mut client = DigestClient::new(name, "Secret, or not?", [0; 2]).unwrap().preemptive(false);
    let challenge = r#"Digest realm="api@example.org", nonce="n", qop="auth", algorithm=SHA-512-256"#;
    let attempt = answered(&mut client, "http://a/", challenge).unwrap();
    assert_eq!(parameter(&attempt, "username").as_deref(), Some(name));
    let attempt = answered(&mut client, "http://a/", &format!("{challenge}, charset=utf-8")).unwrap();
    assert_eq!(parameter(&attempt, "username*").as_deref(), Some("UTF-8''J%C3%A4s%C3%B8n%20Doe"));
    assert_eq!(parameter(&attempt, "username"), None);
    let attempt = answered(&mut client, "http://a/", &format!("{challenge}, charset=UTF-8, userhash=true")).unwrap();
    let hashed = "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b";
    assert_eq!(parameter(&attempt, "username").as_deref(), Some(hashed));
    assert_eq!(parameter(&attempt, "userhash").as_deref(), Some("true"));
    let mut quoting = DigestClient::new("a\"b\\c", "", [0; 2]).unwrap();
    let attempt = answered(&mut quoting, "http://a/", r#"Digest realm="q\"r", nonce="n""#).unwrap();
    let field = attempt.authorization().unwrap();
    assert!(field.starts_with(br#"Digest username="a\"b\\c", realm="q\"r", nonce="n""#), "{}", field.escape_ascii());
}

#[test]
fn the_server_has_to_prove_itself_if_it_tries() {
    /// `Authentication-Info`, the body, and the verdict.
    type Row = (String, Option<&'static [u8]>, Result<ServerProof, ProofError>);
    let (mut client, url) = (client(), url("http://a/"));
    let attempt = answered(&mut client, "http://a/", CHALLENGE).unwrap();
    let client_nonce = parameter(&attempt, "cnonce").unwrap();
    let algorithm = callboard_core::digest::Algorithm::SHA_256;
    let secret = PasswordHash::new(algorithm.hash, b"Mufasa", b"r", b"Circle of Life");
    let proof = |quality, body: &'static [u8]| {
        let (nonce, client_nonce, nonce_count) = (&b"n"[..], client_nonce.as_bytes(), &b"00000001"[..]);
        let proof = Proof { nonce, client_nonce, nonce_count, quality: Some(quality), method: "", target: b"/", body };
        response(algorithm, &secret, &proof)
    };
    let plain = proof(Quality::Authentication, b"");
    let whole = proof(Quality::Integrity, b"body");
    let rows: [Row; 9] = [
        (format!("rspauth=\"{plain}\""), None, Ok(ServerProof::Proven)),
        (format!("rspauth=\"{}\", nc=00000001", plain.to_uppercase()), None, Ok(ServerProof::Proven)),
        (format!("rspauth=\"{whole}\", qop=auth-int"), Some(b"body"), Ok(ServerProof::Proven)),
        (format!("rspauth=\"{whole}\", qop=auth-int"), Some(b"bodi"), Err(ProofError::Wrong)),
        (format!("rspauth=\"{whole}\", qop=auth-int"), None, Ok(ServerProof::Unchecked)),
        (format!("rspauth=\"{whole}\""), None, Err(ProofError::Wrong)),
        (format!("rspauth=\"{plain}\", nc=00000002"), None, Err(ProofError::OtherRequest)),
        (format!("rspauth=\"{plain}\", cnonce=\"x\""), None, Err(ProofError::OtherRequest)),
        ("rspauth".to_owned(), None, Err(ProofError::Malformed)),
    ];
    for (field, body, expected) in rows {
        let proof = client.handle_answer(&attempt, &headers("Authentication-Info", &[&field]), body);
        assert_eq!(proof, expected, "{field}");
    }
    let next = headers("Authentication-Info", &[r#"nextnonce="next""#]);
    assert_eq!(client.handle_answer(&attempt, &next, None), Ok(ServerProof::Absent));
    let attempt = client.begin(&get(&url));
    assert_eq!(parameter(&attempt, "nonce").as_deref(), Some("next"));
    assert_eq!(parameter(&attempt, "nc").as_deref(), Some("00000001"));
    assert_eq!(client.handle_answer(&attempt, &Headers::new(), None), Ok(ServerProof::Absent));
}

#[test]
fn a_session_keeps_the_nonces_that_it_began_with() {
    let (mut client, url) = (client(), url("http://a/"));
    let challenge = r#"Digest realm="r", nonce="n", qop="auth", algorithm=MD5-sess"#;
    let first = answered(&mut client, "http://a/", challenge).unwrap();
    let next = headers("Authentication-Info", &[r#"nextnonce="next""#]);
    client.handle_answer(&first, &next, None).unwrap();
    let second = client.begin(&get(&url));
    let client_nonce = parameter(&first, "cnonce").unwrap();
    assert_eq!(parameter(&second, "cnonce"), Some(client_nonce.clone()));
    // The secret is of the first nonce, the proof of the second.
    let plain = PasswordHash::new(callboard_core::digest::Hash::Md5, b"Mufasa", b"r", b"Circle of Life");
    let begun = PasswordHash::new(
        callboard_core::digest::Hash::Md5,
        plain.as_hexadecimal().as_bytes(),
        b"n",
        client_nonce.as_bytes(),
    );
    let proof = Proof {
        nonce: b"next",
        client_nonce: client_nonce.as_bytes(),
        nonce_count: b"00000001",
        quality: Some(Quality::Authentication),
        method: "GET",
        target: b"/",
        body: b"",
    };
    let expected = response(callboard_core::digest::Algorithm::MD5, &begun, &proof);
    assert_eq!(parameter(&second, "response"), Some(expected));
}

#[test]
fn nothing_secret_is_printed() {
    let mut client = client();
    let attempt = answered(&mut client, "http://a/", CHALLENGE).unwrap();
    let text = format!("{client:?} {attempt:?}");
    assert!(!text.contains("Circle") && !text.contains("response"), "{text}");
}

/// Two requests were sent before the server was known, and both got the same nonce: no count may come twice.
#[test]
fn the_counts_of_a_nonce_go_on_when_it_comes_again() {
    let (mut client, url) = (client(), url("http://a/"));
    let mut attempts = [client.begin(&get(&url)), client.begin(&get(&url))];
    for (attempt, count) in attempts.iter_mut().zip(["00000001", "00000002"]) {
        client.handle_unauthorized(attempt, &get(&url), &challenged(&[CHALLENGE])).unwrap();
        assert_eq!(parameter(attempt, "nc").as_deref(), Some(count));
    }
    // Said to be stale, the same nonce goes on as well; another begins anew.
    let mut attempt = client.begin(&get(&url));
    client.handle_unauthorized(&mut attempt, &get(&url), &challenged(&[&format!("{CHALLENGE}, stale=true")])).unwrap();
    assert_eq!(parameter(&attempt, "nc").as_deref(), Some("00000004"));
    let mut attempt = client.begin(&get(&url));
    client.handle_unauthorized(&mut attempt, &get(&url), &challenged(&[&CHALLENGE.replace("\"n\"", "\"m\"")])).unwrap();
    assert_eq!(parameter(&attempt, "nc").as_deref(), Some("00000001"));
}
