//! What must be true of an installation: at any moment, and once nothing is under way in it any more.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use huddle_core::Limits;
use huddle_native::{ActorStore, Contradiction, Database, SystemClock};
use huddle_ports::Clock as _;
use rusqlite::Connection;
use tokio::time::interval;

/// A driver that does not come back is replaced once its lease of ten seconds is over, which may happen more than once. Of
/// what is prepared the booking is asked after the `PATIENCE` of `host_match`, which is a minute, where no word came, and
/// after as long again where no answer did.
const AT_REST_WITHIN: Duration = Duration::from_mins(3);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What passes by itself, and must: time that nobody can use although no meeting stands there. Claims are held against the
/// attempt that their booking stands at now: what is left of a meeting that was moved or called off is not at rest.
const UNDER_WAY: &str = "\
    WITH standing AS (SELECT substr(actor, length('booking/') + 1) AS booking, document ->> '$.lease' AS lease, \
        document ->> '$.phase.Finalizing' AS finalizing, document ->> '$.phase.Confirmed.change' AS change, \
        document ->> '$.phase.Confirmed.attempt' AS confirmed, \
        CASE WHEN document ->> '$.phase.Held' IS NOT NULL THEN document ->> '$.attempt' END AS held \
      FROM booking) \
    SELECT actor || ' has prepared for ' || booking FROM claim WHERE state = 'prepared' \
    UNION ALL SELECT actor || ' is booked for ' || booking || ', which does not stand so' \
      FROM claim LEFT JOIN standing USING (booking) WHERE state = 'booked' AND attempt IS NOT confirmed \
    UNION ALL SELECT actor || ' holds time for ' || booking || ', which does not stand so' \
      FROM claim LEFT JOIN standing USING (booking) WHERE state = 'held' AND attempt IS NOT held \
    UNION ALL SELECT booking || ' is being confirmed, moved or searched for' \
      FROM standing WHERE lease IS NOT NULL OR finalizing IS NOT NULL OR change IS NOT NULL";

#[track_caller]
pub(crate) fn assert_sound(data: &Path, when: &str) {
    let found = Contradiction::find(data, SystemClock.now()).unwrap();
    let found: Vec<_> = found.iter().map(Contradiction::to_string).collect();
    assert!(found.is_empty(), "{when}: {found:#?}");
}

/// Waits until every booking is decided, and everybody's time goes with that. Effects outside may still be due.
pub(crate) async fn until_at_rest(data: &Path) {
    let mut looks = interval(LOOK_EVERY);
    let begun = SystemClock.now();
    loop {
        looks.tick().await;
        let under_way = under_way(data);
        if under_way.is_empty() {
            return;
        }
        let is_late = begun + AT_REST_WITHIN < SystemClock.now();
        assert!(!is_late, "still under way: {under_way:#?}");
    }
}

fn under_way(data: &Path) -> Vec<String> {
    let actors = Connection::open(Database::Actors.path(data)).unwrap();
    let mut statement = actors.prepare(UNDER_WAY).unwrap();
    let found = statement.query_map([], |row| row.get(0)).unwrap();
    found.map(Result::unwrap).collect()
}

/// Whether a booking in this phase and at its second attempt, with a claim of this state for that attempt, is at rest.
#[track_caller]
fn check(phase: &str, lease: Option<i64>, claim: Option<(&str, u32)>, is_at_rest: bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = Database::Actors.path(folder.path());
    ActorStore::open(&path, Arc::new(SystemClock), Limits::default()).unwrap();
    let actors = Connection::open(&path).unwrap();
    let phase: serde_json::Value = serde_json::from_str(phase).unwrap();
    let document = serde_json::json!({ "phase": phase, "attempt": 2, "lease": lease });
    let booking = "INSERT INTO booking (actor, document) VALUES ('booking/b', ?1)";
    actors.execute(booking, [document.to_string()]).unwrap();
    if let Some((state, attempt)) = claim {
        let claim = "INSERT INTO claim (actor, booking, attempt, state, starts, ends, guard_starts, guard_ends, role, \
                     counterpart, limited, due) VALUES ('host-match/p', 'b', ?1, ?2, 1, 2, 1, 2, 'host', 'q', 0, 9)";
        actors.execute(claim, (attempt, state)).unwrap();
    }
    let under_way = under_way(folder.path());
    assert_eq!(under_way.is_empty(), is_at_rest, "{under_way:?}");
}

#[test]
fn what_a_kill_may_leave_behind_is_not_taken_for_rest() {
    let stands = r#"{"Confirmed": {"attempt": 2, "change": null}}"#;
    check(stands, None, Some(("booked", 2)), true);
    check(stands, None, Some(("booked", 1)), false);
    check(stands, None, Some(("prepared", 2)), false);
    check(stands, None, Some(("held", 1)), false);
    let moves = r#"{"Confirmed": {"attempt": 1, "change": {"stage": "Seeking"}}}"#;
    check(moves, None, Some(("booked", 1)), false);
    check(r#"{"Canceled": {"place": null}}"#, None, None, true);
    check(
        r#"{"Canceled": {"place": {}}}"#,
        None,
        Some(("booked", 2)),
        false,
    );
    check(r#"{"Held": {}}"#, None, Some(("held", 2)), true);
    check(r#"{"Expired": "Hold"}"#, None, Some(("held", 2)), false);
    check(r#""Unmatched""#, None, None, true);
    check(r#""Unmatched""#, None, Some(("prepared", 2)), false);
    check(r#"{"Finalizing": {}}"#, Some(9), Some(("held", 2)), false);
    check(
        r#"{"Pending": {"waiting": "Search"}}"#,
        Some(9),
        None,
        false,
    );
}
