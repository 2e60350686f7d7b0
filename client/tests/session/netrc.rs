//! Who a session with a netrc says that it comes from, and to whom.

use callboard_client::{ErrorKind, Netrc, Phase, Session};

use crate::authentication::authorizations;
use crate::script::{Server, Step, answer, send, simulated};

const OK: usize = 20;

fn patient() -> Vec<Vec<Step>> {
    vec![(0..OK).flat_map(|_| [Step::Head, answer("ok")]).collect()]
}

/// `Basic` of these.
fn basic(user: &str, password: &str) -> String {
    callboard_core::authentication::Basic::new(user, password).unwrap().to_field()
}

fn netrc(text: &str) -> Netrc {
    Netrc::parse(text).unwrap()
}

#[test]
fn the_nearest_word_counts() {
    simulated(|runtime| {
        Box::pin(async move {
            let server = Server::start(&runtime, patient());
            let url = server.url("/");
            let with_user = url.replace("http://", "http://url:u@");
            let file = netrc("machine 127.0.0.1 login file password f");
            let build = || Session::builder(runtime.clone()).netrc(file.clone());
            let plain = build().build();
            let of_session = build().header("Authorization", "Own session").unwrap().build();
            for request in [
                // Of the request, of the URL, of the session, of the netrc.
                of_session.get(&with_user).header("Authorization", "Own request"),
                of_session.get(&with_user).basic_auth("request", "r"),
                of_session.get(&with_user),
                of_session.get(&url),
                plain.get(&with_user),
                plain.get(&url).bearer_auth("t"),
                plain.get(&url),
                plain.get(&url),
                Session::new(runtime.clone()).get(&url),
            ] {
                assert_eq!(request.await.unwrap().bytes().await.unwrap(), "ok");
            }
            let own = |text: &str| Some(text.to_owned());
            let expected = [
                own("Own request"),
                Some(basic("request", "r")),
                Some(basic("url", "u")),
                own("Own session"),
                Some(basic("url", "u")),
                own("Bearer t"),
                Some(basic("file", "f")),
                Some(basic("file", "f")),
                None,
            ];
            assert_eq!(authorizations(&server.heads()), expected);
        })
    });
}

#[test]
fn entries_fit_their_host() {
    simulated(|runtime| {
        Box::pin(async move {
            let server = Server::start(&runtime, patient());
            let rows = [
                ("machine other.example login a password b", None),
                ("machine other.example login a password b\ndefault login c password d", Some(basic("c", "d"))),
                ("machine 127.0.0.1 account only password b", Some(basic("only", "b"))),
                ("machine 127.0.0.1 password b", Some(basic("", "b"))),
                ("machine 127.0.0.1", None),
                ("", None),
            ];
            for (file, _) in &rows {
                let session = Session::builder(runtime.clone()).netrc(netrc(file)).build();
                session.get(server.url("/")).await.unwrap();
            }
            assert_eq!(authorizations(&server.heads()), rows.map(|(_, expected)| expected));
            let session = Session::builder(runtime.clone()).netrc(netrc("default login a:b password c")).build();
            let error = session.get(server.url("/")).await.unwrap_err();
            assert!(error.phase() == Phase::Build && matches!(error.kind(), ErrorKind::Credentials(_)), "{error}");
        })
    });
}

#[test]
fn what_a_netrc_says_of_one_origin_never_reaches_another() {
    simulated(|runtime| {
        Box::pin(async move {
            let target = Server::start(&runtime, patient());
            let moved = |to: &str| send(&format!("HTTP/1.1 307 X\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"));
            // Another port of the host, which an entry names too; and the same server by another name.
            let named = target.url("/a");
            let elsewhere = named.replace("127.0.0.1", "localhost");
            let script = vec![Step::Head, moved("/b"), Step::Head, moved(&named), Step::Head, moved(&elsewhere)];
            let server = Server::start(&runtime, vec![script]);
            let file = netrc("machine 127.0.0.1 login file password f\ndefault login secret password s");
            let session = Session::builder(runtime.clone()).netrc(file).build();
            for _ in 0..2 {
                session.get(server.url("/")).await.unwrap().bytes().await.unwrap();
            }
            assert_eq!(authorizations(&server.heads()), [(); 3].map(|()| Some(basic("file", "f"))));
            // To the host that is named its own; the default entry is for whom the user asks, not for whom a server
            // names.
            assert_eq!(authorizations(&target.heads()), [Some(basic("file", "f")), None]);
            session.get(&elsewhere).await.unwrap();
            assert_eq!(authorizations(&target.heads())[2], Some(basic("secret", "s")));
            // Nor does a field of the user's own go along: there the entry of the host takes its place.
            let script = vec![Step::Head, moved(&named)];
            let server = Server::start(&runtime, vec![script]);
            session.get(server.url("/")).bearer_auth("t").await.unwrap();
            assert_eq!(authorizations(&target.heads())[3], Some(basic("file", "f")));
        })
    });
}

#[cfg(feature = "digest")]
#[test]
fn a_digest_comes_before_it() {
    simulated(|runtime| {
        Box::pin(async move {
            let (server, other) = (Server::start(&runtime, patient()), Server::start(&runtime, patient()));
            let file = netrc("machine 127.0.0.1 login file password f");
            let builder = Session::builder(runtime.clone()).netrc(file);
            let session = builder.digest_auth(&server.origin, "u", "p").unwrap().build();
            session.get(server.url("/")).await.unwrap();
            session.get(other.url("/")).await.unwrap();
            session.get(other.url("/")).digest_auth("u", "p").await.unwrap();
            // It waits for its challenge; other origins are not its own.
            assert_eq!(authorizations(&server.heads()), [None]);
            assert_eq!(authorizations(&other.heads()), [Some(basic("file", "f")), None]);
        })
    });
}
