//! The page on which a calendar is connected, as a browser without scripts sees it.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

#[path = "support/site.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod site;

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use huddle_appview_web::CONNECT_PATH;
use huddle_core::ActorName;
use huddle_core::index::Index;
use huddle_core::index::people::{self, Names};
use huddle_core::transport::ask;
use huddle_core::user_connector::connector::{Access, Connector, GetCalendars, Provider};
use huddle_core::user_connector::ticket::{ConnectTicket, SettingsTicket, TICKET_LIFETIME};
use huddle_native::SqliteIndex;
use huddle_ports::{Bytes, Clock as _, Fetch, FetchError, StatusCode as Status};
use tower::ServiceExt as _;

use site::{NOW, Site as World, ana};

const FEED: &str = "https://cal.example.com/secret.ics";
const CALENDAR: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//A//A//EN\r\nEND:VCALENDAR\r\n";

/// A network with one feed in it.
struct OneFeed;

#[async_trait]
impl Fetch for OneFeed {
    async fn fetch(
        &self,
        request: huddle_ports::Request,
    ) -> Result<huddle_ports::Response, FetchError> {
        let (status, body) = if request.url.as_str() == FEED {
            (Status::OK, CALENDAR)
        } else {
            (Status::NOT_FOUND, "")
        };
        Ok(huddle_ports::Response {
            status,
            headers: header::HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
            final_url: request.url,
        })
    }
}

impl World {
    async fn new(is_https: bool) -> Self {
        let index = SqliteIndex::in_memory().unwrap();
        let names = Names {
            handle: Some("ana.example.com".parse().unwrap()),
            display_name: None,
        };
        let mut batch = vec![people::seen(ana().as_str(), NOW)];
        batch.extend(people::name(&ana(), &names, NOW));
        index.batch(batch).await.unwrap();
        Self::over(Arc::new(OneFeed), index, is_https)
    }

    fn ticket(&self, change: impl FnOnce(&mut ConnectTicket)) -> String {
        let (now, random) = (self.clock.now(), &*self.random);
        let mut ticket = ConnectTicket::new(ana(), Provider::Ics, Access::FreeBusy, random, now);
        change(&mut ticket);
        ticket.seal(&self.keys, random)
    }

    async fn get(&self, path: &str) -> Page {
        let request = Request::get(path).body(Body::empty()).unwrap();
        Page::read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    async fn open(&self, ticket: &str) -> Page {
        self.get(&format!("{CONNECT_PATH}?ticket={ticket}")).await
    }

    async fn submit(&self, fields: &[(&str, &str)]) -> Page {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        self.post(form.finish()).await
    }

    async fn post(&self, body: String) -> Page {
        let request = Request::post(CONNECT_PATH)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        Page::read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    async fn connectors(&self) -> Vec<Connector> {
        let hers = ActorName::user_connector(&ana());
        let known = ask(&*self.actors, &hers, GetCalendars { event_of: None });
        known.await.unwrap().connectors
    }
}

struct Page {
    status: StatusCode,
    headers: header::HeaderMap,
    html: String,
}

impl Page {
    async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        Self {
            status: parts.status,
            headers: parts.headers,
            html: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

#[tokio::test]
async fn the_page_says_whose_calendar_it_will_be_and_labels_every_field() {
    let world = World::new(false).await;
    for (provider, fields) in [
        (Provider::Ics, &["address", "label"][..]),
        (Provider::CalDav, &["address", "user", "password", "label"]),
    ] {
        let page = world.open(&world.ticket(|it| it.provider = provider)).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(
            page.html
                .contains("@ana.example.com (did:web:ana.example.com)")
        );
        for field in fields {
            assert!(page.html.contains(&format!(r#"<label for="{field}">"#)));
            assert!(
                page.html
                    .contains(&format!(r#"id="{field}" name="{field}""#))
            );
        }
        assert_eq!(page.html.matches("<label").count(), fields.len());
        let asks_for_a_password = fields.contains(&"password");
        assert_eq!(
            page.html.contains("by Basic or Digest"),
            asks_for_a_password
        );
        assert!(!page.html.contains("<script") && !page.html.contains("style="));
    }
}

#[tokio::test]
async fn what_is_to_be_done_with_the_calendar_is_said_before() {
    let world = World::new(false).await;
    let access = |access| {
        world.ticket(|it| {
            (it.provider, it.access) = (Provider::CalDav, access);
        })
    };
    let reads = world.open(&access(Access::FreeBusy)).await;
    assert!(reads.html.contains("It changes nothing in the calendar"));
    let writes = world.open(&access(Access::Events)).await;
    assert!(writes.html.contains("writes your bookings"));
}

#[tokio::test]
async fn a_calendar_is_connected_by_the_form_and_once() {
    let world = World::new(false).await;
    let ticket = world.ticket(|_| {});
    for _ in 0..2 {
        assert_eq!(
            world.open(&ticket).await.status,
            StatusCode::OK,
            "to look is free"
        );
    }
    let fields = [
        ("ticket", &*ticket),
        ("address", FEED),
        ("label", " Work\u{7} "),
    ];
    let done = world.submit(&fields).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert_eq!(done.header("location"), Some("/connect/done"));
    let [connector] = world.connectors().await.try_into().unwrap();
    assert_eq!(connector.label.as_deref(), Some("Work"));
    let again = world.submit(&fields).await;
    assert_eq!(again.status, StatusCode::GONE);
    assert!(again.html.contains("used already"));
    assert_eq!(world.connectors().await.len(), 1);
}

#[tokio::test]
async fn the_visitor_goes_back_to_where_the_ticket_says() {
    let world = World::new(false).await;
    let back = "https://huddle.example.com/calendars";
    let ticket = world.ticket(|it| it.return_uri = Some(back.to_owned()));
    let done = world
        .submit(&[("ticket", &ticket), ("address", FEED)])
        .await;
    assert_eq!(done.header("location"), Some(back));
}

#[tokio::test]
async fn a_mistake_is_said_with_what_to_do_and_costs_nothing_but_the_password() {
    let world = World::new(false).await;
    let ticket = world.ticket(|it| it.provider = Provider::CalDav);
    let page = world
        .submit(&[
            ("ticket", &ticket),
            ("address", "https://cal.example.com/\"><b>"),
            ("user", "ana<script>"),
            ("password", "a word of passing"),
        ])
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.html.contains(r#"role="alert""#));
    assert!(page.html.contains("There is no calendar at that address"));
    assert!(page.html.contains("ana&#60;script&#62;"), "{}", page.html);
    assert!(!page.html.contains("<script") && !page.html.contains("<b>"));
    assert!(!page.html.contains("a word of passing"));
    assert!(page.html.contains(&format!(r#"value="{ticket}""#)));
    assert!(world.connectors().await.is_empty());
}

#[tokio::test]
async fn without_a_good_ticket_there_is_no_form() {
    let world = World::new(false).await;
    let over = world.ticket(|_| {});
    world.clock.step(TICKET_LIFETIME);
    let for_settings = SettingsTicket::new(ana(), world.clock.now());
    for (ticket, status) in [
        ("", StatusCode::BAD_REQUEST),
        ("1.AAAA", StatusCode::BAD_REQUEST),
        (
            &*for_settings.seal(&world.keys, &*world.random),
            StatusCode::BAD_REQUEST,
        ),
        (&*over, StatusCode::GONE),
    ] {
        let page = world.open(ticket).await;
        assert_eq!(page.status, status, "{ticket}");
        assert!(!page.html.contains("<form"));
        let sent = world.submit(&[("ticket", ticket), ("address", FEED)]).await;
        assert_eq!(sent.status, status, "{ticket}");
    }
    let bare = world.get(CONNECT_PATH).await;
    assert_eq!(bare.status, StatusCode::BAD_REQUEST);
    assert!(world.connectors().await.is_empty());
}

#[tokio::test]
async fn a_form_that_is_too_long_is_not_read() {
    let world = World::new(false).await;
    let sent = world
        .post(format!("address={}", "a".repeat(64 * 1024)))
        .await;
    assert_eq!(sent.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn no_page_runs_or_frames_anything_or_is_kept_or_tells_where_somebody_came_from() {
    for is_https in [false, true] {
        let world = World::new(is_https).await;
        let ticket = world.ticket(|_| {});
        for page in [
            world.open(&ticket).await,
            world.open("").await,
            world.get("/connect/done").await,
            world.submit(&[("ticket", &ticket)]).await,
        ] {
            assert_eq!(
                page.header("content-security-policy"),
                Some(
                    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
                )
            );
            assert_eq!(page.header("cache-control"), Some("no-store"));
            assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
            assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(page.header("x-frame-options"), Some("DENY"));
            assert_eq!(page.header("strict-transport-security").is_some(), is_https);
        }
        let css = world.get("/static/huddle.css").await;
        assert_eq!(css.header("content-type"), Some("text/css; charset=utf-8"));
    }
}
