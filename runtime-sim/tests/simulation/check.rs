//! Many seeds: the first that fails is named, and replaying it fails in the same way.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use callboard_runtime::Runtime;
use callboard_sim::{Options, Simulation};

use crate::support::{MILLISECOND, SECOND, echo, handle};

/// A bug that some seeds find: two tasks, and a program that counts on the first coming first.
async fn race(simulation: Simulation) -> Result<(), String> {
    let order = crate::support::log();
    let host = simulation.host("one");
    for number in 0..2 {
        let order = order.clone();
        host.spawn(async move { order.lock().unwrap().push(number) });
    }
    handle(&host).sleep(MILLISECOND).await;
    simulation.note("looks at the order");
    let order = order.lock().unwrap().clone();
    if order == [0, 1] { Ok(()) } else { Err(format!("the order was {order:?}")) }
}

#[test]
fn the_first_failing_seed_is_named_with_its_trace() {
    let failure = Simulation::seeds(0..100).check_quietly(race).unwrap_err();
    assert_eq!(failure.message, "the order was [1, 0]");
    assert!(failure.trace_tail.contains("looks at the order"), "{}", failure.trace_tail);
    let text = failure.to_string();
    let first = format!("failing seed: {0}; replay with Simulation::new({0})\n", failure.seed);
    assert!(text.starts_with(&first), "{text}");

    let replayed = Simulation::new(failure.seed);
    assert_eq!(replayed.block_on(race(replayed.clone())).unwrap().unwrap_err(), failure.message);
    if failure.seed > 0 {
        Simulation::seeds(0..failure.seed).check(race);
    }
}

#[test]
fn a_panic_anywhere_and_a_deadlock_fail_a_seed() {
    let failure = Simulation::seeds(5..6).check_quietly(async |_| -> () { panic!("by the body") }).unwrap_err();
    assert_eq!((failure.seed, &*failure.message), (5, "by the body"));
    let failure = Simulation::seeds(5..6)
        .check_quietly(async |simulation| {
            simulation.host("frail").spawn(async { panic!("by a task") });
            std::future::pending::<()>().await;
        })
        .unwrap_err();
    assert!(failure.message.contains("\"frail\" panicked") && failure.message.contains("by a task"), "{failure}");
    let failure = Simulation::seeds(5..6).check_quietly(|_| async { std::future::pending::<()>().await }).unwrap_err();
    assert!(failure.message.contains("deadlock"), "{failure}");
}

#[test]
fn check_panics_with_the_message() {
    let panic = catch_unwind(AssertUnwindSafe(|| {
        Simulation::seeds(8..9).check(async |_| io::Result::<()>::Err(io::Error::other("no luck")));
    }));
    let text = *panic.unwrap_err().downcast::<String>().unwrap();
    assert!(text.starts_with("failing seed: 8; replay with Simulation::new(8)\nno luck\n"), "{text}");
}

#[test]
fn a_test_that_passes_says_what_it_did_and_says_the_same_again() {
    let report = |seeds| {
        let body = async |simulation: Simulation| -> io::Result<()> {
            echo(&simulation.host("server"), 80);
            let host = simulation.host("client");
            crate::support::connect(&host, "server", 80).await?;
            handle(&host).sleep(SECOND).await;
            Ok(())
        };
        Simulation::seeds(seeds).with_options(Options::new().split(50)).check_quietly(body).unwrap()
    };
    let once = report(0..10);
    assert_eq!((once.seeds, once.virtual_time.as_secs()), (10, 10));
    assert!(once.steps > 50);
    assert_eq!(once, report(0..10));
    assert_ne!(once.hash, report(10..20).hash);
}

/// A body may move its world into a task: the world still ends with its seed.
#[test]
fn a_world_that_owns_itself_ends() {
    let alive = std::sync::Arc::new(());
    Simulation::seeds(0..3).check(async |simulation| {
        let (inner, guard) = (simulation.clone(), alive.clone());
        simulation.host("one").spawn(async move {
            std::future::pending::<()>().await;
            drop((inner, guard));
        });
        let entropy = simulation.runtime().entropy();
        simulation.note(format!("{entropy}"));
    });
    assert_eq!(std::sync::Arc::strong_count(&alive), 1);
}
