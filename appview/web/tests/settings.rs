//! The page of a person's settings, as a browser without scripts sees it.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

#[path = "support/site.rs"]
mod site;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use huddle_appview_web::{CONNECT_PATH, SETTINGS_PATH};
use huddle_core::idempotency::Key;
use huddle_core::preferences::{Preferences, Way};
use huddle_core::transport::ask;
use huddle_core::user_connector::connector::{Access, Connect, ConnectorId, Provider};
use huddle_core::user_connector::sealing::Sealed;
use huddle_core::user_connector::ticket::{ConnectTicket, SettingsTicket, TICKET_LIFETIME};
use huddle_core::user_connector::webhook::{NotePost, Posted, ReadWebhook};
use huddle_core::user_connector::{GetPreferences, PreferencesDocument, PutPreferences};
use huddle_core::{ActorName, Ask};
use huddle_native::SqliteIndex;
use huddle_ports::{Clock as _, Fetch, FetchError};
use tower::ServiceExt as _;

use site::{Site as World, ana};

const APP: &str = "https://app.example.com/hooks/huddle?token=1";

/// Nothing is fetched for settings.
struct NoNetwork;

#[async_trait]
impl Fetch for NoNetwork {
    async fn fetch(&self, _: huddle_ports::Request) -> Result<huddle_ports::Response, FetchError> {
        Err(FetchError::Timeout)
    }
}

impl World {
    fn new() -> Self {
        let index = SqliteIndex::in_memory().unwrap();
        Self::over(Arc::new(NoNetwork), index, true)
    }

    fn ticket(&self) -> String {
        SettingsTicket::new(ana(), self.clock.now()).seal(&self.keys, &*self.random)
    }

    /// One for the page on which a calendar is connected.
    fn connect_ticket(&self) -> String {
        let (now, random) = (self.clock.now(), &*self.random);
        let ticket = ConnectTicket::new(ana(), Provider::Ics, Access::FreeBusy, random, now);
        ticket.seal(&self.keys, random)
    }

    async fn open(&self, ticket: &str) -> Page {
        self.get(&format!("{SETTINGS_PATH}?ticket={ticket}")).await
    }

    async fn get(&self, path: &str) -> Page {
        let request = Request::get(path).body(Body::empty()).unwrap();
        Page::read(&self.router, request).await
    }

    async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.finish()))
            .unwrap();
        Page::read(&self.router, request).await
    }

    async fn ask<A: Ask>(&self, question: A) -> A::Answer {
        let hers = ActorName::user_connector(&ana());
        ask(&*self.actors, &hers, question).await.unwrap()
    }

    async fn preferences(&self) -> PreferencesDocument {
        self.ask(GetPreferences {}).await
    }

    async fn put(&self, document: &str) {
        let put = PutPreferences {
            key: Key {
                caller: ana(),
                method: "test".into(),
                key: document.into(),
                body_hash: String::new(),
            },
            document: document.into(),
            swap_revision: None,
        };
        self.ask(put).await.unwrap();
    }

    async fn connect(&self, id: &str, access: Access, label: &str) {
        let connect = Connect {
            nonce: id.into(),
            ticket_expires_at: self.clock.now() + Duration::from_mins(15),
            id: ConnectorId::from(id.to_owned()),
            anew: false,
            provider: Provider::CalDav,
            access,
            label: Some(label.into()),
            credentials: Sealed::from("1.AAAA".to_owned()),
        };
        self.ask(connect).await.unwrap();
    }
}

struct Page {
    status: StatusCode,
    headers: HeaderMap,
    html: String,
}

impl Page {
    async fn read(router: &Router, request: Request<Body>) -> Self {
        let response = router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        Self {
            status: parts.status,
            headers: parts.headers,
            html: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// What stands in a hidden field.
    fn hidden(&self, name: &str) -> &str {
        let before = format!(r#"name="{name}" value=""#);
        let (_, rest) = self.html.split_once(&before).unwrap();
        rest.split_once('"').unwrap().0
    }

    fn is_ticked(&self, name: &str) -> bool {
        let before = format!(r#"name="{name}" type="checkbox" value="yes""#);
        let (_, rest) = self.html.split_once(&before).unwrap();
        rest.split_once('>').unwrap().0.contains("checked")
    }

    /// What is signed with.
    fn secret(&self) -> Option<&str> {
        let (_, rest) = self.html.split_once("<code>")?;
        Some(rest.split_once("</code>").unwrap().0)
    }

    #[track_caller]
    fn says(&self, text: &str) {
        assert!(self.html.contains(text), "{text}: {}", self.html);
    }
}

const BOXES: [&str; 10] = [
    "tentative",
    "unanswered",
    "declined",
    "transparent",
    "all_day",
    "working_elsewhere",
    "focus_time",
    "email",
    "webhook",
    "message",
];

#[tokio::test]
async fn the_page_says_whose_settings_they_are_and_labels_every_field() {
    let world = World::new();
    world.connect("c1", Access::Events, "Work").await;
    let page = world.open(&world.ticket()).await;
    assert_eq!(page.status, StatusCode::OK);
    page.says("<strong>did:web:ana.example.com</strong>");
    for field in BOXES.into_iter().chain(["events_to", "url"]) {
        page.says(&format!(r#"<label for="{field}">"#));
        page.says(&format!(r#"id="{field}" name="{field}""#));
    }
    assert_eq!(page.html.matches("<label").count(), BOXES.len() + 2);
    assert_eq!(page.html.matches("<legend>").count(), 3);
    assert!(!page.html.contains("<script") && !page.html.contains("style="));
    assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
    let policy = page.headers[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"));
}

#[tokio::test]
async fn what_is_not_set_is_shown_as_it_is_by_default() {
    let world = World::new();
    let page = world.open(&world.ticket()).await;
    let ticked: Vec<_> = BOXES
        .into_iter()
        .filter(|name| page.is_ticked(name))
        .collect();
    let expect = [
        "tentative",
        "unanswered",
        "all_day",
        "focus_time",
        "email",
        "webhook",
        "message",
    ];
    assert_eq!(ticked, expect);
    page.says("you have connected none that Huddle may write to");
    page.says("You have confirmed no address yet");
    page.says("Your news is posted to no app.");
}

#[tokio::test]
async fn boxes_and_the_calendar_are_saved_and_all_else_stays() {
    let world = World::new();
    world
        .put(r#"{"tz": "Asia/Tokyo", "busyRules": {"new": 1}, "x": 2}"#)
        .await;
    world.connect("c1", Access::FreeBusy, "Private").await;
    world.connect("c2", Access::Events, "Work <b>").await;
    let ticket = world.ticket();
    let page = world.open(&ticket).await;
    page.says("Work &#60;b&#62;");
    assert!(!page.html.contains("Private"), "it is only read");
    let fields = [
        ("ticket", &*ticket),
        ("once", page.hidden("once")),
        ("revision", page.hidden("revision")),
        ("declined", "yes"),
        ("events_to", "c2"),
        ("email", "yes"),
    ];
    for _ in 0..2 {
        let saved = world.submit(SETTINGS_PATH, &fields).await;
        assert_eq!(saved.status, StatusCode::OK, "sent twice is sent once");
        saved.says("Your settings are saved.");
        assert!(saved.is_ticked("declined") && saved.is_ticked("email"));
        assert!(!saved.is_ticked("all_day") && !saved.is_ticked("webhook"));
        saved.says(r#"<option value="c2" selected>"#);
    }
    let stored = world.preferences().await;
    assert_eq!(stored.revision, 2);
    let preferences = stored.read().unwrap();
    assert_eq!(preferences.rules.zone.name(), "Asia/Tokyo");
    assert!(preferences.busy.declined && !preferences.busy.tentative);
    assert_eq!(
        preferences.events_to,
        Some(ConnectorId::from("c2".to_owned()))
    );
    assert_eq!(preferences.told_by, Some([Way::Email].into()));
    for kept in [r#""new":1"#, r#""x":2"#] {
        assert!(stored.document.contains(kept), "{}", stored.document);
    }
    // By every way is by those, too, that there will be.
    let mut all = vec![
        ("ticket", &*ticket),
        ("once", "another"),
        ("revision", "2"),
        ("events_to", ""),
    ];
    all.extend(BOXES.map(|name| (name, "yes")));
    world.submit(SETTINGS_PATH, &all).await.says("saved");
    let preferences = world.preferences().await.read().unwrap();
    assert_eq!((preferences.told_by, preferences.events_to), (None, None));
}

#[tokio::test]
async fn what_has_changed_elsewhere_is_not_overwritten() {
    let world = World::new();
    let ticket = world.ticket();
    let page = world.open(&ticket).await;
    world.put(r#"{"bufferAfterMinutes": 10}"#).await;
    for calendar in ["", "c9"] {
        let fields = [
            ("ticket", &*ticket),
            ("once", page.hidden("once")),
            ("revision", page.hidden("revision")),
            ("events_to", calendar),
        ];
        let refused = world.submit(SETTINGS_PATH, &fields).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{calendar}");
        refused.says("have changed since you opened the page");
        refused.says(r#"role="alert""#);
        assert_eq!(refused.hidden("revision"), "1");
    }
    let expect = Preferences::read(r#"{"bufferAfterMinutes": 10}"#);
    assert_eq!(world.preferences().await.read(), expect);
}

#[tokio::test]
async fn a_webhook_is_set_its_secret_shown_once_and_then_only_where_it_is() {
    let world = World::new();
    let ticket = world.ticket();
    let page = world.open(&ticket).await;
    let fields = [
        ("ticket", &*ticket),
        ("once", page.hidden("once")),
        ("url", APP),
    ];
    let set = world.submit("/settings/webhook", &fields).await;
    assert_eq!(set.status, StatusCode::OK);
    let secret = set.secret().unwrap();
    assert!(secret.starts_with("whsec_"), "{secret}");
    let again = world.submit("/settings/webhook", &fields).await;
    assert_eq!(again.secret(), Some(secret), "sent twice is sent once");
    let later = world.open(&ticket).await;
    assert_eq!(later.secret(), None);
    later.says("<strong>https://app.example.com/…</strong>");
    assert!(!later.html.contains("token=1"));
    later.says("None was taken there yet.");
    let other = [fields[0], fields[1], ("url", "https://other.example.com/")];
    let refused = world.submit("/settings/webhook", &other).await;
    assert_eq!(
        refused.status,
        StatusCode::CONFLICT,
        "the form was sent before"
    );
    let hooked = world.webhooks.of(&*world.actors, &ana()).await.unwrap();
    assert_eq!(hooked.unwrap().url(), APP);
    for _ in 0..2 {
        let fields = [("ticket", &*ticket), ("once", later.hidden("once"))];
        let removed = world.submit("/settings/webhook/remove", &fields).await;
        assert_eq!(removed.status, StatusCode::OK);
        removed.says("The webhook is removed.");
        removed.says("Your news is posted to no app.");
    }
    assert_eq!(world.ask(ReadWebhook {}).await, None);
    let late = world.submit("/settings/webhook", &fields).await;
    assert_eq!((late.status, late.secret()), (StatusCode::CONFLICT, None));
}

#[tokio::test]
async fn how_it_goes_with_a_webhook_is_told_on_the_persons_clock() {
    let world = World::new();
    world.put(r#"{"tz": "Asia/Kolkata"}"#).await;
    let ticket = world.ticket();
    let fields = [("ticket", &*ticket), ("once", "1"), ("url", APP)];
    world.submit("/settings/webhook", &fields).await;
    let sealed = world.ask(ReadWebhook {}).await.unwrap().sealed;
    for (came, minutes) in [
        (Posted::Taken, 0),
        (Posted::TimedOut, 1),
        (Posted::TimedOut, 1),
        (Posted::TimedOut, 1),
    ] {
        world.clock.step(Duration::from_mins(minutes));
        let sealed = sealed.clone();
        world.ask(NotePost { sealed, came }).await;
    }
    let page = world.open(&ticket).await;
    page.says("It was last taken on 1 December 2026, 05:30 (Asia/Kolkata).");
    page.says("It was last not taken on 1 December 2026, 05:33 (Asia/Kolkata)");
    page.says("nothing is posted before 1 December 2026, 05:34 (Asia/Kolkata)");
}

#[tokio::test]
async fn an_address_that_nothing_may_be_posted_to_is_refused_and_shown_again() {
    let world = World::new();
    let ticket = world.ticket();
    for url in [
        "",
        "http://app.example.com/",
        "https://127.0.0.1/",
        "https://localhost/\"><script>",
    ] {
        let fields = [("ticket", &*ticket), ("once", url), ("url", url)];
        let refused = world.submit("/settings/webhook", &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{url}");
        refused.says("That is no address for a webhook");
        refused.says(r#"aria-describedby="url-hint problem""#);
        assert!(!refused.html.contains("<script"), "{}", refused.html);
    }
    assert_eq!(world.ask(ReadWebhook {}).await, None);
}

#[tokio::test]
async fn without_a_good_ticket_nothing_is_shown_or_changed() {
    let world = World::new();
    let over = world.ticket();
    world.clock.step(TICKET_LIFETIME);
    for (ticket, status) in [
        ("", StatusCode::BAD_REQUEST),
        ("1.AAAA", StatusCode::BAD_REQUEST),
        (&*world.connect_ticket(), StatusCode::BAD_REQUEST),
        (&*over, StatusCode::GONE),
    ] {
        let page = world.open(ticket).await;
        assert_eq!(page.status, status, "{ticket}");
        assert!(!page.html.contains("<form") && !page.html.contains("ana.example"));
        let fields = [
            ("ticket", ticket),
            ("once", "1"),
            ("revision", "0"),
            ("url", APP),
        ];
        for path in [
            SETTINGS_PATH,
            "/settings/webhook",
            "/settings/webhook/remove",
        ] {
            let sent = world.submit(path, &fields).await;
            assert_eq!(sent.status, status, "{path} {ticket}");
        }
    }
    let unreadable = world.submit(SETTINGS_PATH, &[("revision", "many")]).await;
    assert_eq!(unreadable.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.ask(ReadWebhook {}).await, None);
    assert_eq!(world.preferences().await.revision, 0);
}

#[tokio::test]
async fn whoever_changes_too_much_waits() {
    let world = World::new();
    let ticket = world.ticket();
    let mut last = StatusCode::OK;
    for number in 0..=20 {
        let once = number.to_string();
        let fields = [("ticket", &*ticket), ("once", &*once)];
        last = world
            .submit("/settings/webhook/remove", &fields)
            .await
            .status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn neither_page_leads_to_the_other() {
    let world = World::new();
    let connect = format!("{CONNECT_PATH}?ticket={}", world.connect_ticket());
    let connect = world.get(&connect).await;
    let settings = world.open(&world.ticket()).await;
    for (page, other) in [(connect, SETTINGS_PATH), (settings, CONNECT_PATH)] {
        assert_eq!(page.status, StatusCode::OK);
        assert!(!page.html.contains(other), "{}", page.html);
    }
}
