//! Panics and the end of a runtime: one actor ends, in order, and nothing stays behind.

use std::future::pending;
use std::task::Poll;
use std::time::Duration;

use callboard_runtime::actor::{Actor, AskError, Context, TellError, Why, spawn};

use crate::probe::{Log, Order, Probe};
use crate::support::TestRuntime;

#[test]
fn a_panic_ends_one_actor_and_no_other() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn(&runtime.handle(), Probe { held: vec![log.trace("probe")], ..Probe::new(&log) });
    let other_log = Log::default();
    let other = spawn(&runtime.handle(), Probe::new(&other_log));
    let trace = log.trace("future");
    probe
        .tell(Order::call(|_, context| {
            context.run(pending::<()>(), move |()| Order::Hold(trace));
        }))
        .unwrap();
    probe.tell(Order::call(|_, _| panic!("number {}", 7))).unwrap();
    probe.tell(Order::Hold(log.trace("message"))).unwrap();
    let mut question = Box::pin(probe.ask(Order::Ask));
    assert!(runtime.poll(&mut question).is_pending());
    assert_eq!(runtime.block_on(question), Err(AskError::NoReply));
    let down = runtime.block_on(probe.watch());
    assert_eq!(down.why, Why::Panicked("number 7".to_owned()));
    assert_eq!(down.why.to_string(), "panicked: number 7");
    assert_eq!(log.take(), "started message-dropped probe-dropped future-dropped");
    assert!(matches!(probe.tell(Order::Note("late")), Err(TellError::Closed(_))));
    other.tell(Order::Note("alive")).unwrap();
    runtime.run();
    assert_eq!(other_log.take(), "started alive");
    assert_eq!(runtime.tasks(), 1);
}

#[test]
fn a_panic_in_a_hook_is_a_panic_of_the_actor() {
    for hook in ["started", "stopped"] {
        let runtime = TestRuntime::new();
        let log = Log::default();
        let probe = Probe { held: vec![log.trace("probe")], panics_when: hook, ..Probe::new(&log) };
        let probe = spawn(&runtime.handle(), probe);
        runtime.run();
        probe.stop();
        let Why::Panicked(text) = runtime.block_on(probe.watch()).why else { panic!("{hook}") };
        assert!(text.contains("panic at"), "{text}");
        assert!(log.take().ends_with("probe-dropped"));
    }
}

#[test]
fn a_panic_in_a_future_or_its_map_is_a_panic_of_the_actor() {
    let deeds: [fn(&mut Context<Probe>); 2] = [
        |context| context.run(async { panic!("in the future") }, |()| Order::Note("never")),
        |context| context.run(async {}, |()| panic!("in the map")),
    ];
    for (deed, text) in deeds.into_iter().zip(["in the future", "in the map"]) {
        let runtime = TestRuntime::new();
        let probe = spawn(&runtime.handle(), Probe::new(&Log::default()));
        probe.tell(Order::call(move |_, context| deed(context))).unwrap();
        assert_eq!(runtime.block_on(probe.watch()).why, Why::Panicked(text.to_owned()));
    }
}

/// Panics when it is dropped.
struct Brittle;

impl Actor for Brittle {
    type Message = ();

    fn handle(&mut self, (): (), _: &mut Context<Self>) {}
}

impl Drop for Brittle {
    fn drop(&mut self) {
        panic!("while dropped");
    }
}

#[test]
fn a_panic_in_the_drop_of_the_actor_reaches_its_watchers_only() {
    let runtime = TestRuntime::new();
    let brittle = spawn(&runtime.handle(), Brittle);
    let watch = brittle.watch();
    drop(brittle);
    assert_eq!(runtime.block_on(watch).why, Why::Panicked("while dropped".to_owned()));
}

#[test]
fn a_panic_without_a_text_is_one_too() {
    let runtime = TestRuntime::new();
    let probe = spawn(&runtime.handle(), Probe::new(&Log::default()));
    probe.tell(Order::call(|_, _| std::panic::panic_any(5))).unwrap();
    assert_eq!(runtime.block_on(probe.watch()).why, Why::Panicked("no text".to_owned()));
}

#[test]
fn the_end_of_the_runtime_kills_its_actors() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn(&runtime.handle(), Probe { held: vec![log.trace("probe")], ..Probe::new(&log) });
    let mut watch = probe.watch();
    probe
        .tell(Order::call(|_, context| {
            context.after(Duration::from_secs(1), Order::Note("never"));
        }))
        .unwrap();
    runtime.run();
    probe.tell(Order::Hold(log.trace("message"))).unwrap();
    runtime.shut_down();
    let Poll::Ready(down) = runtime.poll(&mut watch) else { panic!("nobody was told") };
    assert_eq!(down.why, Why::Killed);
    assert_eq!(log.take(), "started message-dropped probe-dropped");
    assert!(probe.is_closed());
    assert_eq!(runtime.timers(), 0);
}
