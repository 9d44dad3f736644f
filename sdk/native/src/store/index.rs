//! The index, in a SQLite file of its own.

use std::path::Path;

use async_trait::async_trait;
use huddle_core::Sql;
use huddle_core::index::{Index, IndexError, Statement};
use huddle_core::sql::{Binding, Row, SqlError, Value};

use super::open::{self, Database, OpenError};
use super::writer::Writer;

/// What lists and searches read, in one SQLite file.
#[derive(Debug)]
pub struct SqliteIndex(Writer);

impl SqliteIndex {
    /// The index in the file at `path`, which is made if there is none and brought up to the schema of
    /// this version.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let opened = open::file(path, Database::Index)?;
        Ok(Self(Writer::start(opened).map_err(OpenError::Thread)?))
    }

    /// An index that is forgotten with the value, for tests and for trying things out.
    pub fn in_memory() -> Result<Self, OpenError> {
        let opened = open::memory(Database::Index)?;
        Ok(Self(Writer::start(opened).map_err(OpenError::Thread)?))
    }
}

#[async_trait]
impl Index for SqliteIndex {
    async fn query(&self, statement: Statement) -> Result<Vec<Row>, IndexError> {
        let rows = self.0.run(move |sql| run(sql, &statement));
        rows.await.map_err(|error| IndexError(error.to_string()))
    }

    async fn batch(&self, statements: Vec<Statement>) -> Result<(), IndexError> {
        let done = self.0.run(move |sql| {
            for statement in &statements {
                run(sql, statement)?;
            }
            Ok(())
        });
        done.await.map_err(|error| IndexError(error.to_string()))
    }
}

fn run(sql: &mut dyn Sql, statement: &Statement) -> Result<Vec<Row>, SqlError> {
    let bindings: Vec<Binding<'_>> = statement.bindings.iter().map(binding).collect();
    sql.query(statement.sql, &bindings)
}

fn binding(value: &Value) -> Binding<'_> {
    match value {
        Value::Null => Binding::Null,
        Value::Integer(integer) => Binding::Integer(*integer),
        Value::Text(text) => Binding::Text(text),
    }
}
