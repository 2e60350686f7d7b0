//! Content codings: vectors of other programs, every split, every truncation, bombs, and our own encoder against all.
#![cfg(feature = "compression")]

mod bodies;
mod bombs;
mod encoder;
mod formats;
mod list;
mod properties;
mod run;
mod streams;
mod vectors;
