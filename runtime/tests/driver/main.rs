//! The driver with a transport that does not do what is asked of it.
#![cfg(feature = "websocket")]

#[path = "../actors/support.rs"]
#[expect(dead_code, reason = "the tests of actors need more of it")]
mod support;
#[path = "../websocket/wire.rs"]
#[expect(dead_code, reason = "the tests of WebSocket need more of it")]
mod wire;

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::BytesMut;
use callboard_core::{Instant, Protocol, SendQueue};
use callboard_runtime::{DriveError, Driver};

use crate::support::TestRuntime;
use crate::wire::{Wire, Writing};

/// A machine that says one thing, and hears until the end. Without deadlines, unless a test sets one.
struct Plain {
    queue: SendQueue,
    deadline: Option<Instant>,
    passed: usize,
    has_finished: bool,
    has_ended: bool,
}

impl Plain {
    fn new(has_finished: bool) -> Self {
        let mut queue = SendQueue::new();
        queue.put_slice(b"said");
        Self { queue, deadline: None, passed: 0, has_finished, has_ended: false }
    }
}

impl Protocol for Plain {
    type Event = ();

    fn handle_input(&mut self, input: &mut BytesMut, _: Instant) {
        input.clear();
    }

    fn handle_end_of_input(&mut self, _: Instant) {
        self.has_ended = true;
        self.has_finished = true;
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.passed += usize::from(self.deadline.take_if(|deadline| *deadline <= now).is_some());
    }

    fn poll_event(&mut self) -> Option<()> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    fn outgoing(&mut self) -> &mut SendQueue {
        &mut self.queue
    }

    fn wants_input(&self) -> bool {
        !self.has_finished
    }

    fn wants_half_close(&self) -> bool {
        false
    }

    fn is_finished(&self) -> bool {
        self.has_finished
    }
}

fn turn(driver: &mut Driver<Plain>) -> Poll<Result<(), DriveError>> {
    driver.refresh_now();
    driver.poll_turn(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_finished_machine_whose_last_bytes_nobody_takes_is_over_after_a_while() {
    let (runtime, wire) = (TestRuntime::new(), Wire::default());
    wire.writing(Writing::Waits);
    let mut driver = Driver::new(Plain::new(true), wire.stream(), runtime.handle());
    assert!(turn(&mut driver).is_pending() && !driver.is_over());
    runtime.advance(Duration::from_secs(4));
    assert!(turn(&mut driver).is_pending() && !driver.is_over());
    runtime.advance(Duration::from_secs(2));
    assert!(matches!(turn(&mut driver), Poll::Ready(Ok(()))) && driver.is_over());
}

#[test]
fn a_finished_machine_whose_last_bytes_are_taken_late_has_said_them() {
    let (runtime, wire) = (TestRuntime::new(), Wire::default());
    wire.writing(Writing::Waits);
    let mut driver = Driver::new(Plain::new(true), wire.stream(), runtime.handle());
    assert!(turn(&mut driver).is_pending());
    runtime.advance(Duration::from_secs(4));
    wire.writing(Writing::Works);
    assert!(turn(&mut driver).is_ready() && driver.is_over());
    assert_eq!(wire.take_written(), b"said");
}

#[test]
fn after_a_failed_write_the_peer_is_heard_for_a_while() {
    let (runtime, wire) = (TestRuntime::new(), Wire::default());
    wire.writing(Writing::Fails);
    let mut driver = Driver::new(Plain::new(false), wire.stream(), runtime.handle());
    assert!(matches!(turn(&mut driver), Poll::Ready(Err(DriveError::Write(_)))));
    driver.machine().outgoing().clear();
    wire.put(b"heard");
    assert!(matches!(turn(&mut driver), Poll::Ready(Ok(()))));
    assert_eq!(driver.bytes_in(), 5);
    runtime.advance(Duration::from_secs(4));
    assert!(turn(&mut driver).is_pending());
    assert!(!driver.machine_ref().has_ended);
    runtime.advance(Duration::from_secs(2));
    assert!(matches!(turn(&mut driver), Poll::Ready(Ok(()))));
    assert!(driver.machine_ref().has_ended && driver.is_over());
}

/// A peer that always has something to say does not keep a deadline from passing.
#[test]
fn deadlines_pass_though_every_turn_reads() {
    let (runtime, wire) = (TestRuntime::new(), Wire::default());
    let mut driver = Driver::new(Plain::new(false), wire.stream(), runtime.handle());
    let at = |seconds| Some(Instant::EPOCH + Duration::from_secs(seconds));
    driver.machine().deadline = at(60);
    assert!(turn(&mut driver).is_ready());
    for (seconds, passed) in [(30, 0), (61, 1)] {
        runtime.advance_clock(Instant::EPOCH + Duration::from_secs(seconds) - driver.now());
        wire.put(b"more");
        assert!(turn(&mut driver).is_ready());
        assert_eq!(driver.machine_ref().passed, passed, "{seconds}");
    }
    // One that came nearer since, for what the peer does not take.
    driver.machine().deadline = at(200);
    assert!(turn(&mut driver).is_pending());
    wire.writing(Writing::Waits);
    driver.machine().queue.put_slice(b"stuck");
    driver.machine().deadline = at(100);
    runtime.advance_clock(Duration::from_secs(60));
    wire.put(b"more");
    assert!(turn(&mut driver).is_ready());
    assert_eq!(driver.machine_ref().passed, 2);
}
