//! What is done for the first item of a lane: asking, delivering, finishing.

use super::event::{Event, LostTrack, News, Notice, Proof, RepositoryError};
use super::judge::{Bench, Verdict, judge};
use super::lane::{Kind, Need, Wait};
use super::{Action, Delivered, Ingest, Then, repository};
use crate::Hosting;

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
            Verdict::Reject(why) => {
                let seq = lane.seq();
                self.report(Notice::Rejected {
                    did: did.to_owned(),
                    seq,
                    why,
                });
                self.finish(did);
            }
        }
    }

    /// Something is needed. A repository that was fetched for the same item did not help, for example because its host
    /// is a little behind: that is a failure.
    fn need(&mut self, did: &str, need: Need) {
        let is_again = self.lanes.get_mut(did).is_some_and(|lane| {
            let mut items = lane.items.iter();
            need == Need::Repository && items.next().is_some_and(|item| item.fetched)
        });
        if is_again {
            self.retry(did, need, LostTrack::Refused(RepositoryError::Outdated));
        } else {
            self.ask(did, need);
        }
    }

    /// Asks for something, or waits for a turn to.
    pub(super) fn ask(&mut self, did: &str, need: Need) {
        let is_turn = match need {
            Need::Account => true,
            Need::Key => self.keys.turn(did),
            Need::Repository => self.repositories.turn(did),
        };
        if is_turn {
            self.ask_now(did, need);
        } else if let Some(lane) = self.lanes.get_mut(did) {
            lane.wait = Wait::Turn(need);
        }
    }

    fn ask_now(&mut self, did: &str, need: Need) {
        let arrived = self.lanes.arrived();
        if let Some(lane) = self.lanes.get_mut(did) {
            lane.wait = Wait::Answer(need);
            if need == Need::Key {
                lane.key_asked_after = arrived;
            }
        }
        let did = did.to_owned();
        self.outbox.push_back(match need {
            Need::Account => Action::ReadAccount { did },
            Need::Key => Action::FindKey { did },
            Need::Repository => Action::FetchRepository { did },
        });
    }

    pub(super) fn leave_keys(&mut self) {
        if let Some(next) = self.keys.leave() {
            self.ask_now(&next, Need::Key);
        }
    }

    pub(super) fn leave_repositories(&mut self) {
        if let Some(next) = self.repositories.leave() {
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

    /// What is held of the account is not known to be right, and that is for the consumer to keep.
    pub(super) fn give_up(&mut self, did: &str, why: LostTrack) {
        let rests_until = self.now.saturating_add(self.config.limits.rest);
        if let Some(lane) = self.lanes.get_mut(did) {
            lane.rests_until = Some(rests_until);
            if let Some(account) = &mut lane.account {
                account.lose_track();
            }
        }
        self.tell(did, News::Desynchronized(why), Proof::None, Then::Next);
    }

    /// The account is not active, as its own host says: an event that said so may have been missed.
    pub(super) fn hide(&mut self, did: &str) {
        let Some(lane) = self.lanes.get_mut(did) else {
            return;
        };
        if let Some(account) = &mut lane.account {
            account.lose_track();
            account.hosting = Hosting::Inactive;
        }
        self.tell(
            did,
            News::Hosting(Hosting::Inactive),
            Proof::None,
            Then::Next,
        );
    }

    /// The account has no key, so nothing can be its word.
    pub(super) fn refuse_keyless(&mut self, did: &str) {
        let Some(lane) = self.lanes.get_mut(did) else {
            return;
        };
        let seq = lane.seq();
        if lane.has_lost_track() {
            return self.give_up(did, LostTrack::Identity);
        }
        self.report(Notice::NoKey {
            did: did.to_owned(),
            seq,
        });
        self.finish(did);
    }

    /// Takes a repository that has been fetched.
    pub(super) fn take_repository(&mut self, did: &str, car: &[u8]) -> Result<(), RepositoryError> {
        let Some(lane) = self.lanes.get_mut(did) else {
            return Ok(());
        };
        let (Some(account), Some(key)) = (&mut lane.account, &lane.key) else {
            return Ok(());
        };
        let max_bytes = self.config.limits.max_repository_bytes;
        let (head, records) = repository::read(did, car, key, &self.filter, self.now, max_bytes)?;
        account
            .fetched(head)
            .map_err(|_| RepositoryError::Outdated)?;
        // Its host does not give it out otherwise; an event that said so may have been missed.
        account.hosting = Hosting::Active;
        lane.rests_until = None;
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
                Hosting::Deleted => self.filter.remove_account(did),
                Hosting::Active | Hosting::Inactive => self.filter.add_account(did),
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
