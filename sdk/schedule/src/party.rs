//! A person who is to come to a meeting, and what stands in the way of one.

use std::num::NonZeroU32;

use chrono::{Days, NaiveDate, Weekday};
use huddle_ports::Timestamp;

use crate::dates::moments;
use crate::interval::{Interval, IntervalSet};
use crate::local::WeeklyRule;
use crate::zone::Zone;

pub(crate) use self::way::{Obstacle, Place, Way};

mod way;

/// A person who is to come to a meeting, as far as their time is concerned.
///
/// ```
/// use huddle_schedule::{Calendar, IntervalSet, Party};
///
/// let busy = IntervalSet::new();
/// let guest = Party { calendar: Calendar::Known(&busy), ..Party::default() };
/// assert!(guest.open.is_none(), "at any time of day");
/// assert!(matches!(Party::default().calendar, Calendar::Unreadable), "until somebody says otherwise");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Party<'a> {
    /// Their part in the meeting.
    pub role: Role,
    /// Their zone: that of the days and weeks of `caps`, and of `working` and `preferred`.
    pub zone: Zone,
    /// When their calendars say that they are busy.
    pub calendar: Calendar<'a>,
    /// The meetings that have been held, prepared or booked for them, in any order.
    pub meetings: &'a [Meeting<'a>],
    /// What they keep free around a meeting.
    pub margins: Margins,
    /// How many meetings they host at most.
    pub caps: Caps,
    /// The only times at which they can be met; `None` is at any time.
    pub open: Option<&'a IntervalSet>,
    /// When they work. Slots are ranked by it, and none is left out.
    pub working: &'a [WeeklyRule],
    /// When they like to meet. Slots are ranked by it, and none is left out.
    pub preferred: &'a [WeeklyRule],
}

/// A person's part in a meeting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// Asks for the meeting, and has to come.
    #[default]
    Guest,
    /// Is asked for it, and has to come.
    Host,
    /// Is one of several hosts of whom some have to come; see [`Search::quorum`](crate::Search::quorum).
    AnyHost,
}

impl Role {
    /// Whether the meeting counts as one that the person hosts.
    pub fn hosts(self) -> bool {
        self != Self::Guest
    }
}

/// What is known of a person's calendars. By default that is nothing: nobody is free because a calendar was forgotten.
#[derive(Clone, Copy, Debug, Default)]
pub enum Calendar<'a> {
    /// None is connected, so that they are never busy.
    None,
    /// All could be read: this is when they are busy.
    Known(&'a IntervalSet),
    /// One could not be read. That is never free time.
    #[default]
    Unreadable,
}

/// A meeting that is held, prepared or booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Meeting<'a> {
    /// The id of its booking.
    pub id: &'a str,
    /// When it is.
    pub interval: Interval,
    /// What the person keeps free around it.
    pub margins: Margins,
    /// Until when it is held, if it is no more than that. From that very moment on it is no more.
    pub held_until: Option<Timestamp>,
    /// Whether the person is its host, so that it counts towards their [`Caps`].
    pub hosted: bool,
}

impl Meeting<'_> {
    fn is_live(&self, now: Timestamp) -> bool {
        self.held_until.is_none_or(|until| now < until)
    }
}

/// What a person keeps free around a meeting, in minutes. The margins of two meetings may overlap: neither meeting may
/// lie in a margin of the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Margins {
    /// Before it.
    pub before_minutes: u16,
    /// After it.
    pub after_minutes: u16,
}

impl Margins {
    /// Of each side the larger.
    fn larger(self, other: Self) -> Self {
        Self {
            before_minutes: self.before_minutes.max(other.before_minutes),
            after_minutes: self.after_minutes.max(other.after_minutes),
        }
    }
}

/// How many meetings a person hosts at most, by the local date on which they start, holds included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Caps {
    /// On one day.
    pub per_day: Option<NonZeroU32>,
    /// In one week from Monday.
    pub per_week: Option<NonZeroU32>,
}

impl Caps {
    /// The moments at which no further meeting may start, of days and of weeks, given when meetings start.
    fn full(self, zone: Zone, starts: &[Timestamp]) -> [IntervalSet; 2] {
        if self == Self::default() {
            return [IntervalSet::new(), IntervalSet::new()];
        }
        let mut dates: Vec<NaiveDate> = starts.iter().map(|start| zone.date(*start)).collect();
        dates.sort_unstable();
        let days = reached(&dates, self.per_day, |date| (date, Days::new(1)));
        let weeks = reached(&dates, self.per_week, |date| {
            let monday = date.week(Weekday::Mon).checked_first_day();
            (monday.unwrap_or(date), Days::new(7))
        });
        [days, weeks].map(|spans| {
            spans
                .into_iter()
                .filter_map(|(first, days)| Some((first, first.checked_add_days(days)?)))
                .flat_map(|(first, end)| Vec::from(moments(zone, first, end)))
                .collect()
        })
    }
}

/// The spans of days in which there are as many sorted dates as a cap allows, or more.
fn reached(
    dates: &[NaiveDate],
    cap: Option<NonZeroU32>,
    span: impl Fn(NaiveDate) -> (NaiveDate, Days),
) -> Vec<(NaiveDate, Days)> {
    let Some(cap) = cap.and_then(|cap| usize::try_from(cap.get()).ok()) else {
        return Vec::new();
    };
    dates
        .chunk_by(|a, b| span(*a).0 == span(*b).0)
        .filter(|meetings| meetings.len() >= cap)
        .map(|meetings| span(meetings[0]))
        .collect()
}
