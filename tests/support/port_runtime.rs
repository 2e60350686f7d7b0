//! Cases about tasks, wakes, timers and work away from the reactor.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use callboard_core::Instant;
use callboard_runtime::Handle;
use futures_lite::future::yield_now;

use super::{Case, Gift, assert_all_equal, block, give_from_thread, spawn};

pub(crate) const CASES: &[Case] = &[
    ("a future gets its output out of block_on", output),
    ("spawn, and spawn from a task", spawn_from_inside),
    ("a spawn from another thread", spawn_from_thread),
    ("a task on each worker, and it stays there", spawn_on_each),
    ("a wake from another thread", wake_from_thread),
    ("many wakes between tasks", ping_pong),
    ("a task that panics ends alone", panic_in_task),
    ("a timer is not early", timer_not_early),
    ("timers fire in their order", timer_order),
    ("a timer moves both ways, and never is never", timer_rearm),
    ("a timer serves whoever polled it last", timer_changes_task),
    ("ten thousand timers", many_timers),
    ("blocking work, and a panic in it", blocking_work),
    ("blocking work goes on alone", blocking_work_dropped),
    ("clocks and entropy", clocks),
];

fn output(runtime: &Handle) {
    assert_eq!(block(runtime, async { 7 }), 7);
    assert!(runtime.workers() >= 1);
}

fn spawn_from_inside(runtime: &Handle) {
    let handle = runtime.clone();
    let sum = block(runtime, async {
        let outer = spawn(&handle.clone(), async move {
            let inner = spawn(&handle, async { 20 });
            22 + inner.await
        });
        outer.await
    });
    assert_eq!(sum, 42);
}

fn spawn_from_thread(runtime: &Handle) {
    let gift = Gift::new();
    let (handle, giver) = (runtime.clone(), gift.clone());
    let spawner = thread::spawn(move || handle.spawn(Box::pin(async move { giver.give(5) })));
    assert_eq!(block(runtime, gift.take()), 5);
    spawner.join().unwrap();
}

fn spawn_on_each(runtime: &Handle) {
    let workers = runtime.workers();
    let gifts: Vec<Gift<Vec<thread::ThreadId>>> = (0..workers).map(|_| Gift::new()).collect();
    for (worker, gift) in gifts.iter().enumerate() {
        let (gift, handle) = (gift.clone(), runtime.clone());
        runtime.spawn_on(
            worker,
            Box::new(move || {
                let made = thread::current().id();
                Box::pin(async move {
                    let mut threads = vec![made, thread::current().id()];
                    handle.sleep(Duration::from_millis(2)).await;
                    threads.push(thread::current().id());
                    threads.push(spawn(&handle, async { thread::current().id() }).await);
                    gift.give(threads);
                })
            }),
        );
    }
    let threads: Vec<_> = block(runtime, async {
        let mut threads = Vec::new();
        for gift in &gifts {
            threads.push(gift.take().await);
        }
        threads
    });
    if workers > 1 {
        for threads in &threads {
            assert_all_equal(threads);
        }
        let first: Vec<_> = threads.iter().map(|threads| threads[0]).collect();
        assert!(first.iter().enumerate().all(|(index, id)| !first[..index].contains(id)), "workers share a thread");
    }
}

fn wake_from_thread(runtime: &Handle) {
    for round in 0..50 {
        let gift = Gift::new();
        let taker = gift.clone();
        let waiting = spawn(runtime, async move { taker.take().await });
        give_from_thread(&gift, round);
        assert_eq!(block(runtime, waiting), round);
    }
}

fn ping_pong(runtime: &Handle) {
    let (question, answer) = (Gift::new(), Gift::new());
    let there = (question.clone(), answer.clone());
    let echo = spawn(runtime, async move {
        for _ in 0..1000 {
            there.1.give(there.0.take().await);
            yield_now().await;
        }
    });
    block(runtime, async {
        for round in 0..1000 {
            question.give(round);
            assert_eq!(answer.take().await, round);
        }
        echo.await;
    });
}

fn panic_in_task(runtime: &Handle) {
    runtime.spawn(Box::pin(async { panic!("expected: a task of the suite panics") }));
    assert_eq!(block(runtime, spawn(runtime, async { 1 })), 1);
    // And what its drop frees is freed.
    let held = Arc::new(());
    let weak = Arc::downgrade(&held);
    runtime.spawn(Box::pin(async move {
        yield_now().await;
        assert_eq!(Arc::strong_count(&held), 0, "expected: a task of the suite panics later");
    }));
    block(runtime, async {
        while weak.upgrade().is_some() {
            runtime.sleep(Duration::from_millis(1)).await;
        }
    });
}

fn timer_not_early(runtime: &Handle) {
    block(runtime, async {
        for micros in [0, 1, 500, 1500, 5000] {
            let deadline = runtime.now() + Duration::from_micros(micros);
            runtime.sleep_until(deadline).await;
            assert!(runtime.now() >= deadline);
        }
        runtime.sleep_until(Instant::EPOCH).await;
    });
}

fn timer_order(runtime: &Handle) {
    let order = Arc::new(Mutex::new(Vec::new()));
    let start = runtime.now();
    let mut tasks = Vec::new();
    for step in [3, 1, 2, 0] {
        let (order, handle) = (Arc::clone(&order), runtime.clone());
        tasks.push(spawn(runtime, async move {
            handle.sleep_until(start + Duration::from_millis(20 + 20 * step)).await;
            order.lock().unwrap().push((step, handle.now()));
        }));
    }
    block(runtime, async {
        for task in tasks {
            task.await;
        }
    });
    let order = order.lock().unwrap();
    // Where a thread slept too long, two may be due at once and their tasks run in any order; the deadlines hold
    // always.
    for &(step, at) in order.iter() {
        assert!(at >= start + Duration::from_millis(20 + 20 * step));
    }
    assert_eq!(order.len(), 4);
}

fn timer_rearm(runtime: &Handle) {
    block(runtime, async {
        let start = runtime.now();
        let near = start + Duration::from_millis(5);
        let later = start + Duration::from_millis(30);
        let never = Instant::EPOCH + Duration::MAX;
        let mut timer = runtime.timer();
        // Far, then near: it fires at the near one. A set timer moves without being made anew.
        let mut polls = 0;
        poll_fn(|context| {
            polls += 1;
            if polls == 1 {
                assert!(timer.poll_at(context, never).is_pending());
                assert!(timer.poll_at(context, start + Duration::from_secs(3600)).is_pending());
            }
            timer.poll_at(context, near)
        })
        .await;
        assert!(runtime.now() >= near);
        // Near, then later: not before the later.
        let near = runtime.now() + Duration::from_millis(1);
        poll_fn(|context| {
            let _ = timer.poll_at(context, near);
            timer.poll_at(context, later)
        })
        .await;
        assert!(runtime.now() >= later);
        // A fired timer can be set again, and to the past.
        poll_fn(|context| timer.poll_at(context, later)).await;
        let again = runtime.now() + Duration::from_millis(2);
        poll_fn(|context| timer.poll_at(context, again)).await;
        assert!(runtime.now() >= again);
    });
}

fn timer_changes_task(runtime: &Handle) {
    let deadline = runtime.now() + Duration::from_millis(10);
    let mut timer = runtime.timer();
    block(runtime, async {
        poll_fn(|context| {
            assert!(timer.poll_at(context, deadline).is_pending() || runtime.now() >= deadline);
            Poll::Ready(())
        })
        .await;
        spawn(runtime, async move { poll_fn(|context| timer.poll_at(context, deadline)).await }).await;
    });
    assert!(runtime.now() >= deadline);
}

fn many_timers(runtime: &Handle) {
    const COUNT: usize = 10_000;
    let start = runtime.now();
    let early = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..COUNT)
        .map(|index| {
            let (handle, early) = (runtime.clone(), Arc::clone(&early));
            spawn(runtime, async move {
                let deadline = start + Duration::from_micros((index as u64).wrapping_mul(7919) % 60_000);
                handle.sleep_until(deadline).await;
                early.fetch_add(usize::from(handle.now() < deadline), Ordering::Relaxed);
            })
        })
        .collect();
    block(runtime, async {
        for task in tasks {
            task.await;
        }
    });
    assert_eq!(early.load(Ordering::Relaxed), 0);
}

fn blocking_work(runtime: &Handle) {
    let sum = Arc::new(AtomicUsize::new(0));
    block(runtime, async {
        let there = Arc::clone(&sum);
        let work = move || {
            there.fetch_add(3, Ordering::SeqCst);
        };
        runtime.run_blocking(Box::new(work)).await.expect("the job ends");
        assert_eq!(sum.load(Ordering::SeqCst), 3);
        let result = runtime.run_blocking(Box::new(|| panic!("expected: a job of the suite panics"))).await;
        assert!(result.is_err());
        runtime.run_blocking(Box::new(|| ())).await.expect("the next job is not hurt");
    });
}

fn blocking_work_dropped(runtime: &Handle) {
    let gift = Gift::new();
    let giver = gift.clone();
    block(runtime, async {
        drop(runtime.run_blocking(Box::new(move || giver.give(9))));
        assert_eq!(gift.take().await, 9);
    });
}

fn clocks(runtime: &Handle) {
    let first = runtime.now();
    block(runtime, runtime.sleep(Duration::from_millis(1)));
    assert!(runtime.now() >= first + Duration::from_millis(1));
    // 2024-01-01: a machine whose clock is set.
    assert!(runtime.wall_clock() > Duration::from_secs(1_704_067_200));
    let values: Vec<u64> = (0..16).map(|_| runtime.entropy()).collect();
    assert!(values.iter().enumerate().all(|(index, value)| !values[..index].contains(value)));
}
