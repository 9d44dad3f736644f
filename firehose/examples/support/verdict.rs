//! One verdict a frame, each by itself: what a consumer that knows no more than the keys does with it.

use huddle_firehose::car::{BlockStore as _, Car};
use huddle_firehose::cbor::Reader;
use huddle_firehose::frame::{CommitEvent, SyncEvent};
use huddle_firehose::ingest::{MAX_RECORD_LEN, RecordProblem};
use huddle_firehose::{Change, CommitError, Frame, Level, RecordError, Remedy, Verified, Verifier};
use std::time::Duration;

use super::input::Keys;

/// The collections that are indexed. A record of any collection has to be one: a map of the data model that says its
/// `$type`. That the `$type` is the collection is asked for here alone: elsewhere nobody takes a record for what it is
/// not, and a frame that makes a like into a post is among those that are to be accepted (`ok_multi`).
pub(crate) const INDEXED: &str = "com.huddle.";

/// What a record of a collection is held against, beside being one.
pub(crate) type Check = fn(collection: &str, record: &[u8]) -> Result<(), String>;

/// Takes every record, as the ingester does, which leaves it to others what a record says.
pub(crate) const UNTYPED: Check = |_, _| Ok(());

/// What is done with a frame, and why.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// One of the words that `verdicts` prints.
    pub verdict: &'static str,
    /// For people.
    pub reason: String,
}

/// Judges a frame. The keys are what looking up an identity gives, also for the second time.
pub(crate) fn judge(
    frame: &[u8],
    keys: &Keys,
    verifier: &mut Verifier,
    now: Duration,
    check: Check,
) -> Verdict {
    let verdict = |verdict, reason: &str| Verdict {
        verdict,
        reason: reason.to_owned(),
    };
    match Frame::decode(frame) {
        Err(error) => verdict("reject-frame", &error.to_string()),
        Ok(Frame::Commit(event)) => commit(&event, keys, verifier, now, check),
        Ok(Frame::Sync(event)) => sync(&event, keys, verifier, now),
        Ok(Frame::Identity(_)) => verdict("event", "identity: look it up again"),
        Ok(Frame::Account(event)) => match event.status {
            _ if event.active => verdict("event", "account: active"),
            Some(status) => verdict("event", &format!("account: {}", status.as_str())),
            None => verdict("event", "account: not active"),
        },
        Ok(Frame::Info(info)) => verdict("info", info.name),
        Ok(Frame::Error(error)) => verdict("error", error.error),
        Ok(Frame::Unknown(_)) => verdict("skip", "an operation or a type that is not known"),
    }
}

fn commit(
    event: &CommitEvent<'_>,
    keys: &Keys,
    verifier: &mut Verifier,
    now: Duration,
    check: Check,
) -> Verdict {
    let key = keys.get(event.repo);
    let level = key.map_or(Level::Operations, Level::Signature);
    match verifier.verify(event, level, now) {
        Err(error) => refuse(error),
        Ok(_) if key.is_none() => no_key(),
        Ok(commit) => records(&commit, check),
    }
}

fn sync(event: &SyncEvent<'_>, keys: &Keys, verifier: &mut Verifier, now: Duration) -> Verdict {
    let key = keys.get(event.did);
    let level = key.map_or(Level::Operations, Level::Signature);
    match verifier.verify_sync(event, level, now) {
        Err(error) => refuse(error),
        Ok(_) if key.is_none() => no_key(),
        Ok(head) => Verdict {
            verdict: "event",
            reason: format!("sync: resync, unless what is held is revision {}", head.rev),
        },
    }
}

fn no_key() -> Verdict {
    Verdict {
        verdict: "refresh-identity",
        reason: "there is no key of the account".to_owned(),
    }
}

fn refuse(error: CommitError) -> Verdict {
    let verdict = match error.remedy() {
        Remedy::Resync => "resync",
        // Looking the identity up again would give the same key.
        Remedy::Reject | Remedy::RefreshIdentity => "reject-commit",
    };
    Verdict {
        verdict,
        reason: error.to_string(),
    }
}

/// Refuses a record as the ingester does.
pub(crate) fn check_len(record: &[u8]) -> Result<(), RecordProblem> {
    let is_short = record.len() <= MAX_RECORD_LEN;
    is_short
        .then_some(())
        .ok_or(RecordProblem::TooLarge(record.len()))
}

/// Whether the record of a collection that is not indexed says that it is something else.
fn is_other_type(commit: &Verified<'_, '_>, change: &Change<'_>) -> bool {
    let car = Car::read(commit.event().blocks).ok();
    let cid = change.record.map(|record| record.cid);
    let block = car.as_ref().zip(cid).and_then(|(car, cid)| car.block(&cid));
    !change.collection.starts_with(INDEXED) && block.is_some_and(has_type)
}

fn has_type(record: &[u8]) -> bool {
    let mut reader = Reader::new(record);
    let Ok(mut map) = reader.map() else {
        return false;
    };
    while let Ok(Some(key)) = map.next_key(&mut reader) {
        if key == b"$type" {
            return reader.text().is_ok();
        }
        if reader.skip().is_err() {
            return false;
        }
    }
    false
}

fn records(commit: &Verified<'_, '_>, check: Check) -> Verdict {
    let mut left_out = 0;
    for change in commit.changes() {
        let Some(record) = change.record else {
            continue;
        };
        let read = record.read(|bytes| {
            check_len(bytes).map_err(|problem| problem.to_string())?;
            check(change.collection, bytes)
        });
        match read {
            Ok(()) => {}
            Err(RecordError::Type) if is_other_type(commit, &change) => {}
            Err(RecordError::LeftOut) => left_out += 1,
            Err(error) => {
                return Verdict {
                    verdict: "reject-record",
                    reason: format!("{}/{}: {error}", change.collection, change.rkey),
                };
            }
        }
    }
    Verdict {
        verdict: "accept",
        reason: match left_out {
            0 => String::new(),
            left_out => format!("{left_out} records to be fetched"),
        },
    }
}
