//! What is asked of a CalDAV server, and what is made of answers that are unlike those of others.

use huddle_calendars::{
    Access, BookingEvent, BusyQuery, Calendar, CalendarError, EventState, Snapshot,
};
use huddle_ports::Timestamp;
use huddle_schedule::busy::Status;
use huddle_schedule::{Interval, Zone};

use crate::block_on;
use crate::script::{Answer, Script, found};
use crate::server::{
    EVENT, HELD, HOST, NOW, caldav, calendar, feed, hold, hours, key, serve, the_day, works,
};

fn busy(script: &Script, query: &BusyQuery<'_>) -> Result<Snapshot, CalendarError> {
    block_on(calendar().busy(&script.fetch(), NOW, query, None))
}

/// A server whose answer to a calendar-query has these responses.
fn listing(responses: impl Into<String>) -> Script {
    let responses = responses.into();
    Script::new(move |sent| {
        if sent.body.contains("calendar-query") {
            Answer::multistatus(&responses)
        } else {
            serve(sent)
        }
    })
}

fn resource(name: &str, text: &str) -> String {
    let data = format!("<C:calendar-data>{text}</C:calendar-data>");
    found(&format!("/ana/calendars/work/{name}"), &data)
}

#[test]
fn a_window_is_asked_for_with_a_day_on_each_side() {
    let script = works();
    busy(&script, &the_day()).unwrap();
    let [version, query] = script.take_sent().try_into().unwrap();
    assert_eq!(version.method, "PROPFIND", "before the events are read");
    assert_eq!(query.method, "REPORT");
    assert_eq!(query.header("depth"), Some("1"));
    let range = r#"<C:comp-filter name="VEVENT"><C:time-range start="20261130T000000Z" end="20261203T000000Z"/>"#;
    assert!(query.body.contains(range), "{}", query.body);
}

#[test]
fn the_check_for_a_booking_takes_one_request_and_reads_afresh() {
    let script = works();
    let known = busy(&script, &the_day()).unwrap();
    script.take_sent();
    let query = the_day().ignoring("1");
    let check = block_on(calendar().busy(&script.fetch(), NOW, &query, Some(&known)));
    assert!(
        check.unwrap().busy.is_empty(),
        "its own event is not in its way"
    );
    let [sent] = script.take_sent().try_into().unwrap();
    assert!(sent.body.contains("calendar-query"), "{}", sent.body);
}

#[test]
fn even_all_the_time_there_is_can_be_asked_for() {
    let script = works();
    let always = BusyQuery::new(Interval::ALWAYS, Zone::UTC);
    let snapshot = busy(&script, &always).unwrap();
    assert_eq!(snapshot.busy.as_slice(), [hours(9, 10)]);
    let query = &script.take_sent()[1].body;
    assert!(
        query.contains(r#"start="00010101T000000Z" end="99991231T235959Z""#),
        "{query}"
    );
}

#[test]
fn what_lies_in_the_margin_alone_is_not_in_the_window() {
    let the_next_day = BusyQuery::new(hours(24, 48), Zone::UTC);
    assert!(busy(&works(), &the_next_day).unwrap().busy.is_empty());
}

#[test]
fn events_are_read_from_every_resource_and_the_calendar_itself_is_none() {
    let other = EVENT
        .replace("UID:1", "UID:2")
        .replace("T100000Z", "T110000Z");
    let script = listing(
        [
            found("/ana/calendars/work/", "<D:getetag>\"0\"</D:getetag>"),
            found("/ana/calendars/work", "<D:getetag>\"0\"</D:getetag>"),
            resource("1.ics", EVENT),
            resource("2.ics", &format!("<![CDATA[{other}]]>")),
        ]
        .concat(),
    );
    let snapshot = busy(&script, &the_day()).unwrap();
    assert_eq!(snapshot.busy.as_slice(), [hours(9, 11)]);
}

#[test]
fn an_event_that_is_listed_and_not_shown_is_never_free_time() {
    for response in [
        found("/ana/calendars/work/1.ics", "<D:getetag>\"1\"</D:getetag>"),
        "<D:response><D:href>/ana/calendars/work/1.ics</D:href><D:propstat><D:prop>\
         <C:calendar-data/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>\
         </D:response>"
            .to_owned(),
        "<D:response><D:href>/ana/calendars/work/1.ics</D:href>\
         <D:status>HTTP/1.1 403 Forbidden</D:status></D:response>"
            .to_owned(),
    ] {
        let refused = busy(&listing(&response), &the_day());
        assert!(
            matches!(refused, Err(CalendarError::Broken(_))),
            "{response}: {refused:?}"
        );
    }
    for text in ["", "Sign in", "BEGIN:VCARD\nEND:VCARD"] {
        let responses = resource("1.ics", EVENT) + &resource("2.ics", text);
        let refused = busy(&listing(responses), &the_day());
        assert!(
            matches!(refused, Err(CalendarError::Broken(_))),
            "{text}: {refused:?}"
        );
    }
}

#[test]
fn all_events_of_a_calendar_share_the_limits_of_one() {
    let many = |count| {
        let events =
            "BEGIN:VEVENT\nDTSTART:20261201T090000Z\nDURATION:PT1H\nEND:VEVENT\n".repeat(count);
        format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n")
    };
    let both = |a, b| listing(resource("1.ics", &many(a)) + &resource("2.ics", &many(b)));
    assert!(busy(&both(10_000, 10_000), &the_day()).is_ok());
    let refused = busy(&both(10_000, 10_001), &the_day());
    assert_eq!(refused, Err(CalendarError::TooLarge));
}

#[test]
fn no_part_of_an_answer_is_taken_for_the_whole() {
    let told = Calendar::CalDav(caldav(Access::FreeBusy));
    for (calendar, question) in [
        (calendar(), "calendar-query"),
        (told, "free-busy-query"),
        (feed(), ""),
    ] {
        let cut = move |length: usize| {
            Script::new(move |sent| {
                let mut answer = serve(sent);
                if sent.body.contains(question) {
                    answer.body.truncate(length);
                }
                answer
            })
        };
        let busy = |length| {
            let script = cut(length);
            block_on(calendar.busy(&script.fetch(), NOW, &the_day(), None))
        };
        let whole = (0..2000)
            .find(|length| busy(*length).is_ok())
            .expect("it works");
        assert_eq!(
            busy(whole).unwrap().busy.as_slice(),
            [hours(9, 10)],
            "{question}"
        );
    }
}

#[test]
fn an_answer_that_is_cut_short_is_too_large() {
    let cut = "<D:response><D:href>/ana/calendars/work/</D:href>\
        <D:status>HTTP/1.1 507 Insufficient Storage</D:status></D:response>";
    let script = listing(format!("{}{cut}", resource("1.ics", EVENT)));
    assert_eq!(busy(&script, &the_day()), Err(CalendarError::TooLarge));
}

#[test]
fn without_sync_tokens_the_tag_of_the_collection_tells_what_is_unchanged() {
    let script = Script::new(|sent| match sent.method.as_str() {
        "PROPFIND" => Answer::properties("/ana/calendars/work/", "<S:getctag>c1</S:getctag>"),
        _ => serve(sent),
    });
    let fetch = script.fetch();
    block_on(async {
        let first = calendar()
            .busy(&fetch, NOW, &the_day(), None)
            .await
            .unwrap();
        script.take_sent();
        let again = calendar().busy(&fetch, NOW, &the_day(), Some(&first)).await;
        assert_eq!(again.unwrap(), first);
        assert_eq!(script.take_lines().len(), 1);
    });
}

#[test]
fn without_any_version_the_calendar_is_read_each_time() {
    let script = Script::new(|sent| match sent.method.as_str() {
        "PROPFIND" => Answer::properties("/ana/calendars/work/", ""),
        _ => serve(sent),
    });
    let fetch = script.fetch();
    block_on(async {
        let first = calendar()
            .busy(&fetch, NOW, &the_day(), None)
            .await
            .unwrap();
        script.take_sent();
        calendar()
            .busy(&fetch, NOW, &the_day(), Some(&first))
            .await
            .unwrap();
        let reports = script
            .take_sent()
            .iter()
            .filter(|sent| sent.method == "REPORT")
            .count();
        assert_eq!(reports, 1);
    });
}

#[test]
fn a_sync_token_that_has_run_out_means_reading_anew() {
    for status in [403, 409, 410, 412] {
        let script = Script::new(move |sent| {
            if sent.body.contains("sync-collection") {
                Answer::new(status, r#"<error xmlns="DAV:"><valid-sync-token/></error>"#)
            } else {
                serve(sent)
            }
        });
        let fetch = script.fetch();
        block_on(async {
            let first = calendar()
                .busy(&fetch, NOW, &the_day(), None)
                .await
                .unwrap();
            let later = Timestamp::from_millis(NOW.as_millis() + 1);
            let again = calendar()
                .busy(&fetch, later, &the_day(), Some(&first))
                .await
                .unwrap();
            assert_eq!(again.read_at, later, "{status}");
        });
    }
}

#[test]
fn changes_are_named_by_resource_and_an_answer_may_be_partial() {
    let answer = [
        found("/ana/calendars/work/1.ics", "<D:getetag>\"2\"</D:getetag>"),
        found("/ana/calendars/work/", "<D:getetag>\"c\"</D:getetag>"),
        "<D:response><D:href>/ana/calendars/work/2.ics</D:href>\
         <D:status>HTTP/1.1 404 Not Found</D:status></D:response>"
            .to_owned(),
        "<D:response><D:href>/ana/calendars/work/</D:href>\
         <D:status>HTTP/1.1 507 Insufficient Storage</D:status></D:response>"
            .to_owned(),
        "<D:sync-token>s&amp;2</D:sync-token>".to_owned(),
    ]
    .concat();
    let script = Script::new(move |_| Answer::multistatus(&answer));
    let changes = caldav(Access::Write);
    let changes = block_on(changes.changes(&script.fetch(), NOW, Some("<s&1>")));
    let changes = changes.unwrap().unwrap();
    assert_eq!(changes.token, "s&2");
    assert_eq!(
        (changes.changed.as_slice(), changes.removed.as_slice()),
        (&["1.ics".to_owned()][..], &["2.ics".to_owned()][..])
    );
    assert!(changes.is_partial && !changes.is_empty());
    let [sent] = script.take_sent().try_into().unwrap();
    assert!(
        sent.body
            .contains("<D:sync-token>&lt;s&amp;1&gt;</D:sync-token>"),
        "{}",
        sent.body
    );
}

#[test]
fn changes_without_a_token_or_with_an_unclear_resource_are_broken() {
    for answer in [
        found("/ana/calendars/work/1.ics", "<D:getetag>\"2\"</D:getetag>"),
        "<D:response><D:href>/ana/calendars/work/2.ics</D:href>\
         <D:status>HTTP/1.1 500 Oops</D:status></D:response><D:sync-token>s2</D:sync-token>"
            .to_owned(),
    ] {
        let script = Script::new(move |_| Answer::multistatus(&answer));
        let changes = caldav(Access::Write);
        let changes = block_on(changes.changes(&script.fetch(), NOW, None));
        assert!(
            matches!(changes, Err(CalendarError::Broken(_))),
            "{changes:?}"
        );
    }
}

#[test]
fn who_sees_busy_time_alone_is_told_it_and_writes_nothing() {
    let script = works();
    let told = Calendar::CalDav(caldav(Access::FreeBusy));
    let snapshot = block_on(told.busy(&script.fetch(), NOW, &the_day(), None)).unwrap();
    assert_eq!(snapshot.busy.as_slice(), [hours(9, 10)]);
    let [sent] = script.take_sent().try_into().unwrap();
    assert!(sent.body.contains("<C:free-busy-query"), "{}", sent.body);
    for calendar in [told, Calendar::CalDav(caldav(Access::Read)), feed()] {
        let fetch = script.fetch();
        block_on(async {
            let (key, hold) = (key(), hold());
            let put = calendar.put_event(&fetch, NOW, &key, &hold, None).await;
            let removed = calendar.remove_event(&fetch, NOW, &key, None).await;
            let read = calendar.event(&fetch, NOW, &key).await;
            let refused = Err(CalendarError::ReadOnly);
            assert_eq!((put.map(|_| ()), removed), (refused.clone(), refused));
            assert_eq!(read, Err(CalendarError::ReadOnly));
        });
    }
    assert_eq!(script.take_lines(), [""; 0]);
}

#[test]
fn a_free_busy_answer_without_free_busy_time_is_broken() {
    let script = Script::new(|_| Answer::new(200, EVENT));
    let told = Calendar::CalDav(caldav(Access::FreeBusy));
    let refused = block_on(told.busy(&script.fetch(), NOW, &the_day(), None));
    assert!(
        matches!(refused, Err(CalendarError::Broken(_))),
        "{refused:?}"
    );
}

#[test]
fn an_event_is_written_where_it_always_is_with_nobody_to_invite() {
    let script = works();
    let event = BookingEvent {
        summary: "Ana; Bob,\r\nBEGIN:VALARM",
        description: Some("a\\b\u{7}c"),
        location: Some(
            "A very long place, so long that its line has to be folded somewhere in the middle of it",
        ),
        ..hold()
    };
    block_on(calendar().put_event(&script.fetch(), NOW, &key(), &event, None)).unwrap();
    let [sent] = script.take_sent().try_into().unwrap();
    let url = format!("{HOST}/ana/calendars/work/{}", key().resource());
    assert_eq!(sent.line(), format!("PUT {url}"));
    assert_eq!(sent.header("if-none-match"), Some("*"));
    assert_eq!(sent.header("if-match"), None);
    assert!(
        sent.header("content-type")
            .unwrap()
            .starts_with("text/calendar")
    );
    let unfolded = sent.body.replace("\r\n ", "");
    let lines: Vec<&str> = unfolded.split_terminator("\r\n").collect();
    for line in [
        "UID:booking@huddle.example",
        "DTSTAMP:20261121T000000Z",
        "DTSTART:20261201T090000Z",
        "DTEND:20261201T100000Z",
        "STATUS:TENTATIVE",
        "SEQUENCE:0",
        "SUMMARY:Ana\\; Bob\\,\\nBEGIN:VALARM",
        "DESCRIPTION:a\\\\bc",
    ] {
        assert!(lines.contains(&line), "{line} is not in {lines:#?}");
    }
    let forbidden = |line: &&str| {
        ["METHOD", "ATTENDEE", "ORGANIZER", "BEGIN:VALARM"]
            .iter()
            .any(|name| line.starts_with(name))
    };
    assert!(!lines.iter().any(forbidden), "{lines:#?}");
    assert!(
        sent.body.split("\r\n").all(|line| line.len() <= 75),
        "{}",
        sent.body
    );
}

#[test]
fn a_change_names_the_version_that_it_is_to() {
    for (etag, sent_as) in [
        ("\"e1\"", "\"e1\""),
        ("W/\"e1\"", "\"e1\""),
        ("bare", "bare"),
    ] {
        let script = works();
        let (fetch, key, hold) = (script.fetch(), key(), hold());
        block_on(async {
            let put = calendar()
                .put_event(&fetch, NOW, &key, &hold, Some(etag))
                .await;
            put.unwrap();
            let removed = calendar().remove_event(&fetch, NOW, &key, Some(etag)).await;
            removed.unwrap();
        });
        for sent in script.take_sent() {
            assert_eq!(sent.header("if-match"), Some(sent_as), "{}", sent.line());
            assert_eq!(sent.header("if-none-match"), None);
        }
    }
}

/// What comes of writing again where the server has this.
fn written_again(text: &str) -> Result<String, CalendarError> {
    let text = text.to_owned();
    let script = Script::new(move |sent| match sent.method.as_str() {
        "PUT" => Answer::new(412, ""),
        _ => Answer::new(200, text.clone()).with("etag", "\"now\""),
    });
    block_on(calendar().put_event(&script.fetch(), NOW, &key(), &hold(), Some("\"e0\"")))
}

#[test]
fn only_what_was_to_be_written_is_taken_for_the_lost_answer() {
    assert_eq!(written_again(HELD), Ok("\"now\"".to_owned()));
    for text in [
        HELD.replace("T090000Z", "T093000Z"),
        HELD.replace("SEQUENCE:0", "SEQUENCE:1"),
        HELD.replace("TENTATIVE", "CONFIRMED"),
        HELD.replace("STATUS:TENTATIVE\r\n", ""),
        HELD.replace("SEQUENCE:0", "RRULE:FREQ=DAILY;COUNT=2\r\nSEQUENCE:0"),
        HELD.replace("UID:booking", "UID:another"),
        EVENT.to_owned(),
    ] {
        assert_eq!(written_again(&text), Err(CalendarError::Conflict), "{text}");
    }
}

#[test]
fn an_event_is_told_as_it_is_now() {
    for (text, time, status, sequence) in [
        (HELD.to_owned(), Some(hours(9, 10)), Status::Tentative, 0),
        (
            HELD.replace("TENTATIVE", "CONFIRMED")
                .replace("SEQUENCE:0", "SEQUENCE:7"),
            Some(hours(9, 10)),
            Status::Confirmed,
            7,
        ),
        (
            HELD.replace("TENTATIVE", "cancelled")
                .replace("SEQUENCE:0\r\n", ""),
            Some(hours(9, 10)),
            Status::Cancelled,
            0,
        ),
        (
            HELD.replace(
                "DTSTART:20261201T090000Z",
                "DTSTART;TZID=Europe/Berlin:20261201T093000",
            ),
            Some(
                Interval::new(
                    hours(8, 9).start() + std::time::Duration::from_mins(30),
                    hours(9, 10).end(),
                )
                .unwrap(),
            ),
            Status::Tentative,
            0,
        ),
        (
            HELD.replace("SEQUENCE:0", "SEQUENCE:0\r\nRRULE:FREQ=DAILY"),
            None,
            Status::Tentative,
            0,
        ),
        (
            HELD.replace("DTEND:20261201T100000Z", "DTEND:soon"),
            None,
            Status::Tentative,
            0,
        ),
    ] {
        let script = {
            let text = text.clone();
            Script::new(move |_| Answer::new(200, text.clone()).with("etag", "\"e1\""))
        };
        let state = block_on(calendar().event(&script.fetch(), NOW, &key()));
        let expect = EventState {
            etag: "\"e1\"".to_owned(),
            time,
            status,
            sequence,
        };
        assert_eq!(state, Ok(Some(expect)), "{text}");
    }
}

#[test]
fn an_event_of_somebody_else_in_our_place_is_neither_read_nor_removed() {
    let script = Script::new(|_| Answer::new(200, EVENT).with("etag", "\"e1\""));
    let fetch = script.fetch();
    block_on(async {
        let read = calendar().event(&fetch, NOW, &key()).await;
        assert_eq!(read, Err(CalendarError::Conflict));
        let removed = calendar().remove_event(&fetch, NOW, &key(), None).await;
        assert_eq!(removed, Err(CalendarError::Conflict));
    });
    assert!(
        script
            .take_lines()
            .iter()
            .all(|line| line.starts_with("GET "))
    );
}

#[test]
fn what_does_not_match_because_it_is_gone_is_removed() {
    let script = Script::new(|sent| match sent.method.as_str() {
        "DELETE" => Answer::new(412, ""),
        _ => Answer::new(404, ""),
    });
    let fetch = script.fetch();
    let removed = block_on(calendar().remove_event(&fetch, NOW, &key(), Some("\"e1\"")));
    assert_eq!(removed, Ok(()));
}

#[test]
fn neither_credentials_nor_paths_are_printed() {
    let text = format!("{:?} {:?}", calendar(), feed());
    assert!(text.contains("dav.example.com"), "{text}");
    assert!(!text.contains("ana") && !text.contains("secret"), "{text}");
}
