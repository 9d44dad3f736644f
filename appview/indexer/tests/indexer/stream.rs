//! The stream of a host of real repositories, verified, into the index.

use huddle_core::index::{Paging, hosts, offers, services};
use huddle_lexicon::com::huddle::defs::Policy;
use huddle_lexicon::com::huddle::service::Service;
use huddle_lexicon::com::huddle::slot_offer::SlotOffer;
use huddle_syntax::schema::Record as _;
use huddle_syntax::{Did, Nsid, Value};
use huddle_testkit::network::Hosting;

use crate::world::{NOW, Process, RECORD_BYTES, World, handle, rkey};

pub(crate) fn offer(note: &str) -> SlotOffer {
    let mut offer = SlotOffer::new(
        "2026-12-01T10:00:00Z".parse().unwrap(),
        "2026-12-01T12:00:00Z".parse().unwrap(),
        Policy::Anyone,
        "2026-11-20T08:30:00.000Z".parse().unwrap(),
    );
    offer.note = Some(note.to_owned());
    offer
}

pub(crate) fn service(appview: &str) -> Service {
    let created = "2026-11-20T08:30:00.000Z".parse().unwrap();
    Service::new(appview.parse().unwrap(), created)
}

pub(crate) fn offers_collection() -> Nsid {
    SlotOffer::NSID.parse().unwrap()
}

pub(crate) async fn notes(world: &World, host: &Did) -> Vec<String> {
    let all = Paging {
        cursor: None,
        limit: offers::MOST_OF_A_HOST,
    };
    let offers = offers::list(&*world.index, host, NOW, all).await.unwrap();
    let note = |offer: &offers::Offer| {
        let uri = offer.uri.to_string();
        uri.rsplit_once('/').unwrap().1.to_owned()
    };
    let mut notes: Vec<_> = offers.items.iter().map(note).collect();
    notes.sort();
    notes
}

/// Who is found, one after the other.
pub(crate) async fn found(world: &World, query: &str) -> String {
    let paging = Paging {
        cursor: None,
        limit: 10,
    };
    let service = "did:web:huddle.example".parse().unwrap();
    let page = hosts::search(&*world.index, Some(query), &service, NOW, paging).await;
    let dids = page.unwrap().items.into_iter();
    dids.map(|host| host.did.to_string()).collect()
}

#[tokio::test]
async fn what_hosts_publish_is_in_the_index_and_what_they_take_back_is_not() {
    let world = World::new();
    let (ada, bob) = (world.sign_up("ada"), world.sign_up("bob"));
    let network = &world.network;
    network.put(&ada, &rkey("a"), &offer("Lunch")).unwrap();
    network.put(&ada, &rkey("b"), &offer("Tea")).unwrap();
    let appview = "did:web:huddle.example";
    network.put(&ada, &rkey("self"), &service(appview)).unwrap();
    world.follow().await;
    assert_eq!(notes(&world, &ada).await, ["a", "b"]);
    assert_eq!(notes(&world, &bob).await, Vec::<String>::new());
    let of = services::of(&*world.index, &ada).await.unwrap();
    assert_eq!(of.unwrap().as_str(), appview);
    assert_eq!(found(&world, "tea").await, ada.as_str());

    network.put(&ada, &rkey("a"), &offer("Dinner")).unwrap();
    network
        .delete(&ada, &offers_collection(), &rkey("b"))
        .unwrap();
    world.follow().await;
    assert_eq!(notes(&world, &ada).await, ["a"]);
    assert_eq!(found(&world, "tea").await, "");
    assert_eq!(found(&world, "dinn").await, ada.as_str());

    network.set_hosting(&ada, Hosting::Deactivated).unwrap();
    world.follow().await;
    assert_eq!(notes(&world, &ada).await, Vec::<String>::new());
    assert_eq!(found(&world, "dinner").await, "");
    network.set_hosting(&ada, Hosting::Active).unwrap();
    world.follow().await;
    assert_eq!(notes(&world, &ada).await, ["a"]);
    assert_eq!(found(&world, "dinner").await, ada.as_str());

    network.set_hosting(&ada, Hosting::Deleted).unwrap();
    world.follow().await;
    let dump = world.dump().await;
    let of_ada: Vec<_> = dump
        .iter()
        .filter(|row| row.contains(ada.as_str()))
        .collect();
    let [repo, audit] = &of_ada[..] else {
        panic!("{of_ada:#?}");
    };
    assert!(repo.starts_with("repos | "), "{repo}");
    assert_eq!(**audit, format!("audit | {ada} | accountDeleted | "));
}

#[tokio::test]
async fn a_record_that_is_wrong_is_left_out_and_the_rest_of_its_commit_is_not() {
    let world = World::new();
    let ada = world.sign_up("ada");
    world
        .network
        .put(&ada, &rkey("a"), &offer("Lunch"))
        .unwrap();
    // A map with nothing but its type.
    let mut record = b"\xa1\x65$type\x74".to_vec();
    record.extend_from_slice(b"com.huddle.slotOffer");
    world
        .network
        .put_bytes(&ada, &offers_collection(), &rkey("b"), record)
        .unwrap();
    let left_out = world.follow().await;
    assert_eq!(left_out.len(), 1, "{left_out:?}");
    assert_eq!(left_out[0].collection, SlotOffer::NSID);
    assert_eq!(notes(&world, &ada).await, ["a"]);
}

#[tokio::test]
async fn a_record_is_left_out_that_is_longer_than_the_limit() {
    let world = World::new();
    let ada = world.sign_up("ada");
    world
        .network
        .put(&ada, &rkey("a"), &offer("Lunch"))
        .unwrap();
    let mut long = offer("Lunch");
    let text = "x".repeat(usize::try_from(RECORD_BYTES).unwrap());
    long.extra.insert("later", Value::String(text));
    world.network.put(&ada, &rkey("b"), &long).unwrap();
    let [left_out] = world.follow().await.try_into().unwrap();
    let most = format!(" bytes; the most is {RECORD_BYTES}");
    assert!(left_out.why.ends_with(&most), "{left_out:?}");
    assert_eq!(notes(&world, &ada).await, ["a"]);
}

#[tokio::test]
async fn a_handle_is_looked_up_when_there_is_time_and_forgotten_when_it_is_another() {
    let world = World::new();
    let ada = world.sign_up("ada");
    world
        .network
        .put(&ada, &rkey("a"), &offer("Lunch"))
        .unwrap();
    let appview = service("did:web:huddle.example");
    world.network.put(&ada, &rkey("self"), &appview).unwrap();
    world.follow().await;
    assert_eq!(found(&world, "ada").await, "");
    assert_eq!(world.indexer().name_hosts(10).await, Ok(1));
    assert_eq!(world.indexer().name_hosts(10).await, Ok(0));
    assert_eq!(found(&world, "ada").await, ada.as_str());
    world.network.rename(&ada, &handle("countess")).unwrap();
    world.follow().await;
    assert_eq!(found(&world, "ada").await, "");
    assert_eq!(world.indexer().name_hosts(10).await, Ok(1));
    assert_eq!(found(&world, "countess").await, ada.as_str());
}

/// A life of two accounts, in steps.
fn live(world: &World, ada: &Did, bob: &Did, step: usize) -> bool {
    let network = &world.network;
    match step {
        0 => drop(network.put(ada, &rkey("a"), &offer("Lunch")).unwrap()),
        1 => drop(network.put(bob, &rkey("a"), &offer("Tea")).unwrap()),
        2 => drop(
            network
                .put(ada, &rkey("self"), &service("did:web:a.example"))
                .unwrap(),
        ),
        3 => network
            .delete(ada, &offers_collection(), &rkey("a"))
            .unwrap(),
        4 => network.set_hosting(bob, Hosting::Deactivated).unwrap(),
        5 => drop(network.put(ada, &rkey("b"), &offer("Dinner")).unwrap()),
        6 => network.rename(ada, &handle("countess")).unwrap(),
        7 => network.set_hosting(bob, Hosting::Active).unwrap(),
        8 => drop(network.put(bob, &rkey("a"), &offer("Cake")).unwrap()),
        9 => network.set_hosting(bob, Hosting::Deleted).unwrap(),
        _ => return false,
    }
    true
}

#[tokio::test]
async fn a_process_that_dies_between_any_two_steps_leaves_an_index_that_the_next_one_completes() {
    let lives = || {
        let world = World::new();
        let (ada, bob) = (world.sign_up("ada"), world.sign_up("bob"));
        (world, ada, bob)
    };
    let (world, ada, bob) = lives();
    let mut step = 0;
    while live(&world, &ada, &bob, step) {
        step += 1;
    }
    world.follow().await;
    let expect = world.dump().await;
    for is_late in [false, true] {
        let mut left = 0;
        loop {
            let (world, ada, bob) = lives();
            let mut step = 0;
            while live(&world, &ada, &bob, step) {
                step += 1;
            }
            let indexer = world.failing_indexer(left, is_late);
            let has_ended = match Process::start(&world, indexer).await {
                Ok(process) => process.run().await.is_ok(),
                Err(_) => false,
            };
            world.follow().await;
            assert_eq!(world.dump().await, expect, "after {left} calls");
            if has_ended {
                break;
            }
            left += 1;
        }
        assert!(left > 10, "{left} calls are no life");
    }
}
