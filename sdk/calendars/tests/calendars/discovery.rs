//! From what a person knows of their account to their calendars.

use huddle_calendars::{Access, CalendarError, FoundCalendar, MAX_CALENDARS, discover};
use huddle_ports::Blocked;

use crate::block_on;
use crate::script::{Answer, Script, Sent, found};
use crate::server::{COLLECTION, HOST, NOW, given, serve, works};

fn find(script: &Script, start: &str) -> Result<Vec<FoundCalendar>, CalendarError> {
    block_on(discover(&script.fetch(), NOW, start, &given()))
}

#[test]
fn an_address_a_host_or_a_url_leads_to_the_calendars() {
    for (start, asked) in [
        ("ana@dav.example.com", "PROPFIND /.well-known/caldav"),
        ("dav.example.com", "PROPFIND /"),
        (" https://dav.example.com ", "PROPFIND /"),
        ("https://dav.example.com/ana/", "PROPFIND /ana/"),
        (
            "https://dav.example.com/.well-known/caldav",
            "PROPFIND /.well-known/caldav",
        ),
    ] {
        let script = works();
        let [calendar] = find(&script, start).unwrap().try_into().unwrap();
        assert_eq!(calendar.collection.as_str(), COLLECTION, "{start}");
        assert_eq!(calendar.name.as_deref(), Some("Work"));
        let sent = script.take_sent();
        assert_eq!(sent[0].line().replace(HOST, ""), asked, "{start}");
        let mut told = sent.iter().map(|sent| sent.header("authorization"));
        assert_eq!(told.next(), Some(None), "nobody has asked yet");
        assert!(told.all(|told| told == Some("Basic YW5hOnNlY3JldA==")));
    }
}

#[test]
fn what_is_no_address_is_not_asked() {
    for start in [
        "",
        "   ",
        "ana@",
        "ftp://dav.example.com/",
        "https://",
        "a b",
    ] {
        let script = works();
        let refused = find(&script, start);
        assert_eq!(refused, Err(CalendarError::NotACalendar), "{start:?}");
        assert_eq!(script.take_lines(), [""; 0], "{start:?}");
    }
}

#[test]
fn where_the_address_knows_nothing_the_well_known_one_is_asked() {
    let script = Script::new(|sent| match sent.line().replace(HOST, "").as_str() {
        "PROPFIND /" => Answer::new(405, ""),
        "PROPFIND /.well-known/caldav" => Answer::new(301, "").with("location", "/ana/"),
        _ => serve(sent),
    });
    assert_eq!(find(&script, HOST).unwrap().len(), 1);
    let expect = [
        "/",
        // Once without credentials, and once with them.
        "/.well-known/caldav",
        "/ana/",
        "/.well-known/caldav",
        "/ana/",
        "/ana/calendars/",
    ];
    let lines: Vec<String> = script
        .take_lines()
        .iter()
        .map(|l| l.replace(HOST, ""))
        .collect();
    assert_eq!(lines, expect.map(|path| format!("PROPFIND {path}")));
}

#[test]
fn a_redirect_that_makes_a_plain_get_of_the_question_is_asked_again() {
    for status in [200, 404, 405, 501] {
        let script = Script::new(move |sent| match sent.line().replace(HOST, "").as_str() {
            "PROPFIND /.well-known/caldav" => Answer::new(303, "").with("location", "/ana/"),
            "GET /ana/" => Answer::new(status, "<html>Ana's calendars</html>"),
            _ => serve(sent),
        });
        let found = find(&script, "ana@dav.example.com");
        assert_eq!(found.unwrap().len(), 1, "{status}");
    }
}

#[test]
fn credentials_that_are_refused_after_a_redirect_are_sent_once() {
    let (there, here) = ("/dav/", "/.well-known/caldav");
    for (status, expect, asked) in [
        (401, CalendarError::Unauthorized, &[there][..]),
        (403, CalendarError::Forbidden, &[here, there]),
    ] {
        let script = Script::new(move |sent| match sent.line().replace(HOST, "").as_str() {
            "PROPFIND /.well-known/caldav" => Answer::new(301, "").with("location", "/dav/"),
            _ => Answer::new(status, ""),
        });
        assert_eq!(find(&script, "ana@dav.example.com"), Err(expect));
        let mut sent = script.take_sent();
        sent.retain(|sent| sent.header("authorization").is_some());
        let lines: Vec<String> = sent.iter().map(Sent::line).collect();
        let asked = asked.iter().map(|path| format!("PROPFIND {HOST}{path}"));
        assert_eq!(lines, asked.collect::<Vec<_>>());
    }
}

#[test]
fn credentials_that_are_refused_are_not_tried_elsewhere() {
    let script = Script::new(|_| Answer::new(401, ""));
    assert_eq!(find(&script, HOST), Err(CalendarError::Unauthorized));
    let sent = script.take_sent();
    let told = sent
        .iter()
        .map(|sent| sent.header("authorization").is_some());
    assert_eq!(told.collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_url_of_one_calendar_is_that_calendar() {
    let properties = "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>";
    let script = Script::new(move |sent| match sent.line().as_str() {
        line if line == format!("PROPFIND {COLLECTION}") => {
            assert_eq!(sent.header("depth"), Some("0"));
            Answer::properties("/ana/calendars/work/", properties)
        }
        _ => Answer::new(404, ""),
    });
    let [calendar] = find(&script, COLLECTION).unwrap().try_into().unwrap();
    assert_eq!(calendar.collection.as_str(), COLLECTION);
    assert_eq!(calendar.name, None);
}

#[test]
fn an_account_that_the_server_does_not_know_is_refused() {
    let nobody = "<D:current-user-principal><D:unauthenticated/></D:current-user-principal>";
    let script = Script::new(move |_| Answer::properties("/", nobody));
    assert_eq!(find(&script, HOST), Err(CalendarError::Unauthorized));
}

/// The calendars of a home that lists these.
fn listed(responses: String) -> Result<Vec<FoundCalendar>, CalendarError> {
    let script = Script::new(move |sent| match sent.line().replace(HOST, "").as_str() {
        "PROPFIND /ana/calendars/" => {
            assert_eq!(sent.header("depth"), Some("1"));
            Answer::multistatus(&responses)
        }
        _ => serve(sent),
    });
    find(&script, HOST)
}

const CALENDAR: &str = "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>";

#[test]
fn only_calendars_that_can_have_events_are_listed() {
    let with = |path: &str, more: &str| found(path, &format!("{CALENDAR}{more}"));
    let components = |names: &str| {
        format!("<C:supported-calendar-component-set>{names}</C:supported-calendar-component-set>")
    };
    let responses = [
        found(
            "/ana/calendars/",
            "<D:resourcetype><D:collection/></D:resourcetype>",
        ),
        found(
            "/ana/calendars/inbox/",
            "<D:resourcetype><D:collection/><C:schedule-inbox/></D:resourcetype>",
        ),
        with("/ana/calendars/any/", ""),
        with(
            "/ana/calendars/tasks/",
            &components("<C:comp name=\"VTODO\"/>"),
        ),
        with(
            "/ana/calendars/both/",
            &components("<C:comp name=\"VTODO\"/><C:comp name=\"VEVENT\"/>"),
        ),
    ];
    let found = listed(responses.concat()).unwrap();
    let paths: Vec<&str> = found.iter().map(|found| found.collection.path()).collect();
    assert_eq!(paths, ["/ana/calendars/any/", "/ana/calendars/both/"]);
}

#[test]
fn an_account_without_calendars_has_none() {
    assert_eq!(listed(String::new()), Err(CalendarError::NotACalendar));
}

#[test]
fn no_more_calendars_are_listed_than_the_limit() {
    let responses = (0..=MAX_CALENDARS).map(|n| found(&format!("/ana/calendars/{n}/"), CALENDAR));
    assert_eq!(listed(responses.collect()).unwrap().len(), MAX_CALENDARS);
}

#[test]
fn what_a_calendar_says_of_itself_is_found() {
    let privileges = |names: &[&str]| {
        let all = names.iter().fold(String::new(), |all, name| {
            all + &format!("<D:privilege><{name}/></D:privilege>")
        });
        format!("<D:current-user-privilege-set>{all}</D:current-user-privilege-set>")
    };
    let timezone = "<C:calendar-timezone>BEGIN:VCALENDAR&#13;\nBEGIN:VTIMEZONE&#13;\n\
        TZID:Europe/Berlin&#13;\nEND:VTIMEZONE&#13;\nEND:VCALENDAR</C:calendar-timezone>";
    let berlin = Some("Europe/Berlin".parse().unwrap());
    for (properties, access, counts_as_busy, zone) in [
        (String::new(), Access::Write, true, None),
        (
            privileges(&["D:read", "D:write"]),
            Access::Write,
            true,
            None,
        ),
        (privileges(&["D:all"]), Access::Write, true, None),
        (
            privileges(&["D:read", "C:read-free-busy"]),
            Access::Read,
            true,
            None,
        ),
        (
            privileges(&["C:read-free-busy"]),
            Access::FreeBusy,
            true,
            None,
        ),
        (privileges(&[]), Access::Write, true, None),
        (
            "<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>".to_owned(),
            Access::Write,
            false,
            None,
        ),
        (
            "<C:calendar-timezone-id>Europe/Berlin</C:calendar-timezone-id>".to_owned(),
            Access::Write,
            true,
            berlin,
        ),
        (timezone.to_owned(), Access::Write, true, berlin),
        (
            timezone.replace("Europe/Berlin", "Middle-earth/Shire"),
            Access::Write,
            true,
            None,
        ),
    ] {
        let listed = listed(found(
            "/ana/calendars/a/",
            &format!("{CALENDAR}{properties}"),
        ));
        let [calendar] = listed.unwrap().try_into().unwrap();
        assert_eq!(
            (calendar.access, calendar.counts_as_busy, calendar.zone),
            (access, counts_as_busy, zone),
            "{properties}"
        );
    }
}

/// What comes of an account whose homes for calendars are these.
fn with_homes(homes: &[&str]) -> (Result<Vec<FoundCalendar>, CalendarError>, Vec<String>) {
    let hrefs = homes.iter().fold(String::new(), |all, home| {
        all + &format!("<D:href>{home}</D:href>")
    });
    let script = Script::new(move |sent| match sent.line().replace(HOST, "").as_str() {
        "PROPFIND /ana/" => Answer::properties(
            "/ana/",
            &format!("<C:calendar-home-set>{hrefs}</C:calendar-home-set>"),
        ),
        _ => serve(sent),
    });
    (find(&script, HOST), script.take_lines())
}

#[test]
fn a_home_at_another_host_is_named_and_not_asked() {
    for (home, expect) in [
        (
            "https://p42-dav.example.com/1/",
            Some("p42-dav.example.com"),
        ),
        (
            "https://dav.example.com:8443/1/",
            Some("dav.example.com:8443"),
        ),
        ("//evil.example.org/1/", Some("evil.example.org")),
        ("http://dav.example.com/1/", None),
    ] {
        let (found, lines) = with_homes(&[home]);
        let expect = match expect {
            Some(host) => CalendarError::Elsewhere {
                host: host.to_owned(),
            },
            None => CalendarError::Blocked(Blocked::Scheme),
        };
        assert_eq!(found, Err(expect), "{home}");
        let asked_here = |line: &String| line.starts_with(&format!("PROPFIND {HOST}/"));
        assert!(lines.iter().all(asked_here), "{lines:#?}");
    }
}

#[test]
fn a_web_site_elsewhere_does_not_hide_where_the_calendars_are() {
    let leading_to = |calendars: &'static str| {
        Script::new(move |sent| match sent.line().replace(HOST, "").as_str() {
            "PROPFIND /" => Answer::new(302, "").with("location", "https://www.example.com/"),
            "PROPFIND /.well-known/caldav" => Answer::new(301, "").with("location", calendars),
            _ => serve(sent),
        })
    };
    assert_eq!(find(&leading_to("/ana/"), HOST).unwrap().len(), 1);
    let refused = find(&leading_to("https://caldav.example.com/"), HOST);
    let host = "caldav.example.com".to_owned();
    assert_eq!(refused, Err(CalendarError::Elsewhere { host }));
    let refused = find(&leading_to("/nothing/"), HOST);
    let host = "www.example.com".to_owned();
    assert_eq!(refused, Err(CalendarError::Elsewhere { host }));
}

#[test]
fn what_is_elsewhere_is_left_out_where_something_is_here() {
    for homes in [
        ["https://evil.example.org/1/", "/ana/calendars/"],
        ["/ana/calendars/", "https://evil.example.org/1/"],
        ["https://:x/", "/ana/calendars/"],
    ] {
        let (found, _) = with_homes(&homes);
        let [calendar] = found.unwrap().try_into().unwrap();
        assert_eq!(calendar.collection.as_str(), COLLECTION, "{homes:?}");
    }
    let foreign = found("https://evil.example.org/1/", CALENDAR);
    let ours = found("/ana/calendars/work/", CALENDAR);
    let [calendar] = listed(format!("{foreign}{ours}"))
        .unwrap()
        .try_into()
        .unwrap();
    assert_eq!(calendar.collection.as_str(), COLLECTION);
    let host = "evil.example.org".to_owned();
    assert_eq!(listed(foreign), Err(CalendarError::Elsewhere { host }));
}

#[test]
fn neither_names_nor_paths_are_printed() {
    let [calendar] = find(&works(), HOST).unwrap().try_into().unwrap();
    let text = format!("{calendar:?}");
    assert!(text.contains("dav.example.com"), "{text}");
    assert!(!text.contains("ana") && !text.contains("Work"), "{text}");
}
