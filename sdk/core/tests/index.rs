//! All that the index is asked, on SQLite, and by the rules that D1 has beside.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use std::sync::Mutex;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use huddle_core::index::{Index, IndexError, Paging, Statement, hosts, people};
use huddle_core::migrations::INDEX;
use huddle_core::sql::{Row, Value};
use huddle_ports::Timestamp;
use huddle_testkit::contract;
use rusqlite::types::{ToSqlOutput, Value as Stored};
use rusqlite::{Connection, params_from_iter};

/// The most bindings of a statement.
const MOST_BINDINGS: usize = 100;
/// The most bytes of a statement.
const MOST_BYTES: usize = 100_000;

/// What is wrong with a statement.
fn fault(statement: &Statement) -> Option<String> {
    let Statement { sql, bindings } = statement;
    let words = sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let forbidden = [
        "ATTACH",
        "BEGIN",
        "COMMIT",
        "PRAGMA",
        "RELEASE",
        "ROLLBACK",
        "SAVEPOINT",
        "VACUUM",
    ];
    let mut words = words.filter(|word| forbidden.contains(&word.to_uppercase().as_str()));
    if let Some(word) = words.next() {
        return Some(format!("{word} is the runtime's affair"));
    }
    if bindings.len() > MOST_BINDINGS || sql.len() > MOST_BYTES {
        return Some("it is too long".to_owned());
    }
    let numbers: Vec<_> = sql.split('?').skip(1).map(number).collect();
    let all_used = (1..=bindings.len()).all(|number| numbers.contains(&Some(number)));
    let in_range = |number: &Option<usize>| number.is_some_and(|it| it <= bindings.len());
    (!all_used || !numbers.iter().all(in_range))
        .then(|| "its bindings are not numbered one by one".to_owned())
}

fn number(rest: &str) -> Option<usize> {
    let end = rest.find(|c: char| !c.is_ascii_digit());
    rest[..end.unwrap_or(rest.len())].parse().ok()
}

/// An index in memory that takes what D1 takes.
struct Strict(Mutex<Connection>);

impl Strict {
    fn new() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(INDEX.whole).unwrap();
        Self(Mutex::new(connection))
    }
}

fn run(connection: &Connection, statement: &Statement) -> Result<Vec<Row>, IndexError> {
    let wrong = |error: rusqlite::Error| IndexError(error.to_string());
    assert_eq!(fault(statement), None, "{}", statement.sql);
    let mut prepared = connection.prepare(statement.sql).map_err(wrong)?;
    let columns = prepared.column_count();
    let bindings = statement.bindings.iter().map(|value| match value {
        Value::Null => ToSqlOutput::Owned(Stored::Null),
        Value::Integer(integer) => ToSqlOutput::Owned(Stored::Integer(*integer)),
        Value::Text(text) => ToSqlOutput::Owned(Stored::Text(text.clone())),
    });
    let rows = prepared.query_map(params_from_iter(bindings), |row| {
        let value = |column| {
            row.get(column).map(|stored| match stored {
                Stored::Null => Value::Null,
                Stored::Integer(integer) => Value::Integer(integer),
                Stored::Text(text) => Value::Text(text),
                other => panic!("{other:?} is no value of the index"),
            })
        };
        (0..columns).map(value).collect::<Result<_, _>>().map(Row)
    });
    rows.map_err(wrong)?.map(|row| row.map_err(wrong)).collect()
}

#[async_trait]
impl Index for Strict {
    async fn query(&self, statement: Statement) -> Result<Vec<Row>, IndexError> {
        run(&self.0.lock().unwrap(), &statement)
    }

    async fn batch(&self, statements: Vec<Statement>) -> Result<(), IndexError> {
        let mut connection = self.0.lock().unwrap();
        let transaction = connection.transaction().unwrap();
        for statement in &statements {
            run(&transaction, statement)?;
        }
        transaction.commit().unwrap();
        Ok(())
    }
}

#[test]
fn the_statements_of_the_index_do_what_they_should_within_the_rules_of_d1() {
    let index = Strict::new();
    let checked = contract::index(&index).now_or_never();
    checked.expect("nothing waits").unwrap();
}

fn run_all(index: &Strict, statements: &[&'static str]) {
    let statement = |sql: &&'static str| Statement {
        sql,
        bindings: vec![],
    };
    let all = statements.iter().map(statement).collect();
    index.batch(all).now_or_never().unwrap().unwrap();
}

fn found(index: &Strict, query: &str, limit: u32) -> Vec<String> {
    let service = "did:web:huddle.example.com".parse().unwrap();
    let (mut dids, mut cursor) = (Vec::new(), None);
    loop {
        let paging = Paging {
            cursor: cursor.as_deref(),
            limit,
        };
        let page = hosts::search(index, Some(query), &service, Timestamp::UNIX_EPOCH, paging);
        let page = page.now_or_never().unwrap().unwrap();
        dids.extend(page.items.into_iter().map(|host| host.did.to_string()));
        cursor = page.cursor;
        if cursor.is_none() {
            return dids;
        }
    }
}

#[test]
fn of_very_many_hosts_who_are_searched_for_the_newest_are_looked_at() {
    let index = Strict::new();
    run_all(
        &index,
        &[
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4002) \
             INSERT INTO people (id, did, first_seen, offered) \
             SELECT i, 'did:web:host' || i || '.example.com', 0, i FROM n",
            "INSERT INTO host_words (rowid, words) SELECT id, did || ' office hours' FROM people",
            "INSERT INTO offers (uri, host_did, rev, cid, ends, policy, mode, indexed) \
             SELECT 'at://' || did || '/a', did, 'a', 'cid', 1, 'anyone', 'auto', 0 FROM people",
            "INSERT INTO services (did, rev, appview) SELECT did, 'a', CASE WHEN id <= 2001 \
             THEN 'did:web:huddle.example.com' ELSE 'did:web:other.example.com' END FROM people",
        ],
    );
    let all = found(&index, "office", 900);
    assert_eq!(all.len(), 2000);
    assert_eq!(all.first().unwrap(), "did:web:host2001.example.com");
    assert_eq!(all.last().unwrap(), "did:web:host2.example.com");
    let oldest = found(&index, "office host1", 900);
    assert!(oldest.contains(&"did:web:host1.example.com".to_owned()));
}

#[test]
fn accounts_that_were_thought_to_have_one_handle_are_looked_up_again() {
    let connection = Connection::open_in_memory().unwrap();
    let steps = INDEX.steps;
    let (before, since) = steps.split_at(steps.partition_point(|it| it.name < "0006"));
    for migration in before {
        connection.execute_batch(migration.script).unwrap();
    }
    connection
        .execute_batch(
            "INSERT INTO people (id, did, handle, named, first_seen, offered) VALUES \
             (1, 'did:web:a.example.com', 'ada.example.com', 5, 0, 1), \
             (2, 'did:web:b.example.com', 'ada.example.com', 6, 0, 2), \
             (3, 'did:web:c.example.com', 'cy.example.com', 7, 0, 3); \
             INSERT INTO offers (uri, host_did, rev, cid, ends, policy, mode, note, indexed) \
             SELECT 'at://' || did || '/a', did, 'a', 'cid', 1, 'anyone', 'auto', 'Tea', 0 FROM people; \
             INSERT INTO services (did, rev, appview) \
             SELECT did, 'a', 'did:web:huddle.example.com' FROM people;",
        )
        .unwrap();
    for migration in since {
        connection.execute_batch(migration.script).unwrap();
    }
    let index = Strict(Mutex::new(connection));
    let unnamed = people::unnamed(&index, Timestamp::from_millis(1), 10);
    let unnamed: Vec<_> = unnamed.now_or_never().unwrap().unwrap();
    let unnamed: Vec<_> = unnamed.iter().map(huddle_syntax::Did::as_str).collect();
    assert_eq!(unnamed, ["did:web:a.example.com", "did:web:b.example.com"]);
    assert_eq!(found(&index, "ada", 10), [""; 0]);
    assert_eq!(found(&index, "cy te", 10), ["did:web:c.example.com"]);
    assert_eq!(found(&index, "te", 10).len(), 3);
}

#[track_caller]
fn check(sql: &'static str, bindings: usize, expect: bool) {
    let bindings = vec![Value::Null; bindings];
    let found = fault(&Statement { sql, bindings });
    assert_eq!(found.is_none(), expect, "{found:?}");
}

#[test]
fn a_statement_that_d1_would_refuse_is_found() {
    check("SELECT ?1, ?2, ?1", 2, true);
    check("SELECT began FROM t", 0, true);
    check("SELECT ?1, ?2", 1, false);
    check("SELECT ?1", 2, false);
    check("SELECT ?", 1, false);
    check("PRAGMA user_version", 0, false);
    check("begin; SELECT 1", 0, false);
    check("SELECT 1", 101, false);
}
