//! The storage of a Durable Object as the core's `Sql`, and its transactions.

use huddle_core::Sql;
use huddle_core::sql::{Binding, Row, SqlError, Value};
use worker::wasm_bindgen::prelude::*;
use worker::{SqlStorage, SqlStorageValue, Storage, wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    /// `DurableObjectStorage`, of which `worker` leaves this one method out.
    type TransactionalStorage;

    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &TransactionalStorage,
        work: &mut dyn FnMut() -> Result<JsValue, JsValue>,
    ) -> Result<JsValue, JsValue>;
}

/// Runs `work` in one transaction, which is rolled back if it fails.
pub fn transaction<T, E: From<SqlError>>(
    storage: &Storage,
    work: impl FnOnce(&mut ObjectSql) -> Result<T, E>,
) -> Result<T, E> {
    let mut sql = ObjectSql(storage.sql());
    let mut work = Some(work);
    let mut outcome = None;
    let platform: &TransactionalStorage = storage.as_raw().unchecked_ref();
    let committed = platform.transaction_sync(&mut || {
        let Some(work) = work.take() else {
            return Err("a transaction ran twice".into());
        };
        // The platform rolls back when its callback throws; what was wrong is told by `outcome`.
        let rollback = JsValue::from("rolled back");
        let failed = outcome.insert(work(&mut sql)).is_err();
        if failed {
            Err(rollback)
        } else {
            Ok(JsValue::UNDEFINED)
        }
    });
    match (committed, outcome) {
        (Ok(_), Some(outcome)) | (Err(_), Some(outcome @ Err(_))) => outcome,
        (Err(thrown), _) => Err(broken(&thrown.into()).into()),
        (Ok(_), None) => Err(SqlError::Store("a transaction did not run".into()).into()),
    }
}

/// SQL inside the transaction that is open.
#[derive(Debug)]
pub struct ObjectSql(SqlStorage);

impl Sql for ObjectSql {
    fn query(&mut self, statement: &str, bindings: &[Binding<'_>]) -> Result<Vec<Row>, SqlError> {
        let bindings: Vec<_> = bindings.iter().map(bind).collect::<Result<_, _>>()?;
        let cursor = self.0.exec(statement, bindings).map_err(|e| broken(&e))?;
        cursor
            .raw()
            .map(|row| read(row.map_err(|e| broken(&e))?))
            .collect()
    }

    fn script(&mut self, script: &str) -> Result<(), SqlError> {
        self.0.exec(script, None).map_err(|e| broken(&e))?;
        Ok(())
    }
}

fn bind(binding: &Binding<'_>) -> Result<SqlStorageValue, SqlError> {
    match *binding {
        Binding::Null => Ok(SqlStorageValue::Null),
        Binding::Integer(integer) => {
            SqlStorageValue::try_from_i64(integer).map_err(|error| broken(&error))
        }
        Binding::Text(text) => Ok(text.into()),
    }
}

fn read(values: Vec<SqlStorageValue>) -> Result<Row, SqlError> {
    let value = |(column, value)| match value {
        SqlStorageValue::Null => Ok(Value::Null),
        SqlStorageValue::Integer(integer) => Ok(Value::Integer(integer)),
        SqlStorageValue::String(text) => Ok(Value::Text(text)),
        SqlStorageValue::Boolean(_) | SqlStorageValue::Float(_) | SqlStorageValue::Blob(_) => {
            Err(SqlError::Column(column))
        }
    };
    let values: Result<_, _> = values.into_iter().enumerate().map(value).collect();
    values.map(Row)
}

fn broken(error: &worker::Error) -> SqlError {
    SqlError::Store(error.to_string())
}
