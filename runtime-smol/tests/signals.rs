//! SIGINT and SIGTERM, in a process of its own, to which they are sent.

use std::future::poll_fn;

use callboard_runtime::{Handle, SignalKind};
use callboard_smol::Smol;
use rustix::process::{Signal, getpid, kill_process};

#[test]
fn signals_come_and_the_process_stays() {
    for runtime in [Smol::new(), Smol::workers(1), Smol::workers(2)].map(Handle::from) {
        let there = runtime.clone();
        runtime
            .block_on(Box::pin(async move {
                let mut first = there.signals().expect("a source of signals");
                let mut second = there.signals().expect("two may listen");
                for (signal, kind) in [(Signal::TERM, SignalKind::Terminate), (Signal::INT, SignalKind::Interrupt)] {
                    kill_process(getpid(), signal).expect("our own process");
                    for signals in [&mut first, &mut second] {
                        assert_eq!(poll_fn(|context| signals.poll_signal(context)).await.expect("a signal"), kind);
                    }
                }
            }))
            .expect("it can block here");
    }
}
