//! Opening a file of ours, and no other, so that what is committed stays.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use huddle_core::SqlError;
use huddle_core::migrations::{self, Schema};
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use crate::store::sqlite::{SqliteSql, store_error};

/// The databases of an installation, each a file of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// What actors keep: the truth.
    Actors,
    /// What lists and searches read.
    Index,
}

impl Database {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Actors, Self::Index];

    /// Its name within the folder of an installation.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Actors => "actors.sqlite",
            Self::Index => "index.sqlite",
        }
    }

    /// Where it is in the folder of an installation.
    pub fn path(self, folder: &Path) -> PathBuf {
        folder.join(self.file_name())
    }

    /// Stands in the header of the file, and tells it from any other SQLite database.
    const fn application_id(self) -> i32 {
        i32::from_be_bytes(match self {
            Self::Actors => *b"Hudl",
            Self::Index => *b"HudI",
        })
    }

    const fn schema(self) -> &'static Schema {
        match self {
            Self::Actors => &migrations::ACTOR,
            Self::Index => &migrations::INDEX,
        }
    }
}

/// How long another process, such as a backup, may keep the file locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What each connection keeps of its file in memory, in KiB. With SQLite's 2 MiB, a store of 100,000 bookings spends a
/// quarter of its time on reading pages again, and a large transaction writes some of them twice.
const CACHE_KIB: i32 = 16 * 1024;

/// At how many pages of 4 KiB in the write-ahead log a commit carries them over into the file itself: 256 MiB, which it
/// comes to only where the thread that is there for it cannot keep up.
const CHECKPOINT_PAGES: i32 = 65_536;

/// To how many bytes the log is cut when it begins anew: it is longer where somebody has read an old state for long, as a
/// backup does.
const LOG_BYTES: i32 = 64 << 20;

/// More than the actors have statements.
const PREPARED_STATEMENTS: usize = 128;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It can be neither opened nor made.
    #[error("{} cannot be opened ({problem}): its folder must exist, its disk must not be read-only, and this user must be allowed to write there", path.display())]
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
    /// An earlier version wrote it, and only `serve` and `migrate` bring it up to date.
    #[error("{} was written by an earlier version: `huddle migrate` brings it up to date ({})", path.display(), missing.join(", "))]
    Outdated {
        /// Which file.
        path: PathBuf,
        /// The steps that it lacks.
        missing: Vec<&'static str>,
    },
    /// The thread that writes cannot be started.
    #[error("the store's thread cannot be started: {0}")]
    Thread(io::Error),
}

/// What is there already, to be read and written.
const EXISTING: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// What a store writes with.
pub(super) struct Opened {
    /// Where it writes.
    pub(super) writer: Connection,
    /// Another way to the same file, if it is one.
    pub(super) beside: Option<Connection>,
}

impl Opened {
    /// With the one connection, for a while: the log is carried over by whoever closes the file last.
    pub(super) fn alone(writer: Connection) -> Self {
        Self {
            writer,
            beside: None,
        }
    }
}

/// The file at `path`, made if there is none, and brought up to the schema of this version.
pub(super) fn file(path: &Path, database: Database) -> Result<Opened, OpenError> {
    let flags = EXISTING | OpenFlags::SQLITE_OPEN_CREATE;
    let open = || {
        let connection = Connection::open_with_flags(path, flags);
        let mut connection = prepare(connection, database, "wal")?;
        migrate(&mut connection, database)?;
        Ok(connection)
    };
    let writer = open().map_err(|problem: Problem| problem.of(path))?;
    let beside = Some(existing(path, database)?);
    Ok(Opened { writer, beside })
}

/// The file that is at `path`, in which nothing is changed that others may rely on.
pub(super) fn existing(path: &Path, database: Database) -> Result<Connection, OpenError> {
    let open = || {
        let connection = Connection::open_with_flags(path, EXISTING);
        prepare(connection, database, "wal")
    };
    open().map_err(|problem| problem.of(path))
}

/// The file that is at `path`, if it has the schema of this version.
pub(super) fn up_to_date(path: &Path, database: Database) -> Result<Connection, OpenError> {
    let connection = existing(path, database)?;
    let missing = missing(&connection, database).map_err(|problem| problem.of(path))?;
    if missing.is_empty() {
        return Ok(connection);
    }
    let path = path.to_owned();
    Err(OpenError::Outdated { path, missing })
}

/// A database in memory.
pub(super) fn memory(database: Database) -> Result<Opened, OpenError> {
    let open = || {
        let mut connection = prepare(Connection::open_in_memory(), database, "memory")?;
        migrate(&mut connection, database)?;
        Ok(Opened::alone(connection))
    };
    open().map_err(|problem: Problem| problem.of(Path::new(":memory:")))
}

/// What is wrong with a file that has no name yet.
pub(super) enum Problem {
    Sqlite(rusqlite::Error),
    Foreign,
    Schema(SqlError),
}

impl Problem {
    pub(super) fn of(self, path: &Path) -> OpenError {
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
    database: Database,
    journal_mode: &str,
) -> Result<Connection, Problem> {
    let connection = connection?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    // As the runtime of Workers has them, so that what cannot be asked there is found out here.
    connection.set_limit(Limit::SQLITE_LIMIT_COMPOUND_SELECT, 5)?;
    connection.set_limit(Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 100)?;
    // Without it, SQLite plans whatever has a parameter as its limit anew each time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Before anything is written: the file may be somebody else's.
    if !is_ours(&connection, database)? {
        return Err(Problem::Foreign);
    }
    set_journal_mode(&connection, journal_mode)?;
    // With NORMAL, a commit could be lost with the power after its mail has gone out.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// Whether the file says that it is ours, or is empty.
fn is_ours(connection: &Connection, database: Database) -> rusqlite::Result<bool> {
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(id == database.application_id() || id == 0 && tables == 0)
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

/// Brings it up to the schema of this version, and gives the steps that it lacked.
pub(super) fn migrate(
    connection: &mut Connection,
    database: Database,
) -> Result<Vec<&'static str>, Problem> {
    let (transaction, ran) = run_migrations(connection, database)?;
    transaction.commit().map_err(schema)?;
    Ok(ran)
}

/// The steps that it lacks, each of which was tried on what is in it and taken back.
pub(super) fn tried(
    connection: &mut Connection,
    database: Database,
) -> Result<Vec<&'static str>, Problem> {
    let (transaction, ran) = run_migrations(connection, database)?;
    transaction.rollback().map_err(schema)?;
    Ok(ran)
}

/// The steps that it lacks; others may write it meanwhile.
pub(super) fn missing(
    connection: &Connection,
    database: Database,
) -> Result<Vec<&'static str>, Problem> {
    let schema = database.schema();
    let missing = if connection.table_exists(None, "migration")? {
        migrations::missing(&mut SqliteSql(connection), schema).map_err(Problem::Schema)?
    } else {
        schema.steps.to_vec()
    };
    Ok(missing.iter().map(|step| step.name).collect())
}

fn run_migrations(
    connection: &mut Connection,
    database: Database,
) -> Result<(Transaction<'_>, Vec<&'static str>), Problem> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.pragma_update(None, "application_id", database.application_id())?;
    let mut sql = SqliteSql(&transaction);
    let ran = migrations::migrate(&mut sql, database.schema()).map_err(Problem::Schema)?;
    Ok((transaction, ran))
}

fn schema(error: rusqlite::Error) -> Problem {
    Problem::Schema(store_error(error))
}
