//! What the actors' rows are sealed with: which keys are needed, and whose rows still need another than the newest.

use std::collections::BTreeSet;
use std::path::Path;

use huddle_core::{ActorName, user_connector};
use rusqlite::{Connection, OptionalExtension as _};

use super::open::{self, Database, OpenError};
use super::{ActorStore, StoreFailed};

/// The tables with something sealed that nobody but its person has, and what gives the id of the key in each. What was
/// read from a calendar is read again.
const SEALED: [(&str, &str); 3] = [
    ("connector", "sealed_with"),
    ("address", "substr(sealed, 1, instr(sealed, '.') - 1)"),
    ("webhook", "substr(sealed, 1, instr(sealed, '.') - 1)"),
];

/// The ids of the keys that credentials, addresses and webhooks are sealed with in the installation in `folder`, which may
/// be at work and of an earlier version.
pub fn keys_in_use(folder: &Path) -> Result<BTreeSet<String>, OpenError> {
    let path = Database::Actors.path(folder);
    let connection = open::existing(&path, Database::Actors)?;
    let mut ids = BTreeSet::new();
    for (table, id) in SEALED {
        let read = key_ids(&connection, table, id);
        ids.extend(read.map_err(|error| open::Problem::from(error).of(&path))?);
    }
    Ok(ids)
}

fn key_ids(connection: &Connection, table: &str, id: &str) -> rusqlite::Result<Vec<String>> {
    let is_there = "SELECT 1 FROM sqlite_schema WHERE name = ?1";
    let is_there = connection.query_row(is_there, [table], |_| Ok(()));
    if is_there.optional()?.is_none() {
        return Ok(Vec::new());
    }
    let statement = format!("SELECT DISTINCT {id} FROM {table}");
    let mut statement = connection.prepare(&statement)?;
    let ids = statement.query_map([], |row| row.get(0))?;
    ids.collect()
}

impl ActorStore {
    /// At most `limit` actors after the one named `after` that keep credentials under another key than `key_id`; the
    /// empty text is before the first.
    pub async fn sealed_otherwise(
        &self,
        key_id: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<ActorName>, StoreFailed> {
        let (key_id, after) = (key_id.to_owned(), after.to_owned());
        let named = self
            .writer
            .run(move |sql| user_connector::sealed_otherwise(sql, &key_id, &after, limit));
        Ok(named.await?)
    }
}
