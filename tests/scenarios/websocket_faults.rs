//! A WebSocket in a simulated world of faults: peers that vanish, users that give up at every point, handlers that are
//! slow, and ten thousand sockets that leave nothing behind.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use callboard::client::Session;
use callboard::core::Random;
use callboard::sim::Options;
use callboard::web::{App, WebSocketUpgrade, get};
use callboard::websocket::{CloseCode, Event, ReceiveError, Settings, WebSocket, WebSocketError};
use callboard::{Handle, Simulation};

use crate::world::World;

/// Worlds in which futures are dropped at random.
const SEEDS: u64 = 300;
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// Polls a future so often at most and for so long, then drops it.
pub(crate) async fn give_up_after<T>(
    polls: u64,
    patience: Duration,
    runtime: &Handle,
    future: impl Future<Output = T>,
) -> Option<T> {
    let (mut future, mut sleep) = (pin!(future), pin!(runtime.sleep(patience)));
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => sleep.as_mut().poll(context).map(|()| None),
        }
    })
    .await
}

/// Runs a scenario until nothing is left of it.
pub(crate) fn simulate<F: Future<Output = ()>>(
    seed: u64,
    options: Options,
    scenario: impl FnOnce(Simulation, World) -> F,
) {
    let simulation = Simulation::with_options(seed, options);
    if let Err(error) = simulation.block_on(scenario(simulation.clone(), World::simulated(&simulation))) {
        panic!("seed {seed}: {error}\n{}", simulation.trace().tail(60));
    }
    simulation.run_for(10 * MINUTE).unwrap();
    let census = simulation.census();
    assert!(census.is_empty(), "seed {seed}: {census}\n{}", simulation.trace().tail(60));
}

/// Numbers its messages, gives up many of its waits at a random poll, and expects the other end's numbers in order,
/// none lost and none twice.
async fn converse(mut socket: WebSocket, handle: Handle, mut random: Random, count: u32) {
    let (mut sent, mut received) = (0, 0);
    let padding = "x".repeat(usize::try_from(random.below(2000)).unwrap());
    while sent < count || received < count {
        let polls = if random.below(3) == 0 { u64::MAX } else { random.below(5) };
        let patience = Duration::from_micros(random.below(50_000));
        match random.below(5) {
            0 | 1 if sent < count => {
                let message = format!("{sent} {padding}");
                let attempt = if random.below(2) == 0 { socket.send(message) } else { socket.feed(message) };
                if let Some(result) = give_up_after(polls, patience, &handle, attempt).await {
                    result.unwrap();
                    sent += 1;
                }
            }
            2 if sent == count => {
                // All is said: whatever still comes is waited for to the end.
                give_up_after(polls, patience, &handle, socket.flush()).await.transpose().unwrap();
            }
            3 => {
                let pause = Duration::from_micros(random.below(3000));
                handle.sleep(pause).await;
            }
            _ if received < count => {
                let message = if random.below(2) == 0 {
                    give_up_after(polls, patience, &handle, socket.next()).await
                } else {
                    give_up_after(polls, patience, &handle, poll_fn(|context| socket.poll_next(context))).await
                };
                if let Some(message) = message {
                    let message = message.unwrap().unwrap_or_else(|| panic!("closed after {received}"));
                    let number = message.text().unwrap().split(' ').next().unwrap().parse::<u32>().unwrap();
                    assert_eq!(number, received);
                    received += 1;
                }
            }
            _ => {}
        }
    }
    socket.flush().await.unwrap();
    // The last messages may wait for the other end's reader.
    while socket.next().await.unwrap().is_some() {}
}

fn conversing(settings: &Arc<Settings>, handle: &Handle, seed: u64, ended: &Arc<AtomicUsize>) -> App {
    let (settings, handle, ended) = (Arc::clone(settings), handle.clone(), Arc::clone(ended));
    App::new().route(
        "/",
        get(move |upgrade: WebSocketUpgrade| {
            let (settings, handle, ended) = (Arc::clone(&settings), handle.clone(), Arc::clone(&ended));
            async move {
                upgrade.settings(settings).on(async move |socket| {
                    let sender = socket.sender();
                    let talk = converse(socket, handle, Random::from_seed(seed + 1000), 40);
                    let finish = async {
                        sender.closed().await;
                    };
                    futures_lite::future::or(talk, finish).await;
                    ended.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                })
            }
        }),
    )
}

#[test]
fn dropped_futures_lose_and_corrupt_nothing() {
    for seed in 0..SEEDS {
        let mut random = Random::from_seed(seed);
        let buffer = 500 + usize::try_from(random.below(5000)).unwrap();
        let options = Options::new().split(u8::try_from(random.below(100)).unwrap()).buffer(buffer);
        let settings = Arc::new(Settings { send_buffer: buffer, fragment: 700, ..Settings::default() });
        simulate(seed, options, async |_, world| {
            let ended = Arc::new(AtomicUsize::new(0));
            let served = world.serve(conversing(&settings, &world.server, seed, &ended)).await;
            let session = world.session();
            let socket = session.websocket(served.url("/")).settings(Arc::clone(&settings)).await.unwrap();
            let sender = socket.sender();
            let handle = world.client.clone();
            let talk = converse(socket, handle.clone(), random.fork(), 40);
            let close = async {
                // Long after both have said and heard all there is.
                handle.sleep(30 * MINUTE).await;
                sender.close(CloseCode::NORMAL, "").unwrap();
                sender.closed().await
            };
            let ((), closure) = futures_lite::future::zip(talk, close).await;
            assert!(closure.is_clean, "{closure:?}");
            drop(sender);
            served.end().await;
            assert_eq!(ended.load(Ordering::SeqCst), 1);
        });
    }
}

/// A wake-up that reached a read which is then dropped is not lost: the ping that caused it is answered at once, though
/// the client looks away.
#[test]
fn a_wake_up_of_a_dropped_read_is_passed_on() {
    for by_hand in [false, true] {
        simulate(7, Options::new(), async |_, world| {
            let handle = world.server.clone();
            let ask = move |upgrade: WebSocketUpgrade| {
                let handle = handle.clone();
                async move {
                    upgrade.on(async move |mut socket| {
                        handle.sleep(Duration::from_secs(1)).await;
                        let began = handle.now();
                        socket.ping("there?")?;
                        assert!(matches!(socket.next_event().await?, Some(Event::Pong(_))));
                        assert!(handle.now() - began < Duration::from_secs(1), "the pong had to wait for a heartbeat");
                        socket.send("thanks").await?;
                        Ok(())
                    })
                }
            };
            let served = world.serve(App::new().route("/", get(ask))).await;
            let mut socket = world.session().websocket(served.url("/")).await.unwrap();
            let mut polls = 0;
            if by_hand {
                // A reader who polls by hand and stays away leaves nothing that could tell.
                poll_fn(|context| {
                    polls += 1;
                    if polls == 2 { Poll::Ready(()) } else { socket.poll_next(context).map(|_| ()) }
                })
                .await;
            } else {
                let mut next = Box::pin(socket.next());
                poll_fn(|context| {
                    polls += 1;
                    // The second time it is woken, and looks away.
                    if polls == 2 { Poll::Ready(()) } else { next.as_mut().poll(context).map(|_| ()) }
                })
                .await;
                drop(next);
            }
            world.client.sleep(MINUTE).await;
            assert_eq!(socket.next().await.unwrap(), Some("thanks".into()));
            assert_eq!(socket.next().await.unwrap(), None);
            served.end().await;
        });
    }
}

/// A handler that lets its messages wait is not a peer that is gone.
#[test]
fn a_slow_handler_keeps_its_connection() {
    simulate(1, Options::new(), async |_, world| {
        let handle = world.server.clone();
        let slow = move |upgrade: WebSocketUpgrade| {
            let handle = handle.clone();
            async move {
                upgrade.on(async move |mut socket| {
                    while let Some(message) = socket.next().await? {
                        handle.sleep(5 * MINUTE).await;
                        socket.send(message).await?;
                    }
                    Ok(())
                })
            }
        };
        let served = world.serve(App::new().route("/", get(slow))).await;
        let mut socket = world.session().websocket(served.url("/")).await.unwrap();
        for number in 0..5 {
            socket.send(format!("{number}")).await.unwrap();
        }
        // Nor is a client that looks away for long.
        world.client.sleep(20 * MINUTE).await;
        for number in 0..5 {
            assert_eq!(socket.next().await.unwrap().unwrap().text(), Some(&*number.to_string()));
        }
        drop(socket);
        served.end().await;
    });
}

/// Whoever goes without a word is found out by the heartbeat, on both sides.
#[test]
fn a_peer_that_vanishes_is_noticed() {
    for seed in 0..20 {
        simulate(seed, Options::new(), async |simulation, world| {
            let lost = Arc::new(AtomicUsize::new(0));
            let seen = Arc::clone(&lost);
            let handler = move |upgrade: WebSocketUpgrade| {
                let seen = Arc::clone(&seen);
                async move {
                    upgrade.on(async move |mut socket| {
                        let error = socket.next().await.unwrap_err();
                        assert!(
                            matches!(
                                error,
                                WebSocketError::Receive(ReceiveError::PongTimedOut | ReceiveError::ConnectionLost)
                            ),
                            "{error}"
                        );
                        seen.fetch_add(1, Ordering::SeqCst);
                        Err(error.into())
                    })
                }
            };
            let served = world.serve(App::new().route("/", get(handler))).await;
            let mut socket = world.session().websocket(served.url("/")).await.unwrap();
            let began = world.client.now();
            simulation.network().partition("client", "server");
            let error = socket.next().await.unwrap_err();
            assert!(matches!(error, WebSocketError::Receive(ReceiveError::PongTimedOut)), "{error}");
            assert!(error.is_timeout());
            assert_eq!((world.client.now() - began).as_secs(), 40, "the interval and the patience of a heartbeat");
            assert!(socket.send("x").await.is_err());
            world.client.sleep(MINUTE).await;
            assert_eq!(lost.load(Ordering::SeqCst), 1);
            simulation.network().heal("client", "server");
            drop(socket);
            served.end().await;
        });
    }
}

/// A peer that does not answer the close frame, or does not end the connection, is waited for that long and no longer.
#[test]
fn a_close_has_a_deadline() {
    simulate(3, Options::new(), async |simulation, world| {
        let app = App::new().route("/", get(async |upgrade: WebSocketUpgrade| upgrade.on(hold)));
        let served = world.serve(app).await;
        let mut socket = world.session().websocket(served.url("/")).await.unwrap();
        simulation.network().partition("client", "server");
        let began = world.client.now();
        let closure = socket.close(CloseCode::NORMAL, "").await.unwrap();
        assert_eq!((closure.is_clean, closure.error), (false, Some(ReceiveError::CloseTimedOut)));
        assert_eq!((world.client.now() - began).as_secs(), 10);
        simulation.network().heal("client", "server");
        drop(socket);
        served.end().await;
    });
}

async fn hold(mut socket: WebSocket) -> Result<(), callboard::websocket::WebSocketFailure> {
    while socket.next().await?.is_some() {}
    Ok(())
}

/// So many sockets, each given up in a way of its own. Nothing is left: no task, timer, stream, slot or place.
#[test]
fn ten_thousand_sockets_leave_nothing() {
    let simulation = Simulation::new(6455);
    let world = World::simulated(&simulation);
    let session = Session::builder(world.client.clone()).connections(20).build();
    let ended = Arc::new(AtomicUsize::new(0));
    let handler = {
        let ended = Arc::clone(&ended);
        move |upgrade: WebSocketUpgrade| {
            let ended = Arc::clone(&ended);
            async move {
                upgrade.on(async move |mut socket| {
                    let result = async {
                        while let Some(message) = socket.next().await? {
                            match message.text() {
                                Some("leave") => return Ok(()),
                                Some("fail") => return Err("asked to".into()),
                                _ => socket.send(message).await?,
                            }
                        }
                        Ok(())
                    };
                    let result = result.await;
                    ended.fetch_add(1, Ordering::SeqCst);
                    result
                })
            }
        }
    };
    let served = simulation.block_on(world.serve(App::new().route("/", get(handler)))).unwrap();
    let mut random = Random::from_seed(9);
    let mut opened = 0;
    for round in 0..200 {
        for _ in 0..50 {
            let (session, url, handle) = (session.clone(), served.url("/"), world.client.clone());
            let mut own = random.fork();
            simulation.host("client").spawn(async move {
                let polls = if own.below(4) == 0 { own.below(8) } else { u64::MAX };
                let visit = visit(session, url, &handle, own);
                give_up_after(polls, 10 * MINUTE, &handle, visit).await;
            });
        }
        opened += 50;
        if round % 10 == 9 {
            simulation.network().reset_all("server");
        }
        simulation.run_for(Duration::from_millis(random.below(200))).unwrap();
    }
    simulation.run_for(10 * MINUTE).unwrap();
    let pool = session.snapshot();
    assert_eq!((pool.open(), pool.waiting(), served.server.connections()), (0, 0, 0), "{pool:?}");
    let ended = ended.load(Ordering::SeqCst);
    assert!(ended > opened / 3, "only {ended} of {opened} were opened");
    let report = simulation.block_on(served.end()).unwrap();
    assert_eq!(report.aborted, 0);
    drop((session, world));
    simulation.run_for(MINUTE).unwrap();
    assert!(simulation.census().is_empty(), "{}", simulation.census());
}

async fn visit(session: Session, url: String, handle: &Handle, mut random: Random) {
    let Ok(mut socket) = session.websocket(url).await else { return };
    for _ in 0..random.below(5) {
        if socket.send(vec![0; usize::try_from(random.below(3000)).unwrap()]).await.is_err() {
            return;
        }
        if random.below(2) == 0 && !matches!(socket.next().await, Ok(Some(_))) {
            return;
        }
        handle.sleep(Duration::from_millis(random.below(10))).await;
    }
    let _ = match random.below(5) {
        0 => socket.send("leave").await,
        1 => socket.send("fail").await,
        2 => return drop(socket.close(CloseCode::NORMAL, "").await),
        _ => return,
    };
    while let Ok(Some(_)) = socket.next().await {}
}

#[test]
fn handles_cross_tasks() {
    // The types that cross tasks may do so.
    fn crosses<T: Send>() {}
    fn is_shared<T: Send + Sync>() {}
    crosses::<WebSocket>();
    is_shared::<callboard::websocket::WebSocketSender>();
    is_shared::<callboard::client::ConnectError>();
}
