//! The client's pool under load: limits, the order of those who wait, those who give up, and stale connections.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use callboard::Method;
use callboard::client::{Delivery, ErrorKind, Phase, Session, Timeouts};
use callboard::web::{App, Path, get};
use futures_lite::future::{poll_once, zip};

use crate::peer::Peer;
use crate::signal::{Bell, Ear, bell};
use crate::world::{LONG, Listening, Served, World, scenarios};

scenarios!(
    limits_hold,
    waiters_are_served_in_order,
    whoever_gives_up_lets_the_next_on,
    a_full_queue_and_a_long_wait,
    a_stale_connection_is_replaced_once,
    a_second_failure_is_final,
    what_is_not_idempotent_is_not_repeated,
    a_half_read_answer_frees_its_slot,
    a_closed_session_serves_what_it_began,
);

/// Answers when told; says which request came, in order.
struct Gate {
    served: Served,
    came: Ear<u32>,
    go: Bell,
}

/// How many handlers run at once, and how many ever did.
#[derive(Clone, Default)]
struct Meter(Arc<(AtomicUsize, AtomicUsize)>);

async fn gate(world: &World, meter: &Meter) -> Gate {
    let ((tell, came), (go, may_go)) = (bell(), bell());
    let meter = meter.clone();
    let wait = async move |Path(number): Path<u32>| {
        let now = meter.0.0.fetch_add(1, Ordering::SeqCst) + 1;
        meter.0.1.fetch_max(now, Ordering::SeqCst);
        tell.say(number);
        may_go.heard().await;
        meter.0.0.fetch_sub(1, Ordering::SeqCst);
        number.to_string()
    };
    Gate { served: world.serve(App::new().route("/{number}", get(wait))).await, came, go }
}

/// Runs all of them, polling in turn.
async fn all(mut futures: Vec<std::pin::Pin<Box<dyn Future<Output = ()> + '_>>>) {
    poll_fn(|context| {
        futures.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if futures.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

async fn limits_hold(world: World) {
    let (first_meter, second_meter) = (Meter::default(), Meter::default());
    let (first, second) = (gate(&world, &first_meter).await, gate(&world, &second_meter).await);
    let session = Session::builder(world.client.clone()).connections(3).connections_per_host(2).build();
    for _ in 0..40 {
        first.go.ring();
        second.go.ring();
    }
    let fetch = async |url: String, number: u32| {
        let response = session.get(url).await.unwrap();
        assert!(session.snapshot().open() <= 3);
        assert_eq!(response.text().await.unwrap(), number.to_string());
    };
    let mut visits: Vec<std::pin::Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
    for number in 0..40 {
        visits.push(Box::pin(fetch(first.served.url(&format!("/{number}")), number)));
        visits.push(Box::pin(fetch(second.served.url(&format!("/{number}")), number)));
    }
    all(visits).await;
    let snapshot = session.snapshot();
    assert_eq!((snapshot.waiting(), snapshot.open(), snapshot.idle()), (0, snapshot.idle(), snapshot.open()));
    assert!(snapshot.open() <= 3 && snapshot.hosts.iter().all(|host| host.idle <= 2), "{snapshot:?}");
    for meter in [first_meter, second_meter] {
        assert!(meter.0.1.load(Ordering::SeqCst) <= 2, "more than two at once for one host");
    }
    drop(session);
    first.served.end().await;
    second.served.end().await;
}

async fn waiters_are_served_in_order(world: World) {
    let gate = gate(&world, &Meter::default()).await;
    let session = Session::builder(world.client.clone()).connections_per_host(1).build();
    let mut requests: Vec<_> =
        (0..6).map(|number| Box::pin(session.get(gate.served.url(&format!("/{number}"))).send())).collect();
    // Each asks for its place in turn.
    for request in &mut requests {
        assert!(poll_once(request.as_mut()).await.is_none());
    }
    assert_eq!(session.snapshot().waiting(), 5);
    let mut fetch = Vec::new();
    for request in requests {
        fetch.push(Box::pin(async { drop(request.await.unwrap().text().await.unwrap()) })
            as std::pin::Pin<Box<dyn Future<Output = ()>>>);
    }
    let steps = async {
        for expected in 0..6 {
            assert_eq!(gate.came.heard().await, expected);
            assert_eq!(gate.served.server.connections(), 1);
            gate.go.ring();
        }
    };
    zip(all(fetch), steps).await;
    drop(session);
    gate.served.end().await;
}

async fn whoever_gives_up_lets_the_next_on(world: World) {
    let gate = gate(&world, &Meter::default()).await;
    let session = Session::builder(world.client.clone()).connections_per_host(1).build();
    let mut requests: Vec<_> =
        (0..4).map(|number| Box::pin(session.get(gate.served.url(&format!("/{number}"))).send())).collect();
    for request in &mut requests {
        assert!(poll_once(request.as_mut()).await.is_none());
    }
    let last = requests.pop().unwrap();
    let third = requests.pop().unwrap();
    // One that waits goes, then the one that runs.
    drop(requests.pop());
    assert_eq!(session.snapshot().waiting(), 2);
    let mut first = requests.pop().unwrap();
    let mut came = Box::pin(gate.came.heard());
    let number = poll_fn(|context| {
        assert!(first.as_mut().poll(context).is_pending());
        came.as_mut().poll(context)
    });
    assert_eq!(number.await, 0);
    drop((first, came));
    let steps = async {
        assert_eq!(gate.came.heard().await, 2);
        // Leave for the one that was dropped, and for this one.
        gate.go.ring();
        gate.go.ring();
    };
    let (response, ()) = zip(third, steps).await;
    let response = response.unwrap();
    assert!(!response.is_reused(), "the connection of a request that was given up is not used again");
    assert_eq!(response.text().await.unwrap(), "2");
    gate.go.ring();
    assert_eq!(last.await.unwrap().text().await.unwrap(), "3");
    assert_eq!((session.snapshot().waiting(), session.snapshot().open()), (0, 1));
    drop(session);
    gate.served.end().await;
}

async fn a_full_queue_and_a_long_wait(world: World) {
    let gate = gate(&world, &Meter::default()).await;
    let queue = Duration::from_millis(30);
    let session = Session::builder(world.client.clone())
        .connections(1)
        .waiting(1)
        .timeouts(Timeouts { queue, ..Timeouts::default() })
        .build();
    let mut held = Box::pin(session.get(gate.served.url("/0")).send());
    assert!(poll_once(held.as_mut()).await.is_none());
    let mut waiting = Box::pin(session.get(gate.served.url("/1")).send());
    assert!(poll_once(waiting.as_mut()).await.is_none());
    let full = session.get(gate.served.url("/2")).await.unwrap_err();
    assert!(matches!(full.kind(), ErrorKind::QueueFull), "{full:?}");
    assert_eq!((full.phase(), full.delivery()), (Phase::Queue, Delivery::NeverSent));
    let late = waiting.await.unwrap_err();
    assert!(late.is_timeout() && late.to_string().contains("queue deadline"), "{late}");
    assert_eq!((late.phase(), late.delivery()), (Phase::Queue, Delivery::NeverSent));
    assert!(late.host().unwrap().starts_with("http://"), "{late:?}");
    gate.go.ring();
    assert_eq!(held.await.unwrap().text().await.unwrap(), "0");
    drop(session);
    gate.served.end().await;
}

/// Serves one request on a connection of its own, and keeps the connection.
async fn serve_one(listening: &mut Listening) -> Peer {
    let mut peer = listening.accept().await;
    peer.head().await;
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    peer
}

/// Goes away after the head of the next request, in one of two ways.
async fn go_stale(mut peer: Peer, resets: bool) {
    peer.head().await;
    if resets {
        peer.reset();
    }
}

async fn a_stale_connection_is_replaced_once(world: World) {
    for resets in [false, true] {
        let mut listening = world.listen();
        let (session, url) = (world.session(), listening.url("/"));
        let serve = async {
            let first = serve_one(&mut listening).await;
            go_stale(first, resets).await;
            serve_one(&mut listening).await
        };
        let ask = async {
            assert_eq!(session.get(&url).await.unwrap().text().await.unwrap(), "ok");
            let second = session.put(&url).body("idempotent").await.unwrap();
            assert!(!second.is_reused());
            assert_eq!(second.text().await.unwrap(), "ok");
        };
        let (_peer, ()) = zip(serve, ask).await;
    }
}

async fn a_second_failure_is_final(world: World) {
    let mut listening = world.listen();
    let (session, url) = (world.session(), listening.url("/"));
    let serve = async {
        let first = serve_one(&mut listening).await;
        go_stale(first, false).await;
        go_stale(listening.accept().await, false).await;
    };
    let ask = async {
        assert_eq!(session.get(&url).await.unwrap().text().await.unwrap(), "ok");
        let error = session.get(&url).await.unwrap_err();
        assert_eq!((error.phase(), error.delivery()), (Phase::Head, Delivery::MaybeSent), "{error}");
        assert!(!error.reused(), "{error}");
    };
    zip(serve, ask).await;
    assert_eq!(session.snapshot().open(), 0);
}

async fn what_is_not_idempotent_is_not_repeated(world: World) {
    for method in [Method::Post, Method::Patch] {
        let mut listening = world.listen();
        let (session, url) = (world.session(), listening.url("/"));
        let serve = async {
            let first = serve_one(&mut listening).await;
            go_stale(first, false).await;
            assert!(poll_once(listening.accept()).await.is_none());
        };
        let ask = async {
            assert_eq!(session.get(&url).await.unwrap().text().await.unwrap(), "ok");
            let error = session.request(method, &url).body("once").await.unwrap_err();
            assert!(error.reused() && error.to_string().contains("reused connection"), "{error}");
            assert_eq!(error.delivery(), Delivery::MaybeSent, "{error}");
        };
        zip(serve, ask).await;
    }
}

async fn a_half_read_answer_frees_its_slot(world: World) {
    let large = get(async || vec![b'x'; 4 * 1024 * 1024]);
    let served = world.serve(App::new().route("/", large).route("/small", get(async || "small"))).await;
    let session = Session::builder(world.client.clone())
        .connections(1)
        .timeouts(Timeouts { queue: LONG, total: LONG, ..Timeouts::default() })
        .build();
    for _ in 0..3 {
        let mut response = session.get(served.url("/")).await.unwrap();
        assert!(response.chunk().await.unwrap().unwrap().len() < 4 * 1024 * 1024);
        assert_eq!(session.snapshot().open(), 1);
        drop(response);
        assert_eq!(session.snapshot().open(), 0);
        let small = session.get(served.url("/small")).await.unwrap();
        assert!(!small.is_reused());
        drop(small);
    }
    drop(session);
    served.end().await;
}

async fn a_closed_session_serves_what_it_began(world: World) {
    let gate = gate(&world, &Meter::default()).await;
    let session = Session::builder(world.client.clone()).connections_per_host(1).build();
    let mut first = Box::pin(session.get(gate.served.url("/0")).send());
    assert!(poll_once(first.as_mut()).await.is_none());
    let mut came = Box::pin(gate.came.heard());
    let number = poll_fn(|context| {
        assert!(first.as_mut().poll(context).is_pending());
        came.as_mut().poll(context)
    });
    assert_eq!(number.await, 0);
    let mut second = Box::pin(session.get(gate.served.url("/1")).send());
    assert!(poll_once(second.as_mut()).await.is_none());
    session.close();
    for late in [second.await, session.clone().get(gate.served.url("/2")).await] {
        let late = late.unwrap_err();
        assert!(matches!(late.kind(), ErrorKind::SessionClosed), "{late}");
        assert_eq!((late.phase(), late.delivery()), (Phase::Queue, Delivery::NeverSent));
    }
    gate.go.ring();
    let answer = async { first.await.unwrap().text().await.unwrap() };
    let (text, ()) = zip(answer, session.closed()).await;
    assert_eq!((text.as_str(), session.snapshot().open()), ("0", 0));
    gate.served.until_open(0).await;
    gate.served.end().await;
}
