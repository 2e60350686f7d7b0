//! The executor: which task runs is the seed's choice, all get their turn, and every way in which a run can end.

use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use crate::support::{MILLISECOND, SECOND, handle, log, pause};
use callboard_runtime::{Handle, Runtime};
use callboard_sim::{Options, SimError, Simulation, TraceEvent};

/// The order in which ten tasks come to their first poll.
fn order(seed: u64) -> Vec<usize> {
    let simulation = Simulation::new(seed);
    let order = log();
    let host = simulation.host("one");
    for number in 0..10 {
        let order = order.clone();
        host.spawn(async move { order.lock().unwrap().push(number) });
    }
    simulation.run_for(MILLISECOND).unwrap();
    order.lock().unwrap().clone()
}

#[test]
fn the_seed_chooses_who_runs_next() {
    let mut sorted = order(1);
    sorted.sort_unstable();
    assert_eq!(sorted, (0..10).collect::<Vec<_>>(), "each runs once");
    assert_eq!(order(1), order(1));
    assert!((2..10).any(|seed| order(seed) != order(1)), "the seed changes nothing");
}

#[test]
fn with_the_plainest_choices_the_longest_waiting_runs_next() {
    let simulation = Simulation::with_options(1, Options::new().replay(Vec::new()));
    let order = log();
    for number in 0..10 {
        let order = order.clone();
        simulation.host("one").spawn(async move {
            for _ in 0..3 {
                order.lock().unwrap().push(number);
                pause().await;
            }
        });
    }
    simulation.run_for(MILLISECOND).unwrap();
    assert_eq!(*order.lock().unwrap(), (0..30).map(|turn| turn % 10).collect::<Vec<_>>());
}

/// Tasks that are always ready share the polls: nobody starves, under any seed.
#[test]
fn every_ready_task_gets_its_share() {
    for seed in 0..20 {
        let simulation = Simulation::new(seed);
        let turns: Arc<Vec<AtomicUsize>> = Arc::new((0..8).map(|_| AtomicUsize::new(0)).collect());
        for number in 0..8 {
            let turns = turns.clone();
            simulation.host("one").spawn(async move {
                loop {
                    turns[number].fetch_add(1, Ordering::Relaxed);
                    pause().await;
                }
            });
        }
        simulation
            .block_on(async {
                for _ in 0..1000 {
                    pause().await;
                }
            })
            .unwrap();
        for (number, turns) in turns.iter().enumerate() {
            let turns = turns.load(Ordering::Relaxed);
            assert!((700..1300).contains(&turns), "seed {seed}: task {number} had {turns} turns of about 1000");
        }
    }
}

#[test]
fn the_future_of_block_on_may_borrow() {
    let text = String::from("mine");
    let simulation = Simulation::new(0);
    let length = simulation.block_on(async { text.len() }).unwrap();
    assert_eq!(length, text.len());
}

#[test]
fn a_deadlock_is_an_error_that_counts_the_waiting_and_names_the_seed() {
    let simulation = Simulation::new(99);
    for _ in 0..3 {
        simulation.host("one").spawn(pending());
    }
    let error = simulation.block_on(pending::<()>()).unwrap_err();
    assert!(matches!(error, SimError::Deadlock { seed: 99, tasks: 3, .. }), "{error:?}");
    assert!(error.to_string().contains("3 tasks wait (seed 99)"), "{error}");
}

#[test]
fn a_timer_that_never_fires_does_not_hide_a_deadlock() {
    let simulation = Simulation::new(0);
    let runtime = handle(&simulation.host("one"));
    let error = simulation.block_on(runtime.sleep(std::time::Duration::MAX)).unwrap_err();
    assert!(matches!(error, SimError::Deadlock { .. }), "{error}");
}

#[test]
fn virtual_time_has_a_limit() {
    let simulation = Simulation::with_options(0, Options::new().time_limit(10 * SECOND));
    let runtime = handle(&simulation.host("one"));
    simulation.block_on(runtime.sleep(10 * SECOND)).unwrap();
    simulation.block_on(runtime.sleep(10 * SECOND)).unwrap();
    let error = simulation.block_on(runtime.sleep(11 * SECOND)).unwrap_err();
    assert!(matches!(error, SimError::TimeLimit { .. }), "{error}");
    simulation.run_for(100 * SECOND).unwrap();
    assert_eq!(simulation.now().as_nanos(), 120_000_000_000, "the clock stood still at the limit");
}

#[test]
fn a_task_that_spins_meets_the_limit_of_steps() {
    let simulation = Simulation::with_options(5, Options::new().step_limit(100));
    simulation.host("one").spawn(async {
        loop {
            pause().await;
        }
    });
    let error = simulation.block_on(pending::<()>()).unwrap_err();
    assert!(matches!(error, SimError::StepLimit { seed: 5, tasks: 1, .. }), "{error}");
    assert_eq!(simulation.steps(), 100);
}

#[test]
fn the_panic_of_a_task_fails_the_run_and_names_its_host() {
    let simulation = Simulation::new(4);
    simulation.host("frail").spawn(async { panic!("broken {}", 1) });
    let error = simulation.block_on(pending::<()>()).unwrap_err();
    match &error {
        SimError::Panicked { seed: 4, host, message, .. } => assert_eq!((&**host, &**message), ("frail", "broken 1")),
        other => panic!("{other:?}"),
    }
    assert!(error.to_string().contains("host \"frail\" panicked"), "{error}");
    assert_eq!(simulation.census().tasks, 0);
    simulation.block_on(async {}).expect("the failure was reported once");
}

#[test]
fn panics_can_be_left_to_the_tasks_they_happen_in() {
    let simulation = Simulation::with_options(4, Options::new().isolate_panics(true));
    simulation.host("frail").spawn(async { panic!("broken") });
    simulation.run_for(SECOND).unwrap();
    assert_eq!(simulation.census().tasks, 0);
    assert!(simulation.trace().to_string().contains("task 1 panicked: broken"));
}

#[test]
fn the_panic_of_the_future_itself_is_passed_on() {
    let simulation = Simulation::new(0);
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = simulation.block_on(async { panic!("mine") });
    }));
    assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"mine"));
    simulation.block_on(pause()).expect("the world can still be used");
}

#[test]
fn a_panic_while_a_task_is_dropped_fails_the_run_as_well() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("boom");
        }
    }
    let simulation = Simulation::new(0);
    let host = simulation.host("one");
    host.spawn(async {
        let _bomb = Bomb;
        pending::<()>().await;
    });
    simulation.run_for(MILLISECOND).unwrap();
    host.kill();
    let error = simulation.run_for(MILLISECOND).unwrap_err();
    assert!(matches!(&error, SimError::Panicked { message, .. } if message == "boom"), "{error}");
    assert!(simulation.census().is_empty());

    let bomb = Bomb;
    host.spawn(async move {
        let _bomb = bomb;
        pending::<()>().await;
    });
    let error = simulation.block_on(async { host.kill() }).unwrap_err();
    assert!(matches!(&error, SimError::Panicked { message, .. } if message == "boom"), "in the very last poll");
}

#[test]
fn a_waker_of_a_run_that_is_over_wakes_nothing() {
    let simulation = Simulation::new(0);
    let waker = simulation.block_on(poll_fn(|context| Poll::Ready(context.waker().clone()))).unwrap();
    let before = simulation.trace().total;
    waker.wake();
    assert_eq!(simulation.trace().total, before);
}

#[test]
fn a_run_inside_a_run_is_an_error() {
    let simulation = Simulation::new(0);
    let runtime = simulation.host("one").runtime();
    let (inner, outer) = simulation
        .block_on(async {
            let outer = simulation.block_on(async {}).unwrap_err();
            (runtime.block_on(Box::pin(async {})), outer)
        })
        .unwrap();
    assert!(matches!(outer, SimError::Nested { .. }));
    assert!(inner.unwrap_err().to_string().contains("running already"));
}

#[test]
fn the_port_blocks_on_a_future_too() {
    let simulation = Simulation::new(0);
    let runtime = Handle::from(simulation.runtime());
    runtime.block_on(Box::pin(runtime.sleep(SECOND))).unwrap();
    assert_eq!(simulation.now().as_nanos(), 1_000_000_000);
    let error = runtime.block_on(Box::pin(pending())).unwrap_err();
    assert!(error.to_string().contains("deadlock"), "{error}");
}

#[test]
fn tasks_stay_between_runs_and_go_with_the_simulation() {
    let simulation = Simulation::new(0);
    let host = simulation.host("one");
    let runtime = handle(&host);
    let alive = Arc::new(());
    let inside = alive.clone();
    host.spawn(async move {
        for _ in 0..1000 {
            runtime.sleep(SECOND).await;
        }
        drop(inside);
    });
    simulation.run_for(5 * SECOND).unwrap();
    assert_eq!((simulation.census().tasks, simulation.census().timers), (1, 1));
    assert_eq!(Arc::strong_count(&alive), 2);
    let clone = simulation.clone();
    drop(simulation);
    assert_eq!(Arc::strong_count(&alive), 2, "a clone keeps the world");
    drop(clone);
    assert_eq!(Arc::strong_count(&alive), 1);
    let late = alive.clone();
    host.spawn(async move { drop(late) });
    assert_eq!(Arc::strong_count(&alive), 1, "what comes after the end is dropped");
}

#[test]
fn a_killed_host_loses_its_tasks_and_no_other_does() {
    let simulation = Simulation::new(0);
    let (one, two) = (simulation.host("one"), simulation.host("two"));
    one.spawn(pending());
    two.spawn(pending());
    let killer = one.clone();
    let after = Arc::new(AtomicUsize::new(0));
    let count = after.clone();
    one.spawn(async move {
        pause().await;
        killer.kill();
        // The task that is being polled comes to the end of its poll, not further.
        count.fetch_add(1, Ordering::Relaxed);
        pause().await;
        count.fetch_add(1, Ordering::Relaxed);
    });
    simulation.run_for(SECOND).unwrap();
    assert_eq!(after.load(Ordering::Relaxed), 1);
    assert_eq!(simulation.census().tasks, 1);
    let cancelled =
        simulation.trace().records.iter().filter(|record| matches!(record.event, TraceEvent::Cancelled { .. })).count();
    assert_eq!(cancelled, 2);
    one.spawn(async {});
    simulation.run_for(SECOND).unwrap();
}

/// Two wakes before the poll are one poll; a wake during the poll is another.
#[test]
fn wakes_are_neither_lost_nor_doubled() {
    let simulation = Simulation::new(0);
    let waker = Arc::new(Mutex::new(None::<Waker>));
    let polls = Arc::new(AtomicUsize::new(0));
    let (kept, count) = (waker.clone(), polls.clone());
    simulation.host("one").spawn(poll_fn(move |context| {
        *kept.lock().unwrap() = Some(context.waker().clone());
        if count.fetch_add(1, Ordering::Relaxed) == 1 {
            context.waker().wake_by_ref();
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }));
    simulation.run_for(MILLISECOND).unwrap();
    assert_eq!(polls.load(Ordering::Relaxed), 1);
    let wake = || waker.lock().unwrap().clone().unwrap().wake();
    wake();
    wake();
    simulation.run_for(MILLISECOND).unwrap();
    assert_eq!(polls.load(Ordering::Relaxed), 3, "one for the wakes from outside, one for those from inside");
}

/// A waker may be code that comes straight back into the world: nothing is locked then.
#[test]
fn wakers_run_with_the_lock_free() {
    struct Foreign(Handle);
    impl std::task::Wake for Foreign {
        fn wake(self: Arc<Self>) {
            self.0.spawn(Box::pin(async {}));
        }
    }
    impl Drop for Foreign {
        fn drop(&mut self) {
            self.0.now();
        }
    }
    let simulation = Simulation::new(0);
    let runtime = handle(&simulation.host("one"));
    let mut timer = runtime.timer();
    for deadline in [SECOND, 2 * SECOND, 2 * SECOND] {
        let waker = Waker::from(Arc::new(Foreign(runtime.clone())));
        let mut context = std::task::Context::from_waker(&waker);
        assert!(timer.poll_at(&mut context, runtime.now() + deadline).is_pending());
    }
    simulation.run_for(3 * SECOND).unwrap();
    assert_eq!(simulation.trace().records.iter().filter(|r| matches!(r.event, TraceEvent::Ended { .. })).count(), 1);
    assert!(simulation.census().is_empty());
}
