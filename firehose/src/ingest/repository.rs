//! A whole repository, as `com.atproto.sync.getRepo` answers it.

use std::time::Duration;

use super::event::{Change, RepositoryError};
use super::records::Records;
use crate::car::{BlockStore as _, Car};
use crate::{CommitError, Filter, Head, MAX_CLOCK_SKEW, RepoCommit, VerifyingKey, mst, syntax};

/// Verifies the repository of an account, and finds its records of interest, which may take `max_bytes`.
pub(super) fn read(
    did: &str,
    car: &[u8],
    key: &VerifyingKey,
    filter: &Filter,
    now: Duration,
    max_bytes: usize,
) -> Result<(Head, Vec<Change>), RepositoryError> {
    let car = Car::read(car).map_err(CommitError::from)?;
    let commit = car.block(&car.root()).ok_or(CommitError::NoCommit)?;
    let commit = RepoCommit::read(commit).map_err(CommitError::from)?;
    if commit.did != did {
        return Err(CommitError::Did.into());
    }
    if commit.rev.since_epoch() > now.saturating_add(MAX_CLOCK_SKEW) {
        return Err(CommitError::RevInFuture(commit.rev).into());
    }
    commit.verify(key).map_err(|_| CommitError::Signature)?;
    let (mut records, mut changes, mut paths_len) = (Records::default(), Vec::new(), 0);
    let mut tree = mst::Cursor::new(&car, commit.data).map_err(CommitError::from)?;
    while let Some(leaf) = tree.next_leaf().map_err(CommitError::from)? {
        let Some(path) = str::from_utf8(leaf.key)
            .ok()
            .filter(|p| filter.wants_path(p))
        else {
            continue;
        };
        let Some((collection, rkey)) = syntax::split_path(path) else {
            continue;
        };
        let block = car.block(&leaf.record).ok_or(RepositoryError::NoRecord)?;
        changes.push(Change {
            collection: collection.to_owned(),
            rkey: rkey.to_owned(),
            record: records.outcome(leaf.record, collection, block),
        });
        paths_len += path.len() + size_of::<Change>();
        if records.len() + paths_len > max_bytes {
            return Err(RepositoryError::TooLarge(max_bytes));
        }
    }
    let head = Head {
        rev: commit.rev,
        data: commit.data,
    };
    Ok((head, changes))
}
