//! Whatever the two think differently of has a reason that is known.

#[path = "../../../firehose/examples/support/input.rs"]
mod input;
#[path = "../../../firehose/examples/support/verdict.rs"]
mod verdict;

use huddle_firehose::Verifier;
use huddle_oracle::mutate::{Random, mutate};
use huddle_oracle::shrike::{Judge, Verdict};
use huddle_testdata::shared;
use std::collections::BTreeMap;
use std::time::Duration;

/// December 2026: after the frames were made.
const NOW: Duration = Duration::from_secs(1_796_000_000);

/// What we refuse and shrike takes: the type of the event or our verdict, a part of our reason, and why.
const STRICTER: &[(&str, &str, &str)] = &[
    (
        "#info",
        "#info without",
        "it does not read the body of #info",
    ),
    (
        "#info",
        "not text at byte",
        "it does not read the body of #info",
    ),
    (
        "#commit",
        "without `cid`",
        "an operation need not have `cid` there, though the lexicon requires it",
    ),
    (
        "reject-frame",
        "not a place in a stream",
        "a negative place is taken, which no cursor can name",
    ),
    (
        "#commit",
        "the record is missing",
        "it leaves records that are missing to whoever wants them",
    ),
    (
        "#commit",
        "the change is too big",
        "`tooBig` is passed over, and what came with it counts",
    ),
    (
        "reject-record",
        "its `$type` is not the collection",
        "a record is any data, whether or not it is a map with a `$type`",
    ),
    (
        "reject-record",
        "not a map at byte 0",
        "a record is any data, whether or not it is a map with a `$type`",
    ),
    (
        "reject-record",
        "a float at byte",
        "a record may have floats, which the data model does not have",
    ),
];

/// What shrike refuses and we take: a part of its reason, and why.
const LAXER: &[(&str, &str)] = &[
    (
        "unknown frame op",
        "frames of other operations are skipped, and errors end the stream: they are read",
    ),
    ("unknown event type", "events of other types are skipped"),
    (
        "missing field \"t\"",
        "only messages need a type, errors do not",
    ),
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
        let theirs = Judge::new(&texts, NOW);
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
                let their = theirs.judge(frame);
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
    let stricter = STRICTER.iter().map(|(.., why)| why);
    let laxer = LAXER.iter().map(|(.., why)| why);
    for why in stricter.chain(laxer) {
        let happens = disagreements.keys().any(|key| key.ends_with(why));
        assert!(happens, "explained for nothing: {why}");
    }
}

/// Why the two disagree; nothing if they do not.
fn disagreement(our: &verdict::Verdict, their: &Verdict) -> Option<String> {
    let taken = matches!(our.verdict, "accept" | "event" | "info" | "skip" | "error");
    let explain = |side: &str, reason: &str, why: Option<&&str>| {
        Some(match why {
            Some(why) => format!("{side}: {why}"),
            None => format!("?? {side}: {reason}"),
        })
    };
    match their {
        Verdict::Taken(kind) if !taken => {
            let mut known = STRICTER.iter();
            let known = known.find(|(on, part, _)| {
                [*kind, our.verdict].contains(on) && our.reason.contains(part)
            });
            explain("only shrike takes", &our.reason, known.map(|(.., why)| why))
        }
        Verdict::NoFrame(reason) | Verdict::NotVerified(reason) if taken => {
            let known = LAXER.iter().find(|(part, _)| reason.contains(part));
            explain("only we take", reason, known.map(|(.., why)| why))
        }
        _ => None,
    }
}
