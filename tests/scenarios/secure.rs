//! TLS between both ends, and what happens where only one of them speaks it.
//!
//! Keys and signatures are the engine's own randomness: in simulation these runs differ from each other.

use callboard::Status;
use callboard::client::{Delivery, ErrorKind, Phase, Session};
use callboard::runtime::tls::{TlsAcceptor, TlsConnector, TlsError};
use callboard::web::{App, get};
use callboard::websocket::{CloseCode, Message};

use crate::failures::check;
use crate::websocket::echoing;
use crate::world::{World, scenarios};

scenarios!(random:
    tls_to_a_plain_port,
    plain_http_to_a_tls_port,
    a_certificate_that_nobody_vouches_for,
    https_works,
    websockets_over_tls,
);

const CERTIFICATE: &[u8] = include_bytes!("../../examples/certificates/localhost.pem");
const KEY: &[u8] = include_bytes!("../../examples/certificates/localhost.key");

/// The name that the certificate is for; the transport goes where `base` says.
fn secure(base: &str) -> String {
    base.replace("http://", "https://")
}

fn acceptor() -> TlsAcceptor {
    TlsAcceptor::from_pem(CERTIFICATE, KEY).unwrap()
}

fn trusting(world: &World) -> Session {
    let connector = TlsConnector::with_no_roots().dangerous_accept_any_certificate().build().unwrap();
    Session::builder(world.client.clone()).tls(connector).build()
}

async fn tls_to_a_plain_port(world: World) {
    let served = world.serve(App::new().route("/", get(async || "plain"))).await;
    let error = trusting(&world).get(secure(&served.url("/"))).await.unwrap_err();
    check(&error, Phase::Tls, Delivery::NeverSent, &["tls: ", "handshake failed"]);
    assert!(matches!(error.kind(), ErrorKind::Tls(_)) && error.peer().is_some(), "{error:?}");
    served.end().await;
}

async fn plain_http_to_a_tls_port(world: World) {
    let served = world.serve(App::new().route("/", get(async || "secret")).tls(acceptor())).await;
    let session = world.session();
    let response = session.get(served.url("/")).await.unwrap();
    assert_eq!(response.status(), Status::BAD_REQUEST);
    let text = response.text().await.unwrap();
    assert!(text.contains("https://"), "{text}");
    drop(session);
    served.end().await;
}

async fn a_certificate_that_nobody_vouches_for(world: World) {
    let served = world.serve(App::new().tls(acceptor())).await;
    let error = world.session().get(secure(&served.url("/"))).await.unwrap_err();
    check(&error, Phase::Tls, Delivery::NeverSent, &["tls: ", "certificate"]);
    let ErrorKind::Tls(cause) = error.kind() else { panic!("{error:?}") };
    assert!(!matches!(cause, TlsError::Io(_)), "{cause:?}");
    served.end().await;
}

async fn https_works(world: World) {
    let app = App::new().route("/", get(async || "secret").post(async |text: String| text)).tls(acceptor());
    let served = world.serve(app).await;
    let session = trusting(&world);
    let url = secure(&served.url("/"));
    for number in 0..3 {
        let response = session.get(&url).await.unwrap();
        assert_eq!(response.is_reused(), number > 0);
        let tls = response.connection().unwrap().tls.clone().unwrap();
        assert_eq!(tls.alpn.as_deref(), Some(&b"http/1.1"[..]));
        assert_eq!(response.text().await.unwrap(), "secret");
    }
    let text = "long ".repeat(100_000);
    assert_eq!(session.post(&url).body(text.clone()).await.unwrap().text().await.unwrap(), text);
    drop(session);
    served.end().await;
}

async fn websockets_over_tls(world: World) {
    let served = world.serve(echoing().tls(acceptor())).await;
    let url = served.url("/echo").replace("http://", "wss://");
    let session = trusting(&world);
    let mut socket = session.websocket(&url).await.unwrap();
    assert!(socket.info().unwrap().tls.is_some());
    // More than a record of TLS, and more than the buffers on the way.
    for length in [0, 5, 20_000, world.choose(3_000_000, 300_000)] {
        let message = Message::from(vec![7; length]);
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap(), Some(message), "{length}");
    }
    assert!(socket.close(CloseCode::NORMAL, "").await.unwrap().is_clean);
    // A drain closes it in order.
    let mut socket = session.websocket(&url).await.unwrap();
    let (end, ()) = futures_lite::future::zip(served.end(), async {
        assert_eq!(socket.next().await.unwrap(), None);
        assert_eq!(socket.closure().unwrap().code(), CloseCode::GOING_AWAY);
    })
    .await;
    assert_eq!(end.aborted, 0);
    // `ws` to a TLS port and `wss` to a plain one are refused like `http` and `https`.
    let plain = world.serve(echoing()).await;
    let error = session.websocket(plain.url("/echo").replace("http://", "wss://")).await.unwrap_err();
    let callboard::client::ConnectError::Request(error) = error else { panic!("{error:?}") };
    check(&error, Phase::Tls, Delivery::NeverSent, &["tls: ", "handshake failed"]);
    plain.end().await;
}
