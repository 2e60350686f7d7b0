//! Actors: plain values that take messages one at a time, each from a bounded inbox.
//!
//! Rules of this folder: `tell` never waits; an inbox has a stated rule for overflow; messages of one sender keep their
//! order; control (stop, kill) has its own lane and overtakes them; a panic ends one actor and its watchers hear of it;
//! whatever waits has a deadline or ends with the actor. No lock is held while a user's value is dropped or woken.
//!
//! [`Actor`] is a value with a synchronous `handle`; [`spawn_loop`] runs an `async fn` that owns a [`Mailbox`]. Both
//! are spoken to through an [`Address`].

mod address;
mod alarm;
mod context;
mod down;
mod host;
mod id;
mod looping;
mod mailbox;
mod options;
mod panicking;
mod reply;
mod running;
mod shared;
pub mod testing;
mod timers;
mod watch;

pub use address::{Address, TellError, WeakAddress};
pub use context::{Actor, Context};
pub use down::{Down, Why};
pub use host::{spawn, spawn_with};
pub use id::ActorId;
pub use looping::spawn_loop;
pub use mailbox::{Mailbox, mailbox};
pub use options::{MailboxOptions, Overflow};
pub use reply::{Answer, AskError, Reply, question};
pub use timers::TimerKey;
pub use watch::Watch;
