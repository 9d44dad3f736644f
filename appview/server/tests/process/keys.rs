//! Keys that become others while a server seals and opens with them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use huddle_lexicon::com::huddle::defs::BookingStatus;
use huddle_lexicon::com::huddle::{finalize, r#match as matching};
use huddle_ports::Url;
use huddle_syntax::Did;
use huddle_xrpc::client::ClientError;
use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::program::{Serving, huddle, run};
use crate::world::World;

/// People who ask, meet and call off, one after the other, until they are told to stop; each of it opens what is sealed.
struct Load {
    world: Arc<World>,
    url: Url,
    host: Did,
    is_over: AtomicBool,
    meetings: AtomicUsize,
}

impl Load {
    async fn book(&self, guest: &Did) {
        for number in 0.. {
            let key = format!("{guest} {number}");
            // What another of them has just let go may be refused once more, until its event is gone from the calendar.
            let asked = self.world.try_ask(&self.url, guest, &self.host, &key).await;
            let held = match asked {
                Ok(held) => held.booking.unwrap(),
                Err(ClientError::Declared(refused)) if refused.error == matching::Error::NoSlot => {
                    continue;
                }
                Err(other) => panic!("{key}: {other}"),
            };
            let accepted = self.world.try_accept(&self.url, guest, &held.id).await;
            let confirmed = match accepted {
                Ok(confirmed) => confirmed.booking,
                Err(ClientError::Declared(refused))
                    if refused.error == finalize::Error::SlotTaken =>
                {
                    continue;
                }
                Err(other) => panic!("{key}: {other}"),
            };
            assert_eq!(confirmed.status, BookingStatus::Confirmed, "{key}");
            let canceled = self.world.cancel(&self.url, guest, &held.id).await;
            assert_eq!(canceled.unwrap().status, BookingStatus::Canceled, "{key}");
            self.meetings.fetch_add(1, Ordering::SeqCst);
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
        }
    }

    async fn until_it_goes_on(&self) {
        let before = self.meetings.load(Ordering::SeqCst);
        while self.meetings.load(Ordering::SeqCst) < before + self.world.guests.len() {
            tokio::task::yield_now().await;
        }
    }
}

/// The keys that the calendars of somebody are sealed with.
fn sealed_with(folder: &Path, person: &Did) -> Vec<String> {
    let listed = run(folder, ["connector", "list", person.as_str(), "--json"]).json();
    let calendars = listed["calendars"].as_array().unwrap().iter();
    let key = |calendar: &Value| calendar["sealed_with"].as_str().unwrap().to_owned();
    calendars.map(key).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_under_load_and_nothing_is_lost_with_the_old_ones() {
    let world = Arc::new(World::new(3).await);
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(world.serve(folder.path())).unwrap();
    let host = world.host("host");
    world.until_known(&server.url, &host).await;
    world.connect_calendar(&server.url, &host).await;
    let load = Arc::new(Load {
        world: world.clone(),
        url: server.url.clone(),
        host: host.clone(),
        is_over: AtomicBool::new(false),
        meetings: AtomicUsize::new(0),
    });
    let mut people = JoinSet::new();
    for guest in world.guests.clone() {
        let load = load.clone();
        people.spawn(async move { load.book(&guest).await });
    }
    let mut newest = String::new();
    for _ in 0..3 {
        load.until_it_goes_on().await;
        let rotated = run(folder.path(), ["keys", "rotate", "--json"]).json();
        let resealed = run(folder.path(), ["keys", "reseal", "--json"]).json();
        rotated["newest"].as_str().unwrap().clone_into(&mut newest);
        assert_eq!(resealed["newest"], rotated["newest"]);
        assert_eq!(sealed_with(folder.path(), &host), [newest.as_str()]);
    }
    load.until_it_goes_on().await;
    load.is_over.store(true, Ordering::SeqCst);
    while let Some(person) = people.join_next().await {
        person.unwrap();
    }
    // Who connects now seals with the newest, too.
    let guest = &world.guests[0];
    world.connect_calendar(&server.url, guest).await;
    assert_eq!(sealed_with(folder.path(), guest), [newest.as_str()]);
    server.stop();

    let file = folder.path().join("huddle-data/calendar-keys.secret");
    let keys = fs::read_to_string(&file).unwrap();
    let (first, _) = keys.split_once('\n').unwrap();
    assert!(first.starts_with(&newest), "the newest is in front");
    fs::write(&file, format!("{first}\n")).unwrap();
    let server = Serving::start(world.serve(folder.path())).unwrap();
    let held = world.ask(&server.url, guest, &host, "after").await.unwrap();
    let confirmed = world.accept(&server.url, guest, &held.id).await.unwrap();
    assert_eq!(confirmed.status, BookingStatus::Confirmed);
}

/// As systemd has it, where the folder is open to a user of the service's own and to root.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_root_puts_in_front_are_those_of_a_server_of_another_user() {
    const ANOTHER: u32 = 65534;
    if !rustix::process::geteuid().is_root() {
        huddle_testdata::skip("only root has a server be of another user");
        return;
    }
    let world = World::new(1).await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("huddle-data");
    fs::create_dir(&data).unwrap();
    chown(&data, Some(ANOTHER), Some(ANOTHER)).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let serve = || {
        let mut command = world.serve(folder.path());
        command.uid(ANOTHER).gid(ANOTHER);
        Serving::start(command).unwrap()
    };
    let server = serve();
    let person = &world.guests[0];
    world.connect_calendar(&server.url, person).await;
    let rotated = run(folder.path(), ["keys", "rotate", "--json"]).json();
    let resealed = run(folder.path(), ["keys", "reseal", "--json"]).json();
    assert_eq!(
        resealed,
        json!({ "newest": rotated["newest"], "resealed": 1 })
    );
    // What it connects now is sealed by the server.
    world.connect_calendar(&server.url, person).await;
    let newest = rotated["newest"].as_str().unwrap();
    for key in sealed_with(folder.path(), person) {
        assert_eq!(key, newest);
    }
    server.stop();
    drop(serve());
}

#[test]
fn a_copy_has_the_keys_of_what_is_in_it_though_they_become_others_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = huddle(folder.path());
    command.arg("serve");
    Serving::start(command).unwrap().stop();

    // It waits for the index, which is copied first, and has its folder by then.
    let data = folder.path().join("huddle-data");
    let index = Connection::open(data.join("index.sqlite")).unwrap();
    let lock = "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE";
    index.execute_batch(lock).unwrap();
    let mut command = huddle(folder.path());
    command.args(["backup", "copy", "--json"]);
    let mut copying = command.stdout(Stdio::null()).spawn().unwrap();
    let has_begun = || {
        let mut names = fs::read_dir(folder.path()).unwrap();
        names.any(|entry| entry.unwrap().path().extension() == Some("part".as_ref()))
    };
    while !has_begun() {
        assert_eq!(copying.try_wait().unwrap(), None);
    }
    let tell = |signal| kill_process(Pid::from_child(&copying), signal).unwrap();
    tell(Signal::STOP);
    let rotated = run(folder.path(), ["keys", "rotate", "--json"]).json();
    let newest = rotated["newest"].as_str().unwrap();
    let actors = Connection::open(data.join("actors.sqlite")).unwrap();
    let sealed =
        "INSERT INTO address (actor, sealed, confirmed, expires) VALUES ('a', ?1 || '.AAAA', 1, 0)";
    actors.execute(sealed, [newest]).unwrap();
    drop((actors, index));
    tell(Signal::CONT);
    assert!(copying.wait().unwrap().success());

    let copy = folder.path().join("copy");
    let keys = fs::read_to_string(copy.join("calendar-keys.secret")).unwrap();
    assert!(keys.starts_with(newest), "the newest is not in it");
    let actors = Connection::open(copy.join("actors.sqlite")).unwrap();
    let sealed = "SELECT sealed FROM address";
    let sealed: String = actors.query_row(sealed, [], |row| row.get(0)).unwrap();
    assert_eq!(sealed, format!("{newest}.AAAA"));
}
