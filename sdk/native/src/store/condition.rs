//! How the file of a database stands, and bringing it up to date: for an operator.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::open::{self, Database, OpenError};

/// So many problems of a damaged file are told.
const PROBLEMS: u32 = 20;

/// How the file of a database stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What SQLite finds wrong with it, the first twenty things; none in an intact file.
    pub problems: Vec<String>,
    /// The steps of the schema that it lacks.
    pub missing: Vec<&'static str>,
    /// How much there is in it, by what; nothing of a file that is damaged or lacks a step.
    pub counts: Vec<(&'static str, u64)>,
    /// How large it is, with what is not yet in its main file.
    pub bytes: u64,
}

impl Database {
    /// Reads all of the file at `path`, which others may use meanwhile, and says how it stands.
    pub fn condition(self, path: &Path) -> Result<Condition, OpenError> {
        let connection = open::existing(path, self)?;
        let problems = problems(&connection).map_err(|error| unreadable(path, error))?;
        let mut condition = Condition {
            problems,
            missing: Vec::new(),
            counts: Vec::new(),
            bytes: bytes(path),
        };
        if condition.problems.is_empty() {
            let missing = open::missing(&connection, self);
            condition.missing = missing.map_err(|problem| problem.of(path))?;
        }
        if condition.problems.is_empty() && condition.missing.is_empty() {
            let counts = self.counts(&connection);
            condition.counts = counts.map_err(|error| unreadable(path, error))?;
        }
        Ok(condition)
    }

    /// Brings the file at `path` up to the schema of this version, and gives the steps that it lacked.
    pub fn migrate(self, path: &Path) -> Result<Vec<&'static str>, OpenError> {
        let mut connection = open::existing(path, self)?;
        open::migrate(&mut connection, self).map_err(|problem| problem.of(path))
    }

    /// The steps that [`Database::migrate`] would run, each of which was tried and taken back.
    pub fn missing(self, path: &Path) -> Result<Vec<&'static str>, OpenError> {
        let mut connection = open::existing(path, self)?;
        open::tried(&mut connection, self).map_err(|problem| problem.of(path))
    }

    fn counts(self, connection: &Connection) -> rusqlite::Result<Vec<(&'static str, u64)>> {
        let what: &[(&str, &str)] = match self {
            Self::Actors => &[
                ("bookings", "booking"),
                ("claims", "claim"),
                ("tasks", "outbox WHERE due IS NOT NULL"),
                ("dead letters", "outbox WHERE due IS NULL"),
            ],
            Self::Index => &[
                ("bookings", "bookings"),
                ("offers", "offers WHERE record IS NOT NULL"),
                ("people", "people"),
            ],
        };
        let count = |(name, rows): &(&'static str, &str)| {
            let statement = format!("SELECT count(*) FROM {rows}");
            let count = connection.query_row(&statement, [], |row| row.get::<_, i64>(0))?;
            Ok((*name, count.unsigned_abs()))
        };
        what.iter().map(count).collect()
    }
}

fn unreadable(path: &Path, error: rusqlite::Error) -> OpenError {
    open::Problem::from(error).of(path)
}

/// <https://www.sqlite.org/pragma.html#pragma_integrity_check>
fn problems(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut problems = Vec::new();
    connection.pragma(None, "integrity_check", PROBLEMS, |row| {
        problems.push(row.get(0)?);
        Ok(())
    })?;
    problems.retain(|problem| problem != "ok");
    Ok(problems)
}

fn bytes(path: &Path) -> u64 {
    let log = path.with_extension("sqlite-wal");
    [path, &log]
        .into_iter()
        .filter_map(|it| fs::metadata(it).ok())
        .map(|it| it.len())
        .sum()
}
