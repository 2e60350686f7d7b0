//! Nothing is left behind, wherever a task is cut off.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use callboard_core::Random;
use callboard_sim::{Host, Options, Simulation};
use futures_lite::{AsyncReadExt, AsyncWriteExt};

use crate::support::{CancelAfter, MILLISECOND, SECOND, connect, echo, handle};

/// One conversation with every kind of wait in it.
async fn converse(client: Host, length: usize, aborts: bool) {
    let runtime = handle(&client);
    runtime.sleep(MILLISECOND).await;
    runtime.run_blocking(Box::new(|| ())).await.expect("blocking work");
    let Ok(mut stream) = connect(&client, "server", 80).await else { return };
    if aborts {
        stream.abort_on_drop();
    }
    let talk = async {
        // In turns: a peer that only writes against one that only writes would be a deadlock of the program's own.
        for _ in 0..length / 300 {
            stream.write_all(&[1; 300]).await?;
            stream.read_exact(&mut [0; 300]).await?;
        }
        stream.close().await?;
        stream.read(&mut [0; 1]).await
    };
    // A reset ends the talk as well as the end does.
    let _ = talk.await;
}

/// The conversation, cut off after every number of polls that it can take.
#[test]
fn a_conversation_cut_off_at_any_await_leaves_nothing() {
    for seed in 0..5 {
        for polls in 1.. {
            let simulation = Simulation::with_options(seed, Options::new().buffer(512));
            echo(&simulation.host("server"), 80);
            let client = simulation.host("client");
            let ended = Arc::new(AtomicU64::new(0));
            let (count, inner) = (ended.clone(), client.clone());
            client.spawn(CancelAfter::new(polls, async move {
                converse(inner, 2000, seed % 2 == 1).await;
                count.fetch_add(1, Ordering::Relaxed);
            }));
            simulation.run_for(20 * SECOND).unwrap();
            let census = simulation.census();
            assert_eq!((census.tasks, census.listeners), (1, 1), "seed {seed}, {polls} polls: {census}");
            simulation.host("server").kill();
            assert!(simulation.census().is_empty(), "seed {seed}, {polls} polls: {}", simulation.census());
            if ended.load(Ordering::Relaxed) == 1 {
                assert!(polls > 10, "the conversation waits often");
                break;
            }
        }
    }
}

/// Ten thousand connections, each dropped at a random point, also by the server, on a bad network.
#[test]
fn ten_thousand_connections_dropped_at_random_leave_nothing() {
    let simulation = Simulation::with_options(77, Options::new().buffer(512));
    let (client, server) = (simulation.host("client"), simulation.host("server"));
    let network = simulation.network();
    let mut random = Random::from_seed(77);
    echo(&server, 80);
    for _ in 0..100 {
        for _ in 0..100 {
            let (polls, length) = (1 + random.below(25), usize::try_from(1 + random.below(3000)).unwrap());
            client.spawn(CancelAfter::new(polls, converse(client.clone(), length, polls % 3 == 0)));
        }
        match random.below(4) {
            0 => network.reset_all("client"),
            1 => {
                network.partition("client", "server");
                simulation.run_for(20 * MILLISECOND).unwrap();
                network.heal("client", "server");
            }
            2 => {
                simulation.run_for(4 * MILLISECOND).unwrap();
                server.kill();
                echo(&server, 80);
            }
            _ => {}
        }
        simulation.run_for(5 * MILLISECOND).unwrap();
    }
    simulation.run_for(60 * SECOND).unwrap();
    let census = simulation.census();
    assert_eq!((census.tasks, census.listeners), (1, 1), "{census}");
    server.kill();
    assert!(simulation.census().is_empty(), "{}", simulation.census());
    let trace = simulation.trace();
    assert!(trace.total > 200_000, "the program did its work: {} events", trace.total);
}

#[test]
fn the_end_of_the_world_takes_everything_along() {
    let alive = Arc::new(());
    {
        let simulation = Simulation::new(1);
        let client = simulation.host("client");
        echo(&simulation.host("server"), 80);
        for _ in 0..50 {
            let (inner, guard) = (client.clone(), alive.clone());
            client.spawn(async move {
                converse(inner, 100_000, false).await;
                drop(guard);
            });
        }
        simulation.run_for(9 * MILLISECOND).unwrap();
        assert!(simulation.census().streams > 0);
        assert!(Arc::strong_count(&alive) > 1);
    }
    assert_eq!(Arc::strong_count(&alive), 1);
}
