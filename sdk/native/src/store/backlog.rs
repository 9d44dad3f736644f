//! What is still to be done outside, as a look at the file tells.

use std::path::Path;

use huddle_ports::Timestamp;

use super::open::{self, Database, OpenError};

/// What stands in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// How many tasks are to be done, now or later.
    pub waiting: u64,
    /// Since when the one that has waited longest is due, or when the next one will be.
    pub oldest: Option<Timestamp>,
    /// How many were given up.
    pub dead: u64,
}

impl Backlog {
    /// Reads it of the installation in `folder`, which may be at work.
    pub fn read(folder: &Path) -> Result<Self, OpenError> {
        let path = Database::Actors.path(folder);
        let connection = open::existing(&path, Database::Actors)?;
        let statement = "SELECT count(due), min(due), count(*) - count(due) FROM outbox";
        let backlog = connection.query_row(statement, [], |row| {
            let oldest: Option<i64> = row.get(1)?;
            Ok(Self {
                waiting: row.get::<_, i64>(0)?.unsigned_abs(),
                oldest: oldest.map(Timestamp::from_millis),
                dead: row.get::<_, i64>(2)?.unsigned_abs(),
            })
        });
        backlog.map_err(|error| open::Problem::from(error).of(&path))
    }
}
