//! What the page shows.

use askama::Template;
use huddle_core::preferences::{Preferences, Way};
use huddle_core::user_connector::addresses::ReadAddress;
use huddle_core::user_connector::connector::{Access, Connector, GetCalendars, Provider};
use huddle_core::webhooks::Webhook;
use huddle_ports::{Timestamp, Url};
use huddle_syntax::Did;

use super::problem::Problem;
use crate::Web;

#[derive(Template)]
#[template(path = "settings.html")]
pub(super) struct Page<'a> {
    pub(super) person: &'a str,
    pub(super) ticket: &'a str,
    pub(super) once: &'a str,
    pub(super) problem: Option<&'a str>,
    pub(super) notice: Option<&'a str>,
    pub(super) secret: Option<&'a str>,
    /// What was typed as the address of a webhook.
    pub(super) url: &'a str,
    pub(super) known: &'a Known,
}

/// A person's settings.
pub(super) struct Known {
    revision: u32,
    rules: [Choice; 7],
    calendars: Vec<Calendar>,
    ways: [Choice; 3],
    webhook: Option<Posting>,
}

/// A box that is ticked or not.
struct Choice {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    is_ticked: bool,
}

/// A calendar that meetings can be written to.
struct Calendar {
    id: String,
    name: String,
    is_chosen: bool,
}

/// A webhook, and how it goes.
struct Posting {
    place: String,
    taken: Option<String>,
    failed: Option<String>,
    paused: Option<String>,
}

impl Web {
    /// How a person's settings are.
    pub(super) async fn known(&self, person: &Did) -> Result<Known, Problem> {
        let known = self.ask(person, GetCalendars { event_of: None }).await?;
        let stored = known.preferences;
        let preferences = stored.read().map_err(|_| Problem::LATER_VERSION)?;
        let address = self.ask(person, ReadAddress {}).await?;
        let webhook = self.webhooks.of(&*self.actors, person).await?;
        Ok(Known {
            revision: stored.revision,
            rules: rules(&preferences),
            calendars: calendars(&preferences, &known.connectors),
            ways: ways(&preferences, address.is_some_and(|it| it.confirmed)),
            webhook: webhook.map(|webhook| Posting::of(&webhook, &preferences)),
        })
    }
}

fn rules(preferences: &Preferences) -> [Choice; 7] {
    let busy = &preferences.busy;
    let rule = |name, label, is_ticked| Choice {
        name,
        label,
        hint: "",
        is_ticked,
    };
    [
        rule("tentative", "Tentative events", busy.tentative),
        rule(
            "unanswered",
            "Invitations that you have not answered",
            busy.unanswered,
        ),
        rule(
            "declined",
            "Invitations that you have declined",
            busy.declined,
        ),
        rule(
            "transparent",
            "Events that are marked as free",
            busy.transparent,
        ),
        rule("all_day", "All-day events", busy.all_day),
        rule(
            "working_elsewhere",
            "Working in another place",
            busy.working_elsewhere,
        ),
        rule("focus_time", "Focus time", busy.focus_time),
    ]
}

fn calendars(preferences: &Preferences, connectors: &[Connector]) -> Vec<Calendar> {
    let writable = connectors.iter().filter(|it| it.access == Access::Events);
    let calendar = |connector: &Connector| {
        let kind = match connector.provider {
            Provider::Ics => "Calendar feed",
            Provider::CalDav => "CalDAV calendar",
        };
        let since = moment(connector.created_at, preferences);
        let label = connector.label.clone();
        Calendar {
            id: connector.id.as_str().to_owned(),
            name: label.unwrap_or_else(|| format!("{kind}, connected on {since}")),
            is_chosen: preferences.events_to.as_ref() == Some(&connector.id),
        }
    };
    writable.map(calendar).collect()
}

fn ways(preferences: &Preferences, has_address: bool) -> [Choice; 3] {
    let way = |name, label, hint, way| Choice {
        name,
        label,
        hint,
        is_ticked: preferences.are_told_by(way),
    };
    let address = if has_address {
        "To the address that you have confirmed."
    } else {
        "You have confirmed no address yet: enter one in the app."
    };
    [
        way("email", "By mail", address, Way::Email),
        way(
            "webhook",
            "By a webhook",
            "To the address below.",
            Way::Webhook,
        ),
        way(
            "message",
            "By a message to your account",
            "Where this service sends any.",
            Way::DirectMessage,
        ),
    ]
}

impl Posting {
    fn of(webhook: &Webhook, preferences: &Preferences) -> Self {
        let told = |at: Option<Timestamp>| at.map(|at| moment(at, preferences));
        // What stands behind the host may let whoever reads it into an app.
        let url = Url::parse(webhook.url());
        let host = url.as_ref().ok().and_then(Url::host_str);
        Self {
            place: format!("https://{}/…", host.unwrap_or_default()),
            taken: told(webhook.taken_at()),
            failed: told(webhook.failed_at()),
            paused: told(webhook.paused_until()),
        }
    }
}

/// A moment on the person's clock: `2 June 2026, 10:00 (Europe/Madrid)`.
fn moment(at: Timestamp, preferences: &Preferences) -> String {
    let zone = preferences.rules.zone;
    let local = zone.local(at).format("%-d %B %Y, %H:%M");
    format!("{local} ({})", zone.name())
}
