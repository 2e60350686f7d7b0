//! Every deadline of both sides, in virtual time: what runs out is named, at its time and not before.

use std::time::Duration;

use bytes::Bytes;
use callboard::client::{Deadline, Delivery, ErrorKind, Phase, Session, Timeouts};
use callboard::core::http1::ReceiveError;
use callboard::web::{App, Body, BodyError, get, post};
use callboard::{Handle, Instant, Limits, Simulation};
use futures_lite::stream;

use crate::failures::check;
use crate::signal::{Bell, bell};
use crate::world::{LONG, Served, World};

/// What delivery over the simulated network adds to a deadline, at most.
const TRAVEL: Duration = Duration::from_millis(100);

/// Runs a test for some seeds, each in a world that must be empty afterwards.
fn simulate(test: impl AsyncFn(World)) {
    Simulation::seeds(0..20).check(async |simulation| test(World::simulated(&simulation)).await);
}

/// Checks that so much time has passed since `start`.
fn took(runtime: &Handle, start: Instant, expected: Duration) {
    let elapsed = runtime.now() - start;
    assert!(elapsed >= expected && elapsed < expected + TRAVEL, "{elapsed:?} in place of {expected:?}");
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// The peer took something at first, which is noticed when the deadline passes.
fn is_write_timeout(elapsed: Duration) -> bool {
    elapsed >= seconds(60) && elapsed < seconds(120) + TRAVEL
}

fn app(tell: Bell<String>) -> App {
    let read = async move |mut body: Body| {
        while let Some(chunk) = body.next().await {
            if let Err(error) = chunk {
                assert!(matches!(error, BodyError::TimedOut), "{error:?}");
                tell.say(error.to_string());
                return Err(error);
            }
        }
        Ok("whole")
    };
    let endless =
        async || Body::stream(stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 9000]))));
    App::new().route("/", get(async || "Hello").post(read)).route("/endless", get(endless))
}

async fn serve(world: &World) -> Served {
    world.serve(app(bell().0)).await
}

#[test]
fn a_server_waits_so_long_for_a_head() {
    simulate(async |world| {
        for said in ["GET / HT", "GET / HTTP/1.1\r\nHost: a\r\nX: y"] {
            let served = serve(&world).await;
            // The first head of a connection is due from its begin.
            let start = world.client.now();
            let mut peer = served.connect().await;
            peer.send(said).await;
            let (head, _) = peer.response().await;
            assert!(head.starts_with("HTTP/1.1 408 ") && head.contains("Connection: close"), "{head}");
            took(&world.client, start, seconds(30));
            peer.finish().await;
            assert_eq!(peer.rest().await.unwrap(), "");
            served.until_open(0).await;
        }
    });
}

#[test]
fn a_head_by_drops_is_no_longer_waited_for() {
    simulate(async |world| {
        let served = serve(&world).await;
        let mut peer = served.connect().await;
        let start = world.client.now();
        for byte in b"GET / HTTP/1.1\r\nX: aaaaaaaaaaaaaaa" {
            if peer.try_send([*byte]).await.is_err() {
                break;
            }
            world.client.sleep(seconds(1)).await;
        }
        let (head, _) = peer.response().await;
        assert!(head.starts_with("HTTP/1.1 408 "), "{head}");
        assert!(world.client.now() - start >= seconds(30));
        drop(peer);
        served.until_open(0).await;
    });
}

#[test]
fn a_server_closes_an_idle_connection() {
    simulate(async |world| {
        let served = serve(&world).await;
        let mut peer = served.connect().await;
        peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(peer.response().await.1, "Hello");
        let start = world.client.now();
        assert_eq!(peer.rest().await.unwrap(), "", "nobody asked");
        let elapsed = world.client.now() - start;
        assert!(elapsed + TRAVEL > seconds(75) && elapsed < seconds(75) + TRAVEL, "{elapsed:?}");
        drop(peer);
        served.until_open(0).await;
        // One that never said anything is not kept longer.
        let mut silent = served.connect().await;
        assert!(silent.rest().await.is_ok());
        drop(silent);
        served.until_open(0).await;
    });
}

#[test]
fn a_server_waits_so_long_for_a_body() {
    simulate(async |world| {
        let (tell, told) = bell();
        let served = world.serve(app(tell)).await;
        // Silence after enough for the minimum rate; and drops that come often enough to be no silence.
        for (begun, pause, expected) in [(50_000, None, 60), (5, Some(seconds(5)), 30)] {
            let mut peer = served.connect().await;
            let start = world.client.now();
            peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n").await;
            peer.send(vec![b'x'; begun]).await;
            if let Some(pause) = pause {
                while told_nothing(&mut peer, pause, &world.client).await {
                    peer.send("x").await;
                }
            }
            let (head, _) = peer.response().await;
            assert!(head.starts_with("HTTP/1.1 408 ") && head.contains("Connection: close"), "{head}");
            let elapsed = world.client.now() - start;
            assert!(elapsed >= seconds(expected) && elapsed < seconds(expected + 6), "{elapsed:?}");
            assert_eq!(told.heard().await, "the body did not arrive in time");
            drop(peer);
            served.until_open(0).await;
        }
    });
}

/// Whether nothing comes for a while.
async fn told_nothing(peer: &mut crate::peer::Peer, pause: Duration, runtime: &Handle) -> bool {
    let sleep = async {
        runtime.sleep(pause).await;
        true
    };
    let come = async {
        peer.until_readable().await;
        false
    };
    futures_lite::future::or(come, sleep).await
}

#[test]
fn a_server_gives_up_on_a_peer_that_takes_nothing() {
    simulate(async |world| {
        let served = serve(&world).await;
        let mut peer = served.connect().await;
        peer.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let start = world.client.now();
        served.until_open(0).await;
        let elapsed = world.client.now() - start;
        assert!(is_write_timeout(elapsed), "{elapsed:?}");
        // What had come is cut, not ended.
        let rest = peer.rest().await;
        assert!(rest.is_err() || !rest.unwrap().ends_with("0\r\n\r\n"));
    });
}

#[test]
fn a_slow_reader_is_no_dead_one() {
    simulate(async |world| {
        let large = get(async || vec![b'x'; 300_000]);
        let served = world.serve(App::new().route("/", large)).await;
        let mut peer = served.connect().await;
        peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        peer.head().await;
        for _ in 0..10 {
            world.client.sleep(seconds(50)).await;
            peer.exactly(30_000).await;
        }
        drop(peer);
        served.until_open(0).await;
    });
}

/// A session whose limits and deadlines a test chooses.
fn session(world: &World, timeouts: Timeouts) -> Session {
    Session::builder(world.client.clone()).timeouts(timeouts).build()
}

#[test]
fn a_total_deadline_ends_each_phase() {
    simulate(async |world| {
        let session = session(&world, Timeouts { total: seconds(7), ..Timeouts::default() });
        // Nothing answers; then a head without the body it announces; then nobody even accepts the upload.
        for (said, phase, delivery) in [
            ("", Phase::Head, Delivery::MaybeSent),
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart", Phase::Body, Delivery::Answered),
        ] {
            let mut listening = world.listen();
            let url = listening.url("/");
            let start = world.client.now();
            let serve = async {
                let mut peer = listening.accept().await;
                peer.head().await;
                peer.send(said).await;
                peer
            };
            let ask = async {
                let error = match session.get(&url).await {
                    Ok(response) => response.bytes().await.unwrap_err(),
                    Err(error) => error,
                };
                check(&error, phase, delivery, &["total deadline of 7s", "(peer "]);
                let is_total = |kind: &_| matches!(kind, ErrorKind::TimedOut { deadline: Deadline::Total, .. });
                assert!(is_total(error.kind()) && error.is_timeout(), "{error:?}");
                took(&world.client, start, seconds(7));
            };
            let (mut peer, ()) = futures_lite::future::zip(serve, ask).await;
            let rest = peer.rest().await;
            assert!(rest.as_ref().map_or(true, String::is_empty), "{rest:?}");
        }
        assert_eq!(session.snapshot().open(), 0);
    });
}

#[test]
fn a_total_deadline_ends_an_upload_that_nobody_takes() {
    simulate(async |world| {
        let mut listening = world.listen();
        let session = session(&world, Timeouts { total: seconds(7), ..Timeouts::default() });
        let request = session.post(listening.url("/")).body(vec![b'x'; 1_000_000]).send();
        let serve = async {
            let mut peer = listening.accept().await;
            peer.head().await;
            peer
        };
        let (_peer, answer) = futures_lite::future::zip(serve, request).await;
        check(&answer.unwrap_err(), Phase::Write, Delivery::MaybeSent, &["total deadline"]);
    });
}

#[test]
fn a_black_hole_ends_connecting() {
    Simulation::seeds(0..20).check(async |simulation| {
        let world = World::simulated(&simulation);
        let served = serve(&world).await;
        let session = session(&world, Timeouts { connect: seconds(4), ..Timeouts::default() });
        simulation.network().black_hole("client", "server");
        let start = world.client.now();
        let error = session.get(served.url("/")).await.unwrap_err();
        check(&error, Phase::Connect, Delivery::NeverSent, &["connect deadline of 4s", "(peer 10.0.0."]);
        assert!(error.is_timeout());
        took(&world.client, start, seconds(4));
        simulation.network().heal("client", "server");
        assert_eq!(session.get(served.url("/")).await.unwrap().text().await.unwrap(), "Hello");
    });
}

/// What a session's own limits make of a server that says `said` to a request and then nothing more.
async fn silent(world: &World, said: &str, expected: ReceiveError, phase: Phase, after: Duration) {
    let mut listening = world.listen();
    let (session, url) = (world.session(), listening.url("/"));
    let start = world.client.now();
    let serve = async {
        let mut peer = listening.accept().await;
        peer.head().await;
        peer.send(said).await;
        peer
    };
    let ask = async {
        let error = match session.get(&url).timeout(LONG).await {
            Ok(response) => response.bytes().await.unwrap_err(),
            Err(error) => error,
        };
        let delivery = if said.is_empty() { Delivery::MaybeSent } else { Delivery::Answered };
        check(&error, phase, delivery, &[expected.explain(), "(peer "]);
        assert!(matches!(error.kind(), ErrorKind::Receive(kind) if *kind == expected), "{error:?}");
        assert!(error.is_timeout());
        took(&world.client, start, after);
    };
    futures_lite::future::zip(serve, ask).await;
}

#[test]
fn a_session_waits_so_long_for_a_silent_server() {
    simulate(async |world| {
        silent(&world, "", ReceiveError::HeadTimedOut, Phase::Head, seconds(120)).await;
        silent(&world, "HTTP/1.1 200 OK\r\nX", ReceiveError::HeadTimedOut, Phase::Head, seconds(120)).await;
        let begun = format!("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{}", "part".repeat(5000));
        silent(&world, &begun, ReceiveError::BodyTimedOut, Phase::Body, seconds(60)).await;
    });
}

#[test]
fn a_session_gives_up_on_a_body_by_drops() {
    simulate(async |world| {
        let mut listening = world.listen();
        let (session, url) = (world.session(), listening.url("/"));
        let serve = async {
            let mut peer = listening.accept().await;
            peer.head().await;
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
            while peer.try_send("1\r\nx\r\n").await.is_ok() {
                world.server.sleep(seconds(1)).await;
            }
        };
        let ask = async {
            let error = session.get(&url).await.unwrap().bytes().await.unwrap_err();
            check(&error, Phase::Body, Delivery::Answered, &["slower than the minimum rate"]);
        };
        futures_lite::future::zip(serve, ask).await;
    });
}

#[test]
fn a_session_gives_up_on_a_server_that_takes_nothing() {
    simulate(async |world| {
        let mut listening = world.listen();
        let request = world.session().post(listening.url("/")).body(vec![b'x'; 1_000_000]).timeout(LONG).send();
        let start = world.client.now();
        let (_peer, answer) = futures_lite::future::zip(listening.accept(), request).await;
        let error = answer.unwrap_err();
        check(&error, Phase::Write, Delivery::MaybeSent, &["took nothing"]);
        let elapsed = world.client.now() - start;
        assert!(is_write_timeout(elapsed), "{elapsed:?}");
    });
}

#[test]
fn limits_can_be_changed() {
    simulate(async |world| {
        let limits = Limits { head_timeout: seconds(2), idle_timeout: seconds(3), ..Limits::default() };
        let served = world.serve(app(bell().0).limits(limits).route("/own", post(async || "own"))).await;
        let start = world.client.now();
        let mut peer = served.connect().await;
        peer.send("GET").await;
        assert!(peer.head().await.starts_with("HTTP/1.1 408 "));
        took(&world.client, start, seconds(2));
        drop(peer);
        let session = Session::builder(world.client.clone())
            .limits(Limits { head_timeout: seconds(5), ..Limits::default() })
            .build();
        let mut listening = world.listen();
        let request = session.get(listening.url("/")).send();
        let start = world.client.now();
        let (_peer, answer) = futures_lite::future::zip(listening.accept(), request).await;
        check(&answer.unwrap_err(), Phase::Head, Delivery::MaybeSent, &["head did not arrive"]);
        took(&world.client, start, seconds(5));
        served.until_open(0).await;
    });
}
