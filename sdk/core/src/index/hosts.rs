//! The search for hosts, over handles, names and the notes of offers.
//!
//! Words are found by FTS5, which SQLite and D1 both have: a pattern of `LIKE` would read every host for each
//! search. What comes first is told by whole numbers, not by its ranks, so that the next page begins where the one
//! before has ended.

use huddle_ports::Timestamp;
use huddle_syntax::Did;

use super::page::{List, Place};
use super::people::Names;
use super::{Index, ListError, Page, Paging, Statement, moment, text};
use crate::sql::{Row, Value};

/// The most words of a search that count.
const MOST_WORDS: usize = 8;

/// So many of the hosts who have the words are looked at, those who came up last, and whoever has just this handle: what is
/// searched for may be in everybody's.
const MOST_MATCHES: u32 = 2_000;

/// Somebody with something on offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Who.
    pub did: Did,
    /// What they are called.
    pub names: Names,
    /// Who may book, over all that they offer now, in no order.
    pub policies: Vec<String>,
    /// How, likewise.
    pub modes: Vec<String>,
}

/// The hosts for whom a service schedules and who have something on offer at a moment: those whose handle or name begins
/// with what is searched for first, then those whose offers have changed last. Without a search, all of them.
///
/// What is searched for are beginnings of words, but for single letters and digits of ASCII: those are words by
/// themselves, because as beginnings they would be of nearly everybody's.
pub async fn search(
    index: &dyn Index,
    query: Option<&str>,
    service: &Did,
    now: Timestamp,
    paging: Paging<'_>,
) -> Result<Page<Host>, ListError> {
    let place = paging.after(List::Hosts)?;
    let statement = match query {
        None => everybody(service, now, &place, paging),
        Some(query) => match pattern(query) {
            Some(pattern) => matching(query, pattern, service, now, &place, paging),
            // There is no word in it that anybody could have.
            None => return Ok(paging.page::<_, 2>(List::Hosts, vec![])),
        },
    };
    let rows = index.query(statement).await?;
    let hosts: Result<Vec<_>, ListError> = rows.iter().map(host).collect();
    Ok(paging.page(List::Hosts, hosts?))
}

fn everybody(service: &Did, now: Timestamp, place: &Place<2>, paging: Paging<'_>) -> Statement {
    Statement {
        sql: "SELECT p.did, p.handle, p.display_name, \
              (SELECT json_group_array(DISTINCT policy) FROM offers \
              WHERE host_did = p.did AND ends > ?1), \
              (SELECT json_group_array(DISTINCT mode) FROM offers \
              WHERE host_did = p.did AND ends > ?1), \
              0, p.offered, p.id \
              FROM people p \
              WHERE p.offered IS NOT NULL AND p.listed \
              AND EXISTS (SELECT 1 FROM services WHERE did = p.did AND appview = ?5) \
              AND (p.offered < ?2 OR (p.offered = ?2 AND p.id < CAST(?3 AS INTEGER))) \
              AND EXISTS (SELECT 1 FROM offers WHERE host_did = p.did AND ends > ?1) \
              ORDER BY p.offered DESC, p.id DESC LIMIT ?4",
        bindings: vec![
            moment(now),
            Value::Integer(place.numbers[1]),
            text(&place.name),
            Value::Integer(paging.fetched()),
            text(service.as_str()),
        ],
    }
}

fn matching(
    query: &str,
    pattern: String,
    service: &Did,
    now: Timestamp,
    place: &Place<2>,
    paging: Paging<'_>,
) -> Statement {
    Statement {
        sql: "SELECT did, handle, display_name, \
              (SELECT json_group_array(DISTINCT policy) FROM offers \
              WHERE host_did = did AND ends > ?1), \
              (SELECT json_group_array(DISTINCT mode) FROM offers \
              WHERE host_did = did AND ends > ?1), \
              leads, offered, id \
              FROM (SELECT p.did, p.handle, p.display_name, p.offered, p.id, \
              coalesce(substr(p.handle, 1, length(?2)) = ?2, 0) \
              OR coalesce(lower(substr(p.display_name, 1, length(?2))) = ?2, 0) AS leads \
              FROM (SELECT id FROM (SELECT rowid AS id FROM host_words WHERE host_words MATCH ?3 \
              AND EXISTS (SELECT 1 FROM people q JOIN services s ON s.did = q.did \
              WHERE q.id = host_words.rowid AND s.appview = ?9) \
              ORDER BY rowid DESC LIMIT ?8) UNION SELECT id FROM people WHERE handle = ?2) found JOIN people p ON p.id = found.id \
              WHERE p.offered IS NOT NULL AND p.listed \
              AND EXISTS (SELECT 1 FROM services WHERE did = p.did AND appview = ?9)) \
              WHERE (leads < ?4 OR (leads = ?4 AND (offered < ?5 \
              OR (offered = ?5 AND id < CAST(?6 AS INTEGER))))) \
              AND EXISTS (SELECT 1 FROM offers WHERE host_did = did AND ends > ?1) \
              ORDER BY leads DESC, offered DESC, id DESC LIMIT ?7",
        bindings: vec![
            moment(now),
            text(query.trim().to_lowercase()),
            text(pattern),
            Value::Integer(place.numbers[0]),
            Value::Integer(place.numbers[1]),
            text(&place.name),
            Value::Integer(paging.fetched()),
            Value::Integer(MOST_MATCHES.into()),
            text(service.as_str()),
        ],
    }
}

/// The words of a search as FTS5 wants them: words and beginnings of words, all of which have to occur.
fn pattern(query: &str) -> Option<String> {
    let words = query
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    // Letters and digits need no escaping between quotes.
    let words: Vec<String> = words
        .take(MOST_WORDS)
        .map(|word| match word.len() {
            1 => format!("\"{word}\""),
            _ => format!("\"{word}\"*"),
        })
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn host(row: &Row) -> Result<(Host, Place<2>), ListError> {
    let words = |column| -> Result<Vec<String>, ListError> {
        Ok(serde_json::from_str(&row.get::<String>(column)?)?)
    };
    let host = Host {
        did: row.get::<String>(0)?.parse()?,
        names: Names {
            handle: row.get::<Option<String>>(1)?.and_then(|it| it.parse().ok()),
            display_name: row.get(2)?,
        },
        policies: words(3)?,
        modes: words(4)?,
    };
    let place = Place {
        numbers: [row.get(5)?, row.get(6)?],
        name: row.get::<i64>(7)?.to_string(),
    };
    Ok((host, place))
}

/// Brings what somebody is found by up to what they offer and are called. To be run after that was put.
pub fn refresh(did: &str) -> [Statement; 3] {
    [
        "UPDATE people SET offered = (SELECT max(o.indexed) FROM offers o \
         JOIN repos r ON r.did = o.host_did \
         WHERE o.host_did = ?1 AND o.cid IS NOT NULL AND r.hosting = 'active') \
         WHERE did = ?1",
        "DELETE FROM host_words WHERE rowid = (SELECT id FROM people WHERE did = ?1)",
        "INSERT INTO host_words (rowid, words) SELECT id, \
         coalesce(handle, '') || ' ' || coalesce(display_name, '') || ' ' || \
         coalesce((SELECT group_concat(note, ' ') FROM \
         (SELECT note FROM offers WHERE host_did = ?1 ORDER BY uri)), '') \
         FROM people WHERE did = ?1 AND offered IS NOT NULL",
    ]
    .map(|sql| Statement {
        sql,
        bindings: vec![text(did)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expect: Option<&str>) {
        assert_eq!(pattern(query).as_deref(), expect);
    }

    #[test]
    fn a_search_is_words_and_nothing_of_it_is_syntax() {
        check("ada", Some("\"ada\"*"));
        check("ada.example.com", Some("\"ada\"* \"example\"* \"com\"*"));
        check("a ad \u{e9} 1", Some("\"a\" \"ad\"* \"\u{e9}\"* \"1\""));
        check("  Zoë OR \"NEAR(", Some("\"Zoë\"* \"OR\"* \"NEAR\"*"));
        check("*\"^:-", None);
        check("a b c d e f g h i", pattern("a b c d e f g h").as_deref());
    }
}
