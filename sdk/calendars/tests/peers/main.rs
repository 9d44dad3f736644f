//! Calendars on servers that nobody here wrote: Radicale, xandikos and sabre/dav, which disagree where the standards let
//! them. sabre/dav wants a digest, and takes a password that it is told for a mistake.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

#[path = "../shared/booking.rs"]
mod booking;
mod connected;
mod server;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use connected::follows_a_booking;
use huddle_calendars::{
    Access, BookingEvent, BusyQuery, CalDav, Calendar, CalendarError, Credentials, EventKey,
    Snapshot, discover,
};
use huddle_native::{AddressLookup, ReqwestTransport};
use huddle_ports::{
    Fetch, FetchError, FetchPolicy, GuardedFetch, HeaderName, HeaderValue, Method, Request,
    Timestamp, Url, header,
};
use huddle_schedule::busy::Status;
use huddle_schedule::{Interval, Zone};
use server::Server;

/// 2026-12-01T00:00:00Z, a Tuesday.
const DAY: i64 = 1_796_083_200_000;

/// When all of it happens: some days before.
const NOW: Timestamp = Timestamp::from_millis(DAY - 10 * 24 * HOUR);

const HOUR: i64 = 3_600_000;

/// Knows no names: all addresses here are numbers.
struct NoNames;

#[async_trait::async_trait]
impl AddressLookup for NoNames {
    async fn addresses(&self, _: &str) -> Result<Vec<IpAddr>, FetchError> {
        Err(FetchError::UnknownHost)
    }
}

fn network() -> GuardedFetch<ReqwestTransport> {
    let transport = ReqwestTransport::new(Arc::new(NoNames), "Huddle tests", &[]).unwrap();
    GuardedFetch::new(transport, FetchPolicy::development())
}

/// One server, one account and its one calendar.
struct Setup {
    name: &'static str,
    server: Server,
    fetch: GuardedFetch<ReqwestTransport>,
    credentials: Credentials,
    collection: Url,
}

impl Setup {
    async fn start(name: &'static str) -> Option<Self> {
        let server = Server::start(name)?;
        let setup = Self {
            name,
            fetch: network(),
            credentials: Credentials::new("ana", "secret").unwrap(),
            collection: Url::parse(&server.url).unwrap(),
            server,
        };
        // Radicale has no calendar until one is made; the others have made one.
        if name == "radicale" {
            let made = setup.raw("MKCALENDAR", "ana/work/", MAKE_CALENDAR).await;
            assert_eq!(made, 201);
        }
        let [found] = discover(&setup.fetch, NOW, &setup.server.url, &setup.credentials)
            .await
            .unwrap()
            .try_into()
            .unwrap();
        assert_eq!(found.access, Access::Write);
        assert!(found.counts_as_busy);
        Some(Self {
            collection: found.collection,
            ..setup
        })
    }

    /// The path of the account.
    fn account(&self) -> &'static str {
        match self.name {
            "sabredav" => "principals/ana/",
            _ => "ana/",
        }
    }

    /// What the person's own program asks of the server: the status of its answer.
    async fn raw(&self, method: &str, path: &str, body: &str) -> u16 {
        let url = self.collection.join(path).unwrap();
        let mut request = Request::new(Method::from_bytes(method.as_bytes()).unwrap(), url);
        request.body = body.to_owned().into();
        let (name, value) = match self.name {
            "sabredav" => (HeaderName::from_static("own-program"), "ana"),
            _ => (header::AUTHORIZATION, "Basic YW5hOnNlY3JldA=="),
        };
        request = request
            .header(name, HeaderValue::from_static(value))
            .header(
                header::CONTENT_TYPE,
                HeaderValue::from_static(if method == "PUT" {
                    "text/calendar"
                } else {
                    "application/xml"
                }),
            );
        self.fetch.fetch(request).await.unwrap().status.as_u16()
    }

    /// Puts an event of the person's own into the calendar.
    async fn add(&self, name: &str, lines: &[&str]) {
        self.put(&format!("{name}.ics"), name, lines).await;
    }

    /// Writes a resource as the person's own calendar program does, whatever is there.
    async fn put(&self, resource: &str, uid: &str, lines: &[&str]) {
        let lines = lines.join("\r\n");
        let text = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Ana//Ana//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\n\
             DTSTAMP:20261101T000000Z\r\nSUMMARY:{uid}\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        let status = self.raw("PUT", resource, &text).await;
        assert!(matches!(status, 201 | 204), "{status}");
    }

    fn caldav(&self, access: Access) -> CalDav {
        CalDav::new(self.collection.clone(), self.credentials.clone(), access)
    }

    fn calendar(&self) -> Calendar {
        Calendar::CalDav(self.caldav(Access::Write))
    }

    async fn busy(&self, query: &BusyQuery<'_>, previous: Option<&Snapshot>) -> Snapshot {
        let calendar = self.calendar();
        calendar
            .busy(&self.fetch, NOW, query, previous)
            .await
            .unwrap()
    }

    #[track_caller]
    fn check(snapshot: &Snapshot, hours: &[(f64, f64)]) {
        #[expect(clippy::cast_precision_loss, reason = "hours are few")]
        let hour = |moment: Timestamp| (moment.as_millis() - DAY) as f64 / HOUR as f64;
        let busy: Vec<(f64, f64)> = snapshot
            .busy
            .iter()
            .map(|interval| (hour(interval.start()), hour(interval.end())))
            .collect();
        assert_eq!(busy, hours);
    }
}

const MAKE_CALENDAR: &str = r#"<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop><D:displayname>Work &amp; more</D:displayname></D:prop></D:set></C:mkcalendar>"#;

fn hours(from: i64, to: i64) -> Interval {
    let at = |hour| Timestamp::from_millis(DAY + hour * HOUR);
    Interval::new(at(from), at(to)).unwrap()
}

/// All of the day.
fn the_day() -> BusyQuery<'static> {
    BusyQuery::new(hours(0, 24), "Europe/Berlin".parse::<Zone>().unwrap())
}

fn event(from: i64, to: i64, status: Status, sequence: u32) -> BookingEvent<'static> {
    BookingEvent {
        time: hours(from, to),
        status,
        sequence,
        summary: "Huddle: Ana, Bob",
        description: Some(
            "Lines,\nwith; signs \\ and ümlauts, which are longer than any line may be in this format.",
        ),
        location: None,
    }
}

/// Runs a test against each of these servers, on a runtime of its own.
macro_rules! against {
    ($name:ident, $test:ident, [$($server:ident),+]) => {
        mod $name {
            use super::*;

            $(
                #[test]
                fn $server() {
                    run(stringify!($server));
                }
            )+

            fn run(server: &'static str) {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    if let Some(setup) = Setup::start(server).await {
                        $test(&setup).await;
                    }
                });
            }
        }
    };
}

against!(
    every_address_of_an_account_leads_to_its_calendar,
    discovers,
    [radicale, sabredav, xandikos]
);
against!(
    busy_time_is_that_of_events_that_take_time,
    reads_busy_time,
    [radicale, sabredav, xandikos]
);
against!(
    an_event_is_held_confirmed_moved_and_removed,
    writes,
    [radicale, sabredav, xandikos]
);
against!(
    an_event_that_was_removed_can_be_written_again,
    writes_again,
    [radicale, sabredav, xandikos]
);
against!(
    a_real_event_under_a_hold_of_ours_still_blocks,
    leaves_out_ours,
    [radicale, sabredav, xandikos]
);
// SabreDAV of that age keeps two events of one UID.
against!(
    a_uid_is_in_a_calendar_only_once,
    meets_its_invitation,
    [radicale, xandikos]
);
// It has no tokens either, but a tag of the collection.
against!(
    what_has_changed_is_known_by_its_token,
    syncs,
    [radicale, xandikos]
);
against!(
    what_has_changed_is_known_by_the_tag_of_the_calendar,
    compares_tags,
    [sabredav]
);
against!(
    a_connected_account_follows_a_booking,
    follows_a_booking,
    [radicale, sabredav, xandikos]
);

async fn discovers(setup: &Setup) {
    let root = &setup.server.url;
    for start in [
        root.clone(),
        format!("{root}.well-known/caldav"),
        format!("{root}{}", setup.account()),
        setup.collection.to_string(),
    ] {
        let found = discover(&setup.fetch, NOW, &start, &setup.credentials).await;
        let [found] = found.unwrap().try_into().unwrap();
        assert_eq!(found.collection, setup.collection, "{start}");
        assert!(found.name.is_some(), "{start}");
    }
    // xandikos leaves passwords to the proxy before it.
    if root_asks_for_passwords(setup).await {
        let wrong = Credentials::new("ana", "wrong").unwrap();
        let refused = discover(&setup.fetch, NOW, root, &wrong).await;
        assert_eq!(refused, Err(CalendarError::Unauthorized));
    }
}

async fn root_asks_for_passwords(setup: &Setup) -> bool {
    let request = Request::new(
        Method::from_bytes(b"PROPFIND").unwrap(),
        Url::parse(&format!("{}{}", setup.server.url, setup.account())).unwrap(),
    );
    setup.fetch.fetch(request).await.unwrap().status.as_u16() == 401
}

async fn reads_busy_time(setup: &Setup) {
    Setup::check(&setup.busy(&the_day(), None).await, &[]);
    setup
        .add(
            "one",
            &["DTSTART:20261201T090000Z", "DTEND:20261201T100000Z"],
        )
        .await;
    let weekly = [
        "DTSTART;TZID=Europe/Berlin:20261124T140000",
        "DTEND;TZID=Europe/Berlin:20261124T143000",
        "RRULE:FREQ=DAILY",
        "EXDATE;TZID=Europe/Berlin:20261202T140000",
    ];
    setup.add("daily", &weekly).await;
    let at_eleven = ["DTSTART:20261201T110000Z", "DTEND:20261201T120000Z"];
    setup
        .add("free", &[&at_eleven[..], &["TRANSP:TRANSPARENT"]].concat())
        .await;
    setup
        .add("off", &[&at_eleven[..], &["STATUS:CANCELLED"]].concat())
        .await;
    let at_fifteen = ["DTSTART:20261201T150000Z", "DTEND:20261201T160000Z"];
    setup
        .add("maybe", &[&at_fifteen[..], &["STATUS:TENTATIVE"]].concat())
        .await;

    let expect = [(9.0, 10.0), (13.0, 13.5), (15.0, 16.0)];
    Setup::check(&setup.busy(&the_day(), None).await, &expect);
    let next_day = BusyQuery::new(hours(24, 48), Zone::UTC);
    Setup::check(&setup.busy(&next_day, None).await, &[]);

    let mut certain = the_day();
    certain.rules.tentative = false;
    Setup::check(&setup.busy(&certain, None).await, &expect[..2]);

    // As the server tells it itself, to whoever may not see events.
    let told = Calendar::CalDav(setup.caldav(Access::FreeBusy));
    let told = told
        .busy(&setup.fetch, NOW, &the_day(), None)
        .await
        .unwrap();
    Setup::check(&told, &expect);

    // A date is in the person's zone, wherever the server thinks that it is.
    setup
        .add(
            "holiday",
            &["DTSTART;VALUE=DATE:20261205", "DTEND;VALUE=DATE:20261206"],
        )
        .await;
    let kiritimati = "Pacific/Kiritimati".parse().unwrap();
    let far_east = BusyQuery::new(hours(3 * 24, 4 * 24), kiritimati);
    let holiday = setup
        .busy(
            &BusyQuery {
                ignoring: Some("daily"),
                ..far_east
            },
            None,
        )
        .await;
    Setup::check(&holiday, &[(82.0, 96.0)]);
}

async fn writes(setup: &Setup) {
    let (calendar, fetch) = (setup.calendar(), &setup.fetch);
    let key = EventKey::new("booking@huddle.example", "did:plc:ana");
    assert_eq!(calendar.event(fetch, NOW, &key).await, Ok(None));
    assert_eq!(calendar.remove_event(fetch, NOW, &key, None).await, Ok(()));

    let hold = event(9, 10, Status::Tentative, 0);
    let first = calendar
        .put_event(fetch, NOW, &key, &hold, None)
        .await
        .unwrap();
    Setup::check(&setup.busy(&the_day(), None).await, &[(9.0, 10.0)]);
    let state = calendar.event(fetch, NOW, &key).await.unwrap().unwrap();
    assert!(state.is(&hold), "{state:?}");
    assert_eq!(state.etag, first);
    // The answer was lost: the same request again finds what it made.
    let again = calendar.put_event(fetch, NOW, &key, &hold, None).await;
    assert_eq!(again.as_ref(), Ok(&first));

    let confirmed = event(9, 10, Status::Confirmed, 1);
    let absent = calendar.put_event(fetch, NOW, &key, &confirmed, None).await;
    assert_eq!(absent, Err(CalendarError::Conflict), "there is one already");
    let second = calendar
        .put_event(fetch, NOW, &key, &confirmed, Some(&first))
        .await
        .unwrap();
    assert_ne!(first, second);
    let again = calendar
        .put_event(fetch, NOW, &key, &confirmed, Some(&first))
        .await;
    assert_eq!(again.as_ref(), Ok(&second));

    let moved = event(11, 12, Status::Confirmed, 2);
    let outdated = calendar
        .put_event(fetch, NOW, &key, &moved, Some(&first))
        .await;
    assert_eq!(outdated, Err(CalendarError::Conflict));
    let third = calendar
        .put_event(fetch, NOW, &key, &moved, Some(&second))
        .await
        .unwrap();
    Setup::check(&setup.busy(&the_day(), None).await, &[(11.0, 12.0)]);

    let outdated = calendar.remove_event(fetch, NOW, &key, Some(&second)).await;
    assert_eq!(outdated, Err(CalendarError::Conflict));
    for etag in [Some(third.as_str()), Some(&third), None] {
        let removed = calendar.remove_event(fetch, NOW, &key, etag).await;
        assert_eq!(removed, Ok(()));
    }
    Setup::check(&setup.busy(&the_day(), None).await, &[]);
    let lost = calendar
        .put_event(fetch, NOW, &key, &moved, Some(&third))
        .await;
    assert_eq!(lost, Err(CalendarError::Conflict), "somebody removed it");
    // A booking may come back to where it was, and its person may move it from there.
    let back = calendar.put_event(fetch, NOW, &key, &moved, None).await;
    let back = back.unwrap();
    let at_noon = [
        "DTSTART:20261201T120000Z",
        "DTEND:20261201T130000Z",
        "SEQUENCE:3",
    ];
    setup.put(key.resource(), key.uid(), &at_noon).await;
    let removed = calendar.remove_event(fetch, NOW, &key, Some(&back)).await;
    assert_eq!(removed, Err(CalendarError::Conflict));
    let state = calendar.event(fetch, NOW, &key).await.unwrap().unwrap();
    assert_ne!(state.etag, back);
    assert_eq!(
        (state.time, state.status, state.sequence),
        (Some(hours(12, 13)), Status::Confirmed, 3)
    );
}

async fn writes_again(setup: &Setup) {
    let (calendar, fetch) = (setup.calendar(), &setup.fetch);
    let key = EventKey::new("booking@huddle.example", "did:plc:ana");
    for (sequence, status) in [
        (0, Status::Tentative),
        // The same once more, and as it is settled.
        (0, Status::Tentative),
        (1, Status::Confirmed),
    ] {
        let written = event(9, 10, status, sequence);
        let etag = calendar.put_event(fetch, NOW, &key, &written, None).await;
        let etag = etag.unwrap();
        let state = calendar.event(fetch, NOW, &key).await.unwrap().unwrap();
        assert!(state.is(&written) && state.etag == etag, "{state:?}");
        Setup::check(&setup.busy(&the_day(), None).await, &[(9.0, 10.0)]);

        let removed = calendar.remove_event(fetch, NOW, &key, Some(&etag)).await;
        assert_eq!(removed, Ok(()));
        assert_eq!(calendar.event(fetch, NOW, &key).await, Ok(None));
        Setup::check(&setup.busy(&the_day(), None).await, &[]);
    }
}

async fn leaves_out_ours(setup: &Setup) {
    let (calendar, fetch) = (setup.calendar(), &setup.fetch);
    let key = EventKey::new("booking@huddle.example", "did:plc:ana");
    let hold = event(9, 11, Status::Tentative, 0);
    calendar
        .put_event(fetch, NOW, &key, &hold, None)
        .await
        .unwrap();
    let check = the_day().ignoring(key.uid());
    Setup::check(&setup.busy(&check, None).await, &[]);
    setup
        .add(
            "real",
            &["DTSTART:20261201T093000Z", "DTEND:20261201T100000Z"],
        )
        .await;
    Setup::check(&setup.busy(&check, None).await, &[(9.5, 10.0)]);
    // Another booking is in the way like any other event.
    let other = EventKey::new("other@huddle.example", "did:plc:ana");
    calendar
        .put_event(fetch, NOW, &other, &hold, None)
        .await
        .unwrap();
    Setup::check(&setup.busy(&check, None).await, &[(9.0, 11.0)]);
}

/// The person's mail program has put the invitation into the calendar before the event of ours got there.
async fn meets_its_invitation(setup: &Setup) {
    let uid = "booking@huddle.example";
    let at_nine = ["DTSTART:20261201T090000Z", "DTEND:20261201T100000Z"];
    setup.add(uid, &at_nine).await;
    let query = the_day().ignoring(uid);
    Setup::check(&setup.busy(&query, None).await, &[]);
    let key = EventKey::new(uid, "did:plc:ana");
    let hold = event(9, 10, Status::Tentative, 0);
    let put = setup
        .calendar()
        .put_event(&setup.fetch, NOW, &key, &hold, None)
        .await;
    assert_eq!(put, Err(CalendarError::Conflict));
}

async fn syncs(setup: &Setup) {
    let (calendar, fetch) = (setup.calendar(), &setup.fetch);
    let caldav = setup.caldav(Access::Write);
    let first = setup.busy(&the_day(), None).await;
    let later = NOW + Duration::from_hours(1);
    let same = calendar
        .busy(fetch, later, &the_day(), Some(&first))
        .await
        .unwrap();
    assert_eq!(
        (same.read_at, same.checked_at),
        (NOW, later),
        "nothing has changed"
    );

    let all = caldav.changes(fetch, NOW, None).await.unwrap().unwrap();
    assert!(all.is_empty(), "{all:?}");
    let key = EventKey::new("booking@huddle.example", "did:plc:ana");
    let hold = event(9, 10, Status::Tentative, 0);
    let etag = calendar
        .put_event(fetch, NOW, &key, &hold, None)
        .await
        .unwrap();
    let changes = caldav
        .changes(fetch, NOW, Some(&all.token))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(changes.changed, [key.resource()]);
    assert!(changes.removed.is_empty() && !changes.is_partial);
    let read = calendar
        .busy(fetch, later, &the_day(), Some(&same))
        .await
        .unwrap();
    assert_eq!(read.read_at, later, "it was read anew");
    Setup::check(&read, &[(9.0, 10.0)]);

    calendar
        .remove_event(fetch, NOW, &key, Some(&etag))
        .await
        .unwrap();
    let changes = caldav
        .changes(fetch, NOW, Some(&changes.token))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(changes.removed, [key.resource()]);
    assert!(changes.changed.is_empty());

    let unknown = caldav
        .changes(fetch, NOW, Some("http://example.com/sync/none"))
        .await;
    assert_eq!(unknown, Ok(None));
}

async fn compares_tags(setup: &Setup) {
    let (calendar, fetch) = (setup.calendar(), &setup.fetch);
    let first = setup.busy(&the_day(), None).await;
    let later = NOW + Duration::from_hours(1);
    let read = async |previous: &Snapshot| {
        let day = the_day();
        let read = calendar.busy(fetch, later, &day, Some(previous));
        read.await.unwrap()
    };
    assert_eq!(read(&first).await.read_at, NOW, "nothing has changed");
    let at_nine = ["DTSTART:20261201T090000Z", "DTEND:20261201T100000Z"];
    setup.add("dentist", &at_nine).await;
    let changed = read(&first).await;
    assert_eq!(changed.read_at, later, "it was read anew");
    Setup::check(&changed, &[(9.0, 10.0)]);
}
