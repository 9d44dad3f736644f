//! A store in memory that holds the rows of one actor for the length of one turn: they are put in, the
//! turn runs, they are taken out again.

use huddle_core::migrations::{ACTOR, migrate};
use huddle_core::sql::{Binding, Row, Sql, SqlError, Value};
use rusqlite::types::Value as Stored;
use rusqlite::{Connection, params_from_iter};

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Text(String),
}

impl Cell {
    pub(crate) fn integer(&self) -> i64 {
        match self {
            Self::Integer(integer) => *integer,
            other => panic!("{other:?} is no integer"),
        }
    }

    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            other => panic!("{other:?} is no text"),
        }
    }
}

/// All rows of an actor: the index of a table, and the values of its columns.
pub(crate) type Dump = Vec<(usize, Vec<Cell>)>;

/// A table of the schema.
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    select: String,
    insert: String,
}

/// Replaces a part of the statements that run while a command of this name is carried out. A wake
/// counts as the command `wake`; `*` is any.
pub(crate) struct Rewrite {
    pub(crate) during: &'static str,
    pub(crate) find: &'static str,
    pub(crate) replace: &'static str,
}

/// The store.
pub(crate) struct Store {
    connection: Connection,
    pub(crate) tables: Vec<Table>,
    rewrites: &'static [Rewrite],
    during: String,
    /// Which of the rewrites have changed a statement.
    pub(crate) rewritten: Vec<bool>,
}

impl Store {
    pub(crate) fn new(rewrites: &'static [Rewrite]) -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection.set_prepared_statement_cache_capacity(256);
        let mut store = Self {
            connection,
            tables: Vec::new(),
            rewrites,
            during: String::new(),
            rewritten: vec![false; rewrites.len()],
        };
        migrate(&mut store, &ACTOR).unwrap();
        let tables = "SELECT name FROM sqlite_master \
             WHERE type = 'table' AND name <> 'migration' AND name NOT LIKE 'sqlite_%' ORDER BY name";
        for name in texts(&store.run(tables, &[]).unwrap()) {
            let columns = format!("SELECT name FROM pragma_table_info('{name}') ORDER BY cid");
            let columns = texts(&store.run(&columns, &[]).unwrap());
            let places: Vec<String> = (1..=columns.len()).map(|n| format!("?{n}")).collect();
            store.tables.push(Table {
                select: format!("SELECT {} FROM {name}", columns.join(", ")),
                insert: format!("INSERT INTO {name} VALUES ({})", places.join(", ")),
                name,
                columns,
            });
        }
        store
    }

    /// Runs `turn` on the rows of `dump`, and gives what it says with the rows that it leaves.
    pub(crate) fn turn<R>(
        &mut self,
        dump: &Dump,
        during: &str,
        turn: impl FnOnce(&mut Self) -> R,
    ) -> (Dump, R) {
        self.run("BEGIN", &[]).unwrap();
        for (table, row) in dump {
            let row = row.iter().map(|cell| match cell {
                Cell::Null => Stored::Null,
                Cell::Integer(integer) => Stored::Integer(*integer),
                Cell::Text(text) => Stored::Text(text.clone()),
            });
            let mut insert = self
                .connection
                .prepare_cached(&self.tables[*table].insert)
                .unwrap();
            insert.execute(params_from_iter(row)).unwrap();
        }
        during.clone_into(&mut self.during);
        let said = turn(self);
        let mut left = Vec::new();
        for index in 0..self.tables.len() {
            let select = self.tables[index].select.clone();
            for Row(values) in self.run(&select, &[]).unwrap() {
                let cells = values.into_iter().map(|value| match value {
                    Value::Null => Cell::Null,
                    Value::Integer(integer) => Cell::Integer(integer),
                    Value::Text(text) => Cell::Text(text),
                });
                left.push((index, cells.collect()));
            }
        }
        self.run("ROLLBACK", &[]).unwrap();
        (left, said)
    }

    fn run(&self, statement: &str, bindings: &[Binding<'_>]) -> rusqlite::Result<Vec<Row>> {
        let mut statement = self.connection.prepare_cached(statement)?;
        let columns = statement.column_count();
        let bindings = bindings.iter().map(|binding| match binding {
            Binding::Null => Stored::Null,
            Binding::Integer(integer) => Stored::Integer(*integer),
            Binding::Text(text) => Stored::Text((*text).to_owned()),
        });
        let mut rows = statement.query(params_from_iter(bindings))?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let mut values = Vec::with_capacity(columns);
            for column in 0..columns {
                values.push(match row.get(column)? {
                    Stored::Null => Value::Null,
                    Stored::Integer(integer) => Value::Integer(integer),
                    Stored::Text(text) => Value::Text(text),
                    other => panic!("the schema has no {other:?}"),
                });
            }
            all.push(Row(values));
        }
        Ok(all)
    }
}

fn texts(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| row.get(0).unwrap()).collect()
}

impl Sql for Store {
    fn query(&mut self, statement: &str, bindings: &[Binding<'_>]) -> Result<Vec<Row>, SqlError> {
        let mut rewritten = None;
        for (index, rewrite) in self.rewrites.iter().enumerate() {
            let statement = rewritten.as_deref().unwrap_or(statement);
            if (rewrite.during == "*" || rewrite.during == self.during)
                && statement.contains(rewrite.find)
            {
                rewritten = Some(statement.replace(rewrite.find, rewrite.replace));
                self.rewritten[index] = true;
            }
        }
        self.run(rewritten.as_deref().unwrap_or(statement), bindings)
            .map_err(|error| SqlError::Store(error.to_string()))
    }

    fn script(&mut self, script: &str) -> Result<(), SqlError> {
        self.connection
            .execute_batch(script)
            .map_err(|error| SqlError::Store(error.to_string()))
    }
}
