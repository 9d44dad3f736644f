//! A Bluesky AppView that answers as it is told.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use huddle_core::matching::{Freshness, Relationships as _, UnknownRelationship};
use huddle_graph::BlueskyGraph;
use huddle_ports::{
    Clock as _, FetchError, HeaderValue, MemoryCache, StatusCode, Timestamp, header,
};
use huddle_schedule::{Circle, Relationship};
use huddle_syntax::Did;
use huddle_testkit::{ScriptedAnswer, ScriptedFetch, SteppingClock};

const KEEP: Duration = Duration::from_hours(1);

struct World {
    fetch: Arc<ScriptedFetch>,
    clock: Arc<SteppingClock>,
    graph: BlueskyGraph,
}

fn host() -> Did {
    "did:plc:ewvi7nxzyoun6zhxrhs64oiz".parse().unwrap()
}

fn guest() -> Did {
    "did:web:bob.example.com".parse().unwrap()
}

impl World {
    fn new() -> Self {
        let fetch = Arc::new(ScriptedFetch::default());
        let clock = Arc::new(SteppingClock::at(Timestamp::UNIX_EPOCH));
        let appview = "https://appview.example".parse().unwrap();
        let cache = Arc::new(MemoryCache::new(clock.clone()));
        let graph = BlueskyGraph::new(fetch.clone(), appview, cache, clock.clone(), KEEP);
        Self {
            fetch,
            clock,
            graph,
        }
    }

    fn answers(&self, status: u16, body: impl Into<String>) {
        let status = StatusCode::from_u16(status).unwrap();
        let json = HeaderValue::from_static("application/json");
        let body: String = body.into();
        let answer = ScriptedAnswer::new(status, body);
        self.fetch
            .otherwise(Ok(answer.with_header(header::CONTENT_TYPE, json)));
    }

    fn fails(&self) {
        self.fetch.otherwise(Err(FetchError::Timeout));
    }

    fn ask(&self, freshness: Freshness) -> Result<Relationship, UnknownRelationship> {
        let deadline = self.clock.now() + Duration::from_secs(2);
        self.ask_by(freshness, deadline)
    }

    fn ask_by(
        &self,
        freshness: Freshness,
        deadline: Timestamp,
    ) -> Result<Relationship, UnknownRelationship> {
        let (host, guest) = (host(), guest());
        let answer = self.graph.between(&host, &guest, freshness, deadline);
        answer.now_or_never().expect("the script answers at once")
    }

    fn questions(&self) -> usize {
        self.fetch.asked().len()
    }
}

const FOLLOWING: &str =
    r#""following": "at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.graph.follow/a""#;
const FOLLOWED_BY: &str = r#""followedBy": "at://did:web:bob.example.com/app.bsky.graph.follow/b""#;

const RELATIONSHIP: &str = r#""$type": "app.bsky.graph.defs#relationship""#;

/// An answer with these fields about the guest.
fn about_guest(fields: &[&str]) -> String {
    let did = format!(r#""did": "{}""#, guest());
    let fields = [&[RELATIONSHIP, &did], fields].concat().join(", ");
    about(&format!("{{{fields}}}"))
}

fn about(relationships: &str) -> String {
    format!(
        r#"{{"actor": "{}", "relationships": [{relationships}]}}"#,
        host()
    )
}

#[track_caller]
fn check(fields: &[&str], circle: Circle, blocked: bool) {
    let world = World::new();
    world.answers(200, about_guest(fields));
    let expect = Ok(Relationship { circle, blocked });
    assert_eq!(world.ask(Freshness::Recent), expect, "{fields:?}");
}

#[test]
fn follows_are_read_as_the_host_sees_them() {
    check(&[], Circle::Anyone, false);
    check(&[FOLLOWED_BY], Circle::Follower, false);
    check(&[FOLLOWING], Circle::Connected, false);
    check(&[FOLLOWING, FOLLOWED_BY], Circle::Mutual, false);
}

#[test]
fn every_way_to_block_is_a_block() {
    for way in ["blocking", "blockedBy", "blockingByList", "blockedByList"] {
        let block = format!(r#""{way}": "at://did:web:bob.example.com/app.bsky.graph.block/c""#);
        check(&[&block], Circle::Anyone, true);
        check(&[FOLLOWING, FOLLOWED_BY, &block], Circle::Mutual, true);
    }
}

#[test]
fn the_question_is_about_the_host_and_the_guest() {
    let world = World::new();
    world.answers(200, about_guest(&[]));
    world.ask(Freshness::Recent).unwrap();
    let asked = world.fetch.asked();
    let url = &asked[0].url;
    assert_eq!(url.host_str(), Some("appview.example"));
    assert_eq!(url.path(), "/xrpc/app.bsky.graph.getRelationships");
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let expect = [
        ("actor", host().to_string()),
        ("others", guest().to_string()),
    ];
    assert_eq!(pairs, expect.map(|(name, value)| (name.to_owned(), value)));
    assert_eq!(asked[0].limits.timeout, Duration::from_secs(2));
}

#[test]
fn whatever_is_no_answer_admits_nobody() {
    let somebody =
        r#"{"$type": "app.bsky.graph.defs#relationship", "did": "did:web:eve.example.com"}"#;
    let one = format!(
        r#"{{"$type": "app.bsky.graph.defs#relationship", "did": "{}"}}"#,
        guest()
    );
    let other_actor = about_guest(&[]).replace(host().as_str(), "did:web:eve.example.com");
    for (status, body) in [
        (200, about("")),
        (200, about(somebody)),
        (200, about(&format!("{one}, {one}"))),
        (
            200,
            about(r#"{"$type": "app.bsky.graph.defs#somethingNew"}"#),
        ),
        (200, about(r#"{"did": "did:web:bob.example.com"}"#)),
        (200, about_guest(&[r#""blocking": "no address""#])),
        (200, other_actor),
        (200, "{}".to_owned()),
        (200, "<html>".to_owned()),
        (302, String::new()),
        (401, r#"{"error": "AuthMissing"}"#.to_owned()),
        (429, r#"{"error": "RateLimitExceeded"}"#.to_owned()),
        (502, String::new()),
    ] {
        let world = World::new();
        world.answers(status, body.clone());
        let answer = world.ask(Freshness::Recent);
        let unavailable = matches!(answer, Err(UnknownRelationship::Unavailable(_)));
        assert!(unavailable, "{status} {body}: {answer:?}");
    }
}

#[test]
fn an_account_that_is_not_shown_is_not_known() {
    let missing = format!(
        r#"{{"$type": "app.bsky.graph.defs#notFoundActor", "actor": "{}", "notFound": true}}"#,
        guest()
    );
    for (status, body, whose) in [
        (200, about(&missing), guest()),
        (400, r#"{"error": "ActorNotFound"}"#.to_owned(), host()),
    ] {
        let world = World::new();
        world.answers(status, body);
        let expect = Err(UnknownRelationship::NoSuchAccount(whose));
        assert_eq!(world.ask(Freshness::Recent), expect);
    }
}

#[test]
fn an_answer_is_used_again_for_an_hour_and_not_where_a_fresh_one_is_wanted() {
    let world = World::new();
    world.answers(200, about_guest(&[FOLLOWING]));
    let connected = world.ask(Freshness::Recent);
    world.answers(200, about_guest(&[]));
    world.clock.step(KEEP);
    world
        .clock
        .set(world.clock.now() - Duration::from_millis(1));
    assert_eq!(world.ask(Freshness::Recent), connected);
    assert_eq!(world.questions(), 1);
    let stranger = world.ask(Freshness::Fresh);
    assert_ne!(stranger, connected);
    assert_eq!(world.questions(), 2);
    world.answers(200, about_guest(&[FOLLOWING]));
    assert_eq!(
        world.ask(Freshness::Recent),
        stranger,
        "the fresh answer is kept"
    );
    world.clock.step(KEEP);
    assert_eq!(world.ask(Freshness::Recent), connected);
    assert_eq!(world.questions(), 3);
}

#[test]
fn no_other_answer_takes_the_place_of_one_that_has_to_be_asked_for() {
    let world = World::new();
    world.answers(200, about_guest(&[FOLLOWING]));
    let connected = world.ask(Freshness::Recent);
    world.fails();
    assert!(
        world.ask(Freshness::Fresh).is_err(),
        "a recent one does not"
    );
    assert_eq!(world.ask(Freshness::Recent), connected);
    world.clock.step(KEEP);
    assert!(world.ask(Freshness::Recent).is_err(), "an old one does not");
}

#[test]
fn an_account_that_is_not_shown_any_more_is_forgotten() {
    let world = World::new();
    world.answers(200, about_guest(&[FOLLOWING]));
    world.ask(Freshness::Recent).unwrap();
    world.answers(400, r#"{"error": "ActorNotFound"}"#);
    world.ask(Freshness::Fresh).unwrap_err();
    world.fails();
    assert!(world.ask(Freshness::Recent).is_err());
}

#[test]
fn an_answer_from_before_the_clock_was_set_back_is_asked_again() {
    let world = World::new();
    world.clock.step(KEEP);
    world.answers(200, about_guest(&[FOLLOWING]));
    world.ask(Freshness::Recent).unwrap();
    world.clock.set(Timestamp::UNIX_EPOCH);
    world.fails();
    assert!(world.ask(Freshness::Recent).is_err());
}

#[test]
fn nothing_is_asked_after_the_deadline() {
    let world = World::new();
    world.answers(200, about_guest(&[]));
    assert!(world.ask_by(Freshness::Recent, world.clock.now()).is_err());
    assert_eq!(world.questions(), 0);
}
