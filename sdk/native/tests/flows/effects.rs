//! What is shown outside: that it is shown to both, once, in order, and also where a process dies at any point.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use huddle_core::ActorName;
use huddle_core::effects::{BeginEffect, EffectBegun, EndEffect, NotBrought};
use huddle_core::mail::{Addresses, AskRefused, ConfirmRefused, Delivery};
use huddle_core::outbox::Task;
use huddle_core::tasks::{Retry, TaskError};
use huddle_core::transport::ask;
use huddle_core::user_connector::rotation::reseal;
use huddle_core::user_connector::sealing::KeyRing;
use huddle_ports::Clock as _;
use huddle_testkit::CountingRandom;

use super::stage::{Posted, Stage, header, stage_of_two};
use super::world::{did, key};

/// Where somebody's news is posted.
fn app_of(name: &str) -> String {
    format!("https://app.example.com/hooks/{name}")
}

/// Plays a meeting through in a process that dies at a point, and says how many points there are.
async fn play(at: usize) -> usize {
    let stage = stage_of_two().await;
    for name in ["ada", "bob"] {
        stage.connect_calendar(name).await;
        stage.hook(name, &app_of(name)).await.unwrap();
    }
    stage.cut.passed.store(0, Ordering::SeqCst);
    stage.cut.at.store(at, Ordering::SeqCst);
    let times = stage.meeting().await;
    let news = ["REQUEST 0", "REQUEST 1", "CANCEL 2"].map(str::to_owned);
    let told = ["ada@mail.example", "bob@mail.example"].map(|to| (to.to_owned(), news.to_vec()));
    assert_eq!(stage.told(), BTreeMap::from(told), "{at}");
    assert_eq!(stage.messages().len(), 6, "{at}");
    for name in ["ada", "bob"] {
        let posted = stage.posted(&app_of(name));
        let kinds: Vec<_> = posted.iter().map(Posted::kind).collect();
        let told = ["booking.confirmed", "booking.moved", "booking.canceled"];
        assert_eq!(kinds, told, "{at}");
    }
    let shown: Vec<_> = times.into_iter().map(Some).chain([None]).collect();
    let shown = ["ada", "bob"].map(|name| (did(name), shown.clone()));
    let calendars = stage.outside.shown.lock().unwrap();
    assert_eq!(*calendars, BTreeMap::from(shown), "{at}");
    let connection = stage.world.connection();
    let brought = "SELECT count(*) FROM effect WHERE brought > 0 AND lease IS NULL";
    let brought: u32 = connection.query_row(brought, [], |row| row.get(0)).unwrap();
    assert_eq!(brought, 6, "{at}");
    stage.cut.passed.load(Ordering::SeqCst)
}

#[tokio::test]
async fn wherever_a_process_dies_both_are_told_the_same_once_and_in_order() {
    let points = play(0).await;
    assert!(points > 50, "{points}");
    let plays: Vec<usize> = (1..=points).collect();
    // Most of a play is waiting for the disk.
    for some in plays.chunks(16) {
        join_all(some.iter().map(|at| play(*at))).await;
    }
}

#[tokio::test]
async fn whoever_has_confirmed_no_address_gets_no_mail() {
    let stage = Stage::new();
    let address = "bob@mail.example".parse().unwrap();
    let (actors, now) = (&*stage.world.store, stage.world.clock.now());
    let ask = key("bob", "address", "k");
    let asked = stage.addresses.ask_to_confirm(actors, ask, &address, now);
    asked.await.unwrap().unwrap();
    stage.bring_about().await;
    stage.meeting().await;
    let mail = stage.outside.mail.lock().unwrap();
    let subjects: BTreeSet<String> = mail
        .iter()
        .map(|message| header(&String::from_utf8_lossy(&message.bytes), "Subject"))
        .collect();
    assert_eq!(
        subjects,
        BTreeSet::from(["Is this your address?".to_owned()])
    );
}

#[tokio::test]
async fn what_comes_late_or_twice_is_recognised() {
    let stage = stage_of_two().await;
    let booking = stage.confirmed().await;
    let late = stage.published().await;
    stage.world.settle().await;
    let cancel = key("ada", "cancel", "k");
    stage
        .world
        .flows
        .cancel(&booking.id, cancel, None)
        .await
        .unwrap()
        .unwrap();
    let now = stage.published().await;
    for (_, task) in late.iter().chain(&now).chain(&late) {
        stage.tasks.run(task).await.unwrap();
    }
    // What was confirmed is canceled by now, and nobody is told that it stands.
    let told = stage.told();
    assert!(told.values().all(|told| *told == ["CANCEL 1"]), "{told:?}");
    assert_eq!(stage.outside.mail.lock().unwrap().len(), 2);
}

/// A meeting that is confirmed, and the first letter that is to go out for it.
async fn with_a_letter_to_send() -> (Stage, Task) {
    let stage = stage_of_two().await;
    stage.confirmed().await;
    let mut due = stage.published().await.into_iter().map(|(_, task)| task);
    let letter = due.find(|task| task.kind() == "mail").unwrap();
    (stage, letter)
}

#[tokio::test]
async fn a_second_worker_waits_until_the_first_one_can_be_given_up() {
    let (stage, task) = with_a_letter_to_send().await;
    // The first dies once it has begun.
    stage.cut.at.store(
        stage.cut.passed.load(Ordering::SeqCst) + 2,
        Ordering::SeqCst,
    );
    assert_eq!(stage.run(&task).await, None);
    let busy = stage.tasks.run(&task).await.unwrap_err();
    let TaskError::Effect(NotBrought::Later {
        after: Some(wait), ..
    }) = busy
    else {
        panic!("{busy:?}");
    };
    stage.world.clock.step(wait);
    stage.tasks.run(&task).await.unwrap();
    assert_eq!(stage.outside.mail.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_has_changed_while_something_was_brought_is_brought_next() {
    let (stage, task) = with_a_letter_to_send().await;
    let Task::Effect(effect) = task else {
        panic!("{task:?}");
    };
    let actor = ActorName::booking(&effect.booking);
    let begin = BeginEffect {
        party: effect.party,
        channel: effect.channel,
        revision: effect.revision,
    };
    let first = ask(&*stage.world.store, &actor, begin).await.unwrap();
    let EffectBegun::Begun {
        revision, lease, ..
    } = first
    else {
        panic!("{first:?}");
    };
    let cancel = stage
        .world
        .flows
        .cancel(&effect.booking, key("ada", "cancel", "k"), None);
    cancel.await.unwrap().unwrap();
    let before = stage.due();
    let end = EndEffect {
        party: effect.party,
        channel: effect.channel,
        brought: Some(revision),
        lease,
    };
    ask(&*stage.world.store, &actor, end).await.unwrap();
    let due = stage.due();
    let [(_, next)] = &due[before.len()..] else {
        panic!("{due:?}");
    };
    stage.tasks.run(next).await.unwrap();
    let told = stage.told();
    assert!(told.values().all(|told| *told == ["CANCEL 1"]), "{told:?}");
    assert_eq!(stage.outside.mail.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_the_mail_server_says_decides_whether_it_is_tried_again() {
    let (stage, task) = with_a_letter_to_send().await;
    let later = |after| Delivery::TryLater {
        after,
        problem: "not now".into(),
    };
    let minute = Duration::from_mins(1);
    for (says, retry) in [
        (later(None), Retry::Later),
        (later(Some(minute)), Retry::After(minute)),
        (Delivery::Refused("never".into()), Retry::Never),
    ] {
        *stage.outside.instead.lock().unwrap() = Some(says);
        assert_eq!(stage.tasks.run(&task).await.unwrap_err().retry(), retry);
    }
    *stage.outside.instead.lock().unwrap() = None;
    stage.tasks.run(&task).await.unwrap();
    assert_eq!(stage.outside.mail.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_is_good_once_for_its_person_and_for_a_day() {
    let stage = Stage::new();
    let (actors, clock) = (&*stage.world.store, &stage.world.clock);
    let ask = async |key_text: &str| {
        let address = "bob@mail.example".parse().unwrap();
        let ask = key("bob", "address", key_text);
        let asked = stage
            .addresses
            .ask_to_confirm(actors, ask, &address, clock.now());
        asked.await.unwrap().unwrap();
        stage.bring_about().await;
        stage.outside.tokens.lock().unwrap().pop().unwrap()
    };
    let confirm = async |name: &str, key_text: &str, token: &str| {
        let confirm = key(name, "confirm", key_text);
        stage
            .addresses
            .confirm(actors, confirm, token)
            .await
            .unwrap()
    };
    let first = ask("a").await;
    let second = ask("b").await;
    assert_eq!(
        confirm("bob", "1", &first).await,
        Err(ConfirmRefused::Invalid)
    );
    assert_eq!(
        confirm("ada", "2", &second).await,
        Err(ConfirmRefused::Invalid)
    );
    assert_eq!(
        confirm("bob", "3", "k.AAAA").await,
        Err(ConfirmRefused::Invalid)
    );
    assert_eq!(confirm("bob", "4", &second).await, Ok(()));
    assert_eq!(confirm("bob", "4", &second).await, Ok(()));
    assert_eq!(
        confirm("bob", "5", &second).await,
        Err(ConfirmRefused::Invalid)
    );
    let third = ask("c").await;
    clock.step(Duration::from_hours(24));
    assert_eq!(
        confirm("bob", "6", &third).await,
        Err(ConfirmRefused::Expired)
    );
    // What nobody confirms is forgotten.
    clock.step(Duration::from_hours(7 * 24));
    stage.world.settle().await;
    assert_eq!(stage.world.count("address"), 0);
}

#[tokio::test]
async fn neither_an_account_nor_a_mailbox_is_asked_often() {
    let stage = Stage::new();
    let ask = async |name: &str, to: &str, key_text: &str| {
        let (actors, now) = (&*stage.world.store, stage.world.clock.now());
        let address = to.parse().unwrap();
        let ask = key(name, "address", key_text);
        let asked = stage
            .addresses
            .ask_to_confirm(actors, ask, &address, now)
            .await;
        asked.unwrap()
    };
    let too_often = |asked| matches!(asked, Err(AskRefused::TooOften { .. }));
    // One mailbox, whoever asks and however its address is written.
    assert!(ask("ada", "eve@mail.example", "k").await.is_ok());
    assert!(
        ask("ada", "eve@mail.example", "k").await.is_ok(),
        "the same once more"
    );
    assert!(ask("bob", "EVE@mail.example", "k").await.is_ok());
    assert!(ask("cyd", "eve+1@mail.example", "k").await.is_ok());
    assert!(too_often(ask("dan", "eve@mail.example", "k").await));
    // One account, whatever the mailbox.
    for number in 0..5 {
        let to = format!("{number}@mail.example");
        assert!(ask("fay", &to, &to).await.is_ok());
    }
    assert!(too_often(ask("fay", "6@mail.example", "k").await));
    stage.world.clock.step(Duration::from_hours(24));
    assert!(ask("fay", "eve@mail.example", "l").await.is_ok());
}

#[tokio::test]
async fn addresses_are_sealed_anew_with_a_new_key() {
    let stage = stage_of_two().await;
    let store = &*stage.world.store;
    let both = KeyRing::parse(&format!("new:{:064x} k:{:064x}", 8, 7)).unwrap();
    let people = store
        .sealed_otherwise(&both.newest(), "", 10)
        .await
        .unwrap();
    let expect = ["ada", "bob"].map(|name| ActorName::user_connector(&did(name)));
    assert_eq!(people, expect);
    let random = Arc::new(CountingRandom::default());
    for person in &people {
        assert_eq!(reseal(store, &both, &*random, person).await, Ok(1));
    }
    assert_eq!(
        store.sealed_otherwise(&both.newest(), "", 10).await,
        Ok(Vec::new())
    );
    let new = KeyRing::parse(&format!("new:{:064x}", 8)).unwrap();
    let address = Addresses::new(new, random)
        .of(store, &did("ada"))
        .await
        .unwrap();
    assert_eq!(address.unwrap().0.as_str(), "ada@mail.example");
}

#[tokio::test]
async fn no_address_is_readable_in_the_store() {
    let stage = stage_of_two().await;
    stage.meeting().await;
    let connection = stage.world.connection();
    connection
        .execute("PRAGMA wal_checkpoint(TRUNCATE)", [])
        .ok();
    let store = std::fs::read(stage.world.path()).unwrap();
    for secret in ["mail.example", "ada@", "bob@"] {
        let found = store
            .windows(secret.len())
            .any(|it| it == secret.as_bytes());
        assert!(!found, "{secret}");
    }
}
