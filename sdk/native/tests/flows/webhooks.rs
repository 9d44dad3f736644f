//! News that is posted to apps: to whom, what of it, and what comes of their answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use huddle_core::ActorName;
use huddle_core::mail::Delivery;
use huddle_core::outbox::Task;
use huddle_core::tasks::Retry;
use huddle_core::transport::ask;
use huddle_core::user_connector::PutPreferences;
use huddle_core::user_connector::rotation::reseal;
use huddle_core::user_connector::sealing::KeyRing;
use huddle_core::webhooks::{SetRefused, Webhooks};
use huddle_ports::{Blocked, Clock as _, FetchError, FetchPolicy, RedirectError};
use huddle_syntax::Datetime;
use huddle_testkit::CountingRandom;

use super::stage::{Answer, Posted, Stage, stage_of_two};
use super::world::{did, key, tomorrow};

const APP: &str = "https://app.example.com/hooks/huddle?token=1";

fn posts(stage: &Stage) -> Vec<Task> {
    let due = stage.due().into_iter().map(|(_, task)| task);
    due.filter(|task| task.kind() == "webhook").collect()
}

/// A meeting that is confirmed, and the message that is to go out for it to Ada's app.
async fn with_a_message_to_post() -> (Stage, Task) {
    let stage = Stage::new();
    stage.hook("ada", APP).await.unwrap();
    stage.confirmed().await;
    stage.published().await;
    let [message] = posts(&stage).try_into().unwrap();
    (stage, message)
}

#[tokio::test]
async fn an_app_is_posted_its_persons_news_and_nothing_of_the_other_side() {
    let stage = Stage::new();
    stage.hook("ada", APP).await.unwrap();
    stage.meeting().await;
    let posted = stage.posted(APP);
    let kinds: Vec<_> = posted.iter().map(Posted::kind).collect();
    assert_eq!(
        kinds,
        ["booking.confirmed", "booking.moved", "booking.canceled"]
    );
    let everything = stage.outside.posted.lock().unwrap().len();
    assert_eq!(everything, posted.len(), "nobody else has an app");
    let body: serde_json::Value = serde_json::from_str(&posted[0].body).unwrap();
    let data = &body["data"];
    let id = data["bookingId"].as_str().unwrap();
    assert_eq!(data["did"], did("ada").as_str());
    assert_eq!(data["party"], "host");
    let revision = data["revision"].as_u64().unwrap();
    assert_eq!(posted[0].id, format!("{id}_{revision}_host"));
    let start = rfc_3339(tomorrow(0).start().as_secs());
    assert_eq!(data["start"], start);
    assert!(body["timestamp"].is_string());
    for message in &posted {
        assert!(message.signature.starts_with("v1,"), "{message:?}");
        assert!(!message.id.contains('.'), "{message:?}");
        assert!(!message.body.contains("bob"), "{message:?}");
    }
}

/// A moment, in seconds since 1970.
fn rfc_3339(secs: i64) -> String {
    let moment = Datetime::from_timestamp_millis(secs * 1000).unwrap();
    moment.as_str().to_owned()
}

#[tokio::test]
async fn what_an_app_answers_decides_whether_a_message_is_sent_again() {
    let (stage, task) = with_a_message_to_post().await;
    let status = |status, retry_after| {
        Ok(Answer {
            status,
            retry_after,
        })
    };
    let minute = Duration::from_mins(1);
    for (answer, retry) in [
        (status(500, None), Retry::Later),
        (status(404, None), Retry::Later),
        (status(302, None), Retry::Later),
        (status(429, Some(60)), Retry::After(minute)),
        (status(503, Some(60)), Retry::After(minute)),
        (status(410, None), Retry::Never),
        (Err(FetchError::Timeout), Retry::Later),
        (Err(FetchError::Broken("reset".into())), Retry::Later),
        (Err(FetchError::TooLarge { limit: 1 }), Retry::Never),
        (Err(RedirectError::TooMany.into()), Retry::Later),
        (Err(Blocked::NoAddress.into()), Retry::Never),
    ] {
        *stage.outside.answer.lock().unwrap() = Some(answer.clone());
        let failed = stage.tasks.run(&task).await.unwrap_err();
        assert_eq!(failed.retry(), retry, "{answer:?}");
        stage.world.clock.step(minute);
    }
    *stage.outside.answer.lock().unwrap() = None;
    stage.tasks.run(&task).await.unwrap();
    // It is done: once more does nothing.
    let sent = stage.outside.posted.lock().unwrap().clone();
    stage.tasks.run(&task).await.unwrap();
    assert_eq!(stage.outside.posted.lock().unwrap().len(), sent.len());
    let first = &sent[0];
    for again in &sent[1..] {
        assert_eq!((&again.id, &again.body), (&first.id, &first.body));
        assert_ne!(again.at, first.at, "it says when it was sent");
        assert_ne!(again.signature, first.signature);
    }
}

#[tokio::test]
async fn a_mail_server_that_takes_nothing_keeps_no_app_waiting() {
    let stage = stage_of_two().await;
    stage.hook("ada", APP).await.unwrap();
    stage.confirmed().await;
    *stage.outside.instead.lock().unwrap() = Some(Delivery::TryLater {
        after: None,
        problem: "not now".into(),
    });
    let due = stage.published().await;
    let mut letters = due.iter().filter(|(_, task)| task.kind() == "mail");
    let (_, letter) = letters.next().unwrap();
    for _ in 0..3 {
        assert!(stage.tasks.run(letter).await.is_err());
    }
    let [message] = posts(&stage).try_into().unwrap();
    stage.tasks.run(&message).await.unwrap();
    assert_eq!(stage.posted(APP).len(), 1);
}

#[tokio::test]
async fn people_are_told_by_the_ways_that_they_want() {
    for (ways, letters, messages) in [
        (r#"{"notifyBy": ["email", "webhook"]}"#, 1, 1),
        (r#"{"notifyBy": ["email"]}"#, 1, 0),
        (r#"{"notifyBy": ["webhook", "pigeon"]}"#, 0, 1),
        (r#"{"notifyBy": []}"#, 0, 0),
        ("{}", 1, 1),
    ] {
        let stage = Stage::new();
        stage.confirm_address("ada").await;
        stage.hook("ada", APP).await.unwrap();
        let put = PutPreferences {
            key: key("ada", "put", "k"),
            document: ways.into(),
            swap_revision: None,
        };
        let ada = ActorName::user_connector(&did("ada"));
        let put = ask(&*stage.world.store, &ada, put).await;
        put.unwrap().unwrap();
        stage.confirmed().await;
        stage.bring_about().await;
        let came = stage.outside.mail.lock().unwrap().len();
        assert_eq!(
            (came, stage.posted(APP).len()),
            (letters, messages),
            "{ways}"
        );
    }
}

#[tokio::test]
async fn an_address_is_set_once_for_each_request_and_taken_back() {
    let stage = Stage::new();
    let secret = stage.hook("ada", APP).await.unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() > 40);
    assert_eq!(stage.hook("ada", APP).await, Ok(secret.clone()), "the same");
    let other = stage
        .hook("ada", "https://other.example.com/")
        .await
        .unwrap();
    assert_ne!(other, secret);
    let told_no_more = Err(SetRefused::Replaced);
    assert_eq!(stage.hook("ada", APP).await, told_no_more);
    let actors = &*stage.world.store;
    for _ in 0..2 {
        let removed = stage.webhooks.remove(actors, key("ada", "unhook", "k"));
        assert_eq!(removed.await, Ok(Ok(())));
    }
    let same_again = stage.hook("ada", "https://other.example.com/").await;
    assert_eq!(same_again, told_no_more);
    stage.meeting().await;
    assert!(stage.outside.posted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn no_address_is_taken_that_may_not_be_asked() {
    let stage = Stage::new();
    let long = format!("https://app.example.com/{}", "a".repeat(2048));
    for url in [
        "",
        "app.example.com",
        "http://app.example.com/",
        "ftp://app.example.com/",
        "https://app.example.com:8443/",
        "https://ada:secret@app.example.com/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest",
        "https://localhost/",
        "https://intranet/",
        "https://app.internal/",
        &long,
    ] {
        assert_eq!(stage.hook("ada", url).await, Err(SetRefused::Url), "{url}");
    }
    assert_eq!(stage.world.count("webhook"), 0);
}

#[tokio::test]
async fn an_address_is_sealed_and_sealed_anew_with_a_new_key() {
    let stage = Stage::new();
    let secret = stage.hook("ada", APP).await.unwrap();
    let store = &*stage.world.store;
    let both = KeyRing::parse(&format!("new:{:064x} k:{:064x}", 8, 7)).unwrap();
    let ada = ActorName::user_connector(&did("ada"));
    let left = store.sealed_otherwise("new", "", 10).await;
    assert_eq!(left, Ok(vec![ada.clone()]));
    let random = Arc::new(CountingRandom::default());
    assert_eq!(reseal(store, &both, &*random, &ada).await, Ok(1));
    let left = store.sealed_otherwise("new", "", 10).await;
    assert_eq!(left, Ok(Vec::new()));
    let new = KeyRing::parse(&format!("new:{:064x}", 8)).unwrap();
    let webhooks = Webhooks::new(new, random, FetchPolicy::public());
    let webhook = webhooks.of(store, &did("ada")).await.unwrap().unwrap();
    assert_eq!(webhook.url(), APP);
    // The same request, sent again, is told the same secret, without the key that it was sealed with first.
    let again = key("ada", "hook", &APP.len().to_string());
    let again = webhooks.set(store, again, APP).await.unwrap().unwrap();
    assert_eq!(*again, secret);
    for secret in ["app.example.com", "whsec_", &secret["whsec_".len()..]] {
        assert!(!is_stored(&stage, secret), "{secret}");
    }
}

/// Whether a text is anywhere in what the store keeps.
fn is_stored(stage: &Stage, text: &str) -> bool {
    let connection = stage.world.connection();
    for statement in ["VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"] {
        let mut statement = connection.prepare(statement).unwrap();
        statement.query([]).unwrap().next().unwrap();
    }
    let stored = std::fs::read(stage.world.path()).unwrap();
    stored.windows(text.len()).any(|it| it == text.as_bytes())
}

#[tokio::test]
async fn of_an_address_that_was_sealed_anew_or_removed_nothing_is_left_for_who_has_the_key() {
    let stage = Stage::new();
    stage.hook("ada", APP).await.unwrap();
    let sealed = || {
        let row = "SELECT sealed FROM webhook";
        let connection = stage.world.connection();
        connection.query_row(row, [], |row| row.get::<_, String>(0))
    };
    let first = sealed().unwrap();
    assert!(is_stored(&stage, &first));
    let store = &*stage.world.store;
    let both = KeyRing::parse(&format!("new:{:064x} k:{:064x}", 8, 7)).unwrap();
    let ada = ActorName::user_connector(&did("ada"));
    let random = CountingRandom::default();
    assert_eq!(reseal(store, &both, &random, &ada).await, Ok(1));
    let second = sealed().unwrap();
    assert!(!is_stored(&stage, &first));
    assert!(is_stored(&stage, &second));
    let removed = stage.webhooks.remove(store, key("ada", "unhook", "k"));
    assert_eq!(removed.await, Ok(Ok(())));
    assert!(!is_stored(&stage, &second));
}

#[tokio::test]
async fn an_app_that_never_answers_in_time_is_left_alone_and_then_asked_once() {
    let (stage, task) = with_a_message_to_post().await;
    let tried = || stage.outside.posted.lock().unwrap().len();
    let run = async || stage.tasks.run(&task).await.unwrap_err().retry();
    let minutes = |minutes| Retry::After(Duration::from_mins(minutes));
    *stage.outside.answer.lock().unwrap() = Some(Err(FetchError::Timeout));
    for time in 1..=3 {
        assert_eq!((run().await, tried()), (Retry::Later, time));
    }
    assert_eq!((run().await, tried()), (minutes(1), 3));
    stage.world.clock.step(Duration::from_mins(1));
    assert_eq!((run().await, tried()), (Retry::Later, 4));
    assert_eq!((run().await, tried()), (minutes(2), 4));
    // Any answer at all ends it.
    stage.world.clock.step(Duration::from_mins(2));
    let busy = Answer {
        status: 503,
        retry_after: None,
    };
    *stage.outside.answer.lock().unwrap() = Some(Ok(busy));
    for time in 5..=6 {
        assert_eq!((run().await, tried()), (Retry::Later, time));
    }
    *stage.outside.answer.lock().unwrap() = None;
    stage.tasks.run(&task).await.unwrap();
    let actors = &*stage.world.store;
    let ada = stage.webhooks.of(actors, &did("ada")).await;
    let ada = ada.unwrap().unwrap();
    let now = Some(stage.world.clock.now());
    assert_eq!((ada.taken_at(), ada.failed_at()), (now, now));
    assert_eq!(ada.paused_until(), None);
}

#[tokio::test]
async fn while_an_app_does_not_answer_no_second_message_waits_for_it() {
    let stage = Stage::new();
    stage.hook("ada", APP).await.unwrap();
    for guest in ["bob", "cyd"] {
        let booking = stage.world.request(guest, "ada", "k").await.unwrap();
        let accept = key(guest, "finalize", "k");
        let accepted = stage.world.flows.finalize(&booking.id, accept).await;
        accepted.unwrap().unwrap();
    }
    stage.published().await;
    let [first, second] = posts(&stage).try_into().unwrap();
    stage.outside.hangs.store(true, Ordering::SeqCst);
    let tasks = stage.tasks.clone();
    let waiting = tokio::spawn(async move { tasks.run(&first).await });
    while stage.outside.posted.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let refused = stage.tasks.run(&second).await.unwrap_err();
    assert_eq!(refused.retry(), Retry::Later);
    assert_eq!(stage.outside.posted.lock().unwrap().len(), 1);
    stage.outside.hangs.store(false, Ordering::SeqCst);
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    stage.tasks.run(&second).await.unwrap();
    assert_eq!(stage.outside.posted.lock().unwrap().len(), 2);
}
