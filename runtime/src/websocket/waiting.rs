//! Those who wait for the same thing, in the order in which they came.
//!
//! Each has a ticket and gives it back when it is dropped, so the list is never longer than there are futures.

use std::collections::VecDeque;
use std::task::Waker;

/// A place in the list.
pub(super) type Ticket = u64;

/// A list of waiting futures. Empty, it owns no memory.
#[derive(Default)]
pub(super) struct WaitingList {
    next: Ticket,
    entries: VecDeque<(Ticket, Waker)>,
}

impl WaitingList {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether it is the turn of `ticket`: nobody who came before waits. Without a ticket: nobody waits.
    pub(super) fn is_first(&self, ticket: Option<Ticket>) -> bool {
        self.entries.front().is_none_or(|(first, _)| Some(*first) == ticket)
    }

    /// Joins the list, or renews the waker of the place that `ticket` names.
    pub(super) fn wait(&mut self, ticket: &mut Option<Ticket>, waker: &Waker) {
        if let Some(place) = ticket.and_then(|ticket| self.place(ticket)) {
            let (_, known) = &mut self.entries[place];
            known.clone_from(waker);
            return;
        }
        self.next += 1;
        *ticket = Some(self.next);
        self.entries.push_back((self.next, waker.clone()));
    }

    /// Leaves the list.
    pub(super) fn leave(&mut self, ticket: &mut Option<Ticket>) {
        if let Some(place) = ticket.take().and_then(|ticket| self.place(ticket)) {
            self.entries.remove(place);
        }
        if self.entries.is_empty() {
            self.entries = VecDeque::new();
        }
    }

    /// Whom to wake if only one can go on.
    pub(super) fn first(&self) -> Option<Waker> {
        self.entries.front().map(|(_, waker)| waker.clone())
    }

    /// Whom to wake if all can go on.
    pub(super) fn all(&self) -> Vec<Waker> {
        self.entries.iter().map(|(_, waker)| waker.clone()).collect()
    }

    /// Tickets only grow along the list.
    fn place(&self, ticket: Ticket) -> Option<usize> {
        self.entries.binary_search_by_key(&ticket, |(known, _)| *known).ok()
    }
}
