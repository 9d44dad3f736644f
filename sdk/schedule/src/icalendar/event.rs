//! One `VEVENT` or `VFREEBUSY` of a file: when it is, and what it says of that time.

use super::component::{Component, Property};
use super::value::{self, Lasting, PeriodEnd, Written};
use super::zones::{self, FileZone};
use crate::Zone;
use crate::recurrence::Rule;
use chrono::NaiveDateTime;
use std::collections::BTreeMap;

/// What the hands of a clock mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Clock {
    /// A whole day of the calendar's zone, or of its owner's; the time is midnight.
    Date,
    /// The clock of the calendar's zone, or of its owner's.
    Floating,
    Zone(Zone),
    /// That of a zone which the file describes, by its place among [`Zones::files`].
    File(usize),
    /// That of a zone which nobody knows, by its place among [`Zones::unknown`].
    Unknown(usize),
}

/// A time as a property gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Moment {
    pub(super) local: NaiveDateTime,
    pub(super) clock: Clock,
}

impl Moment {
    pub(super) fn is_date(self) -> bool {
        self.clock == Clock::Date
    }

    /// Whether it can be told if both are the same moment. Dates and floating times are on the other's clock.
    pub(super) fn is_comparable(self, other: Self) -> bool {
        let on_the_others = matches!(self.clock, Clock::Date | Clock::Floating);
        self.clock == other.clock || on_the_others || !(self.is_vague() || other.is_vague())
    }

    /// Whether nobody knows which moment it is.
    pub(super) fn is_vague(self) -> bool {
        matches!(self.clock, Clock::Unknown(_))
    }
}

/// How an event ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ending {
    /// As RFC 5545 §3.6.1 has it: a date lasts its day, a time no time.
    Unsaid,
    /// `DTEND`, or the end of a period.
    At(Moment),
    /// `DURATION`, or that of a period.
    After(Lasting),
    /// Both, which is not allowed: whichever is later.
    AtOrAfter(Moment, Lasting),
}

impl Ending {
    pub(super) fn is_vague(self) -> bool {
        matches!(self, Self::At(end) | Self::AtOrAfter(end, _) if end.is_vague())
    }
}

/// `RECURRENCE-ID`: which occurrence this is instead of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instead {
    pub(super) of: Moment,
    pub(super) and_future: bool,
}

/// When an event is.
#[derive(Clone, Debug)]
pub(super) struct Times {
    pub(super) start: Moment,
    pub(super) ending: Ending,
    pub(super) rules: Vec<Rule>,
    pub(super) dates: Vec<(Moment, Option<Ending>)>,
    pub(super) exceptions: Vec<Moment>,
}

impl Times {
    pub(super) fn recurs(&self) -> bool {
        !self.rules.is_empty() || !self.dates.is_empty()
    }

    /// Whether nobody knows the moments of some of its times.
    pub(super) fn are_vague(&self) -> bool {
        let vague_date = |(start, ending): &(Moment, Option<Ending>)| {
            start.is_vague() || ending.is_some_and(Ending::is_vague)
        };
        self.start.is_vague() || self.ending.is_vague() || self.dates.iter().any(vague_date)
    }
}

/// A property that is missing, or is not what it has to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) property: &'static str,
    /// The event takes no time before this, if so much can be read.
    pub(super) from: Option<Moment>,
}

#[derive(Clone, Debug)]
pub(super) struct Event<'d> {
    pub(super) component: &'d Component<'d>,
    /// Empty where it has none.
    pub(super) uid: &'d str,
    pub(super) sequence: i64,
    /// `DTSTAMP`, in UTC (RFC 5545 §3.8.7.2).
    pub(super) stamp: Option<NaiveDateTime>,
    /// In a `VCALENDAR` with `METHOD:CANCEL`.
    pub(super) is_canceled: bool,
    /// The zone that the calendar says it is in.
    pub(super) home: Option<Clock>,
    pub(super) instead: Option<Instead>,
    pub(super) times: Result<Times, Fault>,
}

/// What a calendar says for all of its events.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Around {
    pub(super) home: Option<Clock>,
    pub(super) is_canceled: bool,
}

impl<'d> Event<'d> {
    pub(super) fn read(
        component: &'d Component<'d>,
        around: Around,
        zones: &mut Zones<'d>,
    ) -> Self {
        let mut reading = Reading::default();
        let fault = component
            .properties
            .iter()
            .find_map(|property| reading.take(property, zones).err());
        let from = reading.start;
        let times = match (fault, from) {
            (Some(property), _) => Err(Fault { property, from }),
            (None, None) => Err(Fault {
                property: "DTSTART",
                from,
            }),
            (None, Some(start)) => Ok(Times {
                start,
                ending: match (reading.end, reading.duration) {
                    (Some(end), Some(duration)) => Ending::AtOrAfter(end, duration),
                    (Some(end), None) => Ending::At(end),
                    (None, Some(duration)) => Ending::After(duration),
                    (None, None) => Ending::Unsaid,
                },
                rules: reading.rules,
                dates: reading.dates,
                exceptions: reading.exceptions,
            }),
        };
        Self {
            component,
            uid: reading.uid,
            sequence: reading.sequence,
            stamp: reading.stamp,
            is_canceled: around.is_canceled,
            home: around.home,
            instead: reading.instead,
            times,
        }
    }
}

/// What the properties of an event have said so far.
#[derive(Debug, Default)]
struct Reading<'d> {
    uid: &'d str,
    sequence: i64,
    stamp: Option<NaiveDateTime>,
    start: Option<Moment>,
    end: Option<Moment>,
    duration: Option<Lasting>,
    rules: Vec<Rule>,
    dates: Vec<(Moment, Option<Ending>)>,
    exceptions: Vec<Moment>,
    instead: Option<Instead>,
}

impl<'d> Reading<'d> {
    /// Takes what a property says; the name of one that says nothing that can be read.
    fn take(
        &mut self,
        property: &'d Property<'d>,
        zones: &mut Zones<'d>,
    ) -> Result<(), &'static str> {
        // Few names begin with these letters, and most properties have other names.
        let name = property.name();
        let Some(b'D' | b'E' | b'R' | b'S' | b'U') =
            name.bytes().next().map(|b| b.to_ascii_uppercase())
        else {
            return Ok(());
        };
        let value = property.value();
        if property.is("UID") {
            self.uid = value.trim();
        } else if property.is("SEQUENCE") {
            self.sequence = value.trim().parse().unwrap_or_default();
        } else if property.is("DTSTAMP") {
            if let Some(Written::Utc(stamp)) = value::date_or_time(value) {
                self.stamp = Some(stamp);
            }
        } else if property.is("DTSTART") {
            self.start = Some(zones.moment(property, value).ok_or("DTSTART")?);
        } else if property.is("DTEND") {
            self.end = Some(zones.moment(property, value).ok_or("DTEND")?);
        } else if property.is("DURATION") {
            self.duration = Some(value::duration(value).ok_or("DURATION")?);
        } else if property.is("RRULE") {
            self.rules.push(value.parse().map_err(|_| "RRULE")?);
        } else if property.is("RDATE") {
            for item in items(value) {
                self.dates.push(zones.date(property, item).ok_or("RDATE")?);
            }
        } else if property.is("EXDATE") {
            // An exception that cannot be read excepts nothing, which leaves more time taken.
            let exceptions = items(value).filter_map(|item| zones.moment(property, item));
            self.exceptions.extend(exceptions);
        } else if property.is("RECURRENCE-ID") {
            let range = property.parameter("RANGE");
            self.instead = Some(Instead {
                of: zones.moment(property, value).ok_or("RECURRENCE-ID")?,
                and_future: range.is_some_and(|r| r.eq_ignore_ascii_case("THISANDFUTURE")),
            });
        }
        Ok(())
    }
}

fn items(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').filter(|item| !item.trim().is_empty())
}

/// A `VFREEBUSY`: periods, and the kind of each.
#[derive(Clone, Debug)]
pub(super) struct FreeBusy<'d> {
    pub(super) component: &'d Component<'d>,
    pub(super) home: Option<Clock>,
    /// With the `FBTYPE` of each, if it has one.
    pub(super) periods: Result<Vec<(Moment, Ending, Option<String>)>, Fault>,
}

impl<'d> FreeBusy<'d> {
    pub(super) fn read(
        component: &'d Component<'d>,
        around: Around,
        zones: &mut Zones<'d>,
    ) -> Self {
        let mut periods = Vec::new();
        let mut fault = None;
        for property in component.properties.iter().filter(|p| p.is("FREEBUSY")) {
            let kind = property
                .parameter("FBTYPE")
                .map(std::borrow::Cow::into_owned);
            for item in items(property.value()) {
                match zones.date(property, item) {
                    Some((start, Some(ending))) => periods.push((start, ending, kind.clone())),
                    _ => {
                        fault = Some(Fault {
                            property: "FREEBUSY",
                            from: None,
                        });
                    }
                }
            }
        }
        Self {
            component,
            home: around.home,
            periods: fault.map_or(Ok(periods), Err),
        }
    }
}

/// The zones that a file names.
#[derive(Debug, Default)]
pub(super) struct Zones<'d> {
    /// What all the calendars of the file describe.
    pub(super) files: Vec<FileZone>,
    /// Names that mean nothing, each once.
    pub(super) unknown: Vec<String>,
    /// `VTIMEZONE`s as they stand, and their places in `files`: many calendars describe the same zone.
    texts: BTreeMap<String, usize>,
    /// `TZID` and place in `files`, for the calendar that is being read.
    described: BTreeMap<&'d str, usize>,
    /// What the names that have been asked for are, in the calendar that is being read.
    resolved: BTreeMap<String, Clock>,
}

impl<'d> Zones<'d> {
    /// Begins with a calendar: what another calls by the same names may be something else.
    pub(super) fn enter(&mut self, calendar: &'d [Component<'d>]) {
        self.described.clear();
        self.resolved.clear();
        for component in calendar.iter().filter(|c| c.is("VTIMEZONE")) {
            let Some(tzid) = component.property("TZID") else {
                continue;
            };
            // What the database knows need not be read.
            if zones::known(tzid.value()).is_none()
                && let Some(place) = self.place(component)
            {
                self.described.insert(tzid.value().trim(), place);
            }
        }
    }

    /// The place in `files` of what a `VTIMEZONE` describes, if it can be read.
    fn place(&mut self, component: &Component<'_>) -> Option<usize> {
        let text = component.to_string();
        if let Some(place) = self.texts.get(&text) {
            return Some(*place);
        }
        self.files.push(FileZone::read(component)?);
        let place = self.files.len() - 1;
        self.texts.insert(text, place);
        Some(place)
    }

    /// What a name stands for; `None` if nobody knows.
    pub(super) fn named(&mut self, tzid: &str) -> Option<Clock> {
        if let Some(clock) = self.resolved.get(tzid) {
            return Some(*clock);
        }
        let clock = self.resolve(tzid)?;
        self.resolved.insert(tzid.to_owned(), clock);
        Some(clock)
    }

    fn resolve(&mut self, tzid: &str) -> Option<Clock> {
        if let Some(zone) = zones::known(tzid) {
            return Some(Clock::Zone(zone));
        }
        if let Some(place) = self.described.get(tzid.trim()) {
            return Some(Clock::File(*place));
        }
        let offset = zones::offset_in_name(tzid)?;
        self.files.push(FileZone::fixed(offset));
        Some(Clock::File(self.files.len() - 1))
    }

    /// A value of a property, on the clock that the property names.
    pub(super) fn moment(&mut self, property: &Property<'_>, value: &str) -> Option<Moment> {
        let written = value::date_or_time(value)?;
        Some(self.on_its_clock(property, written))
    }

    fn on_its_clock(&mut self, property: &Property<'_>, written: Written) -> Moment {
        match written {
            Written::Date(date) => Moment {
                local: date.into(),
                clock: Clock::Date,
            },
            Written::Utc(local) => Moment {
                local,
                clock: Clock::Zone(Zone::UTC),
            },
            Written::Local(local) => {
                let tzid = property.parameter("TZID");
                let clock = tzid.map_or(Clock::Floating, |tzid| self.clock(&tzid));
                Moment { local, clock }
            }
        }
    }

    /// The clock of a name. A name that nobody knows is kept for the report.
    fn clock(&mut self, tzid: &str) -> Clock {
        if let Some(clock) = self.named(tzid) {
            return clock;
        }
        let clock = Clock::Unknown(self.unknown.len());
        self.unknown.push(tzid.chars().take(64).collect());
        self.resolved.insert(tzid.to_owned(), clock);
        clock
    }

    /// A date, a time, or a period.
    fn date(&mut self, property: &Property<'_>, item: &str) -> Option<(Moment, Option<Ending>)> {
        if !item.contains('/') {
            return Some((self.moment(property, item)?, None));
        }
        let (start, end) = value::period(item)?;
        // Periods are of times: a date in one is its midnight on the clock that the property names.
        let timed = |written| match written {
            Written::Date(date) => Written::Local(date.into()),
            written => written,
        };
        let ending = match end {
            PeriodEnd::After(lasting) => Ending::After(lasting),
            PeriodEnd::At(end) => Ending::At(self.on_its_clock(property, timed(end))),
        };
        Some((self.on_its_clock(property, timed(start)), Some(ending)))
    }
}
