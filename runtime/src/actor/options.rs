//! How to make an inbox, and what bounds an actor.

use std::borrow::Cow;

/// Messages that an actor takes from each of its sources before it lets other tasks run.
pub(super) const BUDGET: usize = 64;

/// How to make an inbox.
///
/// ```
/// use callboard_runtime::actor::{MailboxOptions, Overflow};
///
/// let latest = MailboxOptions { capacity: 1, overflow: Overflow::DropOldest, ..MailboxOptions::default() };
/// assert_eq!(MailboxOptions::default().capacity, 64);
/// # let _ = latest;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxOptions {
    /// Messages that the inbox holds; 0 counts as 1. Room for all of them is reserved at once. Default 64.
    pub capacity: usize,
    /// What `tell` does when the inbox is full. Default [`Overflow::Reject`].
    pub overflow: Overflow,
    /// Futures that [`Context::run`](super::Context::run) may have in flight before the inbox waits for one of them to
    /// end; 0 counts as 1. One message may start more than one, and so exceed this number. Default 1024.
    pub running: usize,
    /// A name for people to read. Default, if empty: the actor's type.
    pub name: Cow<'static, str>,
}

impl Default for MailboxOptions {
    fn default() -> Self {
        Self { capacity: 64, overflow: Overflow::Reject, running: 1024, name: Cow::Borrowed("") }
    }
}

/// What [`Address::tell`](super::Address::tell) does when the inbox is full. [`Address::send`](super::Address::send)
/// waits for room under every rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Overflow {
    /// Refuses, and gives the message back.
    #[default]
    Reject,
    /// Makes room by dropping the message that has waited longest: for news that outdate each other.
    DropOldest,
    /// Drops the message that was to be told.
    DropNewest,
}

impl MailboxOptions {
    /// Fills in the name: the last word of the path of `T`, without its parameters.
    pub(super) fn named_after<T: ?Sized>(mut self) -> Self {
        if self.name.is_empty() {
            let path = std::any::type_name::<T>();
            let path = path.split('<').next().unwrap_or(path);
            // The future of an `async fn` is a closure within it.
            let word = path.rsplit("::").find(|word| !word.starts_with('{'));
            self.name = Cow::Borrowed(word.unwrap_or(path));
        }
        self
    }
}
