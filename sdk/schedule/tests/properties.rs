//! What holds for every search, whatever is offered, wanted and in the way.

use std::collections::BTreeSet;
use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

use chrono::{NaiveDate, Weekday, WeekdaySet};
use huddle_ports::Timestamp;
use huddle_schedule::{
    Alignment, BookingWindow, Calendar, Caps, Circle, Constraints, DateOverride, Interval,
    IntervalSet, LocalTime, LocalWindow, Margins, Meeting, Mode, Offer, OfficeHours, Party,
    Relationship, Role, Rules, Search, Times, WeeklyRule, Zone,
};
use proptest::prelude::*;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// Zones with every kind of clock change, and the day around which something happens in each.
const PLACES: &[(&str, &str)] = &[
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Europe/London", "2026-03-29"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Pacific/Apia", "2011-12-30"),
    ("Pacific/Kwajalein", "1993-08-21"),
    ("America/Havana", "2026-03-08"),
    ("America/Havana", "2026-11-01"),
    ("Pacific/Chatham", "2026-09-27"),
    ("Antarctica/Troll", "2026-10-25"),
    ("Africa/Casablanca", "2026-02-15"),
    ("Asia/Kathmandu", "2026-05-04"),
    ("America/Goose_Bay", "2010-11-07"),
    ("UTC", "2026-06-01"),
];

/// A scene: a host, a guest and their days.
#[derive(Clone, Debug)]
struct Scene {
    zone: Zone,
    /// The first of some ten days around a clock change.
    first: Timestamp,
    hours: OfficeHours,
    once: Option<Interval>,
    rules: Rules,
    people: Vec<Person>,
    quorum: usize,
    lengths: (u16, u16),
    days: Option<WeekdaySet>,
    guest_zone: Zone,
}

#[derive(Clone, Debug)]
struct Person {
    role: Role,
    readable: bool,
    busy: Vec<Interval>,
    meetings: Vec<(u8, Interval, bool)>,
    margins: Margins,
    caps: Caps,
}

fn place() -> impl Strategy<Value = (Zone, NaiveDate)> {
    prop::sample::select(PLACES)
        .prop_map(|(zone, date)| (zone.parse().expect("a zone"), date.parse().expect("a date")))
}

fn local_time() -> impl Strategy<Value = LocalTime> {
    (0_u16..=96).prop_map(|quarter| LocalTime::from_minutes(quarter * 15).expect("a time of day"))
}

fn weekdays() -> impl Strategy<Value = WeekdaySet> {
    prop::collection::vec(0_u8..7, 1..7).prop_map(|days| {
        days.into_iter()
            .filter_map(|day| Weekday::try_from(day).ok())
            .collect()
    })
}

fn rule() -> impl Strategy<Value = WeeklyRule> {
    (weekdays(), local_time(), local_time()).prop_map(|(days, start, end)| WeeklyRule {
        days,
        start,
        end,
    })
}

fn hours(zone: Zone, around: NaiveDate) -> impl Strategy<Value = OfficeHours> {
    let window = (local_time(), local_time()).prop_map(|(start, end)| LocalWindow { start, end });
    let exception =
        (-5_i64..6, prop::collection::vec(window, 0..3)).prop_map(move |(days, windows)| {
            DateOverride {
                date: around + chrono::Duration::days(days),
                windows,
            }
        });
    (
        prop::collection::vec(rule(), 0..4),
        prop::collection::vec(exception, 0..3),
    )
        .prop_map(move |(rules, overrides)| OfficeHours {
            zone,
            rules,
            overrides,
            valid_from: None,
            valid_until: None,
        })
}

/// Up to so many intervals within ten days, to five minutes.
fn intervals(first: Timestamp, most: usize) -> impl Strategy<Value = Vec<Interval>> {
    prop::collection::vec(interval(first), 0..most)
}

fn interval(first: Timestamp) -> impl Strategy<Value = Interval> {
    (0..10 * 288_i64, 1..60_i64).prop_map(move |(start, length)| {
        let at = |fives: i64| Timestamp::from_millis(first.as_millis() + fives * 5 * MINUTE);
        Interval::new(at(start), at(start + length)).expect("it has a length")
    })
}

fn person(first: Timestamp, role: Role) -> impl Strategy<Value = Person> {
    let meeting = (0_u8..6, interval(first), any::<bool>());
    (
        prop::bool::weighted(0.95),
        intervals(first, 30),
        prop::collection::vec(meeting, 0..6),
        (0_u16..4, 0_u16..4),
        (0_u32..4, 0_u32..6),
    )
        .prop_map(move |(readable, busy, meetings, margins, caps)| Person {
            role,
            readable,
            busy,
            meetings,
            margins: Margins {
                before_minutes: margins.0 * 10,
                after_minutes: margins.1 * 10,
            },
            caps: Caps {
                per_day: NonZeroU32::new(caps.0),
                per_week: NonZeroU32::new(caps.1),
            },
        })
}

fn rules(zone: Zone) -> impl Strategy<Value = Rules> {
    (
        1_u16..8,
        any::<bool>(),
        0_u32..3000,
        0_u16..12,
        prop::collection::vec(1_u16..8, 1..3),
    )
        .prop_map(
            move |(step, clock, notice_minutes, days, durations)| Rules {
                zone,
                durations: durations
                    .into_iter()
                    .filter_map(|fives| NonZeroU16::new(fives * 15))
                    .collect(),
                step_minutes: NonZeroU16::new(step * 10).expect("some minutes"),
                alignment: if clock {
                    Alignment::Clock
                } else {
                    Alignment::Window
                },
                notice_minutes,
                booking_window: BookingWindow::Rolling { days },
            },
        )
}

fn scene() -> impl Strategy<Value = Scene> {
    (place(), place(), 0_usize..3, 0_usize..3).prop_flat_map(
        |((zone, around), (guest_zone, _), any_hosts, quorum)| {
            let first =
                zone.instant((around - chrono::Duration::days(5)).and_time(chrono::NaiveTime::MIN));
            let any_hosts = prop::collection::vec(person(first, Role::AnyHost), any_hosts);
            (
                (
                    hours(zone, around),
                    prop::option::of(interval(first)),
                    rules(zone),
                ),
                (
                    person(first, Role::Host),
                    person(first, Role::Guest),
                    any_hosts,
                ),
                (1_u16..6, 1_u16..6, prop::option::weighted(0.3, weekdays())),
            )
                .prop_map(
                    move |((hours, once, rules), (host, guest, any_hosts), (min, max, days))| {
                        Scene {
                            zone,
                            first,
                            hours,
                            once,
                            rules,
                            quorum: quorum.min(any_hosts.len()),
                            people: [host, guest].into_iter().chain(any_hosts).collect(),
                            lengths: (min.min(max) * 15, min.max(max) * 15),
                            days,
                            guest_zone,
                        }
                    },
                )
        },
    )
}

const IDS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

impl Scene {
    /// Asks something of the search that it makes.
    fn ask<T>(&self, question: impl FnOnce(&Search<'_>) -> T) -> T {
        let offer = |times| Offer {
            times,
            policy: Some(Circle::Anyone),
            mode: Some(Mode::Auto),
            durations: Vec::new(),
        };
        let zone = self.zone;
        let once = self.once.map(|window| offer(Times::Once { window, zone }));
        let offers: Vec<_> = [offer(Times::Weekly(self.hours.clone()))]
            .into_iter()
            .chain(once)
            .collect();
        let sets: Vec<_> = self
            .people
            .iter()
            .map(|person| IntervalSet::from(person.busy.clone()))
            .collect();
        let meetings: Vec<Vec<_>> = self.people.iter().map(Person::meetings).collect();
        let people = self.people.iter().zip(&sets).zip(&meetings);
        let parties: Vec<_> = people
            .map(|((person, busy), meetings)| Party {
                role: person.role,
                zone,
                calendar: if person.readable {
                    Calendar::Known(busy)
                } else {
                    Calendar::Unreadable
                },
                meetings,
                margins: person.margins,
                caps: person.caps,
                ..Party::default()
            })
            .collect();
        let constraints = Constraints {
            duration_min: NonZeroU16::new(self.lengths.0),
            duration_max: NonZeroU16::new(self.lengths.1),
            days: self.days,
            zone: self.guest_zone,
            ..Constraints::default()
        };
        let follower = Relationship {
            circle: Circle::Follower,
            blocked: false,
        };
        question(&Search {
            quorum: self.quorum,
            constraints: &constraints,
            tie_break: 1,
            ..Search::new(self.first, &offers, follower, &self.rules, &parties)
        })
    }

    fn slots(&self) -> BTreeSet<(usize, Interval)> {
        self.ask(|search| {
            let all = search.all().into_iter();
            all.map(|candidate| (candidate.offer, candidate.interval))
                .collect()
        })
    }

    /// The windows of each offer, far enough to both sides.
    fn windows(&self) -> Vec<IntervalSet> {
        let near = Interval::new(
            self.first,
            Timestamp::from_millis(self.first.as_millis() + 30 * DAY),
        );
        let near = near
            .expect("thirty days")
            .widened(Duration::from_hours(30 * 24), Duration::ZERO);
        vec![self.hours.windows(near), self.once.into_iter().collect()]
    }
}

impl Person {
    fn meetings(&self) -> Vec<Meeting<'_>> {
        let meeting = |(id, interval, hosted): &(u8, Interval, bool)| Meeting {
            id: IDS[usize::from(*id)],
            interval: *interval,
            margins: self.margins,
            held_until: None,
            hosted: *hosted,
        };
        self.meetings.iter().map(meeting).collect()
    }

    /// Whether a slot meets neither busy time nor meetings, looked at one by one.
    fn is_free(&self, slot: Interval) -> bool {
        let minutes = |minutes: u16| Duration::from_secs(60 * u64::from(minutes));
        let wide = |slot: Interval| {
            slot.widened(
                minutes(self.margins.before_minutes),
                minutes(self.margins.after_minutes),
            )
        };
        self.readable
            && !self.busy.iter().any(|busy| busy.overlaps(wide(slot)))
            && !self.meetings.iter().any(|(_, meeting, _)| {
                meeting.overlaps(wide(slot)) || wide(*meeting).overlaps(slot)
            })
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_slot_lies_in_a_window_of_its_offer(scene in scene()) {
        let windows = scene.windows();
        for (offer, slot) in scene.slots() {
            prop_assert!(windows[offer].covers(slot), "{slot:?} in {:?}", windows[offer]);
        }
    }

    #[test]
    fn a_slot_meets_nothing_that_is_in_the_way(scene in scene()) {
        for (_, slot) in scene.slots() {
            let free = |role: Role| scene.people.iter().filter(move |person| person.role == role && person.is_free(slot));
            prop_assert_eq!(free(Role::Host).count(), 1);
            prop_assert_eq!(free(Role::Guest).count(), 1);
            prop_assert!(free(Role::AnyHost).count() >= scene.quorum);
        }
    }

    #[test]
    fn one_more_event_never_adds_a_slot(scene in scene(), index in 0_usize..2, seed in 0_i64..2000) {
        let mut busier = scene.clone();
        let start = Timestamp::from_millis(scene.first.as_millis() + seed * 5 * MINUTE);
        busier.people[index].busy.extend(Interval::lasting(start, Duration::from_mins(50)));
        let starts = |scene: &Scene| -> BTreeSet<(usize, Timestamp)> {
            scene.slots().into_iter().map(|(offer, slot)| (offer, slot.start())).collect()
        };
        prop_assert!(starts(&busier).is_subset(&starts(&scene)));
    }

    #[test]
    fn a_slot_for_all_is_a_slot_for_each(scene in scene()) {
        // One length, so that a slot for all is of the length that each would get.
        let mut scene = Scene { lengths: (15, 120), quorum: 0, ..scene };
        scene.rules.durations.truncate(1);
        for person in &mut scene.people[2..] {
            person.role = Role::Host;
        }
        let alone = |index: usize| {
            let mut alone = scene.clone();
            alone.people = vec![scene.people[index].clone()];
            alone.slots()
        };
        let common = (1..scene.people.len()).fold(alone(0), |common, index| &common & &alone(index));
        prop_assert_eq!(scene.slots(), common);
    }

    #[test]
    fn the_guests_zone_moves_no_slot(scene in scene(), (zone, _) in place()) {
        let scene = Scene { days: None, ..scene };
        let elsewhere = Scene { guest_zone: zone, ..scene.clone() };
        prop_assert_eq!(scene.slots(), elsewhere.slots());
    }

    #[test]
    fn the_best_are_some_of_all_and_as_many_as_are_wanted(scene in scene(), limit in 0_usize..8) {
        scene.ask(|search| {
            let all = search.all();
            let starts: BTreeSet<_> = all.iter().map(|candidate| candidate.interval.start()).collect();
            let best = search.best(limit);
            prop_assert_eq!(best.len(), limit.min(starts.len()));
            for found in &best {
                prop_assert!(all.iter().any(|candidate| (candidate.interval, candidate.offer) == (found.interval, found.offer)));
                prop_assert!(found.free.len() >= 2);
            }
            let worth: Vec<_> = best.iter().map(|found| found.score.total(search.weights)).collect();
            prop_assert!(worth.is_sorted_by(|a, b| a >= b), "{:?}", worth);
            let more = search.best(limit + 1);
            prop_assert_eq!(&best[..], &more[..best.len()]);
            Ok(())
        })?;
    }

    #[test]
    fn there_is_a_reason_for_what_is_not_offered_and_none_for_what_is(scene in scene(), probes in prop::collection::vec((0_i64..2880, 1_u64..8), 20)) {
        scene.ask(|search| {
            let all: BTreeSet<_> = search.all().into_iter().map(|candidate| candidate.interval).collect();
            for slot in &all {
                prop_assert_eq!(search.explain(*slot), vec![]);
            }
            let starts: BTreeSet<_> = all.iter().map(|slot| slot.start()).collect();
            for (fives, length) in probes {
                let start = Timestamp::from_millis(scene.first.as_millis() + fives * 5 * MINUTE);
                let slot = Interval::lasting(start, Duration::from_mins(15 * length)).expect("some minutes");
                if search.explain(slot).is_empty() {
                    prop_assert!(starts.contains(&start), "{:?}", slot);
                } else {
                    prop_assert!(!all.contains(&slot), "{:?}", slot);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn what_is_offered_does_not_depend_on_when_one_looks(scene in scene(), minutes in 0_i64..14_400) {
        // Neither caps nor windows that end move with the time.
        let mut scene = scene;
        scene.rules.notice_minutes = 0;
        scene.rules.booking_window = BookingWindow::Fixed {
            first: scene.zone.date(scene.first),
            last: scene.zone.date(scene.first) + chrono::Duration::days(12),
        };
        let mut later = scene.clone();
        later.first = Timestamp::from_millis(scene.first.as_millis() + minutes * MINUTE);
        let expect: BTreeSet<_> = scene.slots().into_iter().filter(|(_, slot)| slot.start() >= later.first).collect();
        prop_assert_eq!(later.slots(), expect);
    }

    #[test]
    fn a_week_later_everything_is_a_week_later(scene in scene()) {
        // In UTC no clock changes.
        let zone = Zone::UTC;
        let week = Duration::from_hours(7 * 24);
        let scene = Scene { zone, guest_zone: zone, hours: OfficeHours { zone, ..scene.hours }, rules: Rules { zone, ..scene.rules }, ..scene };
        let shift = |interval: Interval| Interval::new(interval.start() + week, interval.end() + week).expect("as long");
        let mut later = scene.clone();
        later.first = scene.first + week;
        later.once = scene.once.map(shift);
        for exception in &mut later.hours.overrides {
            exception.date += chrono::Duration::days(7);
        }
        for person in &mut later.people {
            person.busy.iter_mut().for_each(|busy| *busy = shift(*busy));
            person.meetings.iter_mut().for_each(|(_, meeting, _)| *meeting = shift(*meeting));
        }
        let expect: BTreeSet<_> = scene.slots().into_iter().map(|(offer, slot)| (offer, shift(slot))).collect();
        prop_assert_eq!(later.slots(), expect);
    }

    #[test]
    fn sets_are_what_their_moments_are(a in intervals(Timestamp::UNIX_EPOCH, 20), b in intervals(Timestamp::UNIX_EPOCH, 20)) {
        let (left, right) = (IntervalSet::from(a.clone()), IntervalSet::from(b.clone()));
        let is_in = |intervals: &[Interval], moment| intervals.iter().any(|interval| interval.contains(moment));
        let (union, common, rest) = (left.union(&right), left.intersection(&right), left.difference(&right));
        for fives in -1..10 * 288 + 61 {
            let moment = Timestamp::from_millis(fives * 5 * MINUTE);
            let (in_a, in_b) = (is_in(&a, moment), is_in(&b, moment));
            prop_assert_eq!(union.contains(moment), in_a || in_b);
            prop_assert_eq!(common.contains(moment), in_a && in_b);
            prop_assert_eq!(rest.contains(moment), in_a && !in_b);
        }
        for set in [union, common, rest] {
            prop_assert!(set.as_slice().windows(2).all(|pair| pair[0].end() < pair[1].start()));
        }
    }
}

#[test]
fn ten_thousand_events_leave_what_looking_at_each_leaves() {
    let first = Timestamp::from_millis(1_780_272_000_000);
    let event = |index: i64| {
        let start = first.as_millis() + (index * 7_919 % 28_800) * MINUTE;
        let end = start + (index % 3 + 1) * MINUTE;
        Interval::new(Timestamp::from_millis(start), Timestamp::from_millis(end))
            .expect("some minutes")
    };
    let person = |role| Person {
        role,
        readable: true,
        busy: (0..10_000)
            .filter(|index| index % 37 < 2)
            .map(event)
            .collect(),
        meetings: Vec::new(),
        margins: Margins::default(),
        caps: Caps::default(),
    };
    let always = WeeklyRule {
        days: WeekdaySet::ALL,
        start: LocalTime::START_OF_DAY,
        end: LocalTime::END_OF_DAY,
    };
    let mut scene = Scene {
        zone: Zone::UTC,
        first,
        hours: OfficeHours {
            zone: Zone::UTC,
            rules: vec![always],
            overrides: Vec::new(),
            valid_from: None,
            valid_until: None,
        },
        once: None,
        rules: Rules {
            notice_minutes: 0,
            booking_window: BookingWindow::Rolling { days: 19 },
            ..Rules::default()
        },
        people: vec![person(Role::Host), person(Role::Guest)],
        quorum: 0,
        lengths: (30, 30),
        days: None,
        guest_zone: Zone::UTC,
    };
    scene.people[0].busy = (0..10_000)
        .map(event)
        .filter(|event| event.start().as_millis() / MINUTE % 90 < 20)
        .collect();
    let slots: BTreeSet<_> = scene.slots().into_iter().map(|(_, slot)| slot).collect();
    let steps = (0..19 * 96 + 96).map(|quarter| {
        let start = Timestamp::from_millis(first.as_millis() + quarter * 15 * MINUTE);
        Interval::lasting(start, Duration::from_mins(30)).expect("half an hour")
    });
    let expect: BTreeSet<_> = steps
        .filter(|slot| scene.people.iter().all(|person| person.is_free(*slot)))
        .collect();
    assert!(!expect.is_empty());
    assert_eq!(slots, expect);
}
