//! Every phase has a deadline that fires: in virtual time.

use std::time::Duration;

use callboard_client::{Deadline, Delivery, Error, ErrorKind, Phase, Session, Timeouts};
use callboard_core::Limits;
use callboard_runtime::{Endpoint, Handle};
use callboard_sim::Simulation;

use crate::script::{Server, Step, answer, everywhere, pair, send, simulated};

const SECOND: Duration = Duration::from_secs(1);

fn assert_deadline(error: &Error, deadline: Deadline, phase: Phase, limit: Duration) {
    let ErrorKind::TimedOut { deadline: seen, elapsed, limit: allowed } = error.kind() else { panic!("{error}") };
    assert_eq!((*seen, error.phase(), *allowed), (deadline, phase, limit), "{error}");
    assert!(*elapsed >= limit && *elapsed <= limit + SECOND / 10, "{error}");
    assert!(error.is_timeout());
}

#[test]
fn the_total_holds_while_the_head_is_due() {
    simulated(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, vec![vec![Step::Head]]);
            let error = session.get(server.url("/")).timeout(3 * SECOND).await.unwrap_err();
            assert_deadline(&error, Deadline::Total, Phase::Head, 3 * SECOND);
            assert_eq!((error.delivery(), error.reused()), (Delivery::MaybeSent, false));
            assert_eq!(error.peer().map(|peer| format!("http://{peer}")).as_deref(), Some(server.origin.as_str()));
            assert_eq!(session.snapshot().open(), 0);
        })
    });
}

#[test]
fn the_total_holds_over_a_body_that_drips() {
    simulated(|runtime| {
        Box::pin(async move {
            let mut script = vec![Step::Head, send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")];
            script.extend((0..100).flat_map(|_| [send("x"), Step::Wait(SECOND)]));
            let (session, server) = pair(&runtime, vec![script]);
            let response = session.get(server.url("/")).timeout(10 * SECOND).await.unwrap();
            let error = response.bytes().await.unwrap_err();
            assert_deadline(&error, Deadline::Total, Phase::Body, 10 * SECOND);
            assert_eq!(error.delivery(), Delivery::Answered);
        })
    });
}

#[test]
fn the_total_spans_redirections_and_reused_connections() {
    simulated(|runtime| {
        Box::pin(async move {
            let hop = send("HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n");
            let script = [Step::Head, Step::Wait(2 * SECOND), hop].into_iter().cycle().take(30);
            let (session, server) = pair(&runtime, vec![script.collect()]);
            let error = session.get(server.url("/")).timeout(5 * SECOND).await.unwrap_err();
            assert_deadline(&error, Deadline::Total, Phase::Head, 5 * SECOND);
            assert!(error.reused());
            assert_eq!(server.log(|log| log.heads.len()), 3);
        })
    });
}

#[test]
fn the_queue_has_a_deadline() {
    simulated(|runtime| {
        Box::pin(async move {
            let server = Server::start(&runtime, vec![vec![Step::Head, Step::Wait(8 * SECOND), answer("")]]);
            let timeouts = Timeouts { queue: 2 * SECOND, ..Timeouts::default() };
            let session = Session::builder(runtime.clone()).connections(1).timeouts(timeouts).build();
            let (first, second) =
                futures_lite::future::zip(session.get(server.url("/")).send(), session.get(server.url("/")).send())
                    .await;
            assert_deadline(&second.unwrap_err(), Deadline::Queue, Phase::Queue, 2 * SECOND);
            first.unwrap();
            let queued = session.get(server.url("/")).timeout(SECOND);
            let (first, second) = futures_lite::future::zip(session.get(server.url("/")).send(), queued.send()).await;
            assert_deadline(&second.unwrap_err(), Deadline::Total, Phase::Queue, SECOND);
            drop(first);
        })
    });
}

#[test]
fn connecting_to_a_black_hole_ends() {
    for seed in 0..12 {
        let simulation = Simulation::new(seed);
        let client = Handle::from(simulation.host("client").runtime());
        let _server = simulation.host("server");
        simulation.network().black_hole("client", "server");
        let outcome = simulation.block_on(async {
            let session = Session::new(client.clone());
            let error = session.get("http://server:80/").await.unwrap_err();
            assert_deadline(&error, Deadline::Connect, Phase::Connect, 10 * SECOND);
            assert_eq!(error.delivery(), Delivery::NeverSent);
            let error = session.get("http://server:80/").timeout(SECOND).await.unwrap_err();
            assert_deadline(&error, Deadline::Total, Phase::Connect, SECOND);
            assert!(matches!(error.peer(), Some(Endpoint::Tcp(_))));
            assert!(session.snapshot().hosts.is_empty());
        });
        assert!(outcome.is_ok(), "seed {seed}: {outcome:?}");
    }
}

#[test]
fn a_deadline_can_be_as_far_as_time_goes() {
    everywhere(|runtime| {
        Box::pin(async move {
            let server = Server::start(&runtime, vec![vec![Step::Head, answer("a"), Step::Head, answer("b")]]);
            let never = Duration::MAX;
            let mut timeouts = Timeouts { total: never, queue: never, ..Timeouts::default() };
            (timeouts.connect, timeouts.expect) = (never, never);
            let limits = Limits { head_timeout: never, body_timeout: never, ..Limits::default() };
            let builder = Session::builder(runtime).timeouts(timeouts).limits(limits).idle_timeout(never);
            let session = builder.connections(1).build();
            let fetch = async || session.get(server.url("/")).await.unwrap().text().await.unwrap();
            let (first, second) = futures_lite::future::zip(fetch(), fetch()).await;
            assert_eq!((first.as_str(), second.as_str()), ("a", "b"));
        })
    });
}

#[test]
fn the_connections_own_limits_hold() {
    simulated(|runtime| {
        Box::pin(async move {
            let head = send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
            let server = Server::start(&runtime, vec![vec![Step::Head], vec![Step::Head, head]]);
            let limits = Limits { head_timeout: 4 * SECOND, body_timeout: 5 * SECOND, ..Limits::default() };
            let session = Session::builder(runtime.clone()).limits(limits).build();
            let start = runtime.now();
            let error = session.get(server.url("/")).await.unwrap_err();
            assert!(error.is_timeout() && error.phase() == Phase::Head, "{error}");
            assert_eq!((runtime.now() - start).as_secs(), 4);
            let start = runtime.now();
            let error = session.get(server.url("/")).await.unwrap().bytes().await.unwrap_err();
            assert!(error.is_timeout() && error.phase() == Phase::Body, "{error}");
            assert_eq!((runtime.now() - start).as_secs(), 5);
        })
    });
}
