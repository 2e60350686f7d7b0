//! Who a request says that it comes from.

use callboard_client::{ErrorKind, Phase};

use crate::script::{Step, answer, pair, simulated};

/// The values of `Authorization`, by request.
pub(crate) fn authorizations(heads: &[String]) -> Vec<Option<String>> {
    let field = |head: &String| {
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("authorization: "))?;
        Some(line["authorization: ".len()..].to_owned())
    };
    heads.iter().map(field).collect()
}

#[test]
fn basic_and_bearer_take_the_place_of_the_url() {
    simulated(|runtime| {
        Box::pin(async move {
            let script = (0..5).flat_map(|_| [Step::Head, answer("ok")]).collect();
            let (session, server) = pair(&runtime, vec![script]);
            let url = server.url("/").replace("http://", "http://u:p@");
            for request in [
                session.get(server.url("/").replace("http://", "http://:p@")),
                session.get(&url),
                session.get(&url).basic_auth("Aladdin", "open sesame"),
                session.get(&url).bearer_auth("abc=="),
                session.get(server.url("/")),
            ] {
                assert_eq!(request.await.unwrap().bytes().await.unwrap(), "ok");
            }
            let expected = ["Basic OnA=", "Basic dTpw", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Bearer abc=="];
            let mut expected: Vec<_> = expected.into_iter().map(|field| Some(field.to_owned())).collect();
            expected.push(None);
            assert_eq!(authorizations(&server.heads()), expected);
        })
    });
}

#[test]
fn credentials_that_cannot_be_sent_are_errors() {
    simulated(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, vec![vec![]]);
            let get = || session.get(server.url("/"));
            for request in [get().basic_auth("a:b", ""), get().basic_auth("a", "\n"), get().bearer_auth("a b")] {
                let error = request.await.unwrap_err();
                assert_eq!(error.phase(), Phase::Build);
                assert!(matches!(error.kind(), ErrorKind::Credentials(_)), "{error}");
            }
            let url = server.url("/").replace("http://", "http://a%3Ab:c@");
            let error = session.get(url).await.unwrap_err();
            assert!(error.phase() == Phase::Url && matches!(error.kind(), ErrorKind::Credentials(_)), "{error}");
        })
    });
}

#[cfg(feature = "digest")]
mod digest {
    use callboard_client::{Body, Session};
    use callboard_core::authentication::Credentials;
    use callboard_core::digest::{Algorithm, PasswordHash, Proof, Quality, ServerProof, response};
    use futures_lite::stream;

    use super::*;
    use crate::script::{Server, send};

    fn challenge(nonce: &str, more: &str) -> Step {
        send(&format!(
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"r\", Digest realm=\"r\", nonce=\"{nonce}\", \
             qop=\"auth, auth-int\", algorithm=SHA-256{more}\r\nContent-Length: 2\r\n\r\nno"
        ))
    }

    /// Whether a value of `Authorization` proves that its sender knows the password `p`.
    fn is_right(field: Option<&String>, method: &str, target: &str, body: &[u8], count: &str) -> bool {
        let Some(field) = field else { return false };
        let credentials = Credentials::parse(field.as_bytes()).unwrap();
        let get = |name: &str| credentials.parameters().unwrap().get(name).unwrap_or_default();
        let secret = PasswordHash::new(Algorithm::SHA_256.hash, b"u", b"r", b"p");
        let proof = Proof {
            nonce: get("nonce"),
            client_nonce: get("cnonce"),
            nonce_count: count.as_bytes(),
            quality: Quality::from_name(get("qop")),
            method,
            target: target.as_bytes(),
            body,
        };
        get("response") == response(Algorithm::SHA_256, &secret, &proof).as_bytes()
    }

    fn with_digest(runtime: &callboard_runtime::Handle, server: &Server) -> Session {
        Session::builder(runtime.clone()).digest_auth(&server.origin, "u", "p").unwrap().build()
    }

    #[test]
    fn a_challenge_is_answered_and_then_foreseen() {
        simulated(|runtime| {
            Box::pin(async move {
                let script = vec![
                    Step::Head,
                    Step::Body(4),
                    challenge("n", ""),
                    Step::Head,
                    Step::Body(4),
                    answer("ok"),
                    Step::Head,
                    answer("ok"),
                    Step::Head,
                    challenge("m", ", stale=true"),
                    Step::Head,
                    answer("ok"),
                ];
                let server = Server::start(&runtime, vec![script]);
                let session = with_digest(&runtime, &server);
                let posted = session.post(server.url("/a?b")).body("body").await.unwrap();
                assert_eq!((posted.status().code(), posted.bytes().await.unwrap()), (200, "ok".into()));
                for _ in 0..2 {
                    let response = session.get(server.url("/c")).await.unwrap();
                    assert_eq!((response.status().code(), response.bytes().await.unwrap()), (200, "ok".into()));
                }
                let fields = authorizations(&server.heads());
                assert_eq!((fields.len(), fields[0].is_none()), (5, true));
                assert!(is_right(fields[1].as_ref(), "POST", "/a?b", b"body", "00000001"));
                assert!(is_right(fields[2].as_ref(), "GET", "/c", b"", "00000002"));
                assert!(is_right(fields[3].as_ref(), "GET", "/c", b"", "00000003"));
                assert!(is_right(fields[4].as_ref(), "GET", "/c", b"", "00000001"));
                assert!(fields[4].as_ref().unwrap().contains("nonce=\"m\""));
                assert_eq!(server.log(|log| log.connections), 1);
            })
        });
    }

    #[test]
    fn a_wrong_password_is_sent_once() {
        simulated(|runtime| {
            Box::pin(async move {
                let script = (0..3).flat_map(|_| [Step::Head, challenge("n", "")]).collect();
                let (session, server) = pair(&runtime, vec![script]);
                let response = session.get(server.url("/")).digest_auth("u", "wrong").await.unwrap();
                assert_eq!((response.status().code(), response.bytes().await.unwrap()), (401, "no".into()));
                assert_eq!(server.heads().len(), 2);
            })
        });
    }

    #[test]
    fn no_other_server_gets_an_answer() {
        simulated(|runtime| {
            Box::pin(async move {
                let (other, target) = pair(&runtime, vec![vec![Step::Head, challenge("n", "")]]);
                drop(other);
                let moved = format!("HTTP/1.1 307 X\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", target.url("/"));
                let script = vec![Step::Head, challenge("n", ""), Step::Head, send(&moved), Step::Head, send(&moved)];
                let server = Server::start(&runtime, vec![script]);
                let session = with_digest(&runtime, &server);
                let response = session.get(server.url("/")).await.unwrap();
                assert_eq!(response.status().code(), 401);
                assert_eq!(authorizations(&target.heads()), [None]);
                assert!(is_right(authorizations(&server.heads())[1].as_ref(), "GET", "/", b"", "00000001"));
            })
        });
    }

    #[test]
    fn what_cannot_be_answered_is_left_to_the_caller() {
        simulated(|runtime| {
            Box::pin(async move {
                let script =
                    vec![Step::Head, Step::Until("0\r\n\r\n"), challenge("n", ""), Step::Head, challenge("n", "")];
                let (session, server) = pair(&runtime, vec![script]);
                let parts = stream::iter([Ok::<_, std::io::Error>("part".into())]);
                let request = session.post(server.url("/")).digest_auth("u", "p").body(Body::stream(parts, None));
                let response = request.await.unwrap();
                assert_eq!((response.status().code(), response.bytes().await.unwrap()), (401, "no".into()));
                // Credentials of the user's own are left alone.
                let request = session.get(server.url("/")).digest_auth("u", "p").bearer_auth("t");
                assert_eq!(request.await.unwrap().status().code(), 401);
                assert_eq!(authorizations(&server.heads()), [None, Some("Bearer t".to_owned())]);
                let error = session.get(server.url("/")).digest_auth("u:v", "p").await.unwrap_err();
                assert!(matches!(error.kind(), ErrorKind::Digest(_)), "{error}");
            })
        });
    }

    #[test]
    fn a_server_that_proves_the_wrong_password_is_not_believed() {
        simulated(|runtime| {
            Box::pin(async move {
                let lie =
                    "HTTP/1.1 200 OK\r\nAuthentication-Info: rspauth=\"00\", qop=auth\r\nContent-Length: 0\r\n\r\n";
                let script = vec![Step::Head, challenge("n", ""), Step::Head, send(lie)];
                let (session, server) = pair(&runtime, vec![script]);
                let error = session.get(server.url("/")).digest_auth("u", "p").await.unwrap_err();
                assert!(matches!(error.kind(), ErrorKind::ServerProof(_)), "{error}");
                assert_ne!(ServerProof::Proven, ServerProof::Absent);
            })
        });
    }
}
