//! The contract of `Sql`.

use huddle_core::Sql;
use huddle_core::sql::{Binding, Row, Value};

use super::{Broken, broken, expect};

/// The greatest number that JavaScript keeps exact.
const EXACT: i64 = (1 << 53) - 1;

/// Checks a store that has no table `contract`, and leaves none.
///
/// Transactions are not the port's: whoever hands out a `Sql` has begun one, and ends it. That a command which fails
/// leaves nothing is shown where that is done: natively by `huddle-native`'s tests of its store, which roll back what
/// fails and what panics within a batch of others; on Workers by the tests of its actors, in which a command fails, or
/// panics, with its rows already written.
pub fn sql(sql: &mut dyn Sql) -> Result<(), Broken> {
    script(
        sql,
        "CREATE TABLE contract (id INTEGER PRIMARY KEY, number INTEGER, text TEXT)",
    )?;
    let result = values(sql).and_then(|()| statements(sql));
    script(sql, "DROP TABLE contract")?;
    result
}

fn values(sql: &mut dyn Sql) -> Result<(), Broken> {
    let texts = [
        "",
        "plain",
        "it's \"quoted\"; -- ?1",
        "ünïcödé 🗓",
        "line\nbreak",
    ];
    for (number, text) in [0, 1, -1, EXACT, -EXACT].into_iter().zip(texts) {
        let rows = run(
            sql,
            "SELECT ?1, ?2, ?3",
            &[number.into(), text.into(), Binding::Null],
        )?;
        let row = Row(vec![
            Value::Integer(number),
            Value::Text(text.to_owned()),
            Value::Null,
        ]);
        expect("what is bound comes back", rows, vec![row])?;
    }
    Ok(())
}

fn statements(sql: &mut dyn Sql) -> Result<(), Broken> {
    let insert = "INSERT INTO contract (id, number, text) VALUES (?1, ?2, ?3) \
         ON CONFLICT (id) DO UPDATE SET number = excluded.number WHERE number < excluded.number \
         RETURNING number";
    let one = |number: i64| vec![Row(vec![Value::Integer(number)])];
    for (number, returned) in [(5_i64, one(5)), (7, one(7)), (6, vec![])] {
        let rows = run(sql, insert, &[1_i64.into(), number.into(), "a".into()])?;
        expect(
            "an upsert returns the row that it writes, and only that",
            rows,
            returned,
        )?;
    }
    // The same binding twice, and out of order.
    let rows = run(
        sql,
        "SELECT text FROM contract WHERE number = ?2 AND text = ?1 AND ?2 > 0",
        &["a".into(), 7_i64.into()],
    )?;
    expect(
        "bindings go by their number",
        rows,
        vec![Row(vec![Value::Text("a".into())])],
    )?;
    script(
        sql,
        "INSERT INTO contract (id, number) VALUES (2, 20); INSERT INTO contract (id, number) VALUES (3, 30);",
    )?;
    let rows = run(
        sql,
        "SELECT id FROM contract ORDER BY number DESC LIMIT ?1",
        &[2_i64.into()],
    )?;
    let ids = vec![Row(vec![Value::Integer(3)]), Row(vec![Value::Integer(2)])];
    expect("a script runs all of its statements", rows, ids)?;
    let rows = run(
        sql,
        "SELECT min(number) FROM contract WHERE id > ?1",
        &[99_i64.into()],
    )?;
    expect(
        "an aggregate of nothing is NULL",
        rows,
        vec![Row(vec![Value::Null])],
    )?;
    for wrong in ["SELECT nothing FROM contract", "NOT SQL"] {
        if sql.query(wrong, &[]).is_ok() {
            return Err(Broken(format!("{wrong:?} should fail")));
        }
    }
    Ok(())
}

fn run(sql: &mut dyn Sql, statement: &str, bindings: &[Binding<'_>]) -> Result<Vec<Row>, Broken> {
    sql.query(statement, bindings)
        .map_err(|error| broken(statement, error))
}

fn script(sql: &mut dyn Sql, script: &str) -> Result<(), Broken> {
    sql.script(script).map_err(|error| broken(script, error))
}
