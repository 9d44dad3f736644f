//! Feeds: read whole, or not at all where nothing has changed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use huddle_calendars::{BusyQuery, CalendarError, Snapshot};
use huddle_ports::Timestamp;
use huddle_schedule::{Interval, Zone};

use crate::block_on;
use crate::script::{Answer, Script};
use crate::server::{EVENT, FEED, NOW, feed, hours, the_day};

fn read(
    script: &Script,
    now: Timestamp,
    query: &BusyQuery<'_>,
    previous: Option<&Snapshot>,
) -> Result<Snapshot, CalendarError> {
    block_on(feed().busy(&script.fetch(), now, query, previous))
}

#[test]
fn what_the_server_gave_to_recognise_a_version_by_is_given_back() {
    for (answer, conditions) in [
        (&[("etag", "W/\"1\"")][..], [Some("W/\"1\""), None]),
        (
            &[("last-modified", "Sat, 21 Nov 2026 00:00:00 GMT")],
            [None, Some("Sat, 21 Nov 2026 00:00:00 GMT")],
        ),
        (
            &[("etag", "bare"), ("last-modified", "yesterday")],
            [Some("bare"), Some("yesterday")],
        ),
        (&[], [None, None]),
        (&[("etag", "")], [None, None]),
    ] {
        let headers: Vec<(&'static str, String)> = answer
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        let script = Script::new(move |_| Answer {
            headers: headers.clone(),
            ..Answer::new(200, EVENT)
        });
        let first = read(&script, NOW, &the_day(), None).unwrap();
        let second = read(&script, NOW, &the_day(), Some(&first)).unwrap();
        assert_eq!(first.busy, second.busy);
        let [unconditional, conditional] = script.take_sent().try_into().unwrap();
        for (name, expect) in ["if-none-match", "if-modified-since"]
            .iter()
            .zip(conditions)
        {
            assert_eq!(unconditional.header(name), None);
            assert_eq!(conditional.header(name), expect, "{name}");
        }
    }
}

#[test]
fn what_has_not_changed_stays_as_it_was_read() {
    let script = Script::new(|sent| match sent.header("if-none-match") {
        Some("\"1\"") => Answer::new(304, ""),
        _ => Answer::new(200, EVENT).with("etag", "\"1\""),
    });
    let first = read(&script, NOW, &the_day(), None).unwrap();
    let later = NOW + Duration::from_mins(5);
    let second = read(&script, later, &the_day(), Some(&first)).unwrap();
    let mut expect = first;
    expect.checked_at = later;
    assert_eq!(second, expect);
    let json = serde_json::to_string(&second).unwrap();
    assert_eq!(serde_json::from_str::<Snapshot>(&json).unwrap(), second);
}

#[test]
fn a_snapshot_counts_for_what_lies_in_its_window_and_for_a_day() {
    let script = Script::new(|sent| match sent.header("if-none-match") {
        Some(_) => Answer::new(304, ""),
        None => Answer::new(200, EVENT).with("etag", "\"1\""),
    });
    let first = read(&script, NOW, &the_day(), None).unwrap();
    let day = Duration::from_hours(24);
    for (window, age, is_read) in [
        (hours(0, 24), Duration::ZERO, false),
        (hours(9, 10), Duration::ZERO, false),
        (hours(9, 25), Duration::ZERO, true),
        (hours(-1, 10), Duration::ZERO, true),
        (hours(0, 24), Duration::from_mins(24 * 60 - 1), false),
        (hours(0, 24), day, true),
    ] {
        let query = BusyQuery::new(window, Zone::UTC);
        let now = NOW + age;
        script.take_sent();
        let next = read(&script, now, &query, Some(&first)).unwrap();
        let [sent] = script.take_sent().try_into().unwrap();
        assert_eq!(
            sent.header("if-none-match").is_none(),
            is_read,
            "{window:?} {age:?}"
        );
        assert_eq!(next.window, if is_read { window } else { first.window });
        assert_eq!(next.busy.as_slice(), [hours(9, 10)]);
    }
}

#[test]
fn of_a_window_that_moves_what_is_read_once_a_day_is_enough_if_it_is_rounded() {
    let script = Script::new(|sent| match sent.header("if-none-match") {
        Some(_) => Answer::new(304, ""),
        None => Answer::new(200, EVENT).with("etag", "\"1\""),
    });
    let ahead = |now: Timestamp| {
        let window = Interval::lasting(now, Duration::from_hours(28 * 24)).unwrap();
        BusyQuery::new(window, Zone::UTC)
    };
    let first_at = NOW + Duration::from_hours(2);
    let rounded = read(&script, first_at, &ahead(first_at).in_whole_days(), None).unwrap();
    let unrounded = read(&script, first_at, &ahead(first_at), None).unwrap();
    let next_day = NOW + Duration::from_hours(25);
    for (hours, expect) in [(3, first_at), (23, first_at), (25, next_day)] {
        let now = NOW + Duration::from_hours(hours);
        let next = read(&script, now, &ahead(now).in_whole_days(), Some(&rounded)).unwrap();
        assert_eq!(next.read_at, expect, "{hours}");
        let next = read(&script, now, &ahead(now), Some(&unrounded)).unwrap();
        assert_eq!(next.read_at, now, "what is not rounded is read anew");
    }
}

#[test]
fn a_snapshot_answers_the_query_that_it_was_made_for_and_no_other() {
    let script = Script::new(|_| Answer::new(200, EVENT).with("etag", "\"1\""));
    let query = the_day();
    let mut rules = query.rules;
    rules.tentative = false;
    let others = [
        query.ignoring("1"),
        BusyQuery { rules, ..query },
        BusyQuery {
            zone: "Europe/Berlin".parse().unwrap(),
            ..query
        },
        BusyQuery {
            addresses: &["ana@example.com"],
            ..query
        },
    ];
    for other in &others {
        for (made_for, asked) in [(&query, other), (other, &query), (other, other)] {
            let snapshot = read(&script, NOW, made_for, None).unwrap();
            script.take_sent();
            read(&script, NOW, asked, Some(&snapshot)).unwrap();
            let [sent] = script.take_sent().try_into().unwrap();
            let is_used = sent.header("if-none-match").is_some();
            assert_eq!(
                is_used,
                std::ptr::eq(made_for, asked),
                "{made_for:?} {asked:?}"
            );
        }
    }
}

#[test]
fn a_feed_with_another_tag_each_time_is_read_each_time() {
    let count = AtomicUsize::new(0);
    let script = Script::new(move |_| {
        let n = count.fetch_add(1, Ordering::Relaxed);
        let text = EVENT.replace("T090000Z", &format!("T{:02}0000Z", 9 - n));
        Answer::new(200, text).with("etag", &format!("\"{n}\""))
    });
    let mut snapshot = read(&script, NOW, &the_day(), None).unwrap();
    for n in 1..4 {
        snapshot = read(&script, NOW, &the_day(), Some(&snapshot)).unwrap();
        assert_eq!(snapshot.busy.as_slice(), [hours(9 - n, 10)]);
    }
    let tags: Vec<Option<String>> = script
        .take_sent()
        .iter()
        .map(|sent| sent.header("if-none-match").map(str::to_owned))
        .collect();
    assert_eq!(
        tags[1..],
        ["\"0\"", "\"1\"", "\"2\""].map(|tag| Some(tag.to_owned()))
    );
}

#[test]
fn a_server_that_answers_a_condition_nobody_made_is_no_feed() {
    let script = Script::new(|_| Answer::new(304, ""));
    let refused = read(&script, NOW, &the_day(), None);
    assert_eq!(refused, Err(CalendarError::NotACalendar));
}

#[test]
fn a_feed_is_followed_to_where_it_is() {
    let script = Script::new(|sent| match sent.url.as_str() {
        FEED => Answer::new(302, "").with("location", "/moved.ics"),
        _ => Answer::new(200, EVENT),
    });
    let snapshot = read(&script, NOW, &the_day(), None).unwrap();
    assert_eq!(snapshot.busy.as_slice(), [hours(9, 10)]);
    assert_eq!(script.take_lines().len(), 2);
}

#[test]
fn only_a_whole_calendar_is_read() {
    for (body, expect) in [
        ("\u{feff}BEGIN:VCALENDAR\nEND:VCALENDAR", Ok(())),
        (
            "\r\n begin:vcalendar\r\nend:vcalendar\r\n",
            Err(CalendarError::NotACalendar),
        ),
        ("\r\nbegin:vcalendar\r\nend:vcalendar\r\n", Ok(())),
        ("", Err(CalendarError::NotACalendar)),
        (
            "<!DOCTYPE html>\nBEGIN:VCALENDAR\nEND:VCALENDAR",
            Err(CalendarError::NotACalendar),
        ),
        (
            "BEGIN:VCALENDARS\nEND:VCALENDARS",
            Err(CalendarError::NotACalendar),
        ),
        (
            "BEGIN:VCALENDAR\nEND:VCALENDAR\nBEGIN:VCARD\nEND:VCARD",
            Err(CalendarError::NotACalendar),
        ),
        (
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\n",
            Err(CalendarError::Broken("its calendar is cut off".into())),
        ),
    ] {
        let script = Script::new(move |_| Answer::new(200, body));
        let read = read(&script, NOW, &the_day(), None);
        assert_eq!(read.map(|_| ()), expect, "{body}");
    }
}

#[test]
fn too_many_events_are_too_large_and_not_left_out() {
    let events = "BEGIN:VEVENT\nEND:VEVENT\n".repeat(20_001);
    let body = format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n");
    let script = Script::new(move |_| Answer::new(200, body.clone()));
    assert_eq!(
        read(&script, NOW, &the_day(), None),
        Err(CalendarError::TooLarge)
    );
}

#[test]
fn an_event_that_cannot_be_read_takes_all_the_time_it_may_and_is_told() {
    let body = EVENT.replace("DTEND:20261201T100000Z", "DTEND:later");
    let script = Script::new(move |_| Answer::new(200, body.clone()));
    let snapshot = read(&script, NOW, &the_day(), None).unwrap();
    assert_eq!(snapshot.busy.as_slice(), [hours(9, 24)]);
    assert_eq!(snapshot.problems.len(), 1);
    assert!(
        snapshot.problems[0].contains("DTEND"),
        "{:?}",
        snapshot.problems
    );
}

#[test]
fn the_events_of_a_booking_are_left_out_and_those_under_them_are_not() {
    let ours = EVENT
        .replace("UID:1", "UID:booking@huddle.example")
        .replace("T090000Z", "T080000Z");
    let body = format!("{ours}{EVENT}");
    let script = Script::new(move |_| Answer::new(200, body.clone()));
    let all = read(&script, NOW, &the_day(), None).unwrap();
    assert_eq!(all.busy.as_slice(), [hours(8, 10)]);
    let query = the_day().ignoring("booking@huddle.example");
    let others = read(&script, NOW, &query, None).unwrap();
    assert_eq!(others.busy.as_slice(), [hours(9, 10)]);
}
