//! Watches: before and after the end, of each other, without keeping anybody.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use callboard_runtime::actor::{Down, Why, spawn};

use crate::probe::{Log, Order, Probe};
use crate::support::TestRuntime;

#[test]
fn every_watcher_hears_of_the_end() {
    let runtime = TestRuntime::new();
    let probe = spawn(&runtime.handle(), Probe::new(&Log::default()));
    let mut watches: Vec<_> = (0..5).map(|_| probe.watch()).collect();
    for watch in &mut watches {
        assert!(runtime.poll(watch).is_pending());
    }
    probe.stop();
    for watch in watches {
        assert_eq!(runtime.block_on(watch), Down { who: probe.id(), why: Why::Stopped });
    }
}

#[test]
fn a_watcher_hears_of_the_end_when_everything_is_dropped() {
    struct Heard(Log);
    impl Wake for Heard {
        fn wake(self: Arc<Self>) {
            self.0.note("heard");
        }
    }
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn(&runtime.handle(), Probe { held: vec![log.trace("probe")], ..Probe::new(&log) });
    let [future, timer] = ["future", "timer"].map(|name| log.trace(name));
    probe
        .tell(Order::call(move |_, context| {
            context.run(pending::<()>(), |()| Order::Hold(future));
            context.after(Duration::from_secs(1), Order::Hold(timer));
        }))
        .unwrap();
    runtime.run();
    probe.tell(Order::Hold(log.trace("message"))).unwrap();
    let mut watch = probe.watch();
    let waker = Waker::from(Arc::new(Heard(log.clone())));
    assert!(Pin::new(&mut watch).poll(&mut Context::from_waker(&waker)).is_pending());
    probe.stop();
    runtime.run();
    assert_eq!(log.take(), "started message-dropped stopped probe-dropped future-dropped timer-dropped heard");
}

#[test]
fn a_watch_of_the_dead_is_ready_at_once() {
    let runtime = TestRuntime::new();
    let probe = spawn(&runtime.handle(), Probe::new(&Log::default()));
    probe.kill();
    runtime.run();
    let expected = Down { who: probe.id(), why: Why::Killed };
    assert_eq!(runtime.poll_alone(&mut probe.watch()), Poll::Ready(expected));
}

#[test]
fn the_end_of_another_actor_comes_as_a_message() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let watcher = spawn(&runtime.handle(), Probe::new(&log));
    let target = spawn(&runtime.handle(), Probe::new(&Log::default()));
    for _ in 0..2 {
        let who = target.id();
        let clone = target.clone();
        watcher
            .tell(Order::call(move |_, context| {
                context.watch(&clone, move |down| {
                    assert_eq!((down.who, down.why), (who, Why::Panicked("gone".to_owned())));
                    Order::Note("down")
                });
            }))
            .unwrap();
        watcher.tell(Order::Note("watching")).unwrap();
        runtime.run();
        // The second round watches the dead.
        drop(target.tell(Order::call(|_, _| panic!("gone"))));
        runtime.run();
    }
    assert_eq!(log.take(), "started watching down watching down");
}

#[test]
fn two_actors_that_watch_each_other_both_end() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let first = spawn(&runtime.handle(), Probe { held: vec![log.trace("first")], ..Probe::new(&log) });
    let second = spawn(&runtime.handle(), Probe { held: vec![log.trace("second")], ..Probe::new(&log) });
    for (watcher, target) in [(&first, second.clone()), (&second, first.clone())] {
        watcher
            .tell(Order::call(move |_, context| {
                context.watch(&target, |_| Order::call(|_, context| context.stop()));
            }))
            .unwrap();
    }
    runtime.run();
    assert_eq!(log.take(), "started started");
    let watch = second.watch();
    first.kill();
    assert_eq!(runtime.block_on(watch).why, Why::Stopped);
    assert_eq!(log.take(), "first-dropped stopped second-dropped");
    assert_eq!(runtime.tasks(), 0);
}

#[test]
fn actors_that_watch_each_other_keep_neither() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let first = spawn(&runtime.handle(), Probe { held: vec![log.trace("first")], ..Probe::new(&log) });
    let second = spawn(&runtime.handle(), Probe { held: vec![log.trace("second")], ..Probe::new(&log) });
    for (watcher, target) in [(&first, &second), (&second, &first)] {
        let target = target.downgrade();
        watcher
            .tell(Order::call(move |_, context| {
                context.watch(&target.upgrade().unwrap(), |_| Order::Note("down"));
            }))
            .unwrap();
    }
    runtime.run();
    drop(first);
    runtime.run();
    assert_eq!(log.take(), "started started stopped first-dropped down");
    drop(second);
    runtime.run();
    assert_eq!(log.take(), "stopped second-dropped");
    assert_eq!(runtime.tasks(), 0);
}

#[test]
fn an_actor_may_watch_itself() {
    let runtime = TestRuntime::new();
    let probe = spawn(&runtime.handle(), Probe::new(&Log::default()));
    let own = probe.downgrade();
    probe
        .tell(Order::call(move |_, context| context.watch(&own.upgrade().unwrap(), |_| Order::Note("never"))))
        .unwrap();
    runtime.run();
    let watch = probe.watch();
    drop(probe);
    assert_eq!(runtime.block_on(watch).why, Why::NoAddresses);
    assert_eq!(runtime.tasks(), 0);
}

#[test]
fn a_dropped_watch_leaves_nothing_with_the_actor() {
    struct Idle;
    impl Wake for Idle {
        fn wake(self: Arc<Self>) {}
    }
    let runtime = TestRuntime::new();
    let probe = spawn(&runtime.handle(), Probe::new(&Log::default()));
    let wake = Arc::new(Idle);
    let waker = Waker::from(Arc::clone(&wake));
    let mut watches: Vec<_> = (0..100).map(|_| probe.watch()).collect();
    for watch in &mut watches {
        assert!(Pin::new(watch).poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(Arc::strong_count(&wake), 102);
    drop(watches);
    assert_eq!(Arc::strong_count(&wake), 2);
}
