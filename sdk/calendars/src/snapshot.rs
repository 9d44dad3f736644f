//! What a calendar said, kept so that the next answer may be "nothing has changed".

use std::time::Duration;

use data_encoding::HEXLOWER;
use huddle_ports::Timestamp;
use huddle_schedule::busy::BusyRules;
use huddle_schedule::{Interval, IntervalSet};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::calendar::BusyQuery;
use crate::icalendar::Busy;

/// How old a snapshot may be before the calendar is read whole again: some servers say "not modified" whatever
/// they are asked.
pub const MAX_SNAPSHOT_AGE: Duration = Duration::from_hours(24);

/// The busy time that a calendar has in a window.
///
/// It is as private as the calendar, and may be stored. Handed back with a query that it answers, it saves reading the
/// calendar again where the server says that nothing has changed.
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
    /// What it is an answer to, but for the window.
    asked: String,
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
    pub(crate) fn new(query: &BusyQuery<'_>, read: Busy, now: Timestamp, version: Version) -> Self {
        Self {
            window: query.window,
            busy: read.intervals,
            problems: read.problems,
            read_at: now,
            checked_at: now,
            version,
            asked: asked(query),
        }
    }

    /// This, and what to compare with, if it is an answer to that query still.
    pub(crate) fn for_query(
        &self,
        query: &BusyQuery<'_>,
        now: Timestamp,
    ) -> Option<(&Self, &Version)> {
        let fresh = now.since(self.read_at) < MAX_SNAPSHOT_AGE;
        let fits = self.window.covers(query.window) && self.asked == asked(query);
        (fresh && fits).then_some((self, &self.version))
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

/// All of a query but its window, in a form that gives nothing of it away.
fn asked(query: &BusyQuery<'_>) -> String {
    let BusyQuery {
        window: _,
        rules,
        zone,
        addresses,
        ignoring,
        limits,
    } = query;
    let BusyRules {
        tentative,
        unanswered,
        declined,
        transparent,
        all_day,
        working_elsewhere,
        focus_time,
    } = *rules;
    let rules = [
        tentative,
        unanswered,
        declined,
        transparent,
        all_day,
        working_elsewhere,
        focus_time,
    ];
    let rules = rules.map(u8::from);
    let mut hash = Sha256::new();
    hash.update(rules);
    // By another bound, what recurs may take other time. The other limits say only whether anything is read at all.
    hash.update(limits.occurrences.to_be_bytes());
    for text in [zone.name(), ignoring.unwrap_or_default()]
        .iter()
        .chain(*addresses)
    {
        hash.update(text);
        hash.update("\0");
    }
    HEXLOWER.encode(&hash.finalize()[..16])
}
