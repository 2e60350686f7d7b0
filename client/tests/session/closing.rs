//! What becomes of a session that is closed, and of what it was doing.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use callboard_client::{Body, Delivery, Error, ErrorKind, Jitter, Phase, RetryPolicy, Session};
use callboard_runtime::{Endpoint, Handle};
use callboard_sim::Simulation;
use futures_lite::future::{or, poll_once, zip};
use futures_lite::stream;

use crate::addresses::{Road, Roads};
use crate::cancelling::{fetch, script};
use crate::files::Counting;
use crate::script::{Server, Step, answer, everywhere, send, simulated};

const SECOND: Duration = Duration::from_secs(1);

fn assert_closed(error: &Error, phase: Phase) {
    assert!(matches!(error.kind(), ErrorKind::SessionClosed), "{error}");
    assert_eq!((error.phase(), error.delivery()), (phase, Delivery::NeverSent), "{error}");
}

#[test]
fn idle_connections_close_and_busy_ones_go_on_to_their_end() {
    everywhere(|runtime| {
        Box::pin(async move {
            let (head, rest) = (send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf"), send("half"));
            let busy = vec![Step::Head, head, Step::Until("go"), rest];
            let idle = vec![Step::Head, answer("ok")];
            let server = Server::start(&runtime, vec![busy, idle]);
            let session = Session::new(runtime.clone());
            // The end of its body comes when the session is closed, and the end of the answer after that.
            let (clock, watched) = (runtime.clone(), session.clone());
            let parts = stream::unfold(0, move |count| {
                let (clock, watched) = (clock.clone(), watched.clone());
                async move {
                    while count == 1 && !watched.is_closed() {
                        clock.sleep(Duration::from_millis(1)).await;
                    }
                    (count < 2).then(|| (Ok::<_, std::io::Error>(["no", "go"][count].into()), count + 1))
                }
            });
            let mut response = session.post(server.url("/")).body_stream(parts, None).await.unwrap();
            assert_eq!(session.get(server.url("/")).await.unwrap().bytes().await.unwrap(), "ok");
            assert_eq!((session.snapshot().idle(), session.snapshot().open()), (1, 2));
            assert!(!session.is_closed() && poll_once(pin!(session.closed())).await.is_none());

            session.close();
            assert!(session.clone().is_closed());
            assert_eq!((session.snapshot().idle(), session.snapshot().open()), (0, 1));
            assert_closed(&session.get(server.url("/")).await.unwrap_err(), Phase::Queue);
            let body = async {
                let mut body = Vec::new();
                while let Some(part) = response.chunk().await {
                    body.extend_from_slice(&part.unwrap());
                }
                body
            };
            let (body, ()) = zip(body, session.closed()).await;
            assert_eq!(body, b"halfhalf");
            assert_eq!(session.snapshot().open(), 0, "what cannot be used again is not kept");
            session.close();
            session.closed().await;
            assert_eq!(server.log(|log| log.connections), 2);
        })
    });
}

#[test]
fn who_waits_is_told_at_once_whatever_for() {
    simulated(|runtime| {
        Box::pin(async move {
            let (mut roads, server) = Roads::new(&runtime, &[("10.9.0.1", Road::Hangs)]);
            roads.look_up_time = 9 * SECOND;
            let retry = RetryPolicy { first_delay: 5 * SECOND, jitter: Jitter::None, ..RetryPolicy::attempts(9) };
            let session = Session::builder(Handle::from(roads.clone())).connections_per_host(1).retry(retry).build();
            let stuck = Counting { inner: runtime.clone(), jobs: Arc::default(), is_stuck: true };
            let opening = Session::new(stuck);
            let mut looking = pin!(session.get("http://name:4000/").send());
            let mut connecting = pin!(session.get("http://10.9.0.1:4000/").send());
            let mut waiting = pin!(session.get("http://10.9.0.1:4000/").send());
            let mut backing_off = pin!(session.get("http://missing:4000/").send());
            let mut building = pin!(opening.post(server.url("/")).body(Body::file("any")).send());
            assert!(poll_once(looking.as_mut()).await.is_none());
            assert!(poll_once(connecting.as_mut()).await.is_none());
            assert!(poll_once(waiting.as_mut()).await.is_none());
            assert!(poll_once(building.as_mut()).await.is_none());
            // Until its look-up has failed.
            let ten = async {
                runtime.sleep(10 * SECOND).await;
                true
            };
            assert!(or(async { backing_off.as_mut().await.is_ok() }, ten).await);
            let mut second = pin!(session.get("http://other:4000/").send());
            assert!(poll_once(second.as_mut()).await.is_none());
            assert_eq!(session.snapshot().waiting(), 1);

            let began = runtime.now();
            session.close();
            opening.close();
            assert_closed(&second.await.unwrap_err(), Phase::Dns);
            assert_closed(&connecting.await.unwrap_err(), Phase::Connect);
            assert_closed(&waiting.await.unwrap_err(), Phase::Queue);
            assert_closed(&backing_off.await.unwrap_err(), Phase::Queue);
            assert_closed(&building.await.unwrap_err(), Phase::Build);
            assert_closed(&looking.await.unwrap_err(), Phase::Dns);
            session.closed().await;
            assert_eq!(runtime.now(), began);
            // The look-ups that were under way were dropped.
            assert_eq!(roads.log.lock().unwrap().dropped, 2);
            assert_eq!(session.snapshot().hosts, []);
        })
    });
}

/// Wherever a request is when its session is closed: it ends, and nothing is left of it.
#[test]
fn at_every_moment_nothing_is_left() {
    let (mut whole, mut refused) = (0, 0);
    for seed in 0..6 {
        for moment in 0..60 {
            let simulation = Simulation::new(seed);
            let server = Handle::from(simulation.host("server").runtime());
            let client = Handle::from(simulation.host("client").runtime());
            let _server = Server::start_at(&server, Endpoint::Tcp("0.0.0.0:80".parse().unwrap()), vec![script()]);
            simulation.run_for(Duration::from_millis(1)).unwrap();
            let before = simulation.census();
            let session = Session::new(client.clone());
            let work = async {
                let closing = async {
                    client.sleep(Duration::from_millis(moment)).await;
                    session.close();
                    session.closed().await;
                };
                zip(fetch(session.clone(), client.clone()), closing).await.0
            };
            match simulation.block_on(work).unwrap() {
                Ok(()) => whole += 1,
                Err(error) => {
                    assert!(matches!(error.kind(), ErrorKind::SessionClosed), "seed {seed}, {moment} ms: {error}");
                    refused += 1;
                }
            }
            assert_eq!(session.snapshot().hosts, [], "seed {seed}, {moment} ms");
            simulation.run_for(SECOND).unwrap();
            assert_eq!(simulation.census(), before, "seed {seed}, {moment} ms");
        }
    }
    assert!(whole > 60 && refused > 30, "{whole} went on, {refused} did not");
}
