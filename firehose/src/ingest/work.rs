//! What is done for the first item of a lane: asking, delivering, finishing.

use std::sync::Arc;
use std::time::Duration;

use super::desk::{Crowd, identity_host};
use super::event::{Event, LostTrack, News, Notice, Proof, RepositoryError};
use super::judge::{Bench, Verdict, judge};
use super::lane::{Item, Kind, Need, Wait, Whose};
use super::rests::Rest;
use super::{Action, Delivered, Ingest, Then, repository};
use crate::{CommitError, Hosting};

impl Ingest {
    /// Does what can be done for the first item of a lane.
    pub(super) fn look_at(&mut self, did: &str) {
        let Some(lane) = self.lanes.get_mut(did) else {
            return;
        };
        if lane.wait != Wait::Nothing {
            return;
        }
        let Some(item) = lane.items.front_mut() else {
            return;
        };
        if let Kind::Deliver(event) = &mut item.kind {
            match event.take() {
                Some(event) => self.deliver(did, *event, Then::Next),
                None => self.finish(did),
            }
            return;
        }
        let mut bench = Bench {
            filter: &self.filter,
            verifier: &mut self.verifier,
            is_resting: self.rests.get(did).is_some(),
            lookup_every: self.config.limits.lookup_every,
            now: self.now,
        };
        match judge(lane, &mut bench) {
            Verdict::Need(need) => self.need(did, need),
            Verdict::Deliver(news, proof) => {
                // An account that is back may have to be fetched.
                let is_half = matches!(news, News::Hosting(_));
                let then = if is_half { Then::Again } else { Then::Next };
                self.tell(did, news, proof, then);
            }
            Verdict::Pass => self.finish(did),
            Verdict::Forget => {
                self.rests.forget_stranger(did);
                self.finish(did);
            }
            Verdict::Reject(why) => {
                self.report_rejected(did, why);
                self.finish(did);
            }
            Verdict::Distrust(why, need) => {
                self.report_rejected(did, why);
                self.need(did, need);
            }
        }
    }

    fn report_rejected(&mut self, did: &str, why: CommitError) {
        let seq = self.lanes.get_mut(did).map_or(0, |lane| lane.seq());
        self.report(Notice::Rejected {
            did: did.to_owned(),
            seq,
            why,
        });
    }

    /// Something is needed. A repository that was fetched for the same item did not help, for example because its host
    /// is a little behind: that is a failure.
    fn need(&mut self, did: &str, need: Need) {
        let Some(lane) = self.lanes.get_mut(did) else {
            return;
        };
        let is_fetched = lane.items.front().is_some_and(|item| item.fetched);
        if need == Need::Identity && lane.has_no_key() {
            self.refuse_keyless(did);
        } else if need == Need::Repository && is_fetched {
            self.retry(did, need, LostTrack::Refused(RepositoryError::Outdated));
        } else {
            self.ask(did, need);
        }
    }

    /// Asks for something, or waits for a turn to, or for the moment from which on it may.
    pub(super) fn ask(&mut self, did: &str, need: Need) {
        let is_turn = match need {
            Need::Account => true,
            Need::Identity => {
                let every = self.config.limits.lookup_every;
                let lane = self.lanes.get_mut(did);
                let moment = lane.and_then(|lane| lane.no_lookup_before(every));
                if let Some(moment) = moment.filter(|moment| self.now < *moment) {
                    return self.lanes.sleep(did, need, moment);
                }
                let crowds = self.crowds_of_identity(did);
                self.identities.turn(did, crowds)
            }
            Need::Repository => {
                let host = self.host_of(did);
                if !self.fetches.take(host.as_deref(), self.now) {
                    return self.postpone(did);
                }
                let crowds = host.map(Crowd::Host).into_iter().collect();
                self.repositories.turn(did, crowds)
            }
        };
        if is_turn {
            self.ask_now(did, need);
        } else if let Some(lane) = self.lanes.get_mut(did) {
            lane.wait = Wait::Turn(need);
        }
    }

    /// Where the repository of an account is, as far as that is known.
    fn host_of(&mut self, did: &str) -> Option<Arc<str>> {
        let identity = self.lanes.get_mut(did)?.identity.as_ref()?;
        identity.host.clone()
    }

    /// With whom an account shares the turns to have its identity looked up.
    fn crowds_of_identity(&mut self, did: &str) -> Vec<Crowd> {
        let Some(host) = identity_host(did) else {
            return Vec::new();
        };
        // The name of a host is the same in any case.
        let host = Crowd::Host(host.to_ascii_lowercase().into());
        let strangers = self.is_stranger(did).then_some(Crowd::Strangers);
        strangers.into_iter().chain([host]).collect()
    }

    /// Whether only a stream has named an account. Nothing of it is held then, or has been verified.
    fn is_stranger(&mut self, did: &str) -> bool {
        let lane = self.lanes.get_mut(did);
        lane.is_some_and(|lane| lane.is_unproven()) && !self.filter.wants_account(did)
    }

    fn ask_now(&mut self, did: &str, need: Need) {
        let arrived = self.lanes.arrived();
        if let Some(lane) = self.lanes.get_mut(did) {
            lane.wait = Wait::Answer(need);
            if need == Need::Identity {
                lane.ask_identity(arrived);
            }
        }
        let did = did.to_owned();
        self.outbox.push_back(match need {
            Need::Account => Action::ReadAccount { did },
            Need::Identity => Action::FindIdentity { did },
            Need::Repository => Action::FetchRepository { did },
        });
    }

    pub(super) fn leave_identities(&mut self, did: &str) {
        if let Some(next) = self.identities.leave(did) {
            self.ask_now(&next, Need::Identity);
        }
    }

    pub(super) fn leave_repositories(&mut self, did: &str) {
        if let Some(next) = self.repositories.leave(did) {
            self.ask_now(&next, Need::Repository);
        }
    }

    /// Asks again after a while, unless it has been in vain too often.
    pub(super) fn retry(&mut self, did: &str, need: Need, why: LostTrack) {
        let Some(lane) = self.lanes.get_mut(did) else {
            return;
        };
        lane.failures += 1;
        let failures = lane.failures;
        if failures >= self.config.limits.max_attempts {
            return self.give_up(did, why);
        }
        let until = self.now.saturating_add(self.backoff.after(failures));
        self.lanes.sleep(did, need, until);
    }

    /// What is held of the account is not known to be right, and that is for the consumer to keep. Its repository is
    /// fetched after a rest, which is longer each time.
    ///
    /// Without a key nothing shows that there is such an account. Of one that only a stream has named nothing is kept
    /// but that rest, as long as the process lasts.
    pub(super) fn give_up(&mut self, did: &str, why: LostTrack) {
        let is_stranger = why == LostTrack::Identity && self.is_stranger(did);
        let before = self.rests_before(did);
        self.rest(did, before.saturating_add(1), self.now, is_stranger);
        if is_stranger {
            self.pass_over_keyless(did);
        } else {
            self.lose(did, why);
        }
    }

    /// So many repositories have been fetched that this one has to wait, elsewhere than in the way of others.
    fn postpone(&mut self, did: &str) {
        let host = self.host_of(did);
        let ready_at = self.fetches.ready_at(host.as_deref());
        let before = self.rests_before(did);
        let lane = self.lanes.get_mut(did);
        let kind = lane.and_then(|lane| lane.items.front().map(|item| &item.kind));
        let is_recovery = matches!(kind, Some(Kind::Recover(_)));
        let is_stranger = is_recovery && self.is_stranger(did);
        self.rest(did, before, ready_at, is_stranger);
        if is_recovery {
            // The consumer knows, or does not have to.
            self.finish(did);
        } else {
            self.lose(did, LostTrack::Postponed);
        }
    }

    /// How often in a row the repository could not be fetched.
    fn rests_before(&mut self, did: &str) -> u32 {
        let lane = self.lanes.get_mut(did);
        let item = lane.and_then(|lane| lane.items.front());
        match item.map(|item| &item.kind) {
            Some(Kind::Recover(times)) => *times,
            _ => self.rests.get(did).map_or(0, |rest| rest.times),
        }
    }

    fn rest(&mut self, did: &str, times: u32, from: Duration, is_stranger: bool) {
        let limits = &self.config.limits;
        let (first, longest) = (limits.rest, limits.longest_rest);
        let until = from.saturating_add(self.backoff.growing(times, first, longest));
        let rest = Rest {
            times,
            host: self.host_of(did),
            until,
            at_least_until: self.now.saturating_add(self.config.limits.lookup_every),
            is_stranger,
        };
        self.rests.begin(did, rest);
    }

    /// The next account whose rest is over, if its repository may be fetched now. If it may not, it rests on.
    pub(super) fn end_rest(&mut self) -> bool {
        if !self.wants_resyncs() {
            return false;
        }
        let Some((did, mut rest)) = self.rests.next_over(self.now) else {
            return false;
        };
        let ready_at = self.fetches.ready_at(rest.host.as_deref());
        if ready_at <= self.now {
            let mut item = Item::new(Kind::Recover(rest.times), &did, 0, None);
            item.whose = Whose::of(&did, !rest.is_stranger);
            self.lanes.push(&did, item);
        } else {
            let limits = &self.config.limits;
            let (first, longest) = (limits.rest, limits.longest_rest);
            let jitter = self.backoff.growing(rest.times, first, longest);
            rest.until = ready_at.saturating_add(jitter);
            self.rests.begin(&did, rest);
        }
        true
    }

    fn lose(&mut self, did: &str, why: LostTrack) {
        let mut is_deleted = false;
        if let Some(lane) = self.lanes.get_mut(did)
            && let Some(account) = &mut lane.account
        {
            account.lose_track(None);
            is_deleted = account.hosting == Hosting::Deleted;
        }
        if is_deleted {
            // There is nothing held that could be wrong.
            self.finish(did);
        } else {
            self.tell(did, News::Desynchronized(why), Proof::None, Then::Next);
        }
    }

    /// The account is not active, as its own host says: an event that said so may have been missed.
    pub(super) fn hide(&mut self, did: &str) {
        self.rests.end(did);
        let Some(lane) = self.lanes.get_mut(did) else {
            return;
        };
        let Some(account) = &mut lane.account else {
            return;
        };
        account.refused();
        let news = News::Hosting(account.hosting);
        self.tell(did, news, Proof::None, Then::Next);
    }

    /// The account has no key, so nothing can be its word.
    pub(super) fn refuse_keyless(&mut self, did: &str) {
        let is_stranger = self.is_stranger(did);
        let Some(lane) = self.lanes.get_mut(did) else {
            return;
        };
        if !is_stranger && (lane.has_lost_track() || !lane.is_at_frame()) {
            self.give_up(did, LostTrack::Identity);
        } else {
            self.pass_over_keyless(did);
        }
    }

    /// Does without the first item of an account whose key could not be had.
    fn pass_over_keyless(&mut self, did: &str) {
        if let Some(lane) = self.lanes.get_mut(did)
            && lane.is_at_frame()
        {
            let seq = lane.seq();
            self.report_keyless(did, seq);
        }
        self.finish(did);
    }

    pub(super) fn report_keyless(&mut self, did: &str, seq: i64) {
        self.report(Notice::NoKey {
            did: did.to_owned(),
            seq,
        });
    }

    /// Takes a repository that has been fetched.
    pub(super) fn take_repository(&mut self, did: &str, car: &[u8]) -> Result<(), RepositoryError> {
        let Some(lane) = self.lanes.get_mut(did) else {
            return Ok(());
        };
        let (Some(account), Some(identity)) = (&mut lane.account, &lane.identity) else {
            return Ok(());
        };
        let max_bytes = self.config.limits.max_repository_bytes;
        let key = &identity.key;
        let (head, records) = repository::read(did, car, key, &self.filter, self.now, max_bytes)?;
        account
            .fetched(head)
            .map_err(|_| RepositoryError::Outdated)?;
        self.rests.end(did);
        if let Some(item) = lane.items.front_mut() {
            item.fetched = true;
        }
        let rev = head.rev;
        let news = News::Repository { rev, records };
        self.tell(did, news, Proof::Signature, Then::Fetched);
        Ok(())
    }

    /// Delivers news of an account.
    fn tell(&mut self, did: &str, news: News, proof: Proof, then: Then) {
        let state = self.lanes.get_mut(did).and_then(|lane| lane.account);
        let state = state.filter(|_| !matches!(news, News::Identity { .. }));
        if let Some(account) = state {
            // Of whom a state is kept, everything has to be followed from now on.
            match account.hosting {
                Hosting::Deleted => {
                    self.filter.remove_account(did);
                    self.rests.end(did);
                }
                _ => self.filter.add_account(did),
            }
        }
        let event = Event::Account {
            did: did.to_owned(),
            state,
            news,
            proof,
        };
        self.deliver(did, event, then);
    }

    fn deliver(&mut self, did: &str, event: Event, then: Then) {
        if let Some(lane) = self.lanes.get_mut(did) {
            lane.wait = Wait::Done;
            if let (Then::Next, Some(item)) = (then, lane.items.front_mut()) {
                // The event has all that is needed of it.
                item.kind = Kind::Deliver(None);
            }
        }
        let did = did.to_owned();
        let ticket = self.ticket(Delivered::Account { did, then });
        self.outbox.push_back(Action::Deliver { ticket, event });
    }

    /// The first item of a lane is done.
    pub(super) fn finish(&mut self, did: &str) {
        let max_idle = self.config.limits.max_accounts;
        if let Some(item) = self.lanes.pop(did, max_idle)
            && let Some(place) = item.place
        {
            self.progress.finish(place);
        }
    }
}
