//! What was decided about people, and is not to be seen elsewhere: for them, and for an operator who is asked.

use huddle_ports::Timestamp;
use huddle_syntax::Did;

use super::{Index, IndexError, Statement, moment, text};
use crate::sql::Value;

/// The most lines about one account that are kept: the latest.
pub const MOST_OF_ONE: u32 = 200;

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
