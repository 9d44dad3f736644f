//! Brings a store to the schema that this version expects.

use crate::sql::{Sql, SqlError};

/// One step of a schema; released steps never change.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its name, which sorts after those of the steps before it.
    pub name: &'static str,
    /// What it runs.
    pub script: &'static str,
}

/// The schema of the actors' store.
pub const ACTOR: &[Migration] = &[
    Migration {
        name: "0001_actors",
        script: include_str!("../../../migrations/actor/0001_actors.sql"),
    },
    Migration {
        name: "0002_connectors",
        script: include_str!("../../../migrations/actor/0002_connectors.sql"),
    },
    Migration {
        name: "0003_strangers",
        script: include_str!("../../../migrations/actor/0003_strangers.sql"),
    },
    Migration {
        name: "0004_effects",
        script: include_str!("../../../migrations/actor/0004_effects.sql"),
    },
    Migration {
        name: "0005_outbox_kinds",
        script: include_str!("../../../migrations/actor/0005_outbox_kinds.sql"),
    },
    Migration {
        name: "0006_webhooks",
        script: include_str!("../../../migrations/actor/0006_webhooks.sql"),
    },
    Migration {
        name: "0007_webhook_state",
        script: include_str!("../../../migrations/actor/0007_webhook_state.sql"),
    },
    Migration {
        name: "0008_documents",
        script: include_str!("../../../migrations/actor/0008_documents.sql"),
    },
];

/// The schema of the index.
pub const INDEX: &[Migration] = &[
    Migration {
        name: "0001_bookings",
        script: include_str!("../../../migrations/index/0001_bookings.sql"),
    },
    Migration {
        name: "0002_network",
        script: include_str!("../../../migrations/index/0002_network.sql"),
    },
    Migration {
        name: "0003_replies",
        script: include_str!("../../../migrations/index/0003_replies.sql"),
    },
    Migration {
        name: "0004_pending_actors",
        script: include_str!("../../../migrations/index/0004_pending_actors.sql"),
    },
    Migration {
        name: "0005_bounds",
        script: include_str!("../../../migrations/index/0005_bounds.sql"),
    },
    Migration {
        name: "0006_searches",
        script: include_str!("../../../migrations/index/0006_searches.sql"),
    },
    Migration {
        name: "0007_dead_letters",
        script: include_str!("../../../migrations/index/0007_dead_letters.sql"),
    },
    Migration {
        name: "0008_listing",
        script: include_str!("../../../migrations/index/0008_listing.sql"),
    },
    Migration {
        name: "0009_documents",
        script: include_str!("../../../migrations/index/0009_documents.sql"),
    },
    Migration {
        name: "0010_parties",
        script: include_str!("../../../migrations/index/0010_parties.sql"),
    },
];

/// Runs what `migrations` holds and the store has not seen, in order, and says which those were.
///
/// A store that a later version has written is refused: this one would not keep what it does not
/// know.
pub fn migrate(sql: &mut dyn Sql, migrations: &[Migration]) -> Result<Vec<&'static str>, SqlError> {
    sql.script(
        "CREATE TABLE IF NOT EXISTS migration (name TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID",
    )?;
    let missing = missing(sql, migrations)?;
    for migration in &missing {
        sql.script(migration.script)?;
        sql.query(
            "INSERT INTO migration (name) VALUES (?1)",
            &[migration.name.into()],
        )?;
    }
    Ok(missing.iter().map(|migration| migration.name).collect())
}

/// What [`migrate`] would run on a store that it has been run on before.
pub fn missing(sql: &mut dyn Sql, migrations: &[Migration]) -> Result<Vec<Migration>, SqlError> {
    let mut seen = Vec::new();
    for row in sql.query("SELECT name FROM migration ORDER BY name", &[])? {
        seen.push(row.get::<String>(0)?);
    }
    let is_known = |name: &&String| migrations.iter().any(|known| known.name == name.as_str());
    if let Some(unknown) = seen.iter().find(|name| !is_known(name)) {
        return Err(SqlError::Store(format!(
            "it was written by a later version of Huddle ({unknown}); run that version or restore a backup"
        )));
    }
    let is_missing = |migration: &&Migration| seen.iter().all(|name| name != migration.name);
    Ok(migrations.iter().filter(is_missing).copied().collect())
}
