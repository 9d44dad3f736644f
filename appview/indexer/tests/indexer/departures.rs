//! What becomes of the meetings and the preferences of people whose accounts are deleted.

use huddle_core::ActorName;
use huddle_core::actor::Ask;
use huddle_core::booking::{Asked, BookingId, Constraints};
use huddle_core::idempotency::Key;
use huddle_core::index;
use huddle_core::transport::ask;
use huddle_core::user_connector::{GetPreferences, PutPreferences};
use huddle_syntax::Did;
use huddle_testkit::network::Hosting;

use crate::requests::{Scene, ids, swept};

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
    async fn book(&self, key: &str) -> BookingId {
        let asked = Asked {
            host: self.ada.clone(),
            guest: self.bob.clone(),
            constraints: Constraints::default(),
            offer: None,
            note: None,
            request: None,
            accepted: false,
        };
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
        index::project(&*self.world.index, &confirmed)
            .await
            .unwrap();
        id
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
        let put = PutPreferences {
            key: Scene::key(&person, "putPreferences"),
            document: r#"{"tz": "Europe/Madrid"}"#.to_owned(),
            swap_revision: None,
        };
        scene.of(&person, put).await.unwrap();
        let id = scene.book("k").await;
        let network = &scene.world.network;
        network.set_hosting(&person, Hosting::Deleted).unwrap();
        scene.sweep().await;
        assert_eq!(scene.word(&id).await, "canceled", "{side}");
        let kept = scene.of(&person, GetPreferences {}).await.document;
        assert_eq!(kept, "{}", "{side}");
        let left = scene.world.rows("SELECT did FROM departures").await;
        assert_eq!(left, [""; 0]);
        assert_eq!(scene.sweep().await, swept(0, 0));
    }
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
