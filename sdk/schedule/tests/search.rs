//! What a search can be told besides offers and calendars.

use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::time::Duration;

use chrono::WeekdaySet;
use huddle_ports::Timestamp;
use huddle_schedule::{
    BookingWindow, Calendar, Circle, Constraints, Contradiction, Interval, IntervalSet, Margins,
    Meeting, Mode, Offer, Party, Reason, Relationship, Role, Rules, Search, Times, Zone,
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
        calendar: Calendar::None,
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
fn a_wish_of_a_stranger_is_widened() {
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
fn a_wish_of_which_little_is_left_is_widened_too() {
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
    assert_eq!(starts(&search(7 * 60)).last(), Some(&690));
}

/// All that a stranger is told by wishes that touch 08:00 to 12:00, of a host who is free for half an hour in it.
fn probed(open: (i64, i64), free: i64) -> BTreeSet<Vec<i64>> {
    let offers = [offer(open.0, open.1, Mode::Auto)];
    let day = IntervalSet::from(between(0, 24 * 60));
    let busy = day.difference(&between(free, free + 30).into());
    let parties = [Party {
        calendar: Calendar::Known(&busy),
        ..host()
    }];
    let rules = rules();
    let told = |from: i64, until: i64| {
        let constraints = Constraints {
            earliest: Some(at(from)),
            latest: Some(at(until)),
            ..Constraints::default()
        };
        let search = Search {
            constraints: &constraints,
            narrowest: Some(Duration::from_hours(4)),
            ..Search::new(at(0), &offers, MUTUAL, &rules, &parties)
        };
        starts(&search)
    };
    let lengths = [1, 30, 239, 240, 241, 270, 300, 720];
    let wishes = lengths
        .iter()
        .flat_map(|length| (1..720).step_by(7).map(move |from| (from, from + length)));
    wishes
        .filter(|(_, until)| *until > 480)
        .map(|(from, until)| told(from, until))
        .collect()
}

#[test]
fn a_stranger_who_moves_a_long_wish_about_learns_no_more() {
    for open in [(0, 24), (8, 12), (9, 17)] {
        for free in [540, 600, 690] {
            assert_eq!(probed(open, free), BTreeSet::from([vec![free]]), "{open:?}");
        }
    }
}

#[test]
fn a_stranger_learns_no_more_where_the_booking_window_ends() {
    // The last hour that can be booked is 23:00, and wishes may go on for long after it.
    let offers = [offer(0, 48, Mode::Auto)];
    let parties = [host()];
    let rules = Rules {
        booking_window: BookingWindow::Rolling { days: 0 },
        ..rules()
    };
    for minute in [0, 1, 60, 239] {
        let constraints = Constraints {
            earliest: Some(at(20 * 60 + minute)),
            latest: Some(at(48 * 60 + minute)),
            ..Constraints::default()
        };
        let search = Search {
            constraints: &constraints,
            narrowest: Some(Duration::from_hours(4)),
            ..Search::new(at(0), &offers, MUTUAL, &rules, &parties)
        };
        let expect: Vec<i64> = (20 * 60..24 * 60).step_by(30).collect();
        assert_eq!(starts(&search), expect, "from minute {minute}");
    }
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
            calendar: Calendar::None,
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
fn nobody_is_free_whose_calendar_was_forgotten() {
    let offers = [offer(9, 17, Mode::Auto)];
    let rules = rules();
    let forgotten = Party {
        role: Role::Host,
        ..Party::default()
    };
    let parties = [forgotten];
    let search = Search::new(at(0), &offers, MUTUAL, &rules, &parties);
    assert_eq!(search.all(), []);
    assert_eq!(search.explain(between(540, 570)), [Reason::Unreadable(0)]);
}

#[test]
fn a_meeting_that_is_told_of_twice_asks_for_the_larger_margins() {
    let offers = [offer(9, 13, Mode::Auto)];
    let rules = rules();
    let told = |before_minutes, after_minutes, held_until| Meeting {
        id: "a",
        interval: between(660, 690),
        margins: Margins {
            before_minutes,
            after_minutes,
        },
        held_until,
        hosted: true,
    };
    let (wide, narrow) = (told(60, 0, Some(at(1))), told(0, 30, None));
    for meetings in [[wide, narrow], [narrow, wide]] {
        let parties = [Party {
            meetings: &meetings,
            ..host()
        }];
        let search = |now| Search::new(at(now), &offers, MUTUAL, &rules, &parties);
        assert_eq!(starts(&search(0)), [540, 570, 720, 750]);
        // The hold is no more, and the booking stands.
        assert_eq!(starts(&search(1)), [540, 570, 600, 630, 720, 750]);
    }
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
        Party {
            calendar: Calendar::None,
            ..Party::default()
        },
    ];
    let search = |quorum| Search {
        quorum,
        ..Search::new(at(0), &offers, MUTUAL, &rules, &parties)
    };
    assert_eq!(search(1).best(1)[0].free, [0, 2, 4]);
    assert_eq!(search(2).best(1), []);
}

#[test]
fn a_day_of_the_week_that_comes_again_is_all_of_it_asked_for() {
    // At 02:31 in UTC the clock goes back to 23:01 on Saturday.
    let zone: Zone = "America/St_Johns".parse().expect("a zone");
    let at = |text: &str| Zone::UTC.instant(text.parse().expect("a local time"));
    let window = Interval::new(at("2006-10-29T02:00:00"), at("2006-10-29T05:00:00"));
    let offers = [Offer {
        times: Times::Once {
            window: window.expect("three hours"),
            zone,
        },
        ..offer(0, 1, Mode::Auto)
    }];
    let (rules, parties) = (rules(), [host()]);
    let constraints = Constraints {
        days: Some([chrono::Weekday::Sat].into_iter().collect()),
        zone,
        ..Constraints::default()
    };
    let search = Search {
        constraints: &constraints,
        ..Search::new(at("2006-10-28T00:00:00"), &offers, MUTUAL, &rules, &parties)
    };
    let all = search.all().into_iter();
    let all: Vec<_> = all.map(|found| found.interval.start()).collect();
    assert_eq!(all, [at("2006-10-29T02:00:00"), at("2006-10-29T03:00:00")]);
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
