//! What the calendar server in memory answers is understood by whoever speaks CalDAV.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use std::time::Duration;

use futures_util::FutureExt as _;
use huddle_calendars::{
    Access, BookingEvent, BusyQuery, CalDav, Calendar, CalendarError, Credentials, EventKey,
    discover,
};
use huddle_ports::{Bytes, Fetch as _, HeaderName, HeaderValue, Method, Request, Timestamp, Url};
use huddle_schedule::busy::Status;
use huddle_schedule::{Interval, Zone};
use huddle_testkit::{CalendarServer, CalendarServerError};

const PLACE: &str = "https://calendars.test";
/// 2026-12-01T00:00:00Z.
const DAY: Timestamp = Timestamp::from_millis(1_796_083_200_000);
const HOUR: Duration = Duration::from_hours(1);

const EVENT: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Ana//Ana//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n\
    DTSTAMP:20261101T000000Z\r\nDTSTART:20261201T090000Z\r\nDTEND:20261201T100000Z\r\nRRULE:FREQ=WEEKLY\r\n\
    SUMMARY:Dentist <&> \"all\"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

fn server() -> CalendarServer {
    let server = CalendarServer::new(Url::parse(PLACE).unwrap());
    server.open("bob", "another");
    server.open("ana", "secret");
    server.write("ana", "1.ics", EVENT).unwrap();
    server
}

fn credentials() -> Credentials {
    Credentials::new("ana", "secret").unwrap()
}

fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("nothing is waited for")
}

/// The calendar that is found with the name of the server alone.
fn found(server: &CalendarServer) -> CalDav {
    let found = now(discover(server, DAY, PLACE, &credentials())).unwrap();
    let [calendar] = found.try_into().unwrap();
    assert_eq!(calendar.name.as_deref(), Some("Calendar"));
    assert_eq!(calendar.access, Access::Write);
    CalDav::new(calendar.collection, credentials(), calendar.access)
}

fn hours(from: u32, to: u32) -> Interval {
    Interval::new(DAY + HOUR * from, DAY + HOUR * to).unwrap()
}

fn busy(server: &CalendarServer, calendar: &CalDav, window: Interval) -> Vec<Interval> {
    let calendar = Calendar::CalDav(calendar.clone());
    let query = BusyQuery::new(window, Zone::UTC);
    let read = now(calendar.busy(server, DAY, &query, None)).unwrap();
    assert!(read.problems.is_empty(), "{:?}", read.problems);
    read.busy.as_slice().to_vec()
}

#[test]
fn a_calendar_is_found_and_read_by_its_owner_alone() {
    let server = server();
    let calendar = found(&server);
    assert_eq!(busy(&server, &calendar, hours(0, 24)), [hours(9, 10)]);
    let next_week = 7 * 24;
    assert_eq!(
        busy(&server, &calendar, hours(next_week, next_week + 24)),
        [hours(next_week + 9, next_week + 10)]
    );
    assert_eq!(busy(&server, &calendar, hours(72, 96)), []);

    let nobody = Credentials::new("ana", "another").unwrap();
    let refused = now(discover(&server, DAY, PLACE, &nobody));
    assert_eq!(refused.unwrap_err(), CalendarError::Unauthorized);
    let bob = Credentials::new("bob", "another").unwrap();
    let [his] = now(discover(&server, DAY, PLACE, &bob))
        .unwrap()
        .try_into()
        .unwrap();
    let his = CalDav::new(his.collection, bob, his.access);
    assert_eq!(busy(&server, &his, hours(0, 24)), []);
}

#[test]
fn an_event_is_held_settled_and_removed() {
    let server = server();
    let calendar = Calendar::CalDav(found(&server));
    let key = EventKey::new("booking", "did:plc:ana");
    let event = |status| BookingEvent {
        time: hours(11, 12),
        status,
        sequence: 0,
        summary: "Meeting; with Bob",
        description: None,
        location: None,
    };
    assert_eq!(now(calendar.event(&server, DAY, &key)).unwrap(), None);
    let tentative = event(Status::Tentative);
    let held = now(calendar.put_event(&server, DAY, &key, &tentative, None)).unwrap();
    let again = now(calendar.put_event(&server, DAY, &key, &event(Status::Confirmed), None));
    assert_eq!(again, Err(CalendarError::Conflict), "it is there already");
    let settled = event(Status::Confirmed);
    let settled = now(calendar.put_event(&server, DAY, &key, &settled, Some(&held))).unwrap();
    let late = now(calendar.put_event(&server, DAY, &key, &tentative, Some(&held)));
    assert_eq!(late, Err(CalendarError::Conflict), "it was changed since");
    let state = now(calendar.event(&server, DAY, &key)).unwrap().unwrap();
    assert_eq!((state.etag, state.status), (settled, Status::Confirmed));
    assert_eq!(state.time, Some(hours(11, 12)));
    assert!(
        server
            .events("ana")
            .iter()
            .any(|it| it.contains("UID:booking"))
    );

    now(calendar.remove_event(&server, DAY, &key, None)).unwrap();
    assert_eq!(now(calendar.event(&server, DAY, &key)).unwrap(), None);
    assert_eq!(server.events("ana"), [EVENT]);
}

#[test]
fn changes_are_told_since_a_token_was_given() {
    let server = server();
    let calendar = found(&server);
    let changes = |token: Option<&str>| now(calendar.changes(&server, DAY, token)).unwrap();
    let first = changes(None).unwrap();
    assert_eq!(
        (&*first.changed, &*first.removed),
        (&["1.ics".to_owned()][..], &[][..])
    );
    assert!(changes(Some(&first.token)).unwrap().is_empty());

    server
        .write("ana", "2.ics", &EVENT.replace("UID:1", "UID:2"))
        .unwrap();
    let second = changes(Some(&first.token)).unwrap();
    assert_eq!(second.changed, ["2.ics"]);
    let delete = request("DELETE", "/1/calendars/main/2.ics", "");
    assert_eq!(now(server.fetch(delete)).unwrap().status, 204);
    let third = changes(Some(&second.token)).unwrap();
    assert_eq!(
        (third.changed.len(), &third.removed[..]),
        (0, &["2.ics".to_owned()][..])
    );
    assert_eq!(changes(Some("data:,99")), None);
    assert_eq!(changes(Some("no token")), None);
}

#[test]
fn only_events_are_taken_and_each_once() {
    let server = server();
    let nobody = server.write("eve", "1.ics", EVENT);
    assert_eq!(nobody, Err(CalendarServerError::UnknownUser));
    let without_uid = EVENT.replace("UID:1\r\n", "");
    let invitation = EVENT.replace("VERSION", "METHOD:REQUEST\r\nVERSION");
    for text in ["", "Hello", &without_uid, &invitation] {
        let written = server.write("ana", "2.ics", text);
        assert_eq!(written, Err(CalendarServerError::NotAnEvent), "{text}");
        let put = request("PUT", "/1/calendars/main/2.ics", text);
        assert_eq!(now(server.fetch(put)).unwrap().status, 403, "{text}");
    }
    let twice = request("PUT", "/1/calendars/main/2.ics", EVENT);
    let refused = now(server.fetch(twice)).unwrap();
    assert_eq!(refused.status, 403);
    assert!(String::from_utf8_lossy(&refused.body).contains("no-uid-conflict"));
    assert_eq!(server.events("ana"), [EVENT]);
}

/// A request of Ana.
fn request(method: &str, path: &str, body: &str) -> Request {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = Request::new(method, Url::parse(&format!("{PLACE}{path}")).unwrap());
    request.body = Bytes::copy_from_slice(body.as_bytes());
    // ana:secret
    request.header(
        HeaderName::from_static("authorization"),
        HeaderValue::from_static("Basic YW5hOnNlY3JldA=="),
    )
}

#[test]
fn what_is_no_question_is_refused_as_the_protocol_says() {
    let server = server();
    let calendar = "/1/calendars/main/";
    let query = |filter: &str| {
        format!(
            r#"<C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav"><C:filter>{filter}</C:filter></C:calendar-query>"#
        )
    };
    let deep = "<a>".repeat(1000);
    let tasks = query(r#"<C:comp-filter name="VTODO"/>"#);
    let text = query(r#"<C:prop-filter name="SUMMARY"/>"#);
    let backwards = query(r#"<C:time-range start="20261202T000000Z" end="20261201T000000Z"/>"#);
    for (method, path, body, status) in [
        ("PROPFIND", calendar, "", 400),
        ("PROPFIND", calendar, "<a", 400),
        ("PROPFIND", calendar, &*deep, 400),
        ("PROPFIND", calendar, "<!DOCTYPE a><a/>", 400),
        ("PROPFIND", calendar, r#"<propfind xmlns="DAV:"/>"#, 403),
        ("PROPFIND", "/1/nothing", r#"<propfind xmlns="DAV:"/>"#, 404),
        ("PROPFIND", "/0/", r#"<propfind xmlns="DAV:"/>"#, 404),
        ("REPORT", calendar, r#"<expand xmlns="DAV:"/>"#, 403),
        ("REPORT", calendar, &tasks, 403),
        ("REPORT", calendar, &text, 403),
        ("REPORT", calendar, &backwards, 400),
        ("REPORT", "/1/", &tasks, 405),
        ("MKCOL", "/1/calendars/other/", "", 404),
        ("GET", "/1/calendars/main/9.ics", "", 404),
    ] {
        let answer = now(server.fetch(request(method, path, body))).unwrap();
        assert_eq!(answer.status.as_u16(), status, "{method} {path} {body}");
    }
}
