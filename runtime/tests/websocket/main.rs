//! Who is woken for what on a WebSocket's server, where reader and pump share a task: poll by poll, on a runtime and a
//! transport that do nothing by themselves.
#![cfg(feature = "websocket")]

#[path = "../actors/support.rs"]
#[expect(dead_code, reason = "the tests of actors need more of it")]
mod support;
#[expect(dead_code, reason = "the tests of the driver need more of it")]
mod wire;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::BytesMut;
use callboard_core::websocket::{Agreement, CloseCode, Message, Role, Settings};
use callboard_runtime::websocket::{Attended, Opening, Pump, WebSocket, WebSocketFailure, WebSocketSender};

use crate::support::TestRuntime;
use crate::wire::{Wire, Writing};

type Log = Arc<Mutex<Vec<Message>>>;

/// A client's frame with a mask of zeros, so that the payload is what is on the wire.
fn frame(first: u8, payload: &str) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[first, 0x80 | length, 0, 0, 0, 0], payload.as_bytes()].concat()
}

/// A server's WebSocket without heartbeats.
fn open(runtime: &TestRuntime, wire: &Wire) -> (WebSocket, Pump) {
    let opening = Opening {
        role: Role::Server,
        settings: Arc::new(Settings { ping_interval: None, ..Settings::default() }),
        agreement: Agreement::default(),
        headers: None,
        stream: wire.stream(),
        input: BytesMut::new(),
        runtime: runtime.handle(),
    };
    opening.open()
}

/// The same with its user's future.
fn attended<F>(runtime: &TestRuntime, wire: &Wire, user: impl FnOnce(WebSocket) -> F) -> (Attended, WebSocketSender)
where
    F: Future<Output = Result<(), WebSocketFailure>> + Send + 'static,
{
    let (socket, pump) = open(runtime, wire);
    let sender = socket.sender();
    (pump.attend(Box::pin(user(socket))), sender)
}

/// Reads for ever.
async fn note(mut socket: WebSocket, log: Log) -> Result<(), WebSocketFailure> {
    while let Some(message) = socket.next().await? {
        log.lock().unwrap().push(message);
    }
    Ok(())
}

fn texts(log: &Log) -> Vec<String> {
    log.lock().unwrap().iter().map(|message| String::from_utf8(message.as_bytes().to_vec()).unwrap()).collect()
}

#[test]
fn a_message_that_another_task_has_taken_wakes_its_reader() {
    let (runtime, wire, log) = (TestRuntime::new(), Wire::default(), Log::default());
    let (attended, sender) = attended(&runtime, &wire, |socket| note(socket, Arc::clone(&log)));
    runtime.handle().spawn(Box::pin(attended));
    runtime.run();
    // The transport says nothing, so only whoever takes the message can.
    wire.put_silently(&frame(0x81, "first"));
    assert!(runtime.poll_alone(&mut pin!(sender.feed("ours"))).is_ready());
    assert!(runtime.poll_alone(&mut pin!(sender.flush())).is_ready());
    assert_eq!(wire.take_written(), b"\x81\x04ours");
    assert!(texts(&log).is_empty());
    runtime.run();
    assert_eq!(texts(&log), ["first"]);
}

#[test]
fn a_read_that_waits_and_is_not_polled_leaves_the_work_to_the_pump() {
    let (runtime, wire) = (TestRuntime::new(), Wire::default());
    let is_read = Arc::new(AtomicBool::new(true));
    let reads = Arc::clone(&is_read);
    let (attended, _sender) = attended(&runtime, &wire, |mut socket| async move {
        let mut next = Box::pin(async move { socket.next().await.map(|_| ()) });
        poll_fn(move |context| {
            // It is polled once, and kept.
            if reads.swap(false, Ordering::SeqCst) {
                next.as_mut().poll(context).map(|_| Ok(()))
            } else {
                Poll::Pending
            }
        })
        .await
    });
    runtime.handle().spawn(Box::pin(attended));
    runtime.run();
    for _ in 0..3 {
        wire.put(&frame(0x89, "ping"));
        runtime.run();
        assert_eq!(wire.take_written(), b"\x8a\x04ping");
    }
    assert!(!is_read.load(Ordering::SeqCst));
}

/// A reader that rests settles the pump's share of its poll, until something comes that is due.
#[test]
fn what_is_sent_beside_a_resting_read_is_written_in_the_same_poll() {
    let (runtime, wire) = (TestRuntime::new(), Wire::default());
    let (attended, _sender) = attended(&runtime, &wire, |mut socket| async move {
        let sender = socket.sender();
        let send = async {
            sender.send("beside").await.unwrap();
            std::future::pending::<()>().await;
        };
        futures_lite::future::zip(async { socket.next().await.map(|_| ()) }, send).await.0.map_err(Into::into)
    });
    runtime.handle().spawn(Box::pin(attended));
    runtime.run();
    assert_eq!(wire.take_written(), b"\x81\x06beside");
}

#[test]
fn a_task_whose_reader_rests_is_woken_for_each_message_of_others() {
    let (runtime, wire, log) = (TestRuntime::new(), Wire::default(), Log::default());
    let (attended, sender) = attended(&runtime, &wire, |socket| note(socket, Arc::clone(&log)));
    runtime.handle().spawn(Box::pin(attended));
    runtime.run();
    for _ in 0..3 {
        sender.try_send("ours").unwrap();
        runtime.run();
        assert_eq!(wire.take_written(), b"\x81\x04ours");
    }
}

/// The time of a turn is coarse: what a close waits for begins when it is sent.
#[test]
fn a_close_after_long_work_leaves_the_peer_all_its_time() {
    let (runtime, wire) = (TestRuntime::new(), Wire::default());
    let (clock, closure) = (runtime.clone(), Arc::new(Mutex::new(None)));
    let told = Arc::clone(&closure);
    let (attended, _sender) = attended(&runtime, &wire, |mut socket| async move {
        socket.next().await?;
        clock.advance_clock(Duration::from_secs(60));
        *told.lock().unwrap() = Some(socket.close(CloseCode::NORMAL, "").await?);
        Ok(())
    });
    runtime.handle().spawn(Box::pin(attended));
    runtime.run();
    wire.put(&frame(0x81, "work"));
    runtime.run();
    assert_eq!(wire.take_written(), b"\x88\x02\x03\xe8");
    runtime.advance(Duration::from_secs(9));
    assert_eq!(*closure.lock().unwrap(), None);
    wire.put(&frame(0x88, ""));
    runtime.run();
    assert!(closure.lock().unwrap().as_ref().is_some_and(|closure| closure.is_clean), "{closure:?}");
}

/// Without heartbeats, and without another write, nothing else would show that the transport is gone.
#[test]
fn a_websocket_that_cannot_write_ends_though_nobody_writes_again() {
    let (runtime, wire, log) = (TestRuntime::new(), Wire::default(), Log::default());
    let failure = Arc::new(Mutex::new(None));
    let (told, notes) = (Arc::clone(&failure), Arc::clone(&log));
    let (attended, sender) = attended(&runtime, &wire, |socket| async move {
        *told.lock().unwrap() = note(socket, notes).await.err().map(|error| error.to_string());
        Ok(())
    });
    runtime.handle().spawn(Box::pin(attended));
    runtime.run();
    wire.writing(Writing::Fails);
    sender.try_send("lost").unwrap();
    runtime.run();
    wire.put(&frame(0x81, "late"));
    runtime.run();
    assert_eq!(texts(&log), ["late"]);
    assert_eq!((sender.is_open(), failure.lock().unwrap().is_some()), (true, false));
    runtime.advance(Duration::from_secs(6));
    assert!(!sender.is_open());
    assert!(failure.lock().unwrap().as_ref().is_some_and(|error| error.contains("writing failed")), "{failure:?}");
}

/// A pump that is polled by hand beside a reader has no share of a poll that it could leave to the reader.
#[test]
fn a_pump_beside_a_read_that_is_not_polled_works_alone() {
    let (runtime, wire) = (TestRuntime::new(), Wire::default());
    let (mut socket, mut pump) = open(&runtime, &wire);
    let mut next = pin!(socket.next());
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut context = Context::from_waker(&waker);
    assert!(Pin::new(&mut pump).poll(&mut context).is_pending());
    assert!(next.as_mut().poll(&mut context).is_pending());
    wire.put(&frame(0x89, "ping"));
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
    assert!(Pin::new(&mut pump).poll(&mut context).is_pending());
    assert_eq!(wire.take_written(), b"\x8a\x04ping");
}

#[test]
fn small_messages_that_wait_for_their_reader_hold_no_read_buffer() {
    let (runtime, wire, log) = (TestRuntime::new(), Wire::default(), Log::default());
    let may_read = Arc::new(AtomicBool::new(false));
    let (go, notes) = (Arc::clone(&may_read), Arc::clone(&log));
    let (attended, _sender) = attended(&runtime, &wire, |socket| async move {
        poll_fn(|_| if go.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }).await;
        note(socket, notes).await
    });
    runtime.handle().spawn(Box::pin(attended));
    runtime.run();
    wire.put(&[frame(0x81, "text"), frame(0x82, "bytes"), frame(0x81, "end")].concat());
    runtime.run();
    assert!(log.lock().unwrap().is_empty());
    may_read.store(true, Ordering::SeqCst);
    wire.put(&frame(0x8a, ""));
    runtime.run();
    assert_eq!(texts(&log), ["text", "bytes", "end"]);
    assert!(log.lock().unwrap().iter().all(|message| message.as_bytes().is_unique()));
}

#[test]
fn a_busy_peer_is_served_in_more_than_one_poll_and_to_the_end() {
    let (runtime, wire, log) = (TestRuntime::new(), Wire::default(), Log::default());
    let (attended, _sender) = attended(&runtime, &wire, |socket| note(socket, Arc::clone(&log)));
    runtime.handle().spawn(Box::pin(attended));
    runtime.run();
    let before = runtime.polls();
    // A ping each read, nobody's message: hundreds of turns without anything for the reader.
    wire.read_at_most(6);
    wire.put(&frame(0x89, "").repeat(500));
    runtime.run();
    assert_eq!(wire.take_written(), b"\x8a\x00".repeat(500));
    assert!(runtime.polls() - before > 1, "others had no turn");
    wire.put(&frame(0x82, ""));
    runtime.run();
    assert_eq!(texts(&log), [""]);
}

/// Counts how often it was woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn the_task_that_polled_last_is_woken() {
    let (runtime, wire, log) = (TestRuntime::new(), Wire::default(), Log::default());
    let (mut attended, sender) = attended(&runtime, &wire, |socket| note(socket, Arc::clone(&log)));
    let counts: [Arc<Count>; 2] = std::array::from_fn(|_| Arc::default());
    for (round, count) in counts.iter().enumerate() {
        let waker = Waker::from(Arc::clone(count));
        let mut poll = || Pin::new(&mut attended).poll(&mut Context::from_waker(&waker)).is_pending();
        assert!(poll());
        // By the transport, and by another who has something for the pump.
        wire.put(&frame(0x82, "x"));
        assert_eq!(count.0.swap(0, Ordering::SeqCst), 1, "round {round}");
        assert!(poll());
        assert!(sender.try_send("y").is_ok());
        assert_eq!(count.0.swap(0, Ordering::SeqCst), 1, "round {round}");
        assert!(poll());
        assert_eq!(wire.take_written(), b"\x81\x01y");
    }
    assert_eq!(texts(&log), ["x", "x"]);
    assert_eq!(counts[0].0.load(Ordering::SeqCst), 0);
}
