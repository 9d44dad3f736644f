//! The index: what lists and searches read, kept up by messages from the actors.
//!
//! No transaction spans the index and an actor. Whatever is in the index is a copy: it may be late,
//! and it can be made anew.

mod bookings;

use async_trait::async_trait;

use crate::sql::{Row, Value};

pub use bookings::project;

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
