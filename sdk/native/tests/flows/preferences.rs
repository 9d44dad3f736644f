//! How a person's preferences are kept.

use std::time::Duration;

use huddle_core::idempotency::Key;
use huddle_core::transport::ask;
use huddle_core::user_connector::{
    GetPreferences, PreferencesDocument, PutPreferences, PutRefused,
};
use huddle_core::{ActorName, Ask};

use crate::world::{World, did, key};

const BERLIN: &str = r#"{"tz":"Europe/Berlin","later":true}"#;
const TOKYO: &str = r#"{"tz":"Asia/Tokyo"}"#;

async fn tell<A: Ask>(world: &World, question: A) -> A::Answer {
    let hers = ActorName::user_connector(&did("ada"));
    ask(&*world.store, &hers, question).await.unwrap()
}

async fn put(
    world: &World,
    key: Key,
    document: &str,
    swap_revision: Option<u32>,
) -> Result<PreferencesDocument, PutRefused> {
    let put = PutPreferences {
        key,
        document: document.into(),
        swap_revision,
    };
    tell(world, put).await
}

fn request(text: &str) -> Key {
    key("ada", "put", text)
}

fn stands(document: &str, revision: u32) -> PreferencesDocument {
    PreferencesDocument {
        document: document.into(),
        revision,
    }
}

#[tokio::test]
async fn preferences_are_kept_as_they_were_written() {
    let world = World::new();
    assert_eq!(tell(&world, GetPreferences {}).await, stands("{}", 0));
    assert_eq!(world.count("actor"), 0, "asking leaves nothing");
    let first = put(&world, request("a"), BERLIN, None).await;
    assert_eq!(first, Ok(stands(BERLIN, 1)));
    let kept = tell(&world, GetPreferences {}).await;
    assert_eq!(kept, stands(BERLIN, 1));
    assert_eq!(kept.read().unwrap().rules.zone.name(), "Europe/Berlin");
}

#[tokio::test]
async fn a_request_that_comes_again_changes_nothing_twice() {
    let world = World::new();
    put(&world, request("a"), BERLIN, Some(0)).await.unwrap();
    put(&world, request("b"), TOKYO, Some(1)).await.unwrap();
    let again = put(&world, request("a"), BERLIN, Some(0)).await;
    assert_eq!(again, Ok(stands(BERLIN, 1)));
    assert_eq!(tell(&world, GetPreferences {}).await, stands(TOKYO, 2));
    let other_body = Key {
        body_hash: "other".into(),
        ..request("a")
    };
    let other = put(&world, other_body, TOKYO, None).await;
    assert_eq!(other, Err(PutRefused::Mismatch));
    world.clock.step(Duration::from_hours(24));
    world.settle().await;
    assert_eq!(world.count("reply"), 0);
    let forgotten = put(&world, request("a"), BERLIN, None).await;
    assert_eq!(forgotten, Ok(stands(BERLIN, 3)));
}

#[tokio::test]
async fn preferences_that_are_refused_change_nothing_and_may_be_sent_again() {
    let world = World::new();
    put(&world, request("a"), BERLIN, None).await.unwrap();
    for swap in [0, 2] {
        let late = put(&world, request("b"), TOKYO, Some(swap)).await;
        assert_eq!(late, Err(PutRefused::Changed));
    }
    let nowhere = put(&world, request("b"), r#"{"tz":"Mars/Olympus"}"#, Some(1)).await;
    assert!(
        matches!(nowhere, Err(PutRefused::Invalid(_))),
        "{nowhere:?}"
    );
    assert_eq!(tell(&world, GetPreferences {}).await, stands(BERLIN, 1));
    let now = put(&world, request("b"), TOKYO, Some(1)).await;
    assert_eq!(now, Ok(stands(TOKYO, 2)));
}
