//! Every choice of the simulator, through one door.
//!
//! Whatever the simulator could do in more than one way asks here, and the answer is recorded. So a run is its list of
//! choices: played again it is the same run, and a list with smaller numbers is a simpler run, for 0 is by convention
//! the plainest answer (the task that waited longest, the least latency, no split, no fault).

use std::fmt;

use callboard_core::Random;

/// What a choice was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChoiceKind {
    /// Which of the ready tasks runs next.
    Task,
    /// How long something travels, nanoseconds above the least.
    Latency,
    /// Whether a read or a write is cut short.
    Split,
    /// How many bytes a cut leaves, less one.
    SplitLength,
    /// Whether a write travels together with the one before.
    Coalesce,
    /// Whether a reset destroys what has arrived and nobody has read.
    ResetDiscards,
    /// Which of the listeners on one port accepts.
    Listener,
    /// The order of the addresses of a name.
    AddressOrder,
    /// When blocking work runs, nanoseconds from now.
    Blocking,
    /// Bits asked for by the program.
    Entropy,
}

/// One choice that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What about.
    pub kind: ChoiceKind,
    /// How many answers there were; 0 stands for all numbers of 64 bits.
    pub options: u64,
    /// The answer, below `options`.
    pub picked: u64,
}

/// The choices of a run, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// The first million of them (2^20).
    pub list: Vec<Choice>,
    /// How many were made in all.
    pub total: u64,
}

impl Choices {
    /// Whether every choice is in the list, so that the run can be played again from it.
    pub fn is_complete(&self) -> bool {
        self.list.len() as u64 == self.total
    }
}

/// Choices that are recorded, at most: 24 bytes each.
const RECORDED: usize = 1 << 20;

/// The source of all choices.
pub(crate) struct Chooser {
    source: Source,
    made: Choices,
}

enum Source {
    Seed(Random),
    Replay(std::vec::IntoIter<Choice>),
}

impl Chooser {
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self { source: Source::Seed(Random::from_seed(seed)), made: Choices::default() }
    }

    /// Plays recorded choices. Where these end, or do not fit, the plainest answer that is left is given.
    pub(crate) fn replay(choices: Vec<Choice>) -> Self {
        Self { source: Source::Replay(choices.into_iter()), made: Choices::default() }
    }

    /// A number below `options`. With one option there is nothing to choose, and nothing is recorded.
    pub(crate) fn choose(&mut self, kind: ChoiceKind, options: u64) -> u64 {
        if options <= 1 {
            return 0;
        }
        let picked = match &mut self.source {
            Source::Seed(random) => random.below(options),
            Source::Replay(choices) => choices.next().map_or(0, |choice| choice.picked.min(options - 1)),
        };
        self.record(Choice { kind, options, picked });
        picked
    }

    /// The same for an index.
    pub(crate) fn index(&mut self, kind: ChoiceKind, options: usize) -> usize {
        usize::try_from(self.choose(kind, options as u64)).unwrap_or(0)
    }

    /// True in `percent` of all cases.
    pub(crate) fn chance(&mut self, kind: ChoiceKind, percent: u8) -> bool {
        match percent {
            0 => false,
            100.. => true,
            _ => self.choose(kind, 100) >= 100 - u64::from(percent),
        }
    }

    /// Sixty-four bits.
    pub(crate) fn bits(&mut self) -> u64 {
        let picked = match &mut self.source {
            Source::Seed(random) => random.next_u64(),
            Source::Replay(choices) => choices.next().map_or(0, |choice| choice.picked),
        };
        self.record(Choice { kind: ChoiceKind::Entropy, options: 0, picked });
        picked
    }

    pub(crate) fn made(&self) -> &Choices {
        &self.made
    }

    fn record(&mut self, choice: Choice) {
        self.made.total += 1;
        if self.made.list.len() < RECORDED {
            self.made.list.push(choice);
        }
    }
}

impl fmt::Debug for Chooser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chooser").field("made", &self.made.total).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, ChoiceKind, Chooser};

    #[test]
    fn a_replay_gives_the_same_answers_and_then_the_plainest() {
        let mut first = Chooser::from_seed(3);
        let answers: Vec<u64> = (2..50).map(|options| first.choose(ChoiceKind::Task, options)).collect();
        assert!(first.made().is_complete());

        let mut second = Chooser::replay(first.made().list.clone());
        let again: Vec<u64> = (2..50).map(|options| second.choose(ChoiceKind::Task, options)).collect();
        assert_eq!(answers, again);
        assert_eq!(second.choose(ChoiceKind::Task, 9), 0);
        assert_eq!(second.bits(), 0);
    }

    #[test]
    fn a_recorded_answer_that_does_not_fit_is_cut() {
        let mut chooser = Chooser::replay(vec![Choice { kind: ChoiceKind::Task, options: 10, picked: 9 }]);
        assert_eq!(chooser.choose(ChoiceKind::Task, 3), 2);
    }

    #[test]
    fn the_plainest_answer_is_that_nothing_happens() {
        let mut chooser = Chooser::replay(Vec::new());
        assert!(!chooser.chance(ChoiceKind::Split, 99));
        assert!(chooser.chance(ChoiceKind::Split, 100));
        assert_eq!(chooser.made().total, 1, "a certainty is no choice");
    }
}
