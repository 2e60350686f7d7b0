//! The inbox: order, bounds, the rule for overflow, waiting for room, fairness.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use callboard_runtime::actor::{Actor, Address, MailboxOptions, Overflow, TellError, spawn, spawn_with};

use crate::probe::{Log, Order, Probe};
use crate::support::TestRuntime;

fn options(capacity: usize, overflow: Overflow) -> MailboxOptions {
    MailboxOptions { capacity, overflow, ..MailboxOptions::default() }
}

#[test]
fn messages_keep_the_order_of_their_sender() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn(&runtime.handle(), Probe::new(&log));
    let clone = probe.clone();
    for number in 0..10 {
        let sender = if number % 2 == 0 { &probe } else { &clone };
        sender.tell(Order::Number(number)).unwrap();
    }
    assert_eq!(probe.depth(), 10);
    runtime.run();
    assert_eq!(log.take(), "started 0 1 2 3 4 5 6 7 8 9");
    assert_eq!(probe.depth(), 0);
}

#[test]
fn an_inbox_holds_64_messages_and_then_gives_them_back() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn(&runtime.handle(), Probe::new(&log));
    for number in 0..64 {
        probe.tell(Order::Number(number)).unwrap();
    }
    let refused = probe.tell(Order::Number(64)).unwrap_err();
    assert_eq!(refused.to_string(), "the actor's inbox is full");
    assert!(matches!(refused, TellError::Full(Order::Number(64))));
    assert_eq!(probe.dropped(), 0);
    runtime.run();
    probe.tell(Order::Note("later")).unwrap();
    runtime.run();
    assert!(log.take().ends_with("62 63 later"));
}

#[test]
fn a_rule_drops_the_oldest() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn_with(&runtime.handle(), Probe::new(&log), options(3, Overflow::DropOldest));
    for number in 0..7 {
        probe.tell(Order::Number(number)).unwrap();
        assert!(probe.depth() <= 3);
    }
    runtime.run();
    assert_eq!(log.take(), "started 4 5 6");
    assert_eq!(probe.dropped(), 4);
}

#[test]
fn a_rule_drops_the_newest() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn_with(&runtime.handle(), Probe::new(&log), options(3, Overflow::DropNewest));
    for number in 0..7 {
        probe.tell(Order::Number(number)).unwrap();
    }
    runtime.run();
    assert_eq!(log.take(), "started 0 1 2");
    assert_eq!(probe.dropped(), 4);
}

#[test]
fn a_capacity_of_zero_counts_as_one() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn_with(&runtime.handle(), Probe::new(&log), options(0, Overflow::Reject));
    probe.tell(Order::Note("one")).unwrap();
    assert!(probe.tell(Order::Note("two")).is_err());
    runtime.run();
    assert_eq!(log.take(), "started one");
}

/// Lives from its making to its drop.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(alive))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Sink;

impl Actor for Sink {
    type Message = Counted;

    fn handle(&mut self, message: Counted, _: &mut callboard_runtime::actor::Context<Self>) {
        drop(message);
    }
}

#[test]
fn a_flood_is_held_to_the_capacity_under_every_rule() {
    for overflow in [Overflow::Reject, Overflow::DropOldest, Overflow::DropNewest] {
        let runtime = TestRuntime::new();
        let alive = Arc::new(AtomicUsize::new(0));
        let sink = spawn_with(&runtime.handle(), Sink, options(16, overflow));
        for round in 0..10_000 {
            drop(sink.tell(Counted::new(&alive)));
            assert!(alive.load(Ordering::Relaxed) <= 16, "{overflow:?}");
            if round % 1_000 == 999 {
                runtime.run();
                assert_eq!(alive.load(Ordering::Relaxed), 0, "{overflow:?}");
            }
        }
    }
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn send_waits_for_room_in_the_order_of_the_senders() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn_with(&runtime.handle(), Probe::new(&log), options(1, Overflow::DropNewest));
    for number in 0..5 {
        let probe = probe.clone();
        runtime.handle().spawn(Box::pin(async move {
            for part in 0..3 {
                probe.send(Order::Number(10 * number + part)).await.unwrap();
            }
        }));
    }
    runtime.run();
    let got: Vec<usize> = log.take().split(' ').skip(1).map(|word| word.parse().unwrap()).collect();
    assert_eq!(got.len(), 15);
    for number in 0..5 {
        let parts: Vec<usize> = got.iter().copied().filter(|each| each / 10 == number).collect();
        assert_eq!(parts, [10 * number, 10 * number + 1, 10 * number + 2]);
    }
}

#[test]
fn a_dropped_send_drops_its_message_and_leaves_its_place_to_the_next() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn_with(&runtime.handle(), Probe::new(&log), options(1, Overflow::Reject));
    probe.tell(Order::Note("first")).unwrap();
    let mut second = Box::pin(probe.send(Order::Hold(log.trace("second"))));
    let mut third = pin!(probe.send(Order::Note("third")));
    assert!(poll_once(second.as_mut()).is_pending());
    assert!(poll_once(third.as_mut()).is_pending());
    runtime.run();
    drop(second);
    assert_eq!(log.take(), "started first second-dropped");
    runtime.block_on(third).unwrap();
    runtime.run();
    assert_eq!(log.take(), "third");
}

#[test]
fn a_waiting_send_gives_its_message_back_when_the_actor_ends() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn_with(&runtime.handle(), Probe::new(&log), options(1, Overflow::Reject));
    probe.tell(Order::Note("first")).unwrap();
    let mut waiting = pin!(probe.send(Order::Note("second")));
    assert!(poll_once(waiting.as_mut()).is_pending());
    probe.kill();
    let error = runtime.block_on(waiting).unwrap_err();
    assert!(matches!(error, TellError::Closed(Order::Note("second"))));
    assert_eq!(error.to_string(), "the actor is gone");
    assert!(matches!(error.into_message(), Order::Note("second")));
}

#[test]
fn a_flooded_actor_lets_others_run() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let flooded = spawn_with(&runtime.handle(), Probe::new(&log), options(1_000, Overflow::Reject));
    let other = spawn(&runtime.handle(), Probe::new(&log));
    for number in 0..1_000 {
        flooded.tell(Order::Number(number)).unwrap();
    }
    other.tell(Order::Note("other")).unwrap();
    runtime.run();
    let log = log.take();
    let words: Vec<&str> = log.split(' ').collect();
    let turn = words.iter().position(|&word| word == "other").unwrap();
    // Both `started`, and one budget of the flooded one.
    assert_eq!(turn, 66);
    assert_eq!(words.len(), 1_003);
}

#[test]
fn an_actor_that_tells_itself_for_ever_lets_others_run() {
    fn again(address: Address<Order>) -> Order {
        Order::call(move |_, _| {
            let next = address.clone();
            address.tell(again(next)).unwrap();
        })
    }
    let runtime = TestRuntime::new();
    let log = Log::default();
    let busy = spawn(&runtime.handle(), Probe::new(&Log::default()));
    let other = spawn(&runtime.handle(), Probe::new(&log));
    busy.tell(again(busy.clone())).unwrap();
    other.tell(Order::Note("other")).unwrap();
    for _ in 0..10 {
        assert!(runtime.step());
    }
    assert_eq!(log.take(), "started other");
    busy.kill();
    runtime.run();
}

#[test]
fn threads_may_tell_and_none_of_their_messages_is_lost() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn_with(&runtime.handle(), Probe::new(&log), options(8, Overflow::Reject));
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let probe = probe.clone();
            std::thread::spawn(move || {
                for number in 0..500 {
                    futures_lite::future::block_on(probe.send(Order::Number(1_000 * thread + number))).unwrap();
                }
            })
        })
        .collect();
    while threads.iter().any(|thread| !thread.is_finished()) {
        runtime.run();
        std::thread::yield_now();
    }
    for thread in threads {
        thread.join().unwrap();
    }
    runtime.run();
    let got: Vec<usize> = log.take().split(' ').skip(1).map(|word| word.parse().unwrap()).collect();
    for thread in 0..4 {
        let own: Vec<usize> = got.iter().copied().filter(|number| number / 1_000 == thread).collect();
        assert_eq!(own, (1_000 * thread..1_000 * thread + 500).collect::<Vec<_>>());
    }
}

#[test]
fn an_address_tells_whom_it_reaches() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let probe = spawn(&runtime.handle(), Probe::new(&log));
    let named = MailboxOptions { name: "lobby".into(), ..MailboxOptions::default() };
    let lobby = spawn_with(&runtime.handle(), Probe::new(&log), named);
    assert_eq!((probe.name(), lobby.name()), ("Probe", "lobby"));
    assert_eq!(probe, probe.clone());
    assert_ne!(probe, lobby);
    assert_ne!(probe.id(), lobby.id());
    assert!(format!("{lobby:?}").starts_with("Address(lobby 0000"));
    let own = lobby.id();
    lobby.tell(Order::call(move |_, context| assert_eq!(context.id(), own))).unwrap();
    runtime.run();
    assert!(!lobby.is_closed());
}
