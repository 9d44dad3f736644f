//! Events that nobody has heard of.

use std::slice::from_ref;
use std::time::Duration;

use huddle_appview_indexer::Drift;
use huddle_lexicon::com::huddle::booking_request::BookingRequest;
use huddle_syntax::Did;

use crate::requests::{DAY, HOUR, Scene, datetime, swept};
use crate::stream::{found, notes, offer, offers_collection, service};
use crate::world::{HOST, NOW, World, rkey};

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

/// A guest has asked, and more than a day later something that nobody has heard of happened to the record. Checks what a
/// comparison finds of the two accounts, and how requests stand once that was mended.
async fn check_requests(unheard: impl FnOnce(&Scene), expect: Drift, standing: &[&str]) {
    let scene = Scene::new();
    scene.publish("a", |request| {
        request.constraints.earliest = Some(datetime(NOW + DAY + HOUR));
    });
    scene.sweep().await;
    scene.world.clock.step(DAY + HOUR / 2);
    unheard(&scene);
    lose(&scene.world).await;
    assert_eq!(scene.sweep().await, swept(0, 0), "it was not heard");

    let drift = scene.world.indexer().check_drift(10).await;
    assert_eq!(drift, Ok(expect));
    scene.sweep().await;
    assert_eq!(scene.standing().await, standing);
    scene.world.clock.step(DAY + HOUR);
    let drift = scene.world.indexer().check_drift(10).await.unwrap();
    assert_eq!((drift.same, drift.different), (2, 0), "it was mended");
}

#[tokio::test]
async fn requests_that_changed_unheard_are_found_and_what_was_taken_back_is_called_off() {
    let same = Drift {
        same: 2,
        ..Drift::default()
    };
    let different = Drift {
        same: 1,
        different: 1,
        untold: 0,
    };
    let late = |request: &mut BookingRequest| {
        request.constraints.earliest = Some(datetime(NOW + DAY + 2 * HOUR));
    };
    let made_long_ago = |request: &mut BookingRequest| request.created_at = datetime(NOW);
    check_requests(|_| {}, same, &["asked: confirmed"]).await;
    let deleted = |scene: &Scene| scene.take_back("a");
    check_requests(deleted, different, &["withdrawn: canceled"]).await;
    let replaced = |scene: &Scene| scene.publish("a", late);
    let standing = ["withdrawn: canceled", "asked: confirmed"];
    check_requests(replaced, different, &standing).await;
    let another = |scene: &Scene| scene.publish("b", late);
    let standing = ["asked: confirmed", "asked: confirmed"];
    check_requests(another, different, &standing).await;
    let too_late = |scene: &Scene| scene.publish("b", made_long_ago);
    check_requests(too_late, same, &["asked: confirmed"]).await;
}

#[tokio::test]
async fn a_request_that_is_ignored_is_no_drift_nor_when_it_is_forgotten() {
    let scene = Scene::new();
    scene.publish("a", |request| {
        request.host_did = scene.world.sign_up("cleo");
    });
    scene.sweep().await;
    assert_eq!(scene.standing().await, ["ignored: none"]);
    for left in [&["ignored: none"][..], &[]] {
        scene.world.clock.step(8 * DAY);
        let drift = scene.world.indexer().check_drift(10).await.unwrap();
        assert_eq!((drift.same, drift.different), (2, 0));
        assert_eq!(scene.standing().await, left);
        scene.world.indexer().forget().await.unwrap();
    }
}

#[tokio::test]
async fn of_whoever_has_asked_too_often_for_that_to_be_compared_what_they_offer_is_all_the_same() {
    let scene = Scene::new();
    let world = &scene.world;
    for number in 0..501 {
        let long_ago = datetime(NOW - 30 * DAY);
        scene.publish(&format!("q{number}"), |request| {
            request.created_at = long_ago;
        });
    }
    world.follow().await;
    for (offered, different) in [(false, 0), (true, 1)] {
        world.clock.step(DAY + HOUR);
        if offered {
            let lunch = offer("Lunch");
            world.network.put(&scene.bob, &rkey("a"), &lunch).unwrap();
            lose(world).await;
        }
        let drift = world.indexer().check_drift(10).await;
        let expect = Drift {
            same: 2 - different,
            different,
            untold: 0,
        };
        assert_eq!(drift, Ok(expect));
    }
}
