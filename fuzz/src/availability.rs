//! Target `availability`: office hours as JSON, and the slots that come of them.

use crate::Target;
use crate::mutate;
use huddle_ports::Timestamp;
use huddle_schedule::{
    Alignment, BookingWindow, Calendar, Circle, Interval, IntervalSet, Mode, Offer, OfficeHours,
    Party, Relationship, Role, Rules, Search, Times,
};
use serde_json::{Value as Json, json};
use std::num::NonZeroU16;
use std::sync::LazyLock;
use std::time::Duration;

/// JSON is refused, or is the one way to write some hours down; their windows are in order and the same from wherever
/// one looks; and slots lie in them.
pub const TARGET: Target = Target {
    name: "availability",
    check,
    mutate: |input, random| mutate::json(input, &DONORS, random),
    seeds: || {
        DONORS
            .iter()
            .map(|hours| hours.to_string().into_bytes())
            .collect()
    },
};

const HOUR: u64 = 3600;

fn check(input: &[u8]) {
    let Ok(hours) = serde_json::from_slice::<OfficeHours>(input) else {
        return;
    };
    let json = serde_json::to_string(&hours).expect("hours can be written");
    assert_eq!(
        serde_json::from_str::<OfficeHours>(&json).expect("and read"),
        hours
    );
    // The days that a zone left out, and changes of clocks.
    for first in [
        745_000_000_000,
        1_325_000_000_000,
        1_772_700_000_000,
        1_792_800_000_000,
    ] {
        let first = Timestamp::from_millis(first);
        let days = Interval::lasting(first, Duration::from_secs(10 * 24 * HOUR)).expect("ten days");
        check_days(&hours, days);
    }
    check_days(&hours, Interval::ALWAYS);
}

fn check_days(hours: &OfficeHours, days: Interval) {
    let windows = hours.windows(days);
    assert!(
        windows
            .as_slice()
            .windows(2)
            .all(|pair| pair[0].end() < pair[1].start())
    );
    assert!(windows.iter().all(|window| window.overlaps(days)));
    let offers = [Offer {
        times: Times::Weekly(hours.clone()),
        policy: Some(Circle::Anyone),
        mode: Some(Mode::Auto),
        durations: Vec::new(),
    }];
    for alignment in [Alignment::Window, Alignment::Clock] {
        let rules = Rules {
            zone: hours.zone,
            step_minutes: NonZeroU16::new(50).expect("50 is not 0"),
            alignment,
            notice_minutes: 0,
            booking_window: BookingWindow::Rolling { days: 9 },
            ..Rules::default()
        };
        check_starts(&offers[0], &rules, days);
        check_slots(&offers, &rules, days.start(), hours);
    }
}

/// Starts are in order, and those of a part are those of the whole.
fn check_starts(offer: &Offer, rules: &Rules, days: Interval) {
    let starts = offer.starts(rules, days);
    assert!(starts.is_sorted_by(|a, b| a < b));
    assert!(starts.iter().all(|start| days.contains(*start)));
    if days == Interval::ALWAYS {
        return;
    }
    let half = days.duration() / 2;
    let later = Interval::new(days.start() + half, days.end()).expect("the other half");
    let expect: Vec<_> = starts
        .into_iter()
        .filter(|start| later.contains(*start))
        .collect();
    assert_eq!(offer.starts(rules, later), expect);
}

/// Slots lie in windows, and there is no reason against them.
fn check_slots(offers: &[Offer], rules: &Rules, now: Timestamp, hours: &OfficeHours) {
    let follower = Relationship {
        circle: Circle::Follower,
        blocked: false,
    };
    let host = Party {
        role: Role::Host,
        zone: hours.zone,
        calendar: Calendar::None,
        ..Party::default()
    };
    let guest = Party {
        calendar: Calendar::None,
        ..Party::default()
    };
    let parties = [host, guest];
    let search = Search::new(now, offers, follower, rules, &parties);
    let all = search.all();
    let near: IntervalSet = all
        .iter()
        .flat_map(|found| {
            hours
                .windows(
                    found
                        .interval
                        .widened(Duration::from_secs(48 * HOUR), Duration::ZERO),
                )
                .iter()
                .collect::<Vec<_>>()
        })
        .collect();
    for found in &all {
        assert!(near.covers(found.interval));
    }
    for found in search.best(3) {
        assert_eq!(search.explain(found.interval), []);
    }
}

/// Hours of many kinds.
static DONORS: LazyLock<Vec<Json>> = LazyLock::new(|| {
    let daily = json!(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]);
    vec![
        json!({"tz": "America/New_York", "rules": [{"days": ["MO", "FR"], "start": "09:00", "end": "17:00"}]}),
        json!({"tz": "Pacific/Apia", "rules": [{"days": daily, "start": "00:00", "end": "24:00"}]}),
        json!({"tz": "Pacific/Kwajalein", "rules": [{"days": daily, "start": "22:00", "end": "02:00"}],
            "validFrom": "1993-08-20", "validUntil": "1993-08-22"}),
        json!({"tz": "America/Havana", "rules": [{"days": daily, "start": "23:30", "end": "00:30"}],
            "overrides": [{"date": "2026-03-08", "windows": [{"start": "00:00", "end": "01:30"}]}, {"date": "2026-03-09", "windows": []}]}),
        json!({"tz": "America/Goose_Bay", "rules": []}),
        json!({"tz": "Australia/Lord_Howe", "rules": [{"days": ["SU"], "start": "01:45", "end": "01:30"}, {"days": ["SU"], "start": "02:15", "end": "24:00"}]}),
    ]
});
