//! How a WebSocket is opened: what middlewares, redirections and bodies make of it, what both ends agree on, and what a
//! client does with an answer that is none.

use std::collections::HashSet;

use callboard::client::ConnectError;
use callboard::core::websocket::handshake::{HandshakeError, accept_key};
use callboard::web::{App, Next, Request, Response, Status, WebSocketUpgrade, get};
use futures_lite::future::zip;

use crate::peer::{Peer, field};
use crate::signal::{Bell, bell};
use crate::websocket::{echo, echoing, frame, handshake, opening, repeat};
use crate::world::{World, scenarios};

scenarios!(
    a_middleware_sees_the_101,
    a_middleware_may_decline,
    each_hop_has_a_key_of_its_own,
    an_unread_body_is_thrown_away_first,
    a_body_that_is_too_long_to_throw_away,
    lists_of_subprotocols_may_be_empty,
    an_answer_that_opens_nothing,
);

async fn a_middleware_sees_the_101(world: World) {
    let (saw, seen) = bell();
    let watch = move |request: Request, next: Next| {
        let saw: Bell<_> = saw.clone();
        async move {
            let response = next.run(request).await;
            let upgrade = response.headers().text("Upgrade").map(str::to_owned);
            saw.say((response.status(), upgrade));
            response.with_header("X-Watched", "yes")
        }
    };
    let served = world.serve(echoing().middleware(watch)).await;
    let mut socket = opening(&world, served.url("/echo")).await.unwrap();
    assert_eq!(seen.heard().await, (Status::SWITCHING_PROTOCOLS, Some("websocket".to_owned())));
    assert_eq!(socket.headers().unwrap().text("X-Watched"), Some("yes"));
    socket.send("through").await.unwrap();
    assert_eq!(socket.next().await.unwrap(), Some("through".into()));
    drop(socket);
    served.end().await;
}

async fn a_middleware_may_decline(world: World) {
    let decline = async |request: Request, next: Next| {
        // The callback goes with the response.
        drop(next.run(request).await);
        Response::new("not through here").with_status(Status::FORBIDDEN)
    };
    let served = world.serve(echoing().middleware(decline)).await;
    let session = world.session();
    let refused = session.websocket(served.url("/echo")).await.unwrap_err();
    assert_eq!(refused.status(), Some(Status::FORBIDDEN));
    assert_eq!(refused.into_response().unwrap().text().await.unwrap(), "not through here");
    // Its connection is kept.
    let response = session.get(served.url("/echo")).await.unwrap();
    assert!(response.is_reused());
    drop(response);
    served.end().await;
}

/// RFC 6455 §4.1, item 7.
async fn each_hop_has_a_key_of_its_own(world: World) {
    let (saw, keys) = bell();
    let watch = move |request: Request, next: Next| {
        let keys: Vec<String> = request
            .headers()
            .get_all("Sec-WebSocket-Key")
            .map(|key| String::from_utf8(key.to_vec()).unwrap())
            .collect();
        saw.say(keys);
        next.run(request)
    };
    let to = |place: &'static str| {
        async move || Response::default().with_status(Status::FOUND).with_header("Location", place)
    };
    let app = App::new().route("/", get(to("/second"))).route("/second", get(to("/echo"))).route("/echo", get(echo));
    let served = world.serve(app.middleware(watch)).await;
    let mut socket = opening(&world, served.url("/")).protocols(&["a"]).await.unwrap();
    let mut different = HashSet::new();
    for _ in 0..3 {
        let sent = keys.heard().await;
        assert_eq!(sent.len(), 1, "{sent:?}");
        different.extend(sent);
    }
    assert_eq!((different.len(), keys.take()), (3, None));
    socket.send("there").await.unwrap();
    assert_eq!(socket.next().await.unwrap(), Some("there".into()));
    drop(socket);
    served.end().await;
}

/// An opening request with more fields, and a body of which the server hears.
fn with_body(fields: &str) -> String {
    handshake("/echo").replace("Host: a\r\n", &format!("Host: a\r\n{fields}\r\n"))
}

async fn converse(mut peer: Peer) {
    assert_eq!(peer.exactly(5).await, b"\x81\x03hey");
    peer.send(frame(0x88, b"")).await;
    assert_eq!(peer.exactly(2).await, b"\x88\x00");
    assert_eq!(peer.rest().await.unwrap(), "");
}

async fn an_unread_body_is_thrown_away_first(world: World) {
    let served = world.serve(echoing()).await;
    let bodies = [("Content-Length: 4", "body"), ("Transfer-Encoding: chunked", "4\r\nbody\r\n0\r\n\r\n")];
    for (fields, body) in bodies {
        // All at once, and with the body after the answer.
        let mut peer = served.connect().await;
        peer.send([with_body(fields).as_bytes(), body.as_bytes(), &frame(0x81, b"hey")].concat()).await;
        assert!(peer.head().await.starts_with("HTTP/1.1 101 "));
        converse(peer).await;
        let mut peer = served.connect().await;
        peer.send(with_body(fields)).await;
        assert!(peer.head().await.starts_with("HTTP/1.1 101 "));
        peer.send([body.as_bytes(), &frame(0x81, b"hey")].concat()).await;
        converse(peer).await;
        // RFC 9110 §7.8: whoever waits for 100 gets it before 101.
        let mut peer = served.connect().await;
        peer.send(with_body(&format!("{fields}\r\nExpect: 100-continue"))).await;
        assert!(peer.head().await.starts_with("HTTP/1.1 100 "));
        peer.send([body.as_bytes(), &frame(0x81, b"hey")].concat()).await;
        assert!(peer.head().await.starts_with("HTTP/1.1 101 "));
        converse(peer).await;
    }
    served.end().await;
}

async fn a_body_that_is_too_long_to_throw_away(world: World) {
    let served = world.serve(echoing()).await;
    let mut peer = served.connect().await;
    peer.send(with_body("Content-Length: 1000000000")).await;
    let (head, _) = peer.response().await;
    assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
    assert_eq!(field(&head, "Connection"), Some("close"));
    peer.finish().await;
    assert_eq!(peer.rest().await.unwrap(), "");
    // Where the length shows only later, the connection ends without a frame.
    let mut peer = served.connect().await;
    peer.send(with_body("Transfer-Encoding: chunked")).await;
    assert!(peer.head().await.starts_with("HTTP/1.1 101 "));
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..5 {
        // The server may be gone before it is all said.
        let _ = peer.try_send(&chunk).await;
    }
    let _ = peer.try_send("0\r\n\r\n").await;
    let _ = peer.try_send(frame(0x81, b"hey")).await;
    peer.finish().await;
    assert_eq!(peer.rest().await.unwrap_or_default(), "");
    served.end().await;
}

async fn lists_of_subprotocols_may_be_empty(world: World) {
    let handler = async |upgrade: WebSocketUpgrade| {
        assert_eq!(upgrade.offered().count(), 0);
        let upgrade = upgrade.protocols(&["known"]);
        assert_eq!(upgrade.protocol(), None);
        upgrade.on(repeat)
    };
    let deaf = async |upgrade: WebSocketUpgrade| upgrade.protocols(&[]).on(repeat);
    let served = world.serve(App::new().route("/echo", get(handler)).route("/deaf", get(deaf))).await;
    for (path, offered) in [("/echo", &[][..]), ("/deaf", &["one", "two"][..])] {
        let socket = opening(&world, served.url(path)).protocols(offered).await.unwrap();
        assert_eq!(socket.protocol(), None);
        assert!(!socket.headers().unwrap().contains("Sec-WebSocket-Protocol"));
    }
    for list in ["", ",", " , ,"] {
        let mut peer = served.connect().await;
        peer.send(with_body(&format!("Sec-WebSocket-Protocol: {list}"))).await;
        let head = peer.head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{list:?}: {head}");
        assert_eq!(field(&head, "Sec-WebSocket-Protocol"), None);
    }
    served.end().await;
}

/// A 101 with this much of what belongs to it.
fn switch(fields: &str) -> String {
    format!("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n{fields}\r\n\r\n")
}

async fn an_answer_that_opens_nothing(world: World) {
    use HandshakeError as E;
    let rows: [(&str, E); 8] = [
        ("Upgrade: websocket", E::AcceptInvalid),
        ("Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", E::AcceptInvalid),
        ("Upgrade: websocket\r\nSec-WebSocket-Accept: KEY", E::AcceptInvalid),
        ("Upgrade: websocket\r\nSec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Accept: ACCEPT", E::AcceptInvalid),
        ("Upgrade: other\r\nSec-WebSocket-Accept: ACCEPT", E::UpgradeMissing),
        ("Upgrade: websocket\r\nSec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Protocol: unasked", E::ProtocolUnasked),
        ("Upgrade: websocket\r\nSec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Protocol: A", E::ProtocolUnasked),
        (
            "Upgrade: websocket\r\nSec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Extensions: unasked",
            E::ExtensionUnasked,
        ),
    ];
    let mut listening = world.listen();
    let (url, session) = (listening.url("/"), world.session());
    for (answer, reason) in rows {
        let serving = async {
            let mut peer = listening.accept().await;
            let head = peer.head().await;
            let key = field(&head, "Sec-WebSocket-Key").unwrap();
            let answer = answer.replace("KEY", key).replace("ACCEPT", &accept_key(key.as_bytes()));
            // What comes behind it is nobody's.
            peer.send([switch(&answer).as_bytes(), b"\x81\x03hey"].concat()).await;
            // The client says no more; it just goes, with or without a reset.
            assert_eq!(peer.rest().await.unwrap_or_default(), "", "{reason:?}");
        };
        let asking = async {
            let refused = session.websocket(&url).protocols(&["a"]).await.unwrap_err();
            let ConnectError::Refused(refusal) = refused else { panic!("{refused:?}") };
            assert_eq!((refusal.reason(), refusal.status()), (reason, Status::SWITCHING_PROTOCOLS));
        };
        zip(serving, asking).await;
        assert_eq!(session.snapshot().open(), 0, "{reason:?}");
    }
}
