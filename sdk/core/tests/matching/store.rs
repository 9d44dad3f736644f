//! The actors and the index in SQLite, in memory.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use huddle_core::index::{Index, IndexError, Statement};
use huddle_core::migrations::{ACTOR, INDEX, Schema, migrate};
use huddle_core::sql::{Binding, Row, Sql, SqlError, Value};
use huddle_core::{ActorName, ActorTransport, Command, Limits, Reply, Unreachable, actor};
use huddle_ports::Clock;
use rusqlite::types::Value as Stored;
use rusqlite::{Connection, params_from_iter};

/// A database with a schema of ours.
struct Database(Connection);

impl Database {
    fn new(schema: &Schema) -> Self {
        let connection = Connection::open_in_memory().expect("memory can be had");
        connection.set_prepared_statement_cache_capacity(256);
        let mut database = Self(connection);
        migrate(&mut database, schema).expect("the schema is right");
        database
    }

    fn run(&self, statement: &str, bindings: &[Binding<'_>]) -> rusqlite::Result<Vec<Row>> {
        let mut statement = self.0.prepare_cached(statement)?;
        let columns = statement.column_count();
        let bindings = bindings.iter().map(|binding| match binding {
            Binding::Null => Stored::Null,
            Binding::Integer(integer) => Stored::Integer(*integer),
            Binding::Text(text) => Stored::Text((*text).to_owned()),
        });
        let mut rows = statement.query(params_from_iter(bindings))?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let values: rusqlite::Result<Vec<Stored>> =
                (0..columns).map(|it| row.get(it)).collect();
            all.push(Row(values?.into_iter().map(value).collect()));
        }
        Ok(all)
    }
}

fn value(stored: Stored) -> Value {
    match stored {
        Stored::Null => Value::Null,
        Stored::Integer(integer) => Value::Integer(integer),
        Stored::Text(text) => Value::Text(text),
        other => panic!("the schema has no {other:?}"),
    }
}

impl Sql for Database {
    fn query(&mut self, statement: &str, bindings: &[Binding<'_>]) -> Result<Vec<Row>, SqlError> {
        self.run(statement, bindings)
            .map_err(|error| SqlError::Store(error.to_string()))
    }

    fn script(&mut self, script: &str) -> Result<(), SqlError> {
        self.0
            .execute_batch(script)
            .map_err(|error| SqlError::Store(error.to_string()))
    }
}

/// All actors, each of whose commands is a transaction.
pub(crate) struct Actors {
    database: Mutex<Database>,
    clock: Arc<dyn Clock>,
    limits: Limits,
}

impl Actors {
    pub(crate) fn new(clock: Arc<dyn Clock>, limits: Limits) -> Self {
        Self {
            database: Mutex::new(Database::new(&ACTOR)),
            clock,
            limits,
        }
    }
}

#[async_trait]
impl ActorTransport for Actors {
    async fn send(&self, to: &ActorName, command: Command) -> Result<Reply, Unreachable> {
        let mut database = self.database.lock().expect("nothing has panicked");
        let now = self.clock.now();
        let problem = |problem: String| Unreachable {
            actor: to.clone(),
            problem,
        };
        let script = |database: &mut Database, script| {
            let done = database.script(script);
            done.map_err(|error| problem(error.to_string()))
        };
        script(&mut database, "BEGIN")?;
        match actor::handle(&mut *database, to, now, &self.limits, command) {
            Ok(reply) => {
                script(&mut database, "COMMIT")?;
                Ok(reply)
            }
            Err(error) => {
                script(&mut database, "ROLLBACK")?;
                Err(problem(error.to_string()))
            }
        }
    }
}

/// The index.
pub(crate) struct Copies(Mutex<Database>);

impl Copies {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Database::new(&INDEX)))
    }

    fn run(&self, statement: &Statement) -> Result<Vec<Row>, IndexError> {
        let bindings = statement.bindings.iter().map(|value| match value {
            Value::Null => Binding::Null,
            Value::Integer(integer) => Binding::Integer(*integer),
            Value::Text(text) => Binding::Text(text),
        });
        let bindings: Vec<_> = bindings.collect();
        let database = self.0.lock().expect("nothing has panicked");
        let rows = database.run(statement.sql, &bindings);
        rows.map_err(|error| IndexError(error.to_string()))
    }
}

#[async_trait]
impl Index for Copies {
    async fn query(&self, statement: Statement) -> Result<Vec<Row>, IndexError> {
        self.run(&statement)
    }

    async fn batch(&self, statements: Vec<Statement>) -> Result<(), IndexError> {
        for statement in &statements {
            self.run(statement)?;
        }
        Ok(())
    }
}
