//! Requests for meetings that are records, from the repository to the booking.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use huddle_appview_indexer::{Requests, Swept};
use huddle_core::actor::{ActorName, Command, Reply};
use huddle_core::availability::{Availability, Checked, Found, Search, Side};
use huddle_core::booking::{Booking, BookingIds, Phase, Place};
use huddle_core::flows::Flows;
use huddle_core::index::{Index as _, Statement, repos};
use huddle_core::sql::Value;
use huddle_core::{ActorTransport, Limits, Unreachable};
use huddle_lexicon::com::huddle::booking_request::{BookingRequest, BookingRequestStatus};
use huddle_lexicon::com::huddle::defs::Constraints;
use huddle_lexicon::com::huddle::service::Service;
use huddle_native::ActorStore;
use huddle_ports::{Clock as _, Timestamp};
use huddle_syntax::schema::Record as _;
use huddle_syntax::{Datetime, Did};
use huddle_testkit::ListedWindows;
use huddle_testkit::network::Hosting;

use crate::world::{Answers, NOW, World, rkey};

const US: &str = "did:web:huddle.example";
pub(crate) const HOUR: Duration = Duration::from_hours(1);
pub(crate) const DAY: Duration = Duration::from_hours(24);

/// Nobody answers.
struct Silence;

#[async_trait]
impl ActorTransport for Silence {
    async fn send(&self, to: &ActorName, _: Command) -> Result<Reply, Unreachable> {
        Err(Unreachable {
            actor: to.clone(),
            problem: "silence".to_owned(),
        })
    }
}

/// Finds what the windows have, or what it is told to find in place of that.
struct Moods {
    windows: ListedWindows,
    instead: Arc<Mutex<Option<Found>>>,
}

#[async_trait]
impl Availability for Moods {
    async fn search(&self, search: &Search, deadline: Timestamp) -> Found {
        let instead = self.instead.lock().unwrap().clone();
        match instead {
            Some(found) => found,
            None => self.windows.search(search, deadline).await,
        }
    }

    async fn check(&self, booking: &Booking, place: &Place, deadline: Timestamp) -> Checked {
        self.windows.check(booking, place, deadline).await
    }
}

/// A host whom we serve, and a guest.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) ada: Did,
    pub(crate) bob: Did,
    pub(crate) actors: Arc<ActorStore>,
    pub(crate) requests: Requests,
    pub(crate) windows: ListedWindows,
    /// What searches find in place of slots.
    instead: Arc<Mutex<Option<Found>>>,
}

pub(crate) fn datetime(moment: Timestamp) -> Datetime {
    Datetime::from_timestamp_millis(moment.as_millis()).unwrap()
}

pub(crate) fn ids() -> BookingIds {
    BookingIds::new(&[7; 32])
}

impl Scene {
    pub(crate) fn new() -> Self {
        let world = World::new();
        let (ada, bob) = (world.sign_up("ada"), world.sign_up("bob"));
        let us = Service::new(US.parse().unwrap(), datetime(NOW));
        world.network.put(&ada, &rkey("self"), &us).unwrap();
        let mut windows = ListedWindows::default();
        windows.add(&ada, NOW + DAY, NOW + DAY + 3 * HOUR).unwrap();
        let actors = ActorStore::in_memory(world.clock.clone(), Limits::default());
        let actors = Arc::new(actors.unwrap());
        let instead = Arc::default();
        let moods = Moods {
            windows: windows.clone(),
            instead: Arc::clone(&instead),
        };
        let (clock, limits) = (world.clock.clone(), Arc::new(Limits::default()));
        let flows = Flows::new(actors.clone(), Arc::new(moods), clock, limits);
        let requests = Requests::new(world.indexer(), flows, ids(), US.parse().unwrap());
        Self {
            world,
            ada,
            bob,
            actors,
            requests,
            windows,
            instead,
        }
    }

    /// Has the guest ask for a meeting.
    pub(crate) fn publish(&self, key: &str, change: impl FnOnce(&mut BookingRequest)) {
        self.publish_as(&self.bob, key, change);
    }

    fn publish_as(&self, guest: &Did, key: &str, change: impl FnOnce(&mut BookingRequest)) {
        let created = datetime(self.world.clock.now());
        let mut request = BookingRequest::new(self.ada.clone(), Constraints::default(), created);
        change(&mut request);
        let network = &self.world.network;
        network.put(guest, &rkey(key), &request).unwrap();
    }

    pub(crate) fn take_back(&self, key: &str) {
        let collection = BookingRequest::NSID.parse().unwrap();
        let network = &self.world.network;
        network.delete(&self.bob, &collection, &rkey(key)).unwrap();
    }

    /// Takes over what has been published, and does what is to be done.
    pub(crate) async fn sweep(&self) -> Swept {
        self.world.follow().await;
        self.requests.sweep().await.unwrap()
    }

    /// All requests: how they stand, and what their bookings do.
    pub(crate) async fn standing(&self) -> Vec<String> {
        let sql = "SELECT uri || ' ' || version, state FROM requests WHERE version <> '' \
                   ORDER BY first_seen, rev";
        let mut standing = Vec::new();
        for row in self.world.rows(sql).await {
            let (key, state) = row.split_once(" | ").unwrap();
            let phase = self.booking(key).await.map(|booking| booking.phase);
            let word = phase.as_ref().map_or("none", Phase::word);
            standing.push(format!("{state}: {word}"));
        }
        standing
    }

    /// How the booking of the second round of the version that was asked first stands.
    async fn third_booking(&self) -> Option<&'static str> {
        let sql = "SELECT uri || ' ' || version || ' ' || round FROM requests WHERE round = 1";
        let key = self.world.rows(sql).await.pop()?;
        Some(self.booking(&key).await?.phase.word())
    }

    /// What searches find from now on.
    fn find(&self, instead: Option<Found>) {
        *self.instead.lock().unwrap() = instead;
    }

    /// The notes of the audit.
    async fn audit(&self) -> Vec<String> {
        self.world.rows("SELECT kind, detail FROM audit").await
    }

    async fn booking(&self, key: &str) -> Option<Booking> {
        let id = ids().of_request(&self.bob, BookingRequest::NSID, key);
        let flows = flows(&self.world, self.actors.clone(), self.windows.clone());
        flows.read(&id, None).await.unwrap().ok()
    }
}

pub(crate) fn flows(
    world: &World,
    actors: Arc<dyn ActorTransport>,
    windows: ListedWindows,
) -> Flows {
    let (clock, limits) = (world.clock.clone(), Arc::new(Limits::default()));
    Flows::new(actors, Arc::new(windows), clock, limits)
}

pub(crate) fn requests(
    world: &World,
    actors: Arc<dyn ActorTransport>,
    windows: ListedWindows,
) -> Requests {
    let flows = flows(world, actors, windows);
    Requests::new(world.indexer(), flows, ids(), US.parse().unwrap())
}

/// Goes through what is to be done while hosts never answer, until all stands like this.
async fn sweep_until(scene: &Scene, expect: &[&str]) {
    let indexer = scene
        .world
        .indexer_asking(scene.world.hosts(Answers::Never));
    let flows = flows(&scene.world, scene.actors.clone(), scene.windows.clone());
    let requests = Requests::new(indexer, flows, ids(), US.parse().unwrap());
    let mut sweep = requests.sweep().boxed();
    for _ in 0..100 {
        assert_eq!((&mut sweep).now_or_never(), None);
        if scene.standing().await == expect {
            return;
        }
    }
    assert_eq!(scene.standing().await, expect);
}

pub(crate) const fn swept(settled: usize, waiting: usize) -> Swept {
    Swept { settled, waiting }
}

#[tokio::test]
async fn a_record_is_enough_to_have_a_meeting_confirmed() {
    let scene = Scene::new();
    scene.publish("a", |request| request.note = Some("My talk".to_owned()));
    assert_eq!(scene.sweep().await, swept(1, 0));
    assert_eq!(scene.standing().await, ["asked: confirmed"]);
    let sql = "SELECT uri || ' ' || version FROM requests";
    let key = &scene.world.rows(sql).await[0];
    let booking = scene.booking(key).await.unwrap();
    assert_eq!(
        (&booking.asked.host, &booking.asked.guest),
        (&scene.ada, &scene.bob)
    );
    assert_eq!(booking.asked.note.as_deref(), Some("My talk"));
    let uri = format!("at://{}/com.huddle.bookingRequest/a", scene.bob);
    assert_eq!(booking.asked.request.unwrap().as_str(), uri);
    assert_eq!(scene.sweep().await, swept(0, 0));
}

/// Checks what becomes of a request, and what the guest can be told of it.
async fn check_ignored(
    why: &[&str],
    scene: Scene,
    change: impl FnOnce(&Scene, &mut BookingRequest),
) {
    scene.publish("a", |request| change(&scene, request));
    assert_eq!(scene.sweep().await, swept(1, 0), "{why:?}");
    assert_eq!(scene.standing().await, ["ignored: none"], "{why:?}");
    let audit = scene.world.rows("SELECT detail FROM audit").await;
    assert_eq!(audit, why);
}

#[tokio::test]
async fn a_request_that_is_too_late_or_not_for_us_to_decide_is_ignored() {
    check_ignored(&["seenTooLate"], Scene::new(), |_, request| {
        request.created_at = datetime(NOW - DAY - Duration::from_secs(1));
    })
    .await;
    check_ignored(&["createdInTheFuture"], Scene::new(), |_, request| {
        request.created_at = datetime(NOW + Duration::from_secs(5 * 60 + 1));
    })
    .await;
    check_ignored(&["latestHasPassed"], Scene::new(), |_, request| {
        request.constraints.latest = Some(datetime(NOW));
    })
    .await;
    check_ignored(&["contradictoryConstraints"], Scene::new(), |_, request| {
        request.constraints.duration_min = Some(60);
        request.constraints.duration_max = Some(30);
    })
    .await;
    let elsewhere = Service::new("did:web:other.example".parse().unwrap(), datetime(NOW));
    check_ignored(&[], Scene::new(), |scene, _| {
        let network = &scene.world.network;
        network.put(&scene.ada, &rkey("self"), &elsewhere).unwrap();
    })
    .await;
    check_ignored(&[], Scene::new(), |scene, request| {
        request.host_did = scene.world.sign_up("cleo");
    })
    .await;
}

#[tokio::test]
async fn a_request_just_in_time_is_asked() {
    for created in [NOW - DAY, NOW + Duration::from_mins(5)] {
        let scene = Scene::new();
        scene.publish("a", |request| request.created_at = datetime(created));
        scene.sweep().await;
        assert_eq!(scene.standing().await, ["asked: confirmed"]);
    }
}

#[tokio::test]
async fn a_request_waits_until_the_repository_of_its_host_was_fetched_but_for_no_more_than_a_day() {
    for (wait, expect) in [(HOUR, "asked"), (DAY, "ignored")] {
        let scene = Scene::new();
        let cleo = scene.world.sign_up("cleo");
        scene.publish("a", |request| request.host_did = cleo.clone());
        scene.world.follow().await;
        let us = Service::new(US.parse().unwrap(), datetime(NOW));
        let network = &scene.world.network;
        network.put(&cleo, &rkey("self"), &us).unwrap();
        let unfetched = vec![repos::follow(cleo.as_str())];
        scene.world.index.batch(unfetched).await.unwrap();
        assert_eq!(scene.requests.sweep().await, Ok(swept(0, 1)));
        scene.world.clock.step(wait);
        if expect == "asked" {
            scene.world.follow().await;
        }
        assert_eq!(scene.requests.sweep().await, Ok(swept(1, 0)));
        let standing = scene.standing().await;
        assert!(standing[0].starts_with(expect), "{standing:?}");
    }
}

#[tokio::test]
async fn who_names_hosts_that_never_answer_has_no_more_of_them_asked_than_a_day_allows() {
    let scene = Scene::new();
    for number in 0..25 {
        let host = scene.world.sign_up(&format!("n{number}"));
        scene.publish(&format!("r{number}"), |request| request.host_did = host);
    }
    scene.world.follow().await;
    // Accounts of which the stream has told are not asked.
    let forget = Statement {
        sql: "DELETE FROM repos WHERE did <> ?1",
        bindings: vec![Value::Text(scene.bob.to_string())],
    };
    scene.world.index.batch(vec![forget]).await.unwrap();
    let hosts = scene.world.hosts(Answers::Refused);
    let indexer = scene.world.indexer_asking(hosts.clone());
    let flows = flows(&scene.world, scene.actors.clone(), scene.windows.clone());
    let requests = Requests::new(indexer, flows, ids(), US.parse().unwrap());
    assert_eq!(requests.sweep().await, Ok(swept(5, 20)));
    assert_eq!(hosts.asked().len(), 20);
}

#[tokio::test]
async fn a_host_that_never_answers_holds_up_nobody_else_and_nothing_that_is_taken_back() {
    let scene = Scene::new();
    let (cleo, dan) = (scene.world.sign_up("cleo"), scene.world.sign_up("dan"));
    scene.publish("a", |_| {});
    scene.sweep().await;
    let forget = Statement {
        sql: "DELETE FROM repos WHERE did = ?1",
        bindings: vec![Value::Text(dan.to_string())],
    };
    scene.publish("0", |request| request.host_did = dan.clone());
    scene.world.follow().await;
    let first = Statement {
        sql: "UPDATE requests SET first_seen = first_seen - 1 WHERE state = 'new'",
        bindings: vec![],
    };
    let statements = vec![forget, first];
    scene.world.index.batch(statements).await.unwrap();
    scene.take_back("a");
    scene.publish_as(&cleo, "b", |_| {});
    scene.world.follow().await;
    let expect = ["new: none", "asked: none", "withdrawn: canceled"];
    sweep_until(&scene, &expect).await;
}

#[tokio::test]
async fn a_status_that_guests_write_says_nothing_but_that_they_withdraw() {
    for status in ["pending", "held", "declined", "confirmed"] {
        let scene = Scene::new();
        let status = status.parse().unwrap();
        scene.publish("a", |request| request.status = Some(status));
        scene.sweep().await;
        assert_eq!(scene.standing().await, ["asked: confirmed"]);
    }
    let scene = Scene::new();
    let withdrawn = |request: &mut BookingRequest| {
        request.status = Some(BookingRequestStatus::Withdrawn);
    };
    scene.publish("a", withdrawn);
    assert_eq!(scene.sweep().await, swept(0, 0));
    scene.publish("b", |_| {});
    scene.sweep().await;
    scene.publish("b", withdrawn);
    assert_eq!(scene.sweep().await, swept(1, 0));
    assert_eq!(scene.standing().await, ["withdrawn: canceled"]);
}

#[tokio::test]
async fn who_deletes_the_record_calls_the_meeting_off_until_it_has_begun() {
    let scene = Scene::new();
    scene.publish("a", |_| {});
    scene.sweep().await;
    scene.take_back("a");
    assert_eq!(scene.sweep().await, swept(1, 0));
    assert_eq!(scene.standing().await, ["withdrawn: canceled"]);

    let scene = Scene::new();
    scene.publish("a", |_| {});
    scene.sweep().await;
    scene.world.clock.step(DAY);
    scene.take_back("a");
    assert_eq!(scene.sweep().await, swept(1, 0));
    assert_eq!(scene.standing().await, ["withdrawn: confirmed"]);
}

#[tokio::test]
async fn other_constraints_are_a_new_request_and_another_note_is_none() {
    let scene = Scene::new();
    scene.publish("a", |_| {});
    scene.sweep().await;
    scene.publish("a", |request| request.note = Some("Please".to_owned()));
    assert_eq!(scene.sweep().await, swept(0, 0));
    scene.publish("a", |request| request.constraints.duration_min = Some(60));
    assert_eq!(scene.sweep().await, swept(2, 0));
    let standing = ["withdrawn: canceled", "asked: confirmed"];
    assert_eq!(scene.standing().await, standing);
}

#[tokio::test]
async fn what_passes_is_tried_again_at_longer_and_longer_intervals() {
    for passing in [
        Found::Delayed(Side::Host { stranger: true }),
        Found::Unreadable(Side::Host { stranger: true }),
        Found::Unreadable(Side::Guest),
    ] {
        let scene = Scene::new();
        scene.find(Some(passing.clone()));
        scene.publish("a", |_| {});
        for secs in [5, 10, 20, 40] {
            assert_eq!(scene.sweep().await, swept(0, 1), "{passing:?}");
            scene.world.clock.step(Duration::from_secs(secs - 1));
            assert_eq!(scene.sweep().await, swept(0, 0), "it rests for {secs} s");
            scene.world.clock.step(Duration::from_secs(1));
        }
        scene.find(None);
        assert_eq!(scene.sweep().await, swept(1, 0));
        assert_eq!(scene.standing().await, ["asked: confirmed"], "{passing:?}");
    }
}

#[tokio::test]
async fn what_does_not_pass_is_given_up_after_a_day_or_when_it_is_too_late() {
    for (latest, wait, why) in [
        (None, DAY, "noAnswerInTime"),
        (Some(HOUR), HOUR, "latestHasPassed"),
    ] {
        let scene = Scene::new();
        scene.find(Some(Found::Delayed(Side::Host { stranger: true })));
        scene.publish("a", |request| {
            request.constraints.latest = latest.map(|after| datetime(NOW + after));
        });
        assert_eq!(scene.sweep().await, swept(0, 1));
        scene.world.clock.step(wait);
        assert_eq!(scene.sweep().await, swept(1, 0));
        assert_eq!(scene.audit().await, [format!("requestIgnored | {why}")]);
    }
}

#[tokio::test]
async fn a_request_for_which_nothing_suits_is_over_and_its_guest_can_be_told_that() {
    let scene = Scene::new();
    scene.find(Some(Found::Proposals(Vec::new())));
    scene.publish("a", |_| {});
    assert_eq!(scene.sweep().await, swept(1, 0));
    assert_eq!(scene.audit().await, ["requestUnmatched | "]);
    scene.find(None);
    scene.world.clock.step(DAY);
    assert_eq!(scene.sweep().await, swept(0, 0));
}

#[tokio::test]
async fn who_comes_back_to_what_they_asked_before_asks_anew() {
    let scene = Scene::new();
    let half_an_hour = |request: &mut BookingRequest| request.constraints.duration_min = Some(30);
    let an_hour = |request: &mut BookingRequest| request.constraints.duration_min = Some(60);
    scene.publish("a", half_an_hour);
    scene.sweep().await;
    scene.publish("a", an_hour);
    assert_eq!(scene.sweep().await, swept(2, 0));
    scene.publish("a", half_an_hour);
    assert_eq!(scene.sweep().await, swept(2, 0));
    // The third booking is of the second round of the first version.
    assert_eq!(scene.third_booking().await, Some("confirmed"));
    let sql = "SELECT state, round FROM requests WHERE version <> '' ORDER BY rev";
    let standing = ["withdrawn | 0", "asked | 1"];
    assert_eq!(scene.world.rows(sql).await, standing);
}

#[tokio::test]
async fn who_comes_back_before_anybody_has_looked_has_the_first_booking_called_off() {
    let scene = Scene::new();
    let half_an_hour = |request: &mut BookingRequest| request.constraints.duration_min = Some(30);
    scene.publish("a", half_an_hour);
    scene.sweep().await;
    scene.publish("a", |request| request.constraints.duration_min = Some(60));
    scene.publish("a", half_an_hour);
    // Nobody has asked for the version in between.
    assert_eq!(scene.sweep().await, swept(2, 0));
    assert_eq!(scene.third_booking().await, Some("confirmed"));
    let versions = scene.standing().await;
    assert_eq!(versions, ["withdrawn: none", "asked: canceled"]);
}

#[tokio::test]
async fn who_goes_to_and_fro_has_no_more_requests_a_day_than_anybody() {
    let scene = Scene::new();
    for round in 0..25 {
        let minutes = if round % 2 == 0 { 30 } else { 60 };
        scene.publish("a", |request| {
            request.constraints.duration_min = Some(minutes);
        });
        scene.sweep().await;
    }
    let sql = "SELECT sum(round + (state <> 'ignored')) FROM requests WHERE version <> ''";
    assert_eq!(scene.world.rows(sql).await, ["20"]);
}

#[tokio::test]
async fn who_deletes_the_account_asks_for_nothing_any_more() {
    let scene = Scene::new();
    scene.publish("a", |_| {});
    scene.sweep().await;
    let network = &scene.world.network;
    network.set_hosting(&scene.bob, Hosting::Deleted).unwrap();
    assert_eq!(scene.sweep().await, swept(2, 0));
    assert_eq!(scene.standing().await, ["withdrawn: canceled"]);
    let records = scene.world.rows("SELECT record FROM requests").await;
    assert_eq!(records, ["{}"]);
}

#[tokio::test]
async fn what_could_not_be_asked_is_asked_by_the_next_process() {
    let scene = Scene::new();
    scene.publish("a", |_| {});
    scene.world.follow().await;
    let in_vain = requests(&scene.world, Arc::new(Silence), scene.windows.clone());
    assert_eq!(in_vain.sweep().await, Ok(swept(0, 1)));
    assert_eq!(scene.standing().await, ["new: none"]);
    assert_eq!(scene.sweep().await, swept(0, 0), "it rests");
    scene.world.clock.step(Duration::from_secs(5));
    assert_eq!(scene.sweep().await, swept(1, 0));
    assert_eq!(scene.standing().await, ["asked: confirmed"]);
    scene.take_back("a");
    scene.world.follow().await;
    assert_eq!(in_vain.sweep().await, Ok(swept(0, 1)));
    assert_eq!(scene.sweep().await, swept(1, 0));
    assert_eq!(scene.standing().await, ["withdrawn: canceled"]);
}

#[tokio::test]
async fn of_one_guest_only_so_many_requests_of_a_day_are_asked() {
    let scene = Scene::new();
    for number in 0..25 {
        scene.publish(&format!("r{number}"), |_| {});
    }
    assert_eq!(scene.sweep().await, swept(25, 0));
    let standing = scene.standing().await;
    let asked = standing.iter().filter(|it| it.starts_with("asked")).count();
    assert_eq!(asked, 20, "{standing:#?}");
    scene.world.clock.step(DAY + HOUR);
    scene.publish("tomorrow", |_| {});
    assert_eq!(scene.sweep().await, swept(1, 0));
    let standing = scene.standing().await;
    assert!(
        standing.last().unwrap().starts_with("asked"),
        "{standing:#?}"
    );
}
