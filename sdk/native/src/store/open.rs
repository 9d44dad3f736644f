//! Opening a file of ours, and no other, so that what is committed stays.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use huddle_core::SqlError;
use huddle_core::migrations::{self, Migration};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::store::sqlite::{SqliteSql, store_error};

/// What a file is for.
#[derive(Clone, Copy)]
pub(super) struct Purpose {
    /// Stands in the header of the file, and tells it from any other SQLite database.
    application_id: i32,
    migrations: &'static [Migration],
}

/// What actors keep.
pub(super) const ACTORS: Purpose = Purpose {
    application_id: i32::from_be_bytes(*b"Hudl"),
    migrations: migrations::ACTOR,
};

/// What lists and searches read.
pub(super) const INDEX: Purpose = Purpose {
    application_id: i32::from_be_bytes(*b"HudI"),
    migrations: migrations::INDEX,
};

/// How long another process, such as a backup, may keep the file locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// More than the actors have statements.
const PREPARED_STATEMENTS: usize = 128;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It can be neither opened nor made.
    #[error("{} cannot be opened ({problem}): its folder must exist, and this user must be allowed to write there", path.display())]
    Unavailable {
        /// Which file.
        path: PathBuf,
        /// What SQLite says.
        problem: String,
    },
    /// It is damaged, or was never a database.
    #[error("{} is no intact SQLite database ({problem}): restore a backup, or name another file", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What SQLite says.
        problem: String,
    },
    /// It belongs to another application.
    #[error("{} is the database of another application: name another file", path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
    },
    /// It cannot be brought to the schema of this version, for example because a later one wrote it.
    #[error("{} cannot be used: {problem}", path.display())]
    Schema {
        /// Which file.
        path: PathBuf,
        /// Why not.
        problem: SqlError,
    },
    /// The thread that writes cannot be started.
    #[error("the store's thread cannot be started: {0}")]
    Thread(io::Error),
}

/// The file at `path`, made if there is none.
pub(super) fn file(path: &Path, purpose: Purpose) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags);
    prepare(connection, purpose, "wal").map_err(|problem| problem.of(path))
}

/// A database in memory.
pub(super) fn memory(purpose: Purpose) -> Result<Connection, OpenError> {
    let connection = Connection::open_in_memory();
    prepare(connection, purpose, "memory").map_err(|problem| problem.of(Path::new(":memory:")))
}

enum Problem {
    Sqlite(rusqlite::Error),
    Foreign,
    Schema(SqlError),
}

impl Problem {
    fn of(self, path: &Path) -> OpenError {
        let path = path.to_owned();
        match self {
            Self::Sqlite(error) => {
                let problem = error.to_string();
                match error.sqlite_error_code() {
                    Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                        OpenError::Damaged { path, problem }
                    }
                    _ => OpenError::Unavailable { path, problem },
                }
            }
            Self::Foreign => OpenError::Foreign { path },
            Self::Schema(problem) => OpenError::Schema { path, problem },
        }
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn prepare(
    connection: rusqlite::Result<Connection>,
    purpose: Purpose,
    journal_mode: &str,
) -> Result<Connection, Problem> {
    let mut connection = connection?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    // Before anything is written: the file may be somebody else's.
    if !is_ours(&connection, purpose)? {
        return Err(Problem::Foreign);
    }
    set_journal_mode(&connection, journal_mode)?;
    // With NORMAL, a commit could be lost with the power after its mail has gone out.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    migrate(&mut connection, purpose)?;
    Ok(connection)
}

/// Whether the file says that it is ours, or is empty.
fn is_ours(connection: &Connection, purpose: Purpose) -> rusqlite::Result<bool> {
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(id == purpose.application_id || id == 0 && tables == 0)
}

fn set_journal_mode(connection: &Connection, wanted: &str) -> Result<(), Problem> {
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", wanted, |row| row.get(0))?;
    if mode == wanted {
        return Ok(());
    }
    Err(Problem::Schema(SqlError::Store(format!(
        "its file system allows the journal mode {mode} alone, and {wanted} is needed"
    ))))
}

fn migrate(connection: &mut Connection, purpose: Purpose) -> Result<(), Problem> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.pragma_update(None, "application_id", purpose.application_id)?;
    migrations::migrate(&mut SqliteSql(&transaction), purpose.migrations)
        .map_err(Problem::Schema)?;
    transaction
        .commit()
        .map_err(|error| Problem::Schema(store_error(error)))
}
