//! Target `calendar_server`: what a server of calendars answers to whoever looks for somebody's time.

use crate::Target;
use crate::mutate::Random;
use async_trait::async_trait;
use huddle_calendars::{Access, BusyQuery, CalDav, Calendar, Credentials, discover};
use huddle_ports::{
    Bytes, Fetch, FetchError, HeaderMap, HeaderValue, Request, Response, StatusCode, Timestamp,
    Url, header,
};
use huddle_schedule::{Interval, Zone};
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Whatever a server says, it is asked a few things, and nobody else is; one that wants a digest never gets the password;
/// and what is busy lies in the window that was asked about.
///
/// The first line of an input is the challenge to who has not said who asks, and the rest is the body of every other
/// answer.
pub const TARGET: Target = Target {
    name: "calendar_server",
    check,
    mutate,
    seeds,
};

const PLACE: &str = "https://calendars.example.com/ana/";

/// More than an account is asked that has as many homes and calendars as may be.
const MAX_REQUESTS: usize = 64;

fn check(input: &[u8]) {
    let mut lines = input.splitn(2, |byte| *byte == b'\n');
    let challenge = lines.next().unwrap_or_default();
    let body = Bytes::copy_from_slice(lines.next().unwrap_or_default());
    let Ok(challenge) = HeaderValue::from_bytes(challenge) else {
        return;
    };
    let now = Timestamp::from_secs(1_772_668_800).expect("5 March 2026");
    let month = Interval::lasting(now, Duration::from_hours(30 * 24)).expect("thirty days");
    let query = BusyQuery::new(month, Zone::UTC);
    let server = Server::new(challenge, body);
    // What is refused is refused: that it ends is all there is to ask of it.
    let found = now_or_never(discover(&server, now, PLACE, &credentials()));
    if let Ok(found) = found {
        assert!(
            found
                .iter()
                .all(|it| it.collection.origin() == place().origin())
        );
    }
    server.has_been_asked_enough();
    for access in [Access::Write, Access::Read, Access::FreeBusy] {
        let calendar = Calendar::CalDav(CalDav::new(place(), credentials(), access));
        let read = now_or_never(calendar.busy(&server, now, &query, None));
        if let Ok(snapshot) = read {
            let mut busy = snapshot.busy.iter();
            assert!(busy.all(|interval| month.covers(interval)));
        }
        server.has_been_asked_enough();
    }
}

fn place() -> Url {
    Url::parse(PLACE).expect("it is an address")
}

/// Those of somebody whose server has yet to be met.
fn credentials() -> Credentials {
    Credentials::new("ana", "tell-nobody").expect("neither has a colon")
}

/// What is asked of a [`Server`] is answered at once.
fn now_or_never<T>(asking: impl Future<Output = T>) -> T {
    match pin!(asking).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("it waits for something else than an answer"),
    }
}

/// Says the same to everybody.
struct Server {
    challenge: HeaderValue,
    body: Bytes,
    requests: Mutex<usize>,
}

impl Server {
    fn new(challenge: HeaderValue, body: Bytes) -> Self {
        Self {
            challenge,
            body,
            requests: Mutex::new(0),
        }
    }

    fn has_been_asked_enough(&self) {
        let mut requests = self.requests.lock().expect("nobody panics with it");
        assert!(*requests <= MAX_REQUESTS, "{requests} requests");
        *requests = 0;
    }

    fn wants_a_digest_alone(&self) -> bool {
        let challenge = self.challenge.to_str().unwrap_or_default().to_lowercase();
        challenge.starts_with("digest realm=") && !challenge.contains("basic")
    }
}

#[async_trait]
impl Fetch for Server {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        *self.requests.lock().expect("nobody panics with it") += 1;
        assert_eq!(request.url.origin(), place().origin());
        let mut headers = HeaderMap::new();
        let (status, body) = match request.headers.get(header::AUTHORIZATION) {
            None => {
                headers.insert(header::WWW_AUTHENTICATE, self.challenge.clone());
                (StatusCode::UNAUTHORIZED, Bytes::new())
            }
            Some(told) => {
                let is_password = told.as_bytes().starts_with(b"Basic ");
                assert!(!is_password || !self.wants_a_digest_alone());
                let xml = HeaderValue::from_static("application/xml");
                headers.insert(header::CONTENT_TYPE, xml);
                (StatusCode::MULTI_STATUS, self.body.clone())
            }
        };
        Ok(Response {
            status,
            headers,
            body,
            final_url: request.url,
        })
    }
}

const BASIC: &str = "Basic realm=\"Calendars\"";
const DIGEST: &str = "Digest realm=\"Calendars\", nonce=\"n1\", qop=\"auth,auth-int\", algorithm=SHA-256, \
                      opaque=\"o\", stale=false";

/// Who somebody is, where their calendars are, and one of them with an event: what each question asks for.
const ACCOUNT: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/">
<D:response><D:href>/ana/</D:href><D:propstat><D:prop>
<D:resourcetype><D:collection/><C:calendar/></D:resourcetype><D:displayname>Ana &amp; work</D:displayname>
<D:current-user-principal><D:href>/ana/</D:href></D:current-user-principal>
<C:calendar-home-set><D:href>/ana/</D:href></C:calendar-home-set>
<D:current-user-privilege-set><D:privilege><D:write/></D:privilege><D:privilege><D:read/></D:privilege></D:current-user-privilege-set>
<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>
<S:getctag>1</S:getctag><D:sync-token>https://calendars.example.com/sync/1</D:sync-token>
</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
<D:response><D:href>/ana/1.ics</D:href><D:propstat><D:prop><D:getetag>"1"</D:getetag>
<C:calendar-data><![CDATA[BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
DTSTART:20260306T090000Z
DTEND:20260306T100000Z
RRULE:FREQ=DAILY;COUNT=3
END:VEVENT
END:VCALENDAR
]]></C:calendar-data></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
</D:multistatus>"#;

/// What a server says that tells when somebody is busy, and of no events.
const FREE_BUSY: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VFREEBUSY\r\n\
    DTSTART:20260305T000000Z\r\nDTEND:20260404T000000Z\r\n\
    FREEBUSY;FBTYPE=BUSY:20260306T090000Z/PT1H,20260307T090000Z/20260307T100000Z\r\n\
    END:VFREEBUSY\r\nEND:VCALENDAR\r\n";

fn seeds() -> Vec<Vec<u8>> {
    let inputs = [(BASIC, ACCOUNT), (DIGEST, ACCOUNT), (BASIC, FREE_BUSY)];
    let inputs = inputs.map(|(challenge, body)| format!("{challenge}\n{body}").into_bytes());
    inputs.to_vec()
}

/// What is put in, in place of some of what was there.
const PARTS: &[&str] = &[
    "<D:response>",
    "</D:response>",
    "<D:href>/ana/2.ics</D:href>",
    "<D:href>https://elsewhere.example.com/</D:href>",
    "<D:href>//elsewhere.example.com/</D:href>",
    "<D:status>HTTP/1.1 404 Not Found</D:status>",
    "<D:prop xmlns:D=\"other\">",
    "<C:calendar-data>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?",
    "<!DOCTYPE a [<!ENTITY b \"c\">]>",
    "&b;",
    "&#x1F600;",
    "&#0;",
    "xmlns=\"DAV:\"",
    "Digest realm=\"a\", nonce=\"b\"",
    ", Basic realm=\"a\"",
    "algorithm=MD5-sess",
    "qop=auth-int",
    "nonce=\"\\\"\"",
    "=",
    "\"",
    "\\",
    ",",
    "\n",
];

fn mutate(input: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut text = input.to_vec();
    for _ in 0..=random.below(3) {
        let from = random.below(text.len() + 1);
        let length = if random.one_in(2) {
            0
        } else {
            random.below(48)
        };
        let to = text.len().min(from + length);
        let part = if random.one_in(3) {
            ""
        } else {
            random.pick(PARTS)?
        };
        text.splice(from..to, part.bytes());
    }
    Some(text)
}
