//! What an actor waits for: futures beside the inbox, and timers.

use std::future::{Future, poll_fn, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use callboard_runtime::actor::{Address, Answer, Context, MailboxOptions, Reply, question, spawn, spawn_with};

use crate::probe::{Log, Order, Probe};
use crate::support::TestRuntime;

const SECOND: Duration = Duration::from_secs(1);

fn call(probe: &Address<Order>, deed: impl FnOnce(&mut Probe, &mut Context<Probe>) + Send + 'static) {
    probe.tell(Order::call(deed)).unwrap();
}

/// Has the actor wait for an answer; the test has the reply.
fn wait_for_answer(probe: &Address<Order>) -> Reply<&'static str> {
    let (reply, answer): (_, Answer<&'static str>) = question();
    call(probe, |_, context| context.run(answer, |answer| Order::Note(answer.unwrap())));
    reply
}

#[test]
fn results_come_in_the_order_of_completion() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn(&runtime.handle(), Probe::new(&log));
    let replies: Vec<_> = (0..4).map(|_| wait_for_answer(&probe)).collect();
    runtime.run();
    probe.tell(Order::Note("not-blocked")).unwrap();
    runtime.run();
    for (reply, answer) in replies.into_iter().rev().zip(["fourth", "third", "second", "first"]) {
        reply.send(answer);
    }
    runtime.run();
    assert_eq!(log.take(), "started not-blocked fourth third second first");
}

#[test]
fn more_results_than_a_turn_takes_all_come() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn(&runtime.handle(), Probe::new(&log));
    let replies: Vec<_> = (0..200)
        .map(|_| {
            let reply = wait_for_answer(&probe);
            runtime.run();
            reply
        })
        .collect();
    for reply in replies {
        reply.send("result");
    }
    runtime.run();
    assert_eq!(log.take().matches("result").count(), 200);
}

#[test]
fn a_turn_takes_futures_then_timers_then_the_inbox() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn(&runtime.handle(), Probe::new(&log));
    let reply = wait_for_answer(&probe);
    // The test holds the actor up while all three become ready.
    let handle = runtime.clone();
    call(&probe, move |_, context| {
        context.after(SECOND, Order::Note("timer"));
        reply.send("future");
        context.address().tell(Order::Note("inbox")).unwrap();
        for _ in 0..64 {
            drop(context.address().tell(Order::Note("inbox")));
        }
        handle.advance_clock(SECOND);
    });
    runtime.run();
    let log = log.take();
    let order: Vec<&str> = log.split(' ').filter(|word| *word != "inbox").collect();
    assert_eq!(order, ["started", "future", "timer"]);
    assert!(log.ends_with("inbox"));
}

#[test]
fn past_the_limit_the_inbox_waits_for_a_future_to_end() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let options = MailboxOptions { running: 2, ..MailboxOptions::default() };
    let probe = spawn_with(&runtime.handle(), Probe::new(&log), options);
    let first = wait_for_answer(&probe);
    let second = wait_for_answer(&probe);
    probe.tell(Order::Note("waits")).unwrap();
    runtime.run();
    assert_eq!((log.take().as_str(), probe.depth()), ("started", 1));
    second.send("second");
    runtime.run();
    assert_eq!((log.take().as_str(), probe.depth()), ("second waits", 0));
    drop(first);
}

#[test]
fn past_the_limit_the_actor_can_still_be_stopped() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let options = MailboxOptions { running: 0, ..MailboxOptions::default() };
    let probe = spawn_with(&runtime.handle(), Probe::new(&log), options);
    let waiting = wait_for_answer(&probe);
    runtime.run();
    probe.tell(Order::Note("never")).unwrap();
    runtime.run();
    assert!(waiting.is_wanted());
    assert_eq!(probe.depth(), 1);
    probe.stop();
    runtime.run();
    assert!(!waiting.is_wanted());
    assert_eq!(log.take(), "started stopped");
}

#[test]
fn only_a_woken_future_is_polled() {
    struct Counting {
        polls: Arc<Mutex<Vec<Waker>>>,
    }
    impl Future for Counting {
        type Output = ();

        fn poll(self: Pin<&mut Self>, task: &mut std::task::Context<'_>) -> Poll<()> {
            let mut polls = self.polls.lock().unwrap();
            polls.push(task.waker().clone());
            if polls.len() == 3 { Poll::Ready(()) } else { Poll::Pending }
        }
    }
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn(&runtime.handle(), Probe::new(&log));
    let polls: [Arc<Mutex<Vec<Waker>>>; 2] = Default::default();
    for polls in &polls {
        let future = Counting { polls: Arc::clone(polls) };
        call(&probe, |_, context| context.run(future, |()| Order::Note("done")));
    }
    runtime.run();
    probe.tell(Order::Note("message")).unwrap();
    runtime.run();
    let counts = || [polls[0].lock().unwrap().len(), polls[1].lock().unwrap().len()];
    assert_eq!(counts(), [1, 1]);
    // Many wakes, one poll.
    let waker = polls[1].lock().unwrap()[0].clone();
    for _ in 0..10 {
        waker.wake_by_ref();
    }
    runtime.run();
    assert_eq!(counts(), [1, 2]);
    waker.wake_by_ref();
    runtime.run();
    assert_eq!((counts(), log.take().as_str()), ([1, 3], "started message done"));
    // A waker that outlives its future does no harm to the next one in its place.
    let reply = wait_for_answer(&probe);
    runtime.run();
    waker.wake();
    runtime.run();
    reply.send("next");
    runtime.run();
    assert_eq!(log.take(), "next");
}

#[test]
fn futures_that_never_rest_leave_the_inbox_its_share() {
    fn restless(context: &mut Context<Probe>) {
        context.run(ready(()), |()| Order::call(|_, context| restless(context)));
    }
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn(&runtime.handle(), Probe::new(&log));
    call(&probe, |_, context| {
        for _ in 0..100 {
            restless(context);
        }
        let spinning = poll_fn(|task| {
            task.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        context.run(spinning, |()| Order::Note("never"));
    });
    probe.tell(Order::Note("message")).unwrap();
    for _ in 0..3 {
        runtime.step();
    }
    assert_eq!(log.take(), "started message");
    probe.tell(Order::Note("another")).unwrap();
    for _ in 0..3 {
        runtime.step();
    }
    assert_eq!(log.take(), "another");
    probe.kill();
    runtime.run();
}

#[test]
fn timers_come_in_order_and_can_be_cancelled() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn(&runtime.handle(), Probe::new(&log));
    call(&probe, |probe, context| {
        assert_eq!(context.now().as_nanos(), 0);
        context.after(3 * SECOND, Order::Note("three"));
        context.after(SECOND, Order::Note("one"));
        let two = context.after(2 * SECOND, Order::Note("two"));
        context.after(SECOND, Order::Note("one-again"));
        assert!(matches!(context.cancel(two), Some(Order::Note("two"))));
        assert!(context.cancel(two).is_none());
        probe.log.note("set");
    });
    runtime.advance(Duration::from_millis(999));
    assert_eq!(log.take(), "started set");
    runtime.advance(Duration::from_millis(1));
    assert_eq!(log.take(), "one one-again");
    runtime.advance(SECOND);
    assert_eq!(log.take(), "");
    runtime.advance(SECOND);
    assert_eq!(log.take(), "three");
    assert_eq!(runtime.timers(), 0);
}

#[test]
fn a_nearer_timer_moves_the_clock_and_a_later_one_does_not() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn(&runtime.handle(), Probe::new(&log));
    call(&probe, |_, context| _ = context.after(10 * SECOND, Order::Note("ten")));
    runtime.run();
    assert_eq!(runtime.timer_calls(), 1);
    for _ in 0..5 {
        call(&probe, |_, context| _ = context.after(20 * SECOND, Order::Note("twenty")));
        runtime.run();
    }
    assert_eq!(runtime.timer_calls(), 1);
    call(&probe, |_, context| _ = context.after(5 * SECOND, Order::Note("five")));
    runtime.run();
    assert_eq!((runtime.timer_calls(), runtime.timers()), (2, 1));
    runtime.advance(20 * SECOND);
    assert_eq!(log.take(), "started five ten twenty twenty twenty twenty twenty");
}

#[test]
fn a_timer_of_no_time_that_sets_the_next_leaves_the_inbox_its_share() {
    fn tick(context: &mut Context<Probe>) {
        context.after(Duration::ZERO, Order::call(|_, context| tick(context)));
    }
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn(&runtime.handle(), Probe::new(&log));
    call(&probe, |_, context| tick(context));
    probe.tell(Order::Note("message")).unwrap();
    for _ in 0..5 {
        assert!(runtime.step());
    }
    probe.tell(Order::Note("another")).unwrap();
    assert!(runtime.step());
    assert_eq!(log.take(), "started message another");
    probe.kill();
    runtime.run();
}

#[test]
fn an_idle_actor_is_not_polled() {
    let runtime = TestRuntime::new();
    let probe = spawn(&runtime.handle(), Probe::new(&Log::default()));
    runtime.run();
    let before = runtime.polls();
    runtime.advance(3_600 * SECOND);
    assert_eq!(runtime.polls(), before);
    // Sixty messages, one poll.
    for number in 0..60 {
        probe.tell(Order::Number(number)).unwrap();
    }
    runtime.run();
    assert_eq!(runtime.polls(), before + 1);
}
