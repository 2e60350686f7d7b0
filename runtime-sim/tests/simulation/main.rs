//! The tests of the simulator, in one program: what it promises about tasks, time, the network, faults, determinism and
//! leaks.

mod check;
mod determinism;
mod executor;
mod faults;
mod leaks;
mod network;
mod support;
mod time;
mod transfer;
