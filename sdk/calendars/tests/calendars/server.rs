//! A calendar server that works: one account, one calendar, one event from nine to ten, and a feed of the same.

use huddle_calendars::{Access, BusyQuery, CalDav, Calendar, Credentials, Feed};
use huddle_calendars::{BookingEvent, EventKey};
use huddle_ports::{Timestamp, Url};
use huddle_schedule::busy::Status;
use huddle_schedule::{Interval, Zone};

use crate::script::{Answer, Script, Sent, found};

pub(crate) const HOST: &str = "https://dav.example.com";
pub(crate) const FEED: &str = "https://dav.example.com/secret/feed.ics";
pub(crate) const COLLECTION: &str = "https://dav.example.com/ana/calendars/work/";

/// 2026-12-01T00:00:00Z, a Tuesday.
pub(crate) const DAY: i64 = 1_796_083_200_000;
pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const NOW: Timestamp = Timestamp::from_millis(DAY - 10 * 24 * HOUR);

pub(crate) const EVENT: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Ana//Ana//EN\r\n\
    BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261201T090000Z\r\n\
    DTEND:20261201T100000Z\r\nSUMMARY:Dentist\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

pub(crate) const FREE_BUSY: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Ana//Ana//EN\r\n\
    BEGIN:VFREEBUSY\r\nUID:2\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261130T000000Z\r\n\
    DTEND:20261203T000000Z\r\nFREEBUSY:20261201T090000Z/20261201T100000Z\r\n\
    END:VFREEBUSY\r\nEND:VCALENDAR\r\n";

pub(crate) fn hours(from: i64, to: i64) -> Interval {
    let at = |hour| Timestamp::from_millis(DAY + hour * HOUR);
    Interval::new(at(from), at(to)).unwrap()
}

pub(crate) fn the_day() -> BusyQuery<'static> {
    BusyQuery::new(hours(0, 24), Zone::UTC)
}

/// Ana's credentials, as she gives them.
pub(crate) fn given() -> Credentials {
    Credentials::new("ana", "secret").unwrap()
}

/// Ana's credentials, as they are stored of a server that wants this scheme.
pub(crate) fn stored(scheme: &str) -> Credentials {
    let text = format!(r#"{{"user": "ana", "password": "secret", "sign_in": "{scheme}"}}"#);
    serde_json::from_str(&text).unwrap()
}

pub(crate) fn feed() -> Calendar {
    Calendar::Feed(Feed::new(FEED).unwrap())
}

pub(crate) fn caldav(access: Access) -> CalDav {
    CalDav::new(Url::parse(COLLECTION).unwrap(), stored("basic"), access)
}

pub(crate) fn calendar() -> Calendar {
    Calendar::CalDav(caldav(Access::Write))
}

pub(crate) fn key() -> EventKey {
    EventKey::new("booking@huddle.example", "did:plc:ana")
}

pub(crate) fn hold() -> BookingEvent<'static> {
    BookingEvent {
        time: hours(9, 10),
        status: Status::Tentative,
        sequence: 0,
        summary: "Hold",
        description: None,
        location: None,
    }
}

/// What the server has after [`hold`] was written.
pub(crate) const HELD: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Ana//Ana//EN\r\n\
    BEGIN:VEVENT\r\nUID:booking@huddle.example\r\nDTSTAMP:20261121T000000Z\r\n\
    DTSTART:20261201T090000Z\r\nDTEND:20261201T100000Z\r\nSTATUS:TENTATIVE\r\nSEQUENCE:0\r\n\
    SUMMARY:Hold\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

/// The answers of a server that works.
pub(crate) fn serve(sent: &Sent) -> Answer {
    let path = sent.url.strip_prefix(HOST).unwrap_or_default();
    match (sent.method.as_str(), path) {
        ("GET", "/secret/feed.ics") if sent.header("if-none-match") == Some("\"f1\"") => {
            Answer::new(304, "")
        }
        ("GET", "/secret/feed.ics") => Answer::new(200, EVENT).with("etag", "\"f1\""),
        ("PROPFIND", "/" | "/.well-known/caldav") => Answer::properties(
            "/",
            "<D:current-user-principal><D:href>/ana/</D:href></D:current-user-principal>\
             <D:resourcetype><D:collection/></D:resourcetype>",
        ),
        ("PROPFIND", "/ana/") => Answer::properties(
            "/ana/",
            "<C:calendar-home-set><D:href>/ana/calendars/</D:href></C:calendar-home-set>",
        ),
        ("PROPFIND", "/ana/calendars/") => Answer::multistatus(&listing()),
        ("PROPFIND", "/ana/calendars/work/") => Answer::properties(
            "/ana/calendars/work/",
            "<D:sync-token>s1</D:sync-token><S:getctag>c1</S:getctag>",
        ),
        ("REPORT", "/ana/calendars/work/") => report(&sent.body),
        ("GET", _) => Answer::new(200, HELD).with("etag", "\"e1\""),
        ("PUT", _) => Answer::new(201, "").with("etag", "\"e1\""),
        ("DELETE", _) => Answer::new(204, ""),
        _ => Answer::new(405, ""),
    }
}

fn listing() -> String {
    let calendar = "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>";
    [
        found(
            "/ana/calendars/",
            "<D:resourcetype><D:collection/></D:resourcetype>",
        ),
        found(
            "/ana/calendars/work/",
            &format!("{calendar}<D:displayname>Work</D:displayname>"),
        ),
    ]
    .concat()
}

fn report(body: &str) -> Answer {
    if body.contains("calendar-query") {
        Answer::properties(
            "/ana/calendars/work/1.ics",
            &format!("<D:getetag>\"1\"</D:getetag><C:calendar-data>{EVENT}</C:calendar-data>"),
        )
    } else if body.contains("free-busy-query") {
        Answer::new(200, FREE_BUSY)
    } else if body.contains("<D:sync-token>s0<") {
        let changed = found("/ana/calendars/work/1.ics", "<D:getetag>\"1\"</D:getetag>");
        Answer::multistatus(&format!("{changed}<D:sync-token>s1</D:sync-token>"))
    } else {
        Answer::multistatus("<D:sync-token>s1</D:sync-token>")
    }
}

/// A server that works.
pub(crate) fn works() -> Script {
    Script::new(serve)
}
