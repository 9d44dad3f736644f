//! Nothing is lost when the process is killed at any instant, and nothing is done that must not be.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use huddle_core::Limits;
use huddle_core::index::{cursors, repos};
use huddle_native::{
    ActorStore, Backlog, Contradiction, Database, OsRandom, SqliteIndex, SystemClock,
};
use huddle_ports::{Clock as _, Random as _};
use huddle_syntax::Did;
use huddle_testdata::is_full;

use crate::load::{self, Load};
use crate::outside::Outside;
use crate::program::Serving;
use crate::world::World;

const GUESTS: usize = 12;
const HOSTS: usize = 3;
/// Who signs up and offers time in each round, while the others are at it.
const NEW_HOSTS: u64 = 3;
/// So many guests, and one host, hear of their bookings outside.
const REACHED: usize = 3;
/// What is tried again within this time is waited for. What was cut off is left alone for longer than that.
const SOON: Duration = Duration::from_secs(5);

/// A number below `end`, by chance.
fn any_below(end: u64) -> u64 {
    let mut bytes = [0; 8];
    OsRandom.fill(&mut bytes);
    u64::from_le_bytes(bytes) % end
}

#[track_caller]
fn assert_sound(data: &Path, when: &str) {
    let found = Contradiction::find(data, SystemClock.now()).unwrap();
    let found: Vec<_> = found.iter().map(Contradiction::to_string).collect();
    assert!(found.is_empty(), "{when}: {found:#?}");
}

/// Somebody who offered time, and the number of the last event that tells of it.
struct Offered {
    host: Did,
    event: i64,
}

impl Offered {
    fn by(world: &World, name: &str) -> Self {
        Self {
            host: world.host(name),
            event: last_event(world),
        }
    }
}

fn last_event(world: &World) -> i64 {
    let events = world.network.network.events_after(None);
    events.len().try_into().unwrap()
}

/// The cursor that is kept, which is every few seconds.
async fn kept_cursor(index: &SqliteIndex) -> i64 {
    let cursors = cursors::all(index).await.unwrap();
    cursors.values().copied().max().unwrap_or(0)
}

/// Waits until a cursor is kept that is past the offer.
async fn until_it_is_passed(data: &Path, offered: &Offered) {
    let index = SqliteIndex::open(&Database::Index.path(data)).unwrap();
    while kept_cursor(&index).await < offered.event {
        tokio::task::yield_now().await;
    }
}

/// What was offered before the cursor that is kept is known, or its repository is kept in mind as one to be fetched. Gives
/// how much that was.
async fn assert_cursor_is_not_ahead(data: &Path, offered: &[Offered], when: &str) -> usize {
    let index = SqliteIndex::open(&Database::Index.path(data)).unwrap();
    let cursor = kept_cursor(&index).await;
    let to_fetch = repos::lost(&index, "", 10_000).await.unwrap();
    let mut passed = 0;
    for Offered { host, event } in offered.iter().filter(|it| it.event <= cursor) {
        let held = repos::held(&index, host).await.unwrap();
        let is_known = held.iter().any(|(uri, _)| uri.contains("officeHours"));
        assert!(
            is_known || to_fetch.contains(host),
            "{when}: the cursor is {cursor}, and of {host} at {event} there is {held:?}"
        );
        passed += 1;
    }
    passed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_at_any_instant_loses_nothing_and_does_nothing_twice() {
    let rounds = if is_full() { 200 } else { 5 };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("huddle-data");
    let world = Arc::new(World::new(GUESTS).await);
    let hosts: Vec<Did> = (0..HOSTS)
        .map(|n| world.host(&format!("host{n}")))
        .collect();
    let start = || Serving::start(world.serve_with_mail(folder.path())).unwrap();
    let mut outside = None;
    let (mut offered, mut passed) = (Vec::new(), 0);
    let mut told = BTreeMap::new();
    for round in 0..rounds {
        let server = start();
        for host in &hosts {
            world.until_known(&server.url, host).await;
        }
        if outside.is_none() {
            let reached = world.guests[..REACHED].iter().chain(&hosts[..1]);
            let reached = reached.cloned().collect();
            outside = Some(Outside::connect(world.clone(), &server.url, reached).await);
        }
        let load = Load::begin(world.clone(), &server.url, hosts.clone(), round);
        let kill_at = 10 + any_below(50);
        for new in 0..NEW_HOSTS {
            load.until_asked(any_below(kill_at)).await;
            offered.push(Offered::by(&world, &format!("late{round}-{new}")));
        }
        if round == 0 {
            // Or a few short rounds might be over before any was kept.
            until_it_is_passed(&data, &offered[0]).await;
        }
        load.until_asked(kill_at).await;
        server.kill();
        told.extend(load.end().await);
        let when = format!("after round {round}");
        assert_sound(&data, &when);
        passed += assert_cursor_is_not_ahead(&data, &offered, &when).await;
    }
    assert!(
        told.len() > rounds.try_into().unwrap(),
        "hardly anything was booked: {}",
        told.len()
    );
    assert!(passed > 0, "the cursor was never kept");

    let server = start();
    for Offered { host, .. } in &offered {
        world.until_known(&server.url, host).await;
    }
    load::assert_told(&world, &server.url, &told).await;
    until_at_rest(&data).await;
    server.terminate();
    let (status, said) = server.wait();
    assert!(status.success(), "{said}");
    assert_sound(&data, "at rest");

    let waiting = Backlog::read(&data).unwrap().waiting;
    let actors = Database::Actors.path(&data);
    let store = ActorStore::open_existing(&actors, Arc::new(SystemClock), Limits::default());
    let known = told.keys().map(String::as_str);
    let compared = outside.unwrap().compare(&store.unwrap(), known).await;
    // Each of them has a task that still waits, and when nothing waits everything is right.
    assert!(
        u64::try_from(compared.late.len()).unwrap() <= waiting,
        "{waiting} tasks wait, and behind are {:#?}",
        compared.late
    );
    for way in ["calendar", "mail", "app"] {
        let right = compared.right.get(way).copied().unwrap_or_default();
        assert!(right >= rounds.try_into().unwrap(), "{way}: {compared:#?}");
    }
}

/// Waits until everything is done that is not left alone. What was cut off is, until its lease is over, which only a full
/// run waits for.
async fn until_at_rest(data: &Path) {
    loop {
        let backlog = Backlog::read(data).unwrap();
        assert_eq!(backlog.dead, 0, "something was given up");
        let rests = |due| !is_full() && SystemClock.now() + SOON < due;
        if backlog.oldest.is_none_or(rests) {
            return;
        }
        tokio::task::yield_now().await;
    }
}
