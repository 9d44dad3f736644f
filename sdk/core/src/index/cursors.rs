//! Where the streams of hosts go on.

use std::collections::BTreeMap;

use super::{Index, IndexError, Statement, text};
use crate::sql::Value;

/// The cursors that were kept, by host.
pub async fn all(index: &dyn Index) -> Result<BTreeMap<String, i64>, IndexError> {
    let sql = "SELECT host, seq FROM cursors";
    let bindings = vec![];
    let rows = index.query(Statement { sql, bindings }).await?;
    let cursors = rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?)));
    cursors.collect()
}

/// Keeps the cursor of a host, or forgets it.
pub fn keep(host: &str, cursor: Option<i64>) -> Statement {
    match cursor {
        Some(seq) => Statement {
            sql: "INSERT INTO cursors (host, seq) VALUES (?1, ?2) \
                  ON CONFLICT (host) DO UPDATE SET seq = excluded.seq",
            bindings: vec![text(host), Value::Integer(seq)],
        },
        None => Statement {
            sql: "DELETE FROM cursors WHERE host = ?1",
            bindings: vec![text(host)],
        },
    }
}
