//! How input is cut into pieces, and what else is done between them.

use callboard_core::Random;

/// A way to hand over input.
#[derive(Clone, Debug)]
pub(crate) enum Feed {
    /// All at once.
    Whole,
    /// Byte by byte.
    Bytes,
    /// In pieces of random length.
    Random(Random),
    /// In pieces of random length, with the calls between them in random order.
    Shuffled(Random),
    /// All at once, and the end is told before the first event is taken.
    EndFirst,
}

impl Feed {
    /// How many of `left` bytes come next.
    pub(crate) fn next(&mut self, left: usize) -> usize {
        match self {
            Self::Whole | Self::EndFirst => left,
            Self::Bytes => left.min(1),
            Self::Random(random) | Self::Shuffled(random) => {
                // Mostly small pieces, some large: both kinds of border matter.
                let largest = if random.below(3) == 0 { 2_000 } else { 12 };
                left.min(1 + usize::try_from(random.below(largest)).unwrap_or_default())
            }
        }
    }

    /// Whether the end is told together with the last piece.
    pub(crate) fn tells_end_first(&self) -> bool {
        matches!(self, Self::EndFirst)
    }

    /// The order of calls, where it is random.
    pub(crate) fn shuffle(&mut self) -> Option<&mut Random> {
        match self {
            Self::Shuffled(random) => Some(random),
            _ => None,
        }
    }
}
