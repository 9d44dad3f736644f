//! Times matches of this crate for the peers beside it: `huddle CASE.json RUNS` prints what it found, and how long each
//! run took, as JSON.

use std::hint::black_box;
use std::num::{NonZeroU16, NonZeroU32};
use std::time::{Duration, Instant};

use chrono::{Weekday, WeekdaySet};
use huddle_ports::Timestamp;
use huddle_schedule::{
    Alignment, BookingWindow, Calendar, Caps, Circle, Constraints, Interval, IntervalSet,
    LocalTime, LocalWindow, Margins, Match, Meeting, Mode, Offer, OfficeHours, Party, Relationship,
    Role, Rules, Search, Times, WeeklyRule, Weights, Zone,
};
use serde::Deserialize;
use serde_json::{Value, json};

const WORKDAYS: WeekdaySet = WeekdaySet::from_array([
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
]);

/// When an event starts and ends, in milliseconds.
type Event = [i64; 2];

/// What `case.mjs` makes.
#[derive(Deserialize)]
struct Case {
    now: i64,
    days: u16,
    minutes: NonZeroU16,
    hours: [String; 2],
    host: Person,
    guest: Person,
    prefers: [String; 2],
    rules: AllRules,
}

#[derive(Deserialize)]
struct Person {
    zone: String,
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct AllRules {
    margin_minutes: u16,
    notice_minutes: u32,
    per_day: NonZeroU32,
    per_week: NonZeroU32,
    meetings: Vec<(String, Event)>,
    moving: String,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: huddle CASE.json RUNS";
    let file = arguments.next().expect(usage);
    let runs = arguments
        .next()
        .and_then(|runs| runs.parse().ok())
        .expect(usage);
    let text = std::fs::read_to_string(file).expect("the case can be read");
    let case: Case = serde_json::from_str(&text).expect("the case is as it is made");
    let world = World::new(&case);
    println!(
        "{}",
        json!({ "plain": world.run(false, runs), "all": world.run(true, runs) })
    );
}

fn zone(name: &str) -> Zone {
    name.parse().expect("the zone is known")
}

fn time(text: &str) -> LocalTime {
    text.parse().expect("a time of day")
}

fn interval([start, end]: Event) -> Interval {
    Interval::new(Timestamp::from_millis(start), Timestamp::from_millis(end))
        .expect("it has a length")
}

/// Everything that does not change from run to run.
struct World<'a> {
    case: &'a Case,
    events: [Vec<Interval>; 2],
    meetings: Vec<Meeting<'a>>,
    working: [WeeklyRule; 1],
}

impl<'a> World<'a> {
    fn new(case: &'a Case) -> Self {
        let margins = margins(case);
        let meeting = |(id, event): &'a (String, Event)| Meeting {
            id,
            interval: interval(*event),
            margins,
            held_until: None,
            hosted: true,
        };
        let [start, end] = &case.hours;
        Self {
            case,
            events: [&case.host, &case.guest]
                .map(|person| person.events.iter().copied().map(interval).collect()),
            meetings: case.rules.meetings.iter().map(meeting).collect(),
            working: [WeeklyRule {
                days: WORKDAYS,
                start: time(start),
                end: time(end),
            }],
        }
    }

    /// All free slots, the best first, and nanoseconds from events in no order to the best five.
    fn run(&self, all_rules: bool, runs: usize) -> Value {
        let timed = || {
            let events = self.events.clone();
            let start = Instant::now();
            black_box(self.best(all_rules, black_box(events), 5));
            u64::try_from(start.elapsed().as_nanos()).expect("no run takes centuries")
        };
        let nanos: Vec<u64> = (0..runs).map(|_| timed()).collect();
        let ranked: Vec<Value> = self
            .best(all_rules, self.events.clone(), usize::MAX)
            .iter()
            .map(|found| {
                let worth = found.score.total(weights(all_rules));
                json!({ "start": found.interval.start().as_millis(), "worth": worth })
            })
            .collect();
        json!({ "ranked": ranked, "nanos": nanos })
    }

    fn best(&self, all_rules: bool, events: [Vec<Interval>; 2], limit: usize) -> Vec<Match> {
        let [host_busy, guest_busy] = events.map(IntervalSet::from);
        let case = self.case;
        let host_zone = zone(&case.host.zone);
        let mut host = Party {
            role: Role::Host,
            zone: host_zone,
            calendar: Calendar::Known(&host_busy),
            ..Party::default()
        };
        let mut guest = Party {
            zone: zone(&case.guest.zone),
            calendar: Calendar::Known(&guest_busy),
            ..Party::default()
        };
        let mut constraints = Constraints {
            zone: guest.zone,
            preferred: vec![LocalWindow {
                start: time(&case.prefers[0]),
                end: time(&case.prefers[1]),
            }],
            ..Constraints::default()
        };
        let mut durations = vec![case.minutes];
        if all_rules {
            host.meetings = &self.meetings;
            host.caps = Caps {
                per_day: Some(case.rules.per_day),
                per_week: Some(case.rules.per_week),
            };
            for party in [&mut host, &mut guest] {
                party.margins = margins(case);
                party.working = &self.working;
            }
            let longer = case.minutes.saturating_add(15);
            durations.push(longer);
            constraints.duration_min = Some(case.minutes);
            constraints.duration_max = Some(longer);
            constraints.days = Some(WORKDAYS);
        }
        let offers = [Offer {
            times: Times::Weekly(OfficeHours {
                zone: host_zone,
                rules: self.working.to_vec(),
                overrides: Vec::new(),
                valid_from: None,
                valid_until: None,
            }),
            policy: Some(Circle::Anyone),
            mode: Some(Mode::Auto),
            durations,
        }];
        let rules = Rules {
            zone: host_zone,
            step_minutes: case.minutes,
            alignment: Alignment::Window,
            notice_minutes: if all_rules {
                case.rules.notice_minutes
            } else {
                0
            },
            booking_window: BookingWindow::Rolling {
                days: case.days - 1,
            },
            ..Rules::default()
        };
        let follower = Relationship {
            circle: Circle::Follower,
            blocked: false,
        };
        let parties = [host, guest];
        let search = Search {
            constraints: &constraints,
            narrowest: all_rules.then_some(Duration::from_hours(4)),
            moving: all_rules.then_some(case.rules.moving.as_str()),
            weights: weights(all_rules),
            ..Search::new(
                Timestamp::from_millis(case.now),
                &offers,
                follower,
                &rules,
                &parties,
            )
        };
        search.best(limit)
    }
}

fn margins(case: &Case) -> Margins {
    Margins {
        before_minutes: case.rules.margin_minutes,
        after_minutes: case.rules.margin_minutes,
    }
}

fn weights(all_rules: bool) -> &'static Weights {
    if all_rules {
        &Weights::DEFAULT
    } else {
        &PREFERRED_THEN_SOON
    }
}

/// As the peers are made to rank, which do not rank by themselves.
const PREFERRED_THEN_SOON: Weights = Weights {
    soon: 1,
    daytime: 0,
    working: 0,
    preferred: 2,
    near: 0,
    tidy: 0,
    length: 0,
    ..Weights::DEFAULT
};
