//! The contract of `Index`.

mod network;

use huddle_core::index::{Index, Statement};
use huddle_core::sql::{Row, Value};

use super::{Broken, broken, expect};

/// Checks an index that has its tables and nothing in them; leaves some rows.
pub async fn index(index: &dyn Index) -> Result<(), Broken> {
    upserts(index).await?;
    batches(index).await?;
    network::check(index).await
}

async fn upserts(index: &dyn Index) -> Result<(), Broken> {
    for (revision, newest) in [(2, 2), (1, 2), (3, 3)] {
        batch(index, vec![booking("contract1", revision)]).await?;
        let rows = run(index, select("contract1")).await?;
        let row = Row(vec![Value::Integer(newest)]);
        expect("the newest revision wins", rows, vec![row])?;
    }
    Ok(())
}

async fn batches(index: &dyn Index) -> Result<(), Broken> {
    let wrong = statement("INSERT INTO bookings (id) VALUES ('contract2')", vec![]);
    let both = vec![booking("contract2", 1), wrong];
    if index.batch(both).await.is_ok() {
        return Err(Broken("a batch with a wrong statement should fail".into()));
    }
    let rows = run(index, select("contract2")).await?;
    expect("of a batch that fails, nothing stays", rows, vec![])
}

fn statement(sql: &'static str, bindings: Vec<Value>) -> Statement {
    Statement { sql, bindings }
}

fn select(id: &str) -> Statement {
    let id = Value::Text(id.to_owned());
    statement("SELECT revision FROM bookings WHERE id = ?1", vec![id])
}

fn booking(id: &str, revision: i64) -> Statement {
    statement(
        "INSERT INTO bookings (id, revision, host_did, guest_did, status, created, updated, document) \
         VALUES (?1, ?2, 'did:web:a.example', 'did:web:b.example', 'held', 0, 0, '{}') \
         ON CONFLICT (id) DO UPDATE SET revision = excluded.revision WHERE revision < excluded.revision",
        vec![Value::Text(id.to_owned()), Value::Integer(revision)],
    )
}

async fn run(index: &dyn Index, statement: Statement) -> Result<Vec<Row>, Broken> {
    let sql = statement.sql;
    index
        .query(statement)
        .await
        .map_err(|error| broken(sql, error))
}

async fn batch(index: &dyn Index, statements: Vec<Statement>) -> Result<(), Broken> {
    index
        .batch(statements)
        .await
        .map_err(|error| broken("a batch", error))
}

/// What a function of the index came to.
fn read<T, E: std::fmt::Display>(what: &str, result: Result<T, E>) -> Result<T, Broken> {
    result.map_err(|error| broken(what, error))
}
