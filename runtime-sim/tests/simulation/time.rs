//! Virtual time: it jumps, it is exact, and all clocks of a world agree.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{MILLISECOND, SECOND, calm, handle, log, pause};
use callboard_core::Instant;
use callboard_runtime::{Runtime, SignalKind};
use callboard_sim::{Options, Simulation};

#[test]
fn an_hour_takes_a_few_steps() {
    let simulation = Simulation::new(0);
    let runtime = handle(&simulation.host("one"));
    simulation.block_on(runtime.sleep(Duration::from_secs(3600))).unwrap();
    assert_eq!(simulation.now(), Instant::EPOCH + Duration::from_secs(3600));
    assert!(simulation.steps() < 5, "{}", simulation.steps());
}

#[test]
fn time_stands_still_while_anything_is_ready() {
    let simulation = Simulation::new(0);
    let runtime = handle(&simulation.host("one"));
    simulation
        .block_on(async {
            for _ in 0..100 {
                pause().await;
            }
            assert_eq!(runtime.now(), Instant::EPOCH);
        })
        .unwrap();
}

#[test]
fn timers_fire_in_the_order_of_their_deadlines_and_at_their_deadlines() {
    for seed in 0..10 {
        let simulation = Simulation::new(seed);
        let host = simulation.host("one");
        let fired = log();
        for millis in [5_u64, 1, 4, 2, 3] {
            let (runtime, fired) = (handle(&host), fired.clone());
            host.spawn(async move {
                runtime.sleep(Duration::from_millis(millis)).await;
                fired.lock().unwrap().push((millis, runtime.now().as_nanos() / 1_000_000));
            });
        }
        simulation.run_for(SECOND).unwrap();
        assert_eq!(*fired.lock().unwrap(), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]);
        assert!(simulation.census().is_empty());
    }
}

#[test]
fn a_timer_is_moved_in_place() {
    let simulation = Simulation::new(0);
    let runtime = handle(&simulation.host("one"));
    simulation
        .block_on(async {
            let mut timer = runtime.timer();
            let deadlines = [9 * SECOND, 3 * SECOND, 6 * SECOND].map(|duration| runtime.now() + duration);
            poll_fn(|context| {
                for deadline in deadlines {
                    assert!(timer.poll_at(context, deadline).is_pending());
                    assert_eq!(simulation.census().timers, 1);
                }
                std::task::Poll::Ready(())
            })
            .await;
            poll_fn(|context| timer.poll_at(context, deadlines[2])).await;
            assert_eq!(runtime.now(), deadlines[2]);
            // A deadline that has passed is ready at once and leaves nothing behind.
            poll_fn(|context| {
                assert!(timer.poll_at(context, runtime.now() + SECOND).is_pending());
                timer.poll_at(context, deadlines[1])
            })
            .await;
            assert_eq!(runtime.now(), deadlines[2]);
            assert_eq!(simulation.census().timers, 0);
        })
        .unwrap();
}

#[test]
fn a_dropped_timer_is_gone() {
    let simulation = Simulation::new(0);
    let runtime = handle(&simulation.host("one"));
    simulation
        .block_on(async {
            let sleep = runtime.sleep(SECOND);
            assert!(futures_lite::future::poll_once(Box::pin(sleep)).await.is_none());
            assert_eq!(simulation.census().timers, 0);
        })
        .unwrap();
}

#[test]
fn run_for_takes_exactly_as_long_as_asked() {
    let simulation = Simulation::new(0);
    let host = simulation.host("one");
    let (runtime, late) = (handle(&host), Arc::new(AtomicBool::new(false)));
    let flag = late.clone();
    host.spawn(async move {
        runtime.sleep(2 * SECOND).await;
        flag.store(true, Ordering::Relaxed);
    });
    simulation.run_for(SECOND).unwrap();
    assert_eq!(simulation.now().as_nanos(), 1_000_000_000);
    assert!(!late.load(Ordering::Relaxed));
    simulation.run_for(SECOND).unwrap();
    assert!(late.load(Ordering::Relaxed), "what is due at the end belongs to the run");
    simulation.run_for(Duration::ZERO).unwrap();
    assert_eq!(simulation.now().as_nanos(), 2_000_000_000);
}

#[test]
fn the_wall_clock_runs_with_virtual_time() {
    let simulation = Simulation::with_options(0, Options::new().epoch(100 * SECOND));
    let runtime = simulation.host("one").runtime();
    assert_eq!(runtime.wall_clock(), 100 * SECOND);
    simulation.run_for(5 * MILLISECOND).unwrap();
    assert_eq!(runtime.wall_clock(), 100 * SECOND + 5 * MILLISECOND);
    let date = Simulation::new(7).host("one").runtime().wall_clock();
    assert_eq!(date, Simulation::new(8).host("one").runtime().wall_clock(), "the default is one date, not today's");
}

#[test]
fn entropy_comes_from_the_seed() {
    let draw = |seed| {
        let runtime = Simulation::new(seed).host("one").runtime();
        [runtime.entropy(), runtime.entropy()]
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    assert_ne!(draw(1)[0], draw(1)[1]);
}

#[test]
fn blocking_work_runs_later_and_even_if_nobody_waits() {
    let simulation = Simulation::with_options(0, calm().blocking(3 * SECOND..=3 * SECOND));
    let runtime = handle(&simulation.host("one"));
    let done = Arc::new(AtomicBool::new(false));
    let flag = done.clone();
    simulation.block_on(runtime.run_blocking(Box::new(move || flag.store(true, Ordering::Relaxed)))).unwrap().unwrap();
    assert!(done.swap(false, Ordering::Relaxed));
    assert_eq!(simulation.now().as_nanos(), 3_000_000_000);

    let flag = done.clone();
    drop(runtime.run_blocking(Box::new(move || flag.store(true, Ordering::Relaxed))));
    simulation.run_for(4 * SECOND).unwrap();
    assert!(done.load(Ordering::Relaxed));

    let result = simulation.block_on(runtime.run_blocking(Box::new(|| panic!("worn out")))).unwrap();
    assert!(result.unwrap_err().to_string().contains("worn out"));
    assert!(simulation.census().is_empty());
}

#[test]
fn signals_reach_everybody_on_the_host_who_asked_before() {
    let simulation = Simulation::new(0);
    let (one, two) = (simulation.host("one"), simulation.host("two"));
    one.signal(SignalKind::Terminate);
    let mut sources = [handle(&one).signals().unwrap(), handle(&one).signals().unwrap()];
    let mut foreign = handle(&two).signals().unwrap();
    let (sender, runtime) = (one.clone(), handle(&two));
    two.spawn(async move {
        runtime.sleep(SECOND).await;
        sender.signal(SignalKind::Interrupt);
        sender.signal(SignalKind::Terminate);
    });
    simulation
        .block_on(async {
            for source in &mut sources {
                for expected in [SignalKind::Interrupt, SignalKind::Terminate] {
                    let signal = poll_fn(|context| source.poll_signal(context)).await.unwrap();
                    assert_eq!(signal, expected);
                }
            }
            let nothing = poll_fn(|context| foreign.poll_signal(context));
            assert!(futures_lite::future::poll_once(nothing).await.is_none());
        })
        .unwrap();
    assert_eq!(simulation.census().signals, 3);
    drop((sources, foreign));
    assert!(simulation.census().is_empty());
}

#[test]
fn workers_are_as_many_as_asked_and_each_makes_its_own_task() {
    let simulation = Simulation::with_options(0, Options::new().workers(3));
    let runtime = handle(&simulation.host("one"));
    assert_eq!(runtime.workers(), 3);
    let made = log();
    for worker in 0..3 {
        let made = made.clone();
        runtime.spawn_on(
            worker,
            Box::new(move || {
                made.lock().unwrap().push(worker);
                Box::pin(async {})
            }),
        );
    }
    assert!(made.lock().unwrap().is_empty(), "made on the worker, not by the caller");
    simulation.run_for(SECOND).unwrap();
    let mut made = made.lock().unwrap().clone();
    made.sort_unstable();
    assert_eq!(made, [0, 1, 2]);
}
