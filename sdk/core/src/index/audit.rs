//! What was decided about people, and what was done with what is theirs, where nothing else tells of it later: for them,
//! and for an operator who is asked. Nobody else is named, so it does not say who meets whom.

use std::time::Duration;

use huddle_ports::Timestamp;
use huddle_syntax::Did;
use serde::{Deserialize, Serialize};

use super::{Index, IndexError, Statement, moment, text};
use crate::sql::Value;
use crate::user_connector::connector::Provider;

/// The most lines about one account that are kept: the latest.
pub const MOST_OF_ONE: u32 = 200;

/// Within which time only the first and the last of the same deed are kept: whoever repeats themselves does not fill their
/// audit.
const SAME_DEED: Duration = Duration::from_hours(24);

/// Something that somebody has done with what is theirs here; or, if it was not them, that they want to know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// They have connected a calendar, for the first time or anew.
    CalendarConnected(Provider),
    /// They have taken one away.
    CalendarRemoved(Provider),
    /// They have shown a mail address to be theirs.
    AddressConfirmed,
    /// They have their news posted to an address.
    WebhookSet,
    /// They have it posted no more.
    WebhookRemoved,
    /// They have put other preferences.
    PreferencesPut,
    /// They have downloaded all that is kept about them.
    DataExported,
    /// What they have stored was put under a new key, by the operator.
    Resealed,
}

impl Deed {
    /// The kind of its line.
    const fn kind(self) -> &'static str {
        match self {
            Self::CalendarConnected(_) => "calendarConnected",
            Self::CalendarRemoved(_) => "calendarRemoved",
            Self::AddressConfirmed => "addressConfirmed",
            Self::WebhookSet => "webhookSet",
            Self::WebhookRemoved => "webhookRemoved",
            Self::PreferencesPut => "preferencesPut",
            Self::DataExported => "dataExported",
            Self::Resealed => "resealed",
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::CalendarConnected(provider) | Self::CalendarRemoved(provider) => {
                provider.as_str()
            }
            _ => "",
        }
    }
}

/// A line of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// What kind of thing, e.g. `accountDeleted`.
    pub kind: String,
    /// More of it, which names nobody.
    pub detail: String,
}

/// Writes a line about an account, unless its last one says the same.
pub fn note(subject: &str, at: Timestamp, kind: &'static str, detail: &str) -> Statement {
    Statement {
        sql: "INSERT INTO audit (at, subject, kind, detail) SELECT ?1, ?2, ?3, ?4 \
              WHERE (?3, ?4) IS NOT \
              (SELECT kind, detail FROM audit WHERE subject = ?2 ORDER BY id DESC LIMIT 1)",
        bindings: vec![moment(at), text(subject), text(kind), text(detail)],
    }
}

/// Writes that somebody has done something; of the same within a day the first and the last: what was set, removed and set
/// again does not read as removed. It may come late and twice. Of an account that is deleted nothing is written.
pub fn record(subject: &Did, at: Timestamp, deed: Deed) -> [Statement; 2] {
    let about = |bound: Timestamp| {
        vec![
            moment(at),
            text(subject.as_str()),
            text(deed.kind()),
            text(deed.detail()),
            moment(bound),
        ]
    };
    let insert = Statement {
        sql: "INSERT INTO audit (at, subject, kind, detail) SELECT ?1, ?2, ?3, ?4 \
              FROM (SELECT coalesce(sum(at < ?1), 0) AS earlier, coalesce(sum(at = ?1), 0) AS same, \
              coalesce(sum(at > ?1), 0) AS later FROM audit \
              WHERE subject = ?2 AND kind = ?3 AND detail = ?4 AND abs(at - ?1) < ?5) \
              WHERE same = 0 AND (earlier = 0 OR later = 0) \
              AND NOT EXISTS (SELECT 1 FROM repos WHERE did = ?2 AND hosting = 'deleted')",
        bindings: about(Timestamp::from_millis(0) + SAME_DEED),
    };
    let between = Statement {
        sql: "DELETE FROM audit WHERE subject = ?2 AND kind = ?3 AND detail = ?4 AND at < ?1 \
              AND at > (SELECT min(at) FROM audit \
              WHERE subject = ?2 AND kind = ?3 AND detail = ?4 AND at > ?5)",
        bindings: about(at - SAME_DEED),
    };
    [insert, between]
}

/// Forgets the lines about an account.
pub fn purge(subject: &str) -> Statement {
    Statement {
        sql: "DELETE FROM audit WHERE subject = ?1",
        bindings: vec![text(subject)],
    }
}

/// At most `limit` lines about an account, the latest first.
pub async fn of(index: &dyn Index, subject: &Did, limit: u32) -> Result<Vec<Line>, IndexError> {
    let sql = "SELECT at, kind, detail FROM audit WHERE subject = ?1 ORDER BY id DESC LIMIT ?2";
    let bindings = vec![text(subject.as_str()), Value::Integer(limit.into())];
    let rows = index.query(Statement { sql, bindings }).await?;
    let lines = rows.iter().map(|row| {
        Ok(Line {
            at: row.get(0)?,
            kind: row.get(1)?,
            detail: row.get(2)?,
        })
    });
    lines.collect()
}

/// Forgets the lines of before a moment, and of each account all but the latest.
pub fn forget(before: Timestamp) -> Statement {
    Statement {
        sql: "DELETE FROM audit WHERE at < ?1 OR id IN (SELECT id FROM \
              (SELECT id, row_number() OVER (PARTITION BY subject ORDER BY id DESC) AS place FROM audit) \
              WHERE place > ?2)",
        bindings: vec![moment(before), Value::Integer(MOST_OF_ONE.into())],
    }
}
