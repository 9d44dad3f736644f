//! What is to be done next for the first item of a lane: everything but the asking.

use std::cmp::Ordering;
use std::time::Duration;

use super::event::{Change, News, Outcome, Proof};
use super::lane::{Kind, Lane, Need};
use super::records::Records;
use crate::frame::{AccountEvent, CommitEvent, SyncEvent};
use crate::{
    Account, CommitError, CommitStep, Filter, Frame, Hosting, Level, Link, RecordError, Remedy,
    Repository, Tid, Verified, Verifier, VerifyingKey,
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
    /// It is not to be taken.
    Reject(CommitError),
}

/// What an item is judged with.
pub(super) struct Bench<'a> {
    pub(super) filter: &'a Filter,
    pub(super) verifier: &'a mut Verifier,
    pub(super) now: Duration,
}

/// Judges the first item of a lane.
pub(super) fn judge(lane: &mut Lane, bench: &mut Bench<'_>) -> Verdict {
    let fresh_key = lane.has_fresh_key();
    let Some(item) = lane.items.front_mut() else {
        return Verdict::Pass;
    };
    let frame = match &item.kind {
        Kind::Frame(bytes) => Frame::decode(bytes),
        Kind::Resync => {
            return match (lane.account, item.fetched) {
                (None, _) => Verdict::Need(Need::Account),
                (Some(_), true) => Verdict::Pass,
                (Some(_), false) => need_repository(fresh_key),
            };
        }
        Kind::Deliver(_) => return Verdict::Pass,
    };
    if let Ok(Frame::Identity(_) | Frame::Sync(_) | Frame::Account(_)) = frame {
        // Something about the account has changed, so that its repository may be had now.
        lane.rests_until = None;
    }
    if let Ok(Frame::Identity(event)) = frame {
        lane.key = None;
        let handle = event.handle.map(str::to_owned);
        return Verdict::Deliver(News::Identity { handle }, Proof::None);
    }
    let Some(account) = &mut lane.account else {
        return Verdict::Need(Need::Account);
    };
    let is_resting = lane.rests_until.is_some_and(|until| bench.now < until);
    let mut case = Case {
        account,
        key: lane.key.as_ref(),
        fresh_key,
        fetched: item.fetched,
        is_resting,
    };
    match frame {
        Ok(Frame::Commit(event)) => case.commit(&event, bench),
        Ok(Frame::Sync(event)) => case.sync(&event, bench),
        Ok(Frame::Account(event)) => case.hosting(&event, &mut item.told),
        // Nothing else comes into a lane.
        _ => Verdict::Pass,
    }
}

/// An account, and what is known for the item at hand.
struct Case<'l> {
    account: &'l mut Account,
    key: Option<&'l VerifyingKey>,
    fresh_key: bool,
    fetched: bool,
    is_resting: bool,
}

impl Case<'_> {
    fn commit(&mut self, event: &CommitEvent<'_>, bench: &mut Bench<'_>) -> Verdict {
        let age = self.against_held(event.rev);
        if self.is_covered() || age.is_some_and(Ordering::is_le) {
            return Verdict::Pass;
        }
        let Some(key) = self.key else {
            return Verdict::Need(Need::Key);
        };
        let verified = match bench
            .verifier
            .verify(event, Level::Signature(key), bench.now)
        {
            Ok(verified) => verified,
            Err(error) => return self.refuse(error),
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
                self.account.lose_track();
            }
            CommitStep::Resync | CommitStep::Wait => *self.account = after,
        }
        need_repository(self.fresh_key)
    }

    fn sync(&mut self, event: &SyncEvent<'_>, bench: &mut Bench<'_>) -> Verdict {
        let age = self.against_held(event.rev);
        if self.is_covered() || age.is_some_and(Ordering::is_lt) {
            return Verdict::Pass;
        }
        let Some(key) = self.key else {
            return Verdict::Need(Need::Key);
        };
        match bench
            .verifier
            .verify_sync(event, Level::Signature(key), bench.now)
        {
            Ok(head) if self.account.sync(head) => need_repository(self.fresh_key),
            Ok(_) => Verdict::Pass,
            Err(error) => self.refuse(error),
        }
    }

    /// What the account says of itself is told first; an account that is back may have to be fetched then.
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
        if is_back && self.is_lost() && !self.is_resting {
            need_repository(self.fresh_key)
        } else {
            Verdict::Pass
        }
    }

    /// How a revision compares to what is held. What is older came before, and costs nothing to pass over.
    fn against_held(&self, rev: &str) -> Option<Ordering> {
        let Repository::Synced(held) = self.account.repository else {
            return None;
        };
        Some(rev.parse::<Tid>().ok()?.cmp(&held.rev))
    }

    /// Whether the repository, which is to be fetched after a rest, will have what an event says.
    fn is_covered(&self) -> bool {
        self.is_resting && self.is_lost()
    }

    fn is_lost(&self) -> bool {
        matches!(self.account.repository, Repository::Desynchronized { .. })
    }

    fn refuse(&mut self, error: CommitError) -> Verdict {
        match error.remedy() {
            Remedy::RefreshIdentity if !self.fresh_key => Verdict::Need(Need::Key),
            Remedy::Resync if !self.fetched => {
                self.account.lose_track();
                need_repository(self.fresh_key)
            }
            Remedy::Reject | Remedy::RefreshIdentity | Remedy::Resync => Verdict::Reject(error),
        }
    }
}

/// A repository is verified with a key that was looked up for it: it is fetched seldom, and often because something
/// about the account has changed.
fn need_repository(fresh_key: bool) -> Verdict {
    Verdict::Need(if fresh_key {
        Need::Repository
    } else {
        Need::Key
    })
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
