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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn turns_follow_the_order_of_arrival_and_a_place_can_be_left() {
        let counts: [Arc<Count>; 4] = std::array::from_fn(|_| Arc::default());
        let wakers = counts.clone().map(Waker::from);
        let woken = || counts.each_ref().map(|count| count.0.swap(0, Ordering::SeqCst));
        let mut list = WaitingList::default();
        assert!(list.is_empty() && list.is_first(None) && list.first().is_none());
        let mut tickets = [None; 3];
        for (ticket, waker) in tickets.iter_mut().zip(&wakers) {
            list.wait(ticket, waker);
        }
        // Whoever comes without a ticket is behind them all.
        assert!(!list.is_empty() && !list.is_first(None));
        assert_eq!(tickets.map(|ticket| list.is_first(ticket)), [true, false, false]);
        list.first().unwrap().wake();
        assert_eq!(woken(), [1, 0, 0, 0]);
        // A place that is renewed stays where it is.
        list.wait(&mut tickets[0], &wakers[3]);
        assert!(list.is_first(tickets[0]));
        list.all().for_each(Waker::wake);
        assert_eq!(woken(), [0, 1, 1, 1]);
        list.leave(&mut tickets[1]);
        assert_eq!(tickets[1], None);
        list.leave(&mut tickets[0]);
        assert!(list.is_first(tickets[2]));
        list.leave(&mut tickets[2]);
        assert!(list.is_empty() && list.is_first(None));
        // What has left is not there to leave.
        list.leave(&mut tickets[2]);
        assert_eq!(list.all().count(), 0);
    }
}
