//! callboard in simulation: the port on a seeded scheduler, virtual time and a simulated network.
//!
//! A [`Simulation`] is a world of hosts. Each [`Host`] has a [`SimRuntime`], on which servers, clients and actors run
//! unmodified. Time jumps to what is due next when nothing is ready; which ready task runs, how long bytes travel,
//! where reads and writes are cut, and what the program gets as entropy is chosen by the seed. So a run can be had
//! again: the same seed and program give the same [`trace_hash`](Simulation::trace_hash), on every machine.
//!
//! * [`Simulation::seeds`] runs a test for many seeds and names the first that fails.
//! * [`Network`] and [`Fault`]: partitions, black holes, refusals, resets, latency; now or scheduled.
//! * [`Trace`] says what happened, [`Census`] what is still alive, [`Choices`] what was chosen.
//!
//! Everything runs on the calling thread. What a program does outside the port (threads, clocks, hash maps that are
//! iterated, keys that TLS draws from the system) is outside the simulation and breaks its promise.

mod census;
mod check;
mod chooser;
mod clockwork;
mod digest;
mod error;
mod event;
mod executor;
mod fabric;
mod fault;
mod host;
mod listener;
mod network;
mod options;
mod queue;
mod runtime;
mod signals;
mod simulation;
mod stream;
mod tasks;
mod timer;
mod trace;
mod world;

pub use census::Census;
pub use check::{Failure, Outcome, Report, Seeds};
pub use chooser::{Choice, ChoiceKind, Choices};
pub use error::SimError;
pub use event::{End, Side, TraceEvent};
pub use fault::Fault;
pub use host::Host;
pub use network::Network;
pub use options::Options;
pub use runtime::SimRuntime;
pub use simulation::Simulation;
pub use trace::{Trace, TraceRecord};
