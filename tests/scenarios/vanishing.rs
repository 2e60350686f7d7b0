//! Peers that vanish in the middle of each phase, in each of the ways there are: an end, a reset, a network that
//! resets or splits. Whoever stays behind gets a typed error or nothing, and nothing is left behind.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use callboard::client::{Delivery, Error, ErrorKind, Phase, Session, Timeouts};
use callboard::sim::Fault;
use callboard::web::{App, Body, BodyError, get, post};
use callboard::{Handle, Simulation};
use futures_lite::future::zip;
use futures_lite::stream;

use crate::peer::Peer;
use crate::signal::{Bell, Fall, bell};
use crate::world::{LONG, World};

/// How a peer goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// It closes, as a process does that ends.
    Close,
    /// It resets its connection.
    Reset,
    /// The network resets the connection at both ends.
    NetworkReset,
    /// Nothing passes any more; the peer is still there, and says nothing.
    Partition,
}

const WAYS: [Way; 4] = [Way::Close, Way::Reset, Way::NetworkReset, Way::Partition];

impl Way {
    /// Lets it happen. What has to stay until the end is given back.
    fn go(self, simulation: &Simulation, peer: Peer) -> Option<Peer> {
        match self {
            Self::Close => drop(peer),
            Self::Reset => peer.reset(),
            Self::NetworkReset => {
                simulation.network().reset_all("client");
                return Some(peer);
            }
            Self::Partition => {
                simulation.network().partition("client", "server");
                return Some(peer);
            }
        }
        None
    }
}

/// Nothing may be left when all has come to its end.
async fn check_empty(simulation: &Simulation, runtime: &Handle) {
    runtime.sleep(Duration::from_secs(600)).await;
    let census = simulation.census();
    assert!(census.is_empty(), "{census}");
}

fn app(tell: &Bell<String>, runtime: &Handle) -> App {
    let (reading, waiting, sending, runtime) = (tell.clone(), tell.clone(), tell.clone(), runtime.clone());
    let read = async move |mut body: Body| -> Result<&'static str, BodyError> {
        reading.say("begun".to_owned());
        while let Some(chunk) = body.next().await {
            if let Err(error) = chunk {
                reading.say(format!("{error:?}"));
                return Err(error);
            }
        }
        Ok("whole")
    };
    let wait = async move || {
        waiting.say("begun".to_owned());
        let fall = Fall(waiting.clone(), "over".to_owned());
        runtime.sleep(Duration::from_secs(100)).await;
        drop(fall);
        "late"
    };
    let endless = async move || {
        let fall = Fall(sending.clone(), "over".to_owned());
        sending.say("begun".to_owned());
        Body::stream(stream::repeat_with(move || {
            let _held = &fall;
            Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 5000]))
        }))
    };
    App::new().route("/", get(async || "Hello").post(read)).route("/wait", get(wait)).route("/endless", get(endless))
}

/// What a peer says before it goes, and what the handler tells: at first and in the end.
const PHASES: [(&str, &[&str]); 6] = [
    ("", &[]),
    ("GET / HTTP/1.1\r\nHo", &[]),
    ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &[]),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart of it", &["begun", "body"]),
    ("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n", &["begun", "over"]),
    ("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n", &["begun", "over"]),
];

#[test]
fn clients_vanish() {
    for way in WAYS {
        Simulation::seeds(0..20).check(async |simulation| {
            let world = World::simulated(&simulation);
            for (said, expected) in PHASES {
                simulation.note(format!("{way:?} after {said:?}"));
                let (tell, told) = bell();
                let served = world.serve(app(&tell, &world.server)).await;
                let mut peer = served.connect().await;
                peer.send(said).await;
                served.until_open(1).await;
                if let Some(begun) = expected.first() {
                    assert_eq!(told.heard().await, *begun);
                } else {
                    world.client.sleep(Duration::from_millis(20)).await;
                }
                let start = world.server.now();
                let kept = way.go(&simulation, peer);
                match expected.last() {
                    Some(&"body") => {
                        let error = told.heard().await;
                        let cut = if way == Way::Partition { "TimedOut" } else { "Cut" };
                        assert_eq!(error, cut);
                    }
                    Some(over) => assert_eq!(told.heard().await, *over),
                    None => {}
                }
                served.until_open(0).await;
                // Whoever can know of it does soon; a network that splits shows by deadlines only.
                let limit = if way == Way::Partition { 240 } else { 6 };
                let elapsed = world.server.now() - start;
                assert!(elapsed < Duration::from_secs(limit), "{said:?}: {elapsed:?}");
                simulation.network().heal("client", "server");
                drop(kept);
                served.end().await;
            }
            check_empty(&simulation, &world.server).await;
        });
    }
}

/// What a server does before it goes: reads so many bytes behind the head, says something; and how the client's error
/// is to be after a close.
const ANSWERS: [(usize, &str, Phase, Delivery); 6] = [
    (0, "", Phase::Head, Delivery::MaybeSent),
    (0, "HTTP/1.1 200 OK\r\nX-Cut: a", Phase::Head, Delivery::Answered),
    (0, "HTTP/1.1 100 Continue\r\n\r\n", Phase::Head, Delivery::Answered),
    (0, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart", Phase::Body, Delivery::Answered),
    (0, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n", Phase::Body, Delivery::Answered),
    (10_000, "", Phase::Write, Delivery::MaybeSent),
];

/// A request with a body that is larger than what fits between both ends, or without any.
async fn ask(session: &Session, url: &str, uploads: bool) -> Error {
    let request = if uploads { session.post(url).body(vec![b'x'; 400_000]) } else { session.get(url) };
    match request.await {
        Ok(response) => response.bytes().await.unwrap_err(),
        Err(error) => error,
    }
}

#[test]
fn servers_vanish() {
    for way in WAYS {
        Simulation::seeds(0..20).check(async |simulation| {
            let world = World::simulated(&simulation);
            let total = Duration::from_secs(20);
            let timeouts = Timeouts { total, ..Timeouts::default() };
            let session = Session::builder(world.client.clone()).timeouts(timeouts).build();
            for (reads, said, phase, delivery) in ANSWERS {
                simulation.note(format!("{way:?} after {said:?}"));
                let mut listening = world.listen();
                let url = listening.url("/");
                let start = world.client.now();
                let serve = async {
                    let mut peer = listening.accept().await;
                    peer.head().await;
                    peer.exactly(reads).await;
                    peer.send(said).await;
                    // So that all of it has come: a reset may destroy what has not been read.
                    world.server.sleep(Duration::from_millis(50)).await;
                    way.go(&simulation, peer)
                };
                let (kept, error) = zip(serve, ask(&session, &url, reads > 0)).await;
                check(&error, way, phase, delivery);
                assert!(world.client.now() - start < total + Duration::from_secs(1));
                assert_eq!(session.snapshot().open(), 0, "{error}");
                simulation.network().heal("client", "server");
                drop(kept);
            }
            drop(session);
            check_empty(&simulation, &world.server).await;
        });
    }
}

fn check(error: &Error, way: Way, phase: Phase, delivery: Delivery) {
    assert!(error.peer().is_some() && error.host().is_some() && !error.reused(), "{error:?}");
    assert_eq!((error.phase(), error.delivery()), (phase, delivery), "{way:?}: {error:?}");
    let fits = match error.kind() {
        ErrorKind::TimedOut { .. } => way == Way::Partition,
        ErrorKind::Receive(_) => way == Way::Close,
        // What was still to be sent meets a reset, also after a close.
        ErrorKind::Transport(_) => way != Way::Partition && (way != Way::Close || phase == Phase::Write),
        _ => false,
    };
    assert!(fits, "{way:?}: {error:?}");
}

/// What became of each request, by the handler that counts it.
type Seen = Arc<Mutex<BTreeMap<u32, u32>>>;

/// What an error says about delivery is true, whatever the network does meanwhile; and nothing happens twice.
#[test]
fn delivery_is_true() {
    let tally = Mutex::new(BTreeMap::new());
    Simulation::seeds(0..40).check(async |simulation| {
        let world = World::simulated(&simulation);
        let seen = Seen::default();
        let counting = Arc::clone(&seen);
        let count = async move |text: String| {
            let number: u32 = text.trim_start_matches('0').parse().unwrap();
            *counting.lock().unwrap().entry(number).or_default() += 1;
            text
        };
        let served = world.serve(App::new().route("/", post(count))).await;
        let timeouts = Timeouts { total: Duration::from_secs(2), ..Timeouts::default() };
        let session = Session::builder(world.client.clone()).timeouts(timeouts).build();
        let faults = async {
            for _ in 0..30 {
                let pause = Duration::from_micros(world.client.entropy() % 60_000);
                world.client.sleep(pause).await;
                match world.client.entropy() % 4 {
                    0 => {
                        let fault = Fault::Partition { a: "client".to_owned(), b: "server".to_owned() };
                        let now = simulation.now() - callboard::Instant::EPOCH;
                        simulation.network().during(now..now + pause * 60, fault);
                    }
                    _ => simulation.network().reset_all("server"),
                }
            }
        };
        let requests = async {
            for number in 1..=60 {
                let text = format!("{number:020000}");
                let answer = match session.post(served.url("/")).body(text.clone()).await {
                    Ok(response) => response.text().await,
                    Err(error) => Err(error),
                };
                let count = seen.lock().unwrap().get(&number).copied().unwrap_or(0);
                let outcome = match &answer {
                    Ok(echoed) => {
                        assert_eq!((echoed, count), (&text, 1));
                        "answered in full"
                    }
                    Err(error) => match error.delivery() {
                        Delivery::NeverSent => {
                            assert_eq!(count, 0, "{number}: {error}");
                            "never sent"
                        }
                        Delivery::MaybeSent => "maybe sent",
                        Delivery::Answered => {
                            assert_eq!(count, 1, "{number}: {error}");
                            "answered in part"
                        }
                    },
                };
                *tally.lock().unwrap().entry(outcome).or_insert(0) += 1;
            }
        };
        zip(faults, requests).await;
        world.client.sleep(Duration::from_secs(10)).await;
        assert!(seen.lock().unwrap().values().all(|count| *count == 1), "{:?}", seen.lock().unwrap());
        drop(session);
        let report = served.server.drain(LONG).await;
        assert_eq!(report.aborted, 0);
        drop(served);
        check_empty(&simulation, &world.server).await;
    });
    let tally = tally.into_inner().unwrap();
    println!("{tally:?}");
    assert_eq!(tally.len(), 4, "the faults do not reach every outcome: {tally:?}");
}
