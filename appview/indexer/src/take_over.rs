//! What the events of a stream change: one batch each, so that all of it stays or nothing.

use huddle_core::index::repos::{self, Repo};
use huddle_core::index::{
    IndexError, Revision, Statement, audit, departures, hosts, offers, people, requests, services,
};
use huddle_firehose::ingest::{Change, Event, LostTrack, News, RepositoryError};
use huddle_firehose::{Account, Hosting};
use huddle_ports::Timestamp;
use huddle_syntax::Did;

use crate::records::Entries;
use crate::{Indexer, LeftOut, account};

/// What came of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenOver {
    /// One word for what it is.
    pub kind: &'static str,
    /// Why the account's repository is to be fetched later, if it is.
    pub lost: Option<LostTrack>,
    /// The records that are wrong.
    pub left_out: Vec<LeftOut>,
    /// Whether there may be something for [`Requests`](crate::Requests) to do.
    pub asks: bool,
}

impl Indexer {
    /// Takes an event over, the account's new state with it. An error says that nothing of it was, and that it may be
    /// tried again.
    pub async fn take_over(&self, event: &Event) -> Result<TakenOver, IndexError> {
        let mut change = self.takeover();
        change.taken.kind = kind(event);
        change.event(event)?;
        self.index().batch(change.statements).await?;
        Ok(change.taken)
    }

    /// Nothing yet, now.
    pub(crate) fn takeover(&self) -> Takeover {
        Takeover {
            now: self.ports.clock.now(),
            record_bytes: self.ports.record_bytes,
            statements: Vec::new(),
            taken: TakenOver::default(),
        }
    }
}

/// What an event comes to.
pub(crate) struct Takeover {
    now: Timestamp,
    record_bytes: u32,
    pub(crate) statements: Vec<Statement>,
    pub(crate) taken: TakenOver,
}

impl Takeover {
    fn event(&mut self, event: &Event) -> Result<(), IndexError> {
        match event {
            Event::Gap { .. } => self.statements.push(repos::distrust_all()),
            Event::Account {
                did, news, state, ..
            } => match did.parse::<Did>() {
                Ok(did) => self.news(&did, news, state.as_ref())?,
                // Nobody can be called that, so nobody will ever ask.
                Err(error) => self.taken.left_out.push(LeftOut {
                    collection: String::new(),
                    why: error.to_string(),
                }),
            },
        }
        Ok(())
    }

    fn news(&mut self, did: &Did, news: &News, state: Option<&Account>) -> Result<(), IndexError> {
        let repo = state.map(account::write);
        match news {
            News::Changes { rev, changes } => {
                self.changes(did, &rev.to_string(), changes)?;
                self.statements.push(match &repo {
                    Some(repo) => repos::advance(did.as_str(), repo),
                    None => repos::follow(did.as_str()),
                });
                if !changes.is_empty() {
                    self.statements.extend(hosts::refresh(did.as_str()));
                }
            }
            News::Repository { rev, records } => {
                self.repository(did, &rev.to_string(), records, repo.as_ref())?;
            }
            News::Identity { handle } => {
                let doubt = people::doubt_name(did.as_str(), handle.as_deref());
                self.statements.push(doubt);
                self.statements.extend(hosts::refresh(did.as_str()));
            }
            News::Hosting(hosting) => {
                let repo = repo.unwrap_or_else(|| account::unknown(*hosting));
                self.hosting(did.as_str(), *hosting, &repo);
            }
            News::Desynchronized(why) => {
                self.taken.lost = Some(*why);
                if let LostTrack::TooLarge(_) | LostTrack::Refused(RepositoryError::TooLarge(_)) =
                    why
                {
                    // Nobody but they can change that.
                    let (kind, detail) = ("repositoryTooLarge", why.to_string());
                    let note = audit::note(did.as_str(), self.now, kind, &detail);
                    self.statements.push(note);
                }
                let lost = repo.map(|repo| repos::advance(did.as_str(), &repo));
                self.statements.extend(lost);
            }
        }
        Ok(())
    }

    /// Takes over what is at some addresses of an account at a revision.
    pub(crate) fn changes(
        &mut self,
        did: &Did,
        rev: &str,
        changes: &[Change],
    ) -> Result<(), IndexError> {
        if changes.is_empty() {
            return Ok(());
        }
        let at = Revision {
            did: did.as_str(),
            rev,
        };
        let entries = Entries::read(did, changes, self.record_bytes);
        let statements = &mut self.statements;
        statements.push(people::seen(did.as_str(), self.now));
        statements.extend(offers::put(at, &entries.offers, self.now)?);
        let services = entries.services.iter();
        statements.extend(services.map(|it| services::put(at, it.as_ref())));
        statements.extend(requests::put(at, &entries.requests, self.now)?);
        self.taken.asks |= !entries.requests.is_empty();
        self.taken.left_out.extend(entries.left_out);
        Ok(())
    }

    /// Puts a repository in place of all that is held of an account.
    fn repository(
        &mut self,
        did: &Did,
        rev: &str,
        records: &[Change],
        repo: Option<&Repo>,
    ) -> Result<(), IndexError> {
        let at = Revision {
            did: did.as_str(),
            rev,
        };
        self.changes(did, rev, records)?;
        self.statements
            .extend([offers::prune(at), services::prune(at), requests::prune(at)]);
        self.taken.asks = true;
        if let Some(repo) = repo {
            let fetched = repos::fetched(did.as_str(), repo, self.now);
            self.statements.push(fetched);
        }
        self.statements.extend(hosts::refresh(did.as_str()));
        Ok(())
    }

    fn hosting(&mut self, did: &str, hosting: Hosting, repo: &Repo) {
        if hosting == Hosting::Deleted {
            self.statements.extend(people::purge(did));
            self.statements.push(audit::purge(did));
            self.statements.push(requests::purge(did));
            self.statements.push(departures::begin(did, self.now));
            self.statements
                .push(audit::note(did, self.now, "accountDeleted", ""));
            self.taken.asks = true;
        }
        self.statements.push(repos::host(did, repo));
        if hosting != Hosting::Deleted {
            self.statements.extend(hosts::refresh(did));
        }
    }
}

fn kind(event: &Event) -> &'static str {
    let news = match event {
        Event::Gap { .. } => return "gap",
        Event::Account { news, .. } => news,
    };
    match news {
        News::Changes { .. } => "changes",
        News::Repository { .. } => "repository",
        News::Identity { .. } => "identity",
        News::Hosting(_) => "hosting",
        News::Desynchronized(_) => "desynchronized",
    }
}
