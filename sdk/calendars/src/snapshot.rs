//! What a calendar said, kept so that the next answer may be "nothing has changed".

use std::time::Duration;

use huddle_ports::Timestamp;
use huddle_schedule::{Interval, IntervalSet};
use serde::{Deserialize, Serialize};

use crate::icalendar::Busy;

/// How old a snapshot may be before the calendar is read whole again: some servers say "not modified" whatever
/// they are asked.
pub const MAX_SNAPSHOT_AGE: Duration = Duration::from_hours(24);

/// The busy time that a calendar has in a window.
///
/// It is as private as the calendar, and may be stored. Handed back, it saves reading the calendar again where the
/// server says that nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The window that was read. Nothing is known of any other time.
    pub window: Interval,
    /// When the person is busy in it.
    pub busy: IntervalSet,
    /// What in it is not as it should be, in words for its owner: it names events, which nobody else may learn of.
    /// All the time that such events may take counts as busy.
    pub problems: Vec<String>,
    /// When the calendar was last read whole.
    pub read_at: Timestamp,
    /// When the calendar was last asked whether that is still so.
    pub checked_at: Timestamp,
    version: Version,
}

/// By what a server recognises what it has said before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Version {
    /// By nothing.
    Unknown,
    /// By the validators of HTTP (RFC 9110 §8.8).
    Validators {
        etag: Option<String>,
        last_modified: Option<String>,
    },
    /// By a token (RFC 6578 §4).
    SyncToken(String),
    /// By the tag of a whole collection, an extension that older servers have.
    CollectionTag(String),
}

impl Snapshot {
    pub(crate) fn new(window: Interval, read: Busy, now: Timestamp, version: Version) -> Self {
        Self {
            window,
            busy: read.intervals,
            problems: read.problems,
            read_at: now,
            checked_at: now,
            version,
        }
    }

    /// What to compare with, if this still counts for a window.
    pub(crate) fn version_for(&self, window: Interval, now: Timestamp) -> Option<&Version> {
        let fresh = now.since(self.read_at) < MAX_SNAPSHOT_AGE;
        (fresh && self.window.covers(window)).then_some(&self.version)
    }

    /// The same, found to be so still.
    pub(crate) fn unchanged(&self, version: Version, now: Timestamp) -> Self {
        Self {
            version,
            checked_at: now,
            ..self.clone()
        }
    }
}
