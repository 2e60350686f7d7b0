//! Whether this thread is in the task that has both the user's future and the pump, and at the former now: then the
//! pump's share comes before the task rests, and need not be asked for; and whether that share is empty, so that it
//! costs no lock.
//!
//! It is known to the thread alone, and so costs no atomic. Another thread that finds something to do meanwhile wakes
//! the pump, as it would at any time.

use std::cell::Cell;
use std::marker::PhantomData;

use super::state::Outside;

/// Where the thread is.
#[derive(Clone, Copy)]
struct Place {
    /// Which WebSocket's user's future is polled, by the address of what is beside its lock; 0 for none.
    socket: usize,
    /// A reader in there has come to rest: the transport knows whom to wake, and nothing is left to do.
    is_settled: bool,
}

const NOWHERE: Place = Place { socket: 0, is_settled: false };

thread_local! {
    static HERE: Cell<Place> = const { Cell::new(NOWHERE) };
}

fn here() -> Place {
    HERE.try_with(Cell::get).unwrap_or(NOWHERE)
}

fn address(outside: &Outside) -> usize {
    std::ptr::from_ref(outside).addr()
}

/// The thread is at the user's future of a WebSocket as long as this lives.
pub(super) struct Attendance {
    /// Where it was: a user's future may poll another WebSocket's.
    before: Place,
    /// Of this thread.
    _thread: PhantomData<*const ()>,
}

impl Attendance {
    /// The task turns to the user's future.
    pub(super) fn begin(outside: &Outside) -> Self {
        let place = Place { socket: address(outside), is_settled: false };
        Self { before: HERE.try_with(|here| here.replace(place)).unwrap_or(NOWHERE), _thread: PhantomData }
    }

    /// It turns away. Whether the pump has nothing to do.
    pub(super) fn end(self) -> bool {
        here().is_settled
    }

    /// Whether this thread is at the user's future of that WebSocket.
    #[inline]
    pub(super) fn is_under_way(outside: &Outside) -> bool {
        here().socket == address(outside)
    }

    /// A reader rests.
    pub(super) fn settle(outside: &Outside) {
        Self::note(outside, true);
    }

    /// There is something to do.
    #[inline]
    pub(super) fn unsettle(outside: &Outside) {
        Self::note(outside, false);
    }

    #[inline]
    fn note(outside: &Outside, is_settled: bool) {
        if Self::is_under_way(outside) {
            let _ = HERE.try_with(|here| here.set(Place { is_settled, ..here.get() }));
        }
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        let _ = HERE.try_with(|here| here.set(self.before));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::thread;

    use super::super::wakes::Wakes;
    use super::*;

    fn outside() -> Outside {
        Outside { wakes: Wakes::default(), handles: AtomicUsize::new(1), is_client: false }
    }

    #[test]
    fn what_comes_after_the_rest_is_told_at_the_end_or_to_whoever_found_it() {
        let socket = outside();
        Attendance::settle(&socket);
        assert!(!Attendance::is_under_way(&socket));
        let attendance = Attendance::begin(&socket);
        assert!(Attendance::is_under_way(&socket) && !attendance.end(), "a rest elsewhere is none of this task's");
        let attendance = Attendance::begin(&socket);
        Attendance::settle(&socket);
        assert!(Attendance::is_under_way(&socket) && attendance.end());
        let attendance = Attendance::begin(&socket);
        Attendance::settle(&socket);
        Attendance::unsettle(&socket);
        assert!(Attendance::is_under_way(&socket) && !attendance.end());
        assert!(!Attendance::is_under_way(&socket));
    }

    #[test]
    fn one_websocket_in_the_task_of_another_does_not_speak_for_it() {
        let [outer, inner] = [outside(), outside()];
        let attendance = Attendance::begin(&outer);
        Attendance::settle(&outer);
        let within = Attendance::begin(&inner);
        assert!(Attendance::is_under_way(&inner) && !Attendance::is_under_way(&outer));
        Attendance::unsettle(&outer);
        assert!(!within.end());
        assert!(Attendance::is_under_way(&outer) && attendance.end());
    }

    #[test]
    fn another_thread_is_elsewhere() {
        let socket = outside();
        let attendance = Attendance::begin(&socket);
        Attendance::settle(&socket);
        thread::scope(|scope| {
            scope.spawn(|| {
                assert!(!Attendance::is_under_way(&socket));
                Attendance::unsettle(&socket);
            });
        });
        assert!(attendance.end());
    }

    #[test]
    fn a_panic_leaves_the_place() {
        let socket = outside();
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _attendance = Attendance::begin(&socket);
            panic!("in the user's future");
        }));
        assert!(!Attendance::is_under_way(&socket));
    }
}
