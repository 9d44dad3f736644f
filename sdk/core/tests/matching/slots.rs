//! Which slots are found.

use huddle_core::availability::{Found, Side};
use huddle_core::booking::{Constraints, GuestSide, Mode};
use huddle_core::host_match::Margins;
use huddle_core::matching::Busy;
use huddle_ports::Timestamp;
use huddle_schedule::{Circle, IntervalSet};

use crate::world::{World, ada, asking, at, between, bob, slots};

/// Ada and Bob know each other, and she offers two hours on Tuesday.
fn friends() -> World {
    let world = World::new();
    world.relate(Circle::Mutual);
    world.offer("a", ("02T09:00", "02T11:00"), "mutual", "auto");
    world
}

fn busy(from: &str, until: &str) -> Busy {
    Busy::Known(IntervalSet::from(between(from, until)))
}

fn starts(world: &World, constraints: Constraints) -> Vec<Timestamp> {
    let slots = world.slots(constraints);
    slots.iter().map(|slot| slot.start()).collect()
}

fn quarters(times: &[&str]) -> Vec<Timestamp> {
    times.iter().map(|time| at(time)).collect()
}

#[test]
fn an_offer_is_cut_into_slots_of_the_hosts_length_and_step() {
    let world = friends();
    let expect = [
        "02T09:00", "02T09:15", "02T09:30", "02T09:45", "02T10:00", "02T10:15", "02T10:30",
    ];
    assert_eq!(starts(&world, Constraints::default()), quarters(&expect));
    world.prefer(&ada(), r#"{"durations": [60], "slotStepMinutes": 30}"#);
    let hours = [
        between("02T09:00", "02T10:00"),
        between("02T09:30", "02T10:30"),
        between("02T10:00", "02T11:00"),
    ];
    assert_eq!(world.slots(Constraints::default()), hours);
}

#[test]
fn a_slot_suits_both_calendars_and_what_both_have_given_away() {
    let world = friends();
    world
        .people
        .set_calendars(&ada(), busy("02T09:00", "02T09:30"));
    world
        .people
        .set_calendars(&bob(), busy("02T10:30", "02T11:00"));
    let expect = ["02T09:30", "02T09:45", "02T10:00"];
    assert_eq!(starts(&world, Constraints::default()), quarters(&expect));
    world.hold(&ada(), between("02T09:30", "02T09:45"));
    assert_eq!(
        starts(&world, Constraints::default()),
        quarters(&expect[1..])
    );
    world.hold(&bob(), between("02T10:15", "02T10:45"));
    assert_eq!(
        starts(&world, Constraints::default()),
        quarters(&expect[1..2])
    );
}

#[test]
fn what_is_kept_free_around_other_meetings_stays_free() {
    let world = friends();
    let quarter = std::time::Duration::from_mins(15);
    let margins = Margins {
        before: quarter,
        after: quarter * 2,
        caps: Vec::new(),
    };
    world.hold_with(&bob(), between("02T09:45", "02T10:00"), margins);
    assert_eq!(
        starts(&world, Constraints::default()),
        quarters(&["02T09:00", "02T10:30"])
    );
}

#[test]
fn what_is_given_away_is_given_back_when_its_hold_runs_out() {
    let world = friends();
    world.hold(&ada(), between("02T09:00", "02T11:00"));
    assert_eq!(world.slots(Constraints::default()), []);
    world.clock.step(std::time::Duration::from_mins(15));
    assert_eq!(world.slots(Constraints::default()).len(), 7);
}

#[test]
fn what_both_keep_free_around_a_meeting_is_kept_and_proposed() {
    let world = friends();
    world.prefer(
        &ada(),
        r#"{"bufferBeforeMinutes": 30, "maxPerDay": 2, "maxPerWeek": 5, "tz": "Europe/Berlin"}"#,
    );
    world.prefer(&bob(), r#"{"bufferAfterMinutes": 15, "maxPerDay": 1}"#);
    world
        .people
        .set_calendars(&ada(), busy("02T08:00", "02T09:30"));
    world
        .people
        .set_calendars(&bob(), busy("02T10:45", "02T11:00"));
    let Found::Proposals(proposals) = world.found(Constraints::default()) else {
        panic!("something is proposed");
    };
    let [proposal] = proposals.as_slice() else {
        panic!("there is one slot: {proposals:?}");
    };
    assert_eq!(proposal.place.slot, between("02T10:00", "02T10:30"));
    let minutes = std::time::Duration::from_mins;
    let (host, guest) = (&proposal.host, &proposal.guest);
    assert_eq!((host.before, host.after), (minutes(30), minutes(0)));
    assert_eq!((guest.before, guest.after), (minutes(0), minutes(15)));
    let caps: Vec<_> = host
        .caps
        .iter()
        .map(|cap| (cap.within, cap.at_most))
        .collect();
    // Days and weeks are the host's: in Berlin it is two hours later than in UTC.
    let monday = Timestamp::from_millis(at("01T00:00").as_millis() - 2 * 3_600_000);
    let week = huddle_core::Interval::new(monday, at("07T22:00")).unwrap();
    assert_eq!(caps, [(between("01T22:00", "02T22:00"), 2), (week, 5)]);
    assert_eq!(guest.caps, [], "a guest hosts nothing");
}

#[test]
fn a_full_day_is_no_day_to_meet_on() {
    let world = friends();
    world.prefer(&ada(), r#"{"maxPerDay": 1}"#);
    assert_eq!(world.slots(Constraints::default()).len(), 7);
    world.hold(&ada(), between("02T20:00", "02T21:00"));
    assert_eq!(world.slots(Constraints::default()), []);
}

#[test]
fn a_full_week_is_no_week_to_meet_in_whatever_part_of_it_is_asked_for() {
    let world = friends();
    world.prefer(&ada(), r#"{"maxPerWeek": 1}"#);
    world.offer("b", ("05T09:00", "05T09:30"), "mutual", "auto");
    world.offer("c", ("08T09:00", "08T09:30"), "mutual", "auto");
    world.hold(&ada(), between("01T20:00", "01T21:00"));
    let friday = Constraints {
        earliest: Some(at("05T00:00")),
        ..Constraints::default()
    };
    assert_eq!(world.slots(friday), [between("08T09:00", "08T09:30")]);
}

#[test]
fn what_is_kept_free_may_lie_outside_of_what_is_asked_for() {
    let world = friends();
    world.prefer(
        &ada(),
        r#"{"bufferBeforeMinutes": 240, "minimumNoticeMinutes": 0}"#,
    );
    world.clock.set(at("02T09:00"));
    world
        .people
        .set_calendars(&ada(), busy("02T05:00", "02T05:45"));
    assert_eq!(starts(&world, Constraints::default())[0], at("02T09:45"));
    world.people.set_calendars(&ada(), Busy::Unconnected);
    world.prefer(&ada(), r#"{"bufferAfterMinutes": 240}"#);
    world
        .people
        .set_calendars(&ada(), busy("02T14:45", "02T15:00"));
    world.clock.set(at("02T00:00"));
    let last = *starts(&world, Constraints::default())
        .last()
        .expect("some fit");
    assert_eq!(last, at("02T10:15"));
}

#[test]
fn calendars_are_read_as_far_as_the_last_meeting_that_can_be_booked_reaches() {
    let world = World::new();
    world.relate(Circle::Mutual);
    world.offer("a", ("02T22:00", "03T10:00"), "mutual", "auto");
    world.prefer(
        &ada(),
        r#"{"bookingWindowDays": 1, "durations": [240], "bufferAfterMinutes": 240}"#,
    );
    world
        .people
        .set_calendars(&ada(), busy("03T07:00", "03T07:15"));
    let expect = ["02T22:00", "02T22:15", "02T22:30", "02T22:45", "02T23:00"];
    assert_eq!(starts(&world, Constraints::default()), quarters(&expect));
}

#[test]
fn only_who_may_book_is_put_off_for_a_calendar_of_their_own() {
    let world = friends();
    world.people.set_calendars(&bob(), Busy::Delayed);
    let delayed = Found::Delayed(Side::Guest);
    assert_eq!(world.found(Constraints::default()), delayed);
    world.prefer(&ada(), &format!(r#"{{"blockedDids": ["{}"]}}"#, bob()));
    let unreadable = Found::Unreadable(Side::Guest);
    assert_eq!(world.found(Constraints::default()), unreadable, "blocked");
    world.prefer(&ada(), "{}");
    world.offer("a", ("02T09:00", "02T11:00"), "mutual", "pick");
    assert_eq!(
        world.found(Constraints::default()),
        unreadable,
        "nothing to book"
    );
}

#[test]
fn a_proposal_says_on_which_terms() {
    let world = friends();
    let terms = |world: &World| match world.found(Constraints::default()) {
        Found::Proposals(proposals) => proposals[0].place.terms.clone(),
        found => panic!("{found:?}"),
    };
    let before = terms(&world);
    let offer = before.offer.expect("there is one").to_string();
    assert!(offer.ends_with("com.huddle.slotOffer/a"), "{offer}");
    assert_eq!((before.tz.as_str(), before.mode), ("UTC", Mode::Auto));
    assert_eq!(before.guest_side, GuestSide::Unchecked);
    world
        .people
        .set_calendars(&bob(), Busy::Known(IntervalSet::new()));
    assert_eq!(terms(&world).guest_side, GuestSide::Checked);
}

#[test]
fn a_calendar_that_cannot_be_read_is_named_by_its_side_the_guests_first() {
    let host = Side::Host { stranger: false };
    let known = || Busy::Known(IntervalSet::new());
    for (of_host, of_guest, expect) in [
        (Busy::Unreadable, known(), Found::Unreadable(host)),
        (Busy::Delayed, known(), Found::Delayed(host)),
        (known(), Busy::Unreadable, Found::Unreadable(Side::Guest)),
        (known(), Busy::Delayed, Found::Delayed(Side::Guest)),
        (Busy::Unreadable, Busy::Delayed, Found::Delayed(Side::Guest)),
        (
            Busy::Delayed,
            Busy::Unreadable,
            Found::Unreadable(Side::Guest),
        ),
    ] {
        let world = friends();
        let case = format!("{of_host:?} and {of_guest:?}");
        world.people.set_calendars(&ada(), of_host);
        world.people.set_calendars(&bob(), of_guest);
        assert_eq!(world.found(Constraints::default()), expect, "{case}");
    }
}

#[test]
fn one_offer_is_looked_at_where_one_is_named() {
    let world = friends();
    let other = world.offer("b", ("03T09:00", "03T09:30"), "mutual", "auto");
    assert_eq!(world.slots(Constraints::default()).len(), 8);
    let search = huddle_core::availability::Search {
        offer: Some(other.clone()),
        ..asking(Constraints::default())
    };
    assert_eq!(
        slots(&world.search(&search)),
        [between("03T09:00", "03T09:30")]
    );
    world.withdraw(&other);
    assert_eq!(slots(&world.search(&search)), []);
}

#[test]
fn the_hours_of_the_guest_count_where_slots_are_ranked() {
    let world = World::new();
    world.relate(Circle::Mutual);
    world.office_hours("a", "mutual", "auto");
    let best = |tz: Option<&str>| {
        let constraints = Constraints {
            tz: tz.map(str::to_owned),
            ..Constraints::default()
        };
        match world.found(constraints) {
            Found::Proposals(proposals) => proposals[0].place.slot.start(),
            found => panic!("{found:?}"),
        }
    };
    assert_eq!(best(None), at("01T09:00"));
    // Nine in London is four in New York.
    assert!(best(Some("America/New_York")) >= at("01T13:00"));
    world.prefer(&bob(), r#"{"tz": "America/New_York"}"#);
    assert!(
        best(None) >= at("01T13:00"),
        "their own zone, where they name none"
    );
}

#[test]
fn more_busy_time_never_adds_a_slot() {
    let world = friends();
    let all = world.slots(Constraints::default());
    let quarter = |from: u64| {
        let start = at("02T09:00") + std::time::Duration::from_mins(15 * from);
        huddle_core::Interval::lasting(start, std::time::Duration::from_mins(15)).unwrap()
    };
    // All ways in which the eight quarters of an hour can be taken, by one of both.
    for (person, other) in [(ada(), bob()), (bob(), ada())] {
        world.people.set_calendars(&other, Busy::Unconnected);
        for taken in 0_u64..256 {
            let quarters = (0..8).filter(|bit| taken >> bit & 1 == 1).map(quarter);
            let busy: IntervalSet = quarters.collect();
            world
                .people
                .set_calendars(&person, Busy::Known(busy.clone()));
            let free = all.iter().filter(|slot| !busy.overlaps(**slot));
            assert_eq!(
                world.slots(Constraints::default()),
                free.copied().collect::<Vec<_>>()
            );
        }
    }
}
