//! What is the same for all events of an expansion: the window, whose it is, and the clocks that tell local times.

use super::Agenda;
use crate::icalendar::event::{Clock, Ending, Moment};
use crate::icalendar::value::{DAY_SECS, Lasting};
use crate::icalendar::zones::FileClock;
use crate::recurrence::Exhausted;
use crate::{Interval, Zone};
use chrono::NaiveDateTime;
use huddle_ports::Timestamp;

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

    /// How long something lasts that starts then and ends so.
    pub(super) fn length(
        &self,
        start: Moment,
        ending: Ending,
        home: Option<Clock>,
    ) -> Result<Lasting, TooMuch> {
        let one_day = |days: i64| Lasting::days(if days == 0 { 1 } else { days });
        Ok(match ending {
            Ending::Unsaid if start.is_date() => Lasting::days(1),
            Ending::Unsaid => Lasting::default(),
            Ending::After(lasting) if start.is_date() => {
                one_day(lasting.days + lasting.seconds.div_euclid(DAY_SECS))
            }
            Ending::After(lasting) => lasting,
            Ending::At(end) if start.is_date() && end.is_date() => {
                one_day((end.local - start.local).num_days())
            }
            // RFC 5545 §3.8.5.3: with DTEND, each occurrence lasts exactly as long as the first.
            Ending::At(end) => {
                let (start, end) = (self.instant(start, home)?, self.instant(end, home)?);
                Lasting::seconds((end.as_millis() - start.as_millis()).div_euclid(1000))
            }
        })
    }
}
