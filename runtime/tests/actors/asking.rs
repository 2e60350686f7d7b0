//! Questions: answers, deadlines, and either side going away.

use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use allocation_counter::measure;
use callboard_runtime::actor::{Address, AskError, MailboxOptions, Overflow, Reply, spawn, spawn_with};

use crate::probe::{Log, Order, Probe};
use crate::support::TestRuntime;

type Place = Arc<Mutex<Option<Reply<&'static str>>>>;

/// A question whose reply is kept instead of sent.
fn keep(place: &Place) -> impl FnOnce(Reply<&'static str>) -> Order + Send + use<> {
    let place = Arc::clone(place);
    move |reply| Order::call(move |_, _| *place.lock().unwrap() = Some(reply))
}

fn probe(runtime: &TestRuntime) -> Address<Order> {
    spawn(&runtime.handle(), Probe::new(&Log::default()))
}

#[test]
fn a_question_is_answered() {
    let runtime = TestRuntime::new();
    let probe = probe(&runtime);
    assert_eq!(runtime.block_on(probe.ask(Order::Ask)), Ok("answer"));
    assert_eq!(runtime.now().as_nanos(), 0);
}

#[test]
fn a_question_waits_thirty_seconds() {
    let runtime = TestRuntime::new();
    let probe = probe(&runtime);
    let place = Place::default();
    let mut question = Box::pin(probe.ask(keep(&place)));
    assert!(runtime.poll(&mut question).is_pending());
    runtime.advance(Duration::from_nanos(29_999_999_999));
    assert!(runtime.poll(&mut question).is_pending());
    runtime.advance(Duration::from_nanos(1));
    assert_eq!(runtime.poll(&mut question), Poll::Ready(Err(AskError::TimedOut)));
}

#[test]
fn a_deadline_wakes_the_asker() {
    let runtime = TestRuntime::new();
    let probe = probe(&runtime);
    let place = Place::default();
    let question = probe.ask_within(Duration::from_secs(2), keep(&place));
    assert_eq!(runtime.block_on(question), Err(AskError::TimedOut));
    assert_eq!(runtime.now().as_nanos(), 2_000_000_000);
    // A late answer goes nowhere, and can know it.
    let reply = place.lock().unwrap().take().unwrap();
    assert!(!reply.is_wanted());
    reply.send("late");
}

#[test]
fn a_deadline_wakes_whoever_polled_the_question_last() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = probe(&runtime);
    let place = Place::default();
    let mut question = Box::pin(probe.ask(keep(&place)));
    assert!(runtime.poll(&mut question).is_pending());
    let note = log.clone();
    runtime.handle().spawn(Box::pin(async move { note.note(question.await.unwrap_err().to_string()) }));
    runtime.advance(Duration::from_secs(30));
    assert_eq!(log.take(), "the actor did not answer in time");
}

#[test]
fn an_answer_just_in_time_counts() {
    let runtime = TestRuntime::new();
    let probe = probe(&runtime);
    let place = Place::default();
    let mut question = Box::pin(probe.ask_within(Duration::from_secs(2), keep(&place)));
    assert!(runtime.poll(&mut question).is_pending());
    runtime.advance(Duration::from_secs(2));
    place.lock().unwrap().take().unwrap().send("in time");
    assert_eq!(runtime.poll(&mut question), Poll::Ready(Ok("in time")));
}

#[test]
fn a_question_without_end_may_be_asked() {
    let runtime = TestRuntime::new();
    let probe = probe(&runtime);
    let place = Place::default();
    let mut question = Box::pin(probe.ask_within(Duration::MAX, keep(&place)));
    assert!(runtime.poll(&mut question).is_pending());
    assert_eq!(runtime.timers(), 0);
    place.lock().unwrap().take().unwrap().send("at last");
    assert_eq!(runtime.poll(&mut question), Poll::Ready(Ok("at last")));
}

#[test]
fn a_full_inbox_a_dropped_reply_and_a_dead_actor_are_told_apart() {
    let runtime = TestRuntime::new();
    let options = MailboxOptions { capacity: 1, ..MailboxOptions::default() };
    let probe = spawn_with(&runtime.handle(), Probe::new(&Log::default()), options);
    probe.tell(Order::Note("first")).unwrap();
    let mut full = Box::pin(probe.ask(Order::Ask));
    assert_eq!(runtime.poll(&mut full), Poll::Ready(Err(AskError::Full)));

    let refusing = probe.ask(|reply: Reply<&'static str>| Order::call(|_, _| drop(reply)));
    assert_eq!(runtime.block_on(refusing), Err(AskError::NoReply));

    let mut cut_short = Box::pin(probe.ask(Order::Ask));
    assert!(runtime.poll_alone(&mut cut_short).is_pending());
    probe.stop();
    assert_eq!(runtime.block_on(cut_short), Err(AskError::NoReply));
    assert_eq!(runtime.block_on(probe.ask(Order::Ask)), Err(AskError::Closed));

    let texts: Vec<String> =
        [AskError::Full, AskError::Closed, AskError::TimedOut, AskError::NoReply].map(|error| error.to_string()).into();
    assert_eq!(
        texts,
        [
            "the actor's inbox is full",
            "the actor is gone",
            "the actor did not answer in time",
            "the actor dropped the question unanswered"
        ]
    );
}

#[test]
fn a_question_lost_to_the_overflow_rule_is_not_waited_for() {
    for overflow in [Overflow::DropOldest, Overflow::DropNewest] {
        let runtime = TestRuntime::new();
        let options = MailboxOptions { capacity: 1, overflow, ..MailboxOptions::default() };
        let probe = spawn_with(&runtime.handle(), Probe::new(&Log::default()), options);
        let mut first = Box::pin(probe.ask(Order::Ask));
        let mut second = Box::pin(probe.ask(Order::Ask));
        assert!(runtime.poll_alone(&mut first).is_pending());
        let second_now = runtime.poll_alone(&mut second);
        let (lost, kept) = if overflow == Overflow::DropOldest {
            (runtime.poll_alone(&mut first), runtime.block_on(second))
        } else {
            (second_now, runtime.block_on(first))
        };
        assert_eq!((lost, kept), (Poll::Ready(Err(AskError::NoReply)), Ok("answer")));
    }
}

#[test]
fn a_dropped_question_is_known_and_its_answer_dropped() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn(&runtime.handle(), Probe::new(&log));
    let place: Arc<Mutex<Option<Reply<crate::probe::Trace>>>> = Arc::default();
    let kept = Arc::clone(&place);
    let mut question = Box::pin(probe.ask(|reply| Order::call(move |_, _| *kept.lock().unwrap() = Some(reply))));
    assert!(runtime.poll(&mut question).is_pending());
    let reply = place.lock().unwrap().take().unwrap();
    assert!(reply.is_wanted());
    drop(question);
    assert!(!reply.is_wanted());
    reply.send(log.trace("answer"));
    assert_eq!(log.take(), "started answer-dropped");
}

#[test]
fn an_answer_nobody_fetched_is_dropped_with_the_question() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn(&runtime.handle(), Probe::new(&log));
    let answer = log.trace("answer");
    let mut question =
        Box::pin(probe.ask(|reply: Reply<crate::probe::Trace>| Order::call(move |_, _| reply.send(answer))));
    assert!(runtime.poll(&mut question).is_pending());
    assert_eq!(log.take(), "started");
    drop(question);
    assert_eq!(log.take(), "answer-dropped");
}

#[test]
fn nothing_is_asked_before_the_first_poll() {
    let runtime = TestRuntime::new();
    let probe = probe(&runtime);
    let question = probe.ask(Order::Ask);
    assert_eq!(probe.depth(), 0);
    drop(question);
    runtime.run();
    assert_eq!(runtime.timer_calls(), 0);
}

#[test]
fn actors_ask_each_other_without_blocking_their_inboxes() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let asker = spawn(&runtime.handle(), Probe::new(&log));
    let place = Place::default();
    let other = probe(&runtime);
    let question = other.ask(keep(&place));
    asker.tell(Order::call(|_, context| context.run(question, |answer| Order::Note(answer.unwrap())))).unwrap();
    runtime.run();
    asker.tell(Order::Note("meanwhile")).unwrap();
    runtime.run();
    place.lock().unwrap().take().unwrap().send("answer");
    runtime.run();
    assert_eq!(log.take(), "started meanwhile answer");
}

#[test]
fn the_next_question_of_a_task_uses_the_timer_of_the_last() {
    let runtime = TestRuntime::new();
    let probe = probe(&runtime);
    runtime.block_on(async {
        for _ in 0..100 {
            assert_eq!(probe.ask(Order::Ask).await, Ok("answer"));
        }
    });
    assert_eq!(runtime.timer_calls(), 1);
    // It still serves a question that comes due.
    let place = Place::default();
    let question = probe.ask_within(Duration::from_secs(31), keep(&place));
    assert_eq!(runtime.block_on(question), Err(AskError::TimedOut));
    assert_eq!(runtime.now().as_nanos(), 31_000_000_000);
    probe.stop();
    runtime.run();
    assert_eq!(runtime.timers(), 0);
}

#[test]
fn many_questions_at_once_leave_a_bounded_number_of_timers() {
    let runtime = TestRuntime::new();
    let probe = probe(&runtime);
    let places: Vec<Place> = (0..50).map(|_| Place::default()).collect();
    let mut questions: Vec<_> = places.iter().map(|place| Box::pin(probe.ask(keep(place)))).collect();
    for question in &mut questions {
        assert!(runtime.poll(question).is_pending());
    }
    assert_eq!(runtime.timers(), 50);
    drop(questions);
    assert!(runtime.timers() <= 8);
    probe.stop();
    runtime.run();
    assert_eq!(runtime.timers(), 0);
}

#[test]
fn a_warm_question_allocates_its_cell_and_no_more() {
    let runtime = TestRuntime::new();
    let probe = probe(&runtime);
    let ask = async || {
        for _ in 0..100 {
            assert_eq!(probe.ask(Order::Ask).await, Ok("answer"));
        }
    };
    runtime.block_on(ask());
    let counted = measure(|| runtime.block_on(ask()));
    // `block_on` itself makes a waker, and the timer is set once for it.
    assert!((100..=105).contains(&counted.count_total), "{counted:?}");
    assert_eq!(measure(|| probe.tell(Order::Note("told")).unwrap()).count_total, 0);
}
