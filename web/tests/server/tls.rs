//! TLS in front of the app, in simulation: the handshake with its deadline, and clients that speak plain HTTP.

use std::time::Duration;

use crate::support::{Peer, World};
use callboard_runtime::tls::{TlsAcceptor, TlsConnector};
use callboard_web::{App, get};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

fn app() -> App {
    let file = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../runtime/tests/tls/certificates/");
        std::fs::read(format!("{folder}{name}")).unwrap()
    };
    let server = file("server.pem");
    App::new().route("/", get(async || "Hello, World!")).tls(TlsAcceptor::from_pem(&server, &server).unwrap())
}

async fn secured(world: &World) -> Peer {
    let mut peer = world.connect().await;
    let connector = TlsConnector::with_no_roots().dangerous_accept_any_certificate().build().unwrap();
    peer.stream = connector.connect(peer.stream, "example.test").await.unwrap();
    peer
}

#[test]
fn a_request_over_tls_is_answered() {
    for seed in 0..20 {
        let world = World::new(seed, app());
        world.run(async {
            let mut peer = secured(&world).await;
            for _ in 0..3 {
                peer.send(GET).await;
                peer.until("Hello, World!").await;
            }
            peer.finish().await;
            assert_eq!(peer.rest().await.unwrap(), "", "a clean end");
        });
        world.check_empty();
    }
}

#[test]
fn plain_http_is_answered_in_plain_text() {
    for seed in 0..20 {
        let world = World::new(seed, app());
        let answer = world.ask(GET);
        assert!(
            answer.starts_with("HTTP/1.1 400 Bad Request\r\n") && answer.contains("Connection: close\r\n"),
            "{answer}"
        );
        assert!(answer.ends_with("This port speaks HTTPS: use https:// instead of http://.\n"), "{answer}");
        world.check_empty();
    }
}

#[test]
fn a_handshake_has_a_deadline() {
    for bytes in ["", "\x16\x03\x01"] {
        let world = World::new(1, app().handshake_timeout(Duration::from_secs(3)));
        world.run(async {
            let mut peer = world.connect().await;
            peer.send(bytes).await;
            let before = world.simulation.now();
            let _ = peer.rest().await;
            let waited = world.simulation.now() - before;
            assert!(waited > Duration::from_secs(2) && waited < Duration::from_secs(4), "{waited:?}");
        });
        world.check_empty();
    }
}

#[test]
fn a_drain_does_not_wait_for_handshakes() {
    let world = World::new(1, app());
    world.run(async {
        let mut silent = world.connect().await;
        world.client.sleep(Duration::from_secs(1)).await;
        assert_eq!(world.server.connections(), 1);
        let report = world.server.drain(Duration::from_secs(5)).await;
        assert_eq!((report.finished, report.aborted), (1, 0));
        let _ = silent.rest().await;
    });
    world.check_empty();
}

#[test]
fn a_drain_reaches_whoever_speaks_plain_http_slowly() {
    let world = World::new(1, app());
    world.run(async {
        let mut slow = world.connect().await;
        slow.send("GET / HTTP/1.1\r\nHost").await;
        world.client.sleep(Duration::from_secs(1)).await;
        let before = world.simulation.now();
        let report = world.server.drain(Duration::from_secs(2)).await;
        assert_eq!((report.finished, report.aborted), (0, 1));
        assert!(world.simulation.now() - before < Duration::from_secs(3));
        let _ = slow.rest().await;
    });
}

#[test]
fn what_is_neither_is_dropped() {
    let world = World::new(1, app());
    world.run(async {
        let mut peer = world.connect().await;
        peer.send("\0\0\0\0\0\0").await;
        let _ = peer.rest().await;
    });
    world.check_empty();
}
