//! Everybody who came up, and what they are called.

use std::collections::BTreeMap;

use huddle_ports::Timestamp;
use huddle_syntax::{Did, Handle};

use super::{Index, IndexError, Statement, arrays, moment, optional, text};
use crate::sql::Value;

/// What somebody is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Their handle, if one was verified.
    pub handle: Option<Handle>,
    /// The name on their profile.
    pub display_name: Option<String>,
}

/// Somebody came up.
pub fn seen(did: &str, now: Timestamp) -> Statement {
    Statement {
        sql: "INSERT INTO people (did, first_seen) VALUES (?1, ?2) ON CONFLICT (did) DO NOTHING",
        bindings: vec![text(did), moment(now)],
    }
}

/// Two are the parties of a booking until a moment, so it is looked up what they are called, whatever they offer. It may
/// come late and twice. Of an account that is deleted nothing is written.
pub fn meet(parties: [&Did; 2], until: Timestamp, since: Timestamp) -> Statement {
    let [one, other] = parties;
    Statement {
        sql: "INSERT INTO people (did, first_seen, meets) \
              SELECT party, ?3, ?4 FROM (SELECT ?1 AS party UNION ALL SELECT ?2) \
              WHERE party NOT IN (SELECT did FROM repos WHERE did IN (?1, ?2) AND hosting = 'deleted') \
              ON CONFLICT (did) DO UPDATE SET meets = excluded.meets \
              WHERE meets IS NULL OR meets < excluded.meets",
        bindings: vec![
            text(one.as_str()),
            text(other.as_str()),
            moment(since),
            moment(until),
        ],
    }
}

/// Whoever has met nobody since a moment, and is to meet nobody, need not be named for that.
pub fn part(since: Timestamp) -> Statement {
    Statement {
        sql: "UPDATE people SET meets = NULL WHERE meets < ?1",
        bindings: vec![moment(since)],
    }
}

/// Somebody is called this, as was found out now. Whoever had the handle before has it no more, and is to be named anew.
pub fn name(did: &Did, names: &Names, now: Timestamp) -> [Statement; 2] {
    let handle = || optional(names.handle.as_ref().map(Handle::as_str));
    [
        Statement {
            sql: "UPDATE people SET handle = NULL, named = 0 WHERE handle = ?2 AND did <> ?1",
            bindings: vec![text(did.as_str()), handle()],
        },
        Statement {
            sql: "UPDATE people SET handle = ?2, display_name = ?3, named = ?4 WHERE did = ?1",
            bindings: vec![
                text(did.as_str()),
                handle(),
                optional(names.display_name.as_deref()),
                moment(now),
            ],
        },
    ]
}

/// Somebody wants to be found by searches, or not, as a revision of their preferences says, put at a moment. It may come
/// late and twice. Of an account that is deleted nothing is written.
pub fn list(did: &Did, listed: bool, revision: u32, at: Timestamp) -> Statement {
    Statement {
        sql: "INSERT INTO people (did, first_seen, listed, listed_by) SELECT ?1, ?2, ?3, ?4 \
              WHERE NOT EXISTS (SELECT 1 FROM repos WHERE did = ?1 AND hosting = 'deleted') \
              ON CONFLICT (did) DO UPDATE SET listed = excluded.listed, listed_by = excluded.listed_by \
              WHERE listed_by < excluded.listed_by",
        bindings: vec![
            text(did.as_str()),
            moment(at),
            Value::Integer(listed.into()),
            Value::Integer(revision.into()),
        ],
    }
}

/// Somebody may be called something else now; a handle that is not the one they are said to have is not theirs.
pub fn doubt_name(did: &str, claimed: Option<&str>) -> Statement {
    Statement {
        sql: "UPDATE people SET named = 0, \
              handle = CASE WHEN ?2 IS NULL OR handle = ?2 THEN handle ELSE NULL END \
              WHERE did = ?1",
        bindings: vec![text(did), optional(claimed)],
    }
}

/// At most `limit` people who offer something or are the party of a booking, and whose names were looked up before a
/// moment: the longest ago first, and of those who never were, parties of bookings.
pub async fn unnamed(
    index: &dyn Index,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Did>, IndexError> {
    let sql = "SELECT did FROM people WHERE (offered IS NOT NULL OR meets IS NOT NULL) AND named < ?1 \
               ORDER BY named, meets IS NULL, id LIMIT ?2";
    let bindings = vec![moment(before), Value::Integer(limit.into())];
    let rows = index.query(Statement { sql, bindings }).await?;
    let dids = rows.iter().map(|row| did(&row.get::<String>(0)?));
    dids.collect()
}

/// What some people are called, as far as that is known.
pub async fn names(index: &dyn Index, dids: &[&Did]) -> Result<BTreeMap<Did, Names>, IndexError> {
    let found = found_out(index, dids).await?.into_iter();
    Ok(found.map(|(did, (names, _))| (did, names)).collect())
}

/// The same, and when it was looked up: at the beginning of 1970 where that was never done, or has to be again.
pub async fn found_out(
    index: &dyn Index,
    dids: &[&Did],
) -> Result<BTreeMap<Did, (Names, Timestamp)>, IndexError> {
    let mut names = BTreeMap::new();
    for array in arrays(dids)? {
        let sql = "SELECT did, handle, display_name, named FROM people \
                   WHERE did IN (SELECT value FROM json_each(?1))";
        let bindings = vec![text(array)];
        for row in index.query(Statement { sql, bindings }).await? {
            let known = Names {
                handle: row.get::<Option<String>>(1)?.and_then(|it| it.parse().ok()),
                display_name: row.get(2)?,
            };
            names.insert(did(&row.get::<String>(0)?)?, (known, row.get(3)?));
        }
    }
    Ok(names)
}

/// When somebody first came up, if ever.
pub async fn first_seen(index: &dyn Index, did: &Did) -> Result<Option<Timestamp>, IndexError> {
    let sql = "SELECT first_seen FROM people WHERE did = ?1";
    let bindings = vec![text(did.as_str())];
    let rows = index.query(Statement { sql, bindings }).await?;
    Ok(rows.first().map(|row| row.get(0)).transpose()?)
}

fn did(text: &str) -> Result<Did, IndexError> {
    Ok(text.parse()?)
}

/// Forgets somebody whose account is deleted, and all that they offered. To be run before the account is noted as
/// deleted.
pub fn purge(did: &str) -> [Statement; 4] {
    [
        "DELETE FROM host_words WHERE rowid = (SELECT id FROM people WHERE did = ?1)",
        "DELETE FROM people WHERE did = ?1",
        "DELETE FROM offers WHERE host_did = ?1",
        "DELETE FROM services WHERE did = ?1",
    ]
    .map(|sql| Statement {
        sql,
        bindings: vec![text(did)],
    })
}
