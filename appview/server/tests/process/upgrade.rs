//! What an earlier version has left, bookings and all, is taken over by this one.

use std::fs;
use std::future::ready;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use huddle_core::migrations::{ACTOR, INDEX, Migration};
use huddle_lexicon::com::huddle::defs::BookingStatus;
use huddle_native::{Contradiction, Database, SystemClock};
use huddle_ports::{Clock as _, Url};
use huddle_syntax::Did;
use rusqlite::Connection;
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::program::Serving;
use crate::world::{World, account};

/// What every version since the first has in a booking's document, and the rest is left out: later ones have added it.
const LEFT_OUT: &str = "UPDATE booking SET document = json_remove(document, '$.shown_since', '$.days', '$.vain_moves')";

#[tokio::test(flavor = "multi_thread")]
async fn bookings_that_an_earlier_version_has_left_go_on_from_where_they_stood() {
    let world = World::new(3).await;
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(world.serve(folder.path())).unwrap();
    let host = world.host("host");
    world.until_known(&server.url, &host).await;
    let [ana, bob, eve] = &world.guests[..] else {
        panic!("there are three guests");
    };
    let held = world.ask(&server.url, ana, &host, "one").await.unwrap();
    let asked = world.ask(&server.url, bob, &host, "one").await.unwrap();
    let stands = world.accept(&server.url, bob, &asked.id).await.unwrap();
    let asked = world.ask(&server.url, eve, &host, "one").await.unwrap();
    let off = world.accept(&server.url, eve, &asked.id).await.unwrap();
    server.terminate();
    server.wait();

    let steps = ACTOR.steps.len().max(INDEX.steps.len());
    for earlier in 1..steps {
        let left = tempfile::tempdir().unwrap();
        leave(folder.path(), left.path(), earlier);
        let server = Serving::start(world.serve(left.path())).unwrap();
        let url = &server.url;
        let found = world.booking(url, bob, &stands.id).await.unwrap();
        assert_eq!(
            (found.status, found.start),
            (BookingStatus::Confirmed, stands.start.clone())
        );
        // Lists are told by and by. Bounded by the test runner.
        let is_listed = async || {
            let listed = world.bookings(url, bob).await.unwrap();
            listed.iter().any(|booking| booking.id == stands.id)
        };
        while !is_listed().await {
            sleep(Duration::from_millis(10)).await;
        }
        let accepted = world.accept(url, ana, &held.id).await.unwrap();
        assert_eq!(
            (accepted.status, accepted.start),
            (BookingStatus::Confirmed, held.start.clone())
        );
        let canceled = world.cancel(url, eve, &off.id).await.unwrap();
        assert_eq!(canceled.status, BookingStatus::Canceled);
        let next = world.ask(url, eve, &host, "two").await.unwrap();
        assert!(![&held.start, &stands.start].contains(&&next.start));
        server.terminate();
        let (status, said) = server.wait();
        assert!(status.success(), "{said}");
        let data = left.path().join("huddle-data");
        let found = Contradiction::find(&data, SystemClock.now()).unwrap();
        assert!(found.is_empty(), "{earlier}: {found:?}");
    }
}

/// How many steps of the actors' schema a version has that keeps calendars, addresses and webhooks.
const CALENDARS: usize = 2;
const ADDRESSES: usize = 4;
const WEBHOOKS: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_an_earlier_version_has_reached_is_reached_in_the_same_ways() {
    let world = World::new(1).await;
    let (host, guest) = (world.host("host"), &world.guests[0]);
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(world.serve_with_mail(folder.path())).unwrap();
    world.until_known(&server.url, &host).await;
    let reached = Reached::connect(&world, &server.url, guest).await;
    server.terminate();
    server.wait();

    for earlier in 1..ACTOR.steps.len() {
        let left = tempfile::tempdir().unwrap();
        leave(folder.path(), left.path(), earlier);
        let server = Serving::start(world.serve_with_mail(left.path())).unwrap();
        let key = format!("after {earlier}");
        let held = world.ask(&server.url, guest, &host, &key).await.unwrap();
        let accepted = world.accept(&server.url, guest, &held.id).await.unwrap();
        assert_eq!(accepted.status, BookingStatus::Confirmed);
        // Bounded by the test runner.
        while earlier >= CALENDARS && !reached.by_calendar(&world, &held.id)
            || earlier >= ADDRESSES && !reached.by_mail(&world, &held.id)
            || earlier >= WEBHOOKS && !reached.by_app(&held.id)
        {
            sleep(Duration::from_millis(10)).await;
        }
        server.terminate();
        let (status, said) = server.wait();
        assert!(status.success(), "{said}");
    }
}

/// Somebody who has a calendar, an address and an app, and what came there.
struct Reached<'w> {
    person: &'w Did,
    address: String,
    posted: Arc<Mutex<Vec<String>>>,
}

impl<'w> Reached<'w> {
    async fn connect(world: &World, server: &Url, person: &'w Did) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let app = format!("http://{}", listener.local_addr().unwrap());
        let posted = Arc::<Mutex<Vec<String>>>::default();
        let taken = posted.clone();
        let take = move |body: String| {
            taken.lock().unwrap().push(body);
            ready(())
        };
        tokio::spawn(async { axum::serve(listener, Router::new().fallback(take)).await });
        let address = format!("{}@mail.test", account(person));
        world.connect_calendar(server, person).await;
        world.confirm_address(server, person, &address).await;
        world.hook(server, person, &Url::parse(&app).unwrap()).await;
        Self {
            person,
            address,
            posted,
        }
    }

    fn by_calendar(&self, world: &World, booking: &str) -> bool {
        let events = world.network.calendars.events(account(self.person));
        events.iter().any(|event| event.contains(booking))
    }

    fn by_mail(&self, world: &World, booking: &str) -> bool {
        let mail = world.network.mail.mail_for(&self.address);
        let mut invitations = mail.iter().filter_map(|it| it.part("text/calendar"));
        invitations.any(|file| file.contains(booking))
    }

    fn by_app(&self, booking: &str) -> bool {
        let posted = self.posted.lock().unwrap();
        posted.iter().any(|news| news.contains(booking))
    }
}

/// Leaves in `to` what the installation in `from` would be if the version with so many steps had written it.
fn leave(from: &Path, to: &Path, steps: usize) {
    let [from, to] = [from, to].map(|folder| folder.join("huddle-data"));
    fs::create_dir(&to).unwrap();
    for entry in fs::read_dir(&from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    for (database, known) in [
        (Database::Actors, ACTOR.steps),
        (Database::Index, INDEX.steps),
    ] {
        let [from, to] = [&from, &to].map(|folder| database.path(folder));
        fs::remove_file(&to).unwrap();
        let connection = Connection::open(&to).unwrap();
        copy(&connection, &from, &known[..steps.min(known.len())]);
        if let Database::Actors = database {
            connection.execute(LEFT_OUT, []).unwrap();
        }
        let missing = database.missing(&to).unwrap();
        assert_eq!(missing.len(), known.len().saturating_sub(steps));
    }
}

/// Copies what there was room for in a database with these steps.
fn copy(to: &Connection, from: &Path, steps: &[Migration]) {
    let script = "CREATE TABLE migration (name TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID";
    to.execute_batch(script).unwrap();
    for step in steps {
        to.execute_batch(step.script).unwrap();
        let note = "INSERT INTO migration (name) VALUES (?1)";
        to.execute(note, [step.name]).unwrap();
    }
    let attach = "ATTACH ?1 AS newer";
    to.execute(attach, [from.to_str().unwrap()]).unwrap();
    let id = to.pragma_query_value(Some("newer"), "application_id", |row| row.get::<_, i32>(0));
    to.pragma_update(Some("main"), "application_id", id.unwrap())
        .unwrap();
    // The tables that are parts of one for full text search are written by that.
    let tables = "SELECT name, sql LIKE 'CREATE VIRTUAL%' FROM main.sqlite_schema \
                  WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'migration' AND name NOT LIKE 'host_words_%'";
    for (table, is_virtual) in rows(to, tables) {
        let columns = format!(
            "SELECT '\"' || name || '\"', 0 FROM (SELECT name FROM pragma_table_info('{table}', 'main') \
             INTERSECT SELECT name FROM pragma_table_info('{table}', 'newer'))"
        );
        let columns = rows(to, &columns).into_iter().map(|(name, _)| name);
        let rowid = is_virtual.then(|| "rowid".to_owned());
        let columns: Vec<String> = rowid.into_iter().chain(columns).collect();
        let columns = columns.join(", ");
        if !columns.is_empty() {
            let copy =
                format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}");
            to.execute(&copy, []).unwrap();
        }
    }
}

fn rows(connection: &Connection, statement: &str) -> Vec<(String, bool)> {
    let mut statement = connection.prepare(statement).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}
