//! How a person wants to be booked: what the core reads in a `com.huddle.defs#preferences`.

mod unsupported;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::num::NonZeroI64;

use huddle_lexicon::com::huddle::defs;
use huddle_schedule::busy::BusyRules;
use huddle_schedule::{Alignment, BookingWindow, Caps, Margins, Rules, Zone};
use huddle_syntax::Did;
use huddle_syntax::schema::Data as _;
use serde::{Deserialize, Serialize};

use crate::user_connector::connector::ConnectorId;

pub use unsupported::Unsupported;

/// How a person wants to be booked. By default as a document without any fields says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// By which rules they give time away, as a host.
    pub rules: Rules,
    /// What they keep free around a meeting.
    pub margins: Margins,
    /// How many meetings they host at most.
    pub caps: Caps,
    /// Who can never book them, which nobody else is told.
    pub blocked: BTreeSet<Did>,
    /// Which events of their calendars take time.
    pub busy: BusyRules,
    /// The account that events of bookings are written to, if they have chosen one.
    pub events_to: Option<ConnectorId>,
    /// By which ways they are told news of bookings; `None` is by every one.
    pub told_by: Option<BTreeSet<Way>>,
    /// Whether searches are not to find them.
    pub unlisted: bool,
}

/// A way to tell somebody something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// By mail.
    Email,
    /// By a message to an address of an app.
    Webhook,
    /// By a message to their account.
    DirectMessage,
}

/// Preferences that nobody can be booked by, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPreferences(pub String);

impl Preferences {
    /// Whether they want news by a way.
    pub fn are_told_by(&self, way: Way) -> bool {
        self.told_by.as_ref().is_none_or(|ways| ways.contains(&way))
    }

    /// Reads the JSON of a document.
    ///
    /// ```
    /// use huddle_core::preferences::Preferences;
    ///
    /// let preferences = Preferences::read(r#"{"tz": "Europe/Berlin", "bufferAfterMinutes": 10}"#)?;
    /// assert_eq!(preferences.rules.zone.name(), "Europe/Berlin");
    /// assert_eq!(preferences.margins.after_minutes, 10);
    /// assert_eq!(Preferences::read("{}")?, Preferences::default());
    /// assert!(Preferences::read(r#"{"tz": "Mars/Olympus"}"#).is_err());
    /// # Ok::<(), huddle_core::preferences::InvalidPreferences>(())
    /// ```
    pub fn read(document: &str) -> Result<Self, InvalidPreferences> {
        let document = defs::Preferences::from_json(document.as_bytes()).map_err(invalid)?;
        let rules = rules(&document)?;
        if let BookingWindow::Rolling { days } = rules.booking_window
            && rules.notice_minutes >= (u32::from(days) + 1) * 24 * 60
        {
            return Err(invalid(
                "minimumNoticeMinutes is more than bookingWindowDays: nothing could be booked",
            ));
        }
        Ok(Self {
            rules,
            margins: Margins {
                before_minutes: small(document.buffer_before_minutes_or_default())?,
                after_minutes: small(document.buffer_after_minutes_or_default())?,
            },
            caps: Caps {
                per_day: document.max_per_day.map(positive).transpose()?,
                per_week: document.max_per_week.map(positive).transpose()?,
            },
            busy: document
                .busy_rules
                .as_ref()
                .map_or_else(BusyRules::default, busy),
            unlisted: document.listing_or_default() != defs::PreferencesListing::Listed,
            events_to: document.events_to.map(ConnectorId::from),
            told_by: document.notify_by.as_deref().map(told_by),
            blocked: document.blocked_dids.into_iter().flatten().collect(),
        })
    }

    /// A document with what these say of busy time, of the calendar that is written to and of ways to be told. All else
    /// stays as it is there, and so does what this version does not know.
    ///
    /// ```
    /// use huddle_core::preferences::Preferences;
    ///
    /// let document = r#"{"tz": "Europe/Berlin", "x": 1}"#;
    /// let mut preferences = Preferences::read(document)?;
    /// preferences.busy.all_day = false;
    /// let document = preferences.rewrite(document)?;
    /// assert_eq!(Preferences::read(&document)?, preferences);
    /// assert!(document.contains("\"x\":1"));
    /// # Ok::<(), huddle_core::preferences::InvalidPreferences>(())
    /// ```
    pub fn rewrite(&self, document: &str) -> Result<String, InvalidPreferences> {
        let mut document = defs::Preferences::from_json(document.as_bytes()).map_err(invalid)?;
        let rules = document.busy_rules.get_or_insert_default();
        rules.tentative = Some(self.busy.tentative);
        rules.unanswered = Some(self.busy.unanswered);
        rules.declined = Some(self.busy.declined);
        rules.transparent = Some(self.busy.transparent);
        rules.all_day = Some(self.busy.all_day);
        rules.working_elsewhere = Some(self.busy.working_elsewhere);
        rules.focus_time = Some(self.busy.focus_time);
        let events_to = self.events_to.as_ref();
        document.events_to = events_to.map(|it| it.as_str().to_owned());
        let before = document.notify_by.take();
        document.notify_by = self.told_by.as_ref().map(|ways| {
            let unknown = before
                .into_iter()
                .flatten()
                .filter(|way| known(way).is_none());
            ways.iter().map(|way| way.word()).chain(unknown).collect()
        });
        let json = document.to_json().map_err(invalid)?;
        String::from_utf8(json).map_err(invalid)
    }
}

impl Way {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Email, Self::Webhook, Self::DirectMessage];

    fn word(self) -> defs::PreferencesNotifyByItem {
        match self {
            Self::Email => defs::PreferencesNotifyByItem::Email,
            Self::Webhook => defs::PreferencesNotifyByItem::Webhook,
            Self::DirectMessage => defs::PreferencesNotifyByItem::DirectMessage,
        }
    }
}

fn rules(document: &defs::Preferences) -> Result<Rules, InvalidPreferences> {
    let defaults = Rules::default();
    let zone = document.tz.as_deref().map(str::parse::<Zone>);
    let durations = document.durations.as_ref().map(|durations| {
        let durations = durations.iter();
        durations.map(|minutes| positive(*minutes)).collect()
    });
    Ok(Rules {
        zone: zone.transpose().map_err(invalid)?.unwrap_or(Zone::UTC),
        durations: durations.transpose()?.unwrap_or(defaults.durations),
        step_minutes: positive(document.slot_step_minutes_or_default())?,
        alignment: Alignment::Window,
        notice_minutes: small(document.minimum_notice_minutes_or_default())?,
        booking_window: BookingWindow::Rolling {
            days: small(document.booking_window_days_or_default())?,
        },
    })
}

/// The lexicon has the defaults of [`BusyRules`].
fn busy(rules: &defs::BusyRules) -> BusyRules {
    BusyRules {
        tentative: rules.tentative_or_default(),
        unanswered: rules.unanswered_or_default(),
        declined: rules.declined_or_default(),
        transparent: rules.transparent_or_default(),
        all_day: rules.all_day_or_default(),
        working_elsewhere: rules.working_elsewhere_or_default(),
        focus_time: rules.focus_time_or_default(),
    }
}

/// Those that Huddle knows.
fn told_by(ways: &[defs::PreferencesNotifyByItem]) -> BTreeSet<Way> {
    ways.iter().filter_map(known).collect()
}

fn known(word: &defs::PreferencesNotifyByItem) -> Option<Way> {
    Way::ALL.into_iter().find(|way| way.word() == *word)
}

/// A number that the lexicon keeps small.
fn small<T: TryFrom<i64, Error: Display>>(number: i64) -> Result<T, InvalidPreferences> {
    T::try_from(number).map_err(invalid)
}

fn positive<T: TryFrom<NonZeroI64, Error: Display>>(number: i64) -> Result<T, InvalidPreferences> {
    let number = NonZeroI64::try_from(number).map_err(invalid)?;
    T::try_from(number).map_err(invalid)
}

fn invalid(problem: impl Display) -> InvalidPreferences {
    InvalidPreferences(problem.to_string())
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU16, NonZeroU32};

    use super::*;

    #[track_caller]
    fn refused(document: &str, problem: &str) {
        let error = Preferences::read(document).expect_err(document).to_string();
        assert!(error.contains(problem), "{document}: {error}");
    }

    #[test]
    fn what_is_absent_has_its_default() {
        for document in ["{}", r#"{"busyRules": {}}"#] {
            assert_eq!(Preferences::read(document), Ok(Preferences::default()));
        }
    }

    #[test]
    fn everything_that_the_core_goes_by_is_read() {
        let document = r#"{
            "tz": "Asia/Tokyo", "durations": [45, 30], "slotStepMinutes": 5, "minimumNoticeMinutes": 0,
            "bookingWindowDays": 365, "bufferBeforeMinutes": 240, "bufferAfterMinutes": 1, "maxPerDay": 2,
            "maxPerWeek": 7, "blockedDids": ["did:web:x.example", "did:web:x.example"], "somethingNew": {"a": 1},
            "busyRules": {
                "tentative": false, "unanswered": false, "declined": true, "transparent": true, "allDay": false,
                "workingElsewhere": true, "focusTime": false
            },
            "eventsTo": "c7m2p4", "notifyBy": ["webhook", "pigeon"], "listing": "unlisted"
        }"#;
        let read = Preferences::read(document).unwrap();
        let minutes = |minutes| NonZeroU16::new(minutes).unwrap();
        let expect = Preferences {
            rules: Rules {
                zone: "Asia/Tokyo".parse().unwrap(),
                durations: vec![minutes(45), minutes(30)],
                step_minutes: minutes(5),
                alignment: Alignment::Window,
                notice_minutes: 0,
                booking_window: BookingWindow::Rolling { days: 365 },
            },
            margins: Margins {
                before_minutes: 240,
                after_minutes: 1,
            },
            caps: Caps {
                per_day: NonZeroU32::new(2),
                per_week: NonZeroU32::new(7),
            },
            blocked: BTreeSet::from(["did:web:x.example".parse().unwrap()]),
            busy: BusyRules {
                tentative: false,
                unanswered: false,
                declined: true,
                transparent: true,
                all_day: false,
                working_elsewhere: true,
                focus_time: false,
            },
            events_to: Some(ConnectorId::from("c7m2p4".to_owned())),
            told_by: Some(BTreeSet::from([Way::Webhook])),
            unlisted: true,
        };
        assert_eq!(read, expect);
    }

    #[test]
    fn what_is_written_of_a_document_is_read_again_and_the_rest_stays() {
        let before = r#"{"tz": "Asia/Tokyo", "busyRules": {"new": 1}, "notifyBy": ["email", "pigeon"], "x": {"y": 2}}"#;
        let mut preferences = Preferences::read(before).unwrap();
        preferences.busy.declined = true;
        preferences.events_to = Some(ConnectorId::from("c7m2p4".to_owned()));
        preferences.told_by = Some(BTreeSet::from([Way::Webhook]));
        let after = preferences.rewrite(before).unwrap();
        assert_eq!(Preferences::read(&after), Ok(preferences.clone()));
        for kept in [
            r#""new":1"#,
            r#""y":2"#,
            r#""notifyBy":["webhook","pigeon"]"#,
        ] {
            assert!(after.contains(kept), "{after}");
        }
        // By every way is what a document says that names none.
        preferences.told_by = None;
        let after = preferences.rewrite(&after).unwrap();
        assert!(!after.contains("notifyBy"), "{after}");
    }

    #[test]
    fn what_cannot_be_gone_by_is_refused_with_the_reason() {
        refused("{", "");
        refused("[]", "");
        refused(r#"{"durations": [4]}"#, "durations");
        refused(r#"{"blockedDids": ["somebody"]}"#, "blockedDids");
        refused(r#"{"tz": "Mars/Olympus"}"#, "Mars/Olympus");
        refused(r#"{"busyRules": {"allDay": 1}}"#, "allDay");
        refused(r#"{"eventsTo": ""}"#, "eventsTo");
        let day = r#"{"bookingWindowDays": 1, "minimumNoticeMinutes": "#;
        refused(&format!("{day}2880}}"), "minimumNoticeMinutes");
        assert!(Preferences::read(&format!("{day}2879}}")).is_ok());
    }
}
