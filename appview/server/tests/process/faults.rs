//! What a machine may do to the process: it says what is wrong, and nothing is booked that must not be.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::sync::Arc;

use huddle_core::Limits;
use huddle_core::booking::{Asked, BookingIds};
use huddle_core::flows::Flows;
use huddle_core::idempotency::Key;
use huddle_lexicon::com::huddle::defs::BookingStatus;
use huddle_lexicon::com::huddle::r#match as matching;
use huddle_native::{ActorStore, Database};
use huddle_ports::{StatusCode, Timestamp};
use huddle_syntax::Did;
use huddle_testkit::{ListedWindows, SteppingClock};
use huddle_xrpc::Generic;
use huddle_xrpc::client::ClientError;

use crate::consistency::{assert_sound, until_at_rest};
use crate::load::{self, Load};
use crate::program::{Serving, finish, huddle, huddle_after, huddle_on_a_disk_of, run};
use crate::world::World;

/// Somebody who owns nothing, for where the tests are run by somebody whom no permissions stop.
const NOBODY: u32 = 65534;

/// The bytes of a page of a database.
const PAGE: u64 = 4096;

/// What is told of a fault of ours: nothing but that it is one.
#[track_caller]
fn assert_fault(refused: ClientError<matching::Error>) {
    let ClientError::Undeclared(answer) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.generic(), Some(Generic::InternalServerError));
}

async fn assert_confirmed(world: &World, server: &Serving, guest: &Did, id: &str) {
    let booking = world.booking(&server.url, guest, id).await.unwrap();
    assert_eq!(booking.status, BookingStatus::Confirmed);
}

/// The id of a meeting that came about.
async fn meeting(world: &World, server: &Serving, guest: &Did, host: &Did) -> String {
    let held = world.ask(&server.url, guest, host, "before").await.unwrap();
    world.accept(&server.url, guest, &held.id).await.unwrap();
    assert_confirmed(world, server, guest, &held.id).await;
    held.id
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

/// Has what is in the folder of the installation read, and nothing written, by whoever is begun after it.
const READ_ONLY: &str = "exec unshare --user --map-root-user --mount sh -c 'mount --bind huddle-data huddle-data && \
                         mount -o remount,bind,ro huddle-data && exec \"$@\"' sh \"$@\"";

#[test]
fn an_installation_on_a_disk_that_is_read_only_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = huddle(folder.path());
    command.arg("serve");
    let server = Serving::start(command).unwrap();
    server.terminate();
    server.wait();

    let read_only = || huddle_after(READ_ONLY, folder.path());
    if finish(read_only().arg("--version")).code != Some(0) {
        huddle_testdata::skip("this user may not have what is mounted to themselves");
        return;
    }
    let mut command = read_only();
    command.arg("serve");
    let refused = Serving::start(command).err().unwrap();
    refused.fails(1, "its disk must not be read-only");
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
        let held = match world.try_ask(&server.url, guest, &host, &key).await {
            Ok(answer) => answer.booking.unwrap(),
            Err(refused) => {
                assert_fault(refused);
                break;
            }
        };
        let accepted = world.accept(&server.url, guest, &held.id).await;
        if accepted.is_some_and(|it| it.status == BookingStatus::Confirmed) {
            confirmed.push((guest.clone(), held.id));
        }
    }
    // What is there is still told.
    let (guest, id) = confirmed.last().unwrap();
    assert_confirmed(&world, &server, guest, id).await;
    server.terminate();
    let (_, said) = server.wait();
    assert!(said.contains("disk I/O error"), "{said}");
    assert_sound(&folder.path().join("huddle-data"), "full");

    let server = Serving::start(world.serve(folder.path())).unwrap();
    for (guest, id) in &confirmed {
        assert_confirmed(&world, &server, guest, id).await;
    }
    let guest = &world.guests[0];
    let held = world.ask(&server.url, guest, &host, "room again").await;
    assert_eq!(held.unwrap().status, BookingStatus::Held);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_others_fill_up_refuses_until_there_is_room_again() {
    let folder = tempfile::tempdir().unwrap();
    let Some(command) = huddle_on_a_disk_of(16 << 20, folder.path()) else {
        huddle_testdata::skip("this user may not make a disk of their own");
        return;
    };
    let world = World::new(1).await;
    let server = Serving::start(world.serve_by(command)).unwrap();
    let (host, guest) = (world.host("host"), &world.guests[0]);
    world.until_known(&server.url, &host).await;
    let id = meeting(&world, &server, guest, &host).await;

    let ballast = server.seen(&folder.path().join("huddle-data/ballast"));
    let full = fs::write(&ballast, vec![1; 17 << 20]).unwrap_err();
    assert_eq!(full.kind(), ErrorKind::StorageFull);
    let refused = world.try_ask(&server.url, guest, &host, "meanwhile").await;
    assert_fault(refused.unwrap_err());
    assert_confirmed(&world, &server, guest, &id).await;
    server.until_it_says("database or disk is full");

    fs::remove_file(&ballast).unwrap();
    let held = world.ask(&server.url, guest, &host, "meanwhile").await;
    assert_eq!(held.unwrap().status, BookingStatus::Held);
    assert_confirmed(&world, &server, guest, &id).await;
}

/// A file system that has become read-only refuses each write, and so does a limit of 0 bytes.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_nothing_any_more_under_load_refuses_reads_on_and_goes_on_once_it_does() {
    let world = Arc::new(World::new(8).await);
    let folder = tempfile::tempdir().unwrap();
    // The signal would end it before the error is told.
    let limited = huddle_after("trap '' XFSZ", folder.path());
    let server = Serving::start(world.serve_by(limited)).unwrap();
    let (host, guest) = (world.host("host"), &world.guests[0]);
    world.until_known(&server.url, &host).await;
    let id = meeting(&world, &server, guest, &host).await;

    let load = Load::begin(world.clone(), &server.url, vec![host.clone()], 0);
    load.until_asked(20).await;
    server.limit_files(Some(0));
    let refused = world.try_ask(&server.url, guest, &host, "meanwhile").await;
    assert_fault(refused.unwrap_err());
    server.until_it_says("disk I/O error");
    let asked = load.asked();
    load.until_asked(asked + 20).await;
    // What is read in one batch with a write that fails is refused with it, and told the next time.
    let read = loop {
        if let Some(read) = world.booking(&server.url, guest, &id).await {
            break read;
        }
    };
    assert_eq!(read.status, BookingStatus::Confirmed);
    let data = folder.path().join("huddle-data");
    assert_sound(&data, "while nothing is taken");

    server.limit_files(None);
    let held = world.ask(&server.url, guest, &host, "meanwhile").await;
    assert_eq!(held.unwrap().status, BookingStatus::Held);
    let asked = load.asked();
    load.until_asked(asked + 20).await;
    let told = load.end().await;
    load::assert_told(&world, &server.url, &told).await;
    until_at_rest(&data).await;
    assert_sound(&data, "at rest");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_damaged_while_it_is_served_answers_nothing_wrong() {
    let world = World::new(1).await;
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(world.serve(folder.path())).unwrap();
    let (host, guest) = (world.host("host"), &world.guests[0]);
    world.until_known(&server.url, &host).await;
    let id = meeting(&world, &server, guest, &host).await;
    server.terminate();
    server.wait();

    // What it has read of the file since it began, it does not read again.
    let server = Serving::start(world.serve(folder.path())).unwrap();
    let path = folder.path().join("huddle-data/actors.sqlite");
    let pages = fs::metadata(&path).unwrap().len() - PAGE;
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    let garbage = vec![0xff; pages.try_into().unwrap()];
    file.write_all_at(&garbage, PAGE).unwrap();

    assert_eq!(world.booking(&server.url, guest, &id).await, None);
    let refused = world.try_ask(&server.url, guest, &host, "meanwhile").await;
    assert_fault(refused.unwrap_err());
    let health = world.status(&server.url, "/healthz").await;
    assert_eq!(health, StatusCode::SERVICE_UNAVAILABLE);
    server
        .until_it_says("malformed: the file is damaged, so stop the service and restore a backup");
    server.kill();
    let refused = Serving::start(world.serve(folder.path())).err().unwrap();
    refused.fails(1, "is no intact SQLite database");
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
        let asked = Asked::new(host.clone(), guest.clone());
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
