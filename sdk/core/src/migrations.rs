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

/// What a store has in it, and how it comes there. A new step is written into both.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// All of it at once, for a store that is new: on Workers each actor has one, so they are made all the time.
    pub whole: &'static str,
    /// What leads a store of an earlier version there, in order.
    pub steps: &'static [Migration],
}

/// The schema of the actors' store.
pub const ACTOR: Schema = Schema {
    whole: include_str!("../../../migrations/actor.sql"),
    steps: ACTOR_STEPS,
};

/// The schema of the index.
pub const INDEX: Schema = Schema {
    whole: include_str!("../../../migrations/index.sql"),
    steps: INDEX_STEPS,
};

const ACTOR_STEPS: &[Migration] = &[
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

const INDEX_STEPS: &[Migration] = &[
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

/// Brings a store to a schema, and says which of its steps the store lacked.
///
/// A store that a later version has written is refused: this one would not keep what it does not
/// know.
pub fn migrate(sql: &mut dyn Sql, schema: &Schema) -> Result<Vec<&'static str>, SqlError> {
    sql.script(
        "CREATE TABLE IF NOT EXISTS migration (name TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID",
    )?;
    let missing = missing(sql, schema)?;
    if missing.len() == schema.steps.len() {
        sql.script(schema.whole)?;
    } else {
        for step in &missing {
            sql.script(step.script)?;
        }
    }
    let names: Vec<_> = missing.iter().map(|step| step.name).collect();
    for name in &names {
        let note = "INSERT INTO migration (name) VALUES (?1)";
        sql.query(note, &[(*name).into()])?;
    }
    Ok(names)
}

/// The steps that [`migrate`] would find lacking in a store that it has been run on before.
pub fn missing(sql: &mut dyn Sql, schema: &Schema) -> Result<Vec<Migration>, SqlError> {
    let mut seen = Vec::new();
    for row in sql.query("SELECT name FROM migration ORDER BY name", &[])? {
        seen.push(row.get::<String>(0)?);
    }
    let is_known = |name: &&String| schema.steps.iter().any(|known| known.name == name.as_str());
    if let Some(unknown) = seen.iter().find(|name| !is_known(name)) {
        return Err(SqlError::Store(format!(
            "it was written by a later version of Huddle ({unknown}); run that version or restore a backup"
        )));
    }
    let is_missing = |step: &&Migration| seen.iter().all(|name| name != step.name);
    Ok(schema.steps.iter().filter(is_missing).copied().collect())
}
