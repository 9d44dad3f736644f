//! What a case of slots may say.

use std::collections::BTreeSet;
use std::num::{NonZeroU16, NonZeroU32};

use chrono::{DateTime, NaiveDate, Weekday};
use huddle_ports::Timestamp;
use huddle_schedule::{DateOverride, Interval, LocalTime, LocalWindow, Margins, Meeting, Zone};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A case. Minutes, unless a field says otherwise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    #[serde(rename = "id", alias = "name")]
    pub _id: String,
    #[serde(
        default,
        rename = "note",
        alias = "notes",
        alias = "why",
        alias = "comment",
        alias = "description",
        alias = "source"
    )]
    pub _note: Option<serde_json::Value>,
    #[serde(alias = "zone", alias = "host_tz")]
    pub tz: Zone,
    /// Has no say in which moments are offered.
    #[serde(
        default,
        rename = "guest_tz",
        alias = "guest_zone",
        alias = "server_tz"
    )]
    pub _guest_tz: Option<Zone>,
    pub from: Date,
    pub to: Date,
    #[serde(default, alias = "rules", alias = "hours")]
    pub weekly: Vec<Weekly>,
    #[serde(default, alias = "date_overrides", alias = "exceptions")]
    pub overrides: Vec<Override>,
    #[serde(
        default,
        alias = "closed_days",
        alias = "closed_dates",
        alias = "holidays"
    )]
    pub closed: Vec<Date>,
    #[serde(default, alias = "validFrom")]
    pub valid_from: Option<Date>,
    #[serde(default, alias = "validUntil", alias = "valid_to")]
    pub valid_until: Option<Date>,
    /// Windows that stand once, beside the weekly ones.
    #[serde(default, alias = "once", alias = "one_off", alias = "windows")]
    pub offers: Vec<Between>,
    #[serde(default)]
    pub duration: Option<NonZeroU16>,
    /// Lengths to choose from, the preferred one first.
    #[serde(default)]
    pub durations: Vec<NonZeroU16>,
    /// As long as the meeting, if it is not given.
    #[serde(
        default,
        alias = "slot_step",
        alias = "interval",
        alias = "step_minutes"
    )]
    pub step: Option<NonZeroU16>,
    #[serde(default, alias = "align")]
    pub alignment: Aligned,
    #[serde(default)]
    pub busy: Vec<Between>,
    #[serde(default)]
    pub all_day_busy: Vec<AllDay>,
    #[serde(default)]
    pub guest_busy: Vec<Between>,
    #[serde(default, alias = "before_buffer", alias = "buffer_before_minutes")]
    pub buffer_before: u16,
    #[serde(default, alias = "after_buffer", alias = "buffer_after_minutes")]
    pub buffer_after: u16,
    #[serde(default)]
    pub now: Option<Moment>,
    #[serde(
        default,
        alias = "min_notice",
        alias = "minimum_notice",
        alias = "notice_minutes",
        alias = "min_notice_minutes",
        alias = "minimum_notice_minutes"
    )]
    pub notice: u32,
    /// In days.
    #[serde(
        default,
        alias = "window_days",
        alias = "max_days_ahead",
        alias = "days_ahead"
    )]
    pub booking_window_days: Option<u16>,
    #[serde(default, alias = "max_per_day_host")]
    pub max_per_day: Option<NonZeroU32>,
    #[serde(default)]
    pub max_per_week: Option<NonZeroU32>,
    /// Meetings of the host, confirmed, held or pending.
    #[serde(default, alias = "meetings", alias = "existing", alias = "booked")]
    pub bookings: Vec<Booking>,
    #[serde(default, alias = "held")]
    pub holds: Vec<Booking>,
    #[serde(default)]
    pub pending: Vec<Booking>,
    /// The id of the booking that moves.
    #[serde(default, alias = "rescheduling", alias = "ignore")]
    pub reschedule: Option<String>,
    #[serde(default, alias = "after")]
    pub earliest: Option<Moment>,
    #[serde(default, alias = "before")]
    pub latest: Option<Moment>,
    pub expect: BTreeSet<Moment>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Weekly {
    /// From Sunday, which is 0; or as RFC 5545 names them.
    pub days: Vec<Day>,
    pub start: Clock,
    pub end: Clock,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Override {
    date: Date,
    #[serde(default)]
    windows: Vec<Window>,
    #[serde(default)]
    closed: bool,
    #[serde(default)]
    start: Option<Clock>,
    #[serde(default)]
    end: Option<Clock>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    start: Clock,
    end: Clock,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AllDay {
    pub start: Date,
    pub end: Date,
    #[serde(default)]
    pub tz: Option<Zone>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Aligned {
    #[default]
    Window,
    Clock,
}

/// `[start, end]`, or an object.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Between {
    Pair(Moment, Moment),
    Object(StartEnd),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StartEnd {
    start: Moment,
    end: Moment,
}

impl Between {
    /// Nothing, where it has no duration.
    pub(super) fn interval(self) -> Option<Interval> {
        let (Self::Pair(start, end) | Self::Object(StartEnd { start, end })) = self;
        Interval::new(start.0, end.0)
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Booking {
    Pair(Moment, Moment),
    Object(NamedBooking),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NamedBooking {
    #[serde(default, alias = "uid")]
    id: Option<String>,
    start: Moment,
    end: Moment,
    #[serde(default, rename = "status")]
    _status: Option<String>,
    /// The first moment at which it is no longer held.
    #[serde(default, alias = "expires_at", alias = "held_until", alias = "until")]
    expires: Option<Moment>,
    #[serde(default)]
    buffer_before: u16,
    #[serde(default)]
    buffer_after: u16,
}

impl Booking {
    /// `name` is what it is called where it has no id of its own.
    pub(super) fn meeting<'a>(&'a self, name: &'a str) -> Option<Meeting<'a>> {
        let plain = |interval| Meeting {
            id: name,
            interval,
            margins: Margins::default(),
            held_until: None,
            hosted: true,
        };
        match self {
            Self::Pair(start, end) => Interval::new(start.0, end.0).map(plain),
            Self::Object(booking) => {
                let interval = Interval::new(booking.start.0, booking.end.0)?;
                Some(Meeting {
                    id: booking.id.as_deref().unwrap_or(name),
                    margins: Margins {
                        before_minutes: booking.buffer_before,
                        after_minutes: booking.buffer_after,
                    },
                    held_until: booking.expires.map(|expires| expires.0),
                    ..plain(interval)
                })
            }
        }
    }
}

/// A moment with its offset, as RFC 3339 writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(pub Timestamp);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let moment = DateTime::parse_from_rfc3339(&text)
            .map_err(|error| D::Error::custom(format!("{text}: {error}")))?;
        Ok(Self(Timestamp::from_millis(moment.timestamp_millis())))
    }
}

/// A local date.
#[derive(Clone, Copy, Debug)]
pub(super) struct Date(pub NaiveDate);

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let date = text.parse().map(Self);
        date.map_err(|error| D::Error::custom(format!("{text}: {error}")))
    }
}

/// A time of day, the hour with one digit or two.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(pub LocalTime);

impl<'de> Deserialize<'de> for Clock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = format!("{text:0>5}").parse();
        time.map(Self)
            .map_err(|error| D::Error::custom(format!("{text}: {error}")))
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Day {
    Number(u8),
    Name(DayName),
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) enum DayName {
    #[serde(alias = "sunday", alias = "Sunday")]
    SU,
    #[serde(alias = "monday", alias = "Monday")]
    MO,
    #[serde(alias = "tuesday", alias = "Tuesday")]
    TU,
    #[serde(alias = "wednesday", alias = "Wednesday")]
    WE,
    #[serde(alias = "thursday", alias = "Thursday")]
    TH,
    #[serde(alias = "friday", alias = "Friday")]
    FR,
    #[serde(alias = "saturday", alias = "Saturday")]
    SA,
}

impl Day {
    pub(super) fn weekday(self) -> Result<Weekday, String> {
        let number = match self {
            Self::Number(number) => number,
            Self::Name(name) => name as u8,
        };
        match number {
            1..=6 => Weekday::try_from(number - 1).map_err(|error| error.to_string()),
            0 | 7 => Ok(Weekday::Sun),
            _ => Err(format!("there is no day {number} of the week")),
        }
    }
}

fn window(start: Clock, end: Clock) -> LocalWindow {
    LocalWindow {
        start: start.0,
        end: end.0,
    }
}

impl Override {
    pub(super) fn exception(&self) -> Result<DateOverride, String> {
        let single = match (self.start, self.end) {
            (Some(start), Some(end)) => Some(window(start, end)),
            (None, None) => None,
            _ => return Err(format!("half a window on {}", self.date.0)),
        };
        let windows = self
            .windows
            .iter()
            .map(|Window { start, end }| window(*start, *end));
        let windows: Vec<_> = windows.chain(single).collect();
        if self.closed && !windows.is_empty() {
            return Err(format!("{} is closed and has windows", self.date.0));
        }
        Ok(DateOverride {
            date: self.date.0,
            windows,
        })
    }
}
