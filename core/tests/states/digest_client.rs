//! The client of Digest authentication: what a request carries, and what a challenge or an answer does.

use callboard_core::authentication::Parameters;
use callboard_core::digest::{Attempt, DigestClient, DigestRequest, ServerProof};
use callboard_core::{Headers, Method, header};
use url::Url;

use crate::table::{Harness, Step, Table, situations};

/// A client, the request that is on its way, and what was heard since the last look.
struct Host {
    client: DigestClient,
    url: Url,
    body: Option<&'static [u8]>,
    attempt: Option<Attempt>,
    heard: Vec<String>,
}

/// How each state comes about.
const SITUATIONS: [Step<Host>; 9] = [
    ("a new client, no request is on its way", |_| {}),
    ("the first request is on its way", |host| host.begin("http://a.example/dir/x")),
    ("the same, with a body that is not known", |host| {
        host.body = None;
        host.begin("http://a.example/dir/x");
    }),
    ("challenged, sent once more", |host| host.challenge_first()),
    ("challenged and let in", |host| {
        host.challenge_first();
        host.answer(None);
    }),
    ("a further request carries credentials", |host| {
        host.challenge_first();
        host.answer(None);
        host.begin("http://a.example/other");
    }),
    ("a further request was told that its nonce is stale", |host| {
        host.challenge_first();
        host.answer(None);
        host.begin("http://a.example/other");
        host.unauthorized("Digest realm=\"r\", nonce=\"n2\", qop=\"auth\", stale=true");
    }),
    ("a further request to another server is on its way", |host| {
        host.challenge_first();
        host.answer(None);
        host.begin("http://b.example/");
    }),
    ("a request to a server that the challenge named", |host| {
        host.begin("http://a.example/dir/x");
        host.unauthorized("Digest realm=\"r\", nonce=\"n1\", qop=\"auth\", domain=\"/ http://b.example/\"");
        host.begin("http://b.example/");
    }),
];

/// What can happen.
const EVENTS: [Step<Host>; 20] = [
    ("401, nonce n1", |host| host.unauthorized("Digest realm=\"r\", nonce=\"n1\", qop=\"auth\"")),
    ("401, nonce n2", |host| host.unauthorized("Digest realm=\"r\", nonce=\"n2\", qop=\"auth\"")),
    ("401, nonce n1, stale", |host| host.unauthorized("Digest realm=\"r\", nonce=\"n1\", qop=\"auth\", stale=true")),
    ("401, nonce n2, stale", |host| host.unauthorized("Digest realm=\"r\", nonce=\"n2\", qop=\"auth\", stale=TRUE")),
    ("401, without qop", |host| host.unauthorized("Digest realm=\"r\", nonce=\"n3\"")),
    ("401, auth-int only", |host| host.unauthorized("Digest realm=\"r\", nonce=\"n3\", qop=\"auth-int\"")),
    ("401, auth and auth-int", |host| host.unauthorized("Digest realm=\"r\", nonce=\"n3\", qop=\"auth, auth-int\"")),
    ("401, a qop that is not known", |host| host.unauthorized("Digest realm=\"r\", nonce=\"n3\", qop=\"other\"")),
    ("401, MD5 and SHA-256", |host| {
        host.unauthorized(
            "Digest realm=\"r\", nonce=\"n3\", qop=auth, Digest realm=\"r\", nonce=\"n4\", qop=auth, algorithm=SHA-256",
        );
    }),
    ("401, a session", |host| {
        host.unauthorized("Digest realm=\"r\", nonce=\"n3\", qop=auth, algorithm=SHA-512-256-sess, userhash=true");
    }),
    ("401, an algorithm that is not known", |host| {
        host.unauthorized("Digest realm=\"r\", nonce=\"n3\", algorithm=SHA-3");
    }),
    ("401, without a nonce", |host| host.unauthorized("Digest realm=\"r\", qop=\"auth\"")),
    ("401, Basic only", |host| host.unauthorized("Basic realm=\"r\"")),
    ("200", |host| host.answer(None)),
    ("200 with the next nonce", |host| host.answer(Some("nextnonce=\"n9\""))),
    ("200 with a wrong proof", |host| host.answer(Some("rspauth=\"00\""))),
    ("200 with a proof for another request", |host| host.answer(Some("rspauth=\"00\", cnonce=\"other\""))),
    ("a request begins in the space", |host| host.begin("http://a.example/dir/y")),
    ("a request begins to another port", |host| host.begin("http://a.example:81/dir/y")),
    ("a request begins to b.example", |host| host.begin("http://b.example/")),
];

impl Host {
    fn new() -> Self {
        let client = DigestClient::new("user", "password", [1, 2]).unwrap();
        let url = Url::parse("http://a.example/dir/x").unwrap();
        Self { client, url, body: Some(b""), attempt: None, heard: Vec::new() }
    }

    fn challenge_first(&mut self) {
        self.begin("http://a.example/dir/x");
        self.unauthorized("Digest realm=\"r\", nonce=\"n1\", qop=\"auth\"");
    }

    fn begin(&mut self, url: &str) {
        self.url = Url::parse(url).unwrap();
        let request = DigestRequest { method: &Method::Get, url: &self.url, body: self.body };
        let attempt = self.client.begin(&request);
        self.heard.push(format!("sends {}", carries(&attempt)));
        self.attempt = Some(attempt);
    }

    fn unauthorized(&mut self, challenge: &str) {
        let Some(attempt) = &mut self.attempt else { return self.heard.push("no request".to_owned()) };
        let mut headers = Headers::new();
        headers.append(header::WWW_AUTHENTICATE, challenge).unwrap();
        let request = DigestRequest { method: &Method::Get, url: &self.url, body: self.body };
        self.heard.push(match self.client.handle_unauthorized(attempt, &request, &headers) {
            Ok(()) => format!("sends again {}", carries(attempt)),
            Err(error) => format!("final, {error:?}"),
        });
    }

    fn answer(&mut self, info: Option<&str>) {
        let Some(attempt) = &self.attempt else { return self.heard.push("no request".to_owned()) };
        let mut headers = Headers::new();
        if let Some(info) = info {
            headers.append(header::AUTHENTICATION_INFO, info).unwrap();
        }
        self.heard.push(match self.client.handle_answer(attempt, &headers, Some(b"")) {
            Ok(ServerProof::Absent) => "let in".to_owned(),
            Ok(proof) => format!("let in, {proof:?}"),
            Err(error) => format!("refused, {error:?}"),
        });
    }
}

fn carries(attempt: &Attempt) -> String {
    let Some(field) = attempt.authorization() else { return "without credentials".to_owned() };
    let parameters = Parameters::parse(field.strip_prefix(b"Digest ").unwrap()).unwrap();
    let value = |name: &str| parameters.text(name).map(str::to_owned);
    let count = value("nc").map(|count| format!(" count {}", count.trim_start_matches('0'))).unwrap_or_default();
    let quality = value("qop").map(|quality| format!(" {quality}")).unwrap_or_default();
    let algorithm = value("algorithm").map(|name| format!(" {name}")).unwrap_or_default();
    format!("{}{count}{quality}{algorithm}", value("nonce").unwrap())
}

impl Harness for Host {
    /// What further requests would carry.
    fn state(&self) -> String {
        let probe = |url: &str| {
            let url = Url::parse(url).unwrap();
            carries(&self.client.clone().begin(&DigestRequest { method: &Method::Get, url: &url, body: Some(b"") }))
        };
        let (own, other) = (probe("http://a.example/"), probe("http://b.example/"));
        match (own.as_str(), other.as_str()) {
            ("without credentials", "without credentials") => "nothing known".to_owned(),
            (own, "without credentials") => format!("knows {own}"),
            (own, _) => format!("knows {own} for both"),
        }
    }

    fn heard(&mut self) -> &mut Vec<String> {
        &mut self.heard
    }
}

pub(crate) fn table() -> Table {
    Table {
        name: "digest_client",
        title: "The client of Digest authentication (RFC 7616)",
        about: "A state says what the next request to the first server would carry: nonce, count, quality and \
            algorithm; and whether one to b.example would carry the same. 401 and 200 answer the request that is \
            on its way.",
        parts: &["What the client knows"],
        situations: situations(Host::new, &SITUATIONS, &EVENTS),
    }
}
