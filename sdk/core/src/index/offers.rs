//! Offers and office hours, as hosts have published them.

use huddle_ports::Timestamp;
use huddle_schedule::Interval;
use huddle_syntax::{AtUri, Did};
use serde::Serialize;

use super::page::{List, Place};
use super::{
    Index, IndexError, ListError, Page, Paging, Revision, Statement, arrays, moment, optional, text,
};
use crate::sql::{FromValue, Row, Value, word};

/// The most offers of one host that are kept: those that have changed last. Of so many that are gone the revisions are
/// kept, too. How many of them one question looks at, a [limit](crate::Limits::search_offers) says.
pub const MOST_OF_A_HOST: u32 = 500;

/// What kind of record an offer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// `com.huddle.slotOffer`
    SlotOffer,
    /// `com.huddle.officeHours`
    OfficeHours,
}

impl Kind {
    /// The word for it in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SlotOffer => "slotOffer",
            Self::OfficeHours => "officeHours",
        }
    }
}

impl FromValue for Kind {
    fn from_value(value: &Value) -> Option<Self> {
        word(value, &[Self::SlotOffer, Self::OfficeHours], Self::as_str)
    }
}

/// An offer that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its address.
    pub uri: AtUri,
    /// Its version.
    pub cid: String,
    /// Whose it is.
    pub host: Did,
    /// What kind of record it is.
    pub kind: Kind,
    /// The record, as JSON.
    pub record: String,
    /// When it was last seen to change.
    pub indexed: Timestamp,
}

/// What is at an address now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The address.
    pub uri: String,
    /// What is there; nothing, if it is gone.
    #[serde(flatten)]
    pub content: Option<Content>,
}

/// What is in an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Content {
    /// Its version.
    pub cid: String,
    /// What kind of record it is.
    pub kind: Kind,
    /// Before this it offers nothing.
    pub starts: Timestamp,
    /// From here on it offers nothing.
    pub ends: Timestamp,
    /// Who may book.
    pub policy: String,
    /// How.
    pub mode: String,
    /// What it is about.
    pub note: Option<String>,
    /// The record, as JSON.
    pub record: String,
}

/// Which offers may be booked by a question: those of one host, at some time.
#[derive(Clone, Copy, Debug)]
pub struct Open<'a> {
    /// Whose.
    pub host: &'a Did,
    /// Who schedules for them: a host who has named somebody else, or nobody, has no offers here.
    pub service: &'a Did,
    /// When they are open, at least in part.
    pub within: Interval,
    /// The one offer to look at, if only one will do.
    pub only: Option<&'a AtUri>,
    /// At most so many: those that open first. Whoever wants the others asks for a later time, or names one.
    pub limit: u32,
}

impl Open<'_> {
    /// Reads them. There are none, if the host's account is not to be shown.
    pub async fn read(&self, index: &dyn Index) -> Result<Vec<Offer>, IndexError> {
        let statement = Statement {
            sql: "SELECT o.uri, o.cid, o.host_did, o.kind, o.record, o.indexed \
                  FROM offers o JOIN repos r ON r.did = o.host_did \
                  JOIN services s ON s.did = o.host_did \
                  WHERE o.host_did = ?1 AND r.hosting = 'active' AND s.appview = ?2 \
                  AND o.ends > ?3 AND o.starts < ?4 AND (?5 IS NULL OR o.uri = ?5) \
                  ORDER BY o.starts, o.id LIMIT ?6",
            bindings: vec![
                text(self.host.as_str()),
                text(self.service.as_str()),
                moment(self.within.start()),
                moment(self.within.end()),
                optional(self.only.map(AtUri::as_str)),
                Value::Integer(self.limit.into()),
            ],
        };
        let rows = index.query(statement).await?;
        rows.iter().map(offer).collect()
    }
}

/// The offers of a host that have not passed by a moment, page by page, the latest first: none, if the host's account is
/// not to be shown.
pub async fn list(
    index: &dyn Index,
    host: &Did,
    now: Timestamp,
    paging: Paging<'_>,
) -> Result<Page<Offer>, ListError> {
    let Place {
        numbers: [indexed],
        name: id,
    } = paging.after(List::Offers)?;
    let statement = Statement {
        sql: "SELECT o.uri, o.cid, o.host_did, o.kind, o.record, o.indexed, o.id \
              FROM offers o JOIN repos r ON r.did = o.host_did \
              WHERE o.host_did = ?1 AND o.ends > ?2 AND r.hosting = 'active' \
              AND (o.indexed < ?3 OR (o.indexed = ?3 AND o.id < CAST(?4 AS INTEGER))) \
              ORDER BY o.indexed DESC, o.id DESC LIMIT ?5",
        bindings: vec![
            text(host.as_str()),
            moment(now),
            Value::Integer(indexed),
            text(id),
            Value::Integer(paging.fetched()),
        ],
    };
    let rows = index.query(statement).await?;
    let offers = rows.iter().map(|row| {
        let offer = offer(row)?;
        let place = Place {
            numbers: [offer.indexed.as_millis()],
            name: row.get::<i64>(6)?.to_string(),
        };
        Ok((offer, place))
    });
    Ok(paging.page(List::Offers, offers.collect::<Result<_, ListError>>()?))
}

fn offer(row: &Row) -> Result<Offer, IndexError> {
    Ok(Offer {
        uri: row.get::<String>(0)?.parse()?,
        cid: row.get(1)?,
        host: row.get::<String>(2)?.parse()?,
        kind: row.get(3)?,
        record: row.get(4)?,
        indexed: row.get(5)?,
    })
}

/// Takes over what is at some addresses of a host at a revision. Of a host with too many offers the oldest are left out,
/// which is written into the audit.
pub fn put(
    at: Revision<'_>,
    entries: &[Entry],
    now: Timestamp,
) -> Result<Vec<Statement>, IndexError> {
    let put = |entries| Statement {
        sql: "INSERT INTO offers \
              (uri, host_did, rev, cid, kind, starts, ends, policy, mode, note, record, indexed) \
              SELECT value ->> 'uri', ?1, ?2, value ->> 'cid', value ->> 'kind', \
              value ->> 'starts', value ->> 'ends', value ->> 'policy', value ->> 'mode', \
              value ->> 'note', value ->> 'record', ?3 \
              FROM json_each(?4) \
              WHERE NOT EXISTS (SELECT 1 FROM repos WHERE did = ?1 \
              AND (base > ?2 OR (base = ?2 AND hosting = 'deleted'))) \
              ON CONFLICT (uri) DO UPDATE SET rev = excluded.rev, cid = excluded.cid, \
              kind = excluded.kind, starts = excluded.starts, ends = excluded.ends, \
              policy = excluded.policy, mode = excluded.mode, note = excluded.note, \
              record = excluded.record, \
              indexed = CASE WHEN cid IS excluded.cid THEN indexed ELSE excluded.indexed END \
              WHERE rev <= excluded.rev",
        bindings: vec![text(at.did), text(at.rev), moment(now), text(entries)],
    };
    let mut statements: Vec<_> = arrays(entries)?.into_iter().map(put).collect();
    if !statements.is_empty() {
        statements.extend(keep_within_bounds(at.did, now));
    }
    Ok(statements)
}

/// Leaves the newest offers of a host, and the newest of those that are gone.
fn keep_within_bounds(host: &str, now: Timestamp) -> [Statement; 3] {
    let most = || Value::Integer(MOST_OF_A_HOST.into());
    let note = Statement {
        sql: "INSERT INTO audit (at, subject, kind, detail) SELECT ?2, ?1, 'offersLeftOut', '' \
              WHERE (SELECT count(*) FROM offers WHERE host_did = ?1 AND cid IS NOT NULL) > ?3 \
              AND 'offersLeftOut' IS NOT \
              (SELECT kind FROM audit WHERE subject = ?1 ORDER BY id DESC LIMIT 1)",
        bindings: vec![text(host), moment(now), most()],
    };
    let oldest = Statement {
        sql: "DELETE FROM offers WHERE id IN (SELECT id FROM offers \
              WHERE host_did = ?1 AND cid IS NOT NULL \
              ORDER BY indexed DESC, id DESC LIMIT -1 OFFSET ?2)",
        bindings: vec![text(host), most()],
    };
    let gone = Statement {
        sql: "DELETE FROM offers WHERE id IN (SELECT id FROM offers \
              WHERE host_did = ?1 AND cid IS NULL ORDER BY rev DESC, id DESC LIMIT -1 OFFSET ?2)",
        bindings: vec![text(host), most()],
    };
    [note, oldest, gone]
}

/// Forgets what is older than a revision at which the repository was fetched whole.
pub fn prune(at: Revision<'_>) -> Statement {
    Statement {
        sql: "DELETE FROM offers WHERE host_did = ?1 AND rev < ?2 \
              AND NOT EXISTS (SELECT 1 FROM repos WHERE did = ?1 AND base > ?2)",
        bindings: vec![text(at.did), text(at.rev)],
    }
}
