//! Hostile and odd frames, and the verdict that each should have.

use crate::input::{self, Keys};
use crate::line::line;
use crate::typed::typed;
use crate::verdict::{Check, UNTYPED, Verdict, check_len, judge};
use huddle_firehose::Verifier;
use huddle_firehose::ingest::{MAX_RECORD_LEN, RecordProblem};
use huddle_testdata::{is_full, shared, shared_text};
use serde_json::{Value, json};
use std::time::Duration;

/// December 2026: after the frames were made.
const NOW: Duration = Duration::from_secs(1_796_000_000);

/// The verdicts that a wish allows. Where it leaves a choice, the first is ours.
fn allowed(wish: &str) -> &'static [&'static str] {
    match wish {
        "accept" | "commit ok, record ok" => &["accept"],
        // Nothing hangs on `blobs`, a second root, or how large a number is.
        "accept|reject" => &["accept", "reject-frame", "reject-commit"],
        // Nobody has sent `rebase` for years, and nobody reads it.
        "ignore-flag|reject" => &["accept", "reject-commit"],
        "event" => &["event"],
        // A reason to look, unless what is held is that revision, which a single frame cannot tell.
        "event+resync" => &["event", "resync"],
        "info" => &["info"],
        "error-frame:stop" => &["error"],
        "skip" => &["skip"],
        "reject-frame" => &["reject-frame"],
        "reject-frame|lenient" => &["reject-frame", "accept"],
        "reject-commit" => &["reject-commit"],
        // The keys are what a refreshed identity has.
        "refresh-identity-then-reject" => &["reject-commit", "refresh-identity"],
        "resync" | "legacy(resync or unverified)" => &["resync"],
        "commit ok, record invalid" => &["reject-record"],
        "commit ok, record invalid|ok" => &["reject-record", "accept"],
        other => panic!("no verdict is known for {other:?}"),
    }
}

#[test]
fn each_frame_is_judged_as_it_should_be() {
    let Some(cases) = shared_text("firehose/cases/cases.json") else {
        return;
    };
    let cases: Vec<Value> = serde_json::from_str(&cases).unwrap();
    let (frames, keys) = files("firehose/cases");
    assert_eq!(cases.len(), frames.len());
    let mut verifier = Verifier::new();
    let mut wrong = Vec::new();
    for (case, frame) in cases.iter().zip(&frames) {
        let verdict = judge(frame, &keys, &mut verifier, NOW, UNTYPED);
        let allowed = allowed(case["want"].as_str().unwrap());
        if verdict.verdict != allowed[0] {
            let (verdict, reason) = (verdict.verdict, verdict.reason);
            wrong.push(format!(
                "{}: {verdict} ({reason}), not {allowed:?}",
                case["name"]
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_verdict_is_a_line_of_json_with_the_number_of_its_frame() {
    let verdict = Verdict {
        verdict: "reject-record",
        reason: "com.example.a/1: \"start\"\nis missing".to_owned(),
    };
    let line = line(7, &verdict);
    assert!(!line.contains('\n'), "{line}");
    let expect = json!({
        "i": 7,
        "verdict": "reject-record",
        "reason": "com.example.a/1: \"start\"\nis missing",
    });
    assert_eq!(line.parse::<Value>().unwrap(), expect);
}

#[test]
fn a_record_is_no_longer_than_the_ingester_takes() {
    let record = vec![0; MAX_RECORD_LEN + 1];
    let too_large = RecordProblem::TooLarge(record.len());
    assert_eq!(check_len(&record), Err(too_large));
    assert_eq!(check_len(&record[1..]), Ok(()));
}

#[test]
fn frames_that_nobody_has_touched_are_all_taken() {
    if shared("firehose/corpus").is_none() {
        return;
    }
    let (frames, keys) = files("firehose/corpus");
    let mut verifier = Verifier::new();
    // All of them take a while without optimisation, and are much like each other.
    let step = if is_full() { 1 } else { 16 };
    for (i, frame) in frames.iter().enumerate().step_by(step) {
        let verdict = judge(frame, &keys, &mut verifier, NOW, typed);
        assert!(
            matches!(verdict.verdict, "accept" | "event"),
            "frame {i}: {verdict:?}"
        );
    }
}

/// The offers of the cases are made up, and none is one by its lexicon. What is refused is the record, never more.
#[test]
fn a_lexicon_refuses_records_and_changes_no_other_verdict() {
    if shared("firehose/cases").is_none() {
        return;
    }
    let (frames, keys) = files("firehose/cases");
    let mut verifier = Verifier::new();
    let mut judge = |frame: &[u8], check: Check| {
        let verdict = judge(frame, &keys, &mut verifier, NOW, check);
        verdict.verdict
    };
    let mut refused = 0;
    for (i, frame) in frames.iter().enumerate() {
        let (untyped, typed) = (judge(frame, UNTYPED), judge(frame, typed));
        if untyped != typed {
            assert_eq!((untyped, typed), ("accept", "reject-record"), "frame {i}");
            refused += 1;
        }
    }
    assert!(refused > 0, "no offer breaks its lexicon");
}

fn files(folder: &str) -> (Vec<Vec<u8>>, Keys) {
    let folder = shared(folder).expect("the folder is there");
    (
        input::frames(&folder.join("frames.bin")).unwrap(),
        input::keys(&folder.join("keys.json")).unwrap(),
    )
}
