//! Events that nobody has heard of.

use std::slice::from_ref;
use std::time::Duration;

use huddle_appview_indexer::Drift;
use huddle_syntax::Did;

use crate::stream::{found, notes, offer, offers_collection, service};
use crate::world::{HOST, World, rkey};

/// What the stream has told by now is lost.
async fn lose(world: &World) {
    let told = world.network.events_after(Some(0)).len();
    let newest = i64::try_from(told).unwrap();
    let kept = world.indexer().keep_cursor(HOST, Some(newest)).await;
    kept.unwrap();
}

#[tokio::test]
async fn a_host_who_moved_on_unheard_is_found_and_read_anew_and_the_stream_goes_on_from_there() {
    let world = World::new();
    let (ada, bob) = (world.sign_up("ada"), world.sign_up("bob"));
    let network = &world.network;
    let put = |did: &Did, key: &str, note: &str| {
        network.put(did, &rkey(key), &offer(note)).unwrap();
    };
    for did in [&ada, &bob] {
        let appview = service("did:web:huddle.example");
        network.put(did, &rkey("self"), &appview).unwrap();
        put(did, "a", "Lunch");
        put(did, "b", "Tea");
    }
    world.follow().await;

    put(&ada, "a", "Dinner");
    put(&ada, "c", "Cake");
    network
        .delete(&ada, &offers_collection(), &rkey("b"))
        .unwrap();
    lose(&world).await;
    world.follow().await;
    assert_eq!(notes(&world, &ada).await, ["a", "b"], "it was not heard");

    world.clock.step(Duration::from_hours(25));
    let expect = Drift {
        same: 1,
        different: 1,
        untold: 0,
    };
    assert_eq!(world.indexer().check_drift(10).await, Ok(expect));
    assert_eq!(
        world.indexer().stale("", 10).await.unwrap(),
        from_ref(&ada),
        "all that is held of her is, as far as the index knows, as it should be"
    );
    world.follow().await;
    assert_eq!(notes(&world, &ada).await, ["a", "c"]);
    assert_eq!(found(&world, "dinner").await, ada.as_str());
    assert_eq!(world.indexer().stale("", 10).await.unwrap(), [] as [Did; 0]);

    put(&ada, "d", "Soup");
    world.follow().await;
    assert_eq!(notes(&world, &ada).await, ["a", "c", "d"]);
    world.clock.step(Duration::from_hours(25));
    let expect = Drift {
        same: 2,
        ..Drift::default()
    };
    assert_eq!(world.indexer().check_drift(10).await, Ok(expect));
}
