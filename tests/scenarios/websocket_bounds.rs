//! What a WebSocket keeps within bounds: peers that send and never read, that leave without a word or do not answer,
//! and ten thousand that are silent.

use std::sync::Arc;
use std::time::Duration;

use callboard::client::Session;
use callboard::core::Random;
use callboard::sim::Options;
use callboard::web::{App, WebSocketUpgrade, get};
use callboard::websocket::{CloseCode, Settings, WebSocket, WebSocketFailure};
use futures_lite::AsyncWriteExt;
use futures_lite::future::{or, zip};

use crate::peer::Peer;
use crate::websocket::{frame, lending, opening, quiet, raw, repeat};
use crate::websocket_faults::{MINUTE, give_up_after, simulate};
use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);

/// Sends the same frame again and again and reads nothing, until nothing was taken for `patience`, or the other end is
/// gone. How many bytes were taken.
async fn flood(peer: &mut Peer, frame: &[u8], patience: Duration, world: &World, most: usize) -> usize {
    let wire = frame.repeat(200);
    let mut taken = 0;
    while taken < most {
        let rest = &wire[taken % frame.len()..];
        let write = async { peer.stream.write(rest).await.ok() };
        let patience = async {
            world.client.sleep(patience).await;
            None
        };
        match or(write, patience).await {
            Some(count @ 1..) => taken += count,
            _ => return taken,
        }
    }
    taken
}

fn echoing_within(settings: Settings) -> App {
    let settings = Arc::new(settings);
    let echo = move |upgrade: WebSocketUpgrade| {
        let settings = Arc::clone(&settings);
        async move { upgrade.settings(settings).on(repeat) }
    };
    App::new().route("/", get(echo))
}

/// Messages without a payload fill the queue as well: then the peer has to wait, until it is given up.
#[test]
fn a_flood_of_empty_messages_is_stopped() {
    simulate(1, Options::new(), async |_, world| {
        let served = world.serve(echoing_within(quiet())).await;
        let mut peer = raw(&served, "/").await;
        let taken = flood(&mut peer, &frame(0x82, b""), SECOND, &world, 10_000_000).await;
        assert!(taken < 1_500_000, "{taken} bytes of empty messages were taken");
        world.client.sleep(3 * MINUTE).await;
        assert_eq!(served.server.connections(), 0, "it took nothing for longer than the write timeout");
        drop(peer);
        served.end().await;
    });
}

/// Pings are answered by the newest only, if at all, and who takes no answer is given up however much it sends.
#[test]
fn a_flood_of_pings_ends_in_time() {
    simulate(2, Options::new(), async |_, world| {
        let served = world.serve(echoing_within(Settings::default())).await;
        let mut peer = raw(&served, "/").await;
        let began = world.client.now();
        while served.server.connections() > 0 {
            flood(&mut peer, &frame(0x89, &[7; 125]), SECOND, &world, 50_000).await;
            world.client.sleep(SECOND).await;
            assert!(world.client.now() - began < 4 * MINUTE, "the flood goes on");
        }
        drop(peer);
        served.end().await;
    });
}

/// A peer that says goodbye, ends its side, and takes nothing more keeps nothing alive.
#[test]
fn who_leaves_without_reading_is_cut() {
    for (seed, last) in [(3, frame(0x88, b"\x03\xe8")), (4, frame(0x83, b"")), (5, Vec::new())] {
        simulate(seed, Options::new(), async |_, world| {
            let (app, lent) = lending();
            let served = world.serve(app).await;
            let mut peer = raw(&served, "/").await;
            let remote = lent.heard().await;
            // Far more than the network holds.
            for _ in 0..5 {
                remote.send(vec![7; 150_000]).await.unwrap();
            }
            world.client.sleep(SECOND).await;
            peer.send(&last).await;
            peer.finish().await;
            world.client.sleep(30 * SECOND).await;
            assert_eq!(served.server.connections(), 0, "after {last:x?}");
            drop((peer, remote));
            served.end().await;
        });
    }
}

/// Both closed at once, and what was sent before still waits for a peer that does not read.
#[test]
fn closes_that_cross_before_a_peer_that_does_not_read() {
    simulate(6, Options::new(), async |_, world| {
        let (app, lent) = lending();
        let served = world.serve(app).await;
        let mut peer = raw(&served, "/").await;
        let remote = lent.heard().await;
        for _ in 0..5 {
            remote.send(vec![7; 150_000]).await.unwrap();
        }
        remote.sender().close(CloseCode::NORMAL, "").unwrap();
        peer.send(frame(0x88, b"\x03\xe8")).await;
        world.client.sleep(30 * SECOND).await;
        assert_eq!(served.server.connections(), 0);
        drop((peer, remote));
        served.end().await;
    });
}

/// A drain does not wait for a peer that does not answer longer than it may.
#[test]
fn a_drain_cuts_who_does_not_answer() {
    simulate(7, Options::new(), async |_, world| {
        let served = world.serve(echoing_within(quiet())).await;
        let mut peer = raw(&served, "/").await;
        let mut polite = opening(&world, served.url("/")).await.unwrap();
        let began = world.server.now();
        let (report, last) = zip(served.server.drain(2 * SECOND), polite.next()).await;
        assert_eq!((report.finished, report.aborted), (1, 1), "{report:?}");
        assert_eq!(last.unwrap(), None);
        let took = world.server.now() - began;
        assert!(took >= 2 * SECOND && took < 3 * SECOND, "{took:?}");
        assert_eq!(peer.exactly(4).await, b"\x88\x02\x03\xe9", "the peer was told");
        drop((peer, polite));
    });
}

/// A frame that comes slowly does not hold up our ping, nor the answer to a ping before it.
#[test]
fn a_frame_that_comes_slowly_holds_up_no_ping() {
    simulate(8, Options::new(), async |_, world| {
        let (app, lent) = lending();
        let served = world.serve(app).await;
        let mut peer = raw(&served, "/").await;
        let mut remote = lent.heard().await;
        let mut head = vec![0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        head.splice(0..0, frame(0x89, b"first"));
        peer.send(head).await;
        assert_eq!(peer.exactly(7).await, b"\x8a\x05first");
        let dribble = async {
            for part in 0..64 {
                peer.send([7; 1024]).await;
                world.client.sleep(SECOND).await;
                if part == 30 {
                    remote.ping("between").unwrap();
                    assert_eq!(peer.exactly(9).await, b"\x89\x07between");
                }
            }
        };
        dribble.await;
        assert_eq!(remote.next().await.unwrap(), Some(vec![7; 65_536].into()));
        drop((peer, remote));
        served.end().await;
    });
}

/// A close that is given up at any point goes on, on whichever side; it is clean, and who reads comes to the end.
#[test]
fn a_close_that_is_dropped_goes_on() {
    for seed in 0..200 {
        let mut random = Random::from_seed(seed);
        let options = Options::new().split(u8::try_from(random.below(100)).unwrap());
        simulate(seed, options, async |_, world| {
            let (app, lent) = lending();
            let served = world.serve(app).await;
            let client = opening(&world, served.url("/")).await.unwrap();
            let remote = lent.heard().await;
            let (mut closer, mut reader) = if random.below(2) == 0 { (client, remote) } else { (remote, client) };
            for number in 0..random.below(4) {
                closer.send(number.to_string()).await.unwrap();
                reader.send("unheard").await.unwrap();
            }
            let (polls, patience) = (random.below(4), Duration::from_micros(random.below(20_000)));
            let given_up = give_up_after(polls, patience, &world.client, closer.close(CloseCode::new(4001), "bye"));
            let is_begun = given_up.await.is_some() || polls > 0;
            if is_begun && random.below(2) == 0 {
                drop(closer);
            } else {
                // A future that was never polled has done nothing.
                assert_eq!(closer.is_open(), !is_begun);
                let closure = zip(closer.close(CloseCode::new(4001), "again"), drain(&mut reader)).await.0.unwrap();
                assert!(closure.is_clean, "seed {seed}: {closure:?}");
            }
            drain(&mut reader).await;
            let closure = reader.closure().unwrap();
            let reason = if is_begun { "bye" } else { "again" };
            assert!(closure.is_clean, "seed {seed}: {closure:?}");
            assert_eq!(closure.theirs.map(|close| close.reason), Some(reason.into()), "seed {seed}");
            drop(reader);
            served.end().await;
        });
    }
}

/// So many that say nothing: a task, a stream and a timer at each end, and a heartbeat that keeps all of them.
#[test]
fn ten_thousand_idle_sockets_cost_a_task_and_a_timer_at_each_end() {
    const COUNT: usize = 10_000;
    simulate(9, Options::new(), async |simulation, world| {
        let served = world.serve(App::new().route("/", get(async |upgrade: WebSocketUpgrade| upgrade.on(hold)))).await;
        let session = Session::builder(world.client.clone()).connections(COUNT).connections_per_host(COUNT).build();
        let (mut sockets, before) = (Vec::new(), simulation.census());
        for _ in 0..COUNT {
            sockets.push(session.websocket(served.url("/")).await.unwrap());
        }
        world.client.sleep(MINUTE).await;
        let census = simulation.census();
        assert_eq!(census.streams, 2 * COUNT);
        let (tasks, timers) = (census.tasks - before.tasks, census.timers - before.timers);
        assert!(tasks <= 2 * COUNT && timers <= 2 * COUNT + 1, "{tasks} tasks and {timers} timers");
        assert_eq!(
            (served.server.connections(), sockets.iter().filter(|socket| socket.is_open()).count()),
            (COUNT, COUNT)
        );
        drop((sockets, session));
        served.end().await;
    });
}

async fn hold(mut socket: WebSocket) -> Result<(), WebSocketFailure> {
    drain(&mut socket).await;
    Ok(())
}

async fn drain(socket: &mut WebSocket) {
    while socket.next().await.unwrap().is_some() {}
}
