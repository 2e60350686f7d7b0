//! Names, addresses, listeners and connects.

use std::future::{pending, poll_fn};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;

use callboard_runtime::{ConnectOptions, Endpoint, ListenOptions};
use callboard_sim::{Options, SimError, Simulation, TraceEvent};
use futures_lite::future::{poll_once, zip};
use futures_lite::{AsyncReadExt, AsyncWriteExt};

use crate::support::{MILLISECOND, SECOND, accept, calm, connect, echo, handle, kind, listen, steady, tcp};

#[test]
fn every_host_has_an_address_that_its_name_resolves_to() {
    let simulation = Simulation::new(1);
    let (client, server) = (simulation.host("client"), simulation.host("Server"));
    assert_eq!((client.address().to_string(), server.address().to_string()), ("10.0.0.1".into(), "10.0.0.2".into()));
    assert_eq!(server.address_v6().to_string(), "fd00::2");
    assert_eq!(simulation.host("SERVER").address(), server.address(), "names have no case");
    let runtime = handle(&client);
    simulation
        .block_on(async {
            let addresses = runtime.resolve("server", 80).await.unwrap();
            assert_eq!(addresses, ["10.0.0.2:80".parse::<SocketAddr>().unwrap()]);
            assert_eq!(kind(runtime.resolve("nowhere", 80).await), ErrorKind::NotFound);
            assert_eq!(runtime.resolve("localhost", 1).await.unwrap()[0].to_string(), "127.0.0.1:1");
        })
        .unwrap();
    assert!(simulation.now().as_nanos() > 0, "a look-up takes time");
}

#[test]
fn a_literal_needs_no_look_up() {
    let simulation = Simulation::new(1);
    let runtime = handle(&simulation.host("client"));
    for (host, expected) in [("192.0.2.7", "192.0.2.7:80"), ("::1", "[::1]:80"), ("[fd00::9]", "[fd00::9]:80")] {
        let addresses = simulation.block_on(runtime.resolve(host, 80)).unwrap().unwrap();
        assert_eq!(addresses[0].to_string(), expected);
    }
    assert_eq!(simulation.now().as_nanos(), 0);
}

#[test]
fn a_dual_stack_name_has_two_addresses_in_either_order() {
    let first = |seed| {
        let simulation = Simulation::with_options(seed, Options::new().dual_stack(true));
        let runtime = handle(&simulation.host("one"));
        let addresses = simulation.block_on(runtime.resolve("one", 80)).unwrap().unwrap();
        assert_eq!(addresses.len(), 2);
        assert_ne!(addresses[0].is_ipv4(), addresses[1].is_ipv4());
        addresses[0].is_ipv4()
    };
    let firsts: Vec<bool> = (0..20).map(first).collect();
    assert!(firsts.contains(&true) && firsts.contains(&false), "{firsts:?}");
}

#[test]
fn a_connection_knows_both_its_ends() {
    let simulation = Simulation::new(3);
    let (client, server) = (simulation.host("client"), simulation.host("server"));
    simulation
        .block_on(async {
            let mut listener = listen(&server, 80);
            assert_eq!(listener.local(), tcp("0.0.0.0:80"));
            let (one, other) = zip(connect(&client, "server", 80), accept(&mut listener)).await;
            let (one, other) = (one.unwrap().info(), other.unwrap().info());
            assert_eq!(one.peer, tcp("10.0.0.2:80"));
            assert_eq!((&one.local, &one.peer), (&other.peer, &other.local));
            assert_eq!(one.local.tcp().unwrap().ip(), client.address());
            assert_eq!(one.tls, None);
        })
        .unwrap();
    assert!(simulation.census().is_empty());
}

#[test]
fn loopback_is_the_hosts_own() {
    let simulation = Simulation::new(3);
    let (one, two) = (simulation.host("one"), simulation.host("two"));
    simulation
        .block_on(async {
            let mut listener = handle(&one).listen(tcp("127.0.0.1:80"), ListenOptions::default()).unwrap();
            let (stream, _) =
                zip(handle(&one).connect(tcp("127.0.0.1:80"), ConnectOptions::default()), accept(&mut listener)).await;
            assert_eq!(stream.unwrap().info().local.tcp().unwrap().ip().to_string(), "127.0.0.1");
            let (stream, _) =
                zip(handle(&one).connect(tcp("0.0.0.0:80"), ConnectOptions::default()), accept(&mut listener)).await;
            assert_eq!(stream.unwrap().info().peer, tcp("127.0.0.1:80"));
            assert_eq!(
                kind(handle(&two).connect(tcp("127.0.0.1:80"), ConnectOptions::default()).await),
                ErrorKind::ConnectionRefused
            );
            assert_eq!(kind(connect(&two, "one", 80).await), ErrorKind::ConnectionRefused);
        })
        .unwrap();
}

#[test]
fn port_zero_is_any_free_port() {
    let simulation = Simulation::new(3);
    let host = simulation.host("one");
    let listeners = [listen(&host, 0), listen(&host, 0)];
    let ports = listeners.each_ref().map(|listener| listener.local().tcp().unwrap().port());
    assert!(ports[0] != 0 && ports[1] != 0 && ports[0] != ports[1], "{ports:?}");
}

#[test]
fn an_address_can_be_listened_on_once() {
    let simulation = Simulation::new(3);
    let host = simulation.host("one");
    let runtime = handle(&host);
    let shared = ListenOptions { reuse_port: true, ..ListenOptions::default() };
    let first = listen(&host, 80);
    for endpoint in ["0.0.0.0:80", "127.0.0.1:80", "10.0.0.1:80", "[::]:80"] {
        let result = runtime.listen(tcp(endpoint), ListenOptions::default());
        assert_eq!(kind(result), ErrorKind::AddrInUse, "{endpoint}");
        assert_eq!(kind(runtime.listen(tcp(endpoint), shared.clone())), ErrorKind::AddrInUse, "{endpoint}");
    }
    listen(&host, 81);
    listen(&simulation.host("two"), 80);
    drop(first);
    let _first = runtime.listen(tcp("0.0.0.0:80"), shared.clone()).unwrap();
    let _second = runtime.listen(tcp("0.0.0.0:80"), shared).expect("both share the port");
    assert_eq!(simulation.census().listeners, 2);
}

#[test]
fn only_own_addresses_can_be_listened_on() {
    let simulation = Simulation::new(3);
    let runtime = handle(&simulation.host("one"));
    simulation.host("two");
    for foreign in ["10.0.0.2:80", "192.0.2.1:80", "[fd00::2]:80"] {
        assert_eq!(kind(runtime.listen(tcp(foreign), ListenOptions::default())), ErrorKind::AddrNotAvailable);
    }
    runtime.listen(tcp("[fd00::1]:80"), ListenOptions::default()).expect("its own");
}

#[test]
fn listeners_that_share_a_port_share_its_connections() {
    let simulation = Simulation::new(3);
    let (client, server) = (simulation.host("client"), simulation.host("server"));
    let options = ListenOptions { reuse_port: true, ..ListenOptions::default() };
    let mut listeners =
        [(), ()].map(|()| handle(&server).listen(tcp("0.0.0.0:80"), options.clone()).expect("a shared port"));
    simulation
        .block_on(async {
            let mut clients = Vec::new();
            for _ in 0..40 {
                clients.push(connect(&client, "server", 80).await.unwrap());
            }
            for listener in &mut listeners {
                let mut count = 0;
                while poll_once(accept(listener)).await.is_some() {
                    count += 1;
                }
                assert!((5..=35).contains(&count), "{count} of 40");
            }
        })
        .unwrap();
}

#[test]
fn nobody_listens_so_the_connect_is_refused_after_a_round_trip() {
    let simulation = Simulation::with_options(3, steady());
    let client = simulation.host("client");
    simulation.host("server");
    let result = simulation.block_on(handle(&client).connect(tcp("10.0.0.2:80"), ConnectOptions::default())).unwrap();
    assert_eq!(kind(result), ErrorKind::ConnectionRefused);
    assert_eq!(simulation.now().as_nanos(), 20_000_000);
    assert!(simulation.census().is_empty());
}

#[test]
fn a_host_connects_from_its_own_addresses_only() {
    let simulation = Simulation::with_options(3, steady());
    let (client, server) = (simulation.host("client"), simulation.host("server"));
    let from = async |local: &str, to: &str| {
        let options = ConnectOptions { local: Some(local.parse().unwrap()), ..ConnectOptions::default() };
        handle(&client).connect(tcp(to), options).await
    };
    let outcome = simulation.block_on(async {
        let mut listener = listen(&server, 80);
        for local in ["10.0.0.1:0", "0.0.0.0:0", "10.0.0.1:7", "0.0.0.0:8"] {
            let (one, other) = zip(from(local, "10.0.0.2:80"), accept(&mut listener)).await;
            let (one, other) = (one.unwrap().info(), other.unwrap().info());
            let (seen, wanted) = (other.peer.tcp().unwrap(), local.parse::<SocketAddr>().unwrap());
            assert_eq!((one.local.tcp(), seen.ip().to_string().as_str()), (Some(seen), "10.0.0.1"));
            assert!(wanted.port() == 0 || wanted.port() == seen.port(), "{local}");
        }
        // Of another host; its loopback cannot be answered to; a port that is in use by a listener, by a connection.
        assert_eq!(kind(from("10.0.0.2:0", "10.0.0.2:80").await), ErrorKind::AddrNotAvailable);
        assert_eq!(kind(from("127.0.0.1:0", "10.0.0.2:80").await), ErrorKind::InvalidInput);
        let _own = listen(&client, 90);
        assert_eq!(kind(from("10.0.0.1:90", "10.0.0.2:80").await), ErrorKind::AddrInUse);
        let (_open, _other) = zip(from("10.0.0.1:91", "10.0.0.2:80"), accept(&mut listener)).await;
        assert_eq!(kind(from("10.0.0.1:91", "10.0.0.2:80").await), ErrorKind::AddrInUse);
        let mut under_way = Box::pin(from("10.0.0.1:92", "10.0.0.2:80"));
        assert!(poll_once(under_way.as_mut()).await.is_none());
        assert_eq!(kind(from("10.0.0.1:92", "10.0.0.2:80").await), ErrorKind::AddrInUse);
    });
    outcome.unwrap();
}

#[test]
fn an_address_of_nobody_is_unreachable() {
    let simulation = Simulation::new(3);
    let client = simulation.host("client");
    let result = simulation.block_on(handle(&client).connect(tcp("192.0.2.1:80"), ConnectOptions::default())).unwrap();
    assert_eq!(kind(result), ErrorKind::HostUnreachable);
    let result = simulation.block_on(handle(&client).connect(tcp("10.0.0.1:0"), ConnectOptions::default())).unwrap();
    assert_eq!(kind(result), ErrorKind::AddrNotAvailable);
}

#[test]
fn a_connect_is_done_once_the_answer_is_back_whether_accepted_or_not() {
    let simulation = Simulation::with_options(3, steady());
    let (client, server) = (simulation.host("client"), simulation.host("server"));
    let _listener = listen(&server, 80);
    simulation
        .block_on(async {
            let stream = handle(&client).connect(tcp("10.0.0.2:80"), ConnectOptions::default()).await.unwrap();
            assert_eq!(simulation.now().as_nanos(), 20_000_000);
            assert_eq!(simulation.census().streams, 2, "the other end is in the backlog");
            drop(stream);
        })
        .unwrap();
}

#[test]
fn a_full_backlog_makes_connects_wait() {
    let simulation = Simulation::with_options(3, steady());
    let (client, server) = (simulation.host("client"), simulation.host("server"));
    let options = ListenOptions { backlog: 2, ..ListenOptions::default() };
    let mut listener = handle(&server).listen(tcp("0.0.0.0:80"), options).unwrap();
    let runtime = handle(&client);
    simulation
        .block_on(async {
            let _first = runtime.connect(tcp("10.0.0.2:80"), ConnectOptions::default()).await.unwrap();
            let _second = runtime.connect(tcp("10.0.0.2:80"), ConnectOptions::default()).await.unwrap();
            let mut third = runtime.connect(tcp("10.0.0.2:80"), ConnectOptions::default());
            let patience = runtime.sleep(10 * SECOND);
            let gave_up = futures_lite::future::or(
                async {
                    let _ = (&mut third).await;
                    false
                },
                async {
                    patience.await;
                    true
                },
            );
            assert!(gave_up.await, "the backlog has room for two");
            accept(&mut listener).await.unwrap();
            third.await.expect("room now");
        })
        .unwrap();
    let postponed = |event: &TraceEvent| matches!(event, TraceEvent::Postponed { .. });
    assert!(simulation.trace().records.iter().any(|record| postponed(&record.event)));
}

#[test]
fn a_backlog_has_room_for_one_at_least() {
    let simulation = Simulation::with_options(3, steady());
    let (client, server) = (simulation.host("client"), simulation.host("server"));
    let options = ListenOptions { backlog: 0, ..ListenOptions::default() };
    let _listener = handle(&server).listen(tcp("0.0.0.0:80"), options).unwrap();
    simulation.block_on(handle(&client).connect(tcp("10.0.0.2:80"), ConnectOptions::default())).unwrap().unwrap();
}

#[test]
fn a_dropped_listener_refuses_and_resets_what_waits_for_it() {
    let simulation = Simulation::with_options(3, steady());
    let (client, server) = (simulation.host("client"), simulation.host("server"));
    let runtime = handle(&client);
    simulation
        .block_on(async {
            let listener = listen(&server, 80);
            let mut waiting = runtime.connect(tcp("10.0.0.2:80"), ConnectOptions::default()).await.unwrap();
            let late = runtime.connect(tcp("10.0.0.2:80"), ConnectOptions::default());
            let (late, ()) = zip(late, async {
                drop(listener);
            })
            .await;
            assert_eq!(kind(late), ErrorKind::ConnectionRefused);
            assert_eq!(kind(waiting.read(&mut [0; 8]).await), ErrorKind::ConnectionReset);
        })
        .unwrap();
    assert!(simulation.census().is_empty());
}

#[test]
fn a_connect_that_is_given_up_leaves_nothing() {
    // The request on its way; the answer on its way; the answer there and not looked at.
    for pause in [5, 15, 25] {
        let simulation = Simulation::with_options(3, steady());
        let (client, server) = (simulation.host("client"), simulation.host("server"));
        let mut listener = listen(&server, 80);
        let runtime = handle(&client);
        simulation
            .block_on(async {
                let mut attempt = runtime.connect(tcp("10.0.0.2:80"), ConnectOptions::default());
                assert!(poll_once(&mut attempt).await.is_none());
                runtime.sleep(pause * MILLISECOND).await;
                assert_eq!(simulation.census().connecting, 1);
                drop(attempt);
                assert_eq!(simulation.census().connecting, 0);
                runtime.sleep(SECOND).await;
                if let Some(stream) = poll_once(accept(&mut listener)).await {
                    let error = stream.unwrap().read(&mut [0; 8]).await;
                    assert_eq!(kind(error), ErrorKind::ConnectionReset);
                    assert!(pause > 10);
                } else {
                    assert!(pause < 10);
                }
                drop(listener);
            })
            .unwrap();
        assert!(simulation.census().is_empty(), "{}", simulation.census());
    }
}

#[test]
fn a_connect_that_is_given_up_does_not_keep_the_world_going() {
    let simulation = Simulation::with_options(3, steady());
    simulation.host("server");
    let runtime = handle(&simulation.host("client"));
    simulation.block_on(poll_once(runtime.connect(tcp("10.0.0.1:80"), ConnectOptions::default()))).map(drop).unwrap();
    let error = simulation.block_on(pending::<()>()).unwrap_err();
    assert!(matches!(error, SimError::Deadlock { at, .. } if at.as_nanos() == 0), "{error}");
}

#[test]
fn unix_sockets_are_found_by_their_path_on_their_host() {
    let simulation = Simulation::new(3);
    let (one, two) = (simulation.host("one"), simulation.host("two"));
    let socket = Endpoint::Unix(PathBuf::from("run/app.sock"));
    simulation
        .block_on(async {
            let mut listener = handle(&one).listen(socket.clone(), ListenOptions::default()).unwrap();
            assert_eq!(listener.local(), socket);
            let again = handle(&one).listen(socket.clone(), ListenOptions::default());
            assert_eq!(kind(again), ErrorKind::AddrInUse);
            let (client, server) =
                zip(handle(&one).connect(socket.clone(), ConnectOptions::default()), accept(&mut listener)).await;
            let (mut client, mut server) = (client.unwrap(), server.unwrap());
            assert_eq!(client.info().peer, socket);
            assert_eq!(server.info().peer, Endpoint::Unix(PathBuf::new()));
            client.write_all(b"hello").await.unwrap();
            client.close().await.unwrap();
            let mut text = String::new();
            server.read_to_string(&mut text).await.unwrap();
            assert_eq!(text, "hello");
            assert_eq!(
                kind(handle(&two).connect(socket.clone(), ConnectOptions::default()).await),
                ErrorKind::NotFound
            );
            drop(listener);
            assert_eq!(
                kind(handle(&one).connect(socket.clone(), ConnectOptions::default()).await),
                ErrorKind::NotFound
            );
            let unnamed = Endpoint::Unix(PathBuf::new());
            assert_eq!(kind(handle(&one).listen(unnamed, ListenOptions::default())), ErrorKind::InvalidInput);
        })
        .unwrap();
}

#[test]
fn a_server_that_nobody_calls_is_a_deadlock_not_a_hang() {
    let simulation = Simulation::new(3);
    echo(&simulation.host("server"), 80);
    let error = simulation.block_on(pending::<()>()).unwrap_err();
    assert!(matches!(error, SimError::Deadlock { tasks: 1, .. }), "{error}");
}

#[test]
fn the_listener_stays_usable_after_a_pending_accept() {
    let simulation = Simulation::with_options(3, calm());
    let (client, server) = (simulation.host("client"), simulation.host("server"));
    let mut listener = listen(&server, 80);
    simulation
        .block_on(async {
            let nobody = poll_once(poll_fn(|context| listener.poll_accept(context))).await;
            assert!(nobody.is_none());
            let (one, other) = zip(connect(&client, "server", 80), accept(&mut listener)).await;
            one.and(other).unwrap();
        })
        .unwrap();
}
