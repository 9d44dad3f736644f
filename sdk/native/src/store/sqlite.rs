//! [`Sql`] by SQLite.

use huddle_core::SqlError;
use huddle_core::sql::{Binding, Row, Sql, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql, params_from_iter};

/// Runs statements on a connection, and keeps them prepared.
pub(super) struct SqliteSql<'c>(pub(super) &'c Connection);

impl Sql for SqliteSql<'_> {
    fn query(&mut self, statement: &str, bindings: &[Binding<'_>]) -> Result<Vec<Row>, SqlError> {
        let mut statement = self.0.prepare_cached(statement).map_err(store_error)?;
        let columns = statement.column_count();
        let bindings = params_from_iter(bindings.iter().copied().map(Bound));
        let mut rows = statement.query(bindings).map_err(store_error)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(store_error)? {
            let values = (0..columns).map(|column| value(row, column));
            found.push(Row(values.collect::<Result<_, _>>()?));
        }
        Ok(found)
    }

    fn script(&mut self, script: &str) -> Result<(), SqlError> {
        self.0.execute_batch(script).map_err(store_error)
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "an error is passed on as it comes"
)]
pub(super) fn store_error(error: rusqlite::Error) -> SqlError {
    SqlError::Store(told(&error))
}

/// What SQLite says, and what to do where damage is found only while the store is at work.
pub(super) fn told(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            format!("{error}: the file is damaged, so stop the service and restore a backup")
        }
        _ => error.to_string(),
    }
}

/// A binding, as it is lent to SQLite.
struct Bound<'a>(Binding<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Binding::Null => ValueRef::Null,
            Binding::Integer(integer) => ValueRef::Integer(integer),
            Binding::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

fn value(row: &rusqlite::Row<'_>, column: usize) -> Result<Value, SqlError> {
    match row.get_ref(column).map_err(store_error)? {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(integer) => Ok(Value::Integer(integer)),
        ValueRef::Text(text) => match str::from_utf8(text) {
            Ok(text) => Ok(Value::Text(text.to_owned())),
            Err(_) => Err(SqlError::Column(column)),
        },
        ValueRef::Real(_) | ValueRef::Blob(_) => Err(SqlError::Column(column)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(statement: &str, bindings: &[Binding<'_>], expect: &Result<Vec<Value>, &str>) {
        let connection = Connection::open_in_memory().unwrap();
        let found = SqliteSql(&connection)
            .query(statement, bindings)
            .map(|rows| rows.into_iter().flat_map(|row| row.0).collect())
            .map_err(|error| error.to_string());
        assert_eq!(
            found.as_ref().map_err(String::as_str),
            expect.as_ref().map_err(|e| *e)
        );
    }

    #[test]
    fn whole_numbers_texts_and_null_come_back_as_they_went_in() {
        let text = "né\0\u{1f4c5}";
        check(
            "SELECT ?1, ?2, ?3, ?4, ?2",
            &[Binding::Null, i64::MIN.into(), text.into(), i64::MAX.into()],
            &Ok(vec![
                Value::Null,
                Value::Integer(i64::MIN),
                Value::Text(text.into()),
                Value::Integer(i64::MAX),
                Value::Integer(i64::MIN),
            ]),
        );
    }

    #[test]
    fn a_value_of_no_other_type_is_taken() {
        for value in ["1.5", "x'00'", "CAST(x'ff' AS TEXT)"] {
            check(
                &format!("SELECT 1, {value}"),
                &[],
                &Err("column 1 of a row is not what it should be"),
            );
        }
    }

    #[test]
    fn bindings_and_statements_are_counted() {
        let one = Binding::Integer(1);
        check(
            "SELECT ?1, ?2",
            &[one],
            &Err("the store failed: Wrong number of parameters passed to query. Got 1, needed 2"),
        );
        check(
            "SELECT ?1",
            &[one, one],
            &Err("the store failed: Wrong number of parameters passed to query. Got 2, needed 1"),
        );
        check(
            "SELECT 1; SELECT 2",
            &[],
            &Err("the store failed: Multiple statements provided"),
        );
    }

    #[test]
    fn rows_that_a_change_returns_are_given_and_the_change_is_whole() {
        let connection = Connection::open_in_memory().unwrap();
        let mut sql = SqliteSql(&connection);
        sql.script("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1), (2)")
            .unwrap();
        let rows = sql.query("UPDATE t SET a = a + ?1 RETURNING a", &[10_i64.into()]);
        assert_eq!(rows.unwrap().len(), 2);
        let rows = sql.query("SELECT a FROM t ORDER BY a", &[]).unwrap();
        assert_eq!(rows[0].get::<i64>(0).unwrap(), 11);
        assert_eq!(rows[1].get::<i64>(0).unwrap(), 12);
    }
}
