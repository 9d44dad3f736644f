//! The pages that links in letters lead to: to open one does nothing, and to answer it does what it says, once.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use huddle_appview_web::{MailPages, mail_routes};
use huddle_core::booking::{Asked, Booking, BookingId, BookingIds};
use huddle_core::effects::{Channel, Effect, Effects, Post};
use huddle_core::flows::Flows;
use huddle_core::host_match::Role;
use huddle_core::idempotency::Key;
use huddle_core::mail::{Addresses, Delivery, Letter, Links, Mail};
use huddle_core::transport::ask;
use huddle_core::user_connector::addresses::ReadAddress;
use huddle_core::user_connector::sealing::KeyRing;
use huddle_core::{ActorName, Interval, Limits};
use huddle_native::{ActorStore, SqliteIndex};
use huddle_ports::{Clock as _, Timestamp, Url};
use huddle_syntax::Did;
use huddle_testkit::{CountingRandom, HostWindows, ListedWindows, SteppingClock};
use tower::ServiceExt as _;

const NOW: Timestamp = Timestamp::from_millis(1_796_083_200_000);

fn did(name: &str) -> Did {
    format!("did:web:{name}.example.com").parse().unwrap()
}

/// The links in the letters that were sent.
#[derive(Default)]
struct Mailbox(Mutex<Vec<String>>);

#[async_trait]
impl Mail for Mailbox {
    async fn send(&self, letter: &Letter) -> Delivery {
        let link = match letter {
            Letter::News(news) => news.cancel.clone(),
            Letter::ConfirmAddress(question) => question.page.clone(),
            Letter::Disconnected(_) => None,
        };
        self.0.lock().unwrap().extend(link);
        Delivery::Sent
    }
}

struct World {
    clock: Arc<SteppingClock>,
    actors: Arc<ActorStore>,
    flows: Flows,
    addresses: Addresses,
    mailbox: Arc<Mailbox>,
    effects: Effects,
    router: Router,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(SteppingClock::at(NOW));
        let random = Arc::new(CountingRandom::default());
        let actors = ActorStore::in_memory(clock.clone(), Limits::default()).unwrap();
        let actors = Arc::new(actors);
        let hour = Duration::from_hours(1);
        let window = Interval::new(NOW + hour * 20, NOW + hour * 21).unwrap();
        let windows = ListedWindows::new(vec![HostWindows {
            host: did("ana"),
            windows: vec![window],
            offer: None,
        }]);
        let limits = Arc::new(Limits::default());
        let flows = Flows::new(actors.clone(), Arc::new(windows), clock.clone(), limits);
        let keys = KeyRing::parse(&KeyRing::new_key("1", &*random)).unwrap();
        let addresses = Addresses::new(keys.clone(), random.clone());
        let base = Url::parse("https://huddle.example").unwrap();
        let links = Links::new(base, keys, random);
        let mailbox = Arc::new(Mailbox::default());
        let index = Arc::new(SqliteIndex::in_memory().unwrap());
        let effects = Effects::new(actors.clone(), index, clock.clone()).with_mail(Post {
            mail: mailbox.clone(),
            addresses: addresses.clone(),
            links: Some(links.clone()),
        });
        let pages = MailPages {
            addresses: addresses.clone(),
            links,
            actors: actors.clone(),
            flows: flows.clone(),
            clock: clock.clone(),
            is_https: true,
        };
        Self {
            clock,
            actors,
            flows,
            addresses,
            mailbox,
            effects,
            router: mail_routes(pages),
        }
    }

    /// The link that Bob gets when he enters his address.
    async fn confirmation(&self, key: &str) -> String {
        let key = Key {
            caller: did("bob"),
            method: "test".into(),
            key: key.into(),
            body_hash: String::new(),
        };
        let address = "bob@mail.example".parse().unwrap();
        let asked = self
            .addresses
            .ask_to_confirm(&*self.actors, key, &address, self.clock.now());
        asked.await.unwrap().unwrap();
        let person = ActorName::user_connector(&did("bob"));
        let stored = ask(&*self.actors, &person, ReadAddress {}).await.unwrap();
        let mark = stored.unwrap().mark.unwrap();
        self.effects
            .confirm_address(&did("bob"), &mark)
            .await
            .unwrap();
        self.mailbox.0.lock().unwrap().pop().unwrap()
    }

    async fn is_confirmed(&self) -> bool {
        let address = self.addresses.of(&*self.actors, &did("bob")).await.unwrap();
        address.unwrap().1
    }

    /// A meeting that stands, and the link that Bob gets to call it off.
    async fn meeting(&self) -> (BookingId, String) {
        let link = self.confirmation("meeting").await;
        assert_eq!(self.post(&link).await.0, StatusCode::OK);
        let id = BookingIds::new(&[7; 32]).of_request(&did("bob"), "match", "k");
        let asked = Asked {
            accepted: true,
            ..Asked::new(did("ana"), did("bob"))
        };
        let booking = self.flows.request(&id, asked, "hash".into()).await;
        let effect = Effect {
            booking: id.clone(),
            party: Role::Guest,
            channel: Channel::Mail,
            revision: booking.unwrap().unwrap().revision,
        };
        self.effects.work(&effect).await.unwrap();
        (id, self.mailbox.0.lock().unwrap().pop().unwrap())
    }

    async fn booking(&self, id: &BookingId) -> Booking {
        self.flows.read(id, None).await.unwrap().unwrap()
    }

    /// Opens a link.
    async fn get(&self, link: &str) -> (StatusCode, String) {
        let request = Request::get(link).body(Body::empty()).unwrap();
        self.send(request).await
    }

    /// Presses the button on the page that a link leads to.
    async fn post(&self, link: &str) -> (StatusCode, String) {
        let (page, query) = link.split_once('?').unwrap();
        let request = Request::post(page)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(query.to_owned()))
            .unwrap();
        self.send(request).await
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, String) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        assert_eq!(parts.headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(parts.headers[header::REFERRER_POLICY], "no-referrer");
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        (parts.status, String::from_utf8(body.to_vec()).unwrap())
    }
}

#[tokio::test]
async fn an_address_is_confirmed_by_the_button_and_not_by_looking() {
    let world = World::new();
    let link = world.confirmation("k").await;
    let (status, html) = world.get(&link).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        html.contains(r#"<form method="post" action="/confirm-email""#),
        "{html}"
    );
    assert!(!world.is_confirmed().await);
    assert_eq!(world.post(&link).await.0, StatusCode::OK);
    assert!(world.is_confirmed().await);
    // Whoever presses it again hears the same.
    assert_eq!(world.post(&link).await.0, StatusCode::OK);
}

#[tokio::test]
async fn programs_that_open_every_link_change_nothing() {
    let open = async |world: &World, link: &str| {
        for method in [Method::HEAD, Method::GET, Method::GET, Method::OPTIONS] {
            let request = Request::builder().method(method).uri(link);
            world.send(request.body(Body::empty()).unwrap()).await;
        }
    };
    let world = World::new();
    let link = world.confirmation("k").await;
    open(&world, &link).await;
    assert!(!world.is_confirmed().await);
    assert_eq!(
        world.post(&link).await.0,
        StatusCode::OK,
        "it is still good"
    );

    let (id, link) = world.meeting().await;
    open(&world, &link).await;
    assert_eq!(world.booking(&id).await.phase.word(), "confirmed");
    assert_eq!(
        world.post(&link).await.0,
        StatusCode::OK,
        "it is still good"
    );
    assert_eq!(world.booking(&id).await.phase.word(), "canceled");
}

#[tokio::test]
async fn a_link_of_somebody_else_or_of_long_ago_confirms_nothing() {
    let world = World::new();
    let link = world.confirmation("k").await;
    let for_ana = link.replace("bob.example.com", "ana.example.com");
    assert_ne!(for_ana, link);
    let nobody = link.replace("did%3Aweb", "web");
    for forged in [
        for_ana.as_str(),
        &nobody,
        "/confirm-email?token=x",
        "/confirm-email?",
    ] {
        assert_eq!(
            world.post(forged).await.0,
            StatusCode::BAD_REQUEST,
            "{forged}"
        );
    }
    let newer = world.confirmation("l").await;
    assert_eq!(world.post(&link).await.0, StatusCode::BAD_REQUEST);
    world.clock.step(Duration::from_hours(24));
    assert_eq!(world.post(&newer).await.0, StatusCode::GONE);
    assert!(!world.is_confirmed().await);
}

#[tokio::test]
async fn what_stands_in_a_link_is_text_on_the_page() {
    let world = World::new();
    let (_, html) = world
        .get("/confirm-email?person=%22%3E%3Cscript%3E&token=%3Cb%3E")
        .await;
    assert!(
        !html.contains("<script>") && !html.contains("<b>"),
        "{html}"
    );
}

#[tokio::test]
async fn a_meeting_is_called_off_by_the_button_and_not_by_looking() {
    let world = World::new();
    let (id, link) = world.meeting().await;
    let (status, html) = world.get(&link).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        html.contains(r#"<form method="post" action="/cancel-booking""#),
        "{html}"
    );
    assert_eq!(world.booking(&id).await.phase.word(), "confirmed");
    assert_eq!(world.post(&link).await.0, StatusCode::OK);
    assert_eq!(world.booking(&id).await.phase.word(), "canceled");
    assert_eq!(world.post(&link).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_link_calls_off_its_meeting_only_and_until_it_is_over() {
    let world = World::new();
    let (id, link) = world.meeting().await;
    let confirm = world.confirmation("other").await;
    let other = confirm.replace("confirm-email", "cancel-booking");
    let cut = &link[..link.len() - 1];
    for forged in [
        other.as_str(),
        cut,
        "/cancel-booking?token=x",
        "/cancel-booking?",
    ] {
        assert_eq!(world.get(forged).await.0, StatusCode::GONE, "{forged}");
        assert_eq!(world.post(forged).await.0, StatusCode::GONE, "{forged}");
    }
    world.clock.step(Duration::from_hours(21));
    assert_eq!(world.post(&link).await.0, StatusCode::GONE);
    assert_eq!(world.booking(&id).await.phase.word(), "confirmed");
}
