//! What is the same for all events of an expansion: the window, whose it is, and the clocks that tell local times.

use super::Agenda;
use crate::icalendar::event::{Clock, Ending, Moment};
use crate::icalendar::value::{DAY_SECS, Lasting};
use crate::icalendar::zones::FileClock;
use crate::recurrence::Exhausted;
use crate::{Interval, Zone};
use chrono::{NaiveDateTime, TimeDelta};
use huddle_ports::Timestamp;
use std::time::Duration;

/// What is the same for all events.
pub(super) struct Scene<'a, 'd> {
    pub(super) agenda: &'a Agenda<'d>,
    pub(super) window: Interval,
    owner: Zone,
    /// The clocks of the zones that the file describes; `None` where that is too much.
    files: Vec<Option<FileClock>>,
    pub(super) steps: u64,
}

/// More than the limits allow; what it is about is blocked.
pub(super) struct TooMuch;

impl From<Exhausted> for TooMuch {
    fn from(_: Exhausted) -> Self {
        Self
    }
}

/// How far clocks are behind UTC, and ahead of it, at most: `Etc/GMT+12` and `Pacific/Kiritimati`.
const BEHIND: Duration = Duration::from_hours(12);
pub(super) const AHEAD: Duration = Duration::from_hours(14);

/// The moments at which a time may be that nobody knows the zone of, from where it would be in UTC.
pub(super) fn anywhere(start: Timestamp, end: Timestamp) -> Option<Interval> {
    Some(Interval::new(start, end)?.widened(AHEAD, BEHIND))
}

/// The hands of a clock, which are all that local times need.
#[derive(Clone, Copy)]
pub(super) enum Hands<'s> {
    Zone(Zone),
    File(&'s FileClock),
}

impl Hands<'_> {
    pub(super) fn instant(self, local: NaiveDateTime) -> Timestamp {
        match self {
            Self::Zone(zone) => zone.instant(local),
            Self::File(clock) => clock.instant(local),
        }
    }

    pub(super) fn local(self, moment: Timestamp) -> NaiveDateTime {
        match self {
            Self::Zone(zone) => zone.local(moment),
            Self::File(clock) => clock.local(moment),
        }
    }
}

/// How long each occurrence of an event lasts.
///
/// RFC 5545 §3.8.5.3 has each last exactly as long as the first; most programs end each when the clock on the wall
/// shows what it shows at `DTEND`. The two differ where the clock changes in the course of one: then the later counts,
/// so that no program shows time as taken that is offered here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Length {
    lasting: Lasting,
    /// How far the hands of the clock move between `DTSTART` and `DTEND`.
    on_the_wall: Option<TimeDelta>,
}

impl Length {
    /// The moments between which something takes time that begins at a local time. An end before the start is a
    /// start after the end.
    pub(super) fn from(self, hands: Hands<'_>, local: NaiveDateTime) -> (Timestamp, Timestamp) {
        let first = hands.instant(local);
        let Lasting { days, seconds } = self.lasting;
        let after_days = match days {
            0 => first,
            _ => hands.instant(self.days_after(local)),
        };
        let millis = after_days
            .as_millis()
            .saturating_add(seconds.saturating_mul(1000));
        let exact = Timestamp::from_millis(millis);
        let wall = self
            .on_the_wall
            .and_then(|hours| local.checked_add_signed(hours))
            .map(|end| hands.instant(end));
        let end = wall.map_or(exact, |wall| wall.max(exact));
        (first.min(end), first.max(end))
    }

    /// The local time after whole days, for what lasts nothing but days.
    pub(super) fn days_after(self, local: NaiveDateTime) -> NaiveDateTime {
        local
            .checked_add_signed(TimeDelta::days(self.lasting.days))
            .unwrap_or(NaiveDateTime::MAX)
    }

    pub(super) fn is_of_days(self) -> bool {
        self.lasting.seconds == 0
    }

    /// About as long as it is, for what need not be exact.
    pub(super) fn roughly(self) -> TimeDelta {
        self.lasting.roughly().abs()
    }
}

impl From<Lasting> for Length {
    fn from(lasting: Lasting) -> Self {
        Self {
            lasting,
            on_the_wall: None,
        }
    }
}

impl<'a, 'd> Scene<'a, 'd> {
    pub(super) fn new(agenda: &'a Agenda<'d>, window: Interval, owner: Zone) -> Self {
        let mut steps = agenda.limits.steps;
        let (from, to) = (
            Zone::UTC.local(window.start()),
            Zone::UTC.local(window.end()),
        );
        let files = agenda.zones.files.iter();
        let files = files
            .map(|file| file.clock(from, to, &mut steps).ok())
            .collect();
        Self {
            agenda,
            window,
            owner,
            files,
            steps,
        }
    }

    pub(super) fn hands(&self, clock: Clock, home: Option<Clock>) -> Result<Hands<'_>, TooMuch> {
        match clock {
            Clock::Zone(zone) => Ok(Hands::Zone(zone)),
            Clock::File(place) => self.files[place].as_ref().map(Hands::File).ok_or(TooMuch),
            // Whoever asks reckons with all that it may be.
            Clock::Unknown(_) => Ok(Hands::Zone(Zone::UTC)),
            Clock::Date | Clock::Floating => match home {
                // The zone that a calendar is in is never given as a date or as floating.
                Some(home @ (Clock::Zone(_) | Clock::File(_))) => self.hands(home, None),
                _ => Ok(Hands::Zone(self.owner)),
            },
        }
    }

    pub(super) fn instant(
        &self,
        moment: Moment,
        home: Option<Clock>,
    ) -> Result<Timestamp, TooMuch> {
        Ok(self.hands(moment.clock, home)?.instant(moment.local))
    }

    /// How long what starts then and ends so lasts, whenever it occurs.
    pub(super) fn length(
        &self,
        start: Moment,
        ending: Ending,
        home: Option<Clock>,
    ) -> Result<Length, TooMuch> {
        let one_day = |days: i64| Lasting::days(if days == 0 { 1 } else { days });
        let lasting = match ending {
            Ending::Unsaid if start.is_date() => Lasting::days(1),
            Ending::Unsaid => Lasting::default(),
            Ending::After(lasting) if start.is_date() => {
                one_day(lasting.days + lasting.seconds.div_euclid(DAY_SECS))
            }
            Ending::After(lasting) => lasting,
            Ending::At(end) if start.is_date() && end.is_date() => {
                one_day((end.local - start.local).num_days())
            }
            Ending::AtOrAfter(end, lasting) => {
                let at = self.length(start, Ending::At(end), home)?;
                let after = self.length(start, Ending::After(lasting), home)?;
                return Ok(std::cmp::max_by_key(at, after, |length| length.roughly()));
            }
            Ending::At(end) => {
                let (first, last) = (self.instant(start, home)?, self.instant(end, home)?);
                let seconds = (last.as_millis() - first.as_millis()).div_euclid(1000);
                let end = self.hands(start.clock, home)?.local(last);
                return Ok(Length {
                    lasting: Lasting::seconds(seconds),
                    on_the_wall: Some(end - start.local),
                });
            }
        };
        Ok(lasting.into())
    }
}
