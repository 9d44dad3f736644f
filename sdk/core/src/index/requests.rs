//! Requests for meetings that are records: `com.huddle.bookingRequest`.
//!
//! ```text
//!  new ──► asked ──► withdrawing ──► withdrawn
//!   │ └───────────────────▲  ▲
//!   └────► ignored           └── a newer version, or the record is gone
//! ```
//!
//! What is `new` or `withdrawing` is still to be done, whoever has died over it.

use huddle_ports::Timestamp;
use huddle_syntax::{AtUri, Did};
use serde::Serialize;

use super::page::LARGEST;
use super::{Index, IndexError, Revision, Statement, arrays, moment, text};
use crate::sql::{FromValue, Row, Value, word};

/// The most addresses of one guest that are kept: of more there is no request.
pub const MOST_OF_A_GUEST: u32 = 1000;

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has asked the host yet.
    New,
    /// It became a booking, or was refused like one.
    Asked,
    /// It never becomes a booking.
    Ignored,
    /// Its booking is to be called off.
    Withdrawing,
    /// There is no booking of it any more.
    Withdrawn,
}

impl State {
    const ALL: [Self; 5] = [
        Self::New,
        Self::Asked,
        Self::Ignored,
        Self::Withdrawing,
        Self::Withdrawn,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Asked => "asked",
            Self::Ignored => "ignored",
            Self::Withdrawing => "withdrawing",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl FromValue for State {
    fn from_value(value: &Value) -> Option<Self> {
        word(value, &Self::ALL, Self::as_str)
    }
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The address of the record.
    pub uri: AtUri,
    /// Names what is asked for in it: other constraints are another request.
    pub version: String,
    /// Who asks.
    pub guest: Did,
    /// Whom.
    pub host: Did,
    /// The record, as JSON.
    pub record: String,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// How it stands.
    pub state: State,
}

/// What is at an address now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The address.
    pub uri: String,
    /// What is asked for there, if anything.
    #[serde(flatten)]
    pub content: Option<Content>,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Content {
    /// Names it; not empty.
    pub version: String,
    /// Whom.
    pub host: String,
    /// The record, as JSON.
    pub record: String,
}

/// Takes over what is at some addresses of a guest at a revision. What was asked for there before is withdrawn.
pub fn put(
    at: Revision<'_>,
    entries: &[Entry],
    now: Timestamp,
) -> Result<Vec<Statement>, IndexError> {
    let insert = |entries| Statement {
        sql: "INSERT INTO requests \
              (uri, version, guest_did, host_did, rev, record, first_seen, state) \
              SELECT value ->> 'uri', coalesce(value ->> 'version', ''), ?1, value ->> 'host', ?2, \
              value ->> 'record', ?3, CASE WHEN value ->> 'version' IS NULL THEN 'withdrawn' \
              WHEN EXISTS (SELECT 1 FROM requests WHERE uri = value ->> 'uri' AND rev > ?2) \
              THEN 'withdrawing' ELSE 'new' END \
              FROM json_each(?4) \
              WHERE NOT EXISTS (SELECT 1 FROM repos WHERE did = ?1 \
              AND (base > ?2 OR (base = ?2 AND hosting = 'deleted'))) \
              AND (EXISTS (SELECT 1 FROM requests WHERE uri = value ->> 'uri') \
              OR (SELECT count(DISTINCT uri) FROM requests WHERE guest_did = ?1) < ?5) \
              ON CONFLICT (uri, version) DO UPDATE SET rev = excluded.rev, record = excluded.record, \
              state = CASE WHEN state IN ('withdrawing', 'withdrawn') THEN excluded.state \
              ELSE state END WHERE rev < excluded.rev",
        bindings: vec![
            text(at.did),
            text(at.rev),
            moment(now),
            text(entries),
            Value::Integer(MOST_OF_A_GUEST.into()),
        ],
    };
    let mut statements: Vec<_> = arrays(entries)?.into_iter().map(insert).collect();
    if !statements.is_empty() {
        statements.push(Statement {
            sql: "UPDATE requests SET state = 'withdrawing' \
                  WHERE guest_did = ?1 AND state IN ('new', 'asked') \
                  AND EXISTS (SELECT 1 FROM requests newer \
                  WHERE newer.uri = requests.uri AND newer.rev > requests.rev)",
            bindings: vec![text(at.did)],
        });
    }
    Ok(statements)
}

/// Withdraws what is older than a revision at which the repository was fetched whole.
pub fn prune(at: Revision<'_>) -> Statement {
    Statement {
        sql: "UPDATE requests SET state = 'withdrawing' \
              WHERE guest_did = ?1 AND rev < ?2 AND state IN ('new', 'asked') \
              AND NOT EXISTS (SELECT 1 FROM repos WHERE did = ?1 AND base > ?2)",
        bindings: vec![text(at.did), text(at.rev)],
    }
}

/// Withdraws all that an account asks for, and forgets what it said.
pub fn purge(did: &str) -> Statement {
    Statement {
        sql: "UPDATE requests SET record = '{}', \
              state = CASE WHEN state IN ('new', 'asked') THEN 'withdrawing' ELSE state END \
              WHERE guest_did = ?1",
        bindings: vec![text(did)],
    }
}

/// At most `limit` requests of which something is to be done, the longest known first, from after the one named on.
/// Those of an account that is hidden wait.
pub async fn open(
    index: &dyn Index,
    after: Option<&Request>,
    limit: u32,
) -> Result<Vec<Request>, IndexError> {
    let (seen, uri, version) = after.map_or((-LARGEST, "", ""), |request| {
        let Request { uri, version, .. } = request;
        (
            request.first_seen.as_millis(),
            uri.as_str(),
            version.as_str(),
        )
    });
    let statement = Statement {
        sql: "SELECT q.uri, q.version, q.guest_did, q.host_did, q.record, q.first_seen, q.state \
              FROM requests q LEFT JOIN repos r ON r.did = q.guest_did \
              WHERE q.state IN ('new', 'withdrawing') \
              AND (q.state = 'withdrawing' OR r.hosting = 'active') \
              AND (q.first_seen, q.uri, q.version) > (?1, ?2, ?3) \
              ORDER BY q.first_seen, q.uri, q.version LIMIT ?4",
        bindings: vec![
            Value::Integer(seen),
            text(uri),
            text(version),
            Value::Integer(limit.into()),
        ],
    };
    let rows = index.query(statement).await?;
    rows.iter().map(request).collect()
}

fn request(row: &Row) -> Result<Request, IndexError> {
    let syntax = |error: huddle_syntax::SyntaxError| IndexError(error.to_string());
    Ok(Request {
        uri: row.get::<String>(0)?.parse().map_err(syntax)?,
        version: row.get(1)?,
        guest: row.get::<String>(2)?.parse().map_err(syntax)?,
        host: row.get::<String>(3)?.parse().map_err(syntax)?,
        record: row.get(4)?,
        first_seen: row.get(5)?,
        state: row.get(6)?,
    })
}

/// A request has come to this, unless something else has happened to it since it was read.
pub fn settle(request: &Request, state: State) -> Statement {
    Statement {
        sql: "UPDATE requests SET state = ?3 WHERE uri = ?1 AND version = ?2 AND state = ?4",
        bindings: vec![
            text(request.uri.as_str()),
            text(&request.version),
            text(state.as_str()),
            text(request.state.as_str()),
        ],
    }
}

/// How many requests of a guest have come up since a moment, this one not counted, and were not ignored.
pub async fn others_since(
    index: &dyn Index,
    request: &Request,
    since: Timestamp,
) -> Result<u32, IndexError> {
    let statement = Statement {
        sql: "SELECT count(*) FROM requests WHERE guest_did = ?1 AND first_seen > ?2 \
              AND version <> '' AND state <> 'ignored' AND state <> 'new' \
              AND NOT (uri = ?3 AND version = ?4)",
        bindings: vec![
            text(request.guest.as_str()),
            moment(since),
            text(request.uri.as_str()),
            text(&request.version),
        ],
    };
    let rows = index.query(statement).await?;
    rows.first().map_or(Ok(0), |row| Ok(row.get(0)?))
}
