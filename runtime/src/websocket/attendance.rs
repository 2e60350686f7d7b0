//! Whether the task that has both the user's future and the pump is at the former now, so that the pump's share comes
//! before the task rests, and need not be asked for; and whether that share is empty, so that it costs no lock.

use std::sync::atomic::{AtomicU8, Ordering};

/// The task is elsewhere, or there is none.
const AWAY: u8 = 0;
/// It polls the user's future.
const UNDER_WAY: u8 = 1;
/// It does, and a reader in there has come to rest: the transport knows whom to wake, and nothing is left to do.
const SETTLED: u8 = 2;

/// Where that task is.
///
/// All but [`begin`](Self::begin) and [`end`](Self::end), which are the task's, is called under the lock of the
/// WebSocket. Whoever finds something to do calls [`unsettle`](Self::unsettle) and then asks
/// [`is_under_way`](Self::is_under_way): either the task learns of it at its end, or the answer is no.
#[derive(Default)]
pub(super) struct Attendance(AtomicU8);

impl Attendance {
    /// The task turns to the user's future.
    pub(super) fn begin(&self) {
        self.0.store(UNDER_WAY, Ordering::Relaxed);
    }

    /// It turns away. Whether the pump has nothing to do.
    pub(super) fn end(&self) -> bool {
        self.0.swap(AWAY, Ordering::AcqRel) == SETTLED
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.0.load(Ordering::Relaxed) != AWAY
    }

    /// A reader rests in the user's future.
    pub(super) fn settle(&self) {
        let _ = self.0.compare_exchange(UNDER_WAY, SETTLED, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// There is something to do.
    pub(super) fn unsettle(&self) {
        if self.0.load(Ordering::Relaxed) == SETTLED {
            let _ = self.0.compare_exchange(SETTLED, UNDER_WAY, Ordering::AcqRel, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_after_the_rest_is_told_at_the_end_or_to_whoever_found_it() {
        let attendance = Attendance::default();
        attendance.settle();
        assert!(!attendance.is_under_way() && !attendance.end(), "a rest elsewhere is none of this task's");
        attendance.begin();
        assert!(attendance.is_under_way() && !attendance.end());
        attendance.begin();
        attendance.settle();
        assert!(attendance.is_under_way() && attendance.end());
        attendance.begin();
        attendance.settle();
        attendance.unsettle();
        assert!(attendance.is_under_way() && !attendance.end());
        attendance.unsettle();
        assert!(!attendance.is_under_way());
    }
}
