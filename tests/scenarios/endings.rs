//! Ends of connections and of servers: upgrades, drains, panics, and what becomes of a handler whose peer goes.

use std::time::Duration;

use callboard::client::{Delivery, Phase};
use callboard::runtime::Stream;
use callboard::web::{App, DrainReport, Fate, Path, PeerGone, Upgrade, get, post};
use callboard::{Limits, Status, header};
use futures_lite::future::zip;
use futures_lite::{AsyncReadExt, AsyncWriteExt};

use crate::peer::field;
use crate::signal::{Bell, Ear, Fall, bell};
use crate::world::{LONG, World, scenarios};

scenarios!(
    an_upgrade_of_a_session,
    an_upgrade_with_bytes_behind_it,
    connect_with_bytes_behind_it,
    a_drain_finishes_what_is_in_flight,
    a_drain_cuts_what_is_stuck,
    a_drain_ends_a_pipeline,
    a_panic_is_one_answer,
    fates,
    fates_after_a_reset,
);

/// Greets, sends back what came, and ends with the peer.
async fn echo(mut stream: Box<dyn Stream>, leftover: bytes::BytesMut) {
    stream.write_all(b"ready:").await.unwrap();
    stream.write_all(&leftover).await.unwrap();
    let mut part = [0; 1000];
    while let Ok(count @ 1..) = stream.read(&mut part).await {
        stream.write_all(&part[..count]).await.unwrap();
    }
    let _ = stream.close().await;
}

fn tunnels() -> App {
    App::new()
        .route("/echo", get(async |upgrade: Upgrade| upgrade.on(echo)))
        .connect(async |upgrade: Upgrade| upgrade.on(echo))
}

async fn an_upgrade_of_a_session(world: World) {
    let served = world.serve(tunnels()).await;
    let session = world.session();
    let plain = session.get(served.url("/echo")).await.unwrap();
    assert_eq!(plain.status(), Status::UPGRADE_REQUIRED);
    drop(plain);
    let request =
        session.get(served.url("/echo")).header(header::CONNECTION, "upgrade").header(header::UPGRADE, "echo/1");
    let response = request.await.unwrap();
    assert_eq!(response.status(), Status::SWITCHING_PROTOCOLS);
    assert_eq!(response.headers().text(header::UPGRADE), Some("echo/1"));
    let mut upgraded = response.upgrade().unwrap();
    upgraded.stream.write_all(b"hello").await.unwrap();
    upgraded.stream.close().await.unwrap();
    let mut all = upgraded.input.to_vec();
    upgraded.stream.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, b"ready:hello");
    assert_eq!(session.snapshot().open(), 0, "the connection has left the pool");
    drop((session, upgraded));
    served.end().await;
}

async fn an_upgrade_with_bytes_behind_it(world: World) {
    let served = world.serve(tunnels()).await;
    let mut peer = served.connect().await;
    peer.send("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nbehind,").await;
    let head = peer.head().await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    peer.send("later").await;
    peer.until("later").await;
    peer.finish().await;
    assert_eq!(peer.rest().await.unwrap(), "");
    drop(peer);
    served.end().await;
}

async fn connect_with_bytes_behind_it(world: World) {
    let served = world.serve(tunnels()).await;
    let mut peer = served.connect().await;
    peer.send("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\nGET / HTTP/1.1\r\n\r\n").await;
    let head = peer.head().await;
    assert!(head.starts_with("HTTP/1.1 200 ") && field(&head, "Content-Length").is_none(), "{head}");
    assert_eq!(peer.until("\r\n\r\n").await, "ready:GET / HTTP/1.1\r\n\r\n");
    drop(peer);
    served.end().await;
}

/// A route that tells when it has begun and waits to be let go on.
fn waiting() -> (App, Ear, Bell) {
    let ((starting, begun), (go, may_go)) = (bell(), bell());
    let wait = async move || {
        starting.ring();
        may_go.heard().await;
        "finished"
    };
    (App::new().route("/", get(async || "quick")).route("/wait", get(wait.clone()).post(wait)), begun, go)
}

async fn a_drain_finishes_what_is_in_flight(world: World) {
    let (app, begun, go) = waiting();
    let served = world.serve(app).await;
    let (session, mut idle) = (world.session(), served.connect().await);
    // One that has served before, and one on which nothing came yet.
    idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(idle.response().await.1, "quick");
    let mut fresh = served.connect().await;
    served.until_open(2).await;
    let request = session.get(served.url("/wait")).send();
    let steps = async {
        begun.heard().await;
        let drain = served.server.drain(LONG);
        let rest = async {
            assert_eq!((idle.rest().await.unwrap().as_str(), fresh.rest().await.unwrap().as_str()), ("", ""));
            go.ring();
        };
        zip(drain, rest).await.0
    };
    let (response, report) = zip(request, steps).await;
    assert_eq!(report, DrainReport { finished: 3, aborted: 0 });
    let response = response.unwrap();
    assert!(response.headers().has_token(header::CONNECTION, "close"), "{:?}", response.headers());
    assert_eq!(response.text().await.unwrap(), "finished");
    let refused = session.get(served.url("/")).await.unwrap_err();
    assert_eq!((refused.phase(), refused.delivery()), (Phase::Connect, Delivery::NeverSent), "{refused}");
    let endpoint = served.endpoint.clone();
    served.end().await;
    // The port is free at once.
    let again = world.serve_at(waiting().0, endpoint).await;
    assert_eq!(session.get(again.url("/")).await.unwrap().text().await.unwrap(), "quick");
    drop((session, idle, fresh));
    again.end().await;
}

async fn a_drain_cuts_what_is_stuck(world: World) {
    for method in ["GET", "POST"] {
        let (app, begun, _go) = waiting();
        let served = world.serve(app).await;
        let mut peer = served.connect().await;
        peer.send(format!("{method} /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")).await;
        begun.heard().await;
        let report = served.server.drain(Duration::from_millis(30)).await;
        assert_eq!(report, DrainReport { finished: 0, aborted: 1 });
        assert_eq!(served.server.connections(), 0);
        let rest = peer.rest().await;
        assert!(rest.as_ref().map_or(true, String::is_empty), "{rest:?}");
    }
}

async fn a_drain_ends_a_pipeline(world: World) {
    let (app, begun, go) = waiting();
    let served = world.serve(app).await;
    let mut peer = served.connect().await;
    peer.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n".repeat(3)).await;
    begun.heard().await;
    let hear = async {
        // The drain is ordered before the answer.
        go.ring();
        let (head, body) = peer.response().await;
        assert_eq!((field(&head, "Connection"), body.as_str()), (Some("close"), "finished"));
        assert_eq!(peer.rest().await.unwrap(), "", "the others were not begun");
        drop(peer);
    };
    let (report, ()) = zip(served.server.drain(LONG), hear).await;
    assert_eq!(report, DrainReport { finished: 1, aborted: 0 });
    assert_eq!(begun.take(), None);
    served.end().await;
}

async fn a_panic_is_one_answer(world: World) {
    let (app, begun, go) = waiting();
    let broken = async |text: String| -> &'static str { panic!("as told: {text}") };
    let served = world.serve(app.route("/panic", post(broken))).await;
    let session = world.session();
    let other = async {
        let response = session.get(served.url("/wait")).await.unwrap();
        response.text().await.unwrap()
    };
    let steps = async {
        begun.heard().await;
        for _ in 0..3 {
            let response = session.post(served.url("/panic")).body("x").await.unwrap();
            assert_eq!(response.status(), Status::INTERNAL_SERVER_ERROR);
            assert!(!response.text().await.unwrap().contains("as told"), "what a panic says is not for the peer");
            assert_eq!(session.get(served.url("/")).await.unwrap().text().await.unwrap(), "quick");
        }
        go.ring();
    };
    assert_eq!(zip(other, steps).await.0, "finished");
    drop(session);
    served.end().await;
}

/// Says how a handler ended: by itself, or dropped.
fn fated(world: &World) -> (App, Ear<&'static str>) {
    let (tell, told) = bell();
    let runtime = world.server.clone();
    let run = {
        let tell = tell.clone();
        async move |Path(milliseconds): Path<u64>| {
            tell.say("begun");
            let fall = Fall(tell.clone(), "dropped");
            runtime.sleep(Duration::from_millis(milliseconds)).await;
            tell.say("finished");
            drop(fall);
            "done"
        }
    };
    let watch = async move |gone: PeerGone| {
        tell.say("begun");
        gone.await;
        tell.say("noticed");
    };
    // A peer that only half-closed is waited for this long.
    let limits = Limits { linger_timeout: Duration::from_millis(20), ..Limits::default() };
    let app = App::new()
        .route("/{milliseconds}", get(run.clone()).post(run.clone()))
        .route("/other/{milliseconds}", post(run.clone()).fate(Fate::Cancel))
        .route("/third/{milliseconds}", get(run).fate(Fate::Finish))
        .route("/watch", get(watch))
        .limits(limits);
    (app, told)
}

/// Long enough for a reset to arrive; too long to wait for.
const SHORT: u64 = 50;
const NEVER: u64 = 3_000_000;

fn rows() -> [(&'static str, String, &'static str); 5] {
    [
        ("GET", format!("/{NEVER}"), "dropped"),
        ("POST", format!("/{SHORT}"), "finished"),
        ("POST", format!("/other/{NEVER}"), "dropped"),
        ("GET", format!("/third/{SHORT}"), "finished"),
        ("GET", "/watch".to_owned(), "noticed"),
    ]
}

async fn fates(world: World) {
    let (app, told) = fated(&world);
    let served = world.serve(app).await;
    let session = world.session();
    for (method, path, expected) in rows() {
        let method = method.parse().unwrap();
        let mut request = Box::pin(session.request(method, served.url(&path)).send());
        let begun = async {
            let begun = told.heard().await;
            assert_eq!(begun, "begun");
        };
        let mut begun = Box::pin(begun);
        let until_begun = std::future::poll_fn(|context| {
            assert!(request.as_mut().poll(context).is_pending());
            begun.as_mut().poll(context)
        });
        until_begun.await;
        drop(request);
        assert_eq!(told.heard().await, expected, "{path}");
        if expected == "finished" {
            assert_eq!(told.heard().await, "dropped");
        }
    }
    assert_eq!(session.snapshot().open(), 0, "a request that is dropped gives its connection up");
    served.until_open(0).await;
    served.end().await;
}

async fn fates_after_a_reset(world: World) {
    let (app, told) = fated(&world);
    let served = world.serve(app).await;
    for (method, path, expected) in rows() {
        let mut peer = served.connect().await;
        peer.send(format!("{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")).await;
        assert_eq!(told.heard().await, "begun");
        peer.reset();
        assert_eq!(told.heard().await, expected, "{path}");
        if expected == "finished" {
            assert_eq!(told.heard().await, "dropped");
        }
    }
    served.until_open(0).await;
    assert_eq!(told.take(), None);
    served.end().await;
}
