//! Redirections through a session. The decision itself is tested in the core.

use bytes::Bytes;
use callboard_client::{Delivery, ErrorKind, Phase, Session};
use callboard_core::redirect::RedirectError;

use crate::script::{Server, Step, answer, pair, send, simulated};

fn redirect(status: u16, location: &str) -> Step {
    send(&format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 4\r\n\r\nhere"))
}

#[test]
fn a_chain_is_followed_on_one_connection_and_told() {
    simulated(|runtime| {
        Box::pin(async move {
            let script = vec![
                Step::Head,
                Step::Body(4),
                redirect(307, "/second"),
                Step::Head,
                Step::Body(4),
                redirect(303, "third?x#new"),
                Step::Head,
                answer("end"),
            ];
            let (session, server) = pair(&runtime, vec![script.clone(), script[3..].to_vec(), script[6..].to_vec()]);
            let response = session.post(server.url("/first#old")).body("body").await.unwrap();
            assert_eq!(response.url().as_str(), server.url("/third?x#new"));
            let history: Vec<_> =
                response.history().iter().map(|hop| (hop.status.code(), hop.url.as_str().to_owned())).collect();
            assert_eq!(history, [(307, server.url("/first#old")), (303, server.url("/second#old"))]);
            assert_eq!(response.text().await.unwrap(), "end");
            let heads = server.heads();
            let lines: Vec<_> = heads.iter().map(|head| head.lines().next().unwrap()).collect();
            assert_eq!(lines, ["POST /first HTTP/1.1", "POST /second HTTP/1.1", "GET /third?x HTTP/1.1"]);
            assert!(!heads[2].contains("Content-"), "{}", heads[2]);
        })
    });
}

#[test]
fn secrets_stay_behind_at_another_origin() {
    simulated(|runtime| {
        Box::pin(async move {
            let other = Server::start(&runtime, vec![vec![Step::Head, answer("end")]]);
            let (session, server) = pair(&runtime, vec![vec![Step::Head, redirect(302, &other.url("/x"))]]);
            let url = server.url("/").replace("http://", "http://user:hush@");
            let request = session.get(url).header("Cookie", "a=b").header("X-Own", "1");
            request.await.unwrap();
            assert!(server.heads()[0].contains("Authorization"));
            let head = &other.heads()[0];
            assert!(!head.contains("Authorization") && !head.contains("Cookie"), "{head}");
            assert!(head.contains("X-Own: 1"), "{head}");
        })
    });
}

#[test]
fn what_cannot_be_followed_is_an_error_and_none_need_be() {
    simulated(|runtime| {
        Box::pin(async move {
            let script: Vec<_> = (0..20).flat_map(|_| [Step::Head, redirect(302, "/loop")]).collect();
            let (session, server) = pair(&runtime, vec![script.clone(), script]);
            let response = session.get(server.url("/")).redirects(0).await.unwrap();
            assert_eq!((response.status().code(), response.text().await.unwrap().as_str()), (302, "here"));
            let error = session.get(server.url("/")).redirects(3).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Redirect(RedirectError::TooMany)), "{error}");
            assert_eq!((error.phase(), error.delivery()), (Phase::Redirect, Delivery::Answered));
            assert_eq!(server.heads().len(), 5);
        })
    });
}

#[test]
fn a_stream_cannot_be_sent_twice() {
    simulated(|runtime| {
        Box::pin(async move {
            let script = vec![Step::Head, Step::Body(4), redirect(308, "/again")];
            let server = Server::start(&runtime, vec![script]);
            let session = Session::new(runtime);
            let body = futures_lite::stream::once(Ok::<_, std::io::Error>(Bytes::from_static(b"body")));
            let error = session.put(server.url("/")).body_stream(body, Some(4)).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Redirect(RedirectError::BodyIsGone)), "{error}");
        })
    });
}

#[cfg(not(feature = "tls"))]
#[test]
fn a_redirection_to_https_needs_the_feature_too() {
    simulated(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, vec![vec![Step::Head, redirect(302, "https://localhost/")]]);
            let error = session.get(server.url("/")).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::TlsFeatureMissing), "{error}");
            assert_eq!(error.delivery(), Delivery::Answered);
        })
    });
}
