//! The lines with which a case sets its scene.
//!
//! Times are local in `zone`, as in `2026-03-08 09:00`, unless a zone is named behind them, as in `@Asia/Tokyo`.

use std::num::NonZeroU32;

use chrono::{NaiveDate, NaiveDateTime, Weekday, WeekdaySet};
use huddle_ports::Timestamp;
use huddle_schedule::busy::Span;
use huddle_schedule::{
    Alignment, BookingWindow, Calendar, Caps, Circle, Constraints, DateOverride, Interval,
    IntervalSet, LocalWindow, Margins, Meeting, Mode, Offer, OfficeHours, Party, Relationship,
    Role, Rules, Search, Times, WeeklyRule, Zone,
};

/// A person of a case.
#[derive(Debug)]
pub(crate) struct Person {
    pub name: String,
    pub role: Role,
    pub zone: Zone,
    pub readable: bool,
    pub busy: Vec<Interval>,
    pub meetings: Vec<(String, Interval, Margins, Option<Timestamp>)>,
    pub margins: Margins,
    pub caps: Caps,
    pub working: Vec<WeeklyRule>,
}

impl Person {
    fn new(name: &str, role: Role, zone: Zone) -> Self {
        Self {
            name: name.to_owned(),
            role,
            zone,
            readable: true,
            busy: Vec::new(),
            meetings: Vec::new(),
            margins: Margins::default(),
            caps: Caps::default(),
            working: Vec::new(),
        }
    }
}

/// Everything that a case sets.
#[derive(Debug)]
pub(crate) struct Setting {
    pub zone: Zone,
    hours: OfficeHours,
    once: Vec<Interval>,
    rules: Rules,
    now: Option<Timestamp>,
    pub people: Vec<Person>,
    quorum: usize,
    constraints: Constraints,
    moving: Option<String>,
    policy: Circle,
    circle: Circle,
    blocked: bool,
}

/// A moment that is before everything that a case is about.
const LONG_AGO: Timestamp = Timestamp::from_millis(0);

impl Setting {
    /// A host who offers nothing yet, and a guest who wants anything.
    pub(crate) fn new(zone: Zone) -> Self {
        Self {
            zone,
            hours: OfficeHours {
                zone,
                rules: Vec::new(),
                overrides: Vec::new(),
                valid_from: None,
                valid_until: None,
            },
            once: Vec::new(),
            rules: Rules {
                zone,
                notice_minutes: 0,
                ..Rules::default()
            },
            now: None,
            people: vec![
                Person::new("host", Role::Host, zone),
                Person::new("guest", Role::Guest, zone),
            ],
            quorum: 0,
            constraints: Constraints::default(),
            moving: None,
            policy: Circle::Anyone,
            circle: Circle::Mutual,
            blocked: false,
        }
    }

    /// Takes one line, `key: value`.
    pub(crate) fn take(&mut self, key: &str, value: &str) {
        let (key, of) = key.split_once(" of ").unwrap_or((key, "host"));
        match key {
            "dates" => {
                let (first, last) = value.split_once(" .. ").unwrap_or((value, value));
                self.hours.valid_from = Some(date(first));
                self.hours.valid_until = Some(date(last));
            }
            "hours" => {
                let (days, windows) = value.split_once(' ').expect("DAYS WINDOWS");
                self.hours.rules.extend(weekly(days, windows));
            }
            "override" => {
                let (day, windows) = value.split_once(' ').expect("DATE WINDOWS");
                let windows = if windows == "closed" { "" } else { windows };
                self.hours.overrides.push(DateOverride {
                    date: date(day),
                    windows: local_windows(windows),
                });
            }
            "offer" => self.once.push(self.between(value)),
            "length" => self.rules.durations = value.split(' ').map(number).collect(),
            "step" => self.rules.step_minutes = number(value),
            "align" => self.rules.alignment = alignment(value),
            "now" => self.now = Some(self.moment(value)),
            "notice" => self.rules.notice_minutes = number(value),
            "ahead" => {
                self.rules.booking_window = BookingWindow::Rolling {
                    days: number(value),
                }
            }
            "bookable" => {
                let (first, last) = value.split_once(" .. ").expect("FIRST .. LAST");
                let (first, last) = (date(first), date(last));
                self.rules.booking_window = BookingWindow::Fixed { first, last };
            }
            "moving" => self.moving = Some(value.to_owned()),
            "quorum" => self.quorum = number(value),
            "policy" => self.policy = value.parse().expect("a policy"),
            "circle" => self.circle = value.parse().expect("a policy"),
            "blocked" => self.blocked = value == "yes",
            "asked" => self.take_asked(value),
            "person" => self.take_person(value),
            _ => self.take_of(key, of, value),
        }
    }

    /// A line about one person.
    fn take_of(&mut self, key: &str, of: &str, value: &str) {
        let between = match key {
            "busy" => Some(self.between_or_nothing(value)),
            "all-day" => Some(self.all_day(value)),
            _ => None,
        };
        let meeting = (key == "meeting").then(|| self.meeting(value));
        let person = self.people.iter_mut().find(|person| person.name == of);
        let person = person.unwrap_or_else(|| panic!("there is no {of}"));
        match key {
            "busy" | "all-day" => person.busy.extend(between.flatten()),
            "meeting" => person.meetings.extend(meeting),
            "buffers" => person.margins = margins(value),
            "max per day" => person.caps.per_day = NonZeroU32::new(number(value)),
            "max per week" => person.caps.per_week = NonZeroU32::new(number(value)),
            "zone" => person.zone = value.parse().expect("a zone"),
            "calendar" => person.readable = value != "unreadable",
            "working" => {
                let (days, windows) = value.split_once(' ').expect("DAYS WINDOWS");
                person.working.extend(weekly(days, windows));
            }
            _ => panic!("a case cannot say {key:?}"),
        }
    }

    /// `NAME`, or `NAME any`.
    fn take_person(&mut self, value: &str) {
        let (name, role) = match value.strip_suffix(" any") {
            Some(name) => (name, Role::AnyHost),
            None => (value, Role::Host),
        };
        self.people.push(Person::new(name, role, self.zone));
    }

    /// `from TIME`, `until TIME`, `days MO,TU`, `zone NAME`, `lengths 30-60` or `at 09:00-12:00`.
    fn take_asked(&mut self, value: &str) {
        let (what, value) = value.split_once(' ').expect("WHAT VALUE");
        match what {
            "from" => self.constraints.earliest = Some(self.moment(value)),
            "until" => self.constraints.latest = Some(self.moment(value)),
            "days" => self.constraints.days = Some(weekdays(value)),
            "zone" => self.constraints.zone = value.parse().expect("a zone"),
            "at" => self.constraints.preferred.extend(local_windows(value)),
            "lengths" => {
                let (min, max) = value.split_once('-').expect("MIN-MAX");
                self.constraints.duration_min = Some(number(min));
                self.constraints.duration_max = Some(number(max));
            }
            _ => panic!("a guest cannot ask for {what:?}"),
        }
    }

    /// `2026-03-08 09:00`, `2026-03-08 09:00:30` or `2026-03-08 09:00 @Asia/Tokyo`.
    pub(crate) fn moment(&self, text: &str) -> Timestamp {
        let (local, zone) = match text.split_once(" @") {
            Some((local, zone)) => (local, zone.parse().expect("a zone")),
            None => (text, self.zone),
        };
        let formats = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"];
        let mut read = formats
            .iter()
            .filter_map(|format| NaiveDateTime::parse_from_str(local, format).ok());
        zone.instant(read.next().unwrap_or_else(|| panic!("{local} is no time")))
    }

    fn between_or_nothing(&self, text: &str) -> Option<Interval> {
        let (between, zone) = match text.split_once(" @") {
            Some((between, zone)) => (between, format!(" @{zone}")),
            None => (text, String::new()),
        };
        let (start, end) = between.split_once(" .. ").expect("START .. END");
        Interval::new(
            self.moment(&format!("{start}{zone}")),
            self.moment(&format!("{end}{zone}")),
        )
    }

    /// `2026-03-08 09:00 .. 2026-03-08 10:00`, in a zone if one is named behind it.
    pub(crate) fn between(&self, text: &str) -> Interval {
        self.between_or_nothing(text).expect("some time")
    }

    fn all_day(&self, text: &str) -> Option<Interval> {
        let (dates, zone) = match text.split_once(" @") {
            Some((dates, zone)) => (dates, zone.parse().expect("a zone")),
            None => (text, self.zone),
        };
        let (first, end) = dates.split_once(" .. ").expect("FIRST .. END");
        let (first, end) = (date(first), date(end));
        Span::AllDay { first, end, zone }.interval()
    }

    /// `ID START .. END`, then ` until TIME` of a hold, then ` buffers BEFORE AFTER`.
    fn meeting(&self, text: &str) -> (String, Interval, Margins, Option<Timestamp>) {
        let (text, buffers) = match text.split_once(" buffers ") {
            Some((text, buffers)) => (text, margins(buffers)),
            None => (text, Margins::default()),
        };
        let (text, until) = match text.split_once(" until ") {
            Some((text, until)) => (text, Some(self.moment(until))),
            None => (text, None),
        };
        let (id, between) = text.split_once(' ').expect("ID START .. END");
        (id.to_owned(), self.between(between), buffers, until)
    }

    /// Makes the search of all of it.
    pub(crate) fn search<T>(&self, then: impl FnOnce(&Search<'_>) -> T) -> T {
        let offer = |times| Offer {
            times,
            policy: Some(self.policy),
            mode: Some(Mode::Auto),
            durations: Vec::new(),
        };
        let mut offers: Vec<Offer> = Vec::new();
        if self.hours.rules.len() + self.hours.overrides.len() > 0 {
            offers.push(offer(Times::Weekly(self.hours.clone())));
        }
        let zone = self.zone;
        offers.extend(self.once.iter().map(|window| {
            offer(Times::Once {
                window: *window,
                zone,
            })
        }));
        let sets: Vec<_> = self
            .people
            .iter()
            .map(|person| person.busy.iter().copied().collect::<IntervalSet>())
            .collect();
        let meetings: Vec<Vec<Meeting<'_>>> = self
            .people
            .iter()
            .map(|person| person.meetings.iter().map(meeting).collect())
            .collect();
        let people = self.people.iter().zip(&sets).zip(&meetings);
        let parties: Vec<_> = people
            .map(|((person, busy), meetings)| Party {
                role: person.role,
                zone: person.zone,
                calendar: if person.readable {
                    Calendar::Known(busy)
                } else {
                    Calendar::Unreadable
                },
                meetings,
                margins: person.margins,
                caps: person.caps,
                open: None,
                working: &person.working,
                preferred: &[],
            })
            .collect();
        let first = self.hours.valid_from.and_then(|date| date.pred_opt());
        let first = first.map_or(LONG_AGO, |date| {
            zone.instant(date.and_time(chrono::NaiveTime::MIN))
        });
        let relationship = Relationship {
            circle: self.circle,
            blocked: self.blocked,
        };
        let now = self.now.unwrap_or(first);
        then(&Search {
            quorum: self.quorum,
            constraints: &self.constraints,
            moving: self.moving.as_deref(),
            ..Search::new(now, &offers, relationship, &self.rules, &parties)
        })
    }
}

fn meeting(
    (id, interval, margins, held_until): &(String, Interval, Margins, Option<Timestamp>),
) -> Meeting<'_> {
    Meeting {
        id,
        interval: *interval,
        margins: *margins,
        held_until: *held_until,
        hosted: true,
    }
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse()
        .unwrap_or_else(|_| panic!("{text} is no number here"))
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap_or_else(|_| panic!("{text} is no date"))
}

fn alignment(text: &str) -> Alignment {
    match text {
        "window" => Alignment::Window,
        "clock" => Alignment::Clock,
        _ => panic!("nothing is aligned to a {text}"),
    }
}

fn margins(text: &str) -> Margins {
    let (before, after) = text.split_once(' ').expect("BEFORE AFTER");
    Margins {
        before_minutes: number(before),
        after_minutes: number(after),
    }
}

fn local_windows(text: &str) -> Vec<LocalWindow> {
    let window = |text: &str| {
        let (start, end) = text.split_once('-').expect("START-END");
        LocalWindow {
            start: start.parse().expect("a time of day"),
            end: end.parse().expect("a time of day"),
        }
    };
    text.split_whitespace().map(window).collect()
}

fn weekdays(text: &str) -> WeekdaySet {
    const NAMES: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    let day = |name: &str| {
        let index = NAMES.iter().position(|known| *known == name);
        let index = index.unwrap_or_else(|| panic!("{name} is no day"));
        Weekday::try_from(u8::try_from(index).expect("seven days")).expect("seven days")
    };
    match text {
        "daily" => WeekdaySet::ALL,
        _ => text.split(',').map(day).collect(),
    }
}

fn weekly(days: &str, windows: &str) -> Vec<WeeklyRule> {
    let days = weekdays(days);
    let rule = |window: LocalWindow| WeeklyRule {
        days,
        start: window.start,
        end: window.end,
    };
    local_windows(windows).into_iter().map(rule).collect()
}
