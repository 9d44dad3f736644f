//! A copy of both databases, made while they are written, that goes with itself.
//!
//! No transaction spans the two, so one copy is older than the other. The index is first: what it has not heard yet of
//! the network it hears again, because its cursor is as old as it is; were the actors first, it would take requests for
//! done that no actor knows of. What it has not heard of bookings, and of whom searches are to find, it will hear
//! from the outbox of the copy, which is given a task for each.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use huddle_core::outbox::Task;
use huddle_core::{ActorName, SqlError};
use rusqlite::Connection;

use super::condition::Condition;
use super::consistency::{behind, unheard};
use super::open::{self, Database, OpenError};

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A database cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The copy cannot be written, for example because the disk is full.
    #[error("{} cannot be written: {problem}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// What was copied is not intact.
    #[error("{} was copied, and the copy is not intact ({problem}): look at the original with `huddle doctor`", path.display())]
    Broken {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// What was copied cannot be read.
    #[error(transparent)]
    Read(#[from] SqlError),
}

impl Database {
    /// Copies both databases of the installation in `from` into the folder `to`, where neither may be, and reads the
    /// copies whole to see whether they are intact. Others may use the originals meanwhile.
    pub fn back_up(from: &Path, to: &Path) -> Result<Vec<(Self, Condition)>, BackupError> {
        for database in [Self::Index, Self::Actors] {
            copy(database, &database.path(from), &database.path(to))?;
        }
        tell_index(to)?;
        Self::ALL
            .into_iter()
            .map(|database| Ok((database, verify(database, &database.path(to))?)))
            .collect()
    }
}

/// <https://www.sqlite.org/lang_vacuum.html#vacuum_with_an_into_clause>: what the file holds at one moment.
fn copy(database: Database, from: &Path, to: &Path) -> Result<(), BackupError> {
    let unwritten = |problem: String| BackupError::Write {
        path: to.to_owned(),
        problem,
    };
    if to.exists() {
        return Err(unwritten("it is there already".to_owned()));
    }
    let connection = open::existing(from, database)?;
    let target = to
        .to_str()
        .ok_or_else(|| unwritten("its name is no UTF-8".to_owned()))?;
    let copied = connection.execute("VACUUM INTO ?1", [target]);
    copied.map_err(|error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            BackupError::Open(open::Problem::from(error).of(from))
        }
        _ => unwritten(error.to_string()),
    })?;
    on_the_disk(to).map_err(|error| unwritten(error.to_string()))
}

fn on_the_disk(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Has the index of a copy told of what the actors of the copy know and it does not.
fn tell_index(folder: &Path) -> Result<(), BackupError> {
    let actors = open::existing(&Database::Actors.path(folder), Database::Actors)?;
    let index = open::existing(&Database::Index.path(folder), Database::Index)?;
    for booking in behind(&actors, &index)? {
        let name = ActorName::booking(&booking);
        push(&actors, &name, &Task::Project(booking))?;
    }
    for (name, task) in unheard(&actors, &index)? {
        push(&actors, &name, &task)?;
    }
    Ok(())
}

fn push(actors: &Connection, name: &ActorName, task: &Task) -> Result<(), SqlError> {
    let statement = "INSERT INTO outbox (actor, kind, task, due) VALUES (?1, ?2, ?3, 0)";
    let text = serde_json::to_string(task)?;
    let pushed = actors.execute(statement, [name.as_str(), task.kind(), &text]);
    pushed.map_err(|error| SqlError::Store(error.to_string()))?;
    Ok(())
}

/// Opens a copy as an installation that is restored from it would, and reads all of it.
fn verify(database: Database, path: &Path) -> Result<Condition, BackupError> {
    let condition = database.condition(path)?;
    match condition.problems.first() {
        None => Ok(condition),
        Some(problem) => Err(BackupError::Broken {
            path: path.to_owned(),
            problem: problem.clone(),
        }),
    }
}
