//! What was answered under idempotency keys to requests that no actor remembers.

use huddle_ports::Timestamp;

use super::{Index, IndexError, Statement, moment, text};
use crate::idempotency::Key;
use crate::sql::Row;

/// Where a request stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It may run; what it comes to is to be [kept](keep), or [withdrawn](withdraw).
    Fresh,
    /// It was answered like this.
    Answered(String),
    /// The key came with another body.
    Mismatch,
    /// It is still running, until then at the latest.
    InFlight(Timestamp),
}

/// Marks a request as running where it may run, until `lease`; what it is answered is kept until `forget`.
pub async fn begin(
    index: &dyn Index,
    key: &Key,
    now: Timestamp,
    lease: Timestamp,
    forget: Timestamp,
) -> Result<Seen, IndexError> {
    // Whoever writes the row may run: of two requests at the same time that is one.
    let mut bindings = named(key);
    bindings.extend([
        text(&key.body_hash),
        moment(lease),
        moment(forget),
        moment(now),
    ]);
    let begun = Statement {
        sql: "INSERT INTO replies (caller, method, key, body_hash, lease, answer, forget) \
              VALUES (?1, ?2, ?3, ?4, ?5, NULL, ?6) \
              ON CONFLICT (caller, method, key) DO UPDATE SET body_hash = excluded.body_hash, \
              lease = excluded.lease, answer = NULL, forget = excluded.forget \
              WHERE forget <= ?7 \
              OR (body_hash = excluded.body_hash AND answer IS NULL AND lease <= ?7) \
              RETURNING 1",
        bindings,
    };
    if !index.query(begun).await?.is_empty() {
        return Ok(Seen::Fresh);
    }
    let found = Statement {
        sql: "SELECT body_hash, answer, lease FROM replies \
              WHERE caller = ?1 AND method = ?2 AND key = ?3",
        bindings: named(key),
    };
    match index.query(found).await?.first() {
        Some(row) => seen(key, row),
        // It was withdrawn just now.
        None => Ok(Seen::InFlight(now)),
    }
}

fn seen(key: &Key, row: &Row) -> Result<Seen, IndexError> {
    if row.get::<String>(0)? != key.body_hash {
        return Ok(Seen::Mismatch);
    }
    Ok(match row.get::<Option<String>>(1)? {
        Some(answer) => Seen::Answered(answer),
        None => Seen::InFlight(row.get(2)?),
    })
}

/// Keeps what a request was answered that was begun.
pub fn keep(key: &Key, answer: &str) -> Statement {
    let mut bindings = named(key);
    bindings.extend([text(&key.body_hash), text(answer)]);
    Statement {
        sql: "UPDATE replies SET answer = ?5 \
              WHERE caller = ?1 AND method = ?2 AND key = ?3 AND body_hash = ?4",
        bindings,
    }
}

/// Nothing came of a request: it may be sent again as if it had not been.
pub fn withdraw(key: &Key) -> Statement {
    Statement {
        sql: "DELETE FROM replies \
              WHERE caller = ?1 AND method = ?2 AND key = ?3 AND answer IS NULL",
        bindings: named(key),
    }
}

/// Forgets answers whose time is over.
pub fn forget(now: Timestamp) -> Statement {
    Statement {
        sql: "DELETE FROM replies WHERE forget <= ?1",
        bindings: vec![moment(now)],
    }
}

fn named(key: &Key) -> Vec<crate::sql::Value> {
    vec![text(key.caller.as_str()), text(&key.method), text(&key.key)]
}
