//! The port suite on each kind of Tokio runtime.

#[path = "../../tests/support/port_suite.rs"]
mod port_suite;

use std::future::pending;
use std::sync::mpsc;
use std::thread;

use callboard_runtime::Handle;
use callboard_tokio::Tokio;
use tokio::runtime::Builder;

/// What `Tokio::current()` gives inside a runtime, which a thread then runs for as long as the process lives.
fn inside(mut builder: Builder) -> Handle {
    let (sender, receiver) = mpsc::channel();
    let runtime = builder.enable_all().build().unwrap();
    thread::spawn(move || {
        runtime.block_on(async {
            sender.send(Tokio::current()).unwrap();
            pending::<()>().await;
        });
    });
    receiver.recv().unwrap().into()
}

#[test]
fn current_in_one_thread() {
    let handle = inside(Builder::new_current_thread());
    port_suite::run_all(|| handle.clone());
}

#[test]
fn current_in_many_threads() {
    let handle = inside(Builder::new_multi_thread());
    port_suite::run_all(|| handle.clone());
}

#[test]
fn current_outside() {
    port_suite::run_all(|| Tokio::current().into());
}

#[test]
fn one_worker() {
    port_suite::run_all(|| Tokio::workers(1).into());
}

#[test]
fn two_workers() {
    port_suite::run_all(|| Tokio::workers(2).into());
}
