//! A request may be dropped at any await point: nothing is left behind, and whoever waits goes on.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use callboard_client::{Error, Session};
use callboard_core::Random;
use callboard_runtime::{Endpoint, Handle};
use callboard_sim::Simulation;
use futures_lite::stream;

use crate::script::{Server, Step, answer, send};

/// Polls a future at most `polls` times, then drops it. True if it ended by itself.
pub(crate) async fn cut_short<F: Future>(future: F, polls: usize) -> bool {
    let mut future = Box::pin(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if left == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// A request with all that takes time: a look-up, a dial, an upload in parts, a redirection, a body in parts.
pub(crate) async fn fetch(session: Session, runtime: Handle) -> Result<(), Error> {
    let parts = stream::unfold(0, move |count| {
        let runtime = runtime.clone();
        async move {
            runtime.sleep(Duration::from_millis(3)).await;
            (count < 4).then(|| (Ok::<_, std::io::Error>(Bytes::from_static(b"part")), count + 1))
        }
    });
    let request = session.post("http://server/").body_stream(parts, Some(16)).expect_continue();
    request.await?.bytes().await.map(drop)
}

pub(crate) fn script() -> Vec<Step> {
    let moved = "HTTP/1.1 303 See Other\r\nLocation: /end\r\nContent-Length: 0\r\n\r\n";
    let pause = || Step::Wait(Duration::from_millis(7));
    let one = [
        Step::Head,
        pause(),
        send("HTTP/1.1 100 Continue\r\n\r\n"),
        Step::Body(16),
        pause(),
        send(moved),
        Step::Head,
        send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        pause(),
        send("3\r\ndef\r\n"),
        pause(),
        send("0\r\n\r\n"),
    ];
    one.iter().cloned().cycle().take(one.len() * 6).collect()
}

#[test]
fn at_every_await_point_nothing_is_left() {
    let mut cut = 0;
    for seed in 0..6 {
        for polls in 0.. {
            let simulation = Simulation::new(seed);
            let server = Handle::from(simulation.host("server").runtime());
            let client = Handle::from(simulation.host("client").runtime());
            let endpoint = Endpoint::Tcp("0.0.0.0:80".parse().unwrap());
            let _server = Server::start_at(&server, endpoint, vec![script()]);
            simulation.run_for(Duration::from_millis(1)).unwrap();
            let before = simulation.census();
            let session = Session::new(client.clone());
            let has_ended = simulation.block_on(cut_short(fetch(session.clone(), client.clone()), polls)).unwrap();
            let snapshot = session.snapshot();
            assert_eq!((snapshot.open(), snapshot.waiting()), (snapshot.idle(), 0), "seed {seed}, {polls} polls");
            drop(session);
            simulation.run_for(Duration::from_secs(1)).unwrap();
            assert_eq!(simulation.census(), before, "seed {seed}, {polls} polls");
            if has_ended {
                break;
            }
            cut += 1;
        }
    }
    assert!(cut > 60, "only {cut} places to drop");
}

/// Many requests compete for few connections, and each is dropped after a random time: the others are served.
#[test]
fn waiters_go_on_when_others_give_up() {
    for seed in 0..20 {
        let simulation = Simulation::new(seed);
        let server = Handle::from(simulation.host("server").runtime());
        let client = Handle::from(simulation.host("client").runtime());
        let script: Vec<_> =
            (0..200).flat_map(|_| [Step::Head, Step::Wait(Duration::from_millis(5)), answer("ok")]).collect();
        let endpoint = Endpoint::Tcp("0.0.0.0:80".parse().unwrap());
        let _server = Server::start_at(&server, endpoint, vec![script]);
        simulation.run_for(Duration::from_millis(1)).unwrap();
        let before = simulation.census();
        let session = Session::builder(client.clone()).connections_per_host(3).build();
        let mut random = Random::from_seed(seed);
        let patience: Vec<_> = (0..100).map(|_| usize::try_from(random.below(60)).unwrap()).collect();
        let fetched = Arc::new(AtomicUsize::new(0));
        for patience in patience.iter().copied() {
            let (session, fetched) = (session.clone(), Arc::clone(&fetched));
            client.spawn(Box::pin(async move {
                let fetch = async { session.get("http://server/").await.unwrap().bytes().await.unwrap() };
                // Every third has no end to its patience.
                let polls = if patience % 3 == 0 { usize::MAX } else { patience };
                if cut_short(fetch, polls).await {
                    fetched.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
        simulation.run_for(Duration::from_secs(10)).unwrap();
        let patient = patience.iter().filter(|patience| **patience % 3 == 0).count();
        let fetched = fetched.load(Ordering::Relaxed);
        assert!(fetched >= patient, "seed {seed}: {fetched} of at least {patient}");
        let snapshot = session.snapshot();
        assert_eq!((snapshot.open(), snapshot.waiting()), (snapshot.idle(), 0), "seed {seed}");
        drop(session);
        simulation.run_for(Duration::from_secs(1)).unwrap();
        assert_eq!(simulation.census(), before, "seed {seed}");
    }
}
