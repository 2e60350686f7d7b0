//! Multipart bodies: the reader's grammar, limits and any split; the writer; another reader's opinion.

mod differential;
mod grammar;
mod limits;
mod nesting;
mod parts;
mod properties;
mod run;
mod transfer;
mod writing;
