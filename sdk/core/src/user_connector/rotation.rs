//! Puts everything that a person has stored under the newest key, while others use it.

use huddle_ports::Random;

use super::addresses::{self, ReadAddress, ResealAddress, StoredAddress};
use super::connector::{GetCalendars, Reseal};
use super::sealing::{CannotOpen, KeyRing, Sealed};
use super::webhook::{self, ReadWebhook, ResealWebhook, StoredWebhook};
use crate::actor::ActorName;
use crate::transport::{ActorTransport, Unreachable, ask};

/// Why something is still under another key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotResealed {
    /// No key at hand opens it.
    #[error("something of {actor} {problem}")]
    CannotOpen {
        /// Whose it is.
        actor: ActorName,
        /// What it was sealed with.
        problem: CannotOpen,
    },
    /// The actor did not answer.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
}

/// Seals with the newest key what an actor keeps under others, and says how much that was.
///
/// What is connected anew in between is left as it is: whoever did that has sealed it with the newest key that they
/// know. So this is run until [`sealed_otherwise`](super::sealed_otherwise) names nobody, once all processes have the
/// new key.
pub async fn reseal(
    actors: &dyn ActorTransport,
    keys: &KeyRing,
    random: &dyn Random,
    actor: &ActorName,
) -> Result<usize, NotResealed> {
    let open = |about: &str, sealed: &Sealed| {
        let plain = keys.open(about, sealed);
        plain.map_err(|problem| NotResealed::CannotOpen {
            actor: actor.clone(),
            problem,
        })
    };
    let known = ask(actors, actor, GetCalendars { event_of: None }).await?;
    let mut resealed = 0;
    for connector in known.connectors {
        let before = connector.credentials;
        if before.key_id() == keys.newest() {
            continue;
        }
        let about = connector.id.credentials();
        let plain = open(&about, &before)?;
        let command = Reseal {
            after: keys.seal(random, &about, &plain),
            id: connector.id,
            before,
        };
        resealed += usize::from(ask(actors, actor, command).await?);
    }
    if let Some(StoredAddress { sealed: before, .. }) = ask(actors, actor, ReadAddress {}).await?
        && before.key_id() != keys.newest()
    {
        let about = addresses::about(actor);
        let plain = open(&about, &before)?;
        let after = keys.seal(random, &about, &plain);
        let command = ResealAddress { before, after };
        resealed += usize::from(ask(actors, actor, command).await?);
    }
    if let Some(StoredWebhook { sealed: before, .. }) = ask(actors, actor, ReadWebhook {}).await?
        && before.key_id() != keys.newest()
    {
        let about = webhook::about(actor);
        let plain = open(&about, &before)?;
        let after = keys.seal(random, &about, &plain);
        let command = ResealWebhook { before, after };
        resealed += usize::from(ask(actors, actor, command).await?);
    }
    Ok(resealed)
}
