//! The control lane: stop and kill overtake messages; and what keeps an actor alive.

use std::future::pending;
use std::sync::{Arc, Mutex};

use callboard_runtime::actor::{Address, TellError, WeakAddress, Why, spawn};

use crate::probe::{Log, Order, Probe};
use crate::support::TestRuntime;

fn probe(runtime: &TestRuntime, log: &Log) -> Address<Order> {
    spawn(&runtime.handle(), Probe { held: vec![log.trace("probe")], ..Probe::new(log) })
}

#[test]
fn stop_overtakes_messages_and_refuses_new_ones_at_once() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = probe(&runtime, &log);
    probe.tell(Order::Note("first")).unwrap();
    runtime.run();
    probe.tell(Order::Hold(log.trace("message"))).unwrap();
    probe.stop();
    assert!(probe.is_closed());
    assert!(matches!(probe.tell(Order::Note("late")), Err(TellError::Closed(Order::Note("late")))));
    let down = runtime.block_on(probe.watch());
    assert_eq!((down.who, down.why), (probe.id(), Why::Stopped));
    assert_eq!(log.take(), "started first message-dropped stopped probe-dropped");
    assert_eq!(runtime.tasks(), 0);
}

#[test]
fn an_actor_stops_itself_after_the_message_at_hand() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = probe(&runtime, &log);
    probe
        .tell(Order::call(|probe, context| {
            context.stop();
            probe.log.note("still-here");
        }))
        .unwrap();
    probe.tell(Order::Note("never")).unwrap();
    assert_eq!(runtime.block_on(probe.watch()).why, Why::Stopped);
    assert_eq!(log.take(), "started still-here stopped probe-dropped");
}

#[test]
fn a_kill_is_stronger_than_a_stop_and_runs_no_hook() {
    for orders in [[Address::kill, Address::stop], [Address::stop, Address::kill]] {
        let runtime = TestRuntime::new();
        let log = Log::default();
        let probe = probe(&runtime, &log);
        runtime.run();
        for order in orders {
            order(&probe);
        }
        assert_eq!(runtime.block_on(probe.watch()).why, Why::Killed);
        assert_eq!(log.take(), "started probe-dropped");
    }
}

#[test]
fn an_actor_stopped_before_it_started_runs_no_hook() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = probe(&runtime, &log);
    probe.stop();
    assert_eq!(runtime.block_on(probe.watch()).why, Why::Stopped);
    assert_eq!(log.take(), "probe-dropped");
}

#[test]
fn a_kill_drops_what_the_actor_waits_for() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = probe(&runtime, &log);
    let trace = log.trace("future");
    probe
        .tell(Order::call(|_, context| {
            let waiting = async move {
                pending::<()>().await;
                drop(trace);
            };
            context.run(waiting, |()| Order::Note("never"));
            context.after(std::time::Duration::from_secs(1), Order::Note("never"));
        }))
        .unwrap();
    runtime.run();
    assert_eq!((log.take().as_str(), runtime.timers()), ("started", 1));
    probe.kill();
    runtime.run();
    assert_eq!(log.take(), "probe-dropped future-dropped");
    assert_eq!((runtime.tasks(), runtime.timers()), (0, 0));
}

#[test]
fn a_kill_by_the_actor_itself_ends_its_turn() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = probe(&runtime, &log);
    let own = probe.clone();
    probe.tell(Order::call(move |_, _| own.kill())).unwrap();
    probe.tell(Order::Note("never")).unwrap();
    assert_eq!(runtime.block_on(probe.watch()).why, Why::Killed);
    assert_eq!(log.take(), "started probe-dropped");
}

#[test]
fn the_drop_of_the_last_address_ends_the_actor_after_its_inbox() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = probe(&runtime, &log);
    let watch = probe.watch();
    let clone = probe.clone();
    for number in 0..64 {
        clone.tell(Order::Number(number)).unwrap();
    }
    drop(probe);
    runtime.run();
    assert!(log.take().ends_with(" 62 63"));
    clone.tell(Order::Note("last")).unwrap();
    drop(clone);
    assert_eq!(runtime.block_on(watch).why, Why::NoAddresses);
    assert_eq!(log.take(), "last stopped probe-dropped");
    assert_eq!(runtime.tasks(), 0);
}

#[test]
fn futures_timers_and_watches_keep_no_actor_alive() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = probe(&runtime, &log);
    let other = spawn(&runtime.handle(), Probe::new(&Log::default()));
    let watched = other.clone();
    probe
        .tell(Order::call(move |_, context| {
            context.run(pending::<()>(), |()| Order::Note("never"));
            context.after(std::time::Duration::from_secs(1), Order::Note("never"));
            context.watch(&watched, |_| Order::Note("never"));
        }))
        .unwrap();
    drop(probe);
    runtime.run();
    assert_eq!(log.take(), "started stopped probe-dropped");
    // Nobody has an address of the other either, since the first is gone; its watch did not count.
    let watch = other.watch();
    drop(other);
    assert_eq!(runtime.block_on(watch).why, Why::NoAddresses);
}

#[test]
fn a_future_that_owns_an_address_keeps_its_actor_until_it_is_done() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = probe(&runtime, &log);
    probe
        .tell(Order::call(|_, context| {
            let handle = context.runtime().clone();
            let own = context.address();
            let saving = async move {
                handle.sleep(std::time::Duration::from_secs(1)).await;
                drop(own);
            };
            context.run(saving, |()| Order::Note("saved"));
        }))
        .unwrap();
    let watch = probe.watch();
    drop(probe);
    assert_eq!(runtime.block_on(watch).why, Why::NoAddresses);
    assert_eq!(log.take(), "started saved stopped probe-dropped");
}

#[test]
fn an_address_given_out_while_the_inbox_drains_is_a_new_life() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = probe(&runtime, &log);
    let weak = probe.downgrade();
    let given = Arc::new(Mutex::new(None));
    let place = Arc::clone(&given);
    probe
        .tell(Order::call(move |_, context| {
            let address = context.address();
            assert_eq!(context.weak_address().upgrade().as_ref(), Some(&address));
            *place.lock().unwrap() = Some(address);
        }))
        .unwrap();
    drop(probe);
    runtime.run();
    assert_eq!(log.take(), "started");
    let again = given.lock().unwrap().take().unwrap();
    again.tell(Order::Note("again")).unwrap();
    assert_eq!(again.id(), weak.id());
    drop(again);
    runtime.run();
    assert_eq!(log.take(), "again stopped probe-dropped");
}

#[test]
fn a_weak_address_reaches_the_actor_and_does_not_keep_it() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = probe(&runtime, &log);
    let weak: WeakAddress<Order> = probe.downgrade();
    weak.clone().upgrade().unwrap().tell(Order::Note("reached")).unwrap();
    let own: Arc<Mutex<Option<WeakAddress<Order>>>> = Arc::default();
    let place = Arc::clone(&own);
    probe.tell(Order::call(move |_, context| *place.lock().unwrap() = Some(context.weak_address()))).unwrap();
    runtime.run();
    assert_eq!(own.lock().unwrap().as_ref().unwrap().upgrade(), Some(probe.clone()));
    drop(probe);
    assert_eq!(weak.upgrade(), None);
    runtime.run();
    assert_eq!(log.take(), "started reached stopped probe-dropped");
    assert_eq!(own.lock().unwrap().as_ref().unwrap().upgrade(), None);
}
