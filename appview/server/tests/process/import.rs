//! What an AppView has kept of a person is taken over by another: all of it, or nothing.

use std::fs;
use std::path::Path;

use huddle_lexicon::com::huddle::defs::Preferences;
use huddle_lexicon::com::huddle::export_data::ExportData;
use huddle_lexicon::com::huddle::get_preferences::GetPreferences;
use huddle_lexicon::com::huddle::put_preferences::{self, PutPreferences};
use huddle_ports::Url;
use huddle_syntax::Did;
use serde_json::json;

use crate::program::{Done, Serving, run};
use crate::world::World;

const PERSON: &str = "did:web:ada.example.com";

fn import(folder: &Path, archive: &str, flags: &[&str]) -> Done {
    fs::write(folder.join("archive.jsonl"), archive).unwrap();
    run(folder, [&["import", "archive.jsonl"], flags].concat())
}

/// An installation in which nobody has anything.
fn installation(world: &World) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    Serving::start(world.serve(folder.path())).unwrap().stop();
    folder
}

async fn preferences(world: &World, server: &Url, person: &Did) -> Preferences {
    let client = world.client(server);
    let client = client.with_bearer(&world.token::<GetPreferences>(person));
    let answer = client.unwrap().query::<GetPreferences>(&()).await;
    answer.unwrap().output.preferences
}

/// What a person is given who has set preferences; and those.
async fn exported(world: &World, person: &Did) -> (String, Preferences) {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(world.serve(folder.path())).unwrap();
    world.until_known(&server.url, person).await;
    let set = Preferences {
        tz: Some("Europe/Berlin".to_owned()),
        buffer_after_minutes: Some(15),
        ..Preferences::default()
    };
    let mut input = put_preferences::Input::new(set);
    input.idempotency_key = Some("set".to_owned());
    let client = world.client(&server.url);
    let put = client.with_bearer(&world.token::<PutPreferences>(person));
    let put = put.unwrap().procedure::<PutPreferences>(&(), &input).await;
    let client = world.client(&server.url);
    let export = client.with_bearer(&world.token::<ExportData>(person));
    let export = export.unwrap().query::<ExportData>(&()).await.unwrap();
    let archive = String::from_utf8(export.output.bytes).unwrap();
    (archive, put.unwrap().output.preferences)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_of_a_person_is_taken_over_by_another_installation() {
    let world = World::new(0).await;
    let person = world.host("ada");
    let (archive, set) = exported(&world, &person).await;
    let folder = installation(&world);
    let folder = folder.path();

    let tried = import(folder, &archive, &["--dry-run", "--json"]).json();
    assert_eq!(tried["dry_run"], json!(true));
    assert_eq!(tried["person"], json!(person));
    assert_eq!(tried["preferences"]["tz"], json!("Europe/Berlin"));
    let done = import(folder, &archive, &["--json"]).json();
    assert_eq!(done["replaced"], json!(false), "trying it out took it over");
    import(folder, &archive, &[]).fails(1, "--replace puts those of the archive");
    import(folder, &archive, &["--dry-run"]).fails(1, "--replace puts those of the archive");
    let again = import(folder, &archive, &["--replace"]).text();
    assert!(
        again.contains("were taken over in the place of others"),
        "{again}"
    );

    let server = Serving::start(world.serve(folder)).unwrap();
    assert_eq!(preferences(&world, &server.url, &person).await, set);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_is_not_whole_or_makes_no_sense_is_refused_and_nothing_of_it_is_taken() {
    let world = World::new(0).await;
    let folder = installation(&world);
    let folder = folder.path();
    let header = json!({
        "$type": "com.huddle.exportData#header",
        "did": PERSON,
        "exportedAt": "2026-12-01T10:00:00.000Z",
    });
    let account = |preferences| {
        json!({
            "$type": "com.huddle.exportData#account",
            "email": "ada@mail.example",
            "emailStatus": "confirmed",
            "preferences": preferences,
            "createdAt": "2026-12-01T10:00:00.000Z",
        })
    };
    let good = account(json!({ "tz": "Europe/Berlin" }));
    let later = json!({ "$type": "com.huddle.exportData#later" });
    let end = |lines: u32| json!({ "$type": "com.huddle.exportData#end", "lines": lines });
    let text = |lines: &[&serde_json::Value]| {
        let lines = lines.iter().map(|line| format!("{line}\n"));
        lines.collect::<String>()
    };
    let of_account = |account: &serde_json::Value| text(&[&header, account, &end(2)]);
    for (archive, complaint) in [
        (text(&[&header, &good]), "it was cut off"),
        (text(&[&header, &good, &end(3)]), "it was cut off"),
        (text(&[&header, &end(1)]), "there is no account"),
        (
            text(&[&header, &good, &good, &end(3)]),
            "there are two accounts",
        ),
        (
            text(&[&header, &good, &end(2), &later]),
            "it goes on after its end",
        ),
        (
            text(&[&header, &json!({}), &end(2)]),
            "line 2: it has no $type",
        ),
        (format!("{header}\n{{\n"), "line 2"),
        (header.to_string().replace(PERSON, "ada"), "line 1"),
        (
            of_account(&account(json!({ "bufferAfterMinutes": -5 }))),
            "line 2",
        ),
        (
            of_account(&account(json!({ "tz": "Mars/Olympus" }))),
            "nobody could be booked",
        ),
    ] {
        for flags in [&[][..], &["--dry-run"]] {
            import(folder, &archive, flags).fails(1, complaint);
        }
    }
    let wishful = account(json!({ "tz": "Europe/Berlin", "publicTrace": "exact" }));
    let whole = text(&[&header, &wishful, &later, &end(3)]);
    let done = import(folder, &whole, &["--json"]).json();
    assert_eq!(
        done["replaced"],
        json!(false),
        "something was taken over before"
    );
    let left_out = json!({
        "address": true,
        "calendars": 0,
        "bookings": 0,
        "preferences": ["publicTrace"],
    });
    assert_eq!(done["left_out"], left_out);
    assert_eq!(done["preferences"], json!({ "tz": "Europe/Berlin" }));
}

#[test]
fn without_an_installation_an_archive_is_imported_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let header = json!({
        "$type": "com.huddle.exportData#header",
        "did": PERSON,
        "exportedAt": "2026-12-01T10:00:00.000Z",
    });
    import(folder.path(), &header.to_string(), &[]).fails(1, "it was cut off");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    import(folder.path(), "", &["--dry-run"]).fails(1, "cannot be imported");
    run(folder.path(), ["import", "none.jsonl"]).fails(1, "cannot read none.jsonl");
}
