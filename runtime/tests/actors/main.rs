//! Actors on a runtime for tests, where nothing happens unless the test lets it: each sentence that `actor` promises.

mod asking;
mod control;
mod ending;
mod inbox;
mod looping;
mod probe;
mod running;
mod support;
mod watching;
