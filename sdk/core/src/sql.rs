//! The store of the actors, as SQL: the one port that a decision touches, and a synchronous one,
//! because both `rusqlite` and the storage of a Durable Object are.

use huddle_ports::Timestamp;

/// Runs SQL inside the transaction that the runtime has opened for one command.
///
/// Statements are those that SQLite and a Durable Object both take; transactions are the runtime's
/// affair and never in a statement.
pub trait Sql {
    /// Runs one statement with its numbered bindings (`?1`, `?2`, …), and gives the rows it yields.
    fn query(&mut self, statement: &str, bindings: &[Binding<'_>]) -> Result<Vec<Row>, SqlError>;

    /// Runs the statements of a script, which has no bindings and yields no rows.
    fn script(&mut self, script: &str) -> Result<(), SqlError>;
}

/// A value on its way into a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding<'a> {
    /// `NULL`.
    Null,
    /// A whole number. JavaScript keeps them exact up to 2⁵³.
    Integer(i64),
    /// A text.
    Text(&'a str),
}

impl From<i64> for Binding<'_> {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<u32> for Binding<'_> {
    fn from(integer: u32) -> Self {
        Self::Integer(integer.into())
    }
}

impl From<bool> for Binding<'_> {
    fn from(truth: bool) -> Self {
        Self::Integer(truth.into())
    }
}

impl From<Timestamp> for Binding<'_> {
    fn from(moment: Timestamp) -> Self {
        Self::Integer(moment.as_millis())
    }
}

impl<'a> From<&'a str> for Binding<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Binding<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Self>> From<Option<T>> for Binding<'_> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A value that a statement yielded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `NULL`.
    Null,
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
}

/// One row, its values in the order of the statement's columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(pub Vec<Value>);

impl Row {
    /// The value of a column, counted from 0.
    pub fn get<T: FromValue>(&self, column: usize) -> Result<T, SqlError> {
        let value = self.0.get(column).ok_or(SqlError::Column(column))?;
        T::from_value(value).ok_or(SqlError::Column(column))
    }
}

/// What a value of a row can be read as.
pub trait FromValue: Sized {
    /// The value, unless it is of another type.
    fn from_value(value: &Value) -> Option<Self>;
}

/// Reads a word that stands for one of `all`.
pub(crate) fn word<T: Copy>(value: &Value, all: &[T], as_str: fn(T) -> &'static str) -> Option<T> {
    let Value::Text(text) = value else {
        return None;
    };
    all.iter().copied().find(|one| as_str(*one) == text)
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(integer) => Some(*integer),
            Value::Null | Value::Text(_) => None,
        }
    }
}

impl FromValue for u32 {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }
}

impl FromValue for bool {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).map(|integer| integer != 0)
    }
}

impl FromValue for Timestamp {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).map(Self::from_millis)
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.clone()),
            Value::Null | Value::Integer(_) => None,
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            Value::Integer(_) | Value::Text(_) => T::from_value(value).map(Some),
        }
    }
}

/// The store failed, or holds what this version cannot read. The transaction is rolled back.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The store refused or broke.
    #[error("the store failed: {0}")]
    Store(String),
    /// A column has another type than the code expects of it.
    #[error("column {0} of a row is not what it should be")]
    Column(usize),
    /// A stored document cannot be read or written.
    #[error("a stored document cannot be read: {0}")]
    Document(#[from] serde_json::Error),
    /// A command came to an actor of another kind.
    #[error("a command for another kind of actor")]
    WrongActor,
}
