//! What a machine may do to the process: it says what is wrong, and nothing is booked that must not be.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::sync::Arc;

use huddle_core::Limits;
use huddle_core::booking::{Asked, BookingIds, Constraints};
use huddle_core::flows::Flows;
use huddle_core::idempotency::Key;
use huddle_lexicon::com::huddle::defs::BookingStatus;
use huddle_native::{ActorStore, Contradiction, Database, SystemClock};
use huddle_ports::{Clock as _, Timestamp};
use huddle_syntax::Did;
use huddle_testkit::{ListedWindows, SteppingClock};

use crate::program::{Serving, huddle, huddle_after, run};
use crate::world::World;

/// Somebody who owns nothing, for where the tests are run by somebody whom no permissions stop.
const NOBODY: u32 = 65534;

#[track_caller]
fn assert_sound(folder: &Path) {
    let found = Contradiction::find(&folder.join("huddle-data"), SystemClock.now()).unwrap();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_folder_that_cannot_be_written_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("huddle-data");
    fs::create_dir(&data).unwrap();
    let mut command = huddle(folder.path());
    command.arg("serve");
    if rustix::process::geteuid().is_root() {
        chown(&data, Some(NOBODY), None).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        command.uid(NOBODY);
    }
    fs::set_permissions(&data, fs::Permissions::from_mode(0o500)).unwrap();
    let refused = Serving::start(command).err().unwrap();
    refused.fails(1, "this user must be allowed to write there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_refuses_and_forgets_nothing() {
    let world = World::new(8).await;
    let folder = tempfile::tempdir().unwrap();
    // No file may grow beyond so many blocks of 512 bytes, as if there were no more room.
    let full = huddle_after("trap '' XFSZ; ulimit -f 4000", folder.path());
    let server = Serving::start(world.serve_by(full)).unwrap();
    let host = world.host("host");
    world.until_known(&server.url, &host).await;
    let mut confirmed = Vec::new();
    // Until the log of the database is as long as it may be.
    for number in 0.. {
        let guest = &world.guests[number % world.guests.len()];
        let key = format!("key {number}");
        let Some(held) = world.ask(&server.url, guest, &host, &key).await else {
            break;
        };
        match world.accept(&server.url, guest, &held.id).await {
            Some(booking) if booking.status == BookingStatus::Confirmed => {
                confirmed.push((guest.clone(), held.id));
            }
            _ => break,
        }
    }
    assert!(!confirmed.is_empty());
    server.terminate();
    let (_, said) = server.wait();
    assert!(
        said.contains("disk I/O error") || said.contains("full"),
        "{said}"
    );
    assert_sound(folder.path());

    let server = Serving::start(world.serve(folder.path())).unwrap();
    for (guest, id) in &confirmed {
        let booking = world.booking(&server.url, guest, id).await.unwrap();
        assert_eq!(booking.status, BookingStatus::Confirmed);
    }
    let guest = &world.guests[0];
    let held = world.ask(&server.url, guest, &host, "room again").await;
    assert_eq!(held.unwrap().status, BookingStatus::Held);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_damaged_is_not_served_and_a_backup_takes_its_place() {
    let world = World::new(1).await;
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(world.serve(folder.path())).unwrap();
    let host = world.host("host");
    world.until_known(&server.url, &host).await;
    let guest = &world.guests[0];
    let held = world.ask(&server.url, guest, &host, "one").await.unwrap();
    run(folder.path(), ["backup", "copy"]).text();
    server.terminate();
    server.wait();

    let path = folder.path().join("huddle-data/actors.sqlite");
    let mut bytes = fs::read(&path).unwrap();
    bytes[16..4096].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let refused = Serving::start(world.serve(folder.path())).err().unwrap();
    refused.fails(1, "is no intact SQLite database");

    fs::remove_dir_all(folder.path().join("huddle-data")).unwrap();
    fs::rename(
        folder.path().join("copy"),
        folder.path().join("huddle-data"),
    )
    .unwrap();
    let server = Serving::start(world.serve(folder.path())).unwrap();
    let restored = world.booking(&server.url, guest, &held.id).await.unwrap();
    assert_eq!(restored.start, held.start);
}

#[tokio::test]
async fn a_clock_that_is_set_back_an_hour_gives_nothing_away_twice() {
    const HOUR: i64 = 3_600_000;
    let at = |hours: i64| Timestamp::from_millis(hours * HOUR);
    let did = |name: &str| -> Did { format!("did:web:{name}.example.com").parse().unwrap() };
    let (busy, asked_for) = (did("busy"), did("asked-for"));
    let mut windows = ListedWindows::default();
    for host in [&busy, &asked_for] {
        let half_past = Timestamp::from_millis(1024 * HOUR + HOUR / 2);
        windows.add(host, at(1024), half_past).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(SteppingClock::at(at(1000)));
    // A process that begins now, over the same file.
    let begin = || {
        let path = Database::Actors.path(folder.path());
        let actors = ActorStore::open(&path, clock.clone(), Limits::default()).unwrap();
        Flows::new(
            Arc::new(actors),
            Arc::new(windows.clone()),
            clock.clone(),
            Arc::default(),
        )
    };
    let ids = BookingIds::new(&[7; 32]);
    let ask = async |flows: &Flows, guest: &Did, host: &Did, key: &str| {
        let asked = Asked {
            host: host.clone(),
            guest: guest.clone(),
            constraints: Constraints::default(),
            offer: None,
            note: None,
            request: None,
            accepted: false,
        };
        let id = ids.of_request(guest, "com.huddle.match", key);
        let booking = flows.request(&id, asked, String::new()).await;
        booking.unwrap().unwrap()
    };
    let (ana, bob) = (did("ana"), did("bob"));
    let flows = begin();
    let confirmed = ask(&flows, &ana, &busy, "one").await;
    let key = Key {
        caller: ana.clone(),
        method: "com.huddle.finalize".to_owned(),
        key: "one".to_owned(),
        body_hash: String::new(),
    };
    let confirmed = flows.finalize(&confirmed.id, key).await.unwrap().unwrap();
    assert_eq!(confirmed.phase.word(), "confirmed");
    let held = ask(&flows, &did("eve"), &asked_for, "two").await;
    assert_eq!(held.phase.word(), "held");

    clock.set(at(999));
    for (flows, key) in [(&flows, "the same"), (&begin(), "another")] {
        for host in [&busy, &asked_for] {
            let refused = ask(flows, &bob, host, &format!("{key} {host}")).await;
            assert_eq!(refused.phase.word(), "expired");
        }
    }
    // The hold ends when it would have ended, and its slot is given away once more.
    clock.set(at(1001));
    let next = ask(&flows, &bob, &asked_for, "later").await;
    assert_eq!(next.phase.word(), "held");
}
