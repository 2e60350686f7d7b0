//! Faults, one by one.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};

use callboard_runtime::{ConnectOptions, Handle};
use callboard_sim::{Fault, SimError, Simulation, TraceEvent};
use futures_lite::future::{or, poll_once};
use futures_lite::{AsyncReadExt, AsyncWriteExt};

use crate::support::{MILLISECOND, SECOND, accept, calm, connect, echo, handle, kind, listen, pair, steady, tcp};

/// Whether `future` ends within `patience` of virtual time.
async fn ends<T>(runtime: &Handle, patience: std::time::Duration, future: impl Future<Output = T>) -> Option<T> {
    or(async { Some(future.await) }, async {
        runtime.sleep(patience).await;
        None
    })
    .await
}

fn partition() -> Fault {
    Fault::Partition { a: "client".to_owned(), b: "server".to_owned() }
}

#[test]
fn a_partition_stops_bytes_and_loses_none() {
    let simulation = Simulation::with_options(1, steady());
    let runtime = handle(&simulation.host("client"));
    simulation
        .block_on(async {
            let (mut client, mut server) = pair(&simulation).await;
            client.write_all(b"on its way, ").await.unwrap();
            simulation.network().partition("server", "client");
            client.write_all(b"and after").await.expect("the buffer takes it");
            client.close().await.unwrap();
            let mut text = String::new();
            assert!(ends(&runtime, 100 * SECOND, server.read(&mut [0; 8])).await.is_none());
            simulation.network().heal("client", "server");
            let healed = simulation.now();
            server.read_to_string(&mut text).await.unwrap();
            assert_eq!(text, "on its way, and after");
            assert_eq!(simulation.now() - healed, 10 * MILLISECOND, "it sets out again when healed");
        })
        .unwrap();
    assert!(simulation.census().is_empty());
}

#[test]
fn a_partition_hides_a_reset_too() {
    let simulation = Simulation::with_options(1, steady());
    let runtime = handle(&simulation.host("client"));
    simulation
        .block_on(async {
            let (mut client, mut server) = pair(&simulation).await;
            simulation.network().partition("client", "server");
            client.abort_on_drop();
            drop(client);
            assert!(ends(&runtime, 100 * SECOND, server.read(&mut [0; 8])).await.is_none(), "the peer vanished");
            simulation.network().heal("client", "server");
            assert_eq!(kind(server.read(&mut [0; 8]).await), ErrorKind::ConnectionReset);
        })
        .unwrap();
}

#[test]
fn a_partition_concerns_its_two_hosts_only() {
    let simulation = Simulation::with_options(1, steady());
    let (client, third) = (simulation.host("client"), simulation.host("third"));
    echo(&simulation.host("server"), 80);
    simulation.network().partition("client", "server");
    simulation.block_on(connect(&third, "server", 80)).unwrap().unwrap();
    let error = simulation
        .block_on(handle(&client).connect(tcp("10.0.0.3:80"), ConnectOptions::default()))
        .map(drop)
        .unwrap_err();
    assert!(matches!(error, SimError::Deadlock { .. }), "{error}");
}

#[test]
fn connects_wait_for_a_partition_to_heal_wherever_they_are() {
    // Before the request arrives; while the answer is on its way.
    for moment in [5 * MILLISECOND, 15 * MILLISECOND] {
        let simulation = Simulation::with_options(1, steady());
        let client = handle(&simulation.host("client"));
        let mut listener = listen(&simulation.host("server"), 80);
        simulation.network().during(moment..30 * SECOND, partition());
        let mut connect = client.connect(tcp("10.0.0.2:80"), ConnectOptions::default());
        simulation
            .block_on(async {
                assert!(ends(&client, 20 * SECOND, &mut connect).await.is_none());
                let arrived = poll_once(accept(&mut listener)).await.is_some();
                assert_eq!(arrived, moment > 10 * MILLISECOND, "whether the request was there before");
            })
            .unwrap();
        simulation.block_on(connect).unwrap().unwrap();
        let seconds = (simulation.now() - callboard_core::Instant::EPOCH).as_secs();
        assert_eq!(seconds, 30, "at {moment:?}");
    }
}

#[test]
fn healing_what_is_whole_changes_nothing() {
    let simulation = Simulation::with_options(1, steady());
    let (client, server) = (handle(&simulation.host("client")), simulation.host("server"));
    let mut listener = listen(&server, 80);
    simulation.network().schedule(5 * MILLISECOND, partition().end().unwrap());
    simulation.network().schedule(15 * MILLISECOND, partition().end().unwrap());
    let stream = simulation.block_on(client.connect(tcp("10.0.0.2:80"), ConnectOptions::default())).unwrap().unwrap();
    assert_eq!(simulation.now().as_nanos(), 20_000_000);
    simulation.run_for(SECOND).unwrap();
    let accepted = [(); 2].map(|()| simulation.block_on(poll_once(accept(&mut listener))).unwrap().is_some());
    assert_eq!(accepted, [true, false], "one connection");
    drop(stream);
}

#[test]
fn a_black_hole_never_answers_and_leaves_connections_alone() {
    let simulation = Simulation::with_options(1, steady());
    let (client, server) = (simulation.host("client"), simulation.host("server"));
    let runtime = handle(&client);
    simulation
        .block_on(async {
            let (mut one, mut other) = pair(&simulation).await;
            let _listener = listen(&server, 80);
            let network = simulation.network();
            network.black_hole("client", "server");
            let mut swallowed = runtime.connect(tcp("10.0.0.2:80"), ConnectOptions::default());
            assert!(ends(&runtime, 100 * SECOND, &mut swallowed).await.is_none());
            one.write_all(b"x").await.unwrap();
            other.read_exact(&mut [0]).await.expect("old connections go on");
            network.heal("client", "server");
            assert!(ends(&runtime, 100 * SECOND, &mut swallowed).await.is_none(), "what it took is gone");
            drop(swallowed);
            runtime.connect(tcp("10.0.0.2:80"), ConnectOptions::default()).await.expect("new ones are answered");
            drop((one, other));
        })
        .unwrap();
    assert!(simulation.census().is_empty(), "{}", simulation.census());
}

#[test]
fn a_black_hole_has_a_direction() {
    let simulation = Simulation::with_options(1, steady());
    let (client, server) = (simulation.host("client"), simulation.host("server"));
    let _listener = listen(&client, 80);
    simulation.network().black_hole("client", "server");
    simulation.block_on(connect(&server, "client", 80)).unwrap().unwrap();
}

#[test]
fn a_port_can_be_made_to_refuse() {
    let simulation = Simulation::with_options(1, steady());
    let (client, server) = (simulation.host("client"), simulation.host("server"));
    let _listeners = [listen(&server, 80), listen(&server, 81)];
    let network = simulation.network();
    network.refuse("server", 80);
    simulation
        .block_on(async {
            assert_eq!(kind(connect(&client, "server", 80).await), ErrorKind::ConnectionRefused);
            connect(&client, "server", 81).await.expect("another port");
            network.allow("server", 80);
            connect(&client, "server", 80).await.expect("allowed again");
        })
        .unwrap();
}

#[test]
fn all_connections_of_a_host_can_be_reset() {
    let simulation = Simulation::with_options(1, calm());
    let (client, third) = (simulation.host("client"), simulation.host("third"));
    simulation
        .block_on(async {
            let (mut one, mut other) = pair(&simulation).await;
            echo(&third, 80);
            let mut bystander = connect(&client, "third", 80).await.unwrap();
            simulation.network().reset_all("server");
            assert_eq!(kind(one.read(&mut [0]).await), ErrorKind::ConnectionReset);
            assert_eq!(kind(other.write(&[0]).await), ErrorKind::ConnectionReset);
            bystander.write_all(b"x").await.unwrap();
            bystander.read_exact(&mut [0]).await.unwrap();
        })
        .unwrap();
}

#[test]
fn the_latency_of_two_hosts_can_be_set() {
    let simulation = Simulation::with_options(1, steady());
    simulation
        .block_on(async {
            let (mut client, mut server) = pair(&simulation).await;
            simulation.network().set_latency("server", "client", SECOND..=SECOND);
            let start = simulation.now();
            client.write_all(b"x").await.unwrap();
            server.read_exact(&mut [0]).await.unwrap();
            assert_eq!(simulation.now() - start, SECOND);
        })
        .unwrap();
}

/// A byte that sets out later and would be faster waits for the one before it.
#[test]
fn order_is_kept_when_the_latency_falls() {
    let simulation = Simulation::with_options(1, steady());
    simulation
        .block_on(async {
            let (mut client, mut server) = pair(&simulation).await;
            client.write_all(b"first ").await.unwrap();
            simulation.network().set_latency("server", "client", MILLISECOND..=MILLISECOND);
            client.write_all(b"second").await.unwrap();
            let mut received = [0; 12];
            server.read_exact(&mut received).await.unwrap();
            assert_eq!(&received, b"first second");
        })
        .unwrap();
}

#[test]
fn a_killed_host_vanishes_from_its_peers() {
    let simulation = Simulation::with_options(1, steady());
    let (client, server) = (simulation.host("client"), simulation.host("server"));
    echo(&server, 80);
    simulation
        .block_on(async {
            let mut idle = connect(&client, "server", 80).await.unwrap();
            handle(&client).sleep(SECOND).await;
            server.kill();
            assert_eq!(idle.read(&mut [0]).await.unwrap(), 0);
            assert_eq!(kind(connect(&client, "server", 80).await), ErrorKind::ConnectionRefused);
            echo(&server, 80);
            connect(&client, "server", 80).await.expect("started again");
        })
        .unwrap();
}

#[test]
fn scheduled_faults_happen_at_their_time_and_are_in_the_trace() {
    let simulation = Simulation::with_options(1, steady());
    simulation.host("client");
    simulation.host("server");
    let network = simulation.network();
    network.during(SECOND..3 * SECOND, partition());
    network.during(2 * SECOND..4 * SECOND, Fault::ResetAll { host: "server".to_owned() });
    simulation.run_for(10 * SECOND).unwrap();
    let faults: Vec<String> = simulation
        .trace()
        .records
        .iter()
        .filter(|record| matches!(record.event, TraceEvent::Fault(_)))
        .map(|record| format!("{:?} {}", record.at, record.event))
        .collect();
    assert_eq!(
        faults,
        ["1s fault: partition client | server", "2s fault: reset all of server", "3s fault: heal client | server"]
    );
}

#[test]
fn a_fault_that_is_still_to_come_may_end_a_wait() {
    let simulation = Simulation::with_options(1, steady());
    simulation
        .block_on(async {
            let (_client, mut server) = pair(&simulation).await;
            simulation.network().schedule(9 * SECOND, Fault::ResetAll { host: "server".to_owned() });
            assert!(poll_once(server.read(&mut [0])).await.is_none());
            assert_eq!(kind(server.read(&mut [0]).await), ErrorKind::ConnectionReset);
        })
        .unwrap();
}

#[test]
fn a_fault_for_nobody_is_a_mistake() {
    let simulation = Simulation::new(1);
    simulation.host("server");
    let network = simulation.network();
    for mistake in [
        catch_unwind(AssertUnwindSafe(|| network.partition("server", "clinet"))),
        catch_unwind(AssertUnwindSafe(|| network.schedule(SECOND, Fault::ResetAll { host: "clinet".to_owned() }))),
    ] {
        let text = mistake.unwrap_err().downcast::<String>().unwrap();
        assert!(text.contains("no host is named \"clinet\""), "{text}");
    }
}
