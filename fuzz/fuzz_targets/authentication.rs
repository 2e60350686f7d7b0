//! Any bytes as fields of authentication, as netrc and as proxy variables: declared errors only, and what was read is
//! read again from what is written. The Digest machines take any challenge and any credentials.
#![no_main]

use callboard_core::authentication::{Basic, Bearer, Challenge, Credentials, Parameters, parse_challenges};
use callboard_core::digest::{DigestClient, DigestRequest, DigestServer, PasswordHash, ReceivedRequest};
use callboard_core::netrc::Netrc;
use callboard_core::proxy::{NoProxy, Proxy, ProxyRules};
use callboard_core::{Headers, Instant, Method, header};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    challenges(bytes);
    credentials(bytes);
    answer(bytes);
    verify(bytes);
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

/// Nobody gets in without the password.
fn verify(bytes: &[u8]) {
    let mut server = DigestServer::new("realm", [1, 2, 3, 4]).expect("a realm");
    let request = ReceivedRequest { authorization: Some(bytes), method: "GET", target: "/", body: Some(b"") };
    let password = |claim: &callboard_core::digest::Claim<'_>| {
        Some(PasswordHash::new(claim.hash(), b"user", b"realm", b"a password that no input holds"))
    };
    assert!(server.verify(&request, Instant::EPOCH, password).is_err());
}
