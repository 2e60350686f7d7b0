//! The port suite on each kind of smol runtime, and in `adapter.rs` what only this adapter promises.

mod adapter;
#[path = "../../../tests/support/port_suite.rs"]
mod port_suite;

use callboard_smol::Smol;

#[test]
fn stock() {
    port_suite::run_all(|| Smol::new().into());
}

#[test]
fn one_worker() {
    port_suite::run_all(|| Smol::workers(1).into());
}

#[test]
fn two_workers() {
    port_suite::run_all(|| Smol::workers(2).into());
}
