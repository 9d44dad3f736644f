//! What is asked of hosts beside the stream.

use std::slice::from_ref;
use std::time::Duration;

use huddle_appview_indexer::{Drift, HostError, Met};
use huddle_core::directory::Directory as _;
use huddle_core::index::Index as _;
use huddle_core::index::{Paging, Statement, offers, services};
use huddle_lexicon::com::huddle::service::Service;
use huddle_syntax::data::{self, Map};
use huddle_syntax::{AtIdentifier, Did};
use huddle_testkit::network::Hosting;

use crate::world::{Answers, NOW, World, handle, rkey};

fn service() -> Service {
    let created = "2026-11-20T08:30:00.000Z".parse().unwrap();
    Service::new("did:web:huddle.example".parse().unwrap(), created)
}

async fn serves(world: &World, did: &Did) -> bool {
    services::of(&*world.index, did).await.unwrap().is_some()
}

/// Availability of another app.
fn availability() -> Vec<u8> {
    let json = br#"{"$type": "social.schedule.availability", "timeSlots": [
        {"dayOfWeek": 1, "startTime": "09:00", "endTime": "17:00", "timezone": "UTC"}]}"#;
    data::to_cbor(&data::from_json::<Map>(json).unwrap()).unwrap()
}

#[tokio::test]
async fn who_is_met_is_in_the_index_at_once_and_followed_from_then_on() {
    let world = World::new();
    let ada = world.sign_up("ada");
    let network = &world.network;
    network.put(&ada, &rkey("self"), &service()).unwrap();
    let collection = "social.schedule.availability".parse().unwrap();
    network
        .put_bytes(&ada, &collection, &rkey("a"), availability())
        .unwrap();
    let indexer = world.indexer();
    assert_eq!(indexer.meet(&ada).await, Ok(Met::Indexed(vec![])));
    assert!(serves(&world, &ada).await);
    let all = Paging {
        cursor: None,
        limit: 10,
    };
    let imported = offers::list(&*world.index, &ada, NOW, all).await.unwrap();
    assert!(imported.items[0].record.contains("com.huddle.officeHours"));
    assert_eq!(indexer.meet(&ada).await, Ok(Met::Known));
    assert_eq!(indexer.lost("", 10).await.unwrap(), from_ref(&ada));
    assert_eq!(indexer.stale("", 10).await.unwrap(), from_ref(&ada));
    // What has been signed takes the place of what was told.
    world.follow().await;
    assert_eq!(indexer.lost("", 10).await.unwrap(), Vec::<Did>::new());
    assert_eq!(indexer.stale("", 10).await.unwrap(), Vec::<Did>::new());
    assert!(serves(&world, &ada).await);
    let collection = "com.huddle.service".parse().unwrap();
    network.delete(&ada, &collection, &rkey("self")).unwrap();
    world.follow().await;
    assert!(!serves(&world, &ada).await);
}

#[tokio::test]
async fn of_who_has_published_nothing_nothing_is_kept() {
    let world = World::new();
    let bob = world.sign_up("bob");
    let indexer = world.indexer();
    assert_eq!(indexer.meet(&bob).await, Ok(Met::Nothing));
    // It is not asked again for a while, whatever it publishes: that comes with the stream.
    world.network.put(&bob, &rkey("self"), &service()).unwrap();
    assert_eq!(indexer.meet(&bob).await, Ok(Met::Nothing));
    assert_eq!(world.rows("SELECT did FROM people").await, [""; 0]);
    let nobody = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap();
    let untold = Met::Untold(HostError::NoAccount);
    assert_eq!(indexer.meet(&nobody).await, Ok(untold));
    world.network.set_hosting(&bob, Hosting::TakenDown).unwrap();
    let met = world.indexer().meet(&bob).await;
    assert_eq!(met, Ok(Met::Untold(HostError::NoAccount)));
}

fn offer(world: &World, did: &Did, key: &str) {
    let collection = "social.schedule.availability".parse().unwrap();
    let network = &world.network;
    network
        .put_bytes(did, &collection, &rkey(key), availability())
        .unwrap();
}

#[tokio::test]
async fn who_has_named_nobody_to_serve_them_is_asked_once_and_not_followed() {
    let world = World::new();
    let ada = world.sign_up("ada");
    offer(&world, &ada, "a");
    let hosts = world.hosts(Answers::AtOnce);
    let indexer = world.indexer_asking(hosts.clone());
    for _ in 0..2 {
        assert_eq!(indexer.meet(&ada).await, Ok(Met::Nothing));
    }
    assert_eq!(hosts.asked().len(), 1);
    assert_eq!(world.rows("SELECT did FROM repos").await, [""; 0]);
}

#[tokio::test]
async fn meeting_a_host_costs_one_small_page_of_each_collection() {
    let world = World::new();
    let ada = world.sign_up("ada");
    world.network.put(&ada, &rkey("self"), &service()).unwrap();
    for number in 0..101 {
        offer(&world, &ada, &format!("o{number}"));
    }
    let hosts = world.hosts(Answers::AtOnce);
    let indexer = world.indexer_asking(hosts.clone());
    assert_eq!(indexer.meet(&ada).await, Ok(Met::Indexed(vec![])));
    let held = world.rows("SELECT uri FROM offers").await;
    assert_eq!(held.len(), 100);
    let asked = hosts.asked();
    assert_eq!(asked.len(), 4);
    for request in asked {
        assert!(request.limits.timeout <= Duration::from_secs(3));
        assert!(request.limits.max_response_bytes <= 512 << 10);
    }
}

#[tokio::test]
async fn a_host_that_could_not_be_asked_is_left_alone_for_a_minute() {
    let world = World::new();
    let ada = world.sign_up("ada");
    let hosts = world.hosts(Answers::Refused);
    let indexer = world.indexer_asking(hosts.clone());
    for (wait, asked) in [(0, 1), (59, 1), (2, 2)] {
        world.clock.step(Duration::from_secs(wait));
        let untold = Met::Untold(HostError::Unavailable);
        assert_eq!(indexer.meet(&ada).await, Ok(untold));
        assert_eq!(hosts.asked().len(), asked);
    }
}

#[tokio::test]
async fn what_somebody_offers_who_has_too_much_is_not_compared() {
    let world = World::new();
    let ada = world.sign_up("ada");
    world.network.put(&ada, &rkey("self"), &service()).unwrap();
    for number in 0..501 {
        offer(&world, &ada, &format!("o{number}"));
    }
    let indexer = world.indexer();
    indexer.meet(&ada).await.unwrap();
    let expect = Drift {
        untold: 1,
        ..Drift::default()
    };
    assert_eq!(indexer.check_drift(10).await, Ok(expect));
}

#[tokio::test]
async fn accounts_are_found_by_did_and_by_handle_with_what_they_offer() {
    let world = World::new();
    let ada = world.sign_up("ada");
    world.network.put(&ada, &rkey("self"), &service()).unwrap();
    let indexer = world.indexer();
    let by_handle = AtIdentifier::from(handle("ada"));
    assert_eq!(indexer.find(&by_handle).await, Ok(Some(ada.clone())));
    assert!(serves(&world, &ada).await);
    assert_eq!(indexer.find(&ada.clone().into()).await, Ok(Some(ada)));
    assert_eq!(indexer.find(&handle("eve").into()).await, Ok(None));
    let nobody: Did = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap();
    assert_eq!(indexer.find(&nobody.into()).await, Ok(None));
}

#[tokio::test]
async fn what_has_drifted_is_fetched_again_and_the_rest_is_left_alone() {
    let world = World::new();
    let (ada, bob, cleo) = (
        world.sign_up("ada"),
        world.sign_up("bob"),
        world.sign_up("cleo"),
    );
    for did in [&ada, &bob, &cleo] {
        world.network.put(did, &rkey("self"), &service()).unwrap();
    }
    world.follow().await;
    world.clock.step(Duration::from_hours(25));
    let lost = Statement {
        sql: "UPDATE services SET appview = NULL, cid = NULL WHERE did = ?1",
        bindings: vec![huddle_core::sql::Value::Text(ada.to_string())],
    };
    world.index.batch(vec![lost]).await.unwrap();
    world
        .network
        .set_hosting(&cleo, Hosting::Deactivated)
        .unwrap();
    let drift = world.indexer().check_drift(10).await.unwrap();
    let expect = Drift {
        same: 1,
        different: 1,
        untold: 1,
    };
    assert_eq!(drift, expect);
    let again = world.indexer().check_drift(10).await.unwrap();
    assert_eq!(again, Drift::default(), "each has its turn once");
    let mut stale = [ada.clone(), cleo];
    stale.sort();
    assert_eq!(world.indexer().stale("", 10).await.unwrap(), stale);
    world.follow().await;
    assert!(serves(&world, &ada).await);
    assert_eq!(
        world.indexer().stale("", 10).await.unwrap(),
        Vec::<Did>::new()
    );
}
