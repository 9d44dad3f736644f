//! The index in D1.

use async_trait::async_trait;
use huddle_core::index::{Index, IndexError, Statement};
use huddle_core::sql::{Row, Value};
use worker::send::SendFuture;
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, Env, SqlStorageValue};

/// The binding of the database.
const DATABASE: &str = "DB";

/// The database that this Worker is bound to.
#[derive(Clone, Debug)]
pub struct D1Index(Env);

impl D1Index {
    /// The database of this Worker.
    pub fn new(env: Env) -> Self {
        Self(env)
    }

    async fn rows(&self, statement: Statement) -> worker::Result<Vec<Vec<serde_json::Value>>> {
        prepare(&self.0.d1(DATABASE)?, &statement)?.raw().await
    }

    async fn run(&self, statements: Vec<Statement>) -> worker::Result<()> {
        let database = self.0.d1(DATABASE)?;
        let statements = statements.iter().map(|it| prepare(&database, it));
        database
            .batch(statements.collect::<Result<_, _>>()?)
            .await?;
        Ok(())
    }
}

#[async_trait]
impl Index for D1Index {
    async fn query(&self, statement: Statement) -> Result<Vec<Row>, IndexError> {
        let rows = SendFuture::new(self.rows(statement))
            .await
            .map_err(|e| failed(&e))?;
        rows.into_iter().map(read).collect()
    }

    async fn batch(&self, statements: Vec<Statement>) -> Result<(), IndexError> {
        SendFuture::new(self.run(statements))
            .await
            .map_err(|e| failed(&e))
    }
}

fn prepare(database: &D1Database, statement: &Statement) -> worker::Result<D1PreparedStatement> {
    let bindings = statement.bindings.iter().map(|value| {
        Ok(match value {
            Value::Null => JsValue::NULL,
            Value::Integer(integer) => SqlStorageValue::try_from_i64(*integer)?.into(),
            Value::Text(text) => text.into(),
        })
    });
    let bindings: Vec<_> = bindings.collect::<worker::Result<_>>()?;
    database.prepare(statement.sql).bind(&bindings)
}

fn read(values: Vec<serde_json::Value>) -> Result<Row, IndexError> {
    use serde_json::Value as Json;
    let value = |value: Json| match (value.as_i64(), value) {
        (Some(integer), _) => Ok(Value::Integer(integer)),
        (_, Json::Null) => Ok(Value::Null),
        (_, Json::String(text)) => Ok(Value::Text(text)),
        (_, other) => Err(IndexError(format!("{other} is no value of the index"))),
    };
    let values: Result<_, _> = values.into_iter().map(value).collect();
    values.map(Row)
}

fn failed(error: &worker::Error) -> IndexError {
    IndexError(error.to_string())
}
