//! What a search can be told besides offers and calendars.

use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::time::Duration;

use chrono::WeekdaySet;
use huddle_ports::Timestamp;
use huddle_schedule::{
    Calendar, Circle, Constraints, Contradiction, Interval, IntervalSet, Mode, Offer, Party,
    Reason, Relationship, Role, Rules, Search, Times, Zone,
};

const MUTUAL: Relationship = Relationship {
    circle: Circle::Mutual,
    blocked: false,
};

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_millis(minutes * 60_000)
}

fn between(from: i64, until: i64) -> Interval {
    Interval::new(at(from), at(until)).expect("minutes go up")
}

/// An offer from one hour of 1970-01-01 until another.
fn offer(from: i64, until: i64, mode: Mode) -> Offer {
    Offer {
        times: Times::Once {
            window: between(from * 60, until * 60),
            zone: Zone::UTC,
        },
        policy: Some(Circle::Anyone),
        mode: Some(mode),
        durations: Vec::new(),
    }
}

fn rules() -> Rules {
    Rules {
        notice_minutes: 0,
        step_minutes: NonZeroU16::new(30).expect("some minutes"),
        ..Rules::default()
    }
}

fn host() -> Party<'static> {
    Party {
        role: Role::Host,
        ..Party::default()
    }
}

/// The starts of all slots, in minutes.
fn starts(search: &Search<'_>) -> Vec<i64> {
    let all = search.all().into_iter();
    all.map(|found| found.interval.start().as_secs() / 60)
        .collect()
}

#[test]
fn only_offers_in_a_mode_that_will_do_are_looked_at() {
    let offers = [
        offer(9, 10, Mode::Pick),
        offer(11, 12, Mode::Approve),
        offer(13, 14, Mode::Auto),
    ];
    let (rules, parties) = (rules(), [host()]);
    let search = Search::new(at(0), &offers, MUTUAL, &rules, &parties);
    assert_eq!(starts(&search), [660, 690, 780, 810]);
    let pick = Search {
        modes: &[Mode::Pick],
        ..search
    };
    assert_eq!(starts(&pick), [540, 570]);
    let reasons = pick.explain(between(660, 690));
    assert!(reasons.contains(&Reason::OtherMode(1)), "{reasons:?}");
    let unknown = [Offer {
        mode: None,
        ..offer(9, 10, Mode::Auto)
    }];
    assert_eq!(
        starts(&Search {
            offers: &unknown,
            ..search
        }),
        [0_i64; 0]
    );
}

#[test]
fn strangers_are_told_of_the_sample_only() {
    let offers = [offer(9, 11, Mode::Auto), offer(10, 12, Mode::Auto)];
    let (rules, parties) = (rules(), [host()]);
    let sample = [vec![at(570)], vec![at(600), at(690)]];
    let search = Search {
        sample: Some(&sample),
        ..Search::new(at(0), &offers, MUTUAL, &rules, &parties)
    };
    assert_eq!(starts(&search), [570, 600, 690]);
    let reasons = search.explain(between(630, 660));
    assert_eq!(reasons, [Reason::NotTold(0), Reason::NotTold(1)]);
    let nothing = Search {
        sample: Some(&sample[..1]),
        ..search
    };
    assert_eq!(
        starts(&nothing),
        [570],
        "an offer without a sample tells nothing"
    );
}

#[test]
fn a_narrow_wish_of_a_stranger_is_widened() {
    let offers = [offer(0, 24, Mode::Auto)];
    let (rules, parties) = (rules(), [host()]);
    let constraints = Constraints {
        earliest: Some(at(9 * 60)),
        latest: Some(at(9 * 60 + 30)),
        ..Constraints::default()
    };
    let search = Search {
        constraints: &constraints,
        ..Search::new(at(0), &offers, MUTUAL, &rules, &parties)
    };
    assert_eq!(starts(&search), [540]);
    let stranger = Search {
        narrowest: Some(Duration::from_hours(4)),
        ..search
    };
    assert_eq!(starts(&stranger), [480, 510, 540, 570, 600, 630, 660, 690]);
}

#[test]
fn a_wish_of_which_little_is_left_is_narrow_too() {
    let offers = [offer(0, 24, Mode::Auto)];
    let (rules, parties) = (rules(), [host()]);
    let constraints = Constraints {
        latest: Some(at(11 * 60)),
        ..Constraints::default()
    };
    let search = |now| Search {
        constraints: &constraints,
        narrowest: Some(Duration::from_hours(4)),
        ..Search::new(at(now), &offers, MUTUAL, &rules, &parties)
    };
    assert_eq!(starts(&search(10 * 60)), [600, 630, 660, 690]);
    assert_eq!(
        starts(&search(7 * 60)).last(),
        Some(&630),
        "four hours are left"
    );
}

#[test]
fn people_can_be_met_at_some_times_only() {
    let offers = [offer(9, 12, Mode::Auto)];
    let rules = rules();
    let open = IntervalSet::from(between(570, 640));
    let parties = [
        host(),
        Party {
            open: Some(&open),
            ..Party::default()
        },
    ];
    let search = Search::new(at(0), &offers, MUTUAL, &rules, &parties);
    assert_eq!(starts(&search), [570, 600]);
    assert_eq!(search.explain(between(630, 660)), [Reason::Closed(1)]);
}

#[test]
fn a_start_that_two_offers_have_is_one_match() {
    let offers = [offer(9, 11, Mode::Auto), offer(10, 12, Mode::Auto)];
    let (rules, parties) = (rules(), [host()]);
    let search = Search::new(at(0), &offers, MUTUAL, &rules, &parties);
    assert_eq!(starts(&search).len(), 8);
    let best = search.best(8);
    let different: BTreeSet<_> = best.iter().map(|found| found.interval.start()).collect();
    assert_eq!((best.len(), different.len()), (6, 6));
}

#[test]
fn ties_are_broken_by_the_key_and_nothing_else_is() {
    let offers = [offer(9, 17, Mode::Auto)];
    let (rules, parties) = (rules(), [host()]);
    // Worth the same at any time.
    let weights = huddle_schedule::Weights {
        soon: 0,
        tidy: 0,
        daytime: 0,
        ..huddle_schedule::Weights::DEFAULT
    };
    let order = |tie_break| {
        let search = Search {
            weights: &weights,
            tie_break,
            ..Search::new(at(0), &offers, MUTUAL, &rules, &parties)
        };
        let best = search.best(100).into_iter();
        best.map(|found| found.interval.start()).collect::<Vec<_>>()
    };
    assert_eq!(order(1), order(1));
    assert_ne!(order(1), order(2));
    let sorted = |mut starts: Vec<Timestamp>| {
        starts.sort();
        starts
    };
    assert_eq!(sorted(order(1)), sorted(order(2)));
}

#[test]
fn a_match_names_who_can_come() {
    let offers = [offer(9, 10, Mode::Auto)];
    let rules = Rules {
        durations: vec![NonZeroU16::new(60).expect("some minutes")],
        ..rules()
    };
    let busy = IntervalSet::from(between(540, 560));
    let any = |calendar| Party {
        role: Role::AnyHost,
        calendar,
        ..Party::default()
    };
    let parties = [
        host(),
        any(Calendar::Known(&busy)),
        any(Calendar::None),
        any(Calendar::Unreadable),
        Party::default(),
    ];
    let search = |quorum| Search {
        quorum,
        ..Search::new(at(0), &offers, MUTUAL, &rules, &parties)
    };
    assert_eq!(search(1).best(1)[0].free, [0, 2, 4]);
    assert_eq!(search(2).best(1), []);
}

#[test]
fn constraints_that_contradict_each_other_are_named() {
    let minutes = NonZeroU16::new;
    let check = |constraints: Constraints, expect| assert_eq!(constraints.check(), expect);
    check(Constraints::default(), Ok(()));
    let times = Constraints {
        earliest: Some(at(10)),
        latest: Some(at(10)),
        ..Constraints::default()
    };
    check(times, Err(Contradiction::Times));
    let durations = Constraints {
        duration_min: minutes(60),
        duration_max: minutes(30),
        ..Constraints::default()
    };
    check(durations, Err(Contradiction::Durations));
    let days = Constraints {
        days: Some(WeekdaySet::EMPTY),
        ..Constraints::default()
    };
    check(days, Err(Contradiction::Days));
}

#[test]
fn the_ends_of_time_are_searched_without_harm() {
    let offers = [Offer {
        times: Times::Once {
            window: Interval::ALWAYS,
            zone: Zone::UTC,
        },
        ..offer(0, 1, Mode::Auto)
    }];
    let parties = [host()];
    let rules = Rules {
        step_minutes: NonZeroU16::new(24 * 60).expect("some minutes"),
        ..rules()
    };
    for now in [Timestamp::MIN, Timestamp::MAX, at(i64::MAX / 60_000)] {
        let search = Search::new(now, &offers, MUTUAL, &rules, &parties);
        assert!(search.all().len() <= 400);
        search.best(5);
        search.explain(Interval::ALWAYS);
    }
}
