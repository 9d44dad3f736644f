//! Who schedules for whom: the `com.huddle.service` records.

use huddle_syntax::Did;

use super::{Index, IndexError, Revision, Statement, optional, text};

/// What an account has published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The record's CID.
    pub cid: String,
    /// The AppView that it names.
    pub appview: Did,
}

/// The AppView that serves an account, if it has named one and may be shown.
pub async fn of(index: &dyn Index, did: &Did) -> Result<Option<Did>, IndexError> {
    let sql = "SELECT s.appview FROM services s JOIN repos r ON r.did = s.did \
               WHERE s.did = ?1 AND s.appview IS NOT NULL AND r.hosting = 'active'";
    let bindings = vec![text(did.as_str())];
    let rows = index.query(Statement { sql, bindings }).await?;
    let appview = rows.first().map(|row| row.get::<String>(0)).transpose()?;
    Ok(appview.map(|appview| appview.parse()).transpose()?)
}

/// Takes over what an account has published at a revision, or that it is gone.
pub fn put(at: Revision<'_>, service: Option<&Service>) -> Statement {
    Statement {
        sql: "INSERT INTO services (did, rev, cid, appview) \
              SELECT ?1, ?2, ?3, ?4 \
              WHERE NOT EXISTS (SELECT 1 FROM repos WHERE did = ?1 \
              AND (base > ?2 OR (base = ?2 AND hosting = 'deleted'))) \
              ON CONFLICT (did) DO UPDATE SET rev = excluded.rev, cid = excluded.cid, \
              appview = excluded.appview WHERE rev <= excluded.rev",
        bindings: vec![
            text(at.did),
            text(at.rev),
            optional(service.map(|service| service.cid.as_str())),
            optional(service.map(|service| service.appview.as_str())),
        ],
    }
}

/// Forgets what is older than a revision at which the repository was fetched whole.
pub fn prune(at: Revision<'_>) -> Statement {
    Statement {
        sql: "DELETE FROM services WHERE did = ?1 AND rev < ?2 \
              AND NOT EXISTS (SELECT 1 FROM repos WHERE did = ?1 AND base > ?2)",
        bindings: vec![text(at.did), text(at.rev)],
    }
}
