//! An `async fn` with a mailbox: the same promises, in a loop.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callboard_runtime::actor::{Address, AskError, Mailbox, MailboxOptions, Reply, Why, mailbox, spawn_loop};

use crate::probe::Log;
use crate::support::TestRuntime;

async fn write_down(mut inbox: Mailbox<&'static str>, log: Log) {
    let _trace = log.trace("loop");
    while let Some(message) = inbox.recv().await {
        assert_ne!(message, "panic", "as told");
        log.note(message);
        if message == "return" {
            return;
        }
        if message == "hang" {
            pending::<()>().await;
        }
    }
    log.note("none");
}

fn start(runtime: &TestRuntime, log: &Log) -> Address<&'static str> {
    let log = log.clone();
    spawn_loop(&runtime.handle(), MailboxOptions::default(), |inbox| write_down(inbox, log))
}

#[test]
fn a_loop_takes_messages_and_answers() {
    async fn count(mut inbox: Mailbox<Reply<u32>>) {
        let mut count = 0;
        while let Some(reply) = inbox.recv().await {
            count += 1;
            reply.send(count);
        }
    }
    let runtime = TestRuntime::new();
    let counter = spawn_loop(&runtime.handle(), MailboxOptions::default(), count);
    assert_eq!(counter.name(), "count");
    for expected in 1..4 {
        assert_eq!(runtime.block_on(counter.ask(|reply| reply)), Ok(expected));
    }
}

#[test]
fn a_loop_ends_with_its_last_address_after_its_inbox() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let address = start(&runtime, &log);
    let watch = address.watch();
    address.tell("one").unwrap();
    address.tell("two").unwrap();
    drop(address);
    assert_eq!(runtime.block_on(watch).why, Why::NoAddresses);
    assert_eq!(log.take(), "one two none loop-dropped");
}

#[test]
fn a_stopped_loop_gets_none_before_its_messages() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let address = start(&runtime, &log);
    address.tell("one").unwrap();
    address.stop();
    assert_eq!(runtime.block_on(address.watch()).why, Why::Stopped);
    assert_eq!(log.take(), "none loop-dropped");
}

#[test]
fn a_killed_loop_is_dropped_where_it_stands() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let address = start(&runtime, &log);
    address.tell("hang").unwrap();
    runtime.run();
    address.stop();
    runtime.run();
    assert_eq!(log.take(), "hang");
    address.kill();
    assert_eq!(runtime.block_on(address.watch()).why, Why::Killed);
    assert_eq!(log.take(), "loop-dropped");
    assert_eq!(runtime.tasks(), 0);
}

#[test]
fn a_loop_that_returns_or_panics_ends_alone() {
    for (message, why) in [("return", Why::Stopped), ("panic", Why::Panicked(String::new()))] {
        let runtime = TestRuntime::new();
        let log = Log::default();
        let address = start(&runtime, &log);
        address.tell(message).unwrap();
        match (runtime.block_on(address.watch()).why, why) {
            (Why::Panicked(text), Why::Panicked(_)) => assert!(text.contains("as told")),
            (got, expected) => assert_eq!(got, expected),
        }
        assert!(address.tell("late").is_err());
        assert_eq!(runtime.tasks(), 0);
    }
}

#[test]
fn the_end_of_the_runtime_kills_its_loops() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let address = start(&runtime, &log);
    runtime.run();
    runtime.shut_down();
    assert_eq!(runtime.block_on(address.watch()).why, Why::Killed);
    assert_eq!(log.take(), "loop-dropped");
}

#[test]
fn a_panic_before_the_loop_is_caught_too() {
    let runtime = TestRuntime::new();
    let address = spawn_loop(&runtime.handle(), MailboxOptions::default(), |inbox: Mailbox<()>| {
        assert_eq!(inbox.name(), "never", "before the loop");
        async {}
    });
    assert!(matches!(runtime.block_on(address.watch()).why, Why::Panicked(text) if text.contains("before the loop")));
}

#[test]
fn a_flooded_loop_lets_others_run() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let options = MailboxOptions { capacity: 200, ..MailboxOptions::default() };
    let flooded = log.clone();
    let address = spawn_loop(&runtime.handle(), options, |inbox| write_down(inbox, flooded));
    let other = start(&runtime, &log);
    for _ in 0..200 {
        address.tell("flood").unwrap();
    }
    other.tell("other").unwrap();
    runtime.run();
    let words = log.take();
    assert_eq!(words.split(' ').position(|word| word == "other"), Some(64));
    assert_eq!(words.split(' ').count(), 201);
}

#[test]
fn a_dropped_receive_loses_no_message() {
    let runtime = TestRuntime::new();
    let (address, mut inbox) = mailbox(&runtime.handle(), MailboxOptions::default());
    {
        let mut receive = Box::pin(inbox.recv());
        assert!(runtime.poll(&mut receive).is_pending());
        address.tell("one").unwrap();
    }
    assert_eq!(runtime.block_on(inbox.recv()), Some("one"));
    address.tell("two").unwrap();
    assert_eq!((inbox.try_recv(), inbox.try_recv()), (Some("two"), None));
}

#[test]
fn the_end_of_a_mailbox_of_ones_own_is_its_drop() {
    let runtime = TestRuntime::new();
    let log = Log::default();
    let (address, inbox) = mailbox(&runtime.handle(), MailboxOptions::default());
    let mut watch = address.watch();
    assert!(runtime.poll(&mut watch).is_pending());
    address.tell(log.trace("message")).unwrap();
    drop(inbox);
    assert_eq!(log.take(), "message-dropped");
    assert_eq!(runtime.block_on(watch).why, Why::Stopped);
    assert!(address.tell(log.trace("late")).is_err());

    let (address, inbox) = mailbox::<()>(&runtime.handle(), MailboxOptions::default());
    let watch = address.watch();
    drop(address);
    drop(inbox);
    assert_eq!(runtime.block_on(watch).why, Why::NoAddresses);
}

#[test]
fn a_mailbox_dropped_by_a_panic_says_so() {
    let runtime = TestRuntime::new();
    let (address, inbox) = mailbox::<()>(&runtime.handle(), MailboxOptions::default());
    let task = move || {
        let _inbox = inbox;
        panic!("in a task of ones own");
    };
    assert!(catch_unwind(AssertUnwindSafe(task)).is_err());
    assert!(matches!(runtime.block_on(address.watch()).why, Why::Panicked(_)));
}

#[test]
fn a_loop_can_give_its_own_address_away() {
    let runtime = TestRuntime::new();
    let place: Arc<Mutex<Option<Address<Reply<()>>>>> = Arc::default();
    let given = Arc::clone(&place);
    let address =
        spawn_loop(&runtime.handle(), MailboxOptions::default(), async move |mut inbox: Mailbox<Reply<()>>| {
            *given.lock().unwrap() = Some(inbox.address());
            while let Some(reply) = inbox.recv().await {
                reply.send(());
            }
        });
    runtime.run();
    assert_eq!(place.lock().unwrap().as_ref(), Some(&address));
    drop(address);
    let own = place.lock().unwrap().take().unwrap();
    assert_eq!(runtime.block_on(own.ask_within(Duration::from_secs(1), |reply| reply)), Ok(()));
    own.stop();
    assert_eq!(runtime.block_on(own.ask(|reply| reply)), Err(AskError::Closed));
}
