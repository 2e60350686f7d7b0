//! SIGINT and SIGTERM, in a process of its own, to which they are sent.
#![cfg(unix)]

use std::future::poll_fn;

use callboard_runtime::{Handle, SignalKind};
use callboard_tokio::Tokio;
use futures_lite::future::block_on;
use rustix::process::{Signal, getpid, kill_process};

async fn signals_come(runtime: &Handle) {
    let mut first = runtime.signals().expect("a source of signals");
    let mut second = runtime.signals().expect("two may listen");
    for (signal, kind) in [(Signal::TERM, SignalKind::Terminate), (Signal::INT, SignalKind::Interrupt)] {
        kill_process(getpid(), signal).expect("our own process");
        for signals in [&mut first, &mut second] {
            assert_eq!(poll_fn(|context| signals.poll_signal(context)).await.expect("a signal"), kind);
        }
    }
}

// One test, since the signals reach the whole process.
#[test]
fn signals_come_and_the_process_stays() {
    for runtime in [Tokio::current(), Tokio::workers(2)].map(Handle::from) {
        runtime.block_on(Box::pin(signals_come(&runtime))).expect("it can block here");
    }
    block_on(signals_come(&Tokio::workers(1).into()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { signals_come(&Tokio::current().into()).await });
}
