//! What becomes of the meetings and the preferences of people whose accounts are deleted.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use huddle_core::actor::{ActorName, Ask, Command, Reply};
use huddle_core::booking::{Asked, BookingId};
use huddle_core::idempotency::Key;
use huddle_core::index::{self, Index as _, departures};
use huddle_core::transport::ask;
use huddle_core::user_connector::{GetPreferences, PutPreferences};
use huddle_core::{ActorTransport, Unreachable};
use huddle_native::ActorStore;
use huddle_syntax::Did;
use huddle_testkit::network::Hosting;

use crate::requests::{HOUR, Scene, ids, swept};
use crate::world::NOW;

impl Scene {
    fn flows(&self) -> huddle_core::flows::Flows {
        crate::requests::flows(&self.world, self.actors.clone(), self.windows.clone())
    }

    fn key(caller: &Did, method: &str) -> Key {
        Key {
            caller: caller.clone(),
            method: method.to_owned(),
            key: "k".to_owned(),
            body_hash: String::new(),
        }
    }

    /// Has the guest book by a call, and the index know of it.
    pub(crate) async fn book(&self, key: &str) -> BookingId {
        let id = self.book_untold(key).await;
        self.project(&id).await;
        id
    }

    /// Has the guest book by a call, of which the index does not know yet.
    async fn book_untold(&self, key: &str) -> BookingId {
        let asked = Asked::new(self.ada.clone(), self.bob.clone());
        let id = ids().of_request(&self.bob, "com.huddle.match", key);
        let flows = self.flows();
        flows
            .request(&id, asked, String::new())
            .await
            .unwrap()
            .unwrap();
        let finalize = Self::key(&self.bob, "finalize");
        let confirmed = flows.finalize(&id, finalize).await.unwrap().unwrap();
        assert_eq!(confirmed.phase.word(), "confirmed");
        id
    }

    async fn project(&self, id: &BookingId) {
        let booking = self.flows().read(id, None).await.unwrap().unwrap();
        let shown = index::project(&*self.world.index, &booking).await;
        assert_ne!(shown.unwrap(), []);
    }

    async fn set_preferences(&self, person: &Did) {
        let put = PutPreferences {
            key: Self::key(person, "putPreferences"),
            document: r#"{"tz": "Europe/Madrid"}"#.to_owned(),
            swap_revision: None,
        };
        self.of(person, put).await.unwrap();
    }

    async fn has_preferences(&self, person: &Did) -> bool {
        self.of(person, GetPreferences {}).await.document != "{}"
    }

    /// Those of whom more may come up.
    async fn departures(&self) -> Vec<String> {
        self.world.rows("SELECT did FROM departures").await
    }

    async fn word(&self, id: &BookingId) -> &'static str {
        let booking = self.flows().read(id, None).await.unwrap();
        booking.unwrap().phase.word()
    }

    async fn of<A: Ask>(&self, person: &Did, question: A) -> A::Answer {
        let actor = ActorName::user_connector(person);
        ask(&*self.actors, &actor, question).await.unwrap()
    }
}

#[tokio::test]
async fn the_meetings_of_who_is_gone_are_called_off_and_their_preferences_forgotten() {
    for side in ["host", "guest"] {
        let scene = Scene::new();
        scene.world.follow().await;
        let person = match side {
            "host" => scene.ada.clone(),
            _ => scene.bob.clone(),
        };
        // An account of which nothing is followed is no affair of ours: a guest comes up by a record.
        scene.publish("a", |request| {
            request.host_did = scene.world.sign_up("cleo");
        });
        scene.sweep().await;
        scene.set_preferences(&person).await;
        let id = scene.book("k").await;
        let network = &scene.world.network;
        network.set_hosting(&person, Hosting::Deleted).unwrap();
        scene.sweep().await;
        assert_eq!(scene.word(&id).await, "canceled", "{side}");
        assert!(!scene.has_preferences(&person).await, "{side}");
        assert_eq!(scene.departures().await, [person.as_str()]);
        assert_eq!(scene.sweep().await, swept(0, 0));
    }
}

#[tokio::test]
async fn a_booking_that_comes_up_late_is_called_off_too_and_who_is_gone_is_forgotten_in_the_end() {
    let scene = Scene::new();
    scene.world.follow().await;
    let number = |key: &&str| ids().of_request(&scene.bob, "com.huddle.match", key);
    let mut keys = ["a", "b"];
    keys.sort_by_key(number);
    // The one that comes up late is before the one that was called off.
    let late = scene.book_untold(keys[0]).await;
    let early = scene.book(keys[1]).await;
    let network = &scene.world.network;
    network.set_hosting(&scene.ada, Hosting::Deleted).unwrap();
    scene.sweep().await;
    assert_eq!(scene.word(&early).await, "canceled");
    assert_eq!(scene.word(&late).await, "confirmed");
    scene.project(&late).await;
    scene.set_preferences(&scene.ada).await;
    scene.world.clock.step(Duration::from_mins(2));
    scene.sweep().await;
    assert_eq!(scene.word(&late).await, "canceled");
    assert!(!scene.has_preferences(&scene.ada).await);
    let mut hours = 0;
    while scene.departures().await == [scene.ada.as_str()] {
        hours += 1;
        assert!(hours < 30, "they are forgotten after a day");
        scene.world.clock.step(HOUR);
        scene.sweep().await;
    }
    assert!(hours > 20, "{hours} hours are too few");
}

/// Actors of which some do not answer.
struct SomeSilent {
    actors: Arc<ActorStore>,
    silent: Vec<ActorName>,
}

#[async_trait]
impl ActorTransport for SomeSilent {
    async fn send(&self, to: &ActorName, command: Command) -> Result<Reply, Unreachable> {
        if self.silent.contains(to) {
            return Err(Unreachable {
                actor: to.clone(),
                problem: "silence".to_owned(),
            });
        }
        self.actors.send(to, command).await
    }
}

#[tokio::test]
async fn accounts_that_cannot_be_done_with_hold_up_no_other() {
    let scene = Scene::new();
    let mut people: Vec<_> = (0..30)
        .map(|number| scene.world.sign_up(&format!("person{number}")))
        .collect();
    people.sort();
    let begin = |person: &Did| departures::begin(person.as_str(), NOW);
    let begin = people.iter().map(begin).collect();
    scene.world.index.batch(begin).await.unwrap();
    let last = people.pop().unwrap();
    scene.set_preferences(&last).await;
    let silent = people.iter().map(ActorName::user_connector).collect();
    let actors = Arc::new(SomeSilent {
        actors: scene.actors.clone(),
        silent,
    });
    let requests = crate::requests::requests(&scene.world, actors, scene.windows.clone());
    for expect in [swept(0, 8), swept(0, 8), swept(0, 8), swept(1, 7)] {
        scene.world.clock.step(Duration::from_mins(1));
        assert_eq!(requests.sweep().await, Ok(expect));
    }
    assert!(!scene.has_preferences(&last).await);
}

#[tokio::test]
async fn who_is_only_away_keeps_their_meetings() {
    for hosting in [Hosting::Deactivated, Hosting::TakenDown] {
        let scene = Scene::new();
        scene.world.follow().await;
        let id = scene.book("k").await;
        let network = &scene.world.network;
        network.set_hosting(&scene.ada, hosting).unwrap();
        scene.sweep().await;
        assert_eq!(scene.word(&id).await, "confirmed");
    }
}
