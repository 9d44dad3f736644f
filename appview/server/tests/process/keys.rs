//! Keys that become others while a server seals and opens with them.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use huddle_lexicon::com::huddle::defs::BookingStatus;
use huddle_lexicon::com::huddle::{finalize, r#match as matching};
use huddle_ports::Url;
use huddle_syntax::Did;
use huddle_xrpc::client::ClientError;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::program::{Serving, run};
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
    server.terminate();
    assert!(server.wait().0.success());

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
