//! All events of a file, put together: what recurs, what takes the place of what, and when all of it is.

use super::Limits;
use super::component::Component;
use super::event::{Around, Event, Fault, FreeBusy, Zones};
use super::marks;
use crate::busy::{BusyRules, Event as Marked, Span, busy_times};
use crate::{Interval, IntervalSet, Zone};
use chrono::{NaiveDate, NaiveDateTime};
use huddle_ports::Timestamp;
use std::cmp::Reverse;
use std::collections::HashSet;
use std::fmt;

mod expand;
mod master;
mod scene;

use expand::Expander;
use scene::Scene;

/// The events of a calendar, or of several in one text.
#[derive(Debug)]
pub struct Agenda<'d> {
    events: Vec<Event<'d>>,
    series: Vec<Series>,
    free_busy: Vec<FreeBusy<'d>>,
    zones: Zones<'d>,
    /// What was seen while the events were read.
    problems: Vec<Problem>,
    limits: Limits,
}

/// Events with one UID: those that say when, and those that stand instead of single occurrences of them.
#[derive(Debug, Default)]
struct Series {
    masters: Vec<usize>,
    /// The newest for each occurrence.
    instead: Vec<usize>,
}

/// Whose calendar is read.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// Where all-day and floating times are, unless the calendar says so itself (`X-WR-TIMEZONE`).
    pub zone: Zone,
    /// Mail addresses, by which an owner is known among the attendees; case does not matter.
    pub addresses: &'a [&'a str],
}

/// When somebody is busy, as far as a calendar says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Busy {
    /// Within the window.
    pub intervals: IntervalSet,
    /// What could not be read as it was meant. `intervals` has all the time that it may take.
    pub problems: Vec<Problem>,
}

/// Something in a calendar that its owner should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The UID of the event, or its beginning; empty if it has none, or if it is about the calendar.
    pub uid: String,
    /// What is the matter.
    pub trouble: Trouble,
}

/// What is the matter with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// This property is missing or makes no sense: the event lasts to the end of the window, for all that is known.
    /// A component that nobody knows has no `BEGIN`; it has a start, and is read as an event.
    Unreadable(&'static str),
    /// It occurs too often: it lasts to the end of the window, for all that is known.
    TooMuch,
    /// Nobody knows this time zone: events in it count as busy for as long as they may be on, in whatever zone.
    UnknownZone(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.trouble {
            Trouble::Unreadable(property) => write!(
                f,
                "event {:?} has no {property} that can be read; correct it: unless it is free or cancelled, all the time that it may take is busy",
                self.uid
            ),
            Trouble::TooMuch => write!(
                f,
                "event {:?} occurs too often; simplify its rule: unless it is free or cancelled, all the time that it may take is busy",
                self.uid
            ),
            Trouble::UnknownZone(name) => write!(
                f,
                "time zone {name:?} is neither known nor described; name it as the IANA database does: all the time that events in it may take is busy"
            ),
        }
    }
}

/// One time that an event is at.
#[derive(Clone, Copy, Debug)]
pub struct Occurrence<'d> {
    /// The `VEVENT` that says what it is: the one that stands instead of others, if there is one.
    pub component: &'d Component<'d>,
    /// Its first moment.
    pub start: Timestamp,
    /// The first moment after it; `start` if it takes no time.
    pub end: Timestamp,
    /// What its times mean.
    pub kind: Kind,
    event: usize,
}

/// What the times of an event mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whole days, wherever one is.
    AllDay {
        /// The first date.
        first: NaiveDate,
        /// The date after the last.
        end: NaiveDate,
    },
    /// The clock on the wall, wherever one is.
    Floating {
        /// Its first moment.
        start: NaiveDateTime,
        /// The first moment after it.
        end: NaiveDateTime,
    },
    /// Moments.
    Zoned,
}

/// All that happens in a window.
#[derive(Clone, Debug, Default)]
pub struct Expansion<'d> {
    /// By their starts, then by the order of the file.
    pub occurrences: Vec<Occurrence<'d>>,
    /// What could not be read as it was meant.
    pub problems: Vec<Problem>,
    /// What events may take that could not be read.
    blocked: Vec<(usize, Interval)>,
    /// Periods of `VFREEBUSY`, and their kinds.
    periods: Vec<(Interval, Option<String>)>,
}

impl<'d> Agenda<'d> {
    /// Reads the events of what [`parse`](super::parse) gives, however deep they lie.
    pub fn of(components: &'d [Component<'d>], limits: Limits) -> Self {
        let mut agenda = Self {
            events: Vec::new(),
            series: Vec::new(),
            free_busy: Vec::new(),
            zones: Zones::default(),
            problems: Vec::new(),
            limits,
        };
        agenda.zones.enter(components);
        agenda.collect(components, Around::default());
        agenda.arrange();
        agenda
    }

    /// Components are no deeper than [`Limits::depth`].
    fn collect(&mut self, components: &'d [Component<'d>], around: Around) {
        for component in components.iter().filter(|c| !c.is("VTIMEZONE")) {
            let mut around = around;
            if component.is("VCALENDAR") {
                self.zones.enter(&component.components);
                around = self.around(component);
            }
            if component.is("VEVENT") {
                let event = Event::read(component, around, &mut self.zones);
                self.events.push(event);
            } else if component.is("VFREEBUSY") {
                let free_busy = FreeBusy::read(component, around, &mut self.zones);
                self.free_busy.push(free_busy);
            } else {
                self.add_misnamed(component, around);
            }
            self.collect(&component.components, around);
        }
    }

    /// Takes what has a start, and is nothing that may have one, for an event whose `BEGIN` is misspelt.
    fn add_misnamed(&mut self, component: &'d Component<'d>, around: Around) {
        let name = &component.name;
        let is_extension = name
            .get(..2)
            .is_some_and(|start| start.eq_ignore_ascii_case("X-"));
        let may_start = is_extension || WITH_START.iter().any(|other| component.is(other));
        if may_start || component.property("DTSTART").is_none() {
            return;
        }
        let mut event = Event::read(component, around, &mut self.zones);
        let (property, from) = ("BEGIN", None);
        if component.is("VCALENDAR") {
            // There may be several in it, without a bound between them.
            event.times = Err(Fault { property, from });
        } else {
            self.problems.push(Problem {
                uid: name_of(event.uid),
                trouble: Trouble::Unreadable(property),
            });
        }
        self.events.push(event);
    }

    fn around(&mut self, calendar: &Component<'_>) -> Around {
        let zone = calendar.property("X-WR-TIMEZONE");
        let method = calendar.property("METHOD");
        Around {
            home: zone.and_then(|zone| self.zones.named(zone.value())),
            is_canceled: method
                .is_some_and(|method| method.value().trim().eq_ignore_ascii_case("CANCEL")),
        }
    }

    /// Puts events with one UID together.
    fn arrange(&mut self) {
        let events = &self.events;
        let mut order: Vec<usize> = (0..events.len()).collect();
        order.sort_by_key(|&event| events[event].uid);
        for group in
            order.chunk_by(|&a, &b| events[a].uid == events[b].uid && !events[a].uid.is_empty())
        {
            let (mut masters, mut instead): (Vec<usize>, Vec<usize>) = group
                .iter()
                .partition(|&&event| events[event].instead.is_none());
            keep_newest(events, &mut masters);
            if masters.is_empty() {
                // Nobody says what this is a part of; what recurs by itself is taken at its word.
                masters = instead
                    .extract_if(.., |&mut event| {
                        events[event]
                            .times
                            .as_ref()
                            .is_ok_and(super::event::Times::recurs)
                    })
                    .collect();
            }
            self.series.push(Series { masters, instead });
        }
    }

    /// All that happens in a window, whether it takes time or not. Events without a duration are at their start.
    pub fn expand(&self, window: Interval, home: Zone) -> Expansion<'d> {
        let scene = Scene::new(self, window, home);
        let mut expander = Expander::new(&scene);
        for series in &self.series {
            expander.add(series);
        }
        for free_busy in &self.free_busy {
            expander.add_free_busy(free_busy);
        }
        let mut expansion = expander.finish();
        expansion.problems.extend_from_slice(&self.problems);
        let unknown = self.zones.unknown.iter().cloned().map(|zone| Problem {
            uid: String::new(),
            trouble: Trouble::UnknownZone(zone),
        });
        expansion.problems.extend(unknown);
        expansion
    }

    /// When its owner is busy in a window, by the rules for that; what has the UID `ignoring` takes no time, unless
    /// it cannot be read.
    pub fn busy(
        &self,
        window: Interval,
        owner: Owner<'_>,
        rules: &BusyRules,
        ignoring: Option<&str>,
    ) -> Busy {
        let expansion = self.expand(window, owner.zone);
        let mut marks: Vec<Option<Marked<'d>>> = vec![None; self.events.len()];
        let mut marked = |event: usize, interval: Option<Interval>, is_all_day: bool| {
            let marks = marks[event]
                .get_or_insert_with(|| marks::of_event(&self.events[event], owner.addresses));
            Marked {
                span: Span::Timed(interval),
                is_all_day,
                ..*marks
            }
        };
        let occurrences = expansion.occurrences.iter().map(|at| {
            let is_all_day = matches!(at.kind, Kind::AllDay { .. });
            (at.event, Interval::new(at.start, at.end), is_all_day)
        });
        let blocked = expansion
            .blocked
            .iter()
            .map(|(event, interval)| (*event, Some(*interval), false));
        let events: Vec<Marked<'_>> = occurrences
            .chain(blocked)
            .map(|(event, interval, is_all_day)| marked(event, interval, is_all_day))
            .collect();
        let periods = expansion
            .periods
            .iter()
            .map(|(interval, kind)| marks::of_period(*interval, kind.as_deref()));
        let intervals = busy_times(events.into_iter().chain(periods), rules, ignoring);
        Busy {
            intervals: intervals.within(window),
            problems: expansion.problems,
        }
    }
}

/// What has a start and takes no time: RFC 5545 §3.6, RFC 7953 §3.1, and polls, whose events are events.
const WITH_START: [&str; 5] = ["VTODO", "VJOURNAL", "VAVAILABILITY", "AVAILABLE", "VPOLL"];

/// Leaves out the versions of an event that others surely supersede, and puts the newest first.
///
/// A higher `SEQUENCE` supersedes a lower one (RFC 5546 §2.1.5). But two events have one UID by mistake, too: then
/// each takes its time. So one is superseded for sure by what begins at the same time, or was written later.
fn keep_newest(events: &[Event<'_>], versions: &mut Vec<usize>) {
    versions.sort_by_key(|&version| Reverse(events[version].sequence));
    let start = |event: &Event<'_>| event.times.as_ref().ok().map(|times| times.start);
    let (mut starts, mut latest) = (HashSet::new(), None);
    let mut kept = Vec::with_capacity(versions.len());
    for same in versions.chunk_by(|&a, &b| events[a].sequence == events[b].sequence) {
        kept.extend(same.iter().copied().filter(|&version| {
            let event = &events[version];
            let is_older = event.stamp.is_some() && event.stamp < latest;
            !is_older && start(event).is_none_or(|start| !starts.contains(&start))
        }));
        for &version in same {
            starts.extend(start(&events[version]));
            latest = latest.max(events[version].stamp);
        }
    }
    *versions = kept;
}

/// The beginning of a UID: enough to find the event by.
fn name_of(uid: &str) -> String {
    uid.chars().take(80).collect()
}

impl From<&Fault> for Trouble {
    fn from(fault: &Fault) -> Self {
        Self::Unreadable(fault.property)
    }
}
