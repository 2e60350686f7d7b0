//! The same over TLS: what is checked, what fails how, on each runtime.

use std::time::Duration;

use callboard_client::{Deadline, Delivery, ErrorKind, Phase, Session};
use callboard_runtime::Handle;
use callboard_runtime::tls::{Identity, TlsAcceptor, TlsConnector, TlsError};

use crate::script::{Server, Step, answer, everywhere, send, simulated};

const AUTHORITY: &[u8] = include_bytes!("../../../runtime/tests/tls/certificates/authority.pem");
/// For `example.test`, `localhost`, 127.0.0.1 and `::1`.
const SERVER: &[u8] = include_bytes!("../../../runtime/tests/tls/certificates/server.pem");

fn acceptor() -> TlsAcceptor {
    TlsAcceptor::builder(Identity::from_pem(SERVER, SERVER).unwrap()).build().unwrap()
}

/// A session that trusts the test's authority.
fn session(runtime: &Handle) -> Session {
    let connector = TlsConnector::with_no_roots().add_root_pem(AUTHORITY).unwrap().build().unwrap();
    Session::builder(runtime.clone()).tls(connector).build()
}

#[test]
fn a_secure_connection_is_kept_and_shows_what_was_agreed() {
    everywhere(|runtime| {
        Box::pin(async move {
            let script = (0..3).flat_map(|_| [Step::Head, answer("ok")]).collect();
            let server = Server::start_secure(&runtime, acceptor(), vec![script]);
            let session = session(&runtime);
            for turn in 0..3 {
                let response = session.get(server.url("/")).await.unwrap();
                assert_eq!(response.is_reused(), turn > 0);
                let tls = response.connection().unwrap().tls.clone().unwrap();
                assert_eq!(tls.alpn.as_deref(), Some(&b"http/1.1"[..]));
                assert_eq!(response.text().await.unwrap(), "ok");
                runtime.sleep(Duration::from_millis(20)).await;
            }
            assert!(session.snapshot().hosts[0].key.starts_with("https://"));
        })
    });
}

#[test]
fn large_bodies_go_both_ways() {
    everywhere(|runtime| {
        Box::pin(async move {
            let body = "b".repeat(300_000);
            let script = vec![Step::Head, Step::Body(body.len()), answer(&body)];
            let server = Server::start_secure(&runtime, acceptor(), vec![script]);
            let response = session(&runtime).put(server.url("/")).body(body.clone()).await.unwrap();
            assert_eq!(response.text().await.unwrap(), body);
            assert_eq!(server.log(|log| log.bodies[0].len()), body.len());
        })
    });
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    everywhere(|runtime| {
        Box::pin(async move {
            let server = Server::start_secure(&runtime, acceptor(), vec![vec![Step::Head]]);
            // The default: the roots of the web.
            let error = Session::new(runtime).post(server.url("/")).body("secret").await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Tls(TlsError::CertificateInvalid(_))), "{error}");
            assert_eq!((error.phase(), error.delivery()), (Phase::Tls, Delivery::NeverSent));
            assert!(error.peer().is_some());
            assert_eq!(server.heads().len(), 0);
        })
    });
}

#[test]
fn tls_to_a_plain_port() {
    everywhere(|runtime| {
        Box::pin(async move {
            let refusal = send("HTTP/1.1 400 Bad Request\r\n\r\n");
            let server = Server::start(&runtime, vec![vec![refusal, Step::Close]]);
            let url = server.url("/").replace("http:", "https:");
            let error = session(&runtime).get(url).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Tls(_)) && error.phase() == Phase::Tls, "{error}");
            assert_eq!(error.delivery(), Delivery::NeverSent);
        })
    });
}

#[test]
fn plain_http_to_a_tls_port() {
    simulated(|runtime| {
        Box::pin(async move {
            let server = Server::start_secure(&runtime, acceptor(), vec![vec![Step::Head]]);
            let url = server.url("/").replace("https:", "http:");
            let error = session(&runtime).get(url).await.unwrap_err();
            assert_eq!(error.phase(), Phase::Head, "{error}");
            assert!(error.peer().is_some() && !error.is_timeout(), "{error}");
        })
    });
}

#[test]
fn a_handshake_that_never_ends_has_a_deadline() {
    simulated(|runtime| {
        Box::pin(async move {
            let server = Server::start(&runtime, vec![vec![Step::Wait(Duration::from_secs(600))]]);
            let url = server.url("/").replace("http:", "https:");
            let session = session(&runtime);
            let error = session.get(url).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::TimedOut { deadline: Deadline::Connect, .. }), "{error}");
            assert_eq!((error.phase(), error.delivery()), (Phase::Tls, Delivery::NeverSent));
            assert!(session.snapshot().hosts.is_empty());
        })
    });
}
