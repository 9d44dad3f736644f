//! Who follows and who blocks whom, as a Bluesky AppView tells: the social graph that policies go by.
//!
//! [`BlueskyGraph`] asks `app.bsky.graph.getRelationships`, which needs no account, and keeps the answers for a while.
//! It is one adapter of [`Relationships`]; whoever has follow records in an index of their own brings another.
//!
//! An answer that does not come, or is about somebody else, or is not understood, is no answer: nobody is admitted by
//! it. An account that the AppView does not show is not known either: it may have been hidden so that a block of it is
//! not told.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use huddle_core::matching::Relationships;
//! use huddle_graph::BlueskyGraph;
//! use huddle_ports::{Cache, Clock, Fetch, Url};
//!
//! fn graph(
//!     fetch: Arc<dyn Fetch>,
//!     appview: Url,
//!     cache: Arc<dyn Cache>,
//!     clock: Arc<dyn Clock>,
//! ) -> Arc<dyn Relationships> {
//!     Arc::new(BlueskyGraph::new(fetch, appview, cache, clock, Duration::from_hours(1)))
//! }
//! ```

mod remembered;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use huddle_core::matching::{Freshness, Relationships, UnknownRelationship};
use huddle_lexicon::app::bsky::graph::defs;
use huddle_lexicon::app::bsky::graph::get_relationships::{
    Error, GetRelationships, Output, OutputRelationshipsItem as Item, Params,
};
use huddle_ports::{Cache, Clock, Fetch, FetchLimits, Timestamp, Url};
use huddle_schedule::{Circle, Relationship};
use huddle_syntax::{AtIdentifier, Did};
use huddle_xrpc::client::{Client, ClientError};

use remembered::Remembered;

/// How long one answer is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// The largest answer: it is about two accounts.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The social graph, as one Bluesky AppView sees it.
#[derive(Clone)]
pub struct BlueskyGraph {
    client: Client,
    cache: Arc<dyn Cache>,
    clock: Arc<dyn Clock>,
    keep: Duration,
}

impl fmt::Debug for BlueskyGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlueskyGraph")
            .field("keep", &self.keep)
            .finish_non_exhaustive()
    }
}

impl BlueskyGraph {
    /// The graph of the AppView at `appview`, such as `https://public.api.bsky.app`; an answer may be used again for as
    /// long as `keep`, where a recent one will do.
    pub fn new(
        fetch: Arc<dyn Fetch>,
        appview: Url,
        cache: Arc<dyn Cache>,
        clock: Arc<dyn Clock>,
        keep: Duration,
    ) -> Self {
        Self {
            client: Client::new(fetch, appview),
            cache,
            clock,
            keep,
        }
    }

    async fn ask(
        &self,
        host: &Did,
        guest: &Did,
        deadline: Timestamp,
    ) -> Result<Relationship, UnknownRelationship> {
        let timeout = deadline.since(self.clock.now()).min(PATIENCE);
        if timeout.is_zero() {
            return Err(unavailable("there is no time left to ask"));
        }
        let client = self.client.clone().with_limits(FetchLimits {
            timeout,
            max_response_bytes: MAX_ANSWER_BYTES,
            ..FetchLimits::default()
        });
        let params = Params {
            actor: AtIdentifier::Did(host.clone()),
            others: Some(vec![AtIdentifier::Did(guest.clone())]),
        };
        match client.query::<GetRelationships>(&params).await {
            Ok(answer) => read(answer.output, host, guest),
            Err(ClientError::Declared(refusal)) => match refusal.error {
                Error::ActorNotFound => Err(UnknownRelationship::NoSuchAccount(host.clone())),
            },
            Err(error) => Err(unavailable(error)),
        }
    }
}

#[async_trait]
impl Relationships for BlueskyGraph {
    async fn between(
        &self,
        host: &Did,
        guest: &Did,
        freshness: Freshness,
        deadline: Timestamp,
    ) -> Result<Relationship, UnknownRelationship> {
        // No DID has a space.
        let key = format!("graph {host} {guest}");
        if freshness == Freshness::Recent
            && let Some(bytes) = self.cache.get(&key).await
            && let Some(relationship) = Remembered::read(&bytes, self.clock.now(), self.keep)
        {
            return Ok(relationship);
        }
        // What is asked is as old as the question.
        let now = self.clock.now();
        let answer = self.ask(host, guest, deadline).await;
        match &answer {
            Ok(relationship) => {
                let bytes = Remembered::new(*relationship, now).write();
                self.cache.put(&key, bytes, self.keep).await;
            }
            // Who is not shown any more is not remembered either.
            Err(UnknownRelationship::NoSuchAccount(_)) => self.cache.delete(&key).await,
            Err(UnknownRelationship::Unavailable(_)) => {}
        }
        answer
    }
}

/// What an answer says of these two; one about anybody else says nothing.
fn read(answer: Output, host: &Did, guest: &Did) -> Result<Relationship, UnknownRelationship> {
    if answer.actor.is_some_and(|actor| actor != *host) {
        return Err(unavailable("the answer is about another account"));
    }
    let [item] = <[Item; 1]>::try_from(answer.relationships)
        .map_err(|_| unavailable("the answer is not about one account"))?;
    match item {
        Item::Relationship(relationship) if relationship.did == *guest => {
            Ok(as_host_sees(&relationship))
        }
        Item::Relationship(_) => Err(unavailable("the answer is about another account")),
        Item::NotFoundActor(_) => Err(UnknownRelationship::NoSuchAccount(guest.clone())),
        Item::Unknown(_) => Err(unavailable("the answer is not understood")),
    }
}

/// The primary account of the answer is the host.
fn as_host_sees(relationship: &defs::Relationship) -> Relationship {
    let defs::Relationship {
        following,
        followed_by,
        blocking,
        blocked_by,
        blocking_by_list,
        blocked_by_list,
        ..
    } = relationship;
    let blocks = [blocking, blocked_by, blocking_by_list, blocked_by_list];
    Relationship {
        circle: Circle::of(following.is_some(), followed_by.is_some()),
        blocked: blocks.into_iter().any(Option::is_some),
    }
}

fn unavailable(problem: impl fmt::Display) -> UnknownRelationship {
    UnknownRelationship::Unavailable(problem.to_string())
}
