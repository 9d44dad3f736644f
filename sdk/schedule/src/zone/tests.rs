use super::*;

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
