//! What the network in memory tells is believed by whoever checks it.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use huddle_firehose::{
    Account, CommitStep, Frame, Level, Link, RepoCommit, Verifier, VerifyingKey, car, mst,
};
use huddle_identity::{Freshness, IdentityConfig, IdentityResolver};
use huddle_lexicon::app::bsky::graph::follow::Follow;
use huddle_lexicon::com::huddle::defs::Policy;
use huddle_lexicon::com::huddle::slot_offer::SlotOffer;
use huddle_ports::{Clock, Fetch as _, FetchPolicy, MemoryCache, Request, Timestamp, Url};
use huddle_syntax::schema::Record as _;
use huddle_syntax::{Datetime, Did, RecordKey};
use huddle_testkit::network::{Hosting, NetworkError, Places};
use huddle_testkit::{CountingRandom, Network, SteppingClock};

/// 2026-01-01T12:00:00Z.
const NOON: Timestamp = Timestamp::from_millis(1_767_268_800_000);

struct Scene {
    network: Arc<Network>,
    clock: Arc<SteppingClock>,
    ana: Did,
}

fn scene() -> Scene {
    let clock = Arc::new(SteppingClock::at(NOON));
    let places = Places {
        directory: url("https://plc.test"),
        host: url("https://pds.test"),
    };
    let random = Arc::new(CountingRandom::default());
    let network = Arc::new(Network::new(places, clock.clone(), random));
    let ana = network.sign_up(&"ana.test".parse().unwrap());
    Scene {
        network,
        clock,
        ana,
    }
}

impl Scene {
    fn put(&self, key: &str, hour: u32) -> huddle_testkit::network::Version {
        let written = self.network.put(&self.ana, &rkey(key), &offer(hour));
        written.unwrap()
    }

    /// The key of the account, as its document names it.
    fn key(&self) -> VerifyingKey {
        let config = IdentityConfig {
            plc_directory: self.network.places().directory.clone(),
            policy: FetchPolicy::development(),
            ..IdentityConfig::default()
        };
        let resolver = IdentityResolver::new(
            self.network.clone(),
            self.network.clone(),
            Arc::new(MemoryCache::new(self.clock.clone())),
            self.clock.clone(),
            config,
        );
        let who = self.ana.clone().into();
        let identity = resolver.resolve_identity(&who, Freshness::Fresh);
        let identity = identity.now_or_never().expect("nothing is waited for");
        let key = identity.unwrap().signing_key.expect("a key is named");
        VerifyingKey::from_did_key(&key.to_did_key()).unwrap()
    }

    fn ask(&self, question: &str) -> (u16, Vec<u8>) {
        let request = Request::get(url(&format!("https://pds.test/xrpc/{question}")));
        let response = self.network.fetch(request).now_or_never().unwrap().unwrap();
        (response.status.as_u16(), response.body.to_vec())
    }

    fn now(&self) -> Duration {
        self.clock.now().since(Timestamp::UNIX_EPOCH)
    }
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn rkey(text: &str) -> RecordKey {
    text.parse().unwrap()
}

fn datetime(text: &str) -> Datetime {
    text.parse().unwrap()
}

fn offer(hour: u32) -> SlotOffer {
    let at = |hour: u32| datetime(&format!("2026-02-01T{hour:02}:00:00.000Z"));
    SlotOffer::new(at(hour), at(hour + 1), Policy::Anyone, at(0))
}

#[test]
fn each_commit_is_signed_and_follows_on_the_one_before() {
    let scene = scene();
    scene.put("3kaaaaaaaaa22", 9);
    scene.clock.step(Duration::from_secs(1));
    scene.put("3kaaaaaaaaa22", 10);
    scene.put("3kaaaaaaaaa32", 12);
    let collection = SlotOffer::NSID.parse().unwrap();
    let deleted = scene
        .network
        .delete(&scene.ana, &collection, &rkey("3kaaaaaaaaa22"));
    deleted.unwrap();

    let key = scene.key();
    let (mut verifier, mut account) = (Verifier::new(), Account::new());
    let mut actions = Vec::new();
    for event in scene.network.events_after(None) {
        let level = Level::Signature(&key);
        match Frame::decode(&event).unwrap() {
            Frame::Sync(sync) => {
                let head = verifier.verify_sync(&sync, level, scene.now()).unwrap();
                account.fetched(head).unwrap();
            }
            Frame::Commit(commit) => {
                let commit = verifier.verify(&commit, level, scene.now()).unwrap();
                assert_eq!(account.commit(&Link::from(&commit)), CommitStep::Apply);
                actions.extend(
                    commit
                        .changes()
                        .map(|change| change.action.as_str().to_owned()),
                );
            }
            _ => {}
        }
    }
    assert_eq!(actions, ["create", "update", "create", "delete"]);
    let all = scene.network.events_after(None);
    assert_eq!(
        all.len(),
        7,
        "an identity, a status, a repository, four commits"
    );
    assert_eq!(scene.network.events_after(Some(5)), all[5..]);
    assert!(scene.network.events_after(Some(u64::MAX)).is_empty());
}

#[test]
fn a_repository_is_given_out_whole_as_long_as_it_is_hosted() {
    let scene = scene();
    let version = scene.put("3kaaaaaaaaa22", 9);
    let question = format!("com.atproto.sync.getRepo?did={}", scene.ana);
    let (status, repository) = scene.ask(&question);
    assert_eq!(status, 200);
    let car = car::Car::read(&repository).unwrap();
    let (_, root) = car.iter().next().unwrap();
    let commit = RepoCommit::read(root).unwrap();
    let blocks: BTreeMap<_, _> = car
        .iter()
        .map(|(cid, block)| (cid, block.to_vec()))
        .collect();
    let path = b"com.huddle.slotOffer/3kaaaaaaaaa22";
    let found = mst::find(&blocks, commit.data, path).unwrap().unwrap();
    assert_eq!(found.to_bytes(), version.cid.as_bytes());

    let host = |hosting| scene.network.set_hosting(&scene.ana, hosting).unwrap();
    for (hosting, error) in [
        (Hosting::Deactivated, "RepoDeactivated"),
        (Hosting::TakenDown, "RepoTakendown"),
        (Hosting::Deleted, "RepoNotFound"),
    ] {
        host(hosting);
        let (status, body) = scene.ask(&question);
        assert_eq!(status, 400);
        assert_eq!(body, format!("{{\"error\":\"{error}\"}}").into_bytes());
    }
    host(Hosting::Active);
    assert_eq!(scene.ask(&question), (200, repository));
}

#[test]
fn records_are_listed_in_pages() {
    let scene = scene();
    let keys = ["3kaaaaaaaaa22", "3kaaaaaaaaa32", "3kaaaaaaaaa42"];
    for (key, hour) in keys.into_iter().zip(9..) {
        scene.put(key, hour);
    }
    let (mut cursor, mut listed) = (String::new(), Vec::new());
    loop {
        let question = format!(
            "com.atproto.repo.listRecords?repo={}&collection=com.huddle.slotOffer&limit=2{cursor}",
            scene.ana
        );
        let page: serde_json::Value = serde_json::from_slice(&scene.ask(&question).1).unwrap();
        let records = page["records"].as_array().unwrap();
        listed.extend(records.iter().map(|record| record["uri"].to_string()));
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expect = keys.map(|key| format!("\"at://{}/com.huddle.slotOffer/{key}\"", scene.ana));
    assert_eq!(listed, expect);
}

#[test]
fn relationships_follow_from_records() {
    let scene = scene();
    let bob = scene.network.sign_up(&"bob.test".parse().unwrap());
    let question = format!(
        "app.bsky.graph.getRelationships?actor={}&others={bob}",
        scene.ana
    );
    let relationship = || {
        let answer = scene.ask(&question).1;
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        answer["relationships"][0].clone()
    };
    assert_eq!(relationship().get("following"), None);
    let follow = Follow::new(bob.clone(), datetime("2026-01-01T12:00:00.000Z"));
    let version = scene
        .network
        .put(&scene.ana, &rkey("3kaaaaaaaaa22"), &follow)
        .unwrap();
    assert_eq!(relationship()["following"], version.uri.as_str());
    assert_eq!(relationship().get("followedBy"), None);
}

#[test]
fn another_key_signs_what_comes_after_it() {
    let scene = scene();
    let before = scene.key();
    scene.network.rotate_key(&scene.ana).unwrap();
    let after = scene.key();
    scene.put("3kaaaaaaaaa22", 9);
    let events = scene.network.events_after(None);
    let Ok(Frame::Commit(commit)) = Frame::decode(events.last().unwrap()) else {
        panic!("the last event is the commit");
    };
    let mut verifier = Verifier::new();
    let mut is_signed_by = |key| {
        verifier
            .verify(&commit, Level::Signature(key), scene.now())
            .is_ok()
    };
    assert!(!is_signed_by(&before));
    assert!(is_signed_by(&after));
}

#[test]
fn nobody_writes_for_an_account_that_is_not_there() {
    let nobody: Did = "did:plc:nobodynobodynobodynobody".parse().unwrap();
    let written = scene()
        .network
        .put(&nobody, &rkey("3kaaaaaaaaa22"), &offer(9));
    assert_eq!(written, Err(NetworkError::UnknownAccount(nobody)));
}
