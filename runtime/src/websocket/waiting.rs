//! Those who wait for the same thing, in the order in which they came.
//!
//! Each has a ticket and gives it back when it is dropped, so the list is never longer than there are futures.

use std::collections::VecDeque;
use std::task::Waker;

/// A place in the list.
pub(super) type Ticket = u64;

/// A list of waiting futures. Empty, it owns no memory and is one pointer: nearly always.
#[derive(Default)]
pub(super) struct WaitingList(Option<Box<Queue>>);

#[derive(Default)]
struct Queue {
    next: Ticket,
    entries: VecDeque<(Ticket, Waker)>,
}

impl WaitingList {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether it is the turn of `ticket`: nobody who came before waits. Without a ticket: nobody waits.
    pub(super) fn is_first(&self, ticket: Option<Ticket>) -> bool {
        let first = self.0.as_ref().and_then(|queue| queue.entries.front());
        first.is_none_or(|(first, _)| Some(*first) == ticket)
    }

    /// Joins the list, or renews the waker of the place that `ticket` names.
    pub(super) fn wait(&mut self, ticket: &mut Option<Ticket>, waker: &Waker) {
        let queue = self.0.get_or_insert_default();
        if let Some(place) = ticket.and_then(|ticket| queue.place(ticket)) {
            let (_, known) = &mut queue.entries[place];
            known.clone_from(waker);
            return;
        }
        queue.next += 1;
        *ticket = Some(queue.next);
        queue.entries.push_back((queue.next, waker.clone()));
    }

    /// Leaves the list.
    pub(super) fn leave(&mut self, ticket: &mut Option<Ticket>) {
        let (Some(ticket), Some(queue)) = (ticket.take(), &mut self.0) else { return };
        if let Some(place) = queue.place(ticket) {
            queue.entries.remove(place);
        }
        if queue.entries.is_empty() {
            self.0 = None;
        }
    }

    /// Whom to wake if only one can go on.
    pub(super) fn first(&self) -> Option<Waker> {
        self.0.as_ref()?.entries.front().map(|(_, waker)| waker.clone())
    }

    /// Whom to wake if all can go on.
    pub(super) fn all(&self) -> impl Iterator<Item = Waker> {
        self.0.iter().flat_map(|queue| &queue.entries).map(|(_, waker)| waker.clone())
    }
}

impl Queue {
    /// Tickets only grow along the list.
    fn place(&self, ticket: Ticket) -> Option<usize> {
        self.entries.binary_search_by_key(&ticket, |(known, _)| *known).ok()
    }
}
