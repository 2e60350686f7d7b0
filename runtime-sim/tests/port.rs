//! The suite that every adapter passes, on many seeds; but for what a simulation does not have: threads and files.

#[path = "../../tests/support/port_suite.rs"]
#[expect(clippy::disallowed_methods, reason = "the suite is for runtimes with threads, too")]
mod port_suite;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use callboard_sim::{Options, Simulation};

/// Cases that wait for a thread of the system, or look at a file of the system.
const OUTSIDE: [&str; 5] = [
    "a spawn from another thread",
    "a wake from another thread",
    "a Unix socket left over is taken",
    "a file that is no socket stays",
    "a Unix socket goes with its listener",
];

#[test]
fn simulated() {
    for seed in 0..5 {
        // A world lives as long as its `Simulation`.
        let worlds = RefCell::new(Vec::new());
        // One read per write is what a case or two count on.
        let options = Options::new().split(0).isolate_panics(true);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            port_suite::run_all(|| {
                let simulation = Simulation::with_options(seed, options.clone());
                let runtime = simulation.runtime();
                worlds.borrow_mut().push(simulation);
                runtime.into()
            });
        }));
        let Err(panic) = outcome else { continue };
        let message = panic.downcast::<String>().expect("the list of what failed");
        let mut left = message.strip_prefix("failed: ").expect("the list of what failed").to_owned();
        for case in OUTSIDE {
            left = left.replace(&format!("{case:?}"), "");
        }
        assert!(!left.contains('"'), "seed {seed}: {left}");
    }
}
