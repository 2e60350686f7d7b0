//! A client and a server that share a password come together, whatever is offered.

use callboard_core::digest::{
    Algorithm, Attempt, ChallengeError, DigestClient, DigestError, DigestRequest, DigestServer, Hash, PasswordHash,
    Quality, ReceivedRequest, ServerProof,
};
use callboard_core::{Headers, Instant, Method, Random};
use url::Url;

const USER: &str = "J\u{e4}s\u{f8}n \"Doe\\";
const PASSWORD: &str = "Secret, or: not?\u{1f511}";
const REALM: &str = "a \"realm\", no=less";

/// Sends the request; the status, and what the client makes of the server's proof.
fn send(
    server: &mut DigestServer,
    client: &mut DigestClient,
    attempt: &Attempt,
    request: &DigestRequest<'_>,
) -> Result<ServerProof, DigestError> {
    let target = &request.url[url::Position::BeforePath..url::Position::AfterQuery];
    let received = ReceivedRequest {
        authorization: attempt.authorization(),
        method: request.method.as_str(),
        target,
        body: request.body,
    };
    let verified = server.verify(&received, Instant::EPOCH, |claim| {
        claim.is(USER).then(|| PasswordHash::new(claim.hash(), USER.as_bytes(), REALM.as_bytes(), PASSWORD.as_bytes()))
    })?;
    let mut headers = Headers::new();
    headers.append("Authentication-Info", verified.authentication_info(Some(b"answer")).unwrap()).unwrap();
    Ok(client.handle_answer(attempt, &headers, Some(b"answer")).expect("a right proof"))
}

#[test]
fn every_offer_leads_to_an_answer_on_both_sides() {
    let hashes = [Hash::Md5, Hash::Sha1, Hash::Sha256, Hash::Sha512Short, Hash::Sha512];
    let mut random = Random::from_seed(5);
    for round in 0..300_u64 {
        let hash = hashes[usize::try_from(random.below(5)).unwrap()];
        let algorithm = Algorithm { hash, is_session: random.below(2) == 1 };
        let qualities =
            [&[Quality::Authentication][..], &[Quality::Integrity], &[Quality::Authentication, Quality::Integrity]]
                [usize::try_from(random.below(3)).unwrap()];
        let mut server = DigestServer::new(REALM, [round; 4]).unwrap().algorithms(&[algorithm]).qualities(qualities);
        server = server.user_hash(random.below(2) == 1);
        let password = if random.below(4) == 0 { "wrong" } else { PASSWORD };
        let mut client = DigestClient::new(USER, password, [round, 1]).unwrap();
        let url = Url::parse("http://example.org/a%20b/c?d=e,f&g=%22#h").unwrap();
        let request = DigestRequest { method: &Method::Post, url: &url, body: Some(b"body") };
        let mut attempt = client.begin(&request);
        assert_eq!(send(&mut server, &mut client, &attempt, &request), Err(DigestError::Missing));
        let mut headers = Headers::new();
        for challenge in server.challenges(false, Instant::EPOCH).unwrap() {
            headers.append("WWW-Authenticate", challenge.to_field()).unwrap();
        }
        client.handle_unauthorized(&mut attempt, &request, &headers).unwrap();
        let outcome = send(&mut server, &mut client, &attempt, &request);
        if password != PASSWORD {
            assert_eq!(outcome, Err(DigestError::Wrong));
            let refused = client.handle_unauthorized(&mut attempt, &request, &headers);
            assert_eq!(refused, Err(ChallengeError::AlreadyAnswered));
            continue;
        }
        assert_eq!(outcome, Ok(ServerProof::Proven), "{} {qualities:?}", algorithm.name());
        for _ in 0..3 {
            let attempt = client.begin(&request);
            assert_eq!(send(&mut server, &mut client, &attempt, &request), Ok(ServerProof::Proven));
        }
    }
}
