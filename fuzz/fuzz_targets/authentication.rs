//! Any bytes as fields of authentication, as netrc and as proxy variables: declared errors only, and what was read is
//! read again from what is written. The Digest machines take any challenge and any credentials, and understand
//! each other whatever user, password and realm are.
#![no_main]

use callboard_core::authentication::{Basic, Bearer, Challenge, Credentials, Parameters, parse_challenges};
use callboard_core::digest::{
    Algorithm, Claim, DigestClient, DigestError, DigestRequest, DigestServer, Hash, PasswordHash, Quality,
    ReceivedRequest, ServerProof,
};
use callboard_core::netrc::Netrc;
use callboard_core::proxy::{NoProxy, Proxy, ProxyRules};
use callboard_core::{Headers, Instant, Method, header};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    challenges(bytes);
    credentials(bytes);
    answer(bytes);
    verify(bytes);
    prove(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(netrc) = Netrc::parse(text) {
            let _ = netrc.look_up("example.org");
        }
        if let Ok(proxy) = Proxy::parse(text) {
            let again = Proxy::parse(&format!("{}://{}", proxy.scheme().name(), proxy.authority())).expect("a proxy");
            assert_eq!((again.host(), again.port(), again.scheme()), (proxy.host(), proxy.port(), proxy.scheme()));
            if let Some(field) = proxy.authorization() {
                assert_eq!(Basic::parse(field.as_bytes()).as_ref().ok(), proxy.credentials());
            }
        }
        let _ = NoProxy::parse(text).fits("10.1.2.3", 80) | NoProxy::parse(text).fits("www.example.org", 80);
        let _ = ProxyRules::from_variables(text.lines().filter_map(|line| line.split_once('=')));
    }
});

fn challenges(bytes: &[u8]) {
    if let Ok(list) = parse_challenges(bytes) {
        let written: Vec<_> = list.iter().map(Challenge::to_field).collect();
        assert_eq!(parse_challenges(&written.join(&b", "[..])).as_ref(), Ok(&list));
    }
    if let Ok(parameters) = Parameters::parse(bytes) {
        assert_eq!(Parameters::parse(&parameters.to_field()), Ok(parameters));
    }
}

fn credentials(bytes: &[u8]) {
    if let Ok(credentials) = Credentials::parse(bytes) {
        assert_eq!(Credentials::parse(&credentials.to_field()), Ok(credentials));
    }
    if let Ok(basic) = Basic::parse(bytes) {
        assert_eq!(Basic::parse(basic.to_field().as_bytes()), Ok(basic));
    }
    if let Ok(bearer) = Bearer::parse(bytes) {
        assert_eq!(Bearer::parse(bearer.to_field().as_bytes()), Ok(bearer));
    }
}

/// A challenge that is answered gives credentials that are of the grammar.
fn answer(bytes: &[u8]) {
    let mut client = DigestClient::new("user", "password", [1, 2]).expect("a name");
    let url = url::Url::parse("http://example.org/a?b").expect("a URL");
    let request = DigestRequest { method: &Method::Get, url: &url, body: Some(b"") };
    let mut headers = Headers::new();
    if headers.append(header::WWW_AUTHENTICATE, bytes).is_err() {
        return;
    }
    let mut attempt = client.begin(&request);
    if client.handle_unauthorized(&mut attempt, &request, &headers).is_ok() {
        let field = attempt.authorization().expect("an answer");
        let mut sent = Headers::new();
        sent.append(header::AUTHORIZATION, field).expect("a field value");
        assert!(Credentials::parse(field).expect("credentials").is("Digest"));
        assert!(client.handle_unauthorized(&mut attempt, &request, &headers).is_err());
    }
    let mut info = Headers::new();
    let _ = info.append(header::AUTHENTICATION_INFO, bytes);
    let _ = client.handle_answer(&attempt, &info, Some(b""));
}

/// What our client makes of our server's challenge lets it in, once, whatever the names are; and the server's proof
/// convinces it.
fn prove(bytes: &[u8]) {
    let Some((&[control, ref seed @ ..], rest)) = bytes.split_first_chunk::<9>() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let mut parts = text.splitn(3, '\n');
    let mut part = || parts.next().unwrap_or_default();
    let (user, password, realm) = (part(), part(), part());
    let seed = u64::from_le_bytes(*seed);
    let Ok(client) = DigestClient::new(user, password, [seed, 1]) else { return };
    let Ok(server) = DigestServer::new(realm, [seed, 2, 3, 4]) else { return };
    let hashes = [Hash::Md5, Hash::Sha1, Hash::Sha256, Hash::Sha512Short, Hash::Sha512];
    let algorithm = Algorithm { hash: hashes[usize::from(control) % 5], is_session: control & 0x80 != 0 };
    let quality = [Quality::Authentication, Quality::Integrity][usize::from(control >> 3 & 1)];
    let (mut client, mut server) =
        (client, server.algorithms(&[algorithm]).qualities(&[quality]).user_hash(control & 0x40 != 0));
    let url = url::Url::parse("http://example.org/a?b").expect("a URL");
    let request = DigestRequest { method: &Method::Put, url: &url, body: Some(rest) };
    let mut attempt = client.begin(&request);
    let mut headers = Headers::new();
    for challenge in server.challenges(false, Instant::EPOCH).expect("a challenge") {
        headers.append(header::WWW_AUTHENTICATE, challenge.to_field()).expect("a field value");
    }
    client.handle_unauthorized(&mut attempt, &request, &headers).expect("it can be answered");
    for turn in 0..3 {
        let sent = attempt.authorization().expect("credentials").to_vec();
        let received = ReceivedRequest { authorization: Some(&sent), method: "PUT", target: "/a?b", body: Some(rest) };
        let look_up = |claim: &Claim<'_>| {
            let secret = PasswordHash::new(claim.hash(), user.as_bytes(), realm.as_bytes(), password.as_bytes());
            claim.is(user).then_some(secret)
        };
        let verified = server.verify(&received, Instant::EPOCH, look_up).expect("the right password");
        assert_eq!(server.verify(&received, Instant::EPOCH, look_up).err(), Some(DigestError::Replayed));
        let mut info = Headers::new();
        let proof = verified.authentication_info(Some(b"answer")).expect("a proof");
        info.append(header::AUTHENTICATION_INFO, proof).expect("a field value");
        assert_eq!(client.handle_answer(&attempt, &info, Some(b"answer")), Ok(ServerProof::Proven), "turn {turn}");
        attempt = client.begin(&request);
    }
}

/// Nobody gets in without the password.
fn verify(bytes: &[u8]) {
    let mut server = DigestServer::new("realm", [1, 2, 3, 4]).expect("a realm");
    let request = ReceivedRequest { authorization: Some(bytes), method: "GET", target: "/", body: Some(b"") };
    let password = |claim: &callboard_core::digest::Claim<'_>| {
        Some(PasswordHash::new(claim.hash(), b"user", b"realm", b"a password that no input holds"))
    };
    assert!(server.verify(&request, Instant::EPOCH, password).is_err());
}
