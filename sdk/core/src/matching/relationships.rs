//! What is asked about who follows and who blocks whom.

use async_trait::async_trait;
use huddle_ports::Timestamp;
use huddle_schedule::Relationship;
use huddle_syntax::Did;

use super::Freshness;

/// Knows how people stand to each other, in public: what a host keeps to themselves is in their preferences.
///
/// Another service may answer, or what an index has seen of people's records. Whatever it is, it never guesses: of
/// what it does not know, it says so, and nobody is admitted.
#[async_trait]
pub trait Relationships: Send + Sync {
    /// How `guest` stands to `host`, as a host sees it. It is answered by the deadline.
    async fn between(
        &self,
        host: &Did,
        guest: &Did,
        freshness: Freshness,
        deadline: Timestamp,
    ) -> Result<Relationship, UnknownRelationship>;
}

/// It is not known how two people stand to each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownRelationship {
    /// Who would know does not answer as it should: it may later.
    #[error("it cannot be found out at present who follows whom: {0}")]
    Unavailable(String),
    /// Who would know has no such account, or shows none.
    #[error("{0} is not known where it is known who follows whom")]
    NoSuchAccount(Did),
}
