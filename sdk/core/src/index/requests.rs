//! Requests for meetings that are records: `com.huddle.bookingRequest`.
//!
//! ```text
//!  new ──► asked ──► withdrawing ──► withdrawn ──► new, in another round
//!   │ └───────────────────▲  ▲          ▲          ▲
//!   └────► ignored           │          │          └── the guest has come back to it
//!                            └──────────┴── a newer version, or the record is gone
//! ```
//!
//! What is `new` or `withdrawing` is still to be done, whoever has died over it. Of what is new and was never tried
//! there is no booking, so it is withdrawn at once.
//!
//! Of each guest only so many rows are kept: of what is over the newest, and of more than there may be nothing new.

use huddle_ports::Timestamp;
use huddle_syntax::{AtUri, Did};
use serde::Serialize;

use super::page::LARGEST;
use super::{Index, IndexError, Revision, Statement, arrays, moment, text};
use crate::sql::{FromValue, Row, Value, word};

/// The most rows of one guest that are kept, each a version of a record: beyond them there is no new request.
pub const MOST_OF_A_GUEST: u32 = 1000;

/// Of these the most that are over.
const MOST_OVER: u32 = 200;

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
    /// When it was first seen, in this round.
    pub first_seen: Timestamp,
    /// How it stands.
    pub state: State,
    /// How often the guest has come back to it.
    pub round: u32,
    /// How often it was tried, in this round.
    pub tries: u32,
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

/// Takes over what is at some addresses of a guest at a revision. What was asked for there before is withdrawn. What
/// is over and no longer among the newest is forgotten, and of a guest with too much the rest is not taken, which is
/// written into the audit.
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
              THEN 'withdrawn' ELSE 'new' END \
              FROM json_each(?4) \
              WHERE NOT EXISTS (SELECT 1 FROM repos WHERE did = ?1 \
              AND (base > ?2 OR (base = ?2 AND hosting = 'deleted'))) \
              AND (EXISTS (SELECT 1 FROM requests WHERE uri = value ->> 'uri' \
              AND version = coalesce(value ->> 'version', '')) \
              OR (SELECT count(*) FROM requests WHERE guest_did = ?1) + key < ?5) \
              ON CONFLICT (uri, version) DO UPDATE SET rev = excluded.rev, record = excluded.record, \
              state = CASE WHEN state = 'withdrawn' THEN excluded.state ELSE state END, \
              round = round + (state = 'withdrawn' AND excluded.state = 'new' AND tries > 0), \
              renewed = CASE WHEN state = 'withdrawing' THEN excluded.state = 'new' ELSE renewed END, \
              first_seen = CASE WHEN state IN ('withdrawing', 'withdrawn') THEN excluded.first_seen \
              ELSE first_seen END, \
              tries = CASE WHEN state = 'withdrawn' AND excluded.state = 'new' THEN 0 ELSE tries END \
              WHERE rev < excluded.rev",
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
        statements.insert(0, forget_what_is_over(at.did));
        statements.push(Statement {
            sql: "UPDATE requests SET renewed = 0, due = 0, \
                  state = CASE WHEN state = 'new' AND tries = 0 THEN 'withdrawn' \
              WHEN state IN ('new', 'asked') THEN 'withdrawing' ELSE state END \
                  WHERE guest_did = ?1 AND (state IN ('new', 'asked') OR renewed) \
                  AND EXISTS (SELECT 1 FROM requests newer \
                  WHERE newer.uri = requests.uri AND newer.rev > requests.rev)",
            bindings: vec![text(at.did)],
        });
        let full = Statement {
            sql: "INSERT INTO audit (at, subject, kind, detail) SELECT ?2, ?1, 'requestsFull', '' \
                  WHERE (SELECT count(*) FROM requests WHERE guest_did = ?1) >= ?3 \
                  AND 'requestsFull' IS NOT \
                  (SELECT kind FROM audit WHERE subject = ?1 ORDER BY id DESC LIMIT 1)",
            bindings: vec![
                text(at.did),
                moment(now),
                Value::Integer(MOST_OF_A_GUEST.into()),
            ],
        };
        statements.push(full);
    }
    Ok(statements)
}

/// Forgets of what is over with a guest all but the newest. A version that comes back later is asked as if it had never
/// been: it is too old by then, or there is its booking of before.
fn forget_what_is_over(guest: &str) -> Statement {
    Statement {
        sql: "DELETE FROM requests WHERE (uri, version) IN (SELECT uri, version FROM requests \
              WHERE guest_did = ?1 AND state IN ('withdrawn', 'ignored') \
              ORDER BY rev DESC LIMIT -1 OFFSET ?2)",
        bindings: vec![text(guest), Value::Integer(MOST_OVER.into())],
    }
}

/// Withdraws what is older than a revision at which the repository was fetched whole.
pub fn prune(at: Revision<'_>) -> Statement {
    Statement {
        sql: "UPDATE requests SET renewed = 0, due = 0, \
              state = CASE WHEN state = 'new' AND tries = 0 THEN 'withdrawn' \
              WHEN state IN ('new', 'asked') THEN 'withdrawing' ELSE state END \
              WHERE guest_did = ?1 AND rev < ?2 AND (state IN ('new', 'asked') OR renewed) \
              AND NOT EXISTS (SELECT 1 FROM repos WHERE did = ?1 AND base > ?2)",
        bindings: vec![text(at.did), text(at.rev)],
    }
}

/// Withdraws all that an account asks for, and forgets what it said.
pub fn purge(did: &str) -> Statement {
    Statement {
        sql: "UPDATE requests SET record = '{}', renewed = 0, due = 0, \
              state = CASE WHEN state = 'new' AND tries = 0 THEN 'withdrawn' \
              WHEN state IN ('new', 'asked') THEN 'withdrawing' ELSE state END \
              WHERE guest_did = ?1",
        bindings: vec![text(did)],
    }
}

/// At most `limit` requests of which something is to be done now, the longest known first, from after the one named
/// on. Those of an account that is hidden wait.
pub async fn open(
    index: &dyn Index,
    after: Option<&Request>,
    now: Timestamp,
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
        sql: "SELECT q.uri, q.version, q.guest_did, q.host_did, q.record, q.first_seen, q.state, \
              q.round, q.tries FROM requests q LEFT JOIN repos r ON r.did = q.guest_did \
              WHERE q.state IN ('new', 'withdrawing') \
              AND (q.state = 'withdrawing' OR (r.hosting = 'active' AND q.due <= ?4)) \
              AND (q.first_seen, q.uri, q.version) > (?1, ?2, ?3) \
              ORDER BY q.first_seen, q.uri, q.version LIMIT ?5",
        bindings: vec![
            Value::Integer(seen),
            text(uri),
            text(version),
            moment(now),
            Value::Integer(limit.into()),
        ],
    };
    let rows = index.query(statement).await?;
    rows.iter().map(request).collect()
}

fn request(row: &Row) -> Result<Request, IndexError> {
    Ok(Request {
        uri: row.get::<String>(0)?.parse()?,
        version: row.get(1)?,
        guest: row.get::<String>(2)?.parse()?,
        host: row.get::<String>(3)?.parse()?,
        record: row.get(4)?,
        first_seen: row.get(5)?,
        state: row.get(6)?,
        round: row.get(7)?,
        tries: row.get(8)?,
    })
}

/// A request has come to this, unless something else has happened to it since it was read. What is withdrawn is new again
/// if its guest has come back to it meanwhile.
pub fn settle(request: &Request, state: State) -> Statement {
    Statement {
        sql: "UPDATE requests SET due = 0, \
              state = CASE WHEN renewed THEN 'new' ELSE ?3 END, \
              tries = CASE WHEN renewed THEN 0 ELSE tries END, \
              round = round + renewed, renewed = 0 \
              WHERE uri = ?1 AND version = ?2 AND state = ?4 AND round = ?5",
        bindings: vec![
            text(request.uri.as_str()),
            text(&request.version),
            text(state.as_str()),
            text(request.state.as_str()),
            Value::Integer(request.round.into()),
        ],
    }
}

/// Notes that a request is tried from now on, and if nothing comes of that, again at `due`. Says whether it is still to be
/// done.
pub async fn begin(
    index: &dyn Index,
    request: &Request,
    due: Timestamp,
) -> Result<bool, IndexError> {
    let statement = Statement {
        sql: "UPDATE requests SET tries = tries + 1, due = ?4 \
              WHERE uri = ?1 AND version = ?2 AND state = 'new' AND round = ?3 RETURNING 1",
        bindings: vec![
            text(request.uri.as_str()),
            text(&request.version),
            Value::Integer(request.round.into()),
            moment(due),
        ],
    };
    Ok(!index.query(statement).await?.is_empty())
}

/// How many requests of a guest have come up since a moment, this one not counted, and were tried and not ignored. Each
/// round is one.
pub async fn others_since(
    index: &dyn Index,
    request: &Request,
    since: Timestamp,
) -> Result<u32, IndexError> {
    let statement = Statement {
        sql: "SELECT coalesce(sum(round + (state <> 'ignored' AND tries > 0 \
              AND NOT (uri = ?3 AND version = ?4))), 0) FROM requests \
              WHERE guest_did = ?1 AND first_seen > ?2 AND version <> ''",
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

/// Forgets of what is over so long that nobody can ask it again.
pub fn forget(before: Timestamp) -> Statement {
    Statement {
        sql: "DELETE FROM requests WHERE state IN ('withdrawn', 'ignored') AND first_seen < ?1",
        bindings: vec![moment(before)],
    }
}
