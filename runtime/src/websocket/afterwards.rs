//! What is left to do when the lock of a WebSocket is open again: foreign code (wakers, and the destructor of a stream)
//! never runs behind it.

use std::task::Waker;

/// Collected under the lock.
#[derive(Default)]
pub(super) struct Afterwards {
    pub(super) reader: Option<Waker>,
    pub(super) pump: Option<Waker>,
    pub(super) sender: Option<Waker>,
    pub(super) watchers: Vec<Waker>,
    /// What is dropped last.
    pub(super) dead: Option<Box<dyn Send>>,
}

impl Afterwards {
    #[inline]
    pub(super) fn has_any(&self) -> bool {
        let wakes = self.reader.is_some() || self.pump.is_some() || self.sender.is_some();
        wakes || !self.watchers.is_empty() || self.dead.is_some()
    }

    /// With the lock open.
    #[cold]
    pub(super) fn perform(self) {
        let wakers = [self.reader, self.pump, self.sender];
        wakers.into_iter().flatten().chain(self.watchers).for_each(Waker::wake);
        drop(self.dead);
    }
}
