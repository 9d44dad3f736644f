//! How the repositories of accounts stand that are followed.

use huddle_ports::Timestamp;
use huddle_syntax::Did;

use super::{Index, IndexError, Statement, moment, optional, text};
use crate::sql::{FromValue, Row, Value, word};

/// Whether what an account has published may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hosting {
    /// It may.
    Active,
    /// Not for now, and its owner or its host can change that.
    Inactive,
    /// Not as long as whoever sends the stream says so.
    TakenDown,
    /// Never again.
    Deleted,
}

impl Hosting {
    const ALL: [Self; 4] = [Self::Active, Self::Inactive, Self::TakenDown, Self::Deleted];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::TakenDown => "takenDown",
            Self::Deleted => "deleted",
        }
    }
}

impl FromValue for Hosting {
    fn from_value(value: &Value) -> Option<Self> {
        word(value, &Self::ALL, Self::as_str)
    }
}

/// How a repository stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repo {
    /// Whether it may be shown.
    pub hosting: Hosting,
    /// The newest revision that was taken or vouched for; empty before the first.
    pub rev: String,
    /// The root of its tree, where what is held is the repository at that revision.
    pub data: Option<String>,
}

/// How the repository of an account stands, if it is followed.
pub async fn of(index: &dyn Index, did: &str) -> Result<Option<Repo>, IndexError> {
    let sql = "SELECT hosting, rev, data FROM repos WHERE did = ?1";
    let bindings = vec![text(did)];
    let rows = index.query(Statement { sql, bindings }).await?;
    let repo = |row: &Row| {
        Ok(Repo {
            hosting: row.get(0)?,
            rev: row.get(1)?,
            data: row.get(2)?,
        })
    };
    rows.first().map(repo).transpose()
}

/// Follows an account of which nothing is known, and has its repository fetched.
pub fn follow(did: &str) -> Statement {
    Statement {
        sql: "INSERT INTO repos (did, hosting, rev, data, base, stale, checked) \
              VALUES (?1, 'active', '', NULL, '', 1, 0) ON CONFLICT (did) DO NOTHING",
        bindings: vec![text(did)],
    }
}

/// A commit was taken, or the track lost, of which whoever has noticed takes care.
pub fn advance(did: &str, repo: &Repo) -> Statement {
    Statement {
        sql: "INSERT INTO repos (did, hosting, rev, data, base, stale, checked) \
              VALUES (?1, ?2, ?3, ?4, '', 0, 0) \
              ON CONFLICT (did) DO UPDATE SET rev = excluded.rev, data = excluded.data, \
              stale = CASE WHEN excluded.data IS NULL THEN 0 ELSE stale END \
              WHERE rev <= excluded.rev AND base <= excluded.rev",
        bindings: vec![
            text(did),
            text(repo.hosting.as_str()),
            text(&repo.rev),
            optional(repo.data.as_deref()),
        ],
    }
}

/// The repository was fetched whole at its revision, and what is held is exactly that. To be run after the records
/// were put.
pub fn fetched(did: &str, repo: &Repo, now: Timestamp) -> Statement {
    Statement {
        sql: "INSERT INTO repos (did, hosting, rev, data, base, stale, checked) \
              VALUES (?1, ?2, ?3, ?4, ?3, 0, ?5) \
              ON CONFLICT (did) DO UPDATE SET hosting = excluded.hosting, base = excluded.base, \
              stale = 0, checked = excluded.checked, \
              data = CASE WHEN rev <= excluded.rev THEN excluded.data ELSE data END, \
              rev = max(rev, excluded.rev) WHERE base <= excluded.base",
        bindings: vec![
            text(did),
            text(repo.hosting.as_str()),
            text(&repo.rev),
            optional(repo.data.as_deref()),
            moment(now),
        ],
    }
}

/// The account is hosted like this now. Of one that was deleted nothing old is taken any more. What has lost track is
/// the affair of whoever has noticed, and need not be told.
pub fn host(did: &str, repo: &Repo) -> Statement {
    Statement {
        sql: "INSERT INTO repos (did, hosting, rev, data, base, stale, checked) \
              VALUES (?1, ?2, ?3, ?4, CASE WHEN ?2 = 'deleted' THEN ?3 ELSE '' END, 0, 0) \
              ON CONFLICT (did) DO UPDATE SET hosting = excluded.hosting, \
              base = CASE WHEN excluded.hosting = 'deleted' THEN max(base, rev, excluded.rev) \
              ELSE base END, \
              data = CASE WHEN rev <= excluded.rev THEN excluded.data ELSE data END, \
              rev = max(rev, excluded.rev), \
              stale = CASE WHEN excluded.data IS NULL THEN 0 ELSE stale END",
        bindings: vec![
            text(did),
            text(repo.hosting.as_str()),
            text(&repo.rev),
            optional(repo.data.as_deref()),
        ],
    }
}

/// Has the repository of an account fetched.
pub fn distrust(did: &str) -> Statement {
    Statement {
        sql: "UPDATE repos SET stale = 1 WHERE did = ?1 AND hosting <> 'deleted'",
        bindings: vec![text(did)],
    }
}

/// Has all repositories fetched.
pub fn distrust_all() -> Statement {
    Statement {
        sql: "UPDATE repos SET stale = 1 WHERE hosting <> 'deleted'",
        bindings: vec![],
    }
}

/// What is held of an account was compared with its host.
pub fn compared(did: &str, now: Timestamp) -> Statement {
    Statement {
        sql: "UPDATE repos SET checked = ?2 WHERE did = ?1",
        bindings: vec![text(did), moment(now)],
    }
}

/// At most `limit` accounts whose repositories are to be fetched, in the order of their names, from after one on.
pub async fn stale(index: &dyn Index, after: &str, limit: u32) -> Result<Vec<Did>, IndexError> {
    let sql = "SELECT did FROM repos WHERE stale = 1 AND did > ?1 ORDER BY did LIMIT ?2";
    dids(index, sql, text(after), limit).await
}

/// At most `limit` accounts of which what is held is not the repository, as far as is known, in the order of their
/// names, from after one on.
pub async fn lost(index: &dyn Index, after: &str, limit: u32) -> Result<Vec<Did>, IndexError> {
    let sql = "SELECT did FROM repos WHERE hosting <> 'deleted' AND (data IS NULL OR stale = 1) \
               AND did > ?1 ORDER BY did LIMIT ?2";
    dids(index, sql, text(after), limit).await
}

/// At most `limit` accounts that are followed, in the order of their names, from after one on.
pub async fn followed(index: &dyn Index, after: &str, limit: u32) -> Result<Vec<Did>, IndexError> {
    let sql = "SELECT did FROM repos WHERE hosting <> 'deleted' AND did > ?1 ORDER BY did LIMIT ?2";
    dids(index, sql, text(after), limit).await
}

/// At most `limit` accounts that were last compared with their hosts before a moment, the longest ago first.
pub async fn unchecked(
    index: &dyn Index,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Did>, IndexError> {
    let sql = "SELECT did FROM repos WHERE hosting <> 'deleted' AND checked < ?1 \
               ORDER BY checked, did LIMIT ?2";
    dids(index, sql, moment(before), limit).await
}

async fn dids(
    index: &dyn Index,
    sql: &'static str,
    from: Value,
    limit: u32,
) -> Result<Vec<Did>, IndexError> {
    let bindings = vec![from, Value::Integer(limit.into())];
    let rows = index.query(Statement { sql, bindings }).await?;
    let did = |row: &Row| Ok(row.get::<String>(0)?.parse()?);
    rows.iter().map(did).collect()
}

/// What is held of what an account offers, for a comparison: the CIDs of records by their addresses.
pub async fn held(index: &dyn Index, did: &Did) -> Result<Vec<(String, String)>, IndexError> {
    let sql = "SELECT uri, cid FROM offers WHERE host_did = ?1 AND cid IS NOT NULL \
               UNION ALL SELECT 'at://' || did || '/com.huddle.service/self', cid \
               FROM services WHERE did = ?1 AND cid IS NOT NULL";
    pairs(index, sql, did).await
}

/// What is held of what an account asks for, for a comparison: the versions of requests by their addresses, those that
/// are ignored among them. What is older than the repository, or than what is at its address, is not there any more.
pub async fn held_requests(
    index: &dyn Index,
    did: &Did,
) -> Result<Vec<(String, String)>, IndexError> {
    let sql = "SELECT q.uri, q.version FROM requests q JOIN repos r ON r.did = q.guest_did \
               WHERE q.guest_did = ?1 AND q.rev >= r.base \
               AND (q.state IN ('new', 'asked', 'ignored') OR q.renewed) \
               AND NOT EXISTS (SELECT 1 FROM requests newer \
               WHERE newer.uri = q.uri AND newer.rev > q.rev)";
    pairs(index, sql, did).await
}

async fn pairs(
    index: &dyn Index,
    sql: &'static str,
    did: &Did,
) -> Result<Vec<(String, String)>, IndexError> {
    let bindings = vec![text(did.as_str())];
    let rows = index.query(Statement { sql, bindings }).await?;
    let pair = |row: &Row| Ok((row.get(0)?, row.get(1)?));
    rows.iter().map(pair).collect()
}
