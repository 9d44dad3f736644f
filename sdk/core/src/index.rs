//! The index: what lists and searches read, kept up by messages from the actors and by the firehose.
//!
//! No transaction spans the index and an actor. Whatever is in the index is a copy: it may be late,
//! and it can be made anew. What changes it is a [`Statement`], so that whoever takes something over
//! puts all of it into one [`Index::batch`].
//!
//! What comes of a repository is ordered by the revision that it comes with: the newest wins, and what
//! comes late or twice changes nothing. What comes twice is still put, because it is the same: so a
//! repository that is fetched again mends what was lost here.

pub mod audit;
pub mod bookings;
pub mod cursors;
pub mod departures;
pub mod hosts;
pub mod offers;
mod page;
pub mod people;
pub mod repos;
pub mod requests;
pub mod services;
pub mod unsigned;

use async_trait::async_trait;
use huddle_ports::Timestamp;
use huddle_syntax::SyntaxError;
use serde::Serialize;

use crate::sql::{Row, SqlError, Value};

pub use bookings::project;
pub use page::{InvalidCursor, ListError, Page, Paging};

/// SQL that is somewhere else: a file of SQLite, or D1.
///
/// Statements have at most 100 bindings, numbered, and no `BEGIN`, `SAVEPOINT` or `PRAGMA`: D1 takes
/// none of these.
#[async_trait]
pub trait Index: Send + Sync {
    /// Runs one statement, and gives the rows it yields.
    async fn query(&self, statement: Statement) -> Result<Vec<Row>, IndexError>;

    /// Runs all of these, or none.
    async fn batch(&self, statements: Vec<Statement>) -> Result<(), IndexError>;
}

/// A statement and what is bound to its `?1`, `?2`, ….
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The SQL.
    pub sql: &'static str,
    /// The values, in order.
    pub bindings: Vec<Value>,
}

/// The index failed or cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the index failed: {0}")]
pub struct IndexError(pub String);

impl From<SqlError> for IndexError {
    fn from(error: SqlError) -> Self {
        Self(error.to_string())
    }
}

impl From<SyntaxError> for IndexError {
    fn from(error: SyntaxError) -> Self {
        Self(error.to_string())
    }
}

impl From<serde_json::Error> for IndexError {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// An account and the revision of its repository with which something came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision<'a> {
    /// The account.
    pub did: &'a str,
    /// The revision, a TID; empty where nobody has vouched for one, which everything that has one is newer than.
    pub rev: &'a str,
}

/// The most bytes that are bound as one value: D1 takes 2 MB, and has to have room for the rest.
const MAX_BOUND: usize = 1 << 20;

/// JSON arrays of values, each of which can be bound.
fn arrays<T: Serialize>(values: &[T]) -> Result<Vec<String>, IndexError> {
    let mut arrays: Vec<String> = Vec::new();
    for value in values {
        let json = serde_json::to_string(value)?;
        match arrays.last_mut() {
            Some(array) if array.len() + json.len() < MAX_BOUND => array.push(','),
            _ => arrays.push("[".to_owned()),
        }
        let array = arrays
            .last_mut()
            .expect("one was pushed where there was none");
        array.push_str(&json);
    }
    for array in &mut arrays {
        array.push(']');
    }
    Ok(arrays)
}

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

fn optional(value: Option<impl Into<String>>) -> Value {
    value.map_or(Value::Null, text)
}

fn moment(moment: Timestamp) -> Value {
    Value::Integer(moment.as_millis())
}
