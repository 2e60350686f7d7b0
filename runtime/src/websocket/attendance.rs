//! Whether this thread is in the task that has both the user's future and the pump, and at the former now: then the
//! pump's share comes before the task rests, and need not be asked for; and whether that share is empty, so that it
//! costs no lock.
//!
//! It is known to the thread alone, and so costs no atomic. Another thread that finds something to do meanwhile wakes
//! the pump, as it would at any time.

use std::cell::Cell;
use std::marker::PhantomData;

/// Where the thread is.
#[derive(Clone, Copy)]
struct Place {
    /// Whose user's future is polled, by the address of its [`Attendance`]; 0 for none.
    attended: usize,
    /// A reader in there has come to rest: the transport knows whom to wake, and nothing is left to do.
    is_settled: bool,
}

const NOWHERE: Place = Place { attended: 0, is_settled: false };

thread_local! {
    static HERE: Cell<Place> = const { Cell::new(NOWHERE) };
}

fn here() -> Place {
    HERE.try_with(Cell::get).unwrap_or(NOWHERE)
}

/// What tells one WebSocket from another: its address, so it must have one.
#[derive(Default)]
pub(super) struct Attendance(u8);

/// The thread is at the user's future of a WebSocket as long as this lives.
pub(super) struct Visit {
    attended: usize,
    /// Where it was: a user's future may poll another WebSocket's.
    before: Place,
    /// Of this thread.
    _thread: PhantomData<*const ()>,
}

impl Attendance {
    /// The task turns to the user's future.
    pub(super) fn begin(&self) -> Visit {
        let place = Place { attended: self.address(), is_settled: false };
        let before = HERE.try_with(|here| here.replace(place)).unwrap_or(NOWHERE);
        Visit { attended: place.attended, before, _thread: PhantomData }
    }

    /// Whether this thread is there.
    #[inline]
    pub(super) fn is_under_way(&self) -> bool {
        here().attended == self.address()
    }

    /// A reader rests.
    pub(super) fn settle(&self) {
        self.note(true);
    }

    /// There is something to do.
    #[inline]
    pub(super) fn unsettle(&self) {
        self.note(false);
    }

    #[inline]
    fn note(&self, is_settled: bool) {
        if self.is_under_way() {
            let _ = HERE.try_with(|here| here.set(Place { is_settled, ..here.get() }));
        }
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(&self.0).addr()
    }
}

impl Visit {
    /// The task turns away. Whether the pump has nothing to do.
    pub(super) fn end(self) -> bool {
        let place = here();
        place.attended == self.attended && place.is_settled
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let _ = HERE.try_with(|here| here.set(self.before));
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn what_comes_after_the_rest_is_told_at_the_end_or_to_whoever_found_it() {
        let attendance = Attendance::default();
        attendance.settle();
        assert!(!attendance.is_under_way());
        let visit = attendance.begin();
        assert!(attendance.is_under_way() && !visit.end(), "a rest elsewhere is none of this task's");
        let visit = attendance.begin();
        attendance.settle();
        assert!(attendance.is_under_way() && visit.end());
        let visit = attendance.begin();
        attendance.settle();
        attendance.unsettle();
        assert!(attendance.is_under_way() && !visit.end());
        assert!(!attendance.is_under_way());
    }

    #[test]
    fn one_websocket_in_the_task_of_another_does_not_speak_for_it() {
        let [outer, inner] = [Attendance::default(), Attendance::default()];
        let visit = outer.begin();
        outer.settle();
        let within = inner.begin();
        assert!(inner.is_under_way() && !outer.is_under_way());
        outer.unsettle();
        assert!(!within.end());
        assert!(outer.is_under_way() && visit.end());
    }

    #[test]
    fn another_thread_is_elsewhere() {
        let attendance = Attendance::default();
        let visit = attendance.begin();
        attendance.settle();
        thread::scope(|scope| {
            scope.spawn(|| {
                assert!(!attendance.is_under_way());
                attendance.unsettle();
            });
        });
        assert!(visit.end());
    }

    #[test]
    fn a_panic_leaves_the_place() {
        let attendance = Attendance::default();
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _visit = attendance.begin();
            panic!("in the user's future");
        }));
        assert!(!attendance.is_under_way());
    }
}
