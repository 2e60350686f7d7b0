//! How connections are kept, shared and closed.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use callboard_client::Session;
use callboard_sim::Simulation;
use futures_lite::future;

use crate::script::{Server, Step, answer, everywhere, pair, send, simulated};

const SECOND: Duration = Duration::from_secs(1);

/// A connection that answers one request after the other.
fn patient(count: usize) -> Vec<Step> {
    (0..count).flat_map(|_| [Step::Head, answer("ok")]).collect()
}

#[test]
fn a_connection_is_used_again_even_if_nobody_read_the_body() {
    everywhere(|runtime| {
        Box::pin(async move {
            let (session, server) = pair(&runtime, vec![patient(9)]);
            for turn in 0..9 {
                let response = session.get(server.url("/")).await.unwrap();
                assert_eq!(response.is_reused(), turn > 0);
                match turn % 3 {
                    0 => drop(response.bytes().await.unwrap()),
                    1 => drop(response),
                    _ => {
                        // The body has come with the head, or comes soon: wait for it without reading it.
                        runtime.sleep(Duration::from_millis(20)).await;
                        drop(response);
                    }
                }
                if session.snapshot().idle() == 0 {
                    // The body had not arrived when the response was dropped: the connection had to go.
                    return;
                }
            }
            assert_eq!(server.log(|log| log.connections), 1);
        })
    });
}

#[test]
fn limits_hold_and_waiters_come_in_order() {
    simulated(|runtime| {
        Box::pin(async move {
            let server = Server::start(&runtime, vec![patient(40)]);
            let session = Session::builder(runtime).connections_per_host(2).build();
            let get = |number: usize| {
                let request = session.get(server.url("/")).query("n", number);
                async move { request.await.unwrap().bytes().await.unwrap() }
            };
            let mut all: Vec<_> = (0..20).map(|number| Box::pin(get(number))).collect();
            let mut most = 0;
            poll_fn(|context| {
                all.retain_mut(|request| request.as_mut().poll(context).is_pending());
                most = most.max(session.snapshot().open());
                if all.is_empty() { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            assert_eq!((most, server.log(|log| log.connections)), (2, 2));
            // Two connections: their requests may cross on the way, but on each they keep their order.
            for connection in 0..2 {
                let numbers = server.log(|log| {
                    let heads = log.heads.iter().filter(|(of, _)| *of == connection);
                    let number = |head: &String| head.split_once("n=")?.1.split(' ').next()?.parse::<usize>().ok();
                    heads.map(|(_, head)| number(head).unwrap()).collect::<Vec<_>>()
                });
                assert!(numbers.is_sorted() && numbers.len() > 1, "{numbers:?}");
            }
            assert_eq!(session.snapshot().waiting(), 0);
        })
    });
}

#[test]
fn a_queue_that_is_full_refuses() {
    simulated(|runtime| {
        Box::pin(async move {
            let server = Server::start(&runtime, vec![vec![Step::Head]]);
            let session = Session::builder(runtime).connections(1).waiting(1).build();
            let mut first = pin!(session.get(server.url("/")).send());
            let mut second = pin!(session.get(server.url("/")).send());
            assert!(future::poll_once(&mut first).await.is_none());
            assert!(future::poll_once(&mut second).await.is_none());
            let error = session.get(server.url("/")).await.unwrap_err();
            assert!(matches!(error.kind(), callboard_client::ErrorKind::QueueFull), "{error}");
            assert_eq!(error.phase(), callboard_client::Phase::Queue);
        })
    });
}

#[test]
fn the_total_limit_evicts_the_idle_connection_of_another_host() {
    simulated(|runtime| {
        Box::pin(async move {
            let servers: Vec<_> = (0..3).map(|_| Server::start(&runtime, vec![patient(2)])).collect();
            let session = Session::builder(runtime.clone()).connections(2).build();
            for server in &servers {
                session.get(server.url("/")).await.unwrap().bytes().await.unwrap();
            }
            runtime.sleep(SECOND).await;
            let hosts: Vec<_> = session.snapshot().hosts.into_iter().map(|host| host.key).collect();
            let mut expected = vec![servers[1].origin.clone(), servers[2].origin.clone()];
            expected.sort();
            assert_eq!(hosts, expected);
            assert_eq!(servers[0].log(|log| log.ended), 1);
        })
    });
}

#[test]
fn a_connection_that_ended_while_idle_is_not_used() {
    everywhere(|runtime| {
        Box::pin(async move {
            let first = vec![Step::Head, answer("one"), Step::Close];
            let (session, server) = pair(&runtime, vec![first, patient(1)]);
            assert_eq!(session.get(server.url("/")).await.unwrap().text().await.unwrap(), "one");
            runtime.sleep(Duration::from_millis(50)).await;
            // A POST would not be repeated: it has to go out on a live connection in the first place.
            let response = session.post(server.url("/")).body("x").await.unwrap();
            assert!(!response.is_reused());
            assert_eq!(server.log(|log| log.connections), 2);
        })
    });
}

#[test]
fn stray_bytes_are_no_answer() {
    everywhere(|runtime| {
        Box::pin(async move {
            let forged = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
            let first =
                vec![Step::Head, answer("one"), Step::Wait(Duration::from_millis(10)), send(forged), Step::Head];
            let (session, server) = pair(&runtime, vec![first, patient(1)]);
            assert_eq!(session.get(server.url("/")).await.unwrap().text().await.unwrap(), "one");
            runtime.sleep(Duration::from_millis(100)).await;
            assert_eq!(session.get(server.url("/")).await.unwrap().text().await.unwrap(), "ok");
        })
    });
}

#[test]
fn idle_connections_close_by_the_timeout_or_by_the_servers_hint() {
    simulated(|runtime| {
        Box::pin(async move {
            let hint = "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n";
            let (session, server) = pair(&runtime, vec![vec![Step::Head, answer("")], vec![Step::Head, send(hint)]]);
            let (first, second) = (session.get(server.url("/")).send(), session.get(server.url("/")).send());
            let (first, second) = future::zip(first, second).await;
            drop((first.unwrap(), second.unwrap()));
            assert_eq!(session.snapshot().idle(), 2);
            for (seconds, left) in [(3, 2), (2, 1), (9, 1), (2, 0)] {
                runtime.sleep(seconds * SECOND).await;
                assert_eq!(session.snapshot().idle(), left, "after {seconds} more seconds");
            }
            assert_eq!(server.log(|log| log.ended), 2);
        })
    });
}

#[test]
fn a_session_that_is_dropped_leaves_nothing() {
    for seed in 0..12 {
        let simulation = Simulation::new(seed);
        let runtime = callboard_runtime::Handle::from(simulation.runtime());
        let (session, server) = pair(&runtime, vec![patient(3)]);
        let before = simulation.census();
        simulation
            .block_on(async {
                for _ in 0..3 {
                    session.get(server.url("/")).await.unwrap().bytes().await.unwrap();
                }
                session.close_idle();
                assert_eq!(session.snapshot().open(), 0);
                drop(session);
            })
            .unwrap();
        simulation.run_for(SECOND).unwrap();
        assert_eq!(simulation.census(), before, "seed {seed}");
    }
}

#[test]
fn unix_sockets_are_a_pool_of_their_own() {
    // The simulated network has no Unix sockets.
    let runtime = callboard_runtime::Handle::from(callboard_smol::Smol::new());
    let scenario = async {
        let path = std::env::temp_dir().join(format!("callboard-client-{}.socket", std::process::id()));
        let server = Server::start_at(&runtime, callboard_runtime::Endpoint::Unix(path.clone()), vec![patient(4)]);
        let session = Session::new(runtime.clone());
        for _ in 0..2 {
            let response = session.get("http://example.org/status").unix_socket(&path).await.unwrap();
            assert_eq!(response.text().await.unwrap(), "ok");
        }
        assert!(server.heads()[0].starts_with("GET /status HTTP/1.1\r\nHost: example.org\r\n"));
        assert_eq!(server.log(|log| log.connections), 1);
        assert!(session.snapshot().hosts[0].key.contains("unix:"));
        let everywhere = Session::builder(runtime.clone()).unix_socket(&path).build();
        assert_eq!(everywhere.get("http://any.example/").await.unwrap().text().await.unwrap(), "ok");
        std::fs::remove_file(path).unwrap();
    };
    runtime.block_on(Box::pin(scenario)).unwrap();
}
