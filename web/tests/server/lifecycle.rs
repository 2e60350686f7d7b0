//! The server in simulation: starting, listening, draining, what becomes of handlers, and what is left over.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Peer, World};
use callboard_runtime::{ConnectOptions, Endpoint, Handle, SignalKind};
use callboard_sim::{Options, Simulation};
use callboard_web::{App, Body, Bytes, Fate, Limits, PeerAddress, PeerGone, StartError, Upgrade, get, post};
use futures_lite::StreamExt;

const SECOND: Duration = Duration::from_secs(1);

fn app() -> App {
    App::new().route("/", get(async || "Hello, World!")).route("/peer", get(async |peer: PeerAddress| peer.to_string()))
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

fn start_error(app: App, address: &str) -> StartError {
    let simulation = Simulation::new(1);
    let result = simulation.block_on(app.serve(simulation.host("server").runtime(), address)).unwrap();
    assert!(simulation.census().is_empty(), "{address}: left over: {}", simulation.census());
    result.map(drop).unwrap_err()
}

#[test]
fn an_address_that_is_none_is_refused_by_name() {
    for address in ["localhost", "a:b", "nowhere.example:80", "203.0.113.9:80"] {
        let error = start_error(app(), address).to_string();
        assert!(error.starts_with("cannot listen on") && error.contains(address), "{error}");
    }
    let error = start_error(app().route("bad", get(async || "")), "127.0.0.1:80");
    assert!(matches!(error, StartError::Route(_)), "{error:?}");
}

#[test]
fn a_port_in_use_is_refused_by_name() {
    for workers in [1, 3] {
        let simulation = Simulation::with_options(1, Options::new().workers(workers));
        let runtime: Handle = simulation.host("server").runtime().into();
        let first = simulation.block_on(app().serve(runtime.clone(), ":80")).unwrap().unwrap();
        let error = simulation.block_on(app().serve(runtime, ":80")).unwrap().map(drop).unwrap_err();
        assert!(
            matches!(&error, StartError::Listen { address, .. } if address.to_string() == "0.0.0.0:80"),
            "{error:?}"
        );
        drop(first);
    }
}

#[test]
fn a_free_port_is_chosen_and_told() {
    let simulation = Simulation::new(1);
    let host = simulation.host("server");
    let address = SocketAddr::new(host.address(), 0);
    let server = simulation.block_on(app().serve(host.runtime(), address)).unwrap().unwrap();
    assert!(server.local().tcp().is_some_and(|local| local.port() != 0 && local.ip() == host.address()));
    assert_eq!(server.addresses(), [server.local()]);
}

#[test]
fn several_addresses_and_workers_are_served() {
    let options = Options::new().workers(3).dual_stack(true);
    let simulation = Simulation::with_options(5, options);
    let host = simulation.host("server");
    let both = ["server:80".to_owned(), "unix:/run/app.socket".to_owned()];
    let server = simulation.block_on(app().serve(host.runtime(), both)).unwrap().unwrap();
    assert_eq!(server.addresses().len(), 3, "{:?}", server.addresses());
    let runtime: Handle = host.runtime().into();
    for endpoint in server.addresses() {
        let answer = simulation.block_on(async {
            let mut peer = Peer::connect(&runtime, endpoint).await;
            peer.send(GET).await;
            peer.finish().await;
            peer.rest().await.unwrap()
        });
        assert!(answer.unwrap().ends_with("Hello, World!"));
    }
    simulation.block_on(server.drain(SECOND)).unwrap();
    drop(server);
    simulation.run_for(10 * SECOND).unwrap();
    assert!(simulation.census().is_empty(), "left over: {}", simulation.census());
}

#[test]
fn the_peer_is_known_to_the_handler() {
    let world = World::new(1, app());
    let answer = world.ask("GET /peer HTTP/1.1\r\nHost: a\r\n\r\n");
    let client = world.simulation.host("client").address().to_string();
    assert!(answer.rsplit("\r\n").next().unwrap().starts_with(&client), "{answer}");
    world.check_empty();
}

#[test]
fn run_drains_at_the_first_signal_and_cuts_at_the_second() {
    for signals in [1, 2] {
        let simulation = Simulation::new(1);
        let (server, client) = (simulation.host("server"), simulation.host("client"));
        let runtime: Handle = client.runtime().into();
        let sleeper: Handle = server.runtime().into();
        let app = app().route(
            "/slow",
            post(async move || {
                sleeper.sleep(5 * SECOND).await;
                "slept"
            }),
        );
        let address = Endpoint::Tcp(SocketAddr::new(server.address(), 80));
        let log = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&log);
        client.spawn(async move {
            runtime.sleep(SECOND).await;
            let mut peer = Peer::connect(&runtime, address.clone()).await;
            peer.send("POST /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
            runtime.sleep(SECOND).await;
            for _ in 0..signals {
                server.signal(SignalKind::Interrupt);
                runtime.sleep(SECOND).await;
            }
            let refused = runtime.connect(address, ConnectOptions::default()).await.err().map(|error| error.kind());
            seen.lock().unwrap().push(format!("{refused:?}"));
            let answer = peer.rest().await.map_err(|error| error.kind());
            seen.lock().unwrap().push(format!("{:?}", answer.map(|text| text.ends_with("slept"))));
        });
        // Blocks the thread, and runs the simulation meanwhile.
        app.run(simulation.host("server").runtime(), ":80").unwrap();
        simulation.run_for(10 * SECOND).unwrap();
        let expected = if signals == 1 { "Ok(true)" } else { "Err(ConnectionReset)" };
        assert_eq!(*log.lock().unwrap(), ["Some(ConnectionRefused)", expected]);
        assert!(simulation.census().is_empty(), "left over: {}", simulation.census());
    }
}

#[test]
fn a_drain_closes_idle_connections_at_once_and_finishes_the_others() {
    for seed in 0..20 {
        let world = slow_world(seed);
        world.run(async {
            let mut idle = world.connect().await;
            idle.send(GET).await;
            idle.until("World!").await;
            let mut fresh = world.connect().await;
            let mut busy = world.connect().await;
            busy.send("POST /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
            world.client.sleep(SECOND).await;
            assert_eq!(world.server.connections(), 3);
            let before = world.simulation.now();
            let (report, answer) = futures_lite::future::zip(world.server.drain(60 * SECOND), async {
                assert_eq!(idle.rest().await.unwrap(), "");
                assert_eq!(fresh.rest().await.unwrap(), "");
                assert!(world.simulation.now() - before < SECOND, "idle ones end at once");
                busy.rest().await.unwrap()
            })
            .await;
            assert!(answer.contains("Connection: close\r\n") && answer.ends_with("slept"), "{answer}");
            assert_eq!((report.finished, report.aborted), (3, 0));
        });
        world.check_empty();
    }
}

#[test]
fn a_drain_cuts_what_is_left_at_its_deadline() {
    let world = slow_world(1);
    world.run(async {
        let mut busy = world.connect().await;
        busy.send("POST /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
        world.client.sleep(SECOND).await;
        let report = world.server.drain(2 * SECOND).await;
        assert_eq!((report.finished, report.aborted), (0, 1));
        assert_eq!(busy.rest().await.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
        assert_eq!(world.server.wait().await, report);
    });
}

#[test]
fn a_protocol_that_took_over_is_cut_at_the_deadline() {
    let hold = async |upgrade: Upgrade| upgrade.on(async |_stream, _leftover| std::future::pending().await);
    let world = World::new(1, App::new().route("/hold", get(hold)));
    world.run(async {
        let mut peer = world.connect().await;
        peer.send("GET /hold HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n").await;
        peer.until("\r\n\r\n").await;
        let report = world.server.drain(SECOND).await;
        assert_eq!((report.finished, report.aborted), (0, 1));
        let _ = peer.rest().await;
    });
}

#[test]
fn dropping_a_server_ends_it_but_not_its_requests() {
    let world = slow_world(1);
    let mut busy = world.run(async {
        let mut busy = world.connect().await;
        busy.send("POST /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
        world.client.sleep(SECOND).await;
        busy
    });
    drop(world.server);
    let answer = world.simulation.block_on(busy.rest()).unwrap().unwrap();
    assert!(answer.ends_with("slept"), "{answer}");
    drop(busy);
    world.simulation.run_for(10 * SECOND).unwrap();
    assert!(world.simulation.census().is_empty(), "left over: {}", world.simulation.census());
}

/// What handlers noted.
type Log = Arc<Mutex<Vec<&'static str>>>;

/// Notes when it is dropped before its time.
struct Guard {
    log: Log,
    end: &'static str,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.log.lock().unwrap().push(self.end);
    }
}

/// An app whose `/slow` takes five seconds and notes how far it came.
fn slow_app(runtime: Handle, verb: Verb, fate: Option<Fate>, log: &Log) -> App {
    let log = Arc::clone(log);
    let handler = async move || {
        log.lock().unwrap().push("begun");
        let mut guard = Guard { log, end: "dropped" };
        runtime.sleep(5 * SECOND).await;
        guard.end = "finished";
        "slept"
    };
    let routes = match verb {
        Verb::Get => get(handler),
        Verb::Post => post(handler),
    };
    let routes = match fate {
        Some(fate) => routes.fate(fate),
        None => routes,
    };
    app().route("/slow", routes).limits(Limits { linger_timeout: 2 * SECOND, ..Limits::default() })
}

#[derive(Clone, Copy, Debug)]
enum Verb {
    Get,
    Post,
}

fn slow_world(seed: u64) -> World {
    World::build(seed, |runtime| slow_app(runtime, Verb::Post, None, &Log::default()))
}

/// How the peer goes away.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Leaving {
    Resets,
    Closes,
    HalfCloses,
}

/// What the handler noted when its peer went away after a second.
fn noted_after(leaving: Leaving, verb: Verb, fate: Option<Fate>) -> Vec<&'static str> {
    let log = Log::default();
    let world = World::build(7, |runtime| slow_app(runtime, verb, fate, &log));
    world.run(async {
        let mut peer = world.connect().await;
        let method = if matches!(verb, Verb::Get) { "GET" } else { "POST" };
        peer.send(format!("{method} /slow HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        world.client.sleep(SECOND).await;
        match leaving {
            Leaving::Resets => {
                peer.stream.abort_on_drop();
                drop(peer);
            }
            Leaving::Closes => drop(peer),
            Leaving::HalfCloses => {
                peer.finish().await;
                let _ = peer.rest().await;
            }
        }
        world.client.sleep(60 * SECOND).await;
    });
    world.check_empty();
    Arc::try_unwrap(log).unwrap().into_inner().unwrap()
}

#[test]
fn a_handler_has_its_declared_fate_when_the_peer_goes_away() {
    let (finished, dropped) = (["begun", "finished"], ["begun", "dropped"]);
    for leaving in [Leaving::Resets, Leaving::Closes, Leaving::HalfCloses] {
        assert_eq!(noted_after(leaving, Verb::Get, None), dropped, "{leaving:?}");
        assert_eq!(noted_after(leaving, Verb::Post, None), finished, "{leaving:?}");
        assert_eq!(noted_after(leaving, Verb::Get, Some(Fate::Finish)), finished, "{leaving:?}");
        assert_eq!(noted_after(leaving, Verb::Post, Some(Fate::Cancel)), dropped, "{leaving:?}");
        assert_eq!(noted_after(leaving, Verb::Get, Some(Fate::Notify)), finished, "{leaving:?}");
    }
}

#[test]
fn a_half_closed_peer_is_given_time() {
    // Five seconds of work fit in a patience of ten.
    let limits = Limits { linger_timeout: 10 * SECOND, ..Limits::default() };
    let world = World::build(1, |runtime| slow_app(runtime, Verb::Get, None, &Log::default()).limits(limits));
    let answer = world.ask("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(answer.ends_with("slept"), "{answer}");
    world.check_empty();
}

#[test]
fn a_handler_that_asks_learns_that_its_peer_is_gone() {
    for leaving in [Leaving::Resets, Leaving::Closes] {
        let count = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&count);
        let watch = async move |gone: PeerGone| {
            gone.await;
            seen.fetch_add(1, Ordering::SeqCst);
        };
        let world = World::new(3, App::new().route("/", get(watch)));
        world.run(async {
            let mut peer = world.connect().await;
            peer.send(GET).await;
            world.client.sleep(SECOND).await;
            assert_eq!(count.load(Ordering::SeqCst), 0);
            if leaving == Leaving::Resets {
                peer.stream.abort_on_drop();
            }
            drop(peer);
            world.client.sleep(SECOND).await;
        });
        assert_eq!(count.load(Ordering::SeqCst), 1, "{leaving:?}");
        world.check_empty();
    }
}

#[test]
fn a_body_that_is_cut_fails_for_its_reader_wherever_it_is_read() {
    for seed in 0..20 {
        let log = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&log);
        let world = World::build(seed, |runtime| {
            App::new().route(
                "/",
                post(async move |mut body: Body| {
                    // Read in a task of its own: wakers cross tasks here.
                    let (sender, receiver) = async_channel::bounded(1);
                    runtime.spawn(Box::pin(async move {
                        let mut count = 0;
                        let end = loop {
                            match body.next().await {
                                Some(Ok(chunk)) => count += chunk.len(),
                                other => break other,
                            }
                        };
                        let _ = sender.send((count, format!("{end:?}"))).await;
                    }));
                    let noted = receiver.recv().await.unwrap();
                    seen.lock().unwrap().push(noted);
                }),
            )
        });
        world.run(async {
            let mut peer = world.connect().await;
            peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n").await;
            peer.send(vec![b'x'; 150_000]).await;
            drop(peer);
            let mut peer = world.connect().await;
            peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n").await;
            peer.send(vec![b'x'; 200_000]).await;
            peer.until("\r\n\r\n").await;
        });
        world.check_empty();
        let mut log = log.lock().unwrap().clone();
        log.sort();
        assert_eq!(log, [(150_000, "Some(Err(Cut))".to_owned()), (200_000, "None".to_owned())], "seed {seed}");
    }
}

#[test]
fn connections_beyond_the_cap_wait_their_turn() {
    for seed in 0..20 {
        let world =
            World::build(seed, |runtime| slow_app(runtime, Verb::Post, None, &Log::default()).max_connections(2));
        world.run(async {
            let mut peers = Vec::new();
            for _ in 0..5 {
                peers.push(world.connect().await);
            }
            for peer in &mut peers {
                peer.send("POST /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
            }
            world.client.sleep(SECOND).await;
            assert_eq!(world.server.connections(), 2);
            for peer in &mut peers {
                assert!(peer.rest().await.unwrap().ends_with("slept"));
                // Ours is still open: the server lingers until we close.
                peer.finish().await;
                assert!(world.server.connections() <= 2);
            }
        });
        world.check_empty();
    }
}

#[test]
fn nothing_is_left_of_connections_that_vanish_at_any_point() {
    let script = [
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "5\r\nhello\r\n",
        "0\r\n\r\n",
        "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n",
    ]
    .concat();
    for seed in 0..40 {
        let world = World::build(seed, |runtime| {
            let blocks =
                || futures_lite::stream::repeat(Bytes::from_static(&[b'x'; 10_000])).map(Ok::<_, std::io::Error>);
            slow_app(runtime, Verb::Get, None, &Log::default())
                .route("/echo", post(async |body: Body| body))
                .route("/stream", get(async move || Body::stream(blocks().take(100))))
        });
        world.run(async {
            for length in 0..=script.len() {
                let mut peer = world.connect().await;
                peer.send(&script[..length]).await;
                if length % 3 == 0 {
                    peer.stream.abort_on_drop();
                }
                if length % 2 == 0 {
                    world.client.sleep(Duration::from_millis(seed * 2)).await;
                }
            }
        });
        world.check_empty();
    }
}
