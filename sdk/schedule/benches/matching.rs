//! How long a match takes: from raw events to the best slots, ranked, with every rule on.

use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

use chrono::{NaiveDate, Weekday, WeekdaySet};
use divan::{Bencher, black_box, black_box_drop};
use huddle_ports::Timestamp;
use huddle_schedule::{
    Alignment, BookingWindow, Calendar, Caps, Circle, Constraints, Interval, IntervalSet,
    LocalTime, LocalWindow, Margins, Meeting, Mode, Offer, OfficeHours, Party, Relationship, Role,
    Rules, Search, Times, WeeklyRule, Weights, Zone,
};

fn main() {
    divan::main();
}

const MINUTE: i64 = 60_000;

/// What happens between people, by a seed: the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: i64) -> i64 {
        // Knuth's constants for a linear congruential generator; its high bits are the good ones.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).expect("31 bits") % limit
    }
}

fn minutes(minutes: u16) -> NonZeroU16 {
    NonZeroU16::new(minutes).expect("some minutes")
}

fn zone(name: &str) -> Zone {
    name.parse().expect("the zone is known")
}

fn time(text: &str) -> LocalTime {
    text.parse().expect("a time of day")
}

const WORKDAYS: WeekdaySet = WeekdaySet::from_array([
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
]);

/// Sunday 2026-02-22 in New York: fourteen days before the clocks change.
fn first() -> Timestamp {
    let date = NaiveDate::from_ymd_opt(2026, 2, 22).expect("a date");
    zone("America/New_York")
        .day(date)
        .expect("a day of 24 hours")
        .start()
}

/// So many events of five to twenty-five minutes over so many days, in no order.
fn events(seed: u64, count: usize, days: i64) -> Vec<Interval> {
    let mut chance = Chance(seed);
    let event = |_| {
        let start = first().as_millis() + chance.below(days * 24 * 60) * MINUTE;
        let length = (5 + 5 * chance.below(5)) * MINUTE;
        Interval::new(
            Timestamp::from_millis(start),
            Timestamp::from_millis(start + length),
        )
        .expect("an event has a length")
    };
    (0..count).map(event).collect()
}

/// The bookings that there are already.
const IDS: [&str; 20] = [
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s",
    "t",
];

/// Everything about a search that does not change from run to run.
struct World {
    offers: Vec<Offer>,
    rules: Rules,
    constraints: Constraints,
    meetings: Vec<(&'static str, Interval)>,
    working: Vec<WeeklyRule>,
    weights: Weights,
}

impl World {
    /// Monday to Friday from nine to five in New York, bookable for so many days.
    fn new(days: u16) -> Self {
        let workday = WeeklyRule {
            days: WORKDAYS,
            start: time("09:00"),
            end: time("17:00"),
        };
        let new_york = zone("America/New_York");
        Self {
            offers: vec![Offer {
                times: Times::Weekly(OfficeHours {
                    zone: new_york,
                    rules: vec![workday],
                    overrides: Vec::new(),
                    valid_from: None,
                    valid_until: None,
                }),
                policy: Some(Circle::Anyone),
                mode: Some(Mode::Auto),
                durations: vec![minutes(30), minutes(45)],
            }],
            rules: Rules {
                zone: new_york,
                durations: vec![minutes(30)],
                step_minutes: minutes(30),
                alignment: Alignment::Window,
                notice_minutes: 120,
                booking_window: BookingWindow::Rolling { days: days - 1 },
            },
            constraints: Constraints {
                duration_min: Some(minutes(30)),
                duration_max: Some(minutes(45)),
                zone: zone("Europe/London"),
                days: Some(WORKDAYS),
                preferred: vec![LocalWindow {
                    start: time("14:00"),
                    end: time("17:00"),
                }],
                ..Constraints::default()
            },
            meetings: events(3, IDS.len(), i64::from(days))
                .into_iter()
                .zip(IDS)
                .map(|(interval, id)| (id, interval))
                .collect(),
            working: vec![workday],
            weights: Weights::default(),
        }
    }

    fn meetings(&self, margins: Margins) -> Vec<Meeting<'_>> {
        let meeting = |(id, interval): &(&'static str, Interval)| Meeting {
            id,
            interval: *interval,
            margins,
            held_until: None,
            hosted: true,
        };
        self.meetings.iter().map(meeting).collect()
    }

    fn search<'a>(&'a self, parties: &'a [Party<'a>]) -> Search<'a> {
        let follower = Relationship {
            circle: Circle::Follower,
            blocked: false,
        };
        Search {
            constraints: &self.constraints,
            narrowest: Some(Duration::from_hours(4)),
            moving: Some(IDS[7]),
            weights: &self.weights,
            tie_break: 42,
            ..Search::new(first(), &self.offers, follower, &self.rules, parties)
        }
    }
}

const MARGINS: Margins = Margins {
    before_minutes: 5,
    after_minutes: 10,
};

fn host<'a>(world: &'a World, meetings: &'a [Meeting<'a>], busy: &'a IntervalSet) -> Party<'a> {
    Party {
        role: Role::Host,
        zone: zone("America/New_York"),
        calendar: Calendar::Known(busy),
        meetings,
        margins: MARGINS,
        caps: Caps {
            per_day: NonZeroU32::new(4),
            per_week: NonZeroU32::new(16),
        },
        working: &world.working,
        ..Party::default()
    }
}

fn guest<'a>(world: &'a World, busy: &'a IntervalSet) -> Party<'a> {
    Party {
        zone: zone("Europe/London"),
        calendar: Calendar::Known(busy),
        margins: MARGINS,
        working: &world.working,
        ..Party::default()
    }
}

/// 336 candidates of 30 days over a change of clocks, minus the events of host and guest, top 5 for a guest in
/// London. The events come in no order, and are sorted and merged each time.
#[divan::bench(args = [100, 1_000, 10_000, 100_000])]
fn month_from_events(bencher: Bencher<'_, '_>, count: usize) {
    let world = World::new(30);
    let meetings = world.meetings(MARGINS);
    bencher
        .with_inputs(|| [events(1, count, 30), events(2, count, 30)])
        .bench_values(|[host_events, guest_events]| {
            let (busy, guest_busy) = (
                IntervalSet::from(host_events),
                IntervalSet::from(guest_events),
            );
            let parties = [host(&world, &meetings, &busy), guest(&world, &guest_busy)];
            black_box(world.search(&parties).best(5))
        });
}

/// The same with calendars that are kept as sets, as a cache keeps them.
#[divan::bench(args = [100, 1_000, 10_000, 100_000])]
fn month_from_sets(bencher: Bencher<'_, '_>, count: usize) {
    let world = World::new(30);
    let meetings = world.meetings(MARGINS);
    let [busy, guest_busy] = [1, 2].map(|seed| IntervalSet::from(events(seed, count, 30)));
    let parties = [host(&world, &meetings, &busy), guest(&world, &guest_busy)];
    let search = world.search(&parties);
    bencher.bench_local(|| black_box_drop(black_box(&search).best(5)));
}

/// The same with nothing in the way: all 336 are ranked.
#[divan::bench]
fn month_of_free_time(bencher: Bencher<'_, '_>) {
    let world = World::new(30);
    let nothing = IntervalSet::new();
    let parties = [host(&world, &[], &nothing), guest(&world, &nothing)];
    let search = world.search(&parties);
    assert_eq!(search.all().len(), 336);
    bencher.bench_local(|| black_box_drop(black_box(&search).best(5)));
}

/// Ten people with so many events each, all of whom have to come.
#[divan::bench(args = [1_000, 10_000])]
fn ten_people(bencher: Bencher<'_, '_>, count: usize) {
    let world = World::new(30);
    let meetings = world.meetings(MARGINS);
    bencher
        .with_inputs(|| {
            (0..10)
                .map(|seed| events(seed, count, 30))
                .collect::<Vec<_>>()
        })
        .bench_values(|people| {
            let busy: Vec<_> = people.into_iter().map(IntervalSet::from).collect();
            let hosts = busy[1..].iter().map(|busy| host(&world, &meetings, busy));
            let parties: Vec<_> = hosts.chain([guest(&world, &busy[0])]).collect();
            black_box(world.search(&parties).best(5))
        });
}

/// A year of weekly hours with so many busy events, every slot told.
#[divan::bench(args = [1_000, 10_000, 100_000])]
fn year(bencher: Bencher<'_, '_>, count: usize) {
    let world = World::new(365);
    let meetings = world.meetings(MARGINS);
    let nothing = IntervalSet::new();
    bencher
        .with_inputs(|| events(1, count, 365))
        .bench_values(|events| {
            let busy = IntervalSet::from(events);
            let parties = [host(&world, &meetings, &busy), guest(&world, &nothing)];
            black_box(world.search(&parties).all())
        });
}
