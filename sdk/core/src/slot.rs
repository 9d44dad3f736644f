//! A stretch of time, half open.

use huddle_ports::Timestamp;
use serde::{Deserialize, Serialize};

/// From `start` until just before `end`; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "(Timestamp, Timestamp)", into = "(Timestamp, Timestamp)")]
pub struct Slot {
    start: Timestamp,
    end: Timestamp,
}

impl Slot {
    /// The slot between two moments; `None` unless `start` is before `end`.
    pub fn new(start: Timestamp, end: Timestamp) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// The first moment of the slot.
    pub fn start(self) -> Timestamp {
        self.start
    }

    /// The first moment after the slot.
    pub fn end(self) -> Timestamp {
        self.end
    }

    /// Whether the two have a moment in common.
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether a moment lies within.
    pub fn contains(self, moment: Timestamp) -> bool {
        self.start <= moment && moment < self.end
    }
}

/// A slot that ends before it has begun.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a slot ends after it starts")]
pub struct EmptySlot;

impl TryFrom<(Timestamp, Timestamp)> for Slot {
    type Error = EmptySlot;

    fn try_from((start, end): (Timestamp, Timestamp)) -> Result<Self, EmptySlot> {
        Self::new(start, end).ok_or(EmptySlot)
    }
}

impl From<Slot> for (Timestamp, Timestamp) {
    fn from(slot: Slot) -> Self {
        (slot.start, slot.end)
    }
}
