//! The tasks and the list of those that are ready. Data only: who polls is `executor.rs`.
//!
//! Which ready task runs is the seed's choice, with 0 the one that has waited longest. A future is out of the table
//! while it is polled, so that the lock is free then.

use std::collections::{BTreeMap, VecDeque};
use std::task::Waker;

use callboard_runtime::Task;

use crate::chooser::{ChoiceKind, Chooser};
use crate::trace::HostId;

/// The number of the future of `block_on`.
pub(crate) const ROOT: u64 = 0;

#[derive(Default)]
pub(crate) struct Tasks {
    table: BTreeMap<u64, Entry>,
    ready: VecDeque<u64>,
    last: u64,
}

struct Entry {
    host: HostId,
    waker: Waker,
    /// In `ready` already.
    queued: bool,
    state: State,
}

enum State {
    /// Waiting or ready.
    Idle(Task),
    /// Being polled: its future is with the executor.
    Running,
    /// To be dropped when its poll ends.
    Condemned,
    /// The future of `block_on`, which the executor owns.
    Root,
}

/// A task taken out to be polled.
pub(crate) struct Picked {
    pub(crate) task: u64,
    pub(crate) host: HostId,
    pub(crate) waker: Waker,
    /// Nothing for the future of `block_on`.
    pub(crate) future: Option<Task>,
}

impl Tasks {
    /// The number of the next task.
    pub(crate) fn reserve(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    pub(crate) fn insert(&mut self, task: u64, host: HostId, waker: Waker, future: Option<Task>) {
        let state = future.map_or(State::Root, State::Idle);
        self.table.insert(task, Entry { host, waker, queued: true, state });
        self.ready.push_back(task);
    }

    /// Makes a task ready. The host if that changed anything.
    pub(crate) fn wake(&mut self, task: u64) -> Option<HostId> {
        let entry = self.table.get_mut(&task).filter(|entry| !entry.queued)?;
        entry.queued = true;
        self.ready.push_back(task);
        Some(entry.host)
    }

    /// Takes a ready task out.
    pub(crate) fn pick(&mut self, chooser: &mut Chooser) -> Option<Picked> {
        while !self.ready.is_empty() {
            let position = chooser.index(ChoiceKind::Task, self.ready.len());
            let task = self.ready.remove(position)?;
            let Some(entry) = self.table.get_mut(&task) else { continue };
            entry.queued = false;
            let (host, waker) = (entry.host, entry.waker.clone());
            match std::mem::replace(&mut entry.state, State::Running) {
                State::Idle(future) => return Some(Picked { task, host, waker, future: Some(future) }),
                State::Root => {
                    entry.state = State::Root;
                    return Some(Picked { task, host, waker, future: None });
                }
                // Only one task is polled at a time, and it comes back before the next is picked.
                busy @ (State::Running | State::Condemned) => entry.state = busy,
            }
        }
        None
    }

    pub(crate) fn is_any_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Puts a task back that is still pending. Gives it back if it was condemned meanwhile: drop it.
    pub(crate) fn put_back(&mut self, task: u64, future: Task) -> Result<(), Task> {
        match self.table.get_mut(&task) {
            Some(entry) if matches!(entry.state, State::Running) => {
                entry.state = State::Idle(future);
                Ok(())
            }
            _ => {
                self.remove(task);
                Err(future)
            }
        }
    }

    /// Forgets a task that has ended.
    pub(crate) fn remove(&mut self, task: u64) {
        if self.table.remove(&task).is_some_and(|entry| entry.queued) {
            self.ready.retain(|&ready| ready != task);
        }
    }

    /// Takes out the tasks of one host, or all: to be dropped by the caller, in order. The one that is being polled
    /// ends after its poll.
    pub(crate) fn condemn(&mut self, host: Option<HostId>) -> Vec<(u64, HostId, Option<Task>)> {
        let doomed: Vec<u64> = self
            .table
            .iter()
            .filter(|(_, entry)| host.is_none_or(|host| entry.host == host))
            .filter(|(_, entry)| matches!(entry.state, State::Idle(_) | State::Running))
            .map(|(&task, _)| task)
            .collect();
        let mut taken = Vec::new();
        for task in doomed {
            let Some(entry) = self.table.get_mut(&task) else { continue };
            let host = entry.host;
            if let State::Idle(future) = std::mem::replace(&mut entry.state, State::Condemned) {
                self.table.remove(&task);
                taken.push((task, host, Some(future)));
            } else {
                taken.push((task, host, None));
            }
        }
        self.ready.retain(|task| self.table.contains_key(task));
        taken
    }

    /// How many there are, the future of `block_on` apart.
    pub(crate) fn count(&self) -> usize {
        self.table.len() - usize::from(self.table.contains_key(&ROOT))
    }
}
