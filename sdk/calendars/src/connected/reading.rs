//! When a person is busy, by all their accounts: from what is remembered, or read afresh.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use huddle_core::booking::BookingId;
use huddle_core::matching::Busy;
use huddle_core::user_connector::connector::{
    Calendars as Known, Connector, Health, Problem, Read, Unread,
};
use huddle_core::user_connector::sealing::Sealed;
use huddle_ports::FetchError;
use huddle_schedule::{IntervalSet, Zone};

use super::account::{Account, Source};
use super::hurry::Hurry;
use super::{Asked, ConnectedCalendars};
use crate::calendar::BusyQuery;
use crate::error::CalendarError;
use crate::snapshot::Snapshot;

/// After how long a calendar is looked at again that only its person can mend.
const MENDED_AFTER_SECS: u32 = 3600;

/// The most that is kept of what was read of an account, in bytes: sealed, it has to go into one row of a Durable
/// Object. An account that says more than that is read each time.
const MAX_KEPT_BYTES: usize = 512 * 1024;

impl ConnectedCalendars {
    /// What is known without asking anybody: `None` unless all of it was read a short while ago.
    pub(super) fn remembered(&self, known: &Known, asked: &Asked<'_>) -> Option<Busy> {
        let now = self.0.ports.clock.now();
        let mut busy = IntervalSet::new();
        for connector in &known.connectors {
            let is_recent = |read_at| now.since(read_at) < self.0.keep;
            if connector.health != Health::Connected || !connector.read_at.is_some_and(is_recent) {
                return None;
            }
            let account = self.account(connector)?;
            let sources = account.sources()?;
            let snapshots = self.snapshots(connector)?;
            if snapshots.len() != sources.len() {
                return None;
            }
            for (source, snapshot) in sources.iter().zip(&snapshots) {
                snapshot.for_query(&source.query(asked).borrow(), now)?;
                busy = busy.union(&snapshot.busy);
            }
        }
        Some(Busy::Known(busy))
    }

    /// Asks all calendars, and says what is to be kept of what they said.
    pub(super) async fn read(
        &self,
        known: &Known,
        asked: &Asked<'_>,
        hurry: Hurry<'_>,
    ) -> (Busy, Vec<Read>) {
        let connectors = known.connectors.iter();
        let answers = join_all(connectors.map(|it| self.read_account(it, asked, &hurry))).await;
        let mut busy = IntervalSet::new();
        let mut unread = Vec::new();
        let mut outcomes = Vec::new();
        for (connector, answer) in known.connectors.iter().zip(answers) {
            let outcome = match answer {
                Answer::Read(snapshots) => {
                    let intervals = snapshots.iter().map(|snapshot| &snapshot.busy);
                    busy = intervals.fold(busy, |all, one| all.union(one));
                    Ok(self.seal(connector, &snapshots))
                }
                Answer::NotAsked(problem) => {
                    unread.push(problem);
                    continue;
                }
                Answer::Failed(failed) => {
                    unread.push(failed.problem);
                    Err(failed)
                }
            };
            outcomes.push(Read {
                id: connector.id.clone(),
                revision: connector.revision,
                outcome,
            });
        }
        (verdict(busy, &unread), outcomes)
    }

    async fn read_account(
        &self,
        connector: &Connector,
        asked: &Asked<'_>,
        hurry: &Hurry<'_>,
    ) -> Answer {
        match connector.health {
            Health::Disconnected { problem } => return Answer::NotAsked(problem),
            Health::Failing { problem, retry_at } if hurry.now() < retry_at => {
                return Answer::NotAsked(problem);
            }
            Health::Failing { .. } | Health::Connected => {}
        }
        let account = self.account(connector);
        let Some(sources) = account.as_ref().and_then(Account::sources) else {
            // A key may be missing for the moment: what is stored is left as it is.
            return Answer::NotAsked(Problem::Unusable);
        };
        // Only what is asked for all bookings alike is kept, and so can be compared with.
        let before = asked.but.is_none().then(|| self.snapshots(connector));
        let before = before.flatten().filter(|it| it.len() == sources.len());
        let before = |index: usize| before.as_ref().map(|before| &before[index]);
        let sources = sources.iter().enumerate();
        let provider = &self.to_provider(connector.provider, hurry);
        let read = try_join_all(sources.map(async |(index, source)| {
            let query = source.query(asked);
            let calendar = &source.calendar;
            calendar
                .busy(provider, hurry.now(), &query.borrow(), before(index))
                .await
        }));
        match read.await {
            Ok(snapshots) => Answer::Read(snapshots),
            Err(error) => Answer::Failed(unread(&error)),
        }
    }

    /// How an account is reached; `None` if that cannot be opened with the keys at hand.
    pub(super) fn account(&self, connector: &Connector) -> Option<Account> {
        let about = connector.id.credentials();
        let plain = self.0.keys.open(&about, &connector.credentials).ok()?;
        let mut account = Account::read(&plain)?;
        if let Account::CalDav { credentials, .. } = &mut account {
            let sign_in = self.0.sign_ins.of(connector, credentials.sign_in());
            credentials.learn_with(sign_in);
        }
        Some(account)
    }

    /// What was read of an account, if it can be opened: otherwise it is read afresh.
    fn snapshots(&self, connector: &Connector) -> Option<Vec<Snapshot>> {
        let about = connector.id.snapshot();
        let plain = self
            .0
            .keys
            .open(&about, connector.snapshot.as_ref()?)
            .ok()?;
        serde_json::from_slice(&plain).ok()
    }

    fn seal(&self, connector: &Connector, snapshots: &[Snapshot]) -> Sealed {
        let mut plain = serde_json::to_vec(snapshots).expect("they have no map at all");
        if plain.len() > MAX_KEPT_BYTES {
            plain = b"[]".to_vec();
        }
        let about = connector.id.snapshot();
        self.0.keys.seal(&*self.0.ports.random, &about, &plain)
    }
}

/// What comes of asking an account.
enum Answer {
    Read(Vec<Snapshot>),
    /// It is not to be asked now.
    NotAsked(Problem),
    Failed(Unread),
}

/// Free is only what every calendar shows as free.
fn verdict(busy: IntervalSet, unread: &[Problem]) -> Busy {
    let passes = |problem: &Problem| matches!(problem, Problem::Throttled | Problem::TimedOut);
    if unread.is_empty() {
        Busy::Known(busy)
    } else if unread.iter().all(passes) {
        Busy::Delayed
    } else {
        Busy::Unreadable
    }
}

/// What an error means for whoever wants to read the calendar again.
pub(super) fn unread(error: &CalendarError) -> Unread {
    let (problem, retry_after_secs) = match error {
        CalendarError::Throttled { retry_after } => (Problem::Throttled, retry_after.map(secs)),
        CalendarError::Locked => (Problem::Throttled, None),
        CalendarError::Unreachable(FetchError::Timeout) => (Problem::TimedOut, None),
        CalendarError::Unauthorized => (Problem::Unauthorized, None),
        error if error.is_retryable() => (Problem::Failed, None),
        _ => (Problem::Unusable, Some(MENDED_AFTER_SECS)),
    };
    Unread {
        problem,
        retry_after_secs,
    }
}

/// Whole seconds, rounded up.
fn secs(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
}

/// What one calendar is asked, with the names that a query borrows.
struct Query<'a> {
    asked: &'a Asked<'a>,
    zone: Zone,
    address: Option<&'a str>,
}

impl Source<'_> {
    fn query<'a>(&'a self, asked: &'a Asked<'_>) -> Query<'a> {
        Query {
            asked,
            zone: self.zone.unwrap_or(asked.zone),
            address: self.address,
        }
    }
}

impl Query<'_> {
    fn borrow(&self) -> BusyQuery<'_> {
        BusyQuery {
            rules: self.asked.rules,
            addresses: self.address.as_slice(),
            ignoring: self.asked.but.map(BookingId::as_str),
            limits: self.asked.limits,
            ..BusyQuery::new(self.asked.window, self.zone)
        }
    }
}
