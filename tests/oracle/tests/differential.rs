//! Whatever the two think differently of has a reason that is known.

#[path = "../../../firehose/examples/support/input.rs"]
mod input;
#[path = "../../../firehose/examples/support/verdict.rs"]
mod verdict;

use huddle_firehose::Verifier;
use huddle_oracle::mutate::{Random, mutate};
use huddle_oracle::shrike::{self, Verdict};
use huddle_testdata::shared;
use std::collections::BTreeMap;
use std::time::Duration;

/// December 2026: after the frames were made.
const NOW: Duration = Duration::from_secs(1_796_000_000);

/// What we refuse and shrike takes: a part of our reason, and why.
const STRICTER: &[(&str, &str)] = &[
    ("#info without", "it does not read the body of #info"),
    ("not text at byte", "it does not read the body of #info"),
    (
        "in the future",
        "its clock is asked by its stateful verifier, not by these parts",
    ),
    (
        "does not come after `since`",
        "revisions are compared by its stateful verifier",
    ),
    (
        "another revision than",
        "revisions are compared by its stateful verifier",
    ),
    (
        "another account than",
        "accounts are compared by its stateful verifier",
    ),
    (
        "`rev` is not a TID",
        "of #sync it compares revisions as texts",
    ),
    (
        "without `cid`",
        "an operation need not have `cid` there, though the lexicon requires it",
    ),
    (
        "not a place in a stream",
        "a negative place is taken, which no cursor can name",
    ),
    ("the record is missing", "it does not look for records"),
    (
        "the change is too big",
        "`tooBig` is for its stateful verifier to see",
    ),
];

/// What shrike refuses and we take: a part of its reason, and why.
const LAXER: &[(&str, &str)] = &[
    (
        "\"blobs\" must be an array",
        "hosts send null for it, and nobody needs it",
    ),
    (
        "invalid handle",
        "a handle is no more than a hint, which has to be verified in any case",
    ),
    (
        "missing field \"rebase\"",
        "it is deprecated, and always false",
    ),
    (
        "missing field \"tooBig\"",
        "it is deprecated, and always false",
    ),
    (
        "field \"tooBig\" must be a boolean",
        "null is as good as absent, and nothing else is taken",
    ),
];

#[test]
fn every_disagreement_is_explained() {
    let mut disagreements: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let mut compared = 0;
    for (folder, mutations) in [("corpus", 3), ("cases", 300)] {
        let Some(folder) = shared(&format!("firehose/{folder}")) else {
            return;
        };
        let frames = input::frames(&folder.join("frames.bin")).unwrap();
        let texts = std::fs::read(folder.join("keys.json")).unwrap();
        let ours = input::keys(&folder.join("keys.json")).unwrap();
        let theirs = shrike::keys(&texts);
        let mut verifier = Verifier::new();
        let mut random = Random(7);
        for (i, frame) in frames.iter().enumerate() {
            let mutated = (0..mutations)
                .filter(|_| !frame.is_empty())
                .map(|_| mutate(frame, &mut random));
            let mutated: Vec<_> = mutated.collect();
            for frame in mutated.iter().chain([frame]) {
                compared += 1;
                let our = verdict::judge(frame, &ours, &mut verifier, NOW, verdict::UNTYPED);
                let their = shrike::judge(frame, &theirs);
                if let Some(key) = disagreement(&our, &their) {
                    let example = format!("{} frame {i}: {our:?} {their:?}", folder.display());
                    disagreements.entry(key).or_insert((0, example)).0 += 1;
                }
            }
        }
    }
    println!("{compared} frames compared");
    let mut unexplained = Vec::new();
    for (key, (count, example)) in &disagreements {
        println!("{count:6} {key}");
        if key.starts_with("??") {
            unexplained.push(example);
        }
    }
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    for (_, why) in STRICTER.iter().chain(LAXER) {
        let happens = disagreements.keys().any(|key| key.ends_with(why));
        assert!(happens, "explained for nothing: {why}");
    }
}

/// Why the two disagree; nothing if they do not.
fn disagreement(our: &verdict::Verdict, their: &Verdict) -> Option<String> {
    let taken = matches!(our.verdict, "accept" | "event" | "info" | "reject-record");
    let explain = |list: &[(&str, &str)], side: &str, reason: &str| {
        let known = list.iter().find(|(part, _)| reason.contains(part));
        Some(match known {
            Some((_, why)) => format!("{side}: {why}"),
            None => format!("?? {side}: {reason}"),
        })
    };
    match their {
        Verdict::Taken if !taken => explain(STRICTER, "only shrike takes", &our.reason),
        Verdict::NoFrame(reason) | Verdict::NotVerified(reason) if taken => {
            explain(LAXER, "only we take", reason)
        }
        _ => None,
    }
}
