//! How many hosts' answers a guest may wait for.

use std::time::Duration;

use huddle_core::Limits;
use huddle_core::booking::{Mode, NoMatch};
use huddle_ports::{Clock as _, Timestamp};

use crate::world::{World, key};

fn approving() -> World {
    let world = World::new();
    world.say(|it| it.mode = Mode::Approve);
    world
}

fn too_many(retry_at: Timestamp) -> NoMatch {
    NoMatch::TooManyHolds { retry_at }
}

fn unanswered(world: &World) -> Timestamp {
    let approval_secs = Limits::default().approval_secs;
    world.clock.now() + Duration::from_secs(approval_secs.into())
}

#[tokio::test]
async fn a_guest_waits_for_one_answer_of_a_host_and_three_in_all() {
    let world = approving();
    let retry_at = unanswered(&world);
    for host in ["h1", "h2", "h3"] {
        let waiting = world.request("bob", host, host).await.unwrap();
        assert_eq!(waiting.phase.word(), "pending");
        let again = world.request("bob", host, &format!("{host} again")).await;
        assert_eq!(again.unwrap().unmatched, Some(too_many(retry_at)), "{host}");
    }
    let fourth = world.request("bob", "h4", "h4").await.unwrap();
    assert_eq!(fourth.unmatched, Some(too_many(retry_at)));
    let rehearsed = world.rehearse("bob", "h4").await;
    assert_eq!(rehearsed.unmatched, Some(too_many(retry_at)));
    let other = world.request("cleo", "h1", "k").await.unwrap();
    assert_eq!(other.phase.word(), "pending", "others wait, too");
}

#[tokio::test]
async fn whatever_ends_a_request_makes_room_for_another() {
    for end in ["approve", "decline", "cancel", "time"] {
        let world = approving();
        let asked = world.request("bob", "ada", "first").await.unwrap();
        let (flows, id) = (&world.flows, &asked.id);
        match end {
            "approve" => {
                let approved = flows.approve(id, key("ada", end, "k")).await;
                assert_eq!(approved.unwrap().unwrap().phase.word(), "confirmed");
            }
            "decline" => {
                let declined = flows.decline(id, key("ada", end, "k"), None);
                declined.await.unwrap().unwrap();
            }
            "cancel" => {
                let canceled = flows.cancel(id, key("bob", end, "k"), None);
                canceled.await.unwrap().unwrap();
            }
            _ => world
                .clock
                .step(unanswered(&world).since(world.clock.now())),
        }
        world.settle().await;
        assert_eq!(world.count("petition"), 0, "{end}");
        let second = world.request("bob", "ada", "second").await.unwrap();
        assert_eq!(second.phase.word(), "pending", "{end}");
    }
}

#[tokio::test]
async fn who_may_not_wait_for_more_books_at_once_and_is_told_nothing_of_who_would_not_say() {
    let world = approving();
    let retry_at = unanswered(&world);
    for host in ["h1", "h2", "h3"] {
        world.request("bob", host, host).await.unwrap();
    }
    let fourth = world.request("bob", "approving", "k1").await.unwrap();
    world.say(|it| (it.mode, it.hours) = (Mode::Auto, vec![]));
    let closed = world.request("bob", "closed", "k2").await.unwrap();
    assert_eq!(fourth.unmatched, Some(too_many(retry_at)));
    assert_eq!(closed.unmatched, fourth.unmatched);
    world.say(|it| it.hours = vec![3]);
    let held = world.request("bob", "auto", "k3").await.unwrap();
    assert_eq!(held.phase.word(), "held");
}

#[tokio::test]
async fn what_the_same_record_asks_instead_is_no_further_request() {
    let world = approving();
    let record = "at://did:web:bob.example.com/com.huddle.bookingRequest/a";
    let ask = |version: &'static str, record: &'static str| {
        let world = &world;
        async move {
            let mut asked = crate::world::asked("bob", "ada");
            asked.request = Some(record.parse().unwrap());
            let id = crate::world::request_id("bob", &format!("{record} {version}"));
            let requested = world.flows.request(&id, asked, "hash".into());
            requested.await.unwrap().unwrap().phase.word()
        }
    };
    assert_eq!(ask("1", record).await, "pending");
    assert_eq!(ask("2", record).await, "pending");
    let other = "at://did:web:bob.example.com/com.huddle.bookingRequest/b";
    assert_eq!(ask("1", other).await, "expired", "nothing comes of it");
}
