use super::*;

/// A moment in UTC, as clocks there show it.
fn utc(moment: Timestamp) -> NaiveDateTime {
    Zone::UTC.local(moment)
}

fn zone(name: &str) -> Zone {
    name.parse().expect("the zone is known")
}

#[track_caller]
fn check_instant(name: &str, local: &str, expect: &str) {
    let local: NaiveDateTime = local.parse().expect("a local time");
    let made = utc(zone(name).instant(local));
    assert_eq!(
        made,
        expect.parse().expect("a time in UTC"),
        "{local} in {name}"
    );
}

#[test]
fn times_in_a_gap_shift_forward() {
    check_instant(
        "America/New_York",
        "2026-03-08T01:59:59",
        "2026-03-08T06:59:59",
    );
    check_instant(
        "America/New_York",
        "2026-03-08T02:00:00",
        "2026-03-08T07:00:00",
    );
    check_instant(
        "America/New_York",
        "2026-03-08T02:30:00",
        "2026-03-08T07:30:00",
    );
    check_instant(
        "America/New_York",
        "2026-03-08T03:00:00",
        "2026-03-08T07:00:00",
    );
    check_instant(
        "America/Havana",
        "2026-03-08T00:30:00",
        "2026-03-08T05:30:00",
    );
    check_instant(
        "Australia/Lord_Howe",
        "2026-10-04T02:15:00",
        "2026-10-03T15:45:00",
    );
    check_instant(
        "Antarctica/Troll",
        "2026-03-29T01:30:00",
        "2026-03-29T01:30:00",
    );
}

#[test]
fn of_times_that_occur_twice_the_first_counts() {
    check_instant(
        "America/New_York",
        "2026-11-01T01:30:00",
        "2026-11-01T05:30:00",
    );
    check_instant(
        "America/New_York",
        "2026-11-01T02:00:00",
        "2026-11-01T07:00:00",
    );
    check_instant(
        "Europe/Dublin",
        "2026-10-25T01:30:00",
        "2026-10-25T00:30:00",
    );
    check_instant(
        "Australia/Lord_Howe",
        "2026-04-05T01:45:00",
        "2026-04-04T14:45:00",
    );
    check_instant(
        "Antarctica/Troll",
        "2026-10-25T01:30:00",
        "2026-10-24T23:30:00",
    );
}

#[track_caller]
fn check_day(name: &str, date: &str, expect: Option<(&str, u64)>) {
    let day = zone(name).day(date.parse().expect("a date"));
    let made = day.map(|day| (utc(day.start()), day.duration().as_secs() / 60));
    let expect = expect.map(|(start, minutes)| (start.parse().expect("a time"), minutes));
    assert_eq!(made, expect, "{date} in {name}");
}

#[test]
fn days_last_as_long_as_their_clocks_say() {
    check_day(
        "Europe/Berlin",
        "2026-03-29",
        Some(("2026-03-28T23:00:00", 23 * 60)),
    );
    check_day(
        "Europe/Berlin",
        "2026-10-25",
        Some(("2026-10-24T22:00:00", 25 * 60)),
    );
    check_day(
        "Australia/Lord_Howe",
        "2026-10-04",
        Some(("2026-10-03T13:30:00", 23 * 60 + 30)),
    );
    check_day(
        "America/Havana",
        "2026-03-08",
        Some(("2026-03-08T05:00:00", 23 * 60)),
    );
    check_day(
        "Asia/Beirut",
        "2026-03-29",
        Some(("2026-03-28T22:00:00", 23 * 60)),
    );
}

#[test]
fn days_that_were_left_out_have_no_moment() {
    check_day(
        "Pacific/Apia",
        "2011-12-29",
        Some(("2011-12-29T10:00:00", 24 * 60)),
    );
    check_day("Pacific/Apia", "2011-12-30", None);
    check_day(
        "Pacific/Apia",
        "2011-12-31",
        Some(("2011-12-30T10:00:00", 24 * 60)),
    );
    check_day("Pacific/Kwajalein", "1993-08-21", None);
}

#[test]
fn a_zone_is_known_by_its_name_alone() {
    assert_eq!(zone("Asia/Kathmandu").name(), "Asia/Kathmandu");
    for name in ["", "Nowhere", "asia/kathmandu", "UTC+1", "../etc/localtime"] {
        let error = name.parse::<Zone>().unwrap_err();
        assert!(error.to_string().contains("IANA"), "{error}");
    }
    let long = "x".repeat(10_000).parse::<Zone>().unwrap_err();
    assert!(long.to_string().len() < 200);
}

#[test]
fn the_ends_of_time_have_a_local_time() {
    for moment in [Timestamp::MIN, Timestamp::MAX] {
        zone("Pacific/Kiritimati").local(moment);
    }
    for local in [NaiveDateTime::MIN, NaiveDateTime::MAX] {
        zone("America/New_York").instant(local);
    }
    assert_eq!(Zone::UTC.day(NaiveDate::MAX), None);
}

#[test]
fn every_zone_of_the_database_can_be_read() {
    let zones: Vec<_> = database::all().map(Zone).collect();
    assert!(zones.len() > 590, "{}", zones.len());
    for zone in zones {
        assert_eq!(zone.name().parse(), Ok(zone));
        assert_eq!(Zone::ignoring_case(&zone.name().to_lowercase()), Some(zone));
        assert_eq!(zone.local(zone.instant(NOON)), NOON, "{zone}");
    }
}

const NOON: NaiveDateTime = NaiveDate::from_ymd_opt(2026, 6, 1)
    .expect("a date")
    .and_hms_opt(12, 0, 0)
    .expect("a time");

/// Where clocks are no longer changed, or are again, since 2026: an older database is an hour off.
#[test]
fn the_database_knows_what_was_decided_in_2026() {
    assert!(Zone::database_version() >= "2026e");
    for (name, local) in [
        ("America/Edmonton", "06:00:00"),
        ("America/Vancouver", "05:00:00"),
        ("Africa/Casablanca", "12:00:00"),
    ] {
        let noon = Timestamp::from_secs(1_796_126_400).expect("2026-12-01T12:00:00Z");
        assert_eq!(zone(name).local(noon).time().to_string(), local, "{name}");
    }
}

#[test]
fn changes_are_told_once_and_to_the_second() {
    let day = |month, day| {
        let date = NaiveDate::from_ymd_opt(2026, month, day).expect("a date");
        Zone::UTC.midnight(date)
    };
    let year = Interval::new(day(1, 1), day(12, 31)).expect("a year");
    let changes = |name| -> Vec<_> {
        let told = zone(name).changes(year);
        told.map(|(at, millis)| (utc(at), millis / 60_000))
            .collect()
    };
    let at = |text: &str| text.parse().expect("a time");
    assert_eq!(
        changes("Australia/Lord_Howe"),
        [
            (at("2026-04-04T15:00:00"), 630),
            (at("2026-10-03T15:30:00"), 660)
        ]
    );
    assert_eq!(changes("Asia/Kolkata"), []);
    assert_eq!(changes("UTC"), []);
}
