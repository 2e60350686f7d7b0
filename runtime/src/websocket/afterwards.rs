//! What is left to do when the lock of a WebSocket is open again: foreign code (wakers, and the destructor of a stream)
//! never runs behind it.

use std::task::Waker;

/// Collected under the lock. Nearly always nothing is, and then there is none of this.
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
    /// With the lock open.
    #[cold]
    pub(super) fn perform(self) {
        let wakers = [self.reader, self.pump, self.sender];
        wakers.into_iter().flatten().chain(self.watchers).for_each(Waker::wake);
        drop(self.dead);
    }
}
