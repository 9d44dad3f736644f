//! An answer in the cache, which says itself how old it is: a cache may keep it for longer than it was told.

use std::time::Duration;

use huddle_ports::{Bytes, Timestamp};
use huddle_schedule::{Circle, Relationship};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct Remembered {
    at: Timestamp,
    circle: String,
    blocked: bool,
}

impl Remembered {
    pub(crate) fn new(relationship: Relationship, at: Timestamp) -> Self {
        Self {
            at,
            circle: relationship.circle.as_str().to_owned(),
            blocked: relationship.blocked,
        }
    }

    pub(crate) fn write(&self) -> Bytes {
        let json = serde_json::to_vec(self).expect("words and numbers are JSON");
        json.into()
    }

    /// What was remembered less than `keep` ago. What was remembered later than now, before a clock was set back, may
    /// be of any age.
    pub(crate) fn read(bytes: &[u8], now: Timestamp, keep: Duration) -> Option<Relationship> {
        let Self {
            at,
            circle,
            blocked,
        } = serde_json::from_slice(bytes).ok()?;
        if now < at || now.since(at) >= keep {
            return None;
        }
        let circle: Circle = circle.parse().ok()?;
        Some(Relationship { circle, blocked })
    }
}
