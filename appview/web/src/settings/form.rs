//! What is sent by the forms of the page. A box that is not ticked is not sent at all.

use std::collections::BTreeSet;

use huddle_core::preferences::{Preferences, Way};
use huddle_core::user_connector::connector::{Access, Connector};
use serde::Deserialize;

use super::problem::Problem;

/// What counts as busy, where meetings are written, and how the person is told.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Preferred {
    pub(super) ticket: String,
    pub(super) once: String,
    /// The preferences that were shown: what has changed since is not overwritten.
    pub(super) revision: u32,
    tentative: Option<String>,
    unanswered: Option<String>,
    declined: Option<String>,
    transparent: Option<String>,
    all_day: Option<String>,
    working_elsewhere: Option<String>,
    focus_time: Option<String>,
    /// Empty is the one that was connected first.
    events_to: String,
    email: Option<String>,
    webhook: Option<String>,
    message: Option<String>,
}

/// Where news is to be posted.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Webhooked {
    pub(super) ticket: String,
    pub(super) once: String,
    pub(super) url: String,
}

/// News is to be posted no more.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Removed {
    pub(super) ticket: String,
    pub(super) once: String,
}

impl Preferred {
    /// Changes what the form is about. One of `connectors` may be written to.
    pub(super) fn apply(
        &self,
        preferences: &mut Preferences,
        connectors: &[Connector],
    ) -> Result<(), Problem> {
        let busy = &mut preferences.busy;
        busy.tentative = self.tentative.is_some();
        busy.unanswered = self.unanswered.is_some();
        busy.declined = self.declined.is_some();
        busy.transparent = self.transparent.is_some();
        busy.all_day = self.all_day.is_some();
        busy.working_elsewhere = self.working_elsewhere.is_some();
        busy.focus_time = self.focus_time.is_some();
        preferences.events_to = if self.events_to.is_empty() {
            None
        } else {
            let mut writable = connectors.iter().filter(|it| it.access == Access::Events);
            let chosen = writable.find(|it| it.id.as_str() == self.events_to);
            Some(chosen.ok_or(Problem::CHANGED)?.id.clone())
        };
        // By all of them is also by those that there will be.
        let ways = self.ways();
        preferences.told_by = Some(ways).filter(|ways| ways.len() < Way::ALL.len());
        Ok(())
    }

    fn ways(&self) -> BTreeSet<Way> {
        let ticked = [
            (Way::Email, &self.email),
            (Way::Webhook, &self.webhook),
            (Way::DirectMessage, &self.message),
        ];
        let ticked = ticked.into_iter().filter(|(_, sent)| sent.is_some());
        ticked.map(|(way, _)| way).collect()
    }
}
