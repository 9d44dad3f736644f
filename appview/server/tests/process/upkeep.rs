//! What an operator does beside a server that is at work.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use huddle_lexicon::com::huddle::defs::BookingStatus;
use huddle_native::{Contradiction, SystemClock};
use huddle_ports::Clock as _;
use serde_json::json;

use crate::load::{self, Load, Told};
use crate::program::{Serving, huddle, run};
use crate::smtp::Smtp;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_copied_from_a_server_at_work_serves_in_its_place() {
    let world = World::new(2).await;
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(world.serve(folder.path())).unwrap();
    let host = world.host("host");
    world.until_known(&server.url, &host).await;
    let [ana, bob] = &world.guests[..] else {
        panic!("there are two guests");
    };
    let held = world.ask(&server.url, ana, &host, "one").await.unwrap();
    let confirmed = world.accept(&server.url, ana, &held.id).await.unwrap();
    assert_eq!(confirmed.status, BookingStatus::Confirmed);

    let copied = run(folder.path(), ["backup", "copy", "--json"]).json();
    assert_eq!(
        copied["databases"][0]["rows"]["bookings"],
        json!(1),
        "{copied}"
    );
    let files = json!([
        "booking-ids.secret",
        "calendar-keys.secret",
        "disclosure.secret"
    ]);
    assert_eq!(copied["files"], files);
    run(folder.path(), ["backup", "copy"]).fails(1, "is there already");
    drop(server);

    let mut command = world.serve(folder.path());
    command.args(["--data", "copy"]);
    let server = Serving::start(command).unwrap();
    let restored = world.booking(&server.url, ana, &held.id).await.unwrap();
    assert_eq!(
        (restored.status, &restored.start),
        (BookingStatus::Confirmed, &confirmed.start)
    );
    // The same request finds its booking, because the secret came with it, and the host's time is still taken.
    let again = world.ask(&server.url, ana, &host, "one").await.unwrap();
    assert_eq!(again.id, held.id);
    let other = world.ask(&server.url, bob, &host, "two").await.unwrap();
    assert_ne!(other.start, confirmed.start);

    let shown = run(
        folder.path(),
        ["bookings", "show", &held.id, "--data", "copy"],
    )
    .text();
    assert!(
        shown.contains("Confirmed") && shown.contains(host.as_str()),
        "{shown}"
    );
    let shown = run(
        folder.path(),
        ["bookings", "show", &held.id, "--data", "copy", "--json"],
    );
    assert_eq!(shown.json()["id"], json!(held.id));
    let shard = ["hosts", "shard", host.as_str(), "--data", "copy"];
    run(folder.path(), shard).fails(1, "is given away in part");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_before_a_copy_was_begun_under_load_is_in_it() {
    let world = Arc::new(World::new(8).await);
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(world.serve(folder.path())).unwrap();
    let hosts = vec![world.host("one"), world.host("other")];
    for host in &hosts {
        world.until_known(&server.url, host).await;
    }
    let begin = |round| Load::begin(world.clone(), &server.url, hosts.clone(), round);
    let before = begin(0);
    before.until_asked(30).await;
    let told = before.end().await;
    let meanwhile = begin(1);
    meanwhile.until_asked(10).await;
    // Until one was made while people went on asking.
    let mut copy = 0;
    loop {
        let asked = meanwhile.asked();
        run(folder.path(), ["backup", &format!("copy{copy}")]).text();
        if meanwhile.asked() > asked + 5 {
            break;
        }
        copy += 1;
    }
    meanwhile.end().await;
    server.kill();

    let copy = folder.path().join(format!("copy{copy}"));
    let found = Contradiction::find(&copy, SystemClock.now()).unwrap();
    assert!(found.is_empty(), "{found:?}");
    let mut command = world.serve(folder.path());
    command.arg("--data").arg(&copy);
    let server = Serving::start(command).unwrap();
    load::assert_told(&world, &server.url, &told).await;
    let stands = |(_, told): &(usize, Told)| matches!(told, Told::Confirmed(_));
    assert!(told.values().any(stands), "{told:?}");
    server.terminate();
    let (status, said) = server.wait();
    assert!(status.success(), "{said}");
    let found = Contradiction::find(&copy, SystemClock.now()).unwrap();
    assert!(found.is_empty(), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_that_an_operator_removes_is_forgotten() {
    let world = World::new(1).await;
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(world.serve(folder.path())).unwrap();
    let person = &world.guests[0];
    world.connect_calendar(&server.url, person).await;
    let listed = || {
        let listed = ["connector", "list", person.as_str(), "--json"];
        run(folder.path(), listed).json()["calendars"].clone()
    };
    let id = listed()[0]["id"].as_str().unwrap().to_owned();
    let remove = ["connector", "remove", person.as_str(), &id, "--json"];
    assert_eq!(run(folder.path(), remove).json(), json!({ "removed": id }));
    assert_eq!(listed(), json!([]));
    run(folder.path(), remove).fails(1, "has no calendar");
}

#[test]
fn a_copy_that_fails_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("huddle-data");
    fs::create_dir(&data).unwrap();
    for name in ["actors.sqlite", "index.sqlite"] {
        fs::write(
            data.join(name),
            "no database at all, and long enough to be looked at as one",
        )
        .unwrap();
    }
    run(folder.path(), ["backup", "copy"]).fails(1, "no intact SQLite database");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn commands_beside_the_server_say_where_there_is_no_installation() {
    let folder = tempfile::tempdir().unwrap();
    for command in [
        vec!["migrate"],
        vec!["backup", "copy"],
        vec!["jobs", "list"],
        vec!["bookings", "show", "3hq7n2k5x4d6m7p2r5t7"],
        vec!["hosts", "shard", "did:web:host.example.com"],
        vec!["keys", "list"],
        vec!["connector", "list", "did:web:host.example.com"],
    ] {
        run(folder.path(), command).fails(1, "name the folder of the installation with --data");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_that_is_at_rest_is_kept_in_order() {
    let world = World::new(0).await;
    let folder = tempfile::tempdir().unwrap();
    Serving::start(world.serve(folder.path())).unwrap().stop();
    let folder = folder.path();
    let migrated = run(folder, ["migrate", "--dry-run", "--json"]).json();
    assert_eq!(migrated["databases"][0]["steps"], json!([]));
    assert!(
        run(folder, ["migrate"])
            .text()
            .contains("actors.sqlite: up to date")
    );
    assert_eq!(
        run(folder, ["jobs", "list", "--json"]).json(),
        json!({ "jobs": [] })
    );
    assert_eq!(
        run(folder, ["jobs", "retry", "--all", "--json"]).json(),
        json!({ "retried": 0 })
    );
    run(folder, ["jobs", "retry", "7"]).fails(1, "no job 7 was given up");
    run(folder, ["jobs", "retry"]).fails(2, "Usage");
    run(folder, ["bookings", "show", "3hq7n2k5x4d6m7p2r5t7"]).fails(1, "there is no booking");
    let shard = ["hosts", "shard", "did:web:host.example.com", "--json"];
    assert_eq!(run(folder, shard).json()["kept_by_days"], json!(true));
    let connector = |words: &[&str]| run(folder, [&["connector"], words].concat());
    let listed = connector(&["list", "did:web:host.example.com", "--json"]).json();
    assert_eq!(listed, json!({ "calendars": [] }));
    connector(&["remove", "did:web:host.example.com", "x"]).fails(1, "has no calendar x");
    let keys = run(folder, ["keys", "list", "--json"]).json();
    for key in keys["keys"].as_array().unwrap() {
        assert_eq!(key["state"], json!("sound"), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_was_given_up_is_sent_once_the_mail_server_is_mended() {
    let world = World::new(1).await;
    let folder = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(|verb| (verb == "RCPT").then_some("550 nobody here\r\n"));
    let mut command = world.serve(folder.path());
    command.args(["--smtp-url", &format!("smtp://{}", smtp.place)]);
    command.args(["--mail-from", "bookings@huddle.test"]);
    let server = Serving::start(command).unwrap();
    let address = "guest@mail.test";
    let guest = &world.guests[0];
    world.enter_address(&server.url, guest, address).await;
    let given_up = || {
        let jobs = run(folder.path(), ["jobs", "list", "--json"]).json();
        jobs["jobs"].as_array().unwrap().clone()
    };
    let mut jobs = given_up();
    while jobs.is_empty() {
        jobs = given_up();
    }
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    assert!(jobs[0]["actor"].as_str().unwrap().contains(guest.as_str()));
    assert!(smtp.mail.mail_for(address).is_empty());

    let id = jobs[0]["id"].to_string();
    let retry = || run(folder.path(), ["jobs", "retry", &id, "--json"]).json();
    // As long as nothing is mended, it is given up once more.
    assert_eq!(retry(), json!({ "retried": 1 }));
    while given_up() != jobs {}
    smtp.mend();
    let all = ["jobs", "retry", "--all", "--json"];
    assert_eq!(run(folder.path(), all).json(), json!({ "retried": 1 }));
    while smtp.mail.mail_for(address).is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(given_up().is_empty());
    run(folder.path(), ["jobs", "retry", &id]).fails(1, "was given up");
}

#[test]
fn a_key_that_is_put_in_front_seals_and_the_older_ones_still_open() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = huddle(folder.path());
    command.arg("serve");
    drop(Serving::start(command).unwrap());
    let file = folder.path().join("huddle-data/calendar-keys.secret");
    let before = fs::read_to_string(&file).unwrap();
    let first = run(folder.path(), ["keys", "rotate", "--json"]).json();
    let second = run(folder.path(), ["keys", "rotate", "--json"]).json();
    let keys = fs::read_to_string(&file).unwrap();
    assert!(keys.ends_with(&before), "an old key is gone");
    let ids: Vec<_> = keys
        .lines()
        .filter_map(|line| line.split(':').next())
        .collect();
    assert_eq!(ids, [&second["newest"], &first["newest"], &json!("1")]);
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let resealed = run(folder.path(), ["keys", "reseal", "--json"]).json();
    assert_eq!(
        resealed,
        json!({ "newest": second["newest"], "resealed": 0 })
    );
    for line in keys.lines().filter_map(|line| line.split(':').nth(1)) {
        let listed = run(folder.path(), ["keys", "list"]).text();
        assert!(!listed.contains(line), "a key is shown");
    }
}

#[test]
fn availability_of_another_application_becomes_office_hours() {
    let folder = tempfile::tempdir().unwrap();
    let import = |record: &str| {
        fs::write(folder.path().join("record.json"), record).unwrap();
        run(folder.path(), ["import", "record.json"])
    };
    let slot = |day: u32| json!({ "dayOfWeek": day, "startTime": "09:00", "endTime": "17:00", "timezone": "Europe/Berlin" });
    let record = json!({ "timeSlots": [slot(1), slot(9)], "bufferAfter": 5 });
    let answer = json!({ "uri": "at://did:web:host.example.com/x/y", "value": record });
    for text in [record.to_string(), answer.to_string()] {
        let imported = import(&text).json();
        let hours = &imported["officeHours"];
        assert_eq!(hours["$type"], json!("com.huddle.officeHours"));
        assert_eq!(hours["rules"][0]["days"], json!(["MO"]));
        assert_eq!(hours["mode"], json!("approve"));
        assert_eq!(imported["preferences"]["bufferAfterMinutes"], json!(5));
        assert_eq!(imported["left_out"], json!(1));
    }
    import("{").fails(1, "cannot be imported");
    import(r#"{"timeSlots": []}"#).fails(1, "it has no time slots");
    import(r#"{"timeSlots": [], "bufferAfter": 5000}"#).fails(1, "it has no time slots");
}
