//! The log of a run: typed events with time and host, the latest kept, all of them counted and hashed.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use callboard_core::Instant;

use crate::digest::Digest;
use crate::event::TraceEvent;

/// The number of a host, in the order in which they were made. 0 is the test itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HostId(pub(crate) u32);

impl HostId {
    /// Where the future of `block_on` runs.
    pub(crate) const TEST: Self = Self(0);

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// One event with its time and place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceRecord {
    /// Virtual time since the start.
    pub at: Instant,
    /// The host's name; `(test)` for the future of `block_on` and the network itself.
    pub host: Arc<str>,
    /// What happened.
    pub event: TraceEvent,
}

impl fmt::Display for TraceRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.at.as_nanos();
        write!(f, "{:>5}.{:09} {:<10} {}", nanos / 1_000_000_000, nanos % 1_000_000_000, self.host, self.event)
    }
}

/// A copy of the log: one line per event as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The latest events, oldest first.
    pub records: Vec<TraceRecord>,
    /// How many events there were in all.
    pub total: u64,
    /// The hash of all of them.
    pub hash: u64,
}

impl Trace {
    /// The last `count` events, as text.
    pub fn tail(&self, count: usize) -> String {
        let skipped = self.records.len().saturating_sub(count);
        let lines: Vec<String> = self.records[skipped..].iter().map(TraceRecord::to_string).collect();
        lines.join("\n") + "\n"
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dropped = self.total - self.records.len() as u64;
        if dropped > 0 {
            writeln!(f, "({dropped} earlier events are not kept)")?;
        }
        self.records.iter().try_for_each(|record| writeln!(f, "{record}"))
    }
}

/// The log being written.
#[derive(Debug)]
pub(crate) struct TraceLog {
    names: Vec<Arc<str>>,
    records: VecDeque<TraceRecord>,
    length: usize,
    total: u64,
    digest: Digest,
}

impl TraceLog {
    pub(crate) fn new(length: usize) -> Self {
        let names = vec![Arc::from("(test)")];
        Self { names, records: VecDeque::new(), length, total: 0, digest: Digest::new() }
    }

    /// Gives the next host its name.
    pub(crate) fn name_host(&mut self, name: Arc<str>) -> HostId {
        let id = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name);
        HostId(id)
    }

    pub(crate) fn host_name(&self, host: HostId) -> Arc<str> {
        self.names.get(host.index()).unwrap_or(&self.names[0]).clone()
    }

    pub(crate) fn record(&mut self, at: Instant, host: HostId, event: TraceEvent) {
        self.total += 1;
        self.digest.word(at.as_nanos());
        self.digest.word(u64::from(host.0));
        event.digest(&mut self.digest);
        if self.length == 0 {
            return;
        }
        if self.records.len() == self.length {
            self.records.pop_front();
        }
        let host = self.host_name(host);
        self.records.push_back(TraceRecord { at, host, event });
    }

    pub(crate) fn hash(&self) -> u64 {
        self.digest.value()
    }

    pub(crate) fn copy(&self) -> Trace {
        Trace { records: self.records.iter().cloned().collect(), total: self.total, hash: self.hash() }
    }
}

#[cfg(test)]
mod tests {
    use super::{HostId, TraceLog};
    use crate::event::TraceEvent;
    use callboard_core::Instant;

    fn log(length: usize, notes: &[&str]) -> TraceLog {
        let mut log = TraceLog::new(length);
        for note in notes {
            log.record(Instant::from_nanos(1_500_000_000), HostId::TEST, TraceEvent::Note((*note).to_owned()));
        }
        log
    }

    #[test]
    fn the_latest_are_kept_and_all_are_counted() {
        let trace = log(2, &["a", "b", "c"]).copy();
        assert_eq!(trace.total, 3);
        assert_eq!(
            trace.to_string(),
            "(1 earlier events are not kept)\n    1.500000000 (test)     note: b\n    1.500000000 (test)     note: c\n"
        );
        assert_eq!(trace.tail(1), "    1.500000000 (test)     note: c\n");
    }

    #[test]
    fn the_hash_is_of_all_events_whatever_is_kept() {
        assert_eq!(log(0, &["a", "b"]).hash(), log(9, &["a", "b"]).hash());
        assert_ne!(log(9, &["a", "b"]).hash(), log(9, &["b", "a"]).hash());
        assert_ne!(log(1, &["a", "b"]).hash(), log(1, &["x", "b"]).hash());
    }
}
