//! The same seed and program give the same run, whatever ran before on this thread or elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::BytesMut;
use callboard_runtime::{Buffers, Runtime};
use callboard_sim::{Fault, Options, Simulation, TraceEvent};
use futures_lite::{AsyncReadExt, AsyncWriteExt};

use crate::support::{MILLISECOND, SECOND, connect, echo, handle, listen, pause};

/// Eight clients of an echo server, with faults: how many were answered.
fn busy(simulation: &Simulation) -> u64 {
    let (client, server) = (simulation.host("client"), simulation.host("server"));
    let network = simulation.network();
    let partition = Fault::Partition { a: "client".to_owned(), b: "server".to_owned() };
    network.during(20 * MILLISECOND..300 * MILLISECOND, partition);
    network.schedule(400 * MILLISECOND, Fault::ResetAll { host: "client".to_owned() });
    echo(&server, 80);
    let answered = Arc::new(AtomicU64::new(0));
    for _ in 0..8 {
        let (host, answered) = (client.clone(), answered.clone());
        client.spawn(async move {
            let runtime = handle(&host);
            for _ in 0..10 {
                let Ok(mut stream) = connect(&host, "server", 80).await else { continue };
                let question = vec![u8::try_from(runtime.entropy() % 256).unwrap(); 3000];
                let mut answer = Vec::new();
                let ok = stream.write_all(&question).await.is_ok()
                    && stream.close().await.is_ok()
                    && stream.read_to_end(&mut answer).await.is_ok();
                answered.fetch_add(u64::from(ok && answer == question), Ordering::Relaxed);
                runtime.sleep(MILLISECOND).await;
            }
        });
    }
    simulation.run_for(5 * SECOND).unwrap();
    answered.load(Ordering::Relaxed)
}

fn hash(seed: u64) -> (u64, u64, u64) {
    let simulation = Simulation::new(seed);
    let answered = busy(&simulation);
    (simulation.trace_hash(), simulation.trace().total, answered)
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..10 {
        let (one, two) = (Simulation::new(seed), Simulation::new(seed));
        busy(&one);
        busy(&two);
        assert_eq!(one.trace(), two.trace(), "seed {seed}");
        assert_eq!(one.trace().to_string(), two.trace().to_string());
        assert_eq!(one.choices(), two.choices());
        assert_eq!(one.steps(), two.steps());
    }
}

#[test]
fn another_seed_gives_another_trace() {
    let mut hashes: Vec<_> = (0..30).map(hash).collect();
    assert!(hashes.iter().all(|hash| hash.2 > 8), "the program did its work: {hashes:?}");
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 30);
}

#[test]
fn another_thread_gives_the_same_trace() {
    let here = hash(3);
    #[expect(clippy::disallowed_methods, reason = "that threads do not show is what is tested")]
    let there = std::thread::spawn(|| hash(3)).join().unwrap();
    assert_eq!(here, there);
}

#[test]
fn how_much_of_the_trace_is_kept_changes_nothing() {
    let hashes = [0, 1, 100_000].map(|length| {
        let simulation = Simulation::with_options(3, Options::new().trace_length(length));
        busy(&simulation);
        assert!(simulation.trace().records.len() <= length);
        simulation.trace_hash()
    });
    assert_eq!(hashes[0], hashes[1]);
    assert_eq!(hashes[1], hashes[2]);
}

/// The pool of read buffers belongs to the thread: what an earlier run left in it must not show.
#[test]
fn a_pool_of_buffers_does_not_show() {
    let run = || {
        let simulation = Simulation::new(11);
        let (client, server) = (simulation.host("client"), simulation.host("server"));
        let mut listener = listen(&server, 80);
        simulation
            .block_on(async {
                server.spawn(async move {
                    let mut stream = crate::support::accept(&mut listener).await.unwrap();
                    stream.write_all(&vec![7; 100_000]).await.unwrap();
                });
                let mut stream = connect(&client, "server", 80).await.unwrap();
                let mut kept = Vec::new();
                // All that the network can hold is there: what is read is limited by nothing but the buffer.
                handle(&client).sleep(SECOND).await;
                loop {
                    let mut buffer = Buffers::take();
                    Buffers::make_room(&mut buffer);
                    let fill = std::future::poll_fn(|context| stream.poll_fill(context, &mut buffer));
                    if fill.await.unwrap() == 0 {
                        break;
                    }
                    // A part of the block lives on, as a body would: the rest goes back to the pool, shorter.
                    kept.push(buffer.split_to(buffer.len() / 2).freeze());
                    Buffers::give(buffer);
                }
            })
            .unwrap();
        simulation.trace_hash()
    };
    let first = run();
    for capacity in [0, 3_000, 9_000, 15_000] {
        Buffers::give(BytesMut::with_capacity(capacity));
        assert_eq!(first, run(), "with {capacity} bytes lent");
    }
}

#[test]
fn the_recorded_choices_make_the_same_run_without_the_seed() {
    let original = Simulation::new(21);
    busy(&original);
    let choices = original.choices();
    assert!(choices.is_complete());
    let again = Simulation::with_options(22, Options::new().replay(choices.list.clone()));
    busy(&again);
    assert_eq!(original.trace_hash(), again.trace_hash());
    assert_eq!(again.choices(), choices);

    let mut plainer = choices.list;
    plainer.truncate(plainer.len() / 2);
    let other = Simulation::with_options(22, Options::new().replay(plainer));
    assert!(busy(&other) > 0, "a cut list is still a run");
}

#[test]
fn the_trace_tells_the_story() {
    let simulation = Simulation::new(1);
    let (client, server) = (simulation.host("client"), simulation.host("server"));
    echo(&server, 80);
    simulation
        .block_on(async {
            let mut stream = connect(&client, "server", 80).await.unwrap();
            client.note("asks");
            stream.write_all(b"x").await.unwrap();
            stream.read_exact(&mut [0]).await.unwrap();
            stream.close().await.unwrap();
            assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
            drop(stream);
            pause().await;
        })
        .unwrap();
    let story: Vec<String> = simulation
        .trace()
        .records
        .iter()
        .filter(|record| {
            !matches!(
                record.event,
                TraceEvent::Polled { .. }
                    | TraceEvent::Woken { .. }
                    | TraceEvent::TimerFired
                    | TraceEvent::Ended { .. }
            )
        })
        .map(|record| format!("{} {}", record.host, record.event))
        .collect();
    assert_eq!(
        story,
        [
            "server listener 1 on 0.0.0.0:80",
            "server task 1 spawned",
            "(test) task 0 spawned",
            "client name \"server\" resolved",
            "client connection 1 to 10.0.0.2:80",
            "server connection 1 accepted",
            "server task 2 spawned",
            "client connection 1 connected",
            "client note: asks",
            "client connection 1 (client) sent 1 bytes",
            "server connection 1 (server) got 1 bytes",
            "server connection 1 (server) read 1 bytes",
            "server connection 1 (server) sent 1 bytes",
            "client connection 1 (client) got 1 bytes",
            "client connection 1 (client) read 1 bytes",
            "client connection 1 (client) half-closed",
            "server connection 1 (server) saw the peer's end",
            "server connection 1 (server) half-closed",
            "server connection 1 (server) closed",
            "client connection 1 (client) saw the peer's end",
            "client connection 1 (client) closed",
        ]
    );
}

#[test]
fn the_hash_is_of_the_bytes_too() {
    let hash = |byte: u8| {
        let simulation = Simulation::new(1);
        simulation
            .block_on(async {
                let (mut client, mut server) = crate::support::pair(&simulation).await;
                client.write_all(&[byte; 100]).await.unwrap();
                server.read_exact(&mut [0; 100]).await.unwrap();
            })
            .unwrap();
        simulation.trace_hash()
    };
    assert_eq!(hash(1), hash(1));
    assert_ne!(hash(1), hash(2));
}

#[test]
fn notes_count() {
    let hash = |note: &str| {
        let simulation = Simulation::new(1);
        simulation.note(note);
        simulation.trace_hash()
    };
    assert_eq!(hash("a"), hash("a"));
    assert_ne!(hash("a"), hash("b"));
}

#[test]
fn entropy_of_two_hosts_differs() {
    let simulation = Simulation::new(1);
    assert_ne!(simulation.host("a").runtime().entropy(), simulation.host("b").runtime().entropy());
}
