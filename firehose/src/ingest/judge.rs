//! What is to be done next for the first item of a lane: everything but the asking.

use std::cmp::Ordering;
use std::time::Duration;

use super::event::{Change, News, Outcome, Proof};
use super::lane::{Kind, Lane, Need};
use super::records::Records;
use crate::car::{BlockStore as _, Car};
use crate::frame::{AccountEvent, CommitEvent, SyncEvent};
use crate::{
    Account, Cid, CommitError, CommitStep, Filter, Frame, Hosting, Level, Link, MAX_CLOCK_SKEW,
    RecordError, Remedy, RepoCommit, Repository, Tid, Verified, Verifier, VerifyingKey,
};

/// What is to be done.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Something has to be asked for first.
    Need(Need),
    /// Something is to be taken over; the account in the lane is as it is afterwards.
    Deliver(News, Proof),
    /// There is nothing to do, or nothing more.
    Pass,
    /// There is nothing to do, and nothing is to be fetched of the account, of which nothing is held.
    Forget,
    /// It is not to be taken.
    Reject(CommitError),
    /// It is not to be taken, but the account has published something: what, its repository tells.
    Distrust(CommitError, Need),
}

/// What an item is judged with.
pub(super) struct Bench<'a> {
    pub(super) filter: &'a Filter,
    pub(super) verifier: &'a mut Verifier,
    /// Whether the account rests: its repository is fetched when that is over.
    pub(super) is_resting: bool,
    /// How often an identity is looked up at most.
    pub(super) lookup_every: Duration,
    pub(super) now: Duration,
}

/// Judges the first item of a lane.
pub(super) fn judge(lane: &mut Lane, bench: &mut Bench<'_>) -> Verdict {
    let fresh_key = lane.has_fresh_key();
    let recent = lane.recent_until(bench.lookup_every);
    let is_recent = lane.identity.is_some() && recent.is_some_and(|until| bench.now < until);
    let need_repository = need_repository(fresh_key || is_recent);
    let is_unproven = lane.is_unproven();
    let Some(item) = lane.items.front_mut() else {
        return Verdict::Pass;
    };
    let frame = match &item.kind {
        Kind::Frame(bytes) => Frame::decode(bytes),
        Kind::Resync | Kind::Recover(_) => {
            let is_asked_for = matches!(item.kind, Kind::Resync);
            return match lane.account {
                None => Verdict::Need(Need::Account),
                Some(_) if item.fetched => Verdict::Pass,
                Some(account) if is_asked_for || is_recoverable(&account) => {
                    Verdict::Need(need_repository)
                }
                Some(_) => Verdict::Pass,
            };
        }
        Kind::Deliver(_) => return Verdict::Pass,
    };
    if let Ok(Frame::Identity(event)) = frame {
        let handle = event.handle.map(str::to_owned);
        lane.forget_identity();
        return Verdict::Deliver(News::Identity { handle }, Proof::None);
    }
    let Some(account) = &mut lane.account else {
        return Verdict::Need(Need::Account);
    };
    let mut case = Case {
        account,
        key: lane.identity.as_ref().map(|identity| &identity.key),
        fresh_key,
        need_repository,
        fetched: match (item.fetched, item.skips) {
            (true, _) => Fetched::Yes,
            (false, true) => Fetched::Needed,
            (false, false) => Fetched::No,
        },
        is_resting: bench.is_resting,
    };
    match frame {
        Ok(Frame::Commit(event)) => case.commit(&event, bench),
        Ok(Frame::Sync(event)) => case.sync(&event, bench),
        Ok(Frame::Account(event)) if is_unproven && !bench.filter.wants_account(event.did) => {
            of_stranger(&event)
        }
        Ok(Frame::Account(event)) => case.hosting(&event, &mut item.told),
        // Nothing else comes into a lane.
        _ => Verdict::Pass,
    }
}

/// What is said of an account of which nothing is held changes nothing, as anybody can name one. One that is not active
/// says that there is nothing to be fetched.
const fn of_stranger(event: &AccountEvent<'_>) -> Verdict {
    if event.active {
        Verdict::Pass
    } else {
        Verdict::Forget
    }
}

/// A deleted account has nothing to be recovered, until it publishes something again.
fn is_recoverable(account: &Account) -> bool {
    account.is_lost() && account.hosting != Hosting::Deleted
}

/// An account, and what is known for the item at hand.
struct Case<'l> {
    account: &'l mut Account,
    key: Option<&'l VerifyingKey>,
    fresh_key: bool,
    need_repository: Need,
    fetched: Fetched,
    is_resting: bool,
}

/// Whether the repository has been fetched for an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fetched {
    /// It has been.
    Yes,
    /// It has not been, and nothing is known that would ask for it.
    No,
    /// It has not been, and commits that came before were passed over.
    Needed,
}

impl Case<'_> {
    fn commit(&mut self, event: &CommitEvent<'_>, bench: &mut Bench<'_>) -> Verdict {
        let age = self.against_held(event.rev);
        if age.is_some_and(Ordering::is_le) {
            return Verdict::Pass;
        }
        let Some(key) = self.key else {
            return self.without_key();
        };
        let level = Level::Signature(key);
        let verified = match bench.verifier.verify(event, level, bench.now) {
            Ok(verified) => verified,
            Err(error) => {
                let signed = signed_rev(event.repo, event.blocks, Some(event.commit), key);
                return self.refuse(error, signed, bench.now);
            }
        };
        let mut after = *self.account;
        match after.commit(&Link::from(&verified)) {
            CommitStep::Stale => return Verdict::Pass,
            CommitStep::Apply => {
                if let Some(changes) = changes(&verified, bench.filter) {
                    *self.account = after;
                    let rev = verified.head().rev;
                    return Verdict::Deliver(News::Changes { rev, changes }, Proof::Signature);
                }
                self.account.lose_track(Some(verified.head().rev));
            }
            CommitStep::Resync | CommitStep::Wait => *self.account = after,
        }
        self.fetch()
    }

    fn sync(&mut self, event: &SyncEvent<'_>, bench: &mut Bench<'_>) -> Verdict {
        let age = self.against_held(event.rev);
        if age.is_some_and(Ordering::is_lt) {
            return Verdict::Pass;
        }
        let Some(key) = self.key else {
            return self.without_key();
        };
        let level = Level::Signature(key);
        match bench.verifier.verify_sync(event, level, bench.now) {
            Ok(head) if self.account.sync(head) => self.fetch(),
            Ok(_) => Verdict::Pass,
            Err(error) => {
                let signed = signed_rev(event.did, event.blocks, None, key);
                self.refuse(error, signed, bench.now)
            }
        }
    }

    /// What is said of the account is told first; an account that is back may have to be fetched then.
    fn hosting(&mut self, event: &AccountEvent<'_>, told: &mut bool) -> Verdict {
        if !*told {
            let before = *self.account;
            let hosting = self.account.status(event);
            if *self.account != before {
                *told = true;
                return Verdict::Deliver(News::Hosting(hosting), Proof::None);
            }
        }
        let is_back = self.account.hosting == Hosting::Active;
        if is_back && self.account.is_lost() {
            self.fetch()
        } else {
            Verdict::Pass
        }
    }

    /// How a revision compares to what is held, or was before it was deleted. What is older came before, and costs
    /// nothing to pass over.
    fn against_held(&self, rev: &str) -> Option<Ordering> {
        let newest = match self.account.repository {
            Repository::Synced(held) => held.rev,
            Repository::Desynchronized { at_least } if self.is_deleted() => at_least?,
            Repository::Desynchronized { .. } => return None,
        };
        Some(rev.parse::<Tid>().ok()?.cmp(&newest))
    }

    /// The repository has what an event says. Where it is to be fetched after a rest, it will have it then.
    fn fetch(&self) -> Verdict {
        if self.is_covered() {
            Verdict::Pass
        } else {
            Verdict::Need(self.need_repository)
        }
    }

    fn without_key(&self) -> Verdict {
        if self.is_covered() {
            Verdict::Pass
        } else {
            Verdict::Need(Need::Identity)
        }
    }

    fn is_covered(&self) -> bool {
        self.is_resting && self.account.is_lost()
    }

    fn is_deleted(&self) -> bool {
        self.account.hosting == Hosting::Deleted
    }

    /// Refuses an event, which the account may have signed all the same: then what is held is not what it has published,
    /// whoever has made the event what it is.
    fn refuse(&mut self, error: CommitError, signed: Option<Tid>, now: Duration) -> Verdict {
        if self.is_covered() {
            self.account.lose_track(past(signed, now));
            return Verdict::Pass;
        }
        let remedy = error.remedy();
        if remedy == Remedy::RefreshIdentity && !self.fresh_key {
            return Verdict::Need(Need::Identity);
        }
        let is_news = signed.is_some_and(|rev| !self.is_held(rev));
        let is_needed = match self.fetched {
            Fetched::Yes => false,
            Fetched::No => is_news || remedy == Remedy::Resync,
            Fetched::Needed => true,
        };
        if !is_needed {
            return Verdict::Reject(error);
        }
        let was_lost = self.account.is_lost();
        self.account.lose_track(past(signed, now));
        if was_lost || remedy == Remedy::Resync {
            Verdict::Need(self.need_repository)
        } else {
            Verdict::Distrust(error, self.need_repository)
        }
    }

    fn is_held(&self, rev: Tid) -> bool {
        matches!(self.account.repository, Repository::Synced(held) if rev <= held.rev)
    }
}

/// A revision of the future would never be reached.
fn past(rev: Option<Tid>, now: Duration) -> Option<Tid> {
    rev.filter(|rev| rev.since_epoch() <= now.saturating_add(MAX_CLOCK_SKEW))
}

/// The revision of a commit, or of the root of the blocks, that is refused for whatever reason, if the account has signed
/// it.
fn signed_rev(did: &str, blocks: &[u8], commit: Option<Cid>, key: &VerifyingKey) -> Option<Tid> {
    let car = Car::read(blocks).ok()?;
    let commit = commit.unwrap_or_else(|| car.root());
    let commit = RepoCommit::read(car.block(&commit)?).ok()?;
    let is_signed = commit.did == did && commit.verify(key).is_ok();
    is_signed.then_some(commit.rev)
}

/// A repository is verified with a key that was looked up for it: it is fetched seldom, and often because something
/// about the account has changed.
const fn need_repository(has_new_key: bool) -> Need {
    if has_new_key {
        Need::Repository
    } else {
        Need::Identity
    }
}

/// The changes of interest, unless the bytes of a record were left out.
fn changes(verified: &Verified<'_, '_>, filter: &Filter) -> Option<Vec<Change>> {
    let wanted = verified.changes().filter(|change| {
        // The filter knows paths.
        filter.wants_path(&format!("{}/{}", change.collection, change.rkey))
    });
    let mut records = Records::default();
    let changes = wanted.map(|change| {
        let record = match change.record {
            None => Outcome::Gone,
            Some(record) => match record.read(Ok) {
                Ok(block) => records.outcome(record.cid, record.collection, block),
                Err(RecordError::LeftOut) => return None,
                Err(why) => Outcome::Refused {
                    cid: record.cid,
                    why,
                },
            },
        };
        Some(Change {
            collection: change.collection.to_owned(),
            rkey: change.rkey.to_owned(),
            record,
        })
    });
    changes.collect()
}
