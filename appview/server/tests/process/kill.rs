//! Nothing is lost when the process is killed at any instant, and nothing is done that must not be.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use huddle_core::Limits;
use huddle_core::index::{cursors, repos};
use huddle_native::{ActorStore, Backlog, Database, OsRandom, SqliteIndex, SystemClock};
use huddle_ports::{Clock as _, Random as _};
use huddle_syntax::Did;
use huddle_testdata::is_full;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::consistency::{assert_sound, until_at_rest};
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

/// So long after it was started it is killed at the latest, where it is killed while it begins: it listens by then.
const BEGINNING: Duration = Duration::from_millis(200);
/// So long after somebody has asked it is killed at the latest: about then there is an answer.
const REQUEST: Duration = Duration::from_millis(20);

/// Chance by a seed, as `SplitMix64` has it.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    /// Lets less than `longest` pass: what is under way meanwhile is to be met anywhere.
    async fn wait(&mut self, longest: Duration) {
        let nanos = u64::try_from(longest.as_nanos()).unwrap();
        sleep(Duration::from_nanos(self.below(nanos))).await;
    }
}

/// Names the seed, as a variable of the environment: what is drawn is the same then, though not how fast all goes.
const SEED: &str = "HUDDLE_KILL_SEED";

/// The one that is named, or another one each time.
#[expect(clippy::disallowed_methods, reason = "a test's own settings")]
fn seed() -> u64 {
    if let Ok(seed) = env::var(SEED) {
        return seed.parse().unwrap();
    }
    let mut bytes = [0; 8];
    OsRandom.fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// Starts a server, and kills it before it has begun, or soon after.
async fn kill_at_start(mut command: Command, dice: &mut Dice) {
    command.args(["--listen", "127.0.0.1:0"]);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut server = command.stderr(Stdio::null()).spawn().unwrap();
    dice.wait(BEGINNING).await;
    server.kill().unwrap();
    server.wait().unwrap();
}

/// The files as a killed server has left them, with what is in their logs alone, to be looked into: whoever does so
/// carries the logs over, and of the files themselves that is for the next server to do.
fn left_behind(data: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(data).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    for database in Database::ALL {
        let log = database.path(data).with_extension("sqlite-wal");
        let log = fs::metadata(log).unwrap();
        assert!(log.len() > 0, "{} has no log", database.file_name());
    }
    copy
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
    let seed = seed();
    println!("seed {seed}; {SEED}={seed} draws the same");
    let mut dice = Dice(seed);
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
        if round % 2 == 0 {
            kill_at_start(world.serve_with_mail(folder.path()), &mut dice).await;
        }
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
        let kill_at = 10 + dice.below(50);
        for new in 0..NEW_HOSTS {
            load.until_asked(dice.below(kill_at)).await;
            offered.push(Offered::by(&world, &format!("late{round}-{new}")));
        }
        if round == 0 {
            // Or a few short rounds might be over before any was kept.
            until_it_is_passed(&data, &offered[0]).await;
        }
        load.until_asked(kill_at).await;
        dice.wait(REQUEST).await;
        server.kill();
        told.extend(load.end().await);
        let when = format!("after round {round}");
        let left = left_behind(&data);
        assert_sound(left.path(), &when);
        passed += assert_cursor_is_not_ahead(left.path(), &offered, &when).await;
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
    until_worked_off(&data).await;
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

/// Waits until every task is done that is not left alone. What was cut off is, until its lease is over, which only a full
/// run waits for.
async fn until_worked_off(data: &Path) {
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
